"""Pictures of the dose: axial and coronal slices, planned, delivered and their difference.

For the eye, not for judging: a beam is taken in pieces of 10 degrees, the wide part of the kernel
comes from one rectangle like the opening, the narrow part from a map made for 10 cm of depth. Within
3 % of the largest dose of what :mod:`sim.dose.influence` gives at the same points, 6 % in the penumbra
of a single beam; a test compares.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sim.dose.beam_data import GY_PER_MU, HEAD_LEAKAGE
from sim.dose.fields import States, coarse_states
from sim.dose.influence import Stretch, output, weighted_strips
from sim.dose.kernel import SOURCE_AXIS_CM, Kernel, kernel
from sim.dose.outline import Ellipse
from sim.dose.rectangles import over_rectangles
from sim.plan.course import Course, Target

Array = NDArray[np.float64]

_TURN = 10.0  # degrees of a piece
_COARSE = 3  # spacings between two lines of the grid away from the targets
_NEAR_TARGET_CM = 3.0  # beyond its rim; as far the grid is fine
_ALONG_CM = 6.0  # beyond the targets, along the body, which has no end
_NEAR_CM = 2.0  # beside an opening; farther away the narrow part of the kernel has gone
_MAP_CM = 0.1  # spacing of the map of the narrow part


@dataclass(frozen=True, slots=True)
class Slice:
    """Gy on a grid that is fine around the targets; rows go along ``down``, columns along ``across``."""

    plane: Literal["axial", "coronal"]
    at: float  # cm: z of an axial, y of a coronal slice
    across: Array  # x, cm, to the left of the patient
    down: Array  # y (posterior) of an axial, z (superior) of a coronal slice, cm
    planned: Array
    delivered: Array

    @property
    def difference(self) -> Array:
        """Delivered less planned."""
        return self.delivered - self.planned


def slices(
    course: Course,
    planned: Iterable[Stretch],
    delivered: Iterable[Stretch],
    *,
    axial: Sequence[int] = (),
    coronal: Sequence[int] = (),
    spacing_cm: float = 0.2,
) -> tuple[Slice, ...]:
    """Axial slices at these z and coronal ones at these y (0.01 mm), in this order.

    They show the whole width and depth of the patient, and along the body 6 cm beyond the targets. Up to
    3 cm from a target that the plane cuts, lines are ``spacing_cm`` apart, elsewhere three times as much.
    Raises NoBeamData or UnknownLeaves as :func:`sim.dose.influence.influence`.
    """
    planes: list[tuple[Literal["axial", "coronal"], float, Array, Array]] = []
    for name, normal, ats in (("axial", 2, axial), ("coronal", 1, coronal)):
        for where in ats:
            cut = [t for t in course.targets if abs(t.centre[normal] - where) <= t.diameter / 2]
            x, down = (_lines(course, cut, axis, spacing_cm) for axis in (0, 3 - normal))
            planes.append(("axial" if name == "axial" else "coronal", where / 1000, x, down))
    grids = []
    for plane, at, x, down in planes:
        places = (x[None, :], down[:, None], at) if plane == "axial" else (x[None, :], at, down[:, None])
        grids.append(np.stack(np.broadcast_arrays(*places), axis=-1).reshape(-1, 3))
    gy = _dose(course, (list(planned), list(delivered)), np.concatenate(grids))
    found, first = [], 0
    for plane, at, x, down in planes:
        part = gy[:, first : first + len(x) * len(down)].reshape(2, len(down), len(x))
        found.append(Slice(plane, at, x, down, part[0], part[1]))
        first += len(x) * len(down)
    return tuple(found)


def _lines(course: Course, cut: list[Target], axis: int, spacing: float) -> Array:
    """Coordinates along one axis, cm, rising: multiples of the spacing, fewer far from targets ``cut``."""
    if axis == 2:
        low = min(_rim(t, axis, -1) for t in course.targets) - _ALONG_CM
        high = max(_rim(t, axis, 1) for t in course.targets) + _ALONG_CM
    else:
        half = (course.body.width, course.body.depth)[axis] / 2
        low, high = ((course.body.centre[axis] + sign * half) / 1000 for sign in (-1, 1))
    reaches = [(_rim(t, axis, -1) - _NEAR_TARGET_CM, _rim(t, axis, 1) + _NEAR_TARGET_CM) for t in cut]
    wide = spacing * _COARSE
    steps = range(_COARSE * math.floor(low / wide), _COARSE * math.ceil(high / wide) + 1)
    near = [n for n in steps if n % _COARSE == 0 or any(a <= n * spacing <= b for a, b in reaches)]
    result: Array = np.array(near, dtype=np.float64) * spacing
    return result


def _rim(target: Target, axis: int, sign: int) -> float:
    """Coordinate of a target's end along an axis, cm."""
    return (target.centre[axis] + sign * target.diameter / 2) / 1000


def _dose(course: Course, sets: tuple[list[Stretch], ...], points: Array) -> Array:
    """Gy of every set of stretches at every point, (sets, points)."""
    outline = Ellipse.of(course.body)
    inside = outline.holds(points)
    result = np.zeros((len(sets), len(points)))
    within = points[inside]
    for target in course.targets:
        for beam in target.beams:
            mine = [[s for s in stretches if s.beam == beam.number] for stretches in sets]
            if not any(mine):
                continue
            edges, states = coarse_states(beam, _TURN)
            mu = np.zeros((len(sets), len(states.axes)))
            for row, stretches in zip(mu, mine, strict=True):
                np.add.at(row, states.which, _mu_of_pieces(edges, stretches))
            result[:, inside] += _beam(states, kernel(beam.energy_mv, beam.fluence_mode), outline, within, mu)
    return result


