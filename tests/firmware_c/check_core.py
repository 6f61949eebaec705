"""The controller beside its definition, the reference model: every tick, every output, retained memory."""

from __future__ import annotations

import ctypes as c
from random import Random
from typing import TYPE_CHECKING, Any

from firmware_model.contract import ONE, Advance, Change, ResetCause, Segment
from firmware_model.states import Command, State
from firmware_model.table import Table
from hil.boards.native import BrokenBoard, NativeController
from hil.conformance import behaviour
from hil.twin import Twin
from tests.firmware.dice import Dice
from tests.firmware.episodes import GOALS, episode
from tests.firmware.lockstep import Coverage
from tests.firmware.random_tables import KINDS, SIGNALS, SMALL_PLANT, random_table
from tests.firmware.treatment_machine import TreatmentMachine, reference_table

if TYPE_CHECKING:
    from tests.firmware_c.checks import Check, Core

#: Random tables of each kind of condition.
TABLES_A_KIND = 12


def reference(core: Core) -> None:
    """The reference table: every command in every state, every limit, resets, a random walk."""
    table = reference_table(9, 200)
    start = lambda: Twin(NativeController(table, core.library), table)  # noqa: E731
    for result in behaviour(start, table, walk_steps=100):
        assert result.passed, f"{result.name}: {result.detail}"


def random_tables(core: Core) -> None:
    """Small random tables; the core runs segments, the model scans every tick."""
    seen = Coverage()
    for kind in KINDS:
        for number in range(TABLES_A_KIND):
            dice = Dice(Random(f"{kind} {number}"))
            machine = TreatmentMachine(random_table(dice, kind), seen, SMALL_PLANT)
            machine.pair.fast = NativeController(machine.table, core.library)  # type: ignore[assignment]
            machine.pair.slow.reset(ResetCause.power)  # as often as the core
            machine.reach(dice.pick([*GOALS, State.irradiation, State.irradiation]), patience=12)
            for _ in range(dice.number(1, 8)):
                episode(dice, machine)
            if number % 3 == 0:  # then a quiet beam, longer than every window
                machine.heal()
                machine.reach(State.irradiation, patience=12)
                machine.run(120)
    assert {s.name for s in State} == set(seen.states), seen.states
    assert set(seen.kinds) >= {"rate", "per_travel", "stale", "timer", "moves", "grows"}, seen.kinds


def small_table(self_test_ticks: int = 5, **rows: dict[str, Any]) -> Table:
    """A small table over the signals of the random ones; rows are not proven unless they say how."""
    common = {"title": "row", "latch": "none", "respond_within": "1 s", "requirements": ["REQ-1"]}
    common["basis"] = "a check"
    return Table.model_validate(
        {
            "name": "small",
            "version": 1,
            "scan_period": "1 ms",
            "self_test_ticks": self_test_ticks,
            "proof_timeout": 5,
            "requirements": {"REQ-1": "any"},
            "hazards": {},
            "signals": SIGNALS,
            "interlocks": {
                name: {**common, **({} if "proof" in row else {"no_proof": "a check"}), **row}
                for name, row in rows.items()
            },
        }
    )


def resum(board: NativeController, row: int) -> None:
    """Give a row that a test has changed its right check sum, as a generator would that knows such a row."""
    table = board._arrays
    for check in range(0x10000):
        table.row[row].check = check
        if board._dll.il_table_piece_is_whole(c.byref(table), row):
            return
    raise AssertionError(f"row {row} has no check sum")


def unknown_kind(core: Core) -> None:
    """A row of a kind that the firmware does not know is tripped in every scan it acts in."""
    row = {
        "trips_when": {"kind": "moves", "signal": "level", "by": 2},
        "stop": "hold",
        "acts_in": ["standby"],
    }
    board = NativeController(small_table(ROW=row), core.library)
    board.run(Segment(1, (), Command.power_on))
    assert board.run(Segment(20)).outputs.state is State.standby
    assert board.run(Segment(20)).outputs.tripped == 0
    board._arrays.row[0].kind = 99
    resum(board, 0)
    assert board.run(Segment(1)).outputs.tripped == 1, "a row of an unknown kind does not trip"
    assert board.run(Segment(500)) == Advance(500, board.outputs)
    board.reset(ResetCause.power)
    board.run(Segment(1, (), Command.power_on))
    assert board.run(Segment(20)).outputs.state is State.standby
    assert board.run(Segment(20)).outputs.tripped == 1


