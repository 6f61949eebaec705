"""Sequences that chance seldom meets, beside the model: what has to happen in one and the same scan."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from firmware_model.contract import ONE, Change, ResetCause
from firmware_model.image import MOST_TRAVEL_PERCENT
from firmware_model.states import Command, State
from firmware_model.table import Table
from firmware_model.table_loading import load_table
from hil.boards.native import NativeController
from hil.twin import Twin
from tests.firmware_c.check_core import small_table

if TYPE_CHECKING:
    from tests.firmware_c.checks import Check, Core

IN_BEAM = ["irradiation", "hold"]


def twin_of(core: Core, table: Table) -> Twin:
    return Twin(NativeController(table, core.library), table)


def put(twin: Twin, **counts: int) -> None:
    """From the next scan on, signals stand still at ``counts``."""
    twin.change(*(Change(twin.table.signal_index[name], value * ONE) for name, value in counts.items()))


def _steepest_rates(core: Core) -> None:
    """Lines that cross all of 48 bits in a few scans, under the longest window: nothing overflows."""
    condition = {"kind": "rate", "signal": "dose", "set_rate": "rate_set", "sense": "above"}
    condition |= {"percent": 100, "window": 60_000, "step": 60_000}
    row = {"trips_when": condition, "stop": "hold", "acts_in": IN_BEAM}
    twin = twin_of(core, small_table(RATE=row))
    dose = twin.table.signal_index["dose"]
    twin.reach(State.irradiation)
    for bits in (47, 46, 45, 44, 40):
        for line in ((-(2**47), 2**bits - 1), (2**47 - 1, 1 - 2**bits)):
            for before in (0, 2**46):  # not tripped and tripped, when the line comes
                put(twin, dose=0)
                twin.run(120_000)
                twin.change(Change(dose, before))
                twin.run(60_000)
                twin.change(Change(dose, *line))
                twin.run(2 ** (48 - bits))
    assert twin.seen == {0}


def rate_at_its_limit(core: Core) -> None:
    """Dose rates at, a hair above and a hair below what a window may gain, whole counts a scan or not."""
    for sense, percent in product(("above", "below"), (100, 99.99)):
        condition = {"kind": "rate", "signal": "dose", "set_rate": "rate_set", "sense": sense}
        condition |= {"percent": percent, "window": 12, "step": 3}
        table = small_table(
            RATE={"trips_when": condition, "stop": "hold", "acts_in": ["irradiation", "hold"]}
        )
        dose, set_rate = table.signal_index["dose"], table.signal_index["rate_set"]
        twin = Twin(NativeController(table, core.library), table)
        twin.change(Change(set_rate, 120_000 * ONE))
        twin.reach(State.irradiation)
        for rate in (2, 30_000):  # counts a scan; 12 times as many in a window
            twin.change(Change(set_rate, 60_000 * rate * ONE))
            even = rate * ONE
            for slope in (even, even + 1, even - 1, even // 2, even + ONE, even + 5461, even - 5462):
                for since in (1, 3, 40):
                    twin.change(Change(dose, 0, even))
                    twin.run(30)
                    twin.change(Change(dose, twin.now(dose), slope))
                    twin.run(since)
                    twin.run(200)
        assert twin.seen == {0}
    _steepest_rates(core)


def limits_that_hold_together(core: Core) -> None:
    """A difference must exceed both of its limits (``max``) or one of them (``min``)."""
    for combine in ("max", "min"):
        condition = {"kind": "differs", "signal": "dose", "from": "other_dose", "by": 10, "percent": 10}
        row = {"trips_when": condition | {"combine": combine}, "stop": "hold", "acts_in": ["preparatory"]}
        twin = twin_of(core, small_table(ROW=row))
        assert twin.reach(State.preparatory)
        for planned in (0, 20, 99, 100, 101, 400):
            for difference in (0, 1, 2, 3, 9, 10, 11, 39, 40, 41, 100):
                for sign in (1, -1):
                    put(twin, dose=max(0, planned + sign * difference), other_dose=planned)
                    twin.run(2)
        assert twin.seen == {0}


def travel(core: Core) -> None:
    """Dose beside its plan over a stretch of travel: each stretch starts from nothing, a debounce as well."""
    for debounce in (1, 2, 3, 20):
        condition = {"kind": "per_travel", "signal": "dose", "planned": "planned", "position": "position"}
        condition |= {"over": 3, "percent": 5, "by": 4}
        row = {"trips_when": condition, "debounce": debounce, "stop": "hold", "acts_in": IN_BEAM}
        twin = twin_of(core, small_table(ROW=row))
        dose, planned, axis = (twin.table.signal_index[name] for name in ("dose", "planned", "position"))
        twin.reach(State.irradiation)
        for slopes in (
            (3 * ONE, ONE, ONE),
            (ONE, 3 * ONE, -ONE),
            (2 * ONE, ONE, ONE + ONE // 3),
            (ONE // 3, 0, ONE // 5),
            (40 * ONE, 41 * ONE, 2 * ONE),
            (ONE, ONE, ONE // 7),
        ):
            lines = zip((dose, planned, axis), slopes, strict=True)
            twin.change(*(Change(signal, twin.now(signal), slope) for signal, slope in lines))
            for ticks in (1, 5, 90, 200):
                twin.run(ticks)
        for step, slope in ((1, 0), (2, ONE), (3, -ONE // 3), (4, 0), (5, ONE)):
            # Dose at once, then nothing but travel: the stretch in which it came ends, and with it the trip.
            put(twin, dose=1000 + 50 * step, planned=1000)
            twin.change(Change(axis, twin.now(axis) + 10 * ONE, slope))
            twin.run(60)
            put(twin, dose=1000 + 50 * step + 20)
            twin.run(60)
        assert debounce > 3 or twin.seen == {0}


def travel_at_its_widest(core: Core) -> None:
    """The largest percentage that an image takes, over the whole range of the counters: no overflow."""
    condition = {"kind": "per_travel", "signal": "dose", "planned": "planned", "position": "position"}
    condition |= {"over": 3, "percent": MOST_TRAVEL_PERCENT / 100, "by": 4}
    row = {"trips_when": condition, "stop": "hold", "acts_in": IN_BEAM}
    twin = twin_of(core, small_table(ROW=row))
    signals = [twin.table.signal_index[name] for name in ("dose", "planned")]
    twin.reach(State.irradiation)
    axis = twin.table.signal_index["position"]
    ends, slopes = (-(2**47), -1, 0, 2**47 - 1), (0, 1, ONE // 3, 2**40)
    for starts in product(ends, repeat=2):
        for now, slope in product(product(ends, repeat=2), slopes):
            # A stretch begins at the one, and the counters are at once at the other, moving inwards.
            lines = zip(signals, starts, strict=True)
            twin.change(*(Change(signal, value) for signal, value in lines))
            twin.change(Change(axis, twin.now(axis) + (10 * ONE if twin.now(axis) < 0 else -10 * ONE)))
            twin.run(2)
            lines = zip(signals, now, strict=True)
            twin.change(*(Change(signal, v, -slope if v > 0 else slope) for signal, v in lines))
            twin.run(40)
    assert twin.seen == {0}


def latches(core: Core) -> None:
    """A latch stays in the way of the beam; what trips again must be reset at its place again."""
    condition = {"kind": "is_false", "signals": ["line_a"]}
    for stop, latch in (("terminate", "local"), ("interrupt", "local"), ("interrupt", "operator")):
        acts_in = [*IN_BEAM, "interrupted", "terminated"]
        row = {"trips_when": condition, "stop": stop, "latch": latch, "acts_in": acts_in}
        twin = twin_of(core, small_table(ROW=row))
        twin.reach(State.irradiation)
        put(twin, line_a=0)
        twin.run(2)
        onwards = (Command.resume, Command.acknowledge)
        for command in (Command.reset_local, Command.reset_operator, Command.reset_physics, *onwards):
            twin.run(2, command)  # the cause is still there
        assert twin.outputs.latched == 1
        put(twin, line_a=1)
        for command in (*onwards, Command.reset_operator, Command.reset_physics, *onwards):
            twin.run(2, command)
        for _ in range(2):
            twin.run(2, Command.reset_local)
            put(twin, line_a=0)  # it trips again
            twin.run(2)
            put(twin, line_a=1)
            twin.run(2)
            for command in onwards:
                twin.run(2, command)
        for command in (Command.reset_local, Command.reset_operator, *onwards):
            twin.run(2, command)
        assert twin.outputs.latched == 0
        twin.compare_retained()


def ordered_stops(core: Core) -> None:
    """A person's stop in the very scan in which the beam would only be held is obeyed."""
    row = {"trips_when": {"kind": "is_true", "signals": ["alarm"]}, "stop": "hold", "acts_in": IN_BEAM}
    for command in Command:
        twin = twin_of(core, small_table(ROW=row))
        twin.reach(State.irradiation)
        put(twin, alarm=1)
        twin.run(1, command)
        twin.run(3)
        put(twin, alarm=0)
        twin.run(1, command)
        twin.run(3)
        twin.compare_retained()


