"""From the trace of a run: how many MU really came out of the machine at which part of which beam.

MU are the plant's truth, not what the chambers counted; the part of the beam is where the sequencer
was, which follows the primary channel. So a dead chamber shows as many MU at one place, a worn target
as fewer everywhere, and a stopped beam as nothing beyond its last control point. Setting the counters
for another beam is not dose: only the slope of the true dose counts.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import NamedTuple

from sim.dose.influence import Stretch
from sim.plan.course import Beam, Course
from sim.record.trace import Channel, Event, Trace

_EVENTS = ("select", "beam_start", "control_point", "beam_end")
_NOTHING = 1e-9  # MU; what rounding of floats leaves


class Timed(NamedTuple):
    """A stretch and when it was delivered, us."""

    since: int
    until: int
    stretch: Stretch


def delivered(course: Course, trace: Trace) -> Iterator[Stretch]:
    """All MU of a run, in the order of delivery."""
    return (timed.stretch for timed in delivered_when(course, trace))


def delivered_when(course: Course, trace: Trace) -> Iterator[Timed]:
    """The same, each with the time from the event before it to the one that ended it."""
    beams = {beam.number: beam for target in course.targets for beam in target.beams}
    output = TrueOutput(trace.channels["dose_delivered"])
    beam: Beam | None = None
    place, since = 0.0, 0
    for event in (event for event in trace.events if event.kind in _EVENTS):
        began, since = since, event.t_us
        mu = output.between(began, since)
        end = place if beam is None else _place_after(event, beam, place)
        if beam is not None and mu > _NOTHING:
            yield Timed(began, since, Stretch(beam.number, place, end, mu))
        place = end
        if event.kind == "select":
            beam, place = beams[event.fields["beam"]], 0.0
    mu = output.between(since, trace.end_us)
    if beam is not None and mu > _NOTHING:  # the run ended with the beam on: as far as its MU lead
        yield Timed(since, trace.end_us, Stretch(beam.number, place, _further(beam, place, mu), mu))


def place_of(beam: Beam, meterset: float) -> float:
    """Position in control points at a cumulative meterset, MU; of equal ones the first."""
    points = beam.control_points
    wanted = meterset * 1000
    index = max((i for i in range(len(points) - 1) if points[i].meterset < wanted), default=0)
    start, end = points[index].meterset, points[index + 1].meterset
    return index + (min(max((wanted - start) / (end - start), 0.0), 1.0) if end > start else 0.0)


def _place_after(event: Event, beam: Beam, place: float) -> float:
    """Where the beam is at this event; never back, and never past the end of the segment."""
    if event.kind == "beam_start":
        return place_of(beam, event.fields["start_mu"])
    if event.kind == "control_point":
        return float(event.fields["index"])
    if event.kind == "beam_end":
        reached = place_of(beam, event.fields["delivered_mu"])
        return min(max(place, reached), float(int(place) + 1), float(len(beam.control_points) - 1))
    return place


def _further(beam: Beam, place: float, mu: float) -> float:
    """From a place on by so many MU, within its segment."""
    index = min(int(place), len(beam.control_points) - 2)
    whole = (beam.control_points[index + 1].meterset - beam.control_points[index].meterset) / 1000
    return min(place + mu / whole, index + 1.0) if whole else place


class TrueOutput:
    """True MU over time as the integral of the true dose rate."""

    def __init__(self, channel: Channel) -> None:
        samples = channel.samples
        self._times = [sample.t_us for sample in samples]
        self._slopes = [sample.slope for sample in samples]
        gains = (a.slope * (b.t_us - a.t_us) / 1e6 for a, b in pairwise(samples))
        self._totals = list(accumulate(gains, initial=0.0))

    def between(self, start_us: int, end_us: int) -> float:
        """MU from one instant to another."""
        return self._at(end_us) - self._at(start_us)

    def switches(self, start_us: int, end_us: int) -> list[int]:
        """Instants strictly between the two at which MU begin or cease to come out."""
        first, last = bisect_right(self._times, start_us), bisect_left(self._times, end_us)
        return [
            self._times[i]
            for i in range(max(first, 1), last)
            if bool(self._slopes[i]) != bool(self._slopes[i - 1])
        ]

    def _at(self, t_us: int) -> float:
        index = bisect_right(self._times, t_us) - 1
        if index < 0:
            return 0.0
        return self._totals[index] + self._slopes[index] * (t_us - self._times[index]) / 1e6
