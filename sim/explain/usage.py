"""Which scenarios have to do with a name: the faults they apply, what they expect, what they prove."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from firmware_model.core_schemas import SchemaReader
from firmware_model.stimulus import is_stimulus
from firmware_model.strict_yaml import DocumentError, load
from sim.scenario.schema import Expectation, Scenario, Step

#: Folders below a scenario folder that hold other documents.
OTHER_DOCUMENTS = ("courses", "plans", "machines", "tables")


def runnable_files(folder: Path) -> list[Path]:
    """Every scenario and every stimulus below a folder, in the order of their paths."""
    found = sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")])
    return [file for file in found if not set(OTHER_DOCUMENTS) & set(file.relative_to(folder).parts[:-1])]


def scenario_files(folder: Path) -> list[Path]:
    """Every scenario below a folder; a stimulus has no plant, so it is none."""
    return [file for file in runnable_files(folder) if not is_stimulus(file)]


@dataclass(slots=True)
class Usage:
    """For every name that scenarios mention: file, and what it says about it."""

    folder: Path | None
    mentions: dict[str, dict[str, list[str]]] = field(default_factory=lambda: defaultdict(dict))
    unreadable: list[str] = field(default_factory=list)

    def of(self, name: str, *kinds: str) -> dict[str, str]:
        """Scenarios that mention ``name`` in one of the roles ``kinds``; what each says."""
        found: dict[str, str] = {}
        for kind in kinds:
            for file, texts in self.mentions.get(f"{kind}/{name}", {}).items():
                joined = "; ".join(dict.fromkeys(texts))
                found[file] = f"{found[file]}; {joined}" if file in found else joined
        return dict(sorted(found.items()))

    def note(self, kind: str, name: str, file: str, text: str) -> None:
        self.mentions[f"{kind}/{name}"].setdefault(file, []).append(text)


def read_usage(folder: Path | None) -> Usage:
    """What the scenarios below a folder mention. Files that are no sound scenario are listed, not fatal."""
    usage = Usage(folder)
    if folder is None or not folder.is_dir():
        return usage
    for path in scenario_files(folder):
        try:
            scenario = load(path, Scenario)
        except DocumentError:
            usage.unreadable.append(str(path))
            continue
        file = str(path)
        for requirement in scenario.requirements:
            usage.note("requirement", requirement, file, scenario.title)
        for step in scenario.timeline:
            _note_step(usage, file, step)
        for expectation in scenario.expect:
            _note_expectation(usage, file, expectation)
    return usage


def _note_step(usage: Usage, file: str, step: Step) -> None:
    if step.at.state is not None:
        usage.note("state", step.at.state, file, f"step {step.id} happens on entering it")
    if step.console is not None:
        usage.note("command", step.console, file, f"step {step.id} presses it")
    if step.fault is None:
        return
    keys = _as_written(step.fault)
    kind = keys.pop("kind")
    words = ", ".join(f"{key} {value}" for key, value in keys.items())
    usage.note("fault", kind, file, f"step {step.id}{f': {words}' if words else ''}")
    for value in keys.values():
        usage.note("signal", value, file, f"step {step.id}: {kind}")


def _note_expectation(usage: Usage, file: str, expectation: Expectation) -> None:
    given = _as_written(expectation)
    after = f" after {expectation.after}" if expectation.after else ""
    for key in Expectation.one_of:
        if key in given:
            value = given[key]
            usage.note("expectation", key, file, f"{value}{after}")
            # An interlock, a state or a target; the asker knows which.
            usage.note("expected", value, file, f"{key}{after}")


def _as_written(part: BaseModel) -> dict[str, str]:
    """Keys that were given, with their values as a file has them: quantities with unit, true and false."""
    reader = SchemaReader()
    schemas = reader.fields(type(part).__pydantic_core_schema__)  # type: ignore[arg-type]
    found = {}
    for key, value in part.model_dump(exclude_none=True, exclude_unset=True, by_alias=True).items():
        written = reader.formatter(schemas.get(key))
        if written is not None and isinstance(value, int):
            found[key] = written(value)
        else:
            found[key] = str(value).lower() if isinstance(value, bool) else str(value)
    return found
