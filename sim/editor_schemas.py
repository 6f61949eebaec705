"""The JSON Schemas of the kinds of file: scenario, course, stimulus, plan, interlock table and machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from firmware_model.editor_schema import json_schema
from firmware_model.stimulus import Stimulus
from firmware_model.table import Table
from sim.course.schema import CourseScenario
from sim.machine import Machine
from sim.plan.yaml_model import PlanDocument
from sim.scenario.schema import Scenario

#: Kind of file: its model and what it is called.
KINDS: dict[str, tuple[type[BaseModel], str]] = {
    "scenario": (Scenario, "Linac interlock scenario"),
    "course": (CourseScenario, "Linac interlock course"),
    "stimulus": (Stimulus, "Stimulus of a controller"),
    "plan": (PlanDocument, "Treatment plan"),
    "table": (Table, "Interlock table"),
    "machine": (Machine, "Machine"),
}

#: Keys of a scenario or course whose value is a name of the interlock table, and the part it stands in.
_NAMES = {
    "signal": "signals",
    "other": "signals",
    "first_up": "interlocks",
    "trips": "interlocks",
    "never_trips": "interlocks",
    "by": "interlocks",
    "latched": "interlocks",
    "requirements": "requirements",
}


def editor_schema(kind: str, table: Table) -> dict[str, Any]:
    """The schema of one kind of file. Raises KeyError for an unknown kind.

    Names of ``table`` are offered as examples where a scenario may use them. They restrict nothing, as
    another table may be in force; whether a name exists is for the loader to say.
    """
    model, title = KINDS[kind]
    schema = json_schema(model, title, f"urn:linac-interlock-simulator:{kind}")
    if kind in ("scenario", "course"):
        for key, value in _properties(schema):
            if key in _NAMES:
                names = list(getattr(table, _NAMES[key]))
                target = value["items"] if value.get("type") == "array" else value
                if target.get("type") == "string" and "enum" not in target:
                    target["examples"] = names
    return schema


def _properties(part: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key and its schema, at any depth."""
    if isinstance(part, list):
        for value in part:
            yield from _properties(value)
    elif isinstance(part, dict):
        yield from ((k, v) for k, v in part.get("properties", {}).items() if isinstance(v, dict))
        for value in part.values():
            yield from _properties(value)