def unknown_signals_and_commands(core: Core) -> None:
    """They are refused, and so is a line that is no 48-bit number; nothing is run."""
    board = NativeController(small_table(ROW=_HEARTBEAT), core.library)
    board.run(Segment(1, (), Command.power_on))
    before = board.run(Segment(20)).outputs
    for wrong in (
        *(Segment(ticks) for ticks in (0, -1, -(2**31))),
        *(Segment(1, (), command) for command in (15, 16, 255)),
        *(Segment(1, (Change(signal, 0),)) for signal in (len(SIGNALS), 254)),
        *(Segment(1, (Change(0, value),)) for value in (2**47, -(2**47) - 1, 2**62)),
        *(Segment(1, (Change(0, 0, slope),)) for slope in (2**47, -(2**47) - 1, 2**62)),
        Segment(5, (Change(0, 2**47 - 1, 2**40),)),
    ):
        try:
            board.run(wrong)
        except BrokenBoard as problem:
            assert "refused" in str(problem)  # noqa: PT017 - each of several must be refused
        else:
            raise AssertionError(f"{wrong} is run")
        board.run(Segment(1, (Change(0, 0),)))
        assert board.outputs.state is before.state
    for line in ((2**47 - 1, 0), (-(2**47), 0), (2**47 - 2, 1), (1 - 2**47, -1)):
        assert board.run(Segment(1, (Change(0, *line),))).ticks == 1


def long_times(core: Core) -> None:
    """Counters of scans neither overflow nor stop before the model's, be it after seven weeks."""
    stale = {"kind": "stale", "signal": "beat", "ticks": 3}
    timer = {"kind": "timer", "limit": "time_set"}
    table = small_table(
        STALE={"trips_when": stale, "stop": "hold", "acts_in": ["standby", "irradiation", "hold"]},
        TIMER={"trips_when": timer, "stop": "hold", "acts_in": ["irradiation", "hold"]},
        MOVED={
            "trips_when": {"kind": "moves", "signal": "level", "by": 2, "after": 60_000},
            "stop": "hold",
            "acts_in": ["irradiation", "hold"],
        },
    )
    twin = Twin(NativeController(table, core.library), table)
    twin.reach(State.irradiation)
    twin.run(20)
    beat, limit, level = (table.signal_index[name] for name in ("beat", "time_set", "level"))
    twin.change(Change(beat, 0), Change(limit, 2_000_000_000 * ONE))
    for _ in range(3):
        twin.run(2**31 - 1)
        twin.change(Change(level, twin.now(level) + 5 * ONE))
        twin.run(1)
        twin.run(2)
    twin.change(Change(beat, 5 * ONE, ONE))
    twin.run(50)
    twin.compare_retained()
    assert twin.seen == {0, 1, 2}, twin.seen


def self_test_that_waits(core: Core) -> None:
    """A self test that something is in the way of waits, however long, and ends when it clears."""
    row = {"trips_when": {"kind": "is_true", "signals": ["alarm"]}, "stop": "hold", "acts_in": ["self_test"]}
    table = small_table(50, ROW=row)
    twin = Twin(NativeController(table, core.library), table)
    alarm = table.signal_index["alarm"]
    for wait in (10, 49, 50, 51, 59_000, 65_535, 65_540, 65_560, 65_580, 70_000, 200_000):
        twin.reset(ResetCause.power)
        twin.change(Change(alarm, ONE))
        twin.run(1, Command.power_on)
        twin.run(wait)
        assert twin.state is State.self_test
        twin.change(Change(alarm, 0))
        twin.run(60)
        assert twin.state is State.standby


_HEARTBEAT = {
    "trips_when": {"kind": "stale", "signal": "beat", "ticks": 3},
    "stop": "hold",
    "acts_in": ["standby"],
}

CHECKS: dict[str, Check] = {
    "reference table": reference,
    "random tables": random_tables,
    "unknown kind": unknown_kind,
    "refused requests": unknown_signals_and_commands,
    "long times": long_times,
    "self test that waits": self_test_that_waits,
}
