"""What a line must carry at an instant, from the scenario reference and not from the code.

Counts as floats (exact to 1e-9 of a count here), evaluated by definition at the instant asked for: no
state, no order of events. ``before`` asks for the limit from the left, which frozen lines and counters
that are set back need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from math import floor
from typing import Any

from firmware_model.contract import ONE
from firmware_model.table import Table
from sim.scenario.schema import Step
from tests.faults.line_bench import Change, Force

#: A ramp comes on in equal parts: at most 100, each at least 1 ms (scenario reference).
RAMP_PARTS, RAMP_PART_US = 100, 1_000
#: Fixed-point rounding over the longest stretch: a slope is rounded down once a fault on the line. Counts.
TOLERANCE = 0.02


@dataclass(frozen=True)
class Onset:
    """One setting-in of a fault, with its end (None: stays)."""

    fault: Any
    start: int
    end: int | None
    ramp: int | None

    def holds(self, t: int, before: bool) -> bool:
        if before:
            return self.start < t and (self.end is None or t <= self.end)
        return self.start <= t and (self.end is None or t < self.end)

    def grown(self, t: int, before: bool) -> float:
        """Share of the full size the fault has."""
        if self.ramp is None:
            return 1.0
        parts = min(RAMP_PARTS, self.ramp // RAMP_PART_US)
        passed = sum(
            self.start + self.ramp * n // parts < t if before else self.start + self.ramp * n // parts <= t
            for n in range(1, parts + 1)
        )
        return 1000 * passed // parts / 1000

    def instants(self) -> Iterable[int]:
        yield self.start
        if self.end is not None:
            yield self.end
        if self.ramp is not None:
            parts = min(RAMP_PARTS, self.ramp // RAMP_PART_US)
            yield from (self.start + self.ramp * n // parts for n in range(1, parts + 1))


def onsets(steps: Iterable[Step]) -> list[Onset]:
    """Every setting-in of every fault, in order."""
    found = []
    steps = list(steps)
    cleared = {s.clear: s.at.time for s in steps if s.clear is not None}
    for step in steps:
        if step.fault is None:
            continue
        assert step.at.time is not None
        times, every = (step.repeat.times, step.repeat.every) if step.repeat else (1, 0)
        for n in range(times):
            start = step.at.time + n * every
            end = start + step.lasts if step.lasts is not None else cleared.get(step.id)
            found.append(Onset(step.fault, start, end, step.ramp))
    return sorted(found, key=lambda onset: onset.start)


class Oracle:
    """The lines of a table under changes of the truth, forced values and faults."""

    def __init__(
        self, table: Table, changes: Iterable[Change], steps: Iterable[Step], forces: Iterable[Force]
    ) -> None:
        self.table = table
        self.changes = {n: [c for c in changes if c.signal == n] for n in table.signals}
        self.onsets, self.forces = onsets(steps), tuple(forces)
        self._proofs = [row.proof or {} for row in table.interlocks.values()]
        instants = {0, *(c.t_us for group in self.changes.values() for c in group)}
        for onset in self.onsets:
            instants.update(onset.instants())
            delay = getattr(onset.fault, "by", 0) if onset.fault.kind == "signal_delay" else 0
            if delay:
                instants.update({t + delay for t in instants})
        for force in self.forces:
            instants.update((force.start_us, force.end_us))
        self.instants = sorted(instants)
        self._value = cache(self._compute)
        self.undecided = False

    def carried(self, name: str, t: int, before: bool = False) -> float:
        """What the controller's end of the line reads, in counts, within the range of its signal."""
        signal = self.table.signals[name]
        low, high = (signal.counts(end) for end in signal.range)
        return min(max(self._value(name, len(self.onsets), t, before), low), high)

    def _source(self, name: str, t: int, before: bool) -> str:
        """Whose sensor is connected to this end: swaps cross ends in the order they set in."""
        connected = {n: n for n in self.table.signals}
        for onset in self.onsets:
            if onset.fault.kind == "signal_swapped" and onset.holds(t, before):
                a, b = onset.fault.signal, onset.fault.other
                connected[a], connected[b] = connected[b], connected[a]
        return connected[name]

    def _forced(self, source: str, t: int, before: bool) -> float | None:
        for force in self.forces:
            on = force.start_us < t <= force.end_us if before else force.start_us <= t < force.end_us
            if on and source in self._proofs[force.line - 1]:
                return self.table.counts(source, self._proofs[force.line - 1][source])
        return None

    def _sensed(self, name: str, t: int, before: bool) -> float:
        """The sensor's output at this end of the line, forced values apart."""
        source = self._source(name, t, before)
        signal = self.table.signals[source]
        value = float(signal.counts(signal.safe))
        for change in self.changes[source]:
            if change.t_us < t or (change.t_us == t and not before):
                value = (change.value + change.slope * (t - change.t_us) / 1000) / ONE
        return value

    def _compute(self, name: str, upto: int, t: int, before: bool) -> float:
        """After the first ``upto`` faults."""
        for index in range(upto - 1, -1, -1):
            onset = self.onsets[index]
            kind = onset.fault.kind
            if kind != "signal_swapped" and onset.fault.signal == name and onset.holds(t, before):
                effect: Callable[..., float] = getattr(self, f"_{kind.removeprefix('signal_')}")
                return effect(onset, index, name, t, before)
        forced = self._forced(self._source(name, t, before), t, before)
        return self._sensed(name, t, before) if forced is None else forced

    def _in_counts(self, name: str, value: Any) -> float:
        return float(value) / float(self.table.signals[name].lsb)

    def _stuck(self, onset: Onset, index: int, name: str, t: int, before: bool) -> float:
        return self._in_counts(name, onset.fault.value)

    def _frozen(self, onset: Onset, index: int, name: str, t: int, before: bool) -> float:
        return self._shown_at_onset(onset, name)

    def _shown_at_onset(self, onset: Onset, name: str) -> int:
        """Whole counts; which, no one can say when fixed-point rounding decides between two."""
        value = self.carried(name, onset.start, before=True)
        self.undecided |= floor(value + TOLERANCE) != floor(value) and value != round(value, 4)
        return floor(value + 1e-9)

    def _disconnected(self, onset: Onset, index: int, name: str, t: int, before: bool) -> float:
        return 0.0

    def _offset(self, onset: Onset, index: int, name: str, t: int, before: bool) -> float:
        by = self._in_counts(name, onset.fault.by) * onset.grown(t, before)
        return self._value(name, index, t, before) + by

    def _drift(self, onset: Onset, index: int, name: str, t: int, before: bool) -> float:
        by = self._in_counts(name, onset.fault.per_second) * (t - onset.start) / 1_000_000
        return self._value(name, index, t, before) + by

    def _delay(self, onset: Onset, index: int, name: str, t: int, before: bool) -> float:
        then = t - onset.fault.by
        if then < onset.start or (then == onset.start and before):
            return self._shown_at_onset(onset, name)
        return self._value(name, index, then, before)

    def _gain(self, onset: Onset, index: int, name: str, t: int, before: bool) -> float:
        share = onset.fault.percent / 100

        def gain(at: int, left: bool) -> float:
            return 1 + (share - 1) * onset.grown(at, left)

        if self.table.signals[name].kind != "counter":
            return self._value(name, index, t, before) * gain(t, before)
        return self._counted(onset, name, t, before, gain)

    def _counted(
        self, onset: Onset, name: str, t: int, before: bool, gain: Callable[[int, bool], float]
    ) -> float:
        """It adds a share of what is gained; set back by a count or more, it reads what it was set to."""
        reading = self._sensed(name, onset.start, False)
        last = onset.start
        for at in (*(i for i in self.instants if onset.start < i < t), t):
            left, right = self._sensed(name, at, True), self._sensed(name, at, False)
            reading += (left - self._sensed(name, last, False)) * gain(last, False)
            if at == t and before:
                return reading
            if right <= left - 1:
                reading = right
            else:
                reading += (right - left) * gain(at, False)
            last = at
        forced = self._forced(self._source(name, t, before), t, before)
        if forced is not None:
            reading += (forced - self._sensed(name, t, before)) * gain(t, before)
        return reading
