"""A board with the model beside it: both get the same, and the first difference ends it.

:class:`Lockstep` keeps the controller contract itself, so it takes the place of a controller anywhere: under
a scenario, a random walk or a stimulus. What went in since the start is remembered, for a difference to be
repeated and made smaller.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from firmware_model.contract import (
    FRACTION_BITS,
    RETAINED_REGIONS,
    Advance,
    Controller,
    ControllerFailed,
    Flip,
    Inputs,
    Outputs,
    Reply,
    ResetCause,
    Retained,
    Segment,
    whole,
)
from firmware_model.controller import ModelController
from firmware_model.states import Command
from firmware_model.stimulus import Act
from firmware_model.table import Table
from hil.errors import RigError


@dataclass
class Differs(ControllerFailed):
    """The board does something else than the model."""

    tick: int  # scans since the last reset, before the one that differs
    what: str
    model: object
    board: object
    into: int = 0  # the same, since the start of the segment

    def __str__(self) -> str:
        return f"tick {self.tick}: {self.what} is {_shown(self.board)}, the model has {_shown(self.model)}"

    def values(self) -> tuple[str, str]:
        """The model's and the board's value, as text."""
        return _shown(self.model), _shown(self.board)


class OutOfTime(RigError):
    """The board was too slow for the time it was given."""


def _shown(value: object) -> str:
    return value.name if isinstance(value, Enum) else str(value)


class Lockstep:
    """The pair, as one controller. Raises Differs as soon as board and model do.

    Outputs are compared at every stop, which is the first scan that changed one of them, so they are the same
    at every tick. Retained memory is compared after every reset; with ``thorough`` at every stop.
    ``limit_s`` bounds the time of the whole run in seconds.
    """

    def __init__(
        self,
        board: Controller,
        table: Table,
        *,
        model: Controller | None = None,
        thorough: bool = False,
        limit_s: float | None = None,
    ) -> None:
        self.board, self.table, self.thorough = board, table, thorough
        self.model: Controller = model or ModelController(table)
        self.acts: list[Act] = []  # everything both were given and have run
        self.tick = self.scans = self.stops = 0
        self.difference: Differs | None = None
        self._limit_s, self._started = limit_s, time.monotonic()
        self._boots: int | None = None  # how many starts the board had before the model's first
        self._bits = {1 << i: i for i in range(len(table.interlocks))}
        self._outputs: Outputs | None = None

    def reset(self, cause: ResetCause) -> Outputs:
        """Both restart; then their outputs and their retained memory are compared."""
        self.acts.append(cause)
        self.tick = 0
        self._in_time()
        expected, got = self.model.reset(cause), self.board.reset(cause)
        self._same(expected, got)
        self._outputs = expected
        self.compare_retained()
        return expected

    def scan(self, inputs: Inputs) -> Outputs:
        """Exactly one tick."""
        return self.run(Segment(1, whole(inputs.values), inputs.command)).outputs

    def run(self, segment: Segment) -> Advance:
        """Both run it. What they answer is the same, or Differs is raised."""
        if self._outputs is None:
            raise ValueError("reset the pair first")
        self._in_time()
        before = self._outputs
        expected, got = self.model.run(segment), self.board.run(segment)
        # As far as it was run: where both stopped, something else went in afterwards.
        self.acts.append(segment._replace(ticks=max(expected.ticks, got.ticks)))
        self._compare(before, expected, got)
        self.tick += expected.ticks
        self.scans += expected.ticks
        self.stops += 1
        self._outputs = expected.outputs
        if self.thorough:
            self.compare_retained()
        return expected

    def upset(self, flip: Flip) -> Outputs:
        """The same bit flips in both; each finds it and restarts."""
        self.acts.append(ResetCause.watchdog)  # a stimulus has no flips, only the restart they end in
        self.tick = 0
        self._in_time()
        expected, got = self.model.upset(flip), self.board.upset(flip)
        if flip.region in RETAINED_REGIONS:
            self._boots = None  # both count their starts anew
        self._same(expected, got)
        self._outputs = expected
        self.compare_retained()
        return expected

    @property
    def retained(self) -> Retained:
        """The model's; the board's is the same when it was compared last."""
        return self.model.retained

    def compare_retained(self) -> None:
        """Retained memory. A board may have had starts before; how many there were since must agree."""
        expected, got = self.model.retained, self.board.retained
        if self._boots is None:
            self._boots = got.boot_count - expected.boot_count
        got = got._replace(boot_count=got.boot_count - self._boots)
        if expected != got:
            self._first_of("retained ", expected._fields, expected, got, 0)

    def _compare(self, before: Outputs, expected: Advance, got: Advance) -> None:
        if expected == got:
            return
        at = min(expected.ticks, got.ticks)
        wanted = expected.outputs if expected.ticks == at else before
        shown = got.outputs if got.ticks == at else before
        self._same(wanted, shown, at - 1)
        raise self._found(at, "scans run", expected.ticks, got.ticks)

    def _same(self, wanted: Outputs, shown: Outputs, into: int = 0) -> None:
        if wanted != shown:
            self._first_of("", wanted._fields, wanted, shown, into)

    def _first_of(
        self, prefix: str, names: Iterable[str], wanted: Iterable[object], shown: Iterable[object], into: int
    ) -> None:
        for name, a, b in zip(names, wanted, shown, strict=True):
            if a == b:
                continue
            if isinstance(a, Reply) and isinstance(b, Reply):
                a, b = self._reply(a), self._reply(b)
            elif isinstance(a, int) and isinstance(b, int):
                if name in ("tripped", "latched", "local_reset_due"):
                    first = next(i for bit, i in self._bits.items() if a & bit != b & bit)
                    name = f"{name} {self.table.interlock_ids[first]}"
                    a, b = bool(a >> first & 1), bool(b >> first & 1)
                elif name == "first_up":
                    a, b = self._row(a), self._row(b)
            raise self._found(into, prefix + name, a, b)

    def _row(self, index: int) -> str:
        return self.table.interlock_ids[index] if index >= 0 else "none"

    def _reply(self, reply: Reply) -> str:
        if reply.accepted:
            return f"{reply.command.name} accepted"
        by = self.table.interlock_ids[reply.blocked_by] if reply.blocked_by >= 0 else "the state"
        return f"{reply.command.name} refused by {by}"

    def _found(self, into: int, what: str, model: object, board: object) -> Differs:
        self.difference = Differs(self.tick + into, what, model, board, into)
        return self.difference

    def _in_time(self) -> None:
        if self._limit_s is not None and time.monotonic() > self._started + self._limit_s:
            raise OutOfTime(
                f"not finished within {self._limit_s:g} s, {self.scans} scans run; allow it longer"
            )


class Scanned:
    """The model as its definition has it: every tick scanned, nothing passed over.

    Beside it the model that runs segments is a board like any other.
    """

    def __init__(self, table: Table) -> None:
        self._model = ModelController(table)
        self._lines: dict[int, tuple[int, int]] = {}  # moving signals: value at the coming scan, slope
        self._values: list[int] = []
        self._safe = [signal.counts(signal.safe) for signal in table.signals.values()]
        self.reset(ResetCause.power)

    def reset(self, cause: ResetCause) -> Outputs:
        self._lines, self._values = {}, list(self._safe)
        return self._model.reset(cause)

    def scan(self, inputs: Inputs) -> Outputs:
        return self._model.scan(inputs)

    def run(self, segment: Segment) -> Advance:
        for signal, value, slope in segment.changes:
            self._values[signal] = value >> FRACTION_BITS
            self._lines.pop(signal, None)
            if slope:
                self._lines[signal] = (value, slope)
        before, outputs, command = self._model.outputs, self._model.outputs, segment.command
        done = 0
        while done < segment.ticks and outputs == before:
            outputs = self._model.scan(Inputs(tuple(self._values), command))
            command = Command.none
            done += 1
            for signal, (value, slope) in self._lines.items():
                self._lines[signal] = (value + slope, slope)
                self._values[signal] = (value + slope) >> FRACTION_BITS
        return Advance(done, outputs)

    def upset(self, flip: Flip) -> Outputs:
        self._lines, self._values = {}, list(self._safe)
        return self._model.upset(flip)

    @property
    def retained(self) -> Retained:
        return self._model.retained
