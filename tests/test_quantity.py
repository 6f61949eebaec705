"""Quantities: exact integers out of text with a unit, and back."""

from __future__ import annotations

import decimal
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from firmware_model import quantity as q
from firmware_model.diagnostics import DocumentError, RefusedValue
from firmware_model.strict_yaml import loads

KINDS: list[tuple[Any, Callable[[object], int], Callable[[int], str], bool]] = [
    (q.Duration, q.parse_duration, q.format_duration, False),
    (q.Angle, q.parse_angle, q.format_angle, True),
    (q.Length, q.parse_length, q.format_length, True),
    (q.Meterset, q.parse_meterset, q.format_meterset, False),
    (q.DoseRate, q.parse_dose_rate, q.format_dose_rate, False),
    (q.Percent, q.parse_percent, q.format_percent, True),
]
LARGEST = 2**53 - 1


def refused(parse: Callable[[object], int], text: object) -> RefusedValue:
    with pytest.raises(RefusedValue) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (q.parse_duration, "40 us", 40),
        (q.parse_duration, "10 ms", 10_000),
        (q.parse_duration, "10ms", 10_000),
        (q.parse_duration, "0.001 ms", 1),
        (q.parse_duration, "2.5 s", 2_500_000),
        (q.parse_duration, "1 min", 60_000_000),
        (q.parse_duration, "0.5 min", 30_000_000),
        (q.parse_duration, "2 h", 7_200_000_000),
        (q.parse_duration, "1.50000000000 s", 1_500_000),
        (q.parse_duration, "+0 s", 0),
        (q.parse_duration, "007 s", 7_000_000),
        (q.parse_angle, "12.5 deg", 1_250),
        (q.parse_angle, "-0.01 deg", -1),
        (q.parse_length, "3 cm", 3_000),
        (q.parse_length, "1.5 mm", 150),
        (q.parse_length, "-0.001 cm", -1),
        (q.parse_meterset, "0.5 MU", 500),
        (q.parse_meterset, "0.001 MU", 1),
        (q.parse_dose_rate, "600 MU/min", 600),
        (q.parse_percent, "2 %", 200),
        (q.parse_percent, "-0.05%", -5),
        (q.parse_percent, "90071992547409.91 %", LARGEST),
    ],
)
def test_what_is_understood(parse: Callable[[object], int], text: str, value: int) -> None:
    got = parse(text)
    assert (got, type(got)) == (value, int)


