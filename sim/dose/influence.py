"""Gy per MU of every stretch of every beam at every point: the plan's influence.

The machine state decides dose per MU, the meterset how much of it: dose is this matrix times the MU
really delivered from each place of a beam, never a share of a beam's dose. It is computed once for
a plan and kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.dose.beam_data import GY_PER_MU, HEAD_LEAKAGE
from sim.dose.fields import States, states_of
from sim.dose.kernel import SOURCE_AXIS_CM, Kernel, kernel
from sim.dose.outline import Ellipse
from sim.dose.points import DosePoint, dose_points, positions
from sim.dose.rectangles import over_rectangles
from sim.plan.course import Beam, Course

Array = NDArray[np.float64]

_AT_ONCE = 12_000  # rectangles times points in one step: what fits into the processor's cache


class Stretch(NamedTuple):
    """MU delivered along a part of one beam.

    ``start`` and ``end`` are positions in control points (1.25: a quarter from control point 1 to 2);
    both within one segment. Equal: all of it at one place.
    """

    beam: int
    start: float
    end: float
    mu: float


@dataclass(frozen=True, slots=True)
class BeamInfluence:
    """One beam: dose per MU at the points as a curve along it, straight from state to state."""

    number: int
    target: str
    position: Array  # (states,) in control points, rising
    gy_per_mu: Array  # (states, points)
    planned: tuple[Stretch, ...]  # segment by segment

    def mean(self, start: float, end: float) -> Array:
        """Mean Gy per MU from one position to another (or at one), for every point."""
        if end <= start:
            return self._at(start)
        inner = self.position[(self.position > start) & (self.position < end)]
        places = np.concatenate(([start], inner, [end]))
        values = np.array([self._at(place) for place in places])
        widths = np.diff(places)[:, None]
        result: Array = ((values[1:] + values[:-1]) * widths / 2).sum(axis=0) / (end - start)
        return result

    def segments(self) -> Array:
        """Mean Gy per MU of every segment between two control points, (segments, points)."""
        widths = np.diff(self.position)[:, None]
        pieces = (self.gy_per_mu[1:] + self.gy_per_mu[:-1]) / 2 * widths
        starts = np.searchsorted(self.position, np.arange(int(self.position[-1])))
        result: Array = np.add.reduceat(pieces, starts, axis=0)
        return result

    def _at(self, place: float) -> Array:
        index = int(np.searchsorted(self.position, place, side="right")) - 1
        index = min(max(index, 0), len(self.position) - 2)
        low, high = self.position[index], self.position[index + 1]
        part = min(max((place - low) / (high - low), 0.0), 1.0)
        result: Array = self.gy_per_mu[index] * (1 - part) + self.gy_per_mu[index + 1] * part
        return result


@dataclass(frozen=True, slots=True)
class Influence:
    """All beams of a course at the same points."""

    points: tuple[DosePoint, ...]
    beams: dict[int, BeamInfluence]

    def planned(self, target: str) -> tuple[Stretch, ...]:
        """What one fraction of a target is planned to deliver."""
        return tuple(s for beam in self.beams.values() if beam.target == target for s in beam.planned)

    def dose(self, stretches: Iterable[Stretch]) -> dict[str, Array]:
        """Gy at every point by the target whose beams it comes from; targets without MU are zero."""
        result = {beam.target: np.zeros(len(self.points)) for beam in self.beams.values()}
        whole: dict[int, Array] = {}  # MU of segments delivered from end to end
        for stretch in stretches:
            beam = self.beams[stretch.beam]
            if stretch.end - stretch.start == 1 and stretch.start == int(stretch.start):
                count = int(beam.position[-1])
                whole.setdefault(stretch.beam, np.zeros(count))[int(stretch.start)] += stretch.mu
            elif stretch.mu:
                result[beam.target] += stretch.mu * beam.mean(stretch.start, stretch.end)
        for number, mu in whole.items():
            beam = self.beams[number]
            result[beam.target] += mu @ beam.segments()
        return result


@lru_cache(maxsize=16)
def influence(course: Course) -> Influence:
    """The influence of all beams of a course at the points of :func:`dose_points`.

    Raises NoBeamData for a beam quality the model does not have and UnknownLeaves for leaves
    without boundaries.
    """
    return influence_at(course, dose_points(course))


def influence_at(
    course: Course, points: tuple[DosePoint, ...], *, leakage: float = HEAD_LEAKAGE
) -> Influence:
    """The same at any points; ``leakage`` is the share of the calibrated dose that is everywhere."""
    outline = Ellipse.of(course.body)
    where = positions(points)
    beams = {}
    for target in course.targets:
        for beam in target.beams:
            states = states_of(beam)
            values = gy_per_mu(states, kernel(beam.energy_mv, beam.fluence_mode), outline, where, leakage)
            beams[beam.number] = BeamInfluence(
                beam.number, target.id, states.position, values[states.which], _planned(beam)
            )
    return Influence(points, beams)


def _planned(beam: Beam) -> tuple[Stretch, ...]:
    points = beam.control_points
    return tuple(
        Stretch(beam.number, float(k), float(k + 1), (points[k + 1].meterset - points[k].meterset) / 1000)
        for k in range(len(points) - 1)
    )


def gy_per_mu(states: States, beam: Kernel, outline: Ellipse, points: Array, leakage: float) -> Array:
    """Dose per MU of every state at every point (states, points), Gy/MU; 0 outside the patient."""
    strips, weights = weighted_strips(states, beam)
    result = np.empty((len(strips), len(points)))
    step = max(1, _AT_ONCE // (len(points) * len(weights)))
    for first in range(0, len(strips), step):
        part = slice(first, first + step)
        result[part] = _some_states(
            strips[part],
            weights,
            states.axes[part],
            states.isocentre,
            states.source[part],
            beam,
            outline,
            points,
        )
    result *= output(states, beam)[:, None]
    result += GY_PER_MU * leakage
    result *= outline.holds(points)
    return result


def weighted_strips(states: States, beam: Kernel) -> tuple[Array, Array]:
    """All rectangles that let photons through, (states, rectangles, 4), and which part of them."""
    if states.jaws is None:
        return states.strips, np.ones(states.strips.shape[1])
    strips = np.concatenate([states.strips, states.jaws[:, None]], axis=1)
    weights = np.full(strips.shape[1], 1 - beam.data.transmission)
    weights[-1] = beam.data.transmission  # leaves let a little through wherever the jaws are open
    return strips, weights


def output(states: States, beam: Kernel) -> Array:
    """Gy per MU of every state where kernel times fluence is 1: calibration and head scatter."""
    sides = (states.strips[:, :, 1::2] - states.strips[:, :, 0::2]).prod(axis=2)
    result: Array = beam.gy_per_mu * beam.head_scatter(np.sqrt(sides.sum(axis=1)))
    return result


def _some_states(
    strips: Array,
    weights: Array,
    axes: Array,
    isocentre: Array,
    source: Array,
    beam: Kernel,
    outline: Ellipse,
    points: Array,
) -> Array:
    """Kernel times fluence, in the kernel's own unit, for as many states as are done at once."""
    seen = np.einsum("sak,pk->sap", axes, points - isocentre)
    scale = (SOURCE_AXIS_CM - seen[:, 2]) / SOURCE_AXIS_CM  # of the field at the point's plane
    x, y = seen[:, 0], seen[:, 1]
    k = beam.parameters(outline.depth(source, points))
    edges = strips[:, None, :, :] * scale[:, :, None, None]
    relative = tuple(edges[..., i] - (x if i < 2 else y)[:, :, None] for i in range(4))
    narrow = over_rectangles(k.a[:, :, None], *relative) @ weights
    scattering = weights * _mean_fluence(strips, beam)
    wide = (over_rectangles(k.b[:, :, None], *relative) * scattering[:, None, :]).sum(axis=2)
    # The narrow part comes from the fluence near the point: there, or at the nearest edge of the field.
    box = [(strips[:, :, i].min if i % 2 == 0 else strips[:, :, i].max)(axis=1)[:, None] for i in range(4)]
    nearest = np.hypot(np.clip(x / scale, box[0], box[1]), np.clip(y / scale, box[2], box[3]))
    narrow *= beam.fluence(nearest)
    result: Array = (k.narrow * narrow + k.wide * wide) / scale**2
    return result


def _mean_fluence(strips: Array, beam: Kernel) -> Array:
    """Fluence averaged along the middle of every strip (Simpson's rule)."""
    x1, x2, y1, y2 = (strips[:, :, i] for i in range(4))
    y = (y1 + y2) / 2
    ends = beam.fluence(np.hypot(x1, y)) + beam.fluence(np.hypot(x2, y))
    result: Array = (ends + 4 * beam.fluence(np.hypot((x1 + x2) / 2, y))) / 6
    return result
