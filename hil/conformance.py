"""Is this board right? The rules of the wire, then the controller's behaviour beside the reference model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random

from firmware_model.contract import ONE, Change, ResetCause
from firmware_model.states import Command, State
from firmware_model.table import Table
from hil.board import RemoteController, check_table
from hil.conformance_wire import CHECKS, RawLink, Violation
from hil.link import Link, Patience
from hil.lockstep import Differs
from hil.near_limits import boundaries
from hil.provoke import enabled, prepare, provoke
from hil.transport import Transport
from hil.twin import Twin

#: States in which an operator can bring a healthy machine, and how to leave irradiation from there.
_VISITED: dict[State, tuple[State, Command]] = {
    State.off: (State.off, Command.none),
    State.standby: (State.standby, Command.none),
    State.preparatory: (State.preparatory, Command.none),
    State.check: (State.check, Command.none),
    State.ready: (State.ready, Command.none),
    State.irradiation: (State.irradiation, Command.none),
    State.interrupted: (State.irradiation, Command.interrupt),
    State.terminated: (State.irradiation, Command.terminate),
}
NOT_TRIPPED = "same as the model; it did not trip"


@dataclass(frozen=True, slots=True)
class Result:
    """One test: its name, whether it passed, and what was found."""

    name: str
    passed: bool
    detail: str = ""


def conformance(
    transport: Transport, table: Table, walk_steps: int = 400, seed: int = 1, patience: Patience | None = None
) -> Iterator[Result]:
    """All tests of an open transport, one by one. A RigError means that the board cannot be tested."""
    yield from rules_of_the_wire(transport, table, patience)
    yield from behaviour(
        lambda: Twin(RemoteController(transport, table, patience), table), table, walk_steps, seed
    )


def rules_of_the_wire(
    transport: Transport, table: Table, patience: Patience | None = None
) -> Iterator[Result]:
    """Frames, right and wrong. Raises a RigError when the board cannot be greeted any more."""
    raw = RawLink(Link(transport, len(table.interlocks), patience or Patience()))
    check_table(transport.name, raw.identity, table)
    for name, check in CHECKS:
        yield _result(f"wire: {name}", partial(check, raw))
        raw.greet()


def behaviour(
    start: Callable[[], Twin], table: Table, walk_steps: int = 400, seed: int = 1
) -> Iterator[Result]:
    """The controller beside the model, on any implementation. After a difference both start anew."""
    dice = Random(seed)
    tests: list[tuple[str, Callable[[Twin], str | None]]] = [
        ("reaches irradiation, with the proof test on the way", _reach_beam),
        ("commands in every state", commands),
        *((f"interlock {name} around its limit", _around(name, dice)) for name in table.interlocks),
        ("resets and retained memory", resets),
        (f"random walk of {walk_steps} steps, seed {seed}", lambda twin: walk(twin, walk_steps, dice)),
    ]
    twin = start()
    for name, test in tests:
        result = _result(name, partial(test, twin))
        if not result.passed:
            twin = start()
        yield result


def _around(name: str, dice: Random) -> Callable[[Twin], str]:
    return lambda twin: around(twin, name, dice)


def _result(name: str, test: Callable[[], str | None]) -> Result:
    try:
        found = test()
    except (Violation, Differs) as problem:
        return Result(name, False, str(problem))
    return Result(name, True, found or "")


def _reach_beam(twin: Twin) -> str:
    twin.reset(ResetCause.power)
    if not twin.reach(State.irradiation):
        blocked = [twin.table.interlock_ids[i] for i in sorted(twin.seen)]
        return f"same as the model, but this table's healthy inputs were not found; in the way: {blocked}"
    twin.run(200)
    return ""


def commands(twin: Twin) -> str:
    """Every command in every state that can be reached."""
    given = 0
    for wanted, (goal, then) in _VISITED.items():
        for command in Command:
            if twin.state is not wanted:
                twin.reset(ResetCause.power)
                # A reset that cuts a beam leaves a finding that has to be cleared first.
                twin.reach(goal)
                twin.run(2, then)
            if twin.state is wanted:
                twin.run(3, command)
                given += 1
    return f"{given} commands"


def around(twin: Twin, name: str, dice: Random) -> str:
    """One interlock: at its limits and a count beside them, standing and moving; then so that it trips."""
    row, index = twin.table.interlocks[name], twin.table.interlock_ids.index(name)
    twin.seen.discard(index)
    with enabled(twin, row):
        for signal, at in boundaries(twin.table, name, twin.now):
            for offset in (0, dice.choice((-1, 1))):
                prepare(twin, row)
                slope = dice.choice((0, 0, ONE // 3, -ONE // 7))
                twin.change(Change(signal, _held(at + offset * ONE), slope))
                twin.run(row.debounce + dice.randint(3, 40))
        if index not in twin.seen:
            prepare(twin, row)
            provoke(twin, row)
    twin.heal()
    twin.run(2)
    twin.compare_retained()
    return "" if index in twin.seen else NOT_TRIPPED


def _held(value: int) -> int:
    """Within 48 bits, with room to move."""
    return max(-(2**45), min(2**45, value))


def resets(twin: Twin) -> None:
    """Restarts of every cause in every kind of state; what is retained must survive."""
    for cause in ResetCause:
        for goal in (State.preparatory, State.irradiation):
            twin.reach(goal)
            twin.run(30)
            twin.compare_retained()
            twin.reset(cause)
            twin.run(20, Command.power_on)
    twin.reach(State.irradiation)
    lines = [i for i, s in enumerate(twin.table.signals.values()) if s.kind == "bool"]
    for line in lines:  # latches of all kinds, carried over a restart
        twin.change(Change(line, 0))
    twin.run(2000)
    twin.reset(ResetCause.power)
    twin.run(50, Command.power_on)


def walk(twin: Twin, steps: int, dice: Random) -> str:
    """Random inputs near random limits, random commands, now and then a reset."""
    tripped: set[int] = set()
    for _ in range(steps):
        event = dice.randrange(20)
        if event < 9:
            signal, at = dice.choice(boundaries(twin.table, dice.choice(twin.table.interlock_ids), twin.now))
            slope = dice.choice((0, 0, 3, ONE, -ONE, ONE // 7, 40 * ONE))
            twin.change(Change(signal, _held(at + dice.randint(-4 * ONE, 4 * ONE)), slope))
        elif event < 14:
            twin.heal()
            twin.reach(dice.choice((State.preparatory, State.ready, State.irradiation)), patience=8)
        elif event == 14:
            twin.reset(dice.choice(list(ResetCause)))
        command = dice.choice(list(Command)) if event > 14 else Command.none
        twin.run(dice.choice((1, 2, 5, 60, 400)), command)
        tripped |= twin.seen
    twin.heal()
    twin.compare_retained()
    return f"{len(tripped)} of {len(twin.table.interlocks)} interlocks seen"