@pytest.mark.parametrize(
    ("parse", "text", "message", "suggestion"),
    [
        (q.parse_duration, 10, "10 has no unit; a duration is written in us, ms, s, min, h", "10 ms"),
        (q.parse_duration, 2.5, "2.5 has no unit", "write for example 10 ms"),
        (q.parse_duration, "10", "'10' has no unit", "write for example 10 ms"),
        (q.parse_duration, "10 ", "'10 ' has no unit", "write for example 10 ms"),
        (q.parse_duration, True, "must be a duration", "write for example 10 ms"),
        (q.parse_duration, None, "must be a duration", "write for example 10 ms"),
        (q.parse_duration, ["10 ms"], "must be a duration", "write for example 10 ms"),
        (q.parse_duration, "", "'' is not a duration", "write for example 10 ms"),
        (q.parse_duration, "ms", "'ms' is not a duration", "write for example 10 ms"),
        (q.parse_duration, ".5 s", "'.5 s' is not a duration", "write for example 10 ms"),
        (q.parse_duration, "5. s", "'5. s' is not a duration", "write for example 10 ms"),
        (q.parse_duration, "1,5 s", "unknown unit ',5 s'", "write for example 10 ms"),
        (q.parse_duration, "1_000 ms", "unknown unit '_000 ms'", None),
        (q.parse_duration, "1e3 ms", "unknown unit 'e3 ms'", None),
        (q.parse_duration, "1 000 ms", "'1 000 ms' is not a duration", "write for example 10 ms"),
        (q.parse_duration, "- 1 ms", "'- 1 ms' is not a duration", "write for example 10 ms"),
        (q.parse_duration, " 1 ms", "' 1 ms' is not a duration", "write for example 10 ms"),
        (q.parse_duration, "1 ms ", "unknown unit 'ms '", "did you mean 'ms'?"),
        (q.parse_duration, "1 ms\n", "unknown unit 'ms\\n'", "did you mean 'ms'?"),
        (q.parse_duration, "1\u00a0ms", "unknown unit '\\xa0ms'", "did you mean 'ms'?"),
        (q.parse_duration, "٣ ms", "'٣ ms' is not a duration", "write for example 10 ms"),
        (q.parse_duration, "10 msec", "unknown unit 'msec'", "did you mean 'ms'?"),
        (q.parse_duration, "10 MS", "unknown unit 'MS'", "did you mean 'ms'?"),
        (q.parse_duration, "10 sec", "unknown unit 'sec'", "did you mean 's'?"),
        (q.parse_duration, "10 Minutes", "unknown unit 'Minutes'", "did you mean 'min'?"),
        (q.parse_duration, "10 \N{MICRO SIGN}s", "unknown unit", "did you mean 'us'?"),
        (q.parse_duration, "10 \N{GREEK SMALL LETTER MU}s", "unknown unit", "did you mean 'us'?"),
        (q.parse_duration, "10 deg", "unknown unit 'deg'", "write for example 10 ms"),
        (q.parse_duration, "10 mm", "unknown unit 'mm'", None),
        (q.parse_duration, "-1 ms", "'-1 ms': a duration cannot be negative", None),
        (q.parse_duration, "1.5 us", "'1.5 us' is not a multiple of 1 us, the resolution here", None),
        (q.parse_duration, "0.0000001 s", "is not a multiple of 1 us", None),
        (q.parse_duration, "1.0000000000000000000000000001 s", "is not a multiple of 1 us", None),
        (q.parse_duration, "9007199254740992 us", "is too large; the largest duration is", None),
        (q.parse_duration, "9" * 31 + " us", "has more than 30 digits", None),
        (q.parse_duration, "9" * 30 + " h", "is too large", None),
        (q.parse_duration, "9" * 100_000 + " h", "has more than 30 digits", None),
        (q.parse_duration, "1 " + "x" * 100_000, "unknown unit", None),
        (q.parse_angle, "12.345 deg", "not a multiple of 0.01 deg", None),
        (q.parse_angle, "12 °", "unknown unit '°'", "did you mean 'deg'?"),
        (q.parse_angle, "12 degrees", "unknown unit 'degrees'", "did you mean 'deg'?"),
        (q.parse_length, "1.0005 cm", "not a multiple of 0.01 mm", None),
        (q.parse_length, "1 sec", "unknown unit 'sec'; a length is written in mm, cm", "for example 1.5 mm"),
        (q.parse_meterset, "1 mu", "unknown unit 'mu'", "did you mean 'MU'?"),
        (q.parse_meterset, "-1 MU", "a meterset cannot be negative", None),
        (q.parse_meterset, "0.0005 MU", "not a multiple of 0.001 MU", None),
        (q.parse_dose_rate, "600 MU", "unknown unit 'MU'; a dose rate is written in MU/min", None),
        (q.parse_dose_rate, "600.5 MU/min", "not a multiple of 1 MU/min", None),
        (q.parse_dose_rate, "600 mu/min", "unknown unit 'mu/min'", "did you mean 'MU/min'?"),
        (q.parse_percent, "2 percent", "unknown unit 'percent'", "did you mean '%'?"),
        (q.parse_percent, "2.005 %", "not a multiple of 0.01 %", None),
    ],
)
def test_what_is_refused(
    parse: Callable[[object], int], text: object, message: str, suggestion: str | None
) -> None:
    error = refused(parse, text)
    assert message in error.message
    assert len(error.message) < 200
    if suggestion is not None:
        assert suggestion in (error.suggestion or "")
    assert str(error).startswith(error.message)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (q.format_duration(0), "0 us"),
        (q.format_duration(40), "40 us"),
        (q.format_duration(999), "999 us"),
        (q.format_duration(1_500), "1.5 ms"),
        (q.format_duration(10_000), "10 ms"),
        (q.format_duration(2_500_000), "2.5 s"),
        (q.format_duration(1_000_001), "1.000001 s"),
        (q.format_duration(60_000_000), "1 min"),
        (q.format_duration(90_000_000), "90 s"),
        (q.format_duration(7_200_000_000), "2 h"),
        (q.format_duration(5_400_000_000), "90 min"),
        (q.format_duration(-10_000), "-10 ms"),
        (q.format_angle(1_250), "12.5 deg"),
        (q.format_angle(-1), "-0.01 deg"),
        (q.format_angle(0), "0 deg"),
        (q.format_length(3_000), "30 mm"),
        (q.format_length(150), "1.5 mm"),
        (q.format_meterset(500), "0.5 MU"),
        (q.format_meterset(1), "0.001 MU"),
        (q.format_dose_rate(600), "600 MU/min"),
        (q.format_percent(200), "2 %"),
        (q.format_percent(-5), "-0.05 %"),
        (q.format_percent(10_000), "100 %"),
    ],
)
def test_how_quantities_are_written(text: str, expected: str) -> None:
    assert text == expected


