"""Finding what a name means: interlock, signal, state, command, fault, invariant, expectation and so on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from firmware_model.diagnostics import did_you_mean
from firmware_model.states import Command, State
from firmware_model.table import Table
from sim.explain import controller, faults
from sim.explain.explanation import Explanation
from sim.explain.invariants import explain_invariant, known_invariants
from sim.explain.usage import Usage
from sim.explain.vocabulary import COMMANDS, STATES
from sim.scenario.schema import Expectation

Explain = Callable[[Usage], Explanation]


@dataclass(frozen=True, slots=True)
class Entry:
    """One name that can be explained."""

    kind: str
    name: str
    title: str
    explain: Explain


class NoSuchName(ValueError):
    """Nothing has this name; the message suggests what may be meant."""


def index(table: Table) -> list[Entry]:
    """Everything that can be explained, by kind in the order of reading."""
    entries: list[Entry] = []

    def add(kind: str, names: dict[str, str], explain: Callable[[str, Usage], Explanation]) -> None:
        for name, title in names.items():
            entries.append(Entry(kind, name, title, lambda usage, name=name: explain(name, usage)))  # type: ignore[misc]

    def of_table(explain: Callable[[Table, str, Usage], Explanation]) -> Callable[[str, Usage], Explanation]:
        return lambda name, usage: explain(table, name, usage)

    none = Usage(None)
    add(
        "interlock",
        {name: row.title for name, row in table.interlocks.items()},
        of_table(controller.explain_interlock),
    )
    add(
        "signal",
        {name: signal.title for name, signal in table.signals.items()},
        of_table(controller.explain_signal),
    )
    add("state", {s.name: STATES[s] for s in State}, of_table(controller.explain_state))
    commands = {c.name: COMMANDS[c] for c in Command if c is not Command.none}
    add("command", commands, of_table(controller.explain_command))
    add(
        "fault",
        {kind: faults.explain_fault(kind, none).title for kind in faults.FAULTS},
        faults.explain_fault,
    )
    add(
        "expectation",
        {key: faults.explain_expectation(key, none).title for key in Expectation.model_fields},
        faults.explain_expectation,
    )
    add("invariant", known_invariants(), explain_invariant)
    add("requirement", dict(table.requirements), of_table(controller.explain_requirement))
    add("hazard", dict(table.hazards), of_table(controller.explain_hazard))
    return entries


def find(entries: list[Entry], name: str) -> list[Entry]:
    """Entries that ``name`` stands for: without regard to case, else by its beginning, else by a part.

    Several mean that the name is not unique. Raises NoSuchName when there is none.
    """
    wanted = _plain(name)
    tests: tuple[Callable[[str], bool], ...] = (
        lambda known: known == wanted,
        lambda known: known.startswith(wanted),
        lambda known: wanted in known,
    )
    for fits in tests:
        if wanted and (found := [entry for entry in entries if fits(_plain(entry.name))]):
            return sorted(found, key=lambda entry: entry.name != name)  # as typed comes first
    hint = did_you_mean(name, [entry.name for entry in entries])
    raise NoSuchName(
        f"nothing is called {name!r}" + (f"; {hint}" if hint and "known here" not in hint else "")
    )


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")
