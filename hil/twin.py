"""A board and the reference model side by side, with inputs that behave like a treatment machine's.

Both get the same segments. The first tick and output in which they differ ends the comparison.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from firmware_model.contract import ONE, Advance, Change, Controller, Outputs, ResetCause, Segment
from firmware_model.controller import ModelController
from firmware_model.states import Command, State
from firmware_model.table import Table
from hil.healthy import healthy_inputs

#: Commands that lead from a state towards irradiation when nothing is wrong.
ONWARDS = {
    State.off: (Command.power_on,),
    State.standby: (Command.prepare,),
    State.preparatory: (Command.reset_local, Command.reset_physics, Command.begin_check),
    State.ready: (Command.beam_on,),
    State.interrupted: (Command.reset_local, Command.reset_physics, Command.resume),
    State.terminated: (Command.reset_local, Command.reset_physics, Command.acknowledge),
    State.emergency: (Command.reset_local, Command.reset_physics, Command.restart),
}


@dataclass
class Differs(Exception):
    """The board does something else than the model."""

    tick: int
    what: str
    model: object
    board: object

    def __str__(self) -> str:
        return f"tick {self.tick}: {self.what} is {_shown(self.board)}, the model has {_shown(self.model)}"


def _shown(value: object) -> str:
    return value.name if isinstance(value, Enum) else str(value)


class Twin:
    """The pair. ``tick`` counts scans since the last reset."""

    def __init__(self, board: Controller, table: Table) -> None:
        self.board, self.table = board, table
        self.model = ModelController(table)
        self.healthy = healthy_inputs(table)
        self.seen: set[int] = set()  # interlocks that have shown in the outputs
        self.answers = True  # False: nothing reacts to the proof test
        self._bits = {1 << i: i for i in range(len(table.interlocks))}
        self._forced: tuple[Change, ...] = ()  # what the proof test's lines go back to
        self.reset(ResetCause.power)

    # ---- inputs ----------------------------------------------------------------------------------

    def now(self, signal: int) -> int:
        """Fixed-point value of a signal at the coming tick."""
        value, slope, since = self._lines[signal]
        return value + slope * (self.tick - since)

    def change(self, *changes: Change) -> None:
        """From the next scan on."""
        self._pending += changes

    def heal(self) -> None:
        """From the next scan on everything is healthy; dose counts from the start."""
        for signal in range(len(self._lines)):
            line = self._healthy(signal)
            start = self.healthy.values[signal] * ONE
            self._pending += (line._replace(value=start) if signal in self.healthy.beam else line,)

    def _healthy(self, signal: int) -> Change:
        always, beam = self.healthy.always, self.healthy.beam
        if signal in beam:
            return Change(signal, self.now(signal), beam[signal] if self.outputs.permit else 0)
        if signal in always:
            return Change(signal, self.now(signal), always[signal])
        return Change(signal, self.healthy.values[signal] * ONE)

    def _react(self, before: Outputs) -> None:
        """What a plant does about changed outputs: answer the proof test, start and stop the beam."""
        outputs = self.outputs
        if outputs.test_line != before.test_line:
            self.change(*self._forced)
            self._forced = ()
            if outputs.test_line and self.answers:
                name = self.table.interlock_ids[outputs.test_line - 1]
                proof = self.table.interlocks[name].proof or {}
                forced = {self.table.signal_index[s]: self.table.counts(s, v) for s, v in proof.items()}
                # Afterwards each goes on from where it was.
                self._forced = tuple(self._healthy(signal) for signal in forced)
                self.change(*(Change(signal, value * ONE) for signal, value in forced.items()))
        if outputs.permit != before.permit:
            self.change(*(self._healthy(signal) for signal in self.healthy.beam))

    # ---- time ------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        return self.outputs.state

    def reset(self, cause: ResetCause) -> None:
        """Both restart; then their outputs and their retained memory are compared."""
        # A board has its own history of starts; how many there were since then must agree.
        self.tick = 0
        self.outputs = self.model.reset(cause)
        self._same(self.outputs, self.board.reset(cause))
        safe = [signal.counts(signal.safe) for signal in self.table.signals.values()]
        self._lines = [(value * ONE, 0, 0) for value in safe]
        self._pending: tuple[Change, ...] = ()
        self._forced = ()
        self.compare_retained()
        self.heal()

    def run(self, ticks: int, command: Command = Command.none) -> None:
        """``ticks`` scans; the plant reacts after every change of an output."""
        while ticks > 0:
            ticks -= self._advance(ticks, command)
            command = Command.none

    def _advance(self, ticks: int, command: Command) -> int:
        changes, self._pending = self._pending, ()
        for signal, value, slope in changes:
            self._lines[signal] = (value, slope, self.tick)
        before = self.outputs
        segment = Segment(ticks, changes, command)
        expected, got = self.model.run(segment), self.board.run(segment)
        self._compare(before, expected, got)
        self.tick += expected.ticks
        self.outputs = expected.outputs
        self._note(before)
        self._react(before)
        return expected.ticks

    def reach(self, goal: State, patience: int = 60) -> bool:
        """Do what an operator would do to come to ``goal``; whether that succeeded."""
        while self.state is not goal and patience > 0:
            for command in ONWARDS.get(self.state, (Command.none,)):
                self.run(1 if command else 20 if self.state is State.check else 200, command)
                patience -= 1
                if self.state is goal:
                    break
        return self.state is goal

    # ---- comparison ------------------------------------------------------------------------------

    def compare_retained(self) -> None:
        """Retained memory, but for the count of boots."""
        for name, wanted, got in zip(
            self.model.retained._fields, self.model.retained, self.board.retained, strict=True
        ):
            if name != "boot_count" and wanted != got:
                raise Differs(self.tick, f"retained {name}", wanted, got)

    def _compare(self, before: Outputs, expected: Advance, got: Advance) -> None:
        at = min(expected.ticks, got.ticks)
        wanted = expected.outputs if expected.ticks == at else before
        shown = got.outputs if got.ticks == at else before
        self._same(wanted, shown, at - 1)
        if expected.ticks != got.ticks:
            raise Differs(self.tick + at, "scans run", expected.ticks, got.ticks)

    def _same(self, wanted: Outputs, shown: Outputs, after: int = 0) -> None:
        pairs: Any = zip(wanted._fields, wanted, shown, strict=True)
        for name, a, b in pairs:
            if a == b:
                continue
            if name in ("tripped", "latched", "local_reset_due"):
                first = next(i for bit, i in self._bits.items() if a & bit != b & bit)
                name = f"{name} {self.table.interlock_ids[first]}"
                a, b = bool(a >> first & 1), bool(b >> first & 1)
            raise Differs(self.tick + after, name, a, b)

    def _note(self, before: Outputs) -> None:
        shown = self.outputs.tripped | self.outputs.latched
        self.seen |= {i for bit, i in self._bits.items() if shown & bit}
        if self.outputs.first_up >= 0:
            self.seen.add(self.outputs.first_up)
        if before.state in (State.irradiation, State.hold) and self.state is State.preparatory:
            # The normal end leaves the state it acts in at once, and shows nowhere else.
            rows = self.table.interlocks.values()
            self.seen |= {i for i, row in enumerate(rows) if row.stop == "complete"}
