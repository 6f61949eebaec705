"""A beam as a row of machine states close enough together, with the rectangles each leaves open.

Between two control points everything moves along straight lines. Where that is far, states in
between are added, so that dose per MU may be taken as a straight line from one to the next.
Positions along the beam count control points: 2.5 is halfway from control point 2 to 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.dose.kernel import SOURCE_AXIS_CM
from sim.plan.course import Beam

Array = NDArray[np.float64]

#: Farthest from one state to the next: 0.01 degree of a rotation, 0.01 mm of a jaw or leaf. Five
#: degrees are 4.4 mm at 5 cm from the axis, less than a penumbra.
_TURN, _TRAVEL = 500.0, 500.0
_PIECE = 2_000  # an opening by jaws alone is cut into rectangles of this side at most, 0.01 mm


class UnknownLeaves(ValueError):
    """Leaves whose widths the plan does not give: what is open is not known."""


@dataclass(frozen=True, slots=True)
class States:
    """The states of one beam; lengths in cm at the isocentre plane, in the collimator's axes."""

    position: Array  # (all states,) along the beam, rising
    which: NDArray[np.intp]  # (all states,) index into the arrays below: states that differ
    axes: Array  # (states, 3, 3) rows: collimator x, y and towards the source, in patient coordinates
    isocentre: Array  # (3,)
    strips: Array  # (states, strips, 4) x1, x2, y1, y2; closed ones have no width
    jaws: Array | None  # (states, 4) where leaves let some through; None: no leaves

    @property
    def source(self) -> Array:
        """Position of the source in patient coordinates, (states, 3)."""
        return self.isocentre + SOURCE_AXIS_CM * self.axes[:, 2, :]


def states_of(beam: Beam) -> States:
    """The states of a beam. Raises UnknownLeaves when its leaves have no boundaries."""
    raw = _raw(beam)
    return _states(beam, raw, _positions(raw, np.array([p.meterset for p in beam.control_points])))


def coarse_states(beam: Beam, turn: float) -> tuple[Array, States]:
    """The beam in few pieces, none of more than ``turn`` degrees or 1 cm: their edges, their middles.

    For pictures. Raises UnknownLeaves as :func:`states_of`.
    """
    raw = _raw(beam)
    fine = _positions(raw, np.array([p.meterset for p in beam.control_points]))
    rows = _between(raw, fine)
    travel = np.abs(np.diff(rows, axis=0)) / np.array([100 * turn] * 3 + [1_000.0] * (raw.shape[1] - 3))
    edges, moved = [fine[0]], np.zeros(raw.shape[1])
    for index, step in enumerate(travel):
        if moved.any() and (moved + step).max() > 1:
            edges.append(fine[index])
            moved = np.zeros(raw.shape[1])
        moved = moved + step
    cuts = np.append(edges, fine[-1])
    return cuts, _states(beam, raw, (cuts[1:] + cuts[:-1]) / 2)


def _raw(beam: Beam) -> Array:
    """Rotations, jaws and leaves of every control point as one row; 0.01 degree and 0.01 mm."""
    points = beam.control_points
    if points[0].leaves and not beam.leaf_boundaries:
        raise UnknownLeaves(f"beam {beam.number}: the plan gives no leaf boundaries, so no leaf widths")
    return np.array(
        [(p.gantry, p.collimator, p.couch_rotation, *p.jaws, *p.leaves) for p in points], dtype=np.float64
    )


def _between(raw: Array, position: Array) -> Array:
    """Rows at positions along the beam."""
    index = np.minimum(position.astype(np.intp), len(raw) - 2)
    part = (position - index)[:, None]
    result: Array = raw[index] * (1 - part) + raw[index + 1] * part
    return result


