"""JSON Schema as editors need it: kinds choose their keys, descriptions say unit, limit and default."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from click.testing import CliRunner
from pydantic import Field

from cli.main import main
from firmware_model.diagnostics import DocumentError
from firmware_model.editor_schema import json_schema
from firmware_model.key_rules import KeyRules
from firmware_model.quantity import Duration, Length
from firmware_model.strict_yaml import loads
from firmware_model.table_loading import load_table
from sim.editor_schemas import KINDS, editor_schema

from .toy_scenario import Strict


class Door(Strict):
    """A door.

    Not part of the summary.
    """

    kind: Literal["door"]
    side: Annotated[str, Field(description="left or right")]


class Gas(Strict):
    """A gas
    line."""

    kind: Literal["gas"]
    pressure: Annotated[int, Field(ge=10, le=50, description="kPa")]


class Doc(Strict):
    """A document."""

    wait: Annotated[Duration, Field(ge=1_000, description="how long")]
    pause: Duration = 1_500
    optional: Duration | None = 60_000_000
    none: Duration | None = None
    width: Annotated[Length, Field(gt=0, le=500)] = 100
    count: Annotated[int, Field(ge=1, description="how often")] = 3
    amount: int | float | bool | None = None
    part: Annotated[Door | Gas, Field(discriminator="kind")] | None = None
    names: dict[Annotated[str, Field(pattern="^[a-z]+$")], int] | None = None


SCHEMA = json_schema(Doc, "Some file", "https://example.org/doc.json")
PROPERTIES = SCHEMA["properties"]


def test_the_head_of_a_schema() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (SCHEMA["$id"], SCHEMA["title"]) == ("https://example.org/doc.json", "Some file")
    assert SCHEMA["additionalProperties"] is False
    assert SCHEMA["required"] == ["wait"]
    json.dumps(SCHEMA)


@pytest.mark.parametrize(
    ("key", "description"),
    [
        ("wait", "how long; duration in us, ms, s, min, h, at least 1 ms (required)"),
        ("pause", "duration in us, ms, s, min, h; default 1.5 ms"),
        ("optional", "duration in us, ms, s, min, h; default 1 min"),
        ("none", "duration in us, ms, s, min, h"),
        ("width", "length in mm, cm, more than 0 mm, at most 5 mm; default 1 mm"),
        ("count", "how often; at least 1; default 3"),
    ],
)
def test_a_description_says_unit_limits_and_default(key: str, description: str) -> None:
    assert PROPERTIES[key]["description"] == description


def test_a_quantity_is_text_with_a_unit() -> None:
    wait = PROPERTIES["wait"]
    assert wait["type"] == "string"
    assert re.search(wait["pattern"], "10 ms")
    assert wait["errorMessage"] == (
        "write a duration, a number and a unit (us, ms, s, min, h), at least 1 ms, for example 10 ms"
    )
    assert wait["examples"]


@pytest.mark.parametrize(
    ("text", "good"),
    [("1.5 mm", True), ("0 mm", False), ("0.00 mm", False), ("-1 mm", False), ("+2 mm", True)],
)
def test_the_sign_of_a_quantity_is_part_of_its_pattern(text: str, good: bool) -> None:
    assert bool(re.search(PROPERTIES["width"]["pattern"], text)) is good
    try:
        loads(f"wait: 1 s\nwidth: {text}", "x", Doc)
    except DocumentError:
        assert not good
    else:
        assert good


def test_an_optional_key_is_described_by_what_it_is() -> None:
    assert PROPERTIES["none"]["type"] == "string"
    assert "default" not in PROPERTIES["none"]
    assert PROPERTIES["amount"]["type"] == ["number", "boolean"]


def test_the_tag_of_a_union_chooses_its_keys() -> None:
    part = PROPERTIES["part"]
    assert part["required"] == ["kind"]
    assert part["properties"]["kind"]["enum"] == ["door", "gas"]
    assert part["properties"]["kind"]["enumDescriptions"] == ["A door.", "A gas line."]
    chosen = {branch["if"]["properties"]["kind"]["const"]: branch["then"] for branch in part["allOf"]}
    assert chosen == {"door": {"$ref": "#/$defs/Door"}, "gas": {"$ref": "#/$defs/Gas"}}
    assert "oneOf" not in part


def test_names_that_do_not_fit_are_refused() -> None:
    assert PROPERTIES["names"]["additionalProperties"] is False
    assert list(PROPERTIES["names"]["patternProperties"]) == ["^[a-z]+$"]


# -- rules between keys -----------------------------------------------------------------------


class Rules(KeyRules, Strict):
    one_of = ("a", "b")
    needs: ClassVar = {"c": "a"}
    excludes: ClassVar = {"d": ("b",)}

    a: int | None = None
    b: int | None = None
    c: int | None = None
    d: int | None = None


class Some(KeyRules, Strict):
    any_of = ("a", "b")

    a: int | None = None
    b: int | None = None


@pytest.mark.parametrize(
    ("model", "text", "message"),
    [
        (Rules, "a: 1", None),
        (Rules, "{a: 1, c: 1, d: 1}", None),
        (Rules, "{a: 1, b: null}", None),
        (Rules, "{c: 1}", "give exactly one of a, b; here: none of them"),
        (Rules, "{a: 1, b: 1}", "give exactly one of a, b; here: a, b"),
        (Rules, "{b: 1, c: 1}", "'c' goes with 'a': add 'a'"),
        (Rules, "{b: 1, d: 1}", "'d' does not go with 'b': leave one out"),
        (Some, "{a: 1, b: 2}", None),
        (Some, "{}", "give one or more of a, b"),
    ],
)
def test_rules_between_keys(model: type[KeyRules], text: str, message: str | None) -> None:
    if message is None:
        loads(text, "x", model)
        return
    with pytest.raises(DocumentError) as refused:
        loads(text, "x", model)
    assert message in str(refused.value)


def test_rules_between_keys_in_the_schema() -> None:
    schema = json_schema(Rules, "", "x")
    assert [option["required"] for option in schema["anyOf"]] == [["a"], ["b"]]
    assert schema["dependentRequired"] == {"c": ["a"]}
    barred = {rule["if"]["required"][0]: set(rule["then"]["properties"]) for rule in schema["allOf"]}
    assert barred == {"a": {"b"}, "b": {"a", "d"}, "d": {"b"}}


# -- the schemas of the project ---------------------------------------------------------------


def undescribed(schema: dict[str, Any]) -> list[str]:
    """Keys without a description, wherever they stand."""
    found = []
    for name, part in {"": schema, **schema.get("$defs", {})}.items():
        for key, value in part.get("properties", {}).items():
            text = value.get("description", "").removesuffix("(required)").strip()
            if len(text) < 3:
                found.append(f"{name}.{key}")
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_is_described(kind: str) -> None:
    schema = editor_schema(kind, load_table())
    assert undescribed(schema) == []
    del schema["properties"][next(iter(schema["properties"]))]["description"]
    assert len(undescribed(schema)) == 1


def test_a_scenario_is_offered_the_names_of_the_table() -> None:
    table = load_table().without("DOOR_OPEN")
    schema = editor_schema("scenario", table)
    offered = schema["$defs"]["Expectation"]["properties"]["trips"]["examples"]
    assert "DOOR_CONTACTS" in offered
    assert "DOOR_OPEN" not in offered
    assert schema["$defs"]["SignalStuck"]["properties"]["signal"]["examples"] == list(table.signals)
    # A choice of the fault's own is not replaced.
    assert "examples" not in schema["$defs"]["Utility"]["properties"]["signal"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_prints_and_writes(kind: str, tmp_path: Path) -> None:
    printed = CliRunner().invoke(main, ["schema", kind])
    assert printed.exit_code == 0, printed.output
    out = tmp_path / "x.json"
    written = CliRunner().invoke(main, ["schema", kind, "--out", str(out)])
    assert written.exit_code == 0, written.output
    assert out.read_text(encoding="utf-8") == printed.output
    assert json.loads(printed.output)["$id"].endswith(kind)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["schema", "--out", str(tmp_path / "no" / "x.json")])
    assert result.exit_code == 2
    assert "cannot be written" in result.output
