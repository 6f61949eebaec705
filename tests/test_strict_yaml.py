"""Reading documents: what is refused, where the problem points and what it suggests."""

from __future__ import annotations

import contextlib
import json
import math
import os
import pickle
import subprocess
import sys
from enum import Enum, StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    Tag,
    field_validator,
    model_validator,
)

from firmware_model import strict_yaml
from firmware_model.diagnostics import DocumentError, Problem, RefusedValue, closest, did_you_mean
from firmware_model.quantity import Duration, Length
from firmware_model.strict_yaml import Limits, json_schema, load, load_document, loads, loads_document


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Side(Enum):
    LEFT = "left"
    RIGHT = "right"


class Class(StrEnum):
    A = "immediate"
    B = "end_of_beam"


class Door(Strict):
    kind: Literal["door"]
    side: Side = Side.LEFT


class Gas(Strict):
    kind: Literal["gas"]
    pressure: Annotated[int, Field(ge=10, le=50)]


class BeamOn(Strict):
    beam_on: Literal["arc", "static"]
    at: Duration = 0


class Wait(Strict):
    wait: Annotated[Duration, Field(gt=0, le=5_000_000)]
    at: Duration = 0


class Expect(Strict):
    expect: dict[Literal["door", "gas"], int]


class Scenario(Strict):
    """What happens in a run."""

    name: Annotated[str, Field(max_length=20, pattern="^[a-z ]+$", description="short title")]
    seed: int = 0
    gain: float = 1.0
    active: bool = True
    energy: Literal[6, 10] = 6
    reaction: Class = Class.A
    jaws: tuple[Length, Length] = (0, 0)
    counts: Annotated[list[int], Field(max_length=3)] = []
    limit: int | None = None
    sensors: list[Annotated[Door | Gas, Field(discriminator="kind")]] = []
    steps: list[BeamOn | Wait | Expect] = []
    end: Duration | Literal["never"] = "never"
    mixed: int | list[int] | bool = 0


class Anything(RootModel[Any]):
    pass


def read(text: str) -> Any:
    return loads(text, "f.yaml", Anything).root


def problems(text: str, model: type[BaseModel] = Scenario) -> list[Problem]:
    with pytest.raises(DocumentError) as caught:
        loads(text, "f.yaml", model)
    assert str(caught.value)
    return caught.value.problems


def problem(text: str, model: type[BaseModel] = Scenario) -> Problem:
    found = problems(text, model)
    assert len(found) == 1, found
    return found[0]


def marked(problem: Problem) -> str:
    """The underlined part of the source line."""
    assert problem.snippet is not None
    line, carets = problem.snippet.split("\n")
    start = carets.index("^")
    return line[start : start + carets.count("^")]


