"""The treatment-delivery state machine as data: states, commands, triggers and their sources.

State names follow the vocabulary of IEC 60601-2-1 (stand-by, preparatory, ready, irradiation,
interrupted, terminated) in lower case. The rows are given to ``transitions`` as they stand; the
controller fires at most one trigger a scan, chosen by the fixed priority in
:mod:`firmware_model.scanning`, and never from inside a callback.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Literal, NamedTuple


class State(IntEnum):
    """Where the machine is. The numbers are the ones on the wire and in retained memory."""

    off = 0
    self_test = 1
    standby = 2
    preparatory = 3
    check = 4
    ready = 5
    irradiation = 6
    hold = 7
    interrupted = 8
    terminated = 9
    emergency = 10


class Command(IntEnum):
    """What an operator, the console or the room may ask for; at most one a scan."""

    none = 0
    power_on = 1
    prepare = 2
    stand_by = 3
    begin_check = 4
    beam_on = 5
    interrupt = 6
    resume = 7
    terminate = 8
    acknowledge = 9
    stand_down = 10
    restart = 11
    reset_local = 12
    reset_operator = 13
    reset_physics = 14


#: A command as files write it. Editors and type checkers need every name spelled out; a test compares.
CommandName = Literal[
    "power_on",
    "prepare",
    "stand_by",
    "begin_check",
    "beam_on",
    "interrupt",
    "resume",
    "terminate",
    "acknowledge",
    "stand_down",
    "restart",
    "reset_local",
    "reset_operator",
    "reset_physics",
]


class Stop(IntEnum):
    """What a tripped interlock does to a beam, in rising order of severity."""

    complete = 0  # normal end: preset reached
    hold = 1  # pauses, resumes by itself when the cause clears
    interrupt = 2  # stops; the operator resumes with the same parameters
    terminate = 3  # stops; everything must be selected again, the remainder is a partial delivery
    emergency = 4  # stops and removes power; local reset, then the machine starts anew


class Latch(IntEnum):
    """Who may clear a tripped interlock once its cause is gone."""

    none = 0  # clears by itself
    operator = 1  # reset at the console
    physics = 2  # reset by physics or service
    local = 3  # reset at the place first, then at the console


class Row(NamedTuple):
    """One allowed transition. ``guard`` names a method of the controller, or is empty."""

    trigger: str
    source: State
    dest: State
    guard: str = ""


S = State

#: Every allowed transition. What is not here cannot happen.
TRANSITIONS: tuple[Row, ...] = (
    Row("power_on", S.off, S.self_test),
    Row("self_test_passed", S.self_test, S.terminated, "beam_was_cut_by_reset"),
    Row("self_test_passed", S.self_test, S.standby, "self_test_is_clear"),
    Row("prepare", S.standby, S.preparatory),
    Row("stand_by", S.preparatory, S.standby),
    Row("begin_check", S.preparatory, S.check, "may_check"),
    Row("check_passed", S.check, S.ready),
    Row("check_failed", S.check, S.preparatory),
    Row("stand_down", S.ready, S.preparatory),
    Row("beam_on", S.ready, S.hold, "only_a_hold_stands_in_the_way"),
    Row("beam_on", S.ready, S.irradiation, "nothing_stands_in_the_way"),
    Row("hold", S.irradiation, S.hold),
    Row("release", S.hold, S.irradiation, "nothing_stands_in_the_way"),
    Row("complete", S.irradiation, S.preparatory),
    Row("complete", S.hold, S.preparatory),
    Row("interrupt", S.ready, S.interrupted),
    Row("interrupt", S.irradiation, S.interrupted),
    Row("interrupt", S.hold, S.interrupted),
    Row("resume", S.interrupted, S.ready, "may_resume"),
    Row("terminate", S.check, S.terminated),
    Row("terminate", S.ready, S.terminated),
    Row("terminate", S.irradiation, S.terminated),
    Row("terminate", S.hold, S.terminated),
    Row("terminate", S.interrupted, S.terminated),
    Row("acknowledge", S.terminated, S.preparatory, "may_acknowledge"),
    *(Row("emergency", state, S.emergency) for state in State if state not in (S.off, S.emergency)),
    Row("restart", S.emergency, S.self_test, "may_restart"),
)

#: States in which a beam is selected and proven, so that a change of any parameter must end it.
BEAM_IN_PROGRESS = frozenset({S.ready, S.irradiation, S.hold, S.interrupted})

#: States in which motors may be driven.
MOTION_PERMITTED = frozenset({S.standby, S.preparatory, S.check, S.ready, S.irradiation, S.hold})

#: Commands that fire a trigger of the same name; the others act on latches.
TRIGGER_COMMANDS: dict[Command, str] = {
    command: command.name
    for command in Command
    if command not in (Command.none, Command.reset_local, Command.reset_operator, Command.reset_physics)
}