@pytest.mark.parametrize(("_", "parse", "write", "signed"), KINDS)
@given(data=st.data())
def test_what_is_written_is_read_back(
    _: Any, parse: Callable[[object], int], write: Callable[[int], str], signed: bool, data: st.DataObject
) -> None:
    value = data.draw(st.integers(-LARGEST if signed else 0, LARGEST) | st.integers(0, 10**7))
    assert parse(write(value)) == value


@given(st.decimals(0, 1000, allow_nan=False, places=7), st.sampled_from(["us", "ms", "s", "min", "h"]))
@example(Decimal("1.0000001"), "s")
def test_reading_is_exact_or_refused(number: Decimal, unit: str) -> None:
    size = {"us": 1, "ms": 1_000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000}[unit]
    text = f"{number:f} {unit}"
    exact = number * size
    if exact == exact.to_integral_value():
        assert q.parse_duration(text) == int(exact)
    else:
        assert "not a multiple of 1 us" in refused(q.parse_duration, text).message


def test_the_decimal_context_of_the_caller_does_not_matter() -> None:
    with decimal.localcontext(prec=2):
        assert q.parse_duration("1.234567 s") == 1_234_567


@pytest.mark.parametrize(("kind", "parse", "write", "_"), KINDS)
@given(text=st.from_regex(r"[+-]?[0-9]{1,5}(\.[0-9]{1,4})? ?(ms|deg|cm|MU|MU/min|%|x)?", fullmatch=True))
def test_the_json_schema_accepts_what_the_parser_accepts(
    kind: Any, parse: Callable[[object], int], write: Callable[[int], str], _: bool, text: str
) -> None:
    schema = TypeAdapter(kind).json_schema()
    matches = re.search(schema["pattern"], text) is not None
    try:
        parse(text)
        accepted = True
    except RefusedValue as error:
        accepted = "not a multiple" in error.message  # more than a pattern can say
    assert matches == accepted


@pytest.mark.parametrize(("kind", "parse", "write", "_"), KINDS)
def test_the_json_schema_is_for_text(
    kind: Any, parse: Callable[[object], int], write: Callable[[int], str], _: bool
) -> None:
    schema = TypeAdapter(kind).json_schema()
    assert schema["type"] == "string"
    assert schema["description"]
    assert schema["examples"]
    for text in schema["examples"]:
        assert write(parse(text)) == text or parse(write(parse(text))) == parse(text)
        assert re.search(schema["pattern"], text)


class Model(BaseModel):
    wait: Annotated[q.Duration, Field(ge=1_000, lt=60_000_000)] = 1_000
    end: q.Duration | Literal["never"] | None = None
    drift: list[Annotated[q.Percent, Field(ge=-500, le=500)]] = []


def test_in_a_model() -> None:
    model = loads("wait: 2.5 s\nend: never\ndrift: [-5 %, 0.01 %]", "f", Model)
    assert (model.wait, model.end, model.drift) == (2_500_000, "never", [-500, 1])
    assert loads("end: 1 h", "f", Model).end == 3_600_000_000
    assert loads("end: null", "f", Model).end is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("wait: 999 us", "'999 us' is below the smallest accepted value 1 ms"),
        ("wait: 1 min", "'1 min' must be less than 1 min"),
        ("drift: [0 %, -5.01 %]", "'-5.01 %' is below the smallest accepted value -5 %"),
        ("wait: 10", "10 has no unit"),
        ("wait: '10'", "'10' has no unit"),
        ("wait: 1.5 us", "'1.5 us' is not a multiple of 1 us"),
    ],
)
def test_limits_are_named_with_their_unit(text: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        loads(text, "f", Model)
    assert caught.value.problems[0].message.startswith(message)


def test_an_integer_is_refused_outside_documents_too() -> None:
    with pytest.raises(ValidationError, match="has no unit"):
        Model.model_validate({"wait": 10_000})
    assert Model.model_validate({"wait": "10 ms"}).wait == 10_000


@given(st.text(max_size=12) | st.integers() | st.floats() | st.none())
def test_any_value_is_read_or_refused(value: object) -> None:
    for _, parse, _, _ in KINDS:
        try:
            assert isinstance(parse(value), int)
        except RefusedValue as error:
            assert error.message  # noqa: PT017