@pytest.fixture(params=["C", "Python"])
def _either_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers of PyYAML: the C one is not built everywhere."""
    if request.param == "C" and not yaml.__with_libyaml__:
        pytest.skip("PyYAML has no C parser here")
    monkeypatch.setattr(strict_yaml, "_LOADER", yaml.CSafeLoader if request.param == "C" else yaml.SafeLoader)


# -- the form of a refusal ------------------------------------------------------------------


def test_a_problem_is_printed_like_a_compiler_does() -> None:
    text = "name: x\nsteps:\n  - expct: {door: 3}\n"
    with pytest.raises(DocumentError) as caught:
        loads(text, "scenarios/x.yaml", Scenario)
    assert str(caught.value) == (
        "scenarios/x.yaml:3:5: unknown key 'expct'\n"
        "    3 |   - expct: {door: 3}\n"
        "      |     ^^^^^\n"
        "      = help: did you mean 'expect'?"
    )


def test_problems_come_in_reading_order() -> None:
    text = "zzz: 1\nseed: x\nname: x\ngain: y\n"
    assert [(p.line, p.column) for p in problems(text)] == [(1, 1), (2, 7), (4, 7)]


def test_at_most_twenty_problems_are_given() -> None:
    text = "name: x\nsensors: [" + "a, " * 50 + "]\n"
    with pytest.raises(DocumentError, match="only the first 20 problems are shown") as caught:
        loads(text, "f.yaml", Scenario)
    assert len(caught.value.problems) == 20
    with pytest.raises(DocumentError) as caught:
        loads("a: 1\n" * 50, "f.yaml", Scenario)
    assert len(caught.value.problems) == 20
    assert len(caught.value.args[0]) == 21, "reading goes on after the last problem that is shown"
    assert len(problems("".join(f"{'abc'[i % 3]}: &x{i} 1\n" for i in range(20_000)))) == 20


def test_exactly_twenty_problems_are_not_called_the_first() -> None:
    with pytest.raises(DocumentError) as caught:
        loads("name: x\nsensors: [" + "a, " * 20 + "]\n", "f.yaml", Scenario)
    assert len(caught.value.problems) == 20
    assert "only the first" not in str(caught.value)


def test_a_document_error_survives_pickling() -> None:
    error = DocumentError([Problem("f", 1, 2, "m", "s", "x")])
    again = pickle.loads(pickle.dumps(error))
    assert (again.problems, str(again)) == (error.problems, str(error))


def test_long_lines_are_cut_around_the_place() -> None:
    found = problem(f"name: x\nsensors: [{' ' * 5000}, {{kind: dor}}, {' ' * 5000}]".replace(" ,", " "))
    assert marked(found) == "dor"
    assert found.snippet is not None
    assert max(map(len, found.snippet.split("\n"))) < 120


def test_a_snippet_cannot_steer_the_terminal() -> None:
    found = problem("name: \x1b[31mred")
    assert (found.line, found.column) == (1, 7)
    assert "\x1b" not in str(found)


def test_columns_count_characters_not_bytes() -> None:
    found = problems("name: x\ncounts: [1, 'é€𝄞', q]")[1]
    assert (found.line, found.column, marked(found)) == (2, 20, "q")


# -- files ----------------------------------------------------------------------------------


def test_load_reads_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes("\ufeffname: x\r\nseed: 3\r\n".encode())
    assert load(path, Scenario).seed == 3


@pytest.mark.parametrize(
    ("content", "line", "column", "message"),
    [
        (b"name: x\nseed: \xff3\n", 2, 7, "byte 0xff is not UTF-8"),
        (b"\xff\xfen\x00", 1, 1, "byte 0xff is not UTF-8"),
        (b"a: \xc3", 1, 4, "byte 0xc3 is not UTF-8"),
        ("é: 1\r\né\0: 2".encode(), 2, 2, "U+0000"),
        (b"a: 1\n\tb: 2", 2, 1, "tab"),
        (b"", 0, 0, "the document is empty"),
        (b"a: 1 #" + b"x" * 2**20, 0, 0, "larger than the limit of 1048576 bytes"),
    ],
)
def test_unreadable_content_is_placed(
    tmp_path: Path, content: bytes, line: int, column: int, message: str
) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(DocumentError) as caught:
        load(path, Scenario)
    [found] = caught.value.problems
    assert (found.source, found.line, found.column) == (str(path), line, column)
    assert message in found.message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    cases = {
        tmp_path: "it is a directory",
        tmp_path / "none.yaml": "there is no such file",
        pipe: "no regular file",
        loop: "cannot be read",
        Path("a\0b"): "a\0b: ",
        tmp_path / ("x" * 300): "cannot be read",
        tmp_path / "none.yaml" / "below": "there is no such file",
    }
    for path, message in cases.items():
        with pytest.raises(DocumentError, match=f"{message}"):
            load(path, Scenario)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("name: x")
    path.chmod(0)
    with pytest.raises(DocumentError, match="Permission denied"):
        load(path, Scenario)


def test_a_file_name_that_is_not_utf8_can_be_printed() -> None:
    with pytest.raises(DocumentError) as caught:
        loads("", "caf\udce9.yaml", Scenario)
    str(caught.value).encode("utf-8")


# -- scalars --------------------------------------------------------------------------------


@pytest.mark.usefixtures("_either_parser")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3), ("-3", -3), ("+3", 3), ("0", 0), ("-0", 0), ("999999999999999999", 10**18 - 1),
        ("1.5", 1.5), ("-0.25", -0.25), ("1e3", 1000.0), ("1.5E-3", 0.0015), ("0e-999", 0.0),
        ("true", True), ("false", False), ("null", None), ("'3'", "3"), ('"true"', "true"),
        ("'null'", "null"), ("|\n  3", "3\n"), ("''", ""),
    ],
)  # fmt: skip
def test_what_is_converted(text: str, value: object) -> None:
    got = read(f"a: {text}\n")["a"]
    assert (got, type(got)) == (value, type(value))


@pytest.mark.usefixtures("_either_parser")
@pytest.mark.parametrize(
    "text",
    [
        "yes", "no", "on", "off", "y", "n", "Yes", "True", "TRUE", "False", "~", "Null", "NULL", "010",
        "-010", "0o17", "0x1f", "0b11", "1_000", "12:30", "12:30:45", "1:30.5", "2024-01-01",
        "2024-01-01T00:00:00Z", ".5", "5.", "1.e3", "1e", "1.5.2", "10 ms", "=", "inf", "nan", "01.5", "٣",
    ],
)  # fmt: skip
def test_what_stays_text(text: str) -> None:
    assert read(f"a: {text}\n{'b' if text == '~' else 'a' + text}: 1\n")["a"] == text


@pytest.mark.usefixtures("_either_parser")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: .nan", "numbers are finite"),
        ("a: .NaN", "numbers are finite"),
        ("a: -.Inf", "numbers are finite"),
        ("a: 1e999", "outside the range"),
        ("a: 1e-999", "outside the range"),
        ("a: 1234567890123456789", "more than 18 digits"),
        ("a: -1234567890123456789", "more than 18 digits"),
        ("a: " + "9" * 5000, "more than 18 digits"),
        ("a: &x 1", "anchors"),
        ("&x a: 1", "anchors"),
        ("a: &x {}", "anchors"),
        ("a: *x", "aliases"),
        ("*x : 1", "aliases"),
        ("a: !!int 1", "tags"),
        ("a: !!python/object/apply:os.system [ls]", "tags"),
        ("a: ! 1", "tags"),
        ("a: !x {}", "tags"),
        ("<<: {a: 1}", "merge keys"),
        ("a: 1\na: 2", "duplicate key 'a'; it stands on line 1"),
        ("{a: 1, 'a': 2}", "duplicate key 'a'"),
        ("a: 1\nb: 1\n---\nc: 2", "second document"),
        ("--- 1\n---\n", "second document"),
        ("%YAML 1.1\n---\na: 1", "directives"),
        ("%TAG ! tag:x,2000:\n---\na: 1", "directives"),
        ("1: x", "key must be text"),
        ("true: x", "key must be text"),
        ("null: x", "key must be text"),
        ("1.5: x", "key must be text"),
        ("? [1]\n: x", "key must be text"),
        ("? {a: 1}\n: x", "key must be text"),
        ("?\n: x", "key is missing"),
        ("a:", "key 'a' has no value"),
        ("a: 1\nb:\nc: 2", "key 'b' has no value"),
        ("- 1\n-\n", "empty list item"),
        ("{a, b: 1}", "key 'a' has no value"),
        ("", "empty"),
        ("# note", "empty"),
        ("---\n", "empty"),
        ("a: b: c", "not YAML"),
        ("a: [1", "that begins on line 1"),
        ("a: 'x", "not YAML"),
        ("@", "not YAML"),
        ('a: "\\U99999999"', "not YAML"),
        ("a:\n  b: 1\n c: 2", "not YAML"),
        ('a: "\\0"', "U+0000"),
        ('a: "\\e[31m"', "U+001B"),
        ('"a\\u200b": 1', "U+200B"),
        ("a: \u202ex", "U+202E"),
        ("a:\u00a01", "U+00A0"),
        ("a: 1\rb: 2", "U+000D"),
        ("a: \ud800", "U+D800"),
        ("a: \u2028", "U+2028"),
        ("a: x\ty", "tab characters"),
    ],
)
def test_what_yaml_allows_and_we_do_not(text: str, message: str) -> None:
    found = problems(text, Anything)[0]
    assert message in found.message
    assert found.line > 0 or message == "empty" or "99999999" in text


def test_places_of_yaml_problems() -> None:
    found = problems("a: &x 1\nbb: {c: *x}\na: 2\n7: 1\n", Anything)
    assert [(p.line, p.column) for p in found] == [(1, 4), (2, 9), (3, 1), (4, 1)]
    assert found[3].suggestion == "put it in quotes: '7'"


@pytest.mark.usefixtures("_either_parser")
@pytest.mark.parametrize("ending", ["", "\n", "\n\n\n"])
def test_a_syntax_error_at_the_end_is_shown_on_the_last_line(ending: str) -> None:
    found = problem(f"a: 1\nb: [2{ending}", Anything)
    assert (found.line, found.column) == (2, 6)
    assert "b: [2" in (found.snippet or "")


def test_a_merge_key_in_quotes_is_a_key() -> None:
    assert read("'<<': 1") == {"<<": 1}


def test_limits() -> None:
    assert read("[" * 20 + "]" * 20) is not None
    assert "deeper than 20" in problem("[" * 21 + "]" * 21, Anything).message
    assert "deeper than 20" in problem("[" * 500_000, Anything).message
    assert "deeper than 20" in problem("{a: " * 100_000, Anything).message
    assert "deeper than 20" in problem("- " * 100_000, Anything).message
    small = Limits(size=10, depth=1, nodes=3)
    assert loads("[1, 2]", "f", Anything, small).root == [1, 2]
    for text, message in [("[1, 2, 3]", "more than 3"), ("[1,2,  3, 4]", "10 bytes"), ("[[]]", "than 1 lev")]:
        with pytest.raises(DocumentError, match=message):
            loads(text, "f", Anything, small)
    with pytest.raises(DocumentError, match="10 bytes"):
        loads("é" * 6, "f", Anything, small)
    with pytest.raises(ValueError, match="1 to 100"):
        Limits(depth=101)


def test_the_deepest_limit_holds() -> None:
    deepest = Limits(depth=100)
    assert loads("[" * 100 + "]" * 100, "f", Anything, deepest).root is not None


# -- models ---------------------------------------------------------------------------------


def test_a_valid_document() -> None:
    text = """\
