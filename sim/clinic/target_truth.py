"""Where the target really is, written into the trace: the truth invariants are judged on.

``target_offset`` is the distance of the target from where the plan has it: set-up, couch shifts,
drift and everything sudden, and for a session without gate also breathing, about its mean position
(a plan for free breathing is made for that). ``target_position`` is the target along the axis of
breathing, ``surrogate_position`` the marker.

The past is written when something is about to change, not tick by tick. Between two samples the
straight line is never below the true distance: the distance of a point on a straight line is convex.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from firmware_model.contract import FRACTION_BITS
from sim.clinic.paths import MM, Path
from sim.clinic.patient import LONGITUDINAL, Patient, Vector
from sim.clock import US_PER_S, Clock, Ramp
from sim.linac.linac import COUCH_AXES, Linac
from sim.record.trace import Channel, Sample, Trace

#: Longest straight line over which the distance is not looked at in between.
LONGEST_US = 10 * US_PER_S


class TargetTruth:
    """Follows patient and couch; ``mean`` is the mean breathing position of a session without gate."""

    def __init__(self, env: Clock, linac: Linac, patient: Patient, trace: Trace, mean: int | None) -> None:
        self._env, self._linac, self._patient, self._mean = env, linac, patient, mean
        self._planned: tuple[int, int, int] = (0, 0, 0)
        self._difference: tuple[int, int, int] = (0, 0, 0)
        self._offset = trace.channel("target_offset", "number", "mm")
        if patient.breathes:
            self._position = trace.channel("target_position", "number", "mm")
            self._surrogate = trace.channel("surrogate_position", "number", "mm")
        self._restart()
        for name in COUCH_AXES:
            linac.axes[name].listeners.append(self.catch_up)
        patient.before_change.append(self.catch_up)
        patient.changed.append(self._restart)

    def lie(self, planned: tuple[int, int, int], difference: tuple[int, int, int]) -> None:
        """The patient lies down: where the couch should be, and how far off the patient is, 0.01 mm."""
        self.catch_up()
        self._planned, self._difference = planned, difference
        self._restart()

    def error(self) -> Vector:
        """How far the couch is from where the target, breathing aside, would be right; 32.16 of 0.01 mm."""
        return self._error(self._lines())

    def _lines(self) -> tuple[Ramp, ...]:
        return tuple(self._linac.axes[name].truth for name in COUCH_AXES)

    def _error(self, couch: tuple[Ramp, ...]) -> Vector:
        now = self._env.now
        moved = self._patient.displacement(now)
        x, y, z = (
            ((p + d) << FRACTION_BITS) - axis.at(now) + m
            for p, d, axis, m in zip(self._planned, self._difference, couch, moved, strict=True)
        )
        return x, y, z

    def catch_up(self) -> None:
        """Write what happened since the last time: patient and couch moved along straight lines."""
        start, then, now = self._since, self._then, self._env.now
        if now > start:
            # The couch as it moved until now: a change may just have made it jump.
            self._write(start, then, now, self._error(self._couch))
            self._patient.forget(now)
        self._restart()

    def _restart(self) -> None:
        self._couch = self._lines()
        self._since, self._then = self._env.now, self._error(self._couch)

    def _write(self, start: int, e0: Vector, now: int, e1: Vector) -> None:
        still = e0 == e1

        def error(t: int, axis: int) -> int:
            return e0[axis] + (e1[axis] - e0[axis]) * (t - start) // (now - start)

        if self._patient.breathes:
            path = self._patient.target_path(start, now)
            along = e0[LONGITUDINAL]
            _draw(
                self._position,
                [(t, y + (along if still else error(t, LONGITUDINAL))) for t, y in path],
            )
            _draw(self._surrogate, self._patient.marker_seen(start, now))
        if self._mean is not None:
            distant = [(t, y - self._mean) for t, y in path]
        else:  # breathing aside
            distant = [(t, 0) for t in ((start, now) if still else (*range(start, now, LONGEST_US), now))]
        _draw(
            self._offset,
            [(t, math.hypot(error(t, 0), error(t, LONGITUDINAL) + y, error(t, 2))) for t, y in distant],
        )


def _draw(channel: Channel, points: Sequence[tuple[int, float]] | Path) -> None:
    """Append a path to a channel, in mm."""
    samples = channel.samples
    for (t0, y0), (t1, y1) in pairwise(points):
        value, slope = y0 / MM, (y1 - y0) * (US_PER_S / MM) / (t1 - t0)
        if not samples or slope or samples[-1].slope or samples[-1].value != value:
            samples.append(Sample(t0, value, slope))