def _states(beam: Beam, raw: Array, position: Array) -> States:
    rows = _between(raw, position)
    differs = np.ones(len(rows), dtype=bool)
    differs[1:] = np.any(rows[1:] != rows[:-1], axis=1)
    rows = rows[differs]
    strips, jaws = _openings(rows, beam)
    return States(
        position,
        np.cumsum(differs) - 1,
        _axes(*np.radians(rows[:, :3].T / 100)),
        np.array(beam.isocentre) / 1000,
        strips / 1000,
        None if jaws is None else jaws / 1000,
    )


def _positions(raw: Array, metersets: Array) -> Array:
    """All control points, and states between them where something moves far while dose flows."""
    travel = np.abs(np.diff(raw, axis=0))
    parts = np.maximum(travel[:, :3].max(axis=1) / _TURN, travel[:, 3:].max(axis=1) / _TRAVEL)
    counts = np.maximum(1, np.ceil(np.where(np.diff(metersets) > 0, parts, 0))).astype(int)
    found = [k + np.arange(n) / n for k, n in enumerate(counts)]
    return np.append(np.concatenate(found), float(len(counts)))


def _axes(gantry: Array, collimator: Array, couch: Array) -> Array:
    """The collimator's axes in patient coordinates; the same turns as sim.plan.projection, in arrays."""
    cg, sg, ck, sk, cc, sc = (f(angle) for angle in (gantry, collimator, couch) for f in (np.cos, np.sin))
    zero = np.zeros_like(cg)
    # Fixed x, y, z are patient x, z and minus y.
    couch_x = np.stack([cc, zero, -sc], axis=-1)
    couch_y = np.stack([sc, zero, cc], axis=-1)
    up = np.stack([zero, zero - 1, zero], axis=-1)
    across = couch_x * cg[:, None] - up * sg[:, None]
    to_source = couch_x * sg[:, None] + up * cg[:, None]
    x = across * ck[:, None] + couch_y * sk[:, None]
    y = couch_y * ck[:, None] - across * sk[:, None]
    return np.stack([x, y, to_source], axis=1)


def _openings(rows: Array, beam: Beam) -> tuple[Array, Array | None]:
    """Open rectangles of every state, and the jaws if there are leaves; 0.01 mm."""
    jaws, leaves = rows[:, 3:7], rows[:, 7:]
    if not leaves.shape[1]:
        (x1, x2), (y1, y2) = _cut(jaws[:, 0], jaws[:, 1]), _cut(jaws[:, 2], jaws[:, 3])
        shape = (len(rows), x1.shape[1], y1.shape[1])
        sides = [np.broadcast_to(side[:, :, None], shape) for side in (x1, x2)]
        sides += [np.broadcast_to(side[:, None, :], shape) for side in (y1, y2)]
        return np.stack(sides, axis=-1).reshape(len(rows), -1, 4), None
    along, across = ((0, 1), (2, 3)) if beam.leaf_travel == "x" else ((2, 3), (0, 1))
    pairs = leaves.shape[1] // 2
    bounds = np.array(beam.leaf_boundaries, dtype=np.float64)
    first = np.maximum(leaves[:, :pairs], jaws[:, along[0], None])
    second = np.minimum(leaves[:, pairs:], jaws[:, along[1], None])
    low = np.maximum(bounds[:-1], jaws[:, across[0], None])
    high = np.minimum(bounds[1:], jaws[:, across[1], None])
    second, high = np.maximum(second, first), np.maximum(high, low)
    ever = np.any((second > first) & (high > low), axis=0)  # pairs that are never open are left out
    if beam.leaf_travel == "x":
        return np.stack([first, second, low, high], axis=-1)[:, ever], jaws
    return np.stack([low, high, first, second], axis=-1)[:, ever], jaws


def _cut(low: Array, high: Array) -> tuple[Array, Array]:
    """Equal pieces between two jaws, as many in every state: lower and upper ends, (states, pieces)."""
    count = max(1, int(np.ceil((high - low).max() / _PIECE)))
    edges = low[:, None] + (high - low)[:, None] * np.arange(count + 1) / count
    return edges[:, :-1], edges[:, 1:]