name: a run
seed: 7
gain: 2            # an integer for a float
active: false
energy: 10
reaction: end_of_beam
jaws: [-1.5 mm, 2 cm]
counts: [1, 2]
limit: null
sensors:
  - {kind: door, side: right}
  - kind: gas
    pressure: 20
steps:
  - beam_on: arc
  - wait: 2 s
    at: 1 ms
  - expect: {door: 1}
end: 2 h
mixed: [1]
"""
    scenario = loads(text, "f.yaml", Scenario)
    assert scenario.gain == 2.0
    assert scenario.reaction is Class.B
    assert scenario.jaws == (-150, 2000)
    assert isinstance(scenario.sensors[0], Door)
    assert scenario.sensors[0].side is Side.RIGHT
    assert scenario.steps[1] == Wait.model_construct(wait=2_000_000, at=1_000)
    assert scenario.end == 7_200_000_000


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


def test_problems_with_text() -> None:
    assert problem("name: 3").message == "must be text, not 3"
    assert problem("name: 3").suggestion == "put it in quotes"
    assert problem("name: " + "x" * 21).message == "the number of characters is 21, must be at most 20"
    assert problem("name: X").message == "'X' does not match ^[a-z ]+$"


def test_a_missing_key_is_shown_at_the_key_of_its_mapping() -> None:
    class Inner(Strict):
        inner: Scenario

    found = problem("inner:\n  seed: 3\n", Inner)
    assert (found.line, marked(found), found.message) == (1, "inner", "missing key 'name'")
    assert problem("seed: 3").message == "missing key 'name'"


def test_a_misspelt_key_is_not_missing_as_well() -> None:
    assert problem("nmae: x").message == "unknown key 'nmae'"
    assert {p.message for p in problems("zzz: x")} == {"unknown key 'zzz'", "missing key 'name'"}


def test_a_whole_document_of_another_kind() -> None:
    assert problem("- 1").message == "must be a mapping, not a list"
    assert problem("hello").message == "must be a mapping, not text 'hello'"
    assert problem("null").message == "must be a mapping, not null"


def test_a_recursive_model() -> None:
    assert problem("v: 1\nkids:\n  - v: 2\n    kids: [{v: x}]\n", Tree).line == 4
    assert problem("v: 1\nkids:\n  - v: 2\n    kid: []\n", Tree).suggestion == "did you mean 'kids'?"


class Tree(Strict):
    v: int
    kids: list[Tree] = []


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


def test_members_told_apart_by_a_literal_only() -> None:
    class Doc(Strict):
        sensor: Door | Gas

    found = problem("sensor: {kind: gas, pressure: 3}", Doc)
    assert (marked(found), found.message) == ("3", "3 is below the smallest accepted value 10")


def test_a_literal_that_agrees_decides_between_members() -> None:
    class Doc(Strict):
        sensor: Door | Gas

    assert problem("sensor: {kind: gas}", Doc).message == "missing key 'pressure'"


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


def test_aliases_of_fields_are_the_keys() -> None:
    class Doc(Strict):
        from_: Annotated[int, Field(alias="from")]

    assert loads("from: 3", "f", Doc).from_ == 3
    assert problem("form: 3", Doc).suggestion == "did you mean 'from'?"
    assert marked(problem("from: x", Doc)) == "x"


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


def test_models_are_strict_but_floats_arrive_exactly() -> None:
    class Doc(Strict):
        f: float

    for value in (0.1, 1 / 3, 5e-324, 1.7976931348623157e308, 123456789012345.67, 2.5e-10):
        text = repr(value)
        assert loads(f"f: {text}", "f", Doc).f == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_is_read_as_written(value: float) -> None:
    assert read(f"a: {value!r}")["a"] == value
    assert math.copysign(1, read(f"a: {value!r}")["a"]) == math.copysign(1, value)


# -- positions ------------------------------------------------------------------------------


def test_positions() -> None:
    text = "name: x\nsteps:\n  - wait: 2 s\n  - {beam_on: arc}\ncounts:\n  - 3\n"
    document = loads_document(text, "f.yaml", Scenario)
    assert document.model.name == "x"
    positions = {
        (): (1, 1),
        ("name",): (1, 7),
        ("steps",): (2, 1),
        ("steps", 0): (3, 5),
        ("steps", 0, "wait"): (3, 11),
        ("steps", 0, "at"): (3, 5),
        ("steps", 1, "beam_on"): (4, 15),
        ("steps", 9, "wait"): (2, 1),
        ("seed",): (1, 1),
        ("counts", 0): (6, 5),
        ("name", "deeper", 3): (1, 7),
    }
    assert {path: document.position(path) for path in positions} == positions


def test_errors_found_after_reading(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("name: x\nsteps:\n  - expect: {door: 3}\n")
    document = load_document(path, Scenario)
    error = document.error(("name",), "no interlock 'x'", did_you_mean("DOR_OPEN", ["DOOR_OPEN", "GAS"]))
    assert str(error) == (
        f"{path}:1:7: no interlock 'x'\n    1 | name: x\n      |       ^\n"
        "      = help: did you mean 'DOOR_OPEN'?"
    )
    at_key = document.problem(("steps", 0, "expect", "door"), "m", at_key=True)
    assert (at_key.column, marked(at_key)) == (14, "door")
    both = DocumentError([at_key, *error.problems])
    assert [p.line for p in both.problems] == [1, 3]


def test_suggestions() -> None:
    assert closest("DOR_OPEN", ["GAS", "DOOR_OPEN"]) == "DOOR_OPEN"
    assert closest("door-open", ["GAS", "DOOR_OPEN"]) == "DOOR_OPEN"
    assert closest("zzz", ["GAS"]) is None
    assert did_you_mean("zzz", ["GAS", "DOOR"]) == "known here: GAS, DOOR"
    assert did_you_mean("zzz", []) is None
    many = did_you_mean("zzz", [f"n{i}" for i in range(40)]) or ""
    assert many.endswith("n11, ... (40 in all)")
    assert did_you_mean("x" * 10**6, ["GAS"]) == "known here: GAS"


# -- JSON Schema ----------------------------------------------------------------------------


def test_json_schema() -> None:
    class Doc(Strict):
        """A document."""

        wait: Annotated[Duration, Field(ge=1_000, description="how long")]
        pause: Duration = 1_500
        optional: Duration | None = 60_000_000
        none: Duration | None = None
        count: Annotated[int, Field(ge=1)] = 3

    schema = json_schema(Doc, "Some file", "https://example.org/doc.json")
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (schema["$id"], schema["title"]) == ("https://example.org/doc.json", "Some file")
    assert schema["description"] == "A document."
    assert schema["additionalProperties"] is False
    properties = schema["properties"]
    assert properties["wait"]["type"] == "string"
    assert properties["wait"]["description"] == "how long"
    assert properties["wait"]["examples"]
    assert [properties[k].get("default") for k in ("pause", "optional", "none", "count")] == [
        "1.5 ms",
        "1 min",
        None,
        3,
    ]
    json.dumps(schema)


# -- whatever is written, the answer is a model or a DocumentError -----------------------------

_TEXT = """\
name: a run
seed: 7
gain: 2.5
active: false
energy: 10
reaction: end_of_beam
jaws: [-1.5 mm, 2 cm]
counts: [1, 2]
limit: null
sensors:
  - {kind: door, side: right}
  - kind: gas
    pressure: 20
