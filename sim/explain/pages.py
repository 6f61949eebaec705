"""The reference pages that follow from the code and the table: docs/table.md and docs/states.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from firmware_model.quantity import format_duration
from firmware_model.states import MOTION_PERMITTED, TRANSITIONS, Command, State
from firmware_model.table import DICOM_INTERLOCK_CODES, Interlock, Table
from sim.explain.conditions import amount, condition_words, scans
from sim.explain.controller import permit_words, proof_words
from sim.explain.vocabulary import (
    COMMANDS,
    GUARDS,
    LATCHES,
    PRIORITY,
    SOURCES,
    STATES,
    STOPS,
    priority_of,
    trigger_words,
)

_WRITTEN = "<!-- Written by `make docs`. Change {source} and run it again. -->\n"


def table_page(table: Table) -> str:
    """Every interlock, signal, requirement and hazard of a table, and how they hang together."""
    parts = [
        "# The reference table",
        _WRITTEN.format(source="the table"),
        f"What [{table.name}](../firmware_model/tables/reference_linac.yaml), version {table.version}, says: "
        f"{len(table.interlocks)} interlocks over {len(table.signals)} signals, {len(table.requirements)} "
        f"requirements and {len(table.hazards)} hazards. The controller scans every "
        f"{format_duration(table.scan_period)}. `interlock explain NAME` tells the same of one "
        "name, with the scenarios that exercise it.",
        "## Requirements",
        _grid(("id", "requirement", "interlocks"), _requirements(table)),
        "## Hazards",
        _grid(("id", "hazard", "interlocks", "requirements"), _hazards(table)),
        "## Stop classes and latch levels",
        _grid(("stop", "what a trip does"), ((f"`{s.name}`", text) for s, text in STOPS.items())),
        _grid(("latch", "how it is cleared"), ((f"`{level.name}`", text) for level, text in LATCHES.items())),
        "## Interlocks",
        "In the order of the table: of equally severe trips in one scan the first is first up.",
        _grid(
            ("id", "trips when", "debounce", "deadline", "stop", "latch"),
            (_interlock_row(table, name, row) for name, row in table.interlocks.items()),
        ),
        *(_interlock(table, name, row) for name, row in table.interlocks.items()),
        "## Signals",
        f"Values when nothing is known are safe: they permit no beam. {_sources()}",
        _grid(
            ("signal", "what it is", "kind", "unit", "LSB", "range", "safe", "driven by", "read by"),
            (_signal_row(table, name) for name in table.signals),
        ),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _requirements(table: Table) -> Iterable[tuple[str, ...]]:
    for name, text in table.requirements.items():
        rows = (key for key, row in table.interlocks.items() if name in row.requirements)
        yield f"`{name}`", text, _links(rows)


def _hazards(table: Table) -> Iterable[tuple[str, ...]]:
    for name, text in table.hazards.items():
        rows = {key: row for key, row in table.interlocks.items() if name in row.hazards}
        wanted = dict.fromkeys(r for row in rows.values() for r in row.requirements)
        yield f"`{name}`", text, _links(rows), ", ".join(f"`{r}`" for r in wanted)


def _interlock_row(table: Table, name: str, row: Interlock) -> tuple[str, ...]:
    within = format_duration(row.respond_within)
    words = condition_words(table, row)
    return _links([name]), words, scans(table, row.debounce), within, f"`{row.stop}`", f"`{row.latch}`"


def _interlock(table: Table, name: str, row: Interlock) -> str:
    code = row.dicom_code
    items = [
        f"acts in {_names(row.states)}; latches in {_names(row.latching_states)}",
        f"requirements: {'; '.join(f'`{r}` {table.requirements[r]}' for r in row.requirements)}",
        f"hazards: {'; '.join(f'`{h}` {table.hazards[h]}' for h in row.hazards) or 'none'}",
        f"basis: {row.basis}",
        f"proof test: {proof_words(table, row)}",
    ]
    if row.stops_motion:
        items.insert(1, "a trip also withdraws the motion permit")
    if code is not None:
        items.append(f"DICOM: {code}, {DICOM_INTERLOCK_CODES[code]}")
    return f"### {name}\n\n{row.title}.\n\n" + "\n".join(f"* {item}" for item in items)


def _signal_row(table: Table, name: str) -> tuple[str, ...]:
    signal = table.signals[name]
    low, high = signal.range
    plain = signal.kind == "bool"
    readers = _links(key for key, row in table.interlocks.items() if name in row.signals)
    return (
        f"`{name}`",
        signal.title,
        signal.kind,
        signal.unit,
        "" if plain else f"{signal.lsb}",
        "" if plain else f"{low} to {high}",
        amount(table, name, signal.safe),
        signal.source,
        readers or "no interlock",
    )


def _sources() -> str:
    return "; ".join(f"`{name}`: {text.partition(': ')[2]}" for name, text in SOURCES.items()) + "."


def states_page() -> str:
    """The state diagram, every transition with its guard and priority, and what each state permits."""
    parts = [
        "# States",
        _WRITTEN.format(source="`firmware_model/states.py`"),
        "What is not here cannot happen: the controller is given exactly these transitions "
        "([states.py](../firmware_model/states.py)). Not drawn: every state "
        "but `off` goes to `emergency` when an interlock of that stop class trips.",
        _diagram(),
        "## What each state permits",
        _grid(
            ("state", "meaning", "beam permit", "motors", "power"),
            (
                (
                    f"`{state.name}`",
                    STATES[state],
                    permit_words(state),
                    "may be driven" if state in MOTION_PERMITTED else "no",
                    "no" if state in (State.off, State.emergency) else "on",
                )
                for state in State
            ),
        ),
        "An interlock with `stops_motion` also withdraws the motion permit while it is tripped or latched.",
        "## Transitions",
        "At most one a scan. Of several that could fire the one with the smallest number does; a command "
        "that finds a trip before it is refused.",
        _grid(("order", "what fires"), ((f"{i}", label) for i, (label, _) in enumerate(PRIORITY, 1))),
        _grid(("from", "trigger", "to", "order", "only if", "what fires it"), _transitions()),
        "## Guards",
        _grid(("guard", "holds when"), ((f"`{name}`", text) for name, text in GUARDS.items())),
        "## Commands",
        "At most one a scan.",
        _grid(("command", "what it asks for"), ((f"`{c.name}`", COMMANDS[c]) for c in Command if c)),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _diagram() -> str:
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> off"]
    joined: dict[tuple[State, State], list[str]] = {}
    for row in TRANSITIONS:
        if row.trigger != "emergency":
            joined.setdefault((row.source, row.dest), []).append(row.trigger)
    for (source, dest), triggers in joined.items():
        label = " / ".join(dict.fromkeys(triggers))
        lines.append(f"    {source.name} --> {dest.name} : {label}")
    return "\n".join([*lines, "```"])


def _transitions() -> Iterable[tuple[str, ...]]:
    for row in sorted(TRANSITIONS, key=lambda row: (row.source, priority_of(row.trigger))):
        guard = f"`{row.guard}`" if row.guard else ""
        order = str(priority_of(row.trigger))
        words = trigger_words(row.trigger)
        yield f"`{row.source.name}`", f"`{row.trigger}`", f"`{row.dest.name}`", order, guard, words


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _links(names: Iterable[str]) -> str:
    return ", ".join(f"[{name}](#{name.lower()})" for name in names)


def _names(states: frozenset[State]) -> str:
    return ", ".join(f"`{state.name}`" for state in sorted(states)) or "no state"