def commands_during_the_proof_test(core: Core) -> None:
    """A scan with a command does not move the proof test on, be the command refused as before and unseen."""
    condition = {"kind": "is_true", "signals": ["alarm"]}
    row = {"trips_when": condition, "stop": "hold", "acts_in": IN_BEAM, "proof": {"alarm": True}}
    for answers in (True, False):
        twin = twin_of(core, small_table(FIRST=row, SECOND=row))
        for since in range(8):
            twin.answers = True
            twin.reset(ResetCause.power)
            assert twin.reach(State.preparatory)
            twin.answers = answers
            twin.run(1, Command.begin_check)
            twin.run(1 + since)
            for command in (Command.resume, Command.resume, Command.stand_by, Command.stand_by):
                twin.run(1, command)
                twin.run(1, command)
                twin.run(40, command)


def finding_of_a_cut_beam(core: Core) -> None:
    """It goes with the reset of its row after the beam was ended, and not before."""
    table = load_table()
    twin = twin_of(core, table)
    assert twin.reach(State.irradiation)
    twin.run(20)
    twin.reset(ResetCause.watchdog)
    resets = (Command.reset_local, Command.reset_operator, Command.reset_physics)
    twin.run(3, Command.power_on)
    for command in resets:
        twin.run(2, command)
    twin.run(600)
    assert twin.state is State.terminated, f"a beam that was cut leads to {twin.state.name}"
    for command in (Command.acknowledge, *resets, Command.acknowledge):
        twin.run(2, command)
    assert twin.state is State.preparatory
    twin.compare_retained()


