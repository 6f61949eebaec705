"""Two controllers side by side: one runs segments, the other scans every tick.

The inputs of the second are worked out tick by tick from the same changes, by code that shares
nothing with the controller. The first output or retained value that differs ends the comparison.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

from firmware_model.contract import Change, Inputs, Outputs, ResetCause, Segment
from firmware_model.controller import ModelController
from firmware_model.states import Command, State
from firmware_model.table import Table

React = Callable[[Outputs], tuple[Change, ...]]


class Difference(AssertionError):
    """The two controllers disagree."""


class Ramps:
    """Signals on straight lines, evaluated for one tick at a time."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.forget()

    def forget(self) -> None:
        """Everything stands at its safe value, as after a reset."""
        self._values = [signal.counts(signal.safe) for signal in self._table.signals.values()]
        self._lines = {i: (value * 65536, 0, 0) for i, value in enumerate(self._values)}
        self._moving: set[int] = set()

    def change(self, changes: Iterable[Change]) -> None:
        for signal, value, slope in changes:
            self._lines[signal] = (value, slope, 0)  # value at the change, slope, ticks since
            self._values[signal] = value // 65536
            (self._moving.add if slope else self._moving.discard)(signal)

    def values(self) -> tuple[int, ...]:
        return tuple(self._values)

    def tick(self) -> None:
        for signal in self._moving:
            value, slope, age = self._lines[signal]
            self._lines[signal] = (value, slope, age + 1)
            self._values[signal] = (value + slope * (age + 1)) // 65536

    def now(self, signal: int) -> int:
        """The fixed-point value of a signal at the coming tick."""
        value, slope, age = self._lines[signal]
        return value + slope * age


class Coverage:
    """What a series of comparisons has visited."""

    def __init__(self) -> None:
        self.states: Counter[str] = Counter()  # ticks spent
        self.tripped: Counter[str] = Counter()  # times it appeared in the outputs
        self.kinds: Counter[str] = Counter()  # the same by kind of condition
        self.accepted: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.resets: Counter[str] = Counter()
        self.segments = self.ticks = self.cases = self.lines_proven = self.permitted = 0

    def note(self, table: Table, outputs: Outputs, ticks: int, before: Outputs) -> None:
        self.segments += 1
        self.ticks += ticks
        self.states[outputs.state.name] += ticks
        self.permitted += outputs.permit
        self.lines_proven += outputs.test_line != before.test_line and outputs.test_line > 0
        if outputs.reply != before.reply:
            (self.accepted if outputs.reply.accepted else self.refused)[outputs.reply.command.name] += 1
        appeared = _seen(outputs) & ~_seen(before)
        if before.state in (State.irradiation, State.hold) and outputs.state is State.preparatory:
            appeared |= sum(
                1 << i for i, row in enumerate(table.interlocks.values()) if row.stop == "complete"
            )
        for index, (name, row) in enumerate(table.interlocks.items()):
            if appeared >> index & 1:
                self.tripped[name] += 1
                self.kinds[row.trips_when.kind] += 1


def _seen(outputs: Outputs) -> int:
    """Rows the outputs tell of; one that ends its own state shows as latch or first cause only."""
    return outputs.tripped | outputs.latched | (1 << outputs.first_up if outputs.first_up >= 0 else 0)


class SideBySide(Protocol):
    """Two controllers that get the same, as a treatment machine uses them."""

    @property
    def ramps(self) -> Present: ...
    @property
    def outputs(self) -> Outputs: ...
    def reset(self, cause: ResetCause) -> None: ...
    def run(self, ticks: int, changes: tuple[Change, ...], command: Command, react: React) -> None: ...


class Present(Protocol):
    """What signals are now."""

    def now(self, signal: int) -> int: ...


class Pair:
    """A controller that runs segments and one that scans, compared at every tick."""

    def __init__(self, table: Table, coverage: Coverage) -> None:
        self.table, self.coverage = table, coverage
        self.fast, self.slow = ModelController(table), ModelController(table)
        self.ramps = Ramps(table)
        self.tick = 0
        coverage.cases += 1

    @property
    def outputs(self) -> Outputs:
        return self.fast.outputs

    def reset(self, cause: ResetCause) -> None:
        self._same("outputs after a reset", self.fast.reset(cause), self.slow.reset(cause))
        self._same("retained memory", self.fast.retained, self.slow.retained)
        self.ramps.forget()

    def run(
        self,
        ticks: int,
        changes: tuple[Change, ...] = (),
        command: Command = Command.none,
        react: React = lambda outputs: (),
    ) -> None:
        """``ticks`` scans; after every change of an output ``react`` may change the inputs."""
        ticks -= self._advance(ticks, changes, command)
        while ticks > 0:
            ticks -= self._advance(ticks, react(self.outputs), Command.none)

    def _advance(self, ticks: int, changes: tuple[Change, ...], command: Command) -> int:
        before = self.fast.outputs
        advance = self.fast.run(Segment(ticks, changes, command))
        self.ramps.change(changes)
        if not 1 <= advance.ticks <= ticks:
            raise Difference(f"{advance.ticks} scans were run of {ticks}")
        if advance.ticks < ticks and advance.outputs == before:
            raise Difference(f"stopped after {advance.ticks} of {ticks} scans without a change")
        for done in range(1, advance.ticks + 1):
            outputs = self.slow.scan(Inputs(self.ramps.values(), command if done == 1 else Command.none))
            self._same("outputs", advance.outputs if done == advance.ticks else before, outputs)
            self.ramps.tick()
            self.tick += 1
        self._same("retained memory", self.fast.retained, self.slow.retained)
        self.coverage.note(self.table, advance.outputs, advance.ticks, before)
        return advance.ticks

    def _same(self, what: str, run: object, scanned: object) -> None:
        if run != scanned:
            raise Difference(f"tick {self.tick}, {what}\n run:  {run}\n scan: {scanned}")
