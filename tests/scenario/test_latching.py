"""Latches, resets and first causes, tried exhaustively against rules written from the documentation.

The oracles here are written from docs/latching.md and docs/timing.md and share nothing with the
controller. Who may reset what is tried on one interlock at every latch level; first causes on every pair
of interlocks of the reference table that act in irradiation.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations, product

import pytest
from hypothesis import given, settings

from firmware_model.contract import Inputs, Outputs, ResetCause, Retained
from firmware_model.controller import ModelController
from firmware_model.states import Command, State
from firmware_model.table import IsTrue, Signal, Table
from tests.firmware.dice import REPRODUCIBLE, Dice, dice_of_a_seed
from tests.firmware.treatment_machine import TreatmentMachine, reference_table

TABLE = reference_table(9)
RESETS = (Command.reset_local, Command.reset_operator, Command.reset_physics)
CAUSES = ("too close", "clear")


def with_row(table: Table, name: str, **changes: object) -> Table:
    """The same table with some fields of one row changed."""
    kept = {field: getattr(table, field) for field in type(table).model_fields}
    row = table.interlocks[name].model_copy(update=changes)
    kept["interlocks"] = {**table.interlocks, name: row}
    return type(table).model_construct(**kept)


# ---- who resets what ---------------------------------------------------------------------------------


class OneLatch:
    """docs/latching.md for one interlock that has tripped during a beam."""

    def __init__(self, level: str) -> None:
        self.level, self.latched, self.due = level, level != "none", level == "local"

    def reset(self, command: Command, cause_stands: bool) -> bool:
        """Whether the reset is accepted."""
        if cause_stands:  # it trips anew, and asks for everything anew
            self.latched, self.due = self.level != "none", self.level == "local"
            return False
        if not self.latched:
            return False
        if self.due:
            self.due = command is not Command.reset_local
            return not self.due
        at_the_console = command in (Command.reset_operator, Command.reset_physics)
        allowed = command is Command.reset_physics if self.level == "physics" else at_the_console
        self.latched = not allowed
        return allowed


@pytest.mark.parametrize("level", ["none", "operator", "physics", "local"])
def test_every_sequence_of_three_resets_does_what_the_level_allows(level: str) -> None:
    """The clearance to the patient at each level: three resets, each with the cause there or gone."""
    machine = TreatmentMachine(with_row(TABLE, "CLEARANCE", latch=level)).reach(State.irradiation)
    machine.run(10)
    accepted = 0
    for sequence in product(product(RESETS, CAUSES), repeat=3):
        machine.set(clearance=10)
        machine.run(6)
        assert machine.state is State.interrupted
        latch = OneLatch(level)
        for command, cause in sequence:
            machine.set(clearance=10) if cause == "too close" else machine.heal("clearance")
            machine.run(6)
            wanted = latch.reset(command, cause == "too close")
            outputs = machine.order(command)
            accepted += wanted
            assert outputs.reply.accepted is wanted, (level, sequence, command)
            assert ("CLEARANCE" in machine.latched) is latch.latched, (level, sequence, command)
            assert bool(outputs.local_reset_due) is latch.due, (level, sequence, command)
            assert not outputs.permit
        machine.heal("clearance")
        machine.run(1)
        for command in (Command.reset_local, Command.reset_physics):
            machine.order(command)
        assert not machine.latched
    assert bool(accepted) is (level != "none")
    assert machine.order(Command.resume).reply.accepted


# ---- what a restart leaves -----------------------------------------------------------------------------

#: Signals that trip rows of every latch level within a few scans, and what makes them trip.
BAD = {
    "clearance": 10,
    "door_contact_a": 0,
    "mode_sensed": 5,
    "emergency_loop": 0,
    "touch_guard": 0,
    "water_flow": 0,
    "jaw_error": 9,
}
ORDERS = (*RESETS, Command.acknowledge, Command.restart)


def kept(memory: Retained) -> tuple[int, int, int, int]:
    return memory.meterset, memory.latched, memory.local_reset_due, memory.first_up


class Memory:
    """One machine and its retained memory; only an accepted reset takes a latch away."""

    def __init__(self, seen: Counter[str]) -> None:
        self.machine, self.seen = TreatmentMachine(TABLE).reach(State.irradiation), seen
        self.machine.run(30)

    def act(self, dice: Dice) -> None:
        machine, before = self.machine, self.machine.pair.fast.retained
        what = dice.pick(["break", "break", "heal", "reset", "order", "restart", "power on", "wait"])
        if what == "break":
            signal = dice.pick(sorted(BAD))
            machine.set(**{signal: BAD[signal]})
            machine.run(3)
        elif what == "heal":
            machine.heal()
            machine.run(3)
        elif what in ("reset", "order"):
            command = dice.pick(RESETS if what == "reset" else ORDERS)
            if machine.order(command).reply.accepted and command in RESETS:
                return
        elif what == "restart":
            self.restart(dice.pick(list(ResetCause)))
        else:
            machine.run(dice.number(1, 150), Command.power_on if what == "power on" else Command.none)
        after = machine.pair.fast.retained
        assert after.latched & before.latched == before.latched
        assert after.local_reset_due & before.local_reset_due == before.local_reset_due

    def restart(self, cause: ResetCause) -> None:
        before = self.machine.pair.fast.retained
        outputs = self.machine.reset(cause)
        after = self.machine.pair.fast.retained
        assert kept(after) == kept(before)
        assert (after.boot_count, after.reset_cause) == (before.boot_count + 1, cause)
        assert not outputs.permit
        assert kept(before)[1:] == (outputs.latched, outputs.local_reset_due, outputs.first_up)
        half_reset = before.latched & ~before.local_reset_due and before.local_reset_due
        self.seen.update(
            {
                "latched": bool(before.latched),
                "local reset due": bool(before.local_reset_due),
                "local reset due beside another latch": bool(half_reset),
                "first cause": before.first_up >= 0,
            }
        )


def test_no_restart_at_any_moment_changes_what_is_kept() -> None:
    seen: Counter[str] = Counter()

    @settings(REPRODUCIBLE, max_examples=80)
    @given(dice_of_a_seed)
    def random_days(dice: Dice) -> None:
        memory = Memory(seen)
        for _ in range(12):
            memory.act(dice)

    random_days()
    assert len(seen) == 4
    assert min(seen.values()) >= 5, seen


# ---- first causes --------------------------------------------------------------------------------------

SEVERITY = ("complete", "hold", "interrupt", "terminate", "emergency")


def bare_table() -> Table:
    """Rows, order, stops, latches and states of the reference table; each row trips on a line of its own.

    First causes do not depend on what a row measures. With a line a row, any two can trip in one scan.
    """
    table = reference_table(1)
    interlocks, signals = {}, {}
    for name, row in table.interlocks.items():
        line = name.lower()
        signals[line] = Signal.model_validate(
            {"title": name, "kind": "bool", "safe": False, "source": "plant"}
        )
        if row.trips_when.kind != "flag":
            condition = IsTrue.model_validate({"kind": "is_true", "signals": [line]})
            row = row.model_copy(
                update={
                    "trips_when": condition,
                    "debounce": 1,
                    "only_if": None,
                    "unless": None,
                    "proof": None,
                    "no_proof": "a line of its own",
                }
            )
        interlocks[name] = row
    fields = {name: getattr(table, name) for name in type(table).model_fields}
    return Table.model_construct(**{**fields, "signals": signals, "interlocks": interlocks})


BARE = bare_table()
ACTING = [name for name, row in BARE.interlocks.items() if State.irradiation in row.states]
PAIRS = list(combinations(ACTING, 2))


#: What leads on to a new beam, from wherever a stop has left the machine.
ONWARDS = {
    State.off: Command.power_on,
    State.standby: Command.prepare,
    State.preparatory: Command.begin_check,
    State.ready: Command.beam_on,
    State.hold: Command.terminate,
    State.interrupted: Command.terminate,
    State.terminated: Command.acknowledge,
    State.emergency: Command.restart,
}


class BareMachine:
    """A controller on the bare table; ``scan`` names the rows whose causes stand."""

    def __init__(self) -> None:
        self._controller = ModelController(BARE)
        self._controller.reset(ResetCause.power)

    def irradiate(self) -> None:
        """A new beam: no cause stands, all latches are reset."""
        for command in RESETS * 2:
            self.scan(command=command)
        for _ in range(20):
            outputs = self.scan(command=ONWARDS.get(self._controller.outputs.state, Command.none))
            if outputs.permit:
                assert not outputs.latched
                assert outputs.first_up < 0
                return
        raise AssertionError(f"no beam within 20 scans: {self._controller.outputs}")

    def scan(self, *standing: str, command: Command = Command.none) -> Outputs:
        values = tuple(int(name in standing) for name in BARE.interlocks)
        return self._controller.scan(Inputs(values, command))


@pytest.mark.parametrize("name", [name for name in ACTING if BARE.interlocks[name].latch != "none"])
def test_every_latch_of_the_reference_table_obeys_its_level(name: str) -> None:
    """Tripped in irradiation with the cause gone: all sequences of three resets."""
    machine = BareMachine()
    for sequence in product(RESETS, repeat=3):
        latch = OneLatch(BARE.interlocks[name].latch)
        machine.irradiate()
        machine.scan(name)
        machine.scan()
        for command in sequence:
            outputs = machine.scan(command=command)
            assert outputs.reply.accepted is latch.reset(command, cause_stands=False), (sequence, command)
            assert bool(outputs.latched) is latch.latched, (sequence, command)
            assert bool(outputs.local_reset_due) is latch.due, (sequence, command)


def severity(name: str) -> int:
    return SEVERITY.index(BARE.interlocks[name].stop)


def outcome(outputs: Outputs) -> tuple[State, str | None]:
    first = None if outputs.first_up < 0 else BARE.interlock_ids[outputs.first_up]
    return outputs.state, first


AFTER_STOP = {"interrupt": State.interrupted, "terminate": State.terminated, "emergency": State.emergency}


def in_one_scan(a: str, b: str) -> tuple[State, str | None]:
    """docs/timing.md: the most severe decides; the first cause is the first such in the table.

    The end of the preset goes before a hold, and neither is a stop with a cause.
    """
    stops = [name for name in (a, b) if severity(name) >= SEVERITY.index("interrupt")]
    if stops:
        first = max(stops, key=severity)  # of equals max takes the first: the order of the table
        return AFTER_STOP[BARE.interlocks[first].stop], first
    ends = any(BARE.interlocks[name].stop == "complete" for name in (a, b))
    return (State.preparatory if ends else State.hold), None


def one_scan_later(a: str, b: str) -> tuple[State, str | None]:
    """``a`` trips first and stands; ``b`` in the next scan, if it is still watched in the state then.

    An interruption can still become a termination or an emergency, a termination an emergency; the
    first cause stays the one that ended the beam. While a hold lasts the beam has not ended yet.
    """
    state, first = in_one_scan(a, a)
    if state not in BARE.interlocks[b].states:
        return state, first
    stop = BARE.interlocks[b].stop
    if stop == "emergency":
        return State.emergency, first or b
    if stop == "terminate" and state in (State.hold, State.interrupted):
        return State.terminated, first or b
    if stop == "interrupt" and state is State.hold:
        return State.interrupted, b
    if stop == "complete" and state is State.hold:
        return State.preparatory, None
    return state, first


def test_the_pairs_cover_every_kind_of_stop() -> None:
    assert {BARE.interlocks[name].stop for name in ACTING} == set(SEVERITY)
    assert len(PAIRS) == len(ACTING) * (len(ACTING) - 1) // 2 > 1000


def test_first_cause_of_every_pair_that_trips_in_one_scan() -> None:
    machine = BareMachine()
    for a, b in PAIRS:
        machine.irradiate()
        outputs = machine.scan(a, b)
        assert outcome(outputs) == in_one_scan(a, b), (a, b)
        assert not outputs.permit, (a, b)
        latching = {name for name in (a, b) if BARE.interlocks[name].latch != "none"}
        assert {n for i, n in enumerate(BARE.interlock_ids) if outputs.latched >> i & 1} == latching, (a, b)


def test_first_cause_of_every_pair_that_trips_one_scan_apart() -> None:
    machine = BareMachine()
    for pair in PAIRS:
        for a, b in (pair, pair[::-1]):
            machine.irradiate()
            assert outcome(machine.scan(a)) == in_one_scan(a, a), a
            outputs = machine.scan(a, b)
            assert outcome(outputs) == one_scan_later(a, b), (a, b)
            assert not outputs.permit, (a, b)
