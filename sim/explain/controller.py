"""Explanations of the controller's side: interlocks, signals, states, commands, requirements, hazards."""

from __future__ import annotations

from firmware_model.quantity import format_duration
from firmware_model.states import (
    BEAM_IN_PROGRESS,
    MOTION_PERMITTED,
    TRANSITIONS,
    TRIGGER_COMMANDS,
    Command,
    Row,
    State,
)
from firmware_model.table import DICOM_INTERLOCK_CODES, Interlock, Table
from sim.explain.conditions import amount, condition_words, scans
from sim.explain.explanation import Explanation
from sim.explain.faults import faults_on
from sim.explain.usage import Usage
from sim.explain.vocabulary import (
    COMMANDS,
    GUARDS,
    LATCHES,
    SOURCES,
    STATES,
    STOPS,
    priority_of,
    trigger_words,
)


def explain_interlock(table: Table, name: str, usage: Usage) -> Explanation:
    row = table.interlocks[name]
    result = Explanation("interlock", name, row.title)
    result.add("trips when", condition_words(table, row))
    result.add("reads", {s: table.signals[s].title for s in row.signals})
    result.add("debounce", f"{scans(table, row.debounce)} in a row")
    result.add("deadline", f"permit withdrawn within {format_duration(row.respond_within)} of the cause")
    result.add("stop", f"{row.stop}: {STOPS[row.stop_class]}")
    result.add("latch", f"{row.latch}: {LATCHES[row.latch_level]}")
    result.add("acts in", _states(row.states))
    result.add("latches in", _states(row.latching_states))
    result.add("motion", "a trip also withdraws the motion permit" if row.stops_motion else None)
    if row.dicom_code is not None:
        result.add("DICOM code", f"{row.dicom_code}: {DICOM_INTERLOCK_CODES[row.dicom_code]}")
    result.add("requirements", {r: table.requirements[r] for r in row.requirements})
    result.add("hazards", {h: table.hazards[h] for h in row.hazards})
    result.add("basis of the limit", row.basis)
    result.add("proof test", proof_words(table, row))
    result.add("scenarios", usage.of(name, "expected"))
    result.data = row.model_dump(mode="json", by_alias=True, exclude_none=True)
    return result


def proof_words(table: Table, row: Interlock) -> str:
    """How a row is exercised before every beam, or why it is not."""
    if row.proof is None:
        return f"not exercised: {row.no_proof}"
    forced = " and ".join(
        f"{signal} is forced to {amount(table, signal, v)}" for signal, v in row.proof.items()
    )
    within = scans(table, table.proof_timeout)
    return f"before every beam {forced}; it must trip, and clear again afterwards, each within {within}"


def explain_signal(table: Table, name: str, usage: Usage) -> Explanation:
    signal = table.signals[name]
    result = Explanation("signal", name, signal.title)
    result.add("values", signal.kind)
    if signal.kind != "bool":
        result.add("unit", signal.unit or "none")
        result.add("one count (LSB)", amount(table, name, signal.lsb))
        low, high = signal.range
        result.add("range", f"{low} to {amount(table, name, high)}")
    result.add("safe value", f"{amount(table, name, signal.safe)}, taken when nothing is known")
    result.add("driven by", SOURCES[signal.source])
    readers = {
        key: condition_words(table, row) for key, row in table.interlocks.items() if name in row.signals
    }
    result.add("read by", readers or "no interlock")
    result.add("faults that touch it", faults_on(name))
    result.add("scenarios", usage.of(name, "signal"))
    result.data = signal.model_dump(mode="json", exclude_none=True)
    return result


def explain_state(table: Table, name: str, usage: Usage) -> Explanation:
    state = State[name]
    result = Explanation("state", name, STATES[state])
    result.add("beam permit", permit_words(state))
    result.add("motors", "may be driven" if state in MOTION_PERMITTED else "may not be driven")
    result.add("power", "removed" if state in (State.off, State.emergency) else "on")
    if state in BEAM_IN_PROGRESS:
        result.add("beam", "one is selected and proven: a restart of the controller here ends it")
    ways = sorted((row for row in TRANSITIONS if row.source is state), key=lambda r: priority_of(r.trigger))
    result.add("leads to", [f"{way.dest.name} on {_way(way)}" for way in ways])
    result.add("entered from", [f"{r.source.name} on {_way(r)}" for r in TRANSITIONS if r.dest is state])
    acting = [key for key, row in table.interlocks.items() if state in row.states]
    result.add("interlocks acting", acting or "none")
    result.add("scenarios", usage.of(name, "state", "expected"))
    result.data = {"number": int(state)}
    return result


def permit_words(state: State) -> str:
    if state is State.irradiation:
        return "given while no interlock that acts here is tripped and nothing is latched"
    return "never"


def _way(row: Row) -> str:
    guard = f", if {GUARDS[row.guard]}" if row.guard else ""
    return f"{row.trigger} ({trigger_words(row.trigger)}){guard}"


def explain_command(table: Table, name: str, usage: Usage) -> Explanation:
    command = Command[name]
    result = Explanation("command", name, COMMANDS[command])
    trigger = TRIGGER_COMMANDS.get(command)
    ways = [row for row in TRANSITIONS if row.trigger == trigger]
    result.add(
        "obeyed in",
        [
            f"{r.source.name}, leads to {r.dest.name}{f', if {GUARDS[r.guard]}' if r.guard else ''}"
            for r in ways
        ],
    )
    resets = {
        Command.reset_local: ("local",),
        Command.reset_operator: ("operator", "local"),
        Command.reset_physics: ("operator", "physics", "local"),
    }.get(command, ())
    result.add("resets", [name for name, row in table.interlocks.items() if row.latch in resets])
    result.add("scenarios", usage.of(name, "command"))
    result.data = {"number": int(command)}
    return result


def explain_requirement(table: Table, name: str, usage: Usage) -> Explanation:
    result = Explanation("requirement", name, table.requirements[name])
    rows = {key: row.title for key, row in table.interlocks.items() if name in row.requirements}
    result.add("interlocks", rows or "none")
    result.add("scenarios", usage.of(name, "requirement"))
    return result


def explain_hazard(table: Table, name: str, usage: Usage) -> Explanation:
    result = Explanation("hazard", name, table.hazards[name])
    rows = {key: row for key, row in table.interlocks.items() if name in row.hazards}
    result.add("interlocks", {key: row.title for key, row in rows.items()} or "none")
    wanted = dict.fromkeys(r for row in rows.values() for r in row.requirements)
    result.add("requirements", {r: table.requirements[r] for r in wanted})
    return result


def _states(states: frozenset[State]) -> str:
    return ", ".join(state.name for state in sorted(states)) or "no state"