steps:
  - beam_on: arc
  - wait: 2 s
    at: 1 ms
  - expect: {door: 1, "gas": 2}
end: 2 h
mixed: [1]
"""
_PIECES = st.sampled_from(
    ["\n", "  ", "- ", ": ", "{", "}", "[", "]", "&a ", "*a", "!!str ", "<<: ", "'", '"', "|\n", "? ", "~",
     "null", "true", "1e999", ".nan", "0x1", "\t", "\0", "#", "---\n", "...\n", "%YAML 1.1\n", "é", "\ud800",
     "\\", ",", "9" * 30, "wait", "kind: gas", "3 msec", "{}", "[]", "at: 1 s"]
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = _TEXT
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        text = text[:start] + draw(_PIECES | st.text(max_size=4)) + text[end:]
    return text


def refusal(text: str, model: type[BaseModel]) -> DocumentError | None:
    """The refusal of a text, None when it is read; any other exception fails the test."""
    try:
        loads(text, "f.yaml", model)
    except DocumentError as error:
        return error
    return None


def _reads_or_refuses(text: str) -> None:
    error = refusal(text, Scenario)
    if error is not None:
        assert 1 <= len(error.problems) <= 20
        str(error).encode("utf-8")
        assert all(found.message and found.line <= text.count("\n") + 1 for found in error.problems)


@given(mutated())
def test_a_mutated_document_is_read_or_refused(text: str) -> None:
    _reads_or_refuses(text)


@given(mutated() | st.text(max_size=60))
def test_the_python_parser_does_not_leak_either(text: str) -> None:
    saved = strict_yaml._LOADER
    strict_yaml._LOADER = yaml.SafeLoader
    try:
        _reads_or_refuses(text)
    finally:
        strict_yaml._LOADER = saved


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)
    with contextlib.suppress(DocumentError):
        load(path, Anything)


_plain_data = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.text(max_size=5)
    | st.sampled_from(["door", "gas", "arc", "2 s", "never", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["kind", "side", "pressure", "beam_on", "wait", "at", "expect", "door", "Wait", "[key]"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@given(
    st.sampled_from(sorted(Scenario.model_fields)),
    _plain_data,
    st.booleans(),
)
def test_any_data_gives_few_problems_below_its_key(key: str, value: object, listed: bool) -> None:
    text = json.dumps({"name": "x", key: [value] if listed else value})
    error = refusal(text, Scenario)
    if error is not None:
        assert all("nput" not in found.message for found in error.problems), str(error)


@given(_plain_data)
def test_json_is_read_as_json_reads_it(value: object) -> None:
    text = json.dumps({"a": value}, ensure_ascii=True)
    if refusal(text, Anything) is None:
        assert read(text) == json.loads(text)
    else:
        assert "\\" in text or "\x7f" in text, "only escapes may be refused"


def test_importing_loads_neither_the_simulator_nor_its_libraries() -> None:
    code = "import sys, firmware_model.strict_yaml, firmware_model.quantity; print(*sys.modules)"
    root = Path(strict_yaml.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert not {"sim", "simpy", "pydicom", "transitions", "numpy", "rich"} & set(done.stdout.split())
