"""The wires between the plant and the controller: one line per signal of the table.

A component drives a line with the true value; what arrives at the controller is that value after
the faults on the line and, during the proof test, the value the test circuit forces. The plant's
truth is never altered here, so invariants can be judged on it.
"""

from __future__ import annotations

from typing import Protocol

from firmware_model.contract import FRACTION_BITS, ONE, Change
from firmware_model.table import Table
from sim.clock import US_PER_S, Clock, Ramp, level
from sim.record.trace import Channel, Sample, Trace


class LineFault(Protocol):
    """Alters what a line carries; built by :mod:`sim.faults`."""

    def alter(self, line: Ramp, t_us: int) -> Ramp: ...


class Lines:
    """All signals of one controller, by name."""

    def __init__(self, table: Table, trace: Trace, env: Clock) -> None:
        self.table = table
        self._env = env
        self._index = table.signal_index
        self._ticks_per_scan = table.scan_period // 1000
        self._limits = [
            (signal.counts(signal.range[0]) << FRACTION_BITS, signal.counts(signal.range[1]) << FRACTION_BITS)
            for signal in table.signals.values()
        ]
        self._driven = [level(signal.counts(signal.safe)) for signal in table.signals.values()]
        self._carried = list(self._driven)
        self._faults: dict[int, list[LineFault]] = {}
        self._forced: dict[int, int] = {}
        self._looks: dict[int, int] = {}  # when each line is looked at again, at the latest
        # Whose value each line carries, and which line carries it: itself, unless swapped.
        self._swaps: list[tuple[int, int]] = []
        self._source = list(range(len(self._driven)))
        self._carrier = list(self._source)
        self._changed: set[int] = set(range(len(self._driven)))
        self._channels = [_channel(trace, name, table) for name in table.signals]
        self._scales = [float(signal.lsb) / ONE for signal in table.signals.values()]
        self._proofs = [
            {
                self._index[name]: table.counts(name, value) << FRACTION_BITS
                for name, value in (row.proof or {}).items()
            }
            for row in table.interlocks.values()
        ]

    def has(self, name: str) -> bool:
        """Whether this table knows the signal; a user's table may be smaller than the plant."""
        return name in self._index

    def drive(self, name: str, counts: int | bool) -> None:
        """The true value, constant from now on. A signal the table does not have is ignored."""
        self.ramp(name, level(int(counts), self._env.now))

    def ramp(self, name: str, line: Ramp) -> None:
        """The true value as a line over time."""
        index = self._index.get(name)
        if index is not None:
            self._driven[index] = line
            self._carry(self._carrier[index])

    def true(self, name: str) -> Ramp:
        """What the component drives, before faults."""
        return self._driven[self._index[name]]

    def forced(self, name: str) -> bool:
        """Whether the proof test forces what arrives on this line now."""
        return self._source[self._index[name]] in self._forced

    def seen(self, name: str) -> int:
        """Whole counts the controller would read now."""
        return self._carried[self._index[name]].counts(self._env.now)

    def add_fault(self, name: str, fault: LineFault) -> None:
        """Put a fault on a line, after those already there."""
        index = self._index[name]
        self._faults.setdefault(index, []).append(fault)
        self._carry(index)

    def remove_fault(self, name: str, fault: LineFault) -> None:
        """Take the fault off again; the line shows the truth at once."""
        index = self._index[name]
        self._faults[index] = [kept for kept in self._faults[index] if kept is not fault]
        self._carry(index)

    def carries(self, name: str, fault: LineFault) -> bool:
        """Whether the fault is on the line now."""
        return any(found is fault for found in self._faults.get(self._index[name], ()))

    def carry_again(self, name: str) -> None:
        """A fault on the line changed by itself: let it show."""
        self._carry(self._index[name])

    def swap(self, name: str, other: str) -> None:
        """Connect two lines crosswise at the controller."""
        self._swaps.append((self._index[name], self._index[other]))
        self._connect()

    def undo_swap(self, name: str, other: str) -> None:
        """Connect two lines straight again; other lines stay swapped. Raises ValueError if they were not."""
        self._swaps.remove((self._index[name], self._index[other]))
        self._connect()

    def _connect(self) -> None:
        """Cross the lines in the order they were swapped; the order matters where swaps share a line."""
        before = self._source
        self._source = list(range(len(before)))
        for a, b in self._swaps:
            self._source[a], self._source[b] = self._source[b], self._source[a]
        for carrier, source in enumerate(self._source):
            self._carrier[source] = carrier
        for carrier, source in enumerate(self._source):
            if source != before[carrier]:
                self._carry(carrier)

    def exercise(self, test_line: int) -> None:
        """Force the signals of one interlock (1 + its index) for the proof test; 0 releases."""
        before = set(self._forced)
        self._forced = self._proofs[test_line - 1] if test_line else {}
        for index in sorted(before | set(self._forced)):
            self._carry(self._carrier[index])

    def _carry(self, index: int) -> None:
        now = self._env.now
        source = self._source[index]
        line = self._driven[source]
        forced = self._forced.get(source)
        if forced is not None:
            line = Ramp(forced, 0, now)
        for fault in self._faults.get(index, ()):
            line = fault.alter(line, now)
        line = self._within_range(index, line)
        self._carried[index] = line
        self._changed.add(index)
        channel = self._channels[index]
        sample = _sample(channel, line, now, self._scales[index])
        if channel.samples and channel.samples[-1].t_us == now:
            channel.samples[-1] = sample
        else:
            channel.samples.append(sample)

    def _within_range(self, index: int, line: Ramp) -> Ramp:
        """A sensor reads no more than its range, however far the truth or a fault would take the line."""
        low, high = self._limits[index]
        now = self._env.now
        value = line.at(now)
        leaving = (value == low and line.slope < 0) or (value == high and line.slope > 0)
        if low <= value <= high and not leaving:
            shown, end = line, high if line.slope > 0 else low
        else:
            shown = Ramp(min(max(value, low), high), 0, now)
            end = shown.value
        left = line.time_to(end, now) if line.slope else None
        if left:  # it reaches the end, or comes back to it
            self._look_later(index, now + left)
        return shown

    def _look_later(self, index: int, due_us: int) -> None:
        """Look at a line then, and not before; a look that comes first will ask again."""
        if self._looks.get(index, due_us + 1) > due_us:
            self._looks[index] = due_us
            self._env.call_in(due_us - self._env.now, lambda: self._look(index, due_us))

    def _look(self, index: int, due_us: int) -> None:
        if self._looks.get(index) == due_us:
            del self._looks[index]
            self._carry(index)

    def changes(self, t_us: int) -> tuple[Change, ...]:
        """Every line that changed since the last call, as it stands at the scan at ``t_us``."""
        found = tuple(
            Change(index, self._carried[index].at(t_us), self._carried[index].slope * self._ticks_per_scan)
            for index in sorted(self._changed)
        )
        self._changed.clear()
        return found

    def repeat_all(self) -> None:
        """After a restart the controller knows nothing: send every line again."""
        self._changed.update(range(len(self._driven)))


def _channel(trace: Trace, name: str, table: Table) -> Channel:
    signal = table.signals[name]
    return trace.channel(name, "bool" if signal.kind == "bool" else "number", signal.unit)


def _sample(channel: Channel, line: Ramp, t_us: int, scale: float) -> Sample:
    value = line.at(t_us)
    if channel.kind == "bool":
        return Sample(t_us, value >= ONE)
    return Sample(t_us, (value >> FRACTION_BITS) * scale * ONE, line.slope * scale * US_PER_S / 1000)
