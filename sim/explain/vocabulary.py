"""The words of the controller in plain language: states, commands, triggers, guards, stops, latches.

The behaviour itself is in :mod:`firmware_model.states` and :mod:`firmware_model.scanning`; a test sees
to it that nothing there is without words here.
"""

from __future__ import annotations

from firmware_model.states import Command, Latch, State, Stop

STATES: dict[State, str] = {
    State.off: "no power; nothing is watched",
    State.self_test: "after power-on, before anything is allowed",
    State.standby: "switched on, nothing selected",
    State.preparatory: "a beam is being selected and the patient set up",
    State.check: "the proof test forces one line after the other and must see each interlock trip",
    State.ready: "everything is proven; the beam may be switched on",
    State.irradiation: "the only state with a beam permit",
    State.hold: "the beam pauses and goes on by itself when the cause is gone",
    State.interrupted: "the beam has stopped; the operator may resume it with the same parameters",
    State.terminated: "the beam has ended before its time; everything must be selected again",
    State.emergency: "power is removed; a local reset and a restart are needed",
}

COMMANDS: dict[Command, str] = {
    Command.none: "nothing is asked for",
    Command.power_on: "switch the machine on",
    Command.prepare: "start to select a beam",
    Command.stand_by: "leave the selection",
    Command.begin_check: "prove the selected beam: start the proof test",
    Command.beam_on: "start the beam",
    Command.interrupt: "stop the beam so that it can be resumed",
    Command.resume: "go on with an interrupted beam",
    Command.terminate: "end the beam for good",
    Command.acknowledge: "take note of a termination and go back to selecting",
    Command.stand_down: "give up a beam that is ready",
    Command.restart: "start anew after an emergency",
    Command.reset_local: "reset a latch at the place of its cause, in the room",
    Command.reset_operator: "reset latches at the console",
    Command.reset_physics: "reset latches as physics or service",
}

TRIGGERS: dict[str, str] = {
    "self_test_passed": "the self test has taken its time",
    "check_passed": "every line of the proof test has tripped and cleared",
    "check_failed": "an interlock trips during the check, or a line does not answer",
    "hold": "an interlock of stop class hold trips",
    "release": "the cause of the hold is gone",
    "complete": "an interlock of stop class complete trips: the preset is reached",
    "emergency": "an interlock of stop class emergency trips",
    "interrupt": "an interlock of stop class interrupt trips, or the command",
    "terminate": "an interlock of stop class terminate or above trips, or the command",
}

GUARDS: dict[str, str] = {
    "beam_was_cut_by_reset": "the controller restarted while a beam was selected",
    "self_test_is_clear": "no interlock that acts in the self test is tripped",
    "may_check": "nothing is tripped and nothing latched",
    "only_a_hold_stands_in_the_way": "nothing is latched, and of those that act with beam only holds trip",
    "nothing_stands_in_the_way": "nothing is latched and no interlock that acts with beam is tripped",
    "may_resume": "nothing is latched, and nothing but holds is tripped",
    "may_acknowledge": "nothing is latched, and nothing but holds is tripped",
    "may_restart": "nothing is tripped and nothing latched",
}

STOPS: dict[Stop, str] = {
    Stop.complete: "the normal end of a beam",
    Stop.hold: "the beam pauses and resumes by itself when the cause clears",
    Stop.interrupt: "the beam stops; the operator may resume it with the same parameters",
    Stop.terminate: "the beam ends; everything must be selected again, the remainder is a partial delivery",
    Stop.emergency: "the beam ends and power is removed; local reset, then the machine starts anew",
}

LATCHES: dict[Latch, str] = {
    Latch.none: "does not latch: clears by itself with its cause",
    Latch.operator: "stays until the operator resets it at the console (reset_operator), its cause gone",
    Latch.physics: "stays until physics or service reset it (reset_physics), its cause gone",
    Latch.local: "stays until it is reset at its own place (reset_local), then by the operator at the "
    "console (reset_operator), its cause gone",
}

SOURCES: dict[str, str] = {
    "plant": "the plant: a sensor of machine, room, gating or imaging",
    "prescription": "the prescription: a set value loaded with the selected beam",
    "console": "the console: an identity or a message of it",
}

#: What a scan does first, in falling order; every trigger is at one of these levels.
PRIORITY: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("emergency", ("emergency",)),
    ("terminate", ("terminate",)),
    ("interrupt", ("interrupt", "check_failed")),
    ("complete", ("complete",)),
    ("ordered interrupt or terminate", ()),
    ("hold", ("hold",)),
    (
        "command",
        tuple(command.name for command in Command if command.name not in ("none", "terminate", "interrupt")),
    ),
    ("release", ("release",)),
    ("end of a phase", ("self_test_passed", "check_passed")),
)


def trigger_words(trigger: str) -> str:
    """What makes a trigger fire."""
    if trigger in TRIGGERS:
        return TRIGGERS[trigger]
    return f"the command: {COMMANDS[Command[trigger]]}"


def priority_of(trigger: str) -> int:
    """Place of a trigger in the order of a scan, 1 first."""
    return next(i for i, (_, triggers) in enumerate(PRIORITY, 1) if trigger in triggers)
