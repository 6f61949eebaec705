"""Values that a model refuses: one problem for each, at the value that was meant."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Discriminator, Field, Tag, field_validator, model_validator

from firmware_model.diagnostics import RefusedValue
from firmware_model.quantity import Duration, Length
from firmware_model.strict_yaml import loads

from .toy_scenario import BeamOn, Door, Gas, Scenario, Strict, Wait, marked, problem, problems


@pytest.mark.parametrize(
    ("line", "mark", "message", "suggestion"),
    [
        ("sed: 1", "sed", "unknown key 'sed'", "did you mean 'seed'?"),
        ("seed: 1\nnaame: 2", "naame", "unknown key 'naame'", "known here: name, seed"),
        ("Seed: 1", "Seed", "unknown key 'Seed'", "did you mean 'seed'?"),
        ("seed: '3'", "'3'", "must be a whole number, not text '3'", "write a plain decimal integer"),
        ("seed: 010", "010", "must be a whole number, not text '010'", "leading zeros"),
        ("seed: 3.0", "3.0", "must be a whole number, not 3.0", None),
        ("seed: true", "true", "must be a whole number, not true", None),
        ("seed: null", "null", "must be a whole number, not null", None),
        ("seed: [1]", "seed", "must be a whole number, not a list", None),
        ("seed: {a: 1}", "seed", "must be a whole number, not a mapping", None),
        ("gain: '1.5'", "'1.5'", "must be a number, not text '1.5'", "without quotes"),
        ("gain: nan", "nan", "must be a number, not text 'nan'", None),
        ("gain: true", "true", "must be a number", None),
        ("active: yes", "yes", "must be true or false, not text 'yes'", "write true, without quotes"),
        ("active: Off", "Off", "must be true or false, not text 'Off'", "write false, without quotes"),
        ("active: 1", "1", "must be true or false, not 1", None),
        ("energy: 7", "7", "7 is not accepted", "known here: 6, 10"),
        ("energy: '6'", "'6'", "'6' is not accepted", "did you mean '6'?"),
        ("reaction: imediate", "imediate", "'imediate' is not accepted", "did you mean 'immediate'?"),
        ("reaction: x", "x", "'x' is not accepted", "known here: immediate, end_of_beam"),
        ("reaction: [x]", "reaction", "must be 'immediate' or 'end_of_beam', not a list", None),
        ("jaws: [1 mm]", "jaws", "the number of entries is 1, must be 2", None),
        ("jaws: []", "jaws", "the number of entries is 0, must be 2", None),
        ("jaws: [1 mm, 1 mm, 1 mm]", "jaws", "the number of entries is 3, must be at most 2", None),
        ("jaws: [1 mm, 1.5 in]", "1.5 in", "unknown unit 'in'", None),
        ("jaws: 3 mm", "3 mm", "must be a list, not text '3 mm'", None),
        ("counts: [1, a, 3]", "a", "must be a whole number, not text 'a'", None),
        ("counts: [1, 2, 3, 4]", "counts", "the number of entries is 4, must be at most 3", None),
        ("counts: {a: 1}", "counts", "must be a list, not a mapping", None),
        ("limit: ~", "~", "must be a whole number, not text '~'", None),
        ("sensors: [{kind: dor}]", "dor", "unknown kind 'dor'", "did you mean 'door'?"),
        ("sensors: [{side: left}]", "{", "missing key 'kind'", "its value is one of: door, gas"),
        ("sensors: [3]", "3", "must be a mapping, not 3", None),
        ("sensors: [{kind: gas, pressure: 51}]", "51", "51 is above the largest accepted value 50", None),
        ("sensors: [{kind: gas, pressure: 9}]", "9", "9 is below the smallest accepted value 10", None),
        (
            "sensors: [{kind: gas, presure: 20}]",
            "presure",
            "unknown key 'presure'",
            "did you mean 'pressure'?",
        ),
        (
            "sensors: [{kind: gas, pressure: 20, side: left}]",
            "side",
            "unknown key 'side'",
            "known here: kind, pressure",
        ),
        ("sensors: [{kind: door, side: lef}]", "lef", "'lef' is not accepted", "did you mean 'left'?"),
        ("steps: [{beam_on: ark}]", "ark", "'ark' is not accepted", "did you mean 'arc'?"),
        ("steps: [{beam-on: arc}]", "beam-on", "unknown key 'beam-on'", "did you mean 'beam_on'?"),
        ("steps: [{zzz: arc}]", "zzz", "unknown key 'zzz'", "known here: beam_on, at, wait, expect"),
        ("steps: [{wait: 6 s}]", "6 s", "'6 s' is above the largest accepted value 5 s", None),
        ("steps: [{wait: 0 s}]", "0 s", "'0 s' must be greater than 0 us", None),
        ("steps: [{wait: 3}]", "3", "3 has no unit", "write for example 10 ms"),
        ("steps: [{wait: 3 s, att: 1 s}]", "att", "unknown key 'att'", "did you mean 'at'?"),
        ("steps: [{at: 3 s, wiat: 1 s}]", "wiat", "unknown key 'wiat'", "did you mean 'wait'?"),
        ("steps: [{at: 3 s}]", "{", "one of these keys is missing: 'beam_on', 'wait'", None),
        ("steps: [{wait: 3 s, beam_on: arc}]", "{", "'wait' and 'beam_on' cannot be used together", None),
        ("steps: [{}]", "{", "one of these keys is missing: 'beam_on', 'wait', 'expect'", None),
        ("steps: [wait]", "wait", "must be a mapping, not text 'wait'", None),
        ("steps: [{expect: {dor: 1}}]", "dor", "'dor' is not accepted", "did you mean 'door'?"),
        ("steps: [{expect: {door: x}}]", "x", "must be a whole number, not text 'x'", None),
        ("end: nevr", "nevr", "'nevr' is not a duration", "did you mean 'never'?"),
        ("end: 3 msec", "3 msec", "unknown unit 'msec'", "did you mean 'ms'?"),
        ("mixed: x", "x", "must be a whole number, a list or true or false, not text 'x'", None),
        ("mixed: [1, x]", "x", "must be a whole number, not text 'x'", None),
        ("mixed: {a: 1}", "mixed", "must be a whole number, a list or true or false, not a mapping", None),
    ],
)
def test_model_errors_become_one_problem(line: str, mark: str, message: str, suggestion: str | None) -> None:
    found = problem(f"name: x\n{line}\n")
    assert found.line == 2 + line.count("\n")
    assert marked(found) == mark
    assert message in found.message
    if suggestion is None:
        assert found.suggestion is None or "write for example" in found.suggestion
    else:
        assert suggestion in (found.suggestion or "")


@pytest.mark.parametrize(
    ("text", "message", "suggestion"),
    [
        ("name: 3", "must be text, not 3", "put it in quotes"),
        ("name: " + "x" * 21, "the number of characters is 21, must be at most 20", None),
        ("name: X", "'X' does not match ^[a-z ]+$", None),
        ("- 1", "must be a mapping, not a list", None),
        ("hello", "must be a mapping, not text 'hello'", None),
        ("null", "must be a mapping, not null", None),
    ],
)
def test_text_fields_and_whole_documents(text: str, message: str, suggestion: str | None) -> None:
    found = problem(text)
    assert (found.message, found.suggestion) == (message, suggestion)


def test_a_missing_key_is_shown_at_the_key_of_its_mapping() -> None:
    class Inner(Strict):
        inner: Scenario

    found = problem("inner:\n  seed: 3\n", Inner)
    assert (found.line, marked(found), found.message) == (1, "inner", "missing key 'name'")
    assert problem("seed: 3").message == "missing key 'name'"


def test_a_misspelt_key_is_not_missing_as_well() -> None:
    assert problem("nmae: x").message == "unknown key 'nmae'"
    assert {p.message for p in problems("zzz: x")} == {"unknown key 'zzz'", "missing key 'name'"}


class Tree(Strict):
    v: int
    kids: list[Tree] = Field(default_factory=list)


def test_a_recursive_model() -> None:
    assert problem("v: 1\nkids:\n  - v: 2\n    kids: [{v: x}]\n", Tree).line == 4
    assert problem("v: 1\nkids:\n  - v: 2\n    kid: []\n", Tree).suggestion == "did you mean 'kids'?"


# -- keys and validators --------------------------------------------------------------------


def test_aliases_of_fields_are_the_keys() -> None:
    class Doc(Strict):
        from_: Annotated[int, Field(alias="from")]

    assert loads("from: 3", "f", Doc).from_ == 3
    assert problem("form: 3", Doc).suggestion == "did you mean 'from'?"
    assert marked(problem("from: x", Doc)) == "x"


def test_validators_point_at_their_value() -> None:
    class Row(Strict):
        id: str
        low: int
        high: int

        @field_validator("id")
        @classmethod
        def _upper(cls, value: str) -> str:
            if not value.isupper():
                raise RefusedValue(f"{value!r} is not upper case", f"write {value.upper()!r}")
            return value

        @model_validator(mode="after")
        def _ordered(self) -> Row:
            if self.low > self.high:
                raise ValueError(f"low is {self.low}, above high {self.high}")
            return self

    class Table(Strict):
        rows: list[Row]

        @model_validator(mode="after")
        def _unique(self) -> Table:
            for index, row in enumerate(self.rows):
                if row.id in [r.id for r in self.rows[:index]]:
                    raise RefusedValue(f"{row.id} stands twice", at=("rows", index, "id"))
            assert len(self.rows) < 5, "too many rows"
            return self

    found = problem("rows:\n- {id: a, low: 1, high: 2}", Table)
    assert (marked(found), found.message, found.suggestion) == ("a", "'a' is not upper case", "write 'A'")
    found = problem("rows:\n- {id: A, low: 3, high: 2}", Table)
    assert (found.line, found.column, found.message) == (2, 3, "low is 3, above high 2")
    found = problem("rows:\n- {id: A, low: 1, high: 2}\n- {id: A, low: 1, high: 2}", Table)
    assert (found.line, marked(found), found.message) == (3, "A", "A stands twice")
    rows = "".join(f"- {{id: {c}, low: 1, high: 2}}\n" for c in "ABCDE")
    assert "too many rows" in problem(f"rows:\n{rows}", Table).message


def test_values_that_a_validator_has_rewritten() -> None:
    class Step(Strict):
        kind: Literal["wait"]
        seconds: int

        @model_validator(mode="before")
        @classmethod
        def _short_form(cls, value: Any) -> Any:
            return {
                "kind": "wait",
                **{k: v for k, v in value.items() if k != "wait"},
                "seconds": value["wait"],
            }

    class Doc(Strict):
        steps: list[Step]

    found = problem("steps:\n- {wait: x}", Doc)
    assert (found.line, found.message) == (2, "seconds: must be a whole number, not text 'x'")


# -- unions ---------------------------------------------------------------------------------


def test_a_discriminator_function_over_single_keys() -> None:
    def first_key(value: Any) -> str | None:
        return next((k for k in value if k in ("beam_on", "wait")), None) if isinstance(value, dict) else None

    class Doc(Strict):
        steps: list[
            Annotated[
                Annotated[BeamOn, Tag("beam_on")] | Annotated[Wait, Tag("wait")], Discriminator(first_key)
            ]
        ]

    assert loads("steps: [{wait: 1 s}]", "f", Doc).steps == [Wait.model_construct(wait=1_000_000, at=0)]
    found = problem("steps: [{wait: 1 sec}]", Doc)
    assert (marked(found), found.suggestion) == ("1 sec", "did you mean 's'?")
    found = problem("steps: [{wiat: 1 s}]", Doc)
    assert (found.message, marked(found), found.suggestion) == (
        "unknown key 'wiat'",
        "wiat",
        "did you mean 'wait'?",
    )
    assert "one of the keys 'beam_on', 'at', 'wait'" in problem("steps: [{at: 1 s}]", Doc).message
    assert "one of the keys" in problem("steps: [3]", Doc).message


@pytest.mark.parametrize(
    ("sensor", "mark", "message"),
    [
        ("{kind: gas, pressure: 3}", "3", "3 is below the smallest accepted value 10"),
        ("{kind: gas}", "sensor", "missing key 'pressure'"),
    ],
)
def test_a_literal_that_agrees_decides_between_members(sensor: str, mark: str, message: str) -> None:
    class Doc(Strict):
        sensor: Door | Gas

    found = problem(f"sensor: {sensor}", Doc)
    assert (marked(found), found.message) == (mark, message)


def test_every_problem_of_the_member_that_was_meant_is_told() -> None:
    found = problems("name: x\nsteps: [{wait: 3, att: 1 s}]")
    assert [marked(p) for p in found] == ["3", "att"]


def test_a_mapping_or_something_else() -> None:
    class Doc(Strict):
        a: Door | int = 0
        b: int | Literal["all"] = 0

    assert problem("a: {knd: door}", Doc).suggestion == "did you mean 'kind'?"
    assert problem("a: {}", Doc).message == "missing key 'kind'"
    assert problem("a: [door]", Doc).message == "must be a mapping or a whole number, not a list"
    assert problem("b: [all]", Doc).message == "must be a whole number or 'all', not a list"


def test_entries_of_tuples() -> None:
    class Doc(Strict):
        pair: tuple[int, Door | Wait] = (0, Door(kind="door"))
        many: tuple[BeamOn | Wait, ...] = ()

    assert problem("pair: [1, {wiat: 1 s}]", Doc).suggestion == "did you mean 'wait'?"
    assert problem("many: [{wait: 1 s}, {wiat: 1 s}]", Doc).suggestion == "did you mean 'wait'?"


def test_members_of_the_same_name() -> None:
    def another() -> type[BaseModel]:
        class BeamOn(Strict):
            beam_off: int

        return BeamOn

    class Doc(Strict):
        step: BeamOn | another()  # type: ignore[valid-type]

    assert len(problems("step: {beam_in: 3}", Doc)) == 1


def test_a_value_that_meets_neither_of_two_kinds_of_text() -> None:
    class Doc(Strict):
        a: Literal["auto", "off"] | Literal["on"]
        b: Duration | Length

    first, second = problems("a: of\nb: 3 sm", Doc)
    assert (first.message, first.suggestion) == ("'of' is not accepted", "did you mean 'off'?")
    assert "unknown unit 'sm'; a duration" in second.message
    assert "; or unknown unit 'sm'; a length" in second.message


def test_keys_of_a_mapping_are_not_taken_for_members_of_a_union() -> None:
    class Doc(Strict):
        a: dict[str, BeamOn | Wait]

    found = problems("a:\n  Wait:\n    wait: 3\n  BeamOn:\n    beam_on: arc\n    at: 4\n", Doc)
    assert [(p.line, marked(p)) for p in found] == [(3, "3"), (6, "4")]


def test_nested_unions_and_enumerations_as_discriminators() -> None:
    class Kind(StrEnum):
        X = "ex"
        Y = "why"

    class X(Strict):
        kind: Literal[Kind.X]
        v: int | Literal["all"] = 0

    class Y(Strict):
        kind: Literal[Kind.Y]
        w: int = 0

    class Doc(Strict):
        it: (
            Annotated[X | Y, Field(discriminator="kind")]
            | list[Annotated[X | Y, Field(discriminator="kind")]]
        )

    found = problem("it: {kind: ex, v: al}", Doc)
    assert (marked(found), found.suggestion) == ("al", "did you mean 'all'?")
    assert problem("it: [{kind: wy}]", Doc).suggestion == "did you mean 'why'?"
    assert problem("it: {kind: why, z: 1}", Doc).suggestion == "known here: kind, w"
    assert problem("it: 3", Doc).message == "must be a mapping or a list, not 3"