def _mu_of_pieces(edges: Array, stretches: list[Stretch]) -> Array:
    """How many MU fall into each piece of a beam."""
    result = np.zeros(len(edges) - 1)
    for stretch in stretches:
        if stretch.end > stretch.start:
            overlap = np.minimum(edges[1:], stretch.end) - np.maximum(edges[:-1], stretch.start)
            result += stretch.mu * np.maximum(overlap, 0) / (stretch.end - stretch.start)
        else:
            place = int(np.searchsorted(edges, stretch.start, side="right")) - 1
            result[min(place, len(result) - 1)] += stretch.mu
    return result


def _beam(states: States, beam: Kernel, outline: Ellipse, points: Array, mu: Array) -> Array:
    """Gy of one beam for every row of ``mu`` (rows, states); one state after the other."""
    strips, weights = weighted_strips(states, beam)
    out, sources = output(states, beam), states.source
    relative = points - states.isocentre
    total = np.zeros((len(mu), len(points)))
    opening, narrow = strips[0], _Narrow(strips[0], weights, beam)
    for i in np.flatnonzero(mu.any(axis=0)):
        seen = relative @ states.axes[i].T
        scale = (SOURCE_AXIS_CM - seen[:, 2]) / SOURCE_AXIS_CM
        x, y = seen[:, 0] / scale, seen[:, 1] / scale
        k = beam.parameters(outline.depth(sources[i : i + 1], points)[0])
        wide = _from_one_rectangle(states.strips[i], k.b * scale, x, y, beam)
        if not np.array_equal(strips[i], opening):
            opening, narrow = strips[i], _Narrow(strips[i], weights, beam)
        gy = k.wide * wide
        narrow.add(gy, k.narrow, x, y)
        gy *= out[i] / scale**2
        gy += GY_PER_MU * HEAD_LEAKAGE
        total += mu[:, i : i + 1] * gy
    return total


class _Narrow:
    """The narrow part around one opening at the isocentre plane, as a map to be interpolated.

    Its slope is that at 10 cm of depth: from surface to exit it changes by a tenth.
    """

    def __init__(self, strips: Array, weights: Array, beam: Kernel) -> None:
        x1, x2, y1, y2 = strips.T
        self._low = np.array([x1.min(), y1.min()]) - _NEAR_CM
        size = np.array([x2.max(), y2.max()]) + _NEAR_CM - self._low
        self._count = np.maximum(2, np.ceil(size / _MAP_CM)).astype(np.intp)
        x, y = (low + np.arange(n + 1) * _MAP_CM for low, n in zip(self._low, self._count, strict=True))
        a = beam.parameters(np.array([10.0])).a
        over = np.empty((len(x), len(y)))
        for row, place in zip(over, x, strict=True):
            edges = (x1 - place, x2 - place, y1 - y[:, None], y2 - y[:, None])
            row[:] = over_rectangles(a, *edges) @ weights
        nearest = np.hypot(np.clip(x, x1.min(), x2.max())[:, None], np.clip(y, y1.min(), y2.max())[None, :])
        self._map = (over * beam.fluence(nearest)).ravel()

    def add(self, gy: Array, strength: Array, x: Array, y: Array) -> None:
        """Add strength times the narrow part at x, y (cm at the isocentre plane) to ``gy``."""
        u, v = (x - self._low[0]) / _MAP_CM, (y - self._low[1]) / _MAP_CM
        near = np.flatnonzero((u > 0) & (u < self._count[0]) & (v > 0) & (v < self._count[1]))
        u, v = u[near], v[near]
        i, j = u.astype(np.intp), v.astype(np.intp)
        u -= i
        v -= j
        at = i * (self._count[1] + 1) + j
        low = self._map[at] * (1 - v) + self._map[at + 1] * v
        at += self._count[1] + 1
        high = self._map[at] * (1 - v) + self._map[at + 1] * v
        gy[near] += strength[near] * (low * (1 - u) + high * u)


def _from_one_rectangle(strips: Array, b: Array, x: Array, y: Array, beam: Kernel) -> Array:
    """The wide part from a rectangle of the opening's area, centre and proportions."""
    x1, x2, y1, y2 = strips.T
    area = (x2 - x1) * (y2 - y1)
    whole = float(area.sum())
    if not whole:
        return np.zeros(len(x))
    middle_x, middle_y = (x1 + x2) / 2, (y1 + y2) / 2
    cx, cy = float(area @ middle_x / whole), float(area @ middle_y / whole)
    spread_x = float(area @ ((middle_x - cx) ** 2 + (x2 - x1) ** 2 / 12) / whole)
    spread_y = float(area @ ((middle_y - cy) ** 2 + (y2 - y1) ** 2 / 12) / whole)
    half_x = math.sqrt(whole * math.sqrt(spread_x / spread_y)) / 2
    half_y = whole / half_x / 4
    edges = (cx - half_x - x, cx + half_x - x, cy - half_y - y, cy + half_y - y)
    result: Array = over_rectangles(b, *edges) * beam.fluence(np.array(math.hypot(cx, cy)))
    return result
