"""Random things that happen to a treatment machine."""

from __future__ import annotations

from collections.abc import Sequence

from firmware_model.contract import Change, ResetCause
from firmware_model.states import TRANSITIONS, TRIGGER_COMMANDS, Command, State
from hil.near_limits import boundaries

from .dice import Dice
from .treatment_machine import TreatmentMachine

#: States an operator can bring a healthy machine to.
GOALS = [
    s for s in State if s not in (State.off, State.hold, State.interrupted, State.terminated, State.emergency)
]
_ORDERS = set(TRIGGER_COMMANDS.values())
_EVENTS = ["drift"] * 6 + [
    "heal",
    "command",
    "command",
    "drift and command",
    "onwards",
    "reset",
    "silent",
    "pause",
    "emergency",
]


def near_a_limit(dice: Dice, machine: TreatmentMachine, row: str, ticks: int) -> Change:
    """A line for one signal of an interlock that comes near, or crosses, where the interlock trips."""
    signal, at = dice.pick(boundaries(machine.table, row, machine.pair.ramps.now))
    slope = dice.slope()
    return Change(signal, at + dice.offset() - slope * dice.number(0, ticks), slope)


#: How long an episode may take; scanning every tick allows no more.
SHORT = (6, 12, 60, 130)


def episode(dice: Dice, machine: TreatmentMachine, longest: Sequence[int] = SHORT) -> None:
    """One thing that happens to a machine in whatever state, and some time after it."""
    ticks = dice.number(1, dice.pick(longest))
    what = dice.pick(_EVENTS)
    if "drift" in what:
        for _ in range(dice.number(1, 3)):
            machine.change(near_a_limit(dice, machine, dice.pick(machine.table.interlock_ids), ticks))
    if what == "heal":
        machine.heal()
    if what == "silent":
        machine.answers = not machine.answers
    if what == "pause" and "sequence_hold" in machine.table.signals:
        machine.set(sequence_hold=dice.number(0, 1))
    if what == "emergency" and "emergency_loop" in machine.table.signals:
        machine.set(emergency_loop=0)
        machine.run(dice.number(1, 20))
        machine.set(emergency_loop=1)
    if what == "reset":
        machine.reset(dice.pick(list(ResetCause)))
        if dice.chance():
            machine.run(14, Command.power_on)
    if what == "onwards":
        machine.heal()
        machine.answers = True
        machine.reach(dice.pick([*GOALS, State.irradiation]), patience=20)
    machine.run(ticks, _command(dice, machine) if "command" in what else Command.none)


def _command(dice: Dice, machine: TreatmentMachine) -> Command:
    """Any command, or one that the present state allows."""
    allowed = [Command[r.trigger] for r in TRANSITIONS if r.source is machine.state and r.trigger in _ORDERS]
    if machine.outputs.latched:
        allowed += [Command.reset_local, Command.reset_operator, Command.reset_physics]
    return dice.pick(allowed) if allowed and dice.chance() else dice.pick(list(Command))
