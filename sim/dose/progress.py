"""How the dose to every target grows during a session, against time and against MU.

Between two control points dose grows with the true MU, which is straight enough to be drawn; pauses
of the beam are kept. The last values are those of :mod:`sim.dose.session`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.dose.delivered import TrueOutput, delivered_when
from sim.dose.influence import BeamInfluence, Influence, Stretch, influence
from sim.plan.course import Course
from sim.record.trace import Trace

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Progress:
    """Breakpoints of straight lines; Gy at the centre of each target, by its own beams and by all others."""

    t_us: list[int]
    mu: list[float]  # true, of the whole session
    own: dict[str, list[float]]
    cross: dict[str, list[float]]


def progress(course: Course, trace: Trace) -> Progress:
    """The dose of a finished run over time. Raises NoBeamData or UnknownLeaves as ``influence``."""
    known = influence(course)
    centres = {p.owner: i for i, p in enumerate(known.points) if p.kind == "centre"}
    columns = list(centres.values())
    own = np.zeros(len(centres))
    cross = np.zeros(len(centres))
    places = {target: row for row, target in enumerate(centres)}
    found = Progress([0], [0.0], {name: [0.0] for name in centres}, {name: [0.0] for name in centres})
    output = TrueOutput(trace.channels["dose_delivered"])
    rates = _Rates(known, columns)
    total = 0.0
    for since, until, stretch in delivered_when(course, trace):
        gain = stretch.mu * rates.of(stretch)
        mine = np.arange(len(centres)) == places[known.beams[stretch.beam].target]
        for instant in (since, *output.switches(since, until), until):
            part = output.between(since, instant) / stretch.mu
            _add(
                found,
                instant,
                total + part * stretch.mu,
                own + part * gain * mine,
                cross + part * gain * ~mine,
            )
        own, cross, total = own + gain * mine, cross + gain * ~mine, total + stretch.mu
    _add(found, trace.end_us, total, own, cross)
    return found


class _Rates:
    """Gy per MU of stretches; of whole segments, which are most, computed once for a beam."""

    def __init__(self, known: Influence, columns: list[int]) -> None:
        self._known, self._columns = known, columns
        self._segments: dict[int, Array] = {}

    def of(self, stretch: Stretch) -> Array:
        beam: BeamInfluence = self._known.beams[stretch.beam]
        if stretch.end - stretch.start != 1 or stretch.start != int(stretch.start):
            part: Array = beam.mean(stretch.start, stretch.end)[self._columns]
            return part
        if stretch.beam not in self._segments:
            self._segments[stretch.beam] = beam.segments()[:, self._columns]
        whole: Array = self._segments[stretch.beam][int(stretch.start)]
        return whole


def _add(found: Progress, t_us: int, mu: float, own: Array, cross: Array) -> None:
    """One breakpoint; none twice, and none within a line that stands."""
    if found.t_us[-1] == t_us and found.mu[-1] == mu:
        return
    if len(found.mu) > 1 and found.mu[-2] == found.mu[-1] == mu:
        found.t_us[-1] = t_us
        return
    found.t_us.append(t_us)
    found.mu.append(mu)
    for lines, values in ((found.own, own), (found.cross, cross)):
        for line, value in zip(lines.values(), values, strict=True):
            line.append(float(value))