def findings(core: Core) -> None:
    """Rows of findings, alone, in pairs, debounced or gated, beside the model through failure and resets."""
    for latch, second, debounce, gate in product(
        ("operator", "physics"), ("operator", "physics"), (1, 3), ({}, {"only_if": "alarm"})
    ):
        rows = {
            f"{finding}_{number}".upper(): {
                "trips_when": {"kind": "flag", "flag": finding},
                "stop": "hold" if number else "terminate",
                "latch": level,
                "debounce": debounce if number else 1,
                "acts_in": ["standby", "preparatory", *IN_BEAM, "interrupted", "terminated"],
                "latches_in": ["preparatory", "interrupted", "terminated"],
                **(gate if number else {}),
            }
            for finding in ("proof_test_failed", "reset_in_beam")
            for number, level in enumerate((latch, second))
        }
        line = {"trips_when": {"kind": "is_true", "signals": ["alarm"]}, "stop": "hold", "acts_in": IN_BEAM}
        twin = twin_of(core, small_table(LINE=line | {"proof": {"alarm": True}}, **rows))
        resets = (Command.reset_operator, Command.reset_local, Command.reset_physics)
        assert twin.reach(State.preparatory)
        twin.answers = False
        twin.run(1, Command.begin_check)
        twin.run(20)  # the proof test fails
        for alarm in (1, 0):
            put(twin, alarm=alarm)
            for command in (*resets, Command.begin_check, Command.stand_by, Command.prepare, *resets):
                twin.run(1, command)
                twin.run(2)
        twin.answers = True
        put(twin, alarm=0)
        assert twin.reach(State.irradiation, patience=200)
        twin.run(20)
        twin.reset(ResetCause.watchdog)
        twin.run(1, Command.power_on)
        twin.run(20)
        assert twin.state is State.terminated
        for alarm in (1, 0):
            put(twin, alarm=alarm)
            for command in (*resets, Command.acknowledge, Command.begin_check, *resets):
                twin.run(1, command)
                twin.run(2)
        twin.compare_retained()
        assert twin.seen >= {1, 3}, twin.seen


CHECKS: dict[str, Check] = {
    "rate at its limit": rate_at_its_limit,
    "limits together": limits_that_hold_together,
    "travel": travel,
    "travel at its widest": travel_at_its_widest,
    "latches": latches,
    "ordered stops": ordered_stops,
    "commands during the proof test": commands_during_the_proof_test,
    "finding of a cut beam": finding_of_a_cut_beam,
    "findings": findings,
}
