"""Explanations of what a scenario can say: kinds of faults and expectations, from their models."""

from __future__ import annotations

from typing import Any, get_args

from firmware_model.editor_schema import json_schema, summary
from sim.explain.explanation import Explanation
from sim.explain.usage import Usage
from sim.faults.base import BaseFault
from sim.faults.catalogue import Fault
from sim.scenario.schema import Expectation

#: Every kind of fault and its model, in the order of the catalogue.
FAULTS: dict[str, type[BaseFault]] = {
    get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(get_args(Fault)[0])
}


def explain_fault(kind: str, usage: Usage) -> Explanation:
    model = FAULTS[kind]
    result = Explanation("fault", kind, summary(model))
    keys = _described(model)
    keys.pop("kind")
    result.add("keys", keys or "none")
    effect = "what its line carries, never what really happens" if "signal" in _free_keys(model) else ""
    result.add("changes", effect or "what really happens")
    result.add("written", f"fault: {{kind: {kind}{''.join(f', {key}: …' for key in _required(model))}}}")
    result.add("scenarios", usage.of(kind, "fault"))
    return result


def explain_expectation(key: str, usage: Usage) -> Explanation:
    described = _described(Expectation)
    result = Explanation("expectation", key, described[key])
    needs = Expectation.needs.get(key)
    result.add("needs", {needs: described[needs]} if needs else None)
    limits = [k for k in described if k not in Expectation.one_of and k != needs]
    if key not in Expectation.one_of:
        required = [name for name, other in Expectation.needs.items() if other == key]
        result.add("goes with", f"one of the quantities of an expectation: {', '.join(Expectation.one_of)}")
        result.add("required by", required)
    else:
        result.add("other keys of an expectation", {k: described[k] for k in limits})
    result.add("scenarios", usage.of(key, "expectation"))
    return result


def faults_on(signal: str) -> dict[str, str]:
    """Kinds of faults that can act on a signal: on any line, or naming this one among their choices."""
    found = {}
    for kind, model in FAULTS.items():
        choices = [value for f in model.model_fields.values() for value in get_args(f.annotation)]
        if "signal" in _free_keys(model) or signal in choices:
            found[kind] = summary(model)
    return found


def _free_keys(model: type[BaseFault]) -> set[str]:
    """Keys whose value is any text: names of the table rather than a choice of their own."""
    return {name for name, field in model.model_fields.items() if field.annotation is str}


def _required(model: type[BaseFault]) -> list[str]:
    return [n for n, f in model.model_fields.items() if f.is_required() and n != "kind"]


def _described(model: type[Any]) -> dict[str, str]:
    """What an editor shows for each key."""
    properties = json_schema(model, "", "")["properties"]
    return {key: _with_choices(value) for key, value in properties.items()}


def _with_choices(schema: dict[str, Any]) -> str:
    choices = ", ".join(map(str, schema.get("enum", ())))
    return f"{schema['description']}{f'; one of {choices}' if choices else ''}"
