"""The YAML that is read: what a scalar becomes, what is refused, and how much a document may hold."""

from __future__ import annotations

import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from firmware_model import strict_yaml
from firmware_model.strict_yaml import Limits, loads

from .toy_scenario import Anything, Strict, problem, problems, read, refused


@pytest.fixture(
    params=[
        pytest.param(
            "CSafeLoader",
            marks=pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML has no C parser here"),
        ),
        "SafeLoader",
    ]
)
def _either_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers of PyYAML: the C one is not built everywhere."""
    monkeypatch.setattr(strict_yaml, "_LOADER", getattr(yaml, request.param))


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


@pytest.mark.parametrize("value", [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, 123456789012345.67, 2.5e-10])
def test_a_float_arrives_exactly_in_a_model(value: float) -> None:
    class Doc(Strict):
        f: float

    assert loads(f"f: {value!r}", "f", Doc).f == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_is_read_as_written(value: float) -> None:
    got = read(f"a: {value!r}")["a"]
    assert got == value
    assert math.copysign(1, got) == math.copysign(1, value)


def test_a_merge_key_in_quotes_is_a_key() -> None:
    assert read("'<<': 1") == {"<<": 1}


# -- what is refused ------------------------------------------------------------------------


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
        pytest.param("a: " + "9" * 5000, "more than 18 digits", id="5000 digits"),
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


# -- limits ---------------------------------------------------------------------------------

SMALL = Limits(size=10, depth=1, nodes=3)


@pytest.mark.parametrize(
    "text",
    ["[" * 21 + "]" * 21, "[" * 500_000, "{a: " * 100_000, "- " * 100_000],
    ids=["just too deep", "flow lists", "flow mappings", "block lists"],
)
def test_nesting_is_limited(text: str) -> None:
    assert "deeper than 20" in problem(text, Anything).message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2, 3]", "more than 3"),
        ("[1,2,  3, 4]", "10 bytes"),
        ("é" * 6, "10 bytes"),
        ("[[]]", "than 1 lev"),
    ],
)
def test_limits_may_be_lower(text: str, message: str) -> None:
    assert message in str(refused(text, Anything, limits=SMALL))


def test_a_document_may_reach_its_limits() -> None:
    assert read("[" * 20 + "]" * 20) is not None
    assert read("[1, 2]", SMALL) == [1, 2]
    assert read("[" * 100 + "]" * 100, Limits(depth=100)) is not None


def test_the_depth_cannot_be_set_above_100() -> None:
    with pytest.raises(ValueError, match="1 to 100"):
        Limits(depth=101)
