"""Truth of how far something is from where it has to be, as a channel of the trace.

The controller sees sensors; invariants are judged on these channels instead.
"""

from __future__ import annotations

from firmware_model.contract import ONE
from sim.clock import US_PER_MS, US_PER_S, Clock, Ramp
from sim.linac.motion import Axis, tracking_error, worst
from sim.record.trace import Sample, Trace

#: Counts of 0.01 mm or 0.01 degree in the unit of the channel.
COUNTS = 100


class DeviationChannel:
    """The largest of several deviations over time; written only when it changes."""

    def __init__(self, env: Clock, trace: Trace, name: str, unit: str) -> None:
        self._env = env
        self._samples = trace.channel(name, "number", unit).samples
        self._line = Ramp(0)
        self._samples.append(Sample(env.now, 0.0))

    def note(self, line: Ramp) -> None:
        """From now on the deviation is this line (32.16 counts of 0.01)."""
        if (line.value, line.slope) == (self._line.value, self._line.slope):
            return
        now = self._env.now
        self._line = line
        value = line.at(now) / ONE / COUNTS
        sample = Sample(now, value, line.slope / ONE / COUNTS * US_PER_S / US_PER_MS)
        if self._samples[-1].t_us == now:
            self._samples[-1] = sample
        else:
            self._samples.append(sample)


class AngleDeviation:
    """How far gantry, collimator and couch rotation really are from where they are told to be."""

    def __init__(self, env: Clock, trace: Trace, axes: tuple[Axis, ...]) -> None:
        self._env, self._axes = env, axes
        self._channel = DeviationChannel(env, trace, "angle_error", "deg")
        self._version = 0  # a newer look makes a pending one void
        for axis in axes:
            axis.listeners.append(self._look)

    def _look(self) -> None:
        now = self._env.now
        errors = [tracking_error(axis.set, axis.truth, now) for axis in self._axes]
        largest, again = worst(errors, now)
        self._channel.note(largest)
        if again:
            self._version += 1
            version = self._version
            self._env.call_in(again, lambda: self._look_again(version))

    def _look_again(self, version: int) -> None:
        if version == self._version:
            self._look()
