"""Courses for dose tests: open fields and arcs on a cylinder of water."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.dose.influence import influence_at
from sim.dose.points import DosePoint
from sim.machine import FluenceMode
from sim.plan.course import Beam, ControlPoint, Course, Outline, Point, Target
from sim.plan.spacing import EVERY_SECOND_DAY

CYLINDER = Outline((0, 0), 30_000, 30_000)  # radius 15 cm

Array = NDArray[np.float64]


def open_beam(
    number: int,
    target: str,
    gantry: Sequence[int],
    *,
    mu: int = 100_000,
    side: int = 3_000,
    energy: int = 6,
    mode: FluenceMode = "flattened",
    isocentre: Point = (0, 0, 0),
    collimator: int = 0,
    couch: int = 0,
) -> Beam:
    """A square opening by jaws alone through these gantry angles (0.01 degree), MU spread evenly."""
    half = side // 2
    steps = len(gantry) - 1
    points = tuple(
        ControlPoint(mu * i // steps, angle, collimator, couch, (-half, half, -half, half), (), 600)
        for i, angle in enumerate(gantry)
    )
    still = len(set(gantry)) == 1
    return Beam(
        number, f"beam {number}", target, energy, mode, "static" if still else "arc", isocentre, points
    )


def course_of(beams: Sequence[Beam], outline: Outline = CYLINDER) -> Course:
    """One target at the origin treated by all the beams."""
    target = Target("a", "middle", (0, 0, 0), 2_000, 30.0, 3, tuple(beams), EVERY_SECOND_DAY)
    return Course("phantom", "Cylinder of water", "P-0000", (target,), "test", outline=outline)


def crossfire(energy: int = 6, mode: FluenceMode = "flattened") -> Course:
    """36 equispaced coplanar beams, 3 cm x 3 cm open."""
    beams = [open_beam(i + 1, "a", (1000 * i, 1000 * i), energy=energy, mode=mode) for i in range(36)]
    return course_of(beams)


def dose_at(course: Course, places: Array, *, leakage: float = 0.0) -> Array:
    """Gy at places (points, 3) in cm when all is delivered as planned."""
    points = tuple(DosePoint("p", "organ", "", (float(x), float(y), float(z))) for x, y, z in places)
    influence = influence_at(course, points, leakage=leakage)
    total = np.zeros(len(points))
    for target in course.targets:
        total += sum(influence.dose(influence.planned(target.id)).values())
    return total
