"""Own Monte Carlo run for the cross dose in tests/dose/golden.yaml, with the open program ompMC.

ompMC is under GPLv3 and no dependency of this project: install it (``pip install ompmc numpy``) in an
environment of its own and call this file with the Python of that. One core needs about twenty seconds for
a million histories: 36 beams of 3 cm x 3 cm and 6 MV on a cylinder of water of 15 cm radius.

    python tools/dose_golden.py --histories 3000000 --seed 1

Prints dose over target dose by distance with one standard deviation, averaged as golden.yaml says.
"""

from __future__ import annotations

import argparse

import numpy as np
import ompmc

VOXEL = 0.5  # cm
RADIUS, LENGTH = 15.0, 20.0  # cm, of the cylinder along z
SIDE = 3.0  # cm at the isocentre
BEAMS = 36
IN_PLANE = (2, 3, 4, 5, 6, 7, 8, 10, 12)
AXIAL = (2, 3, 4, 5, 8)


def bounds(half: float) -> np.ndarray:
    """Edges of voxels with one of them in the middle."""
    count = int(half / VOXEL)
    return (np.arange(-count, count + 2) - 0.5) * VOXEL


def phantom() -> tuple[ompmc.Geometry, np.ndarray]:
    """The cylinder in voxels, and the distance of their middles from the axis."""
    xy, z = bounds(RADIUS), bounds(LENGTH / 2)
    middle = (xy[1:] + xy[:-1]) / 2
    radius = np.hypot(middle[:, None], middle[None, :])
    inside = np.repeat((radius <= RADIUS)[:, :, None], len(z) - 1, axis=2)
    geometry = ompmc.Geometry(
        xy,
        xy,
        z,
        ["H2O700ICRU"],
        np.asfortranarray(np.where(inside, 1.0, 0.0012)),  # around it as thin as air: vacuum may hang it
        np.asfortranarray(np.ones(inside.shape, dtype=np.int32)),
    )
    return geometry, radius


def source() -> ompmc.BeamletSource:
    """Equispaced coplanar beams, each one open square."""
    angle = 2 * np.pi * np.arange(BEAMS) / BEAMS
    zero, one = np.zeros(BEAMS), np.ones(BEAMS)
    towards = np.stack([np.sin(angle), -np.cos(angle), zero], axis=1)
    across = np.stack([np.cos(angle), np.sin(angle), zero], axis=1)
    along = np.stack([zero, zero, one], axis=1)
    corner = -SIDE / 2 * (across + along)
    return ompmc.BeamletSource(np.arange(BEAMS), 100 * towards, corner, SIDE * across, SIDE * along)


def means(dose: np.ndarray, radius: np.ndarray) -> dict[tuple[str, int], float]:
    """Dose over the dose of the middle 3 x 3 x 3 voxels."""
    z = (np.arange(dose.shape[2]) - dose.shape[2] // 2) * VOXEL
    m = dose.shape[0] // 2
    flat = np.abs(z) <= 0.6
    target = dose[m - 1 : m + 2, m - 1 : m + 2, np.abs(z) <= VOXEL].mean()
    found = {("in_plane", r): dose[np.abs(radius - r) <= 0.3][:, flat].mean() / target for r in IN_PLANE}
    for distance in AXIAL:
        planes = np.abs(np.abs(z) - distance) <= 0.26
        found["axial", distance] = dose[radius <= 1.2][:, planes].mean() / target
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--histories", type=int, default=3_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=5, help="independent parts, for the deviation")
    options = parser.parse_args()
    geometry, radius = phantom()
    parts = []
    for run in range(options.runs):
        physics = ompmc.Physics(n_split=1, seeds=(options.seed, 1000 + run))
        dose = ompmc.calc_forward(
            geometry, source(), np.ones(BEAMS), physics=physics, n_histories=options.histories // options.runs
        )[0]
        parts.append(means(np.asarray(dose), radius))
    for plane, distance in parts[0]:
        values = np.array([part[plane, distance] for part in parts])
        deviation = values.std(ddof=1) / len(values) ** 0.5
        print(f"{plane} {distance:>2} cm: {values.mean():.4f} +- {deviation:.4f}")


if __name__ == "__main__":
    main()
