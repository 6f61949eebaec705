"""Quantities with a mandatory unit, read into integers.

In a document a quantity is text: a decimal number and a unit, ``10 ms``. In a model it is an
``int`` in the unit of the project, so that comparisons are exact:

=============  ============================  =====================
type           accepted units                integer unit
=============  ============================  =====================
``Duration``   us, ms, s, min, h             microsecond
``Angle``      deg                           0.01 degree
``Length``     mm, cm                        0.01 mm
``Meterset``   MU                            0.001 MU (mMU)
``DoseRate``   MU/min                        MU/min
``Percent``    %                             0.01 %
=============  ============================  =====================

Angles, lengths and percentages may be negative. A value that the integer unit cannot hold exactly
is refused rather than rounded. Limits are given in the integer unit, as
``Annotated[Duration, Field(ge=1_000)]``, and appear in messages with their unit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from firmware_model.diagnostics import FORMAT_METADATA, RefusedValue, closest

_MAX = 2**53 - 1  # exact in JSON and for every reader of a record
_MAX_DIGITS = 30
_EXACT = Context(prec=60)  # more digits than a product can have, so nothing is rounded
_TEXT = re.compile(r"([+-]?)([0-9]+(?:\.[0-9]+)?) *([^0-9. ].*)?", re.DOTALL)
_OTHER_NAMES = {
    "\N{MICRO SIGN}s": "us",
    "\N{GREEK SMALL LETTER MU}s": "us",
    "usec": "us",
    "microseconds": "us",
    "msec": "ms",
    "milliseconds": "ms",
    "sec": "s",
    "second": "s",
    "seconds": "s",
    "m": "min",
    "minute": "min",
    "minutes": "min",
    "hr": "h",
    "hour": "h",
    "hours": "h",
    "\N{DEGREE SIGN}": "deg",
    "degree": "deg",
    "degrees": "deg",
    "millimetres": "mm",
    "centimetres": "cm",
    "monitor units": "MU",
    "mu/minute": "MU/min",
    "percent": "%",
    "pct": "%",
}


@dataclass(frozen=True, eq=False)  # compared by identity: typing hashes annotations
class _Quantity:
    """One kind of quantity; as the annotation of an int it makes a pydantic type."""

    name: str
    units: Mapping[str, int]  # integer units in one of the unit
    shown: tuple[tuple[str, bool], ...]  # units for output, largest first; True: for whole numbers only
    resolution: str
    examples: tuple[str, ...]
    signed: bool

    def parse(self, text: object) -> int:
        """``text`` in the integer unit. Raises RefusedValue (a ValueError)."""
        known = ", ".join(self.units)
        example = f"write for example {self.examples[0]}"
        if isinstance(text, int | float) and not isinstance(text, bool):
            raise RefusedValue(f"{text} has no unit; a {self.name} is written in {known}", example)
        if not isinstance(text, str):
            raise RefusedValue(f"must be a {self.name}: text with a number and a unit ({known})", example)
        match = _TEXT.fullmatch(text)
        if match is None:
            raise RefusedValue(f"{_cut(text)} is not a {self.name}: a number and a unit ({known})", example)
        sign, digits, unit = match.groups()
        if unit is None:
            raise RefusedValue(f"{_cut(text)} has no unit; a {self.name} is written in {known}", example)
        if unit not in self.units:
            meant = _OTHER_NAMES.get(unit.strip().lower()) or closest(unit, self.units)
            help_text = f"did you mean {meant!r}?" if meant in self.units else example
            raise RefusedValue(f"unknown unit {_cut(unit)}; a {self.name} is written in {known}", help_text)
        if sign == "-" and not self.signed:
            raise RefusedValue(f"{_cut(text)}: a {self.name} cannot be negative")
        if len(digits) > _MAX_DIGITS:
            raise RefusedValue(f"{_cut(text)} has more than {_MAX_DIGITS} digits")
        exact = _EXACT.multiply(Decimal(digits), Decimal(self.units[unit]))
        value = int(exact)
        if value != exact:
            raise RefusedValue(f"{text!r} is not a multiple of {self.resolution}, the resolution here")
        if value > _MAX:
            raise RefusedValue(f"{text!r} is too large; the largest {self.name} is {self.format(_MAX)}")
        return -value if sign == "-" else value

    def format(self, value: int) -> str:
        """``value`` (integer units) as text that ``parse`` reads back."""
        sign, rest = ("-", -value) if value < 0 else ("", value)
        for unit, whole_only in self.shown:
            count, remainder = divmod(rest, self.units[unit])
            if count and not (whole_only and remainder):
                break
        if remainder:
            places = len(str(self.units[unit])) - 1  # units with decimals are powers of ten
            return f"{sign}{count}.{remainder:0{places}d}".rstrip("0") + f" {unit}"
        return f"{sign}{count} {unit}"

    @property
    def pattern(self) -> str:
        """Regular expression (also ECMA 262) of the texts ``parse`` understands."""
        units = "|".join(re.escape(unit) for unit in self.units)
        return rf"^{'[+-]' if self.signed else '[+]'}?[0-9]+(\.[0-9]+)? *({units})$"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            self.parse, core_schema.int_schema(), metadata={FORMAT_METADATA: self.format}
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Text with a unit. ``quantity`` says in words what ``pattern`` and the limits mean."""
        limits = _limits_of(schema)
        words = "".join(f", {_LIMIT_WORDS[key]} {self.format(value)}" for key, value in limits.items())
        units = ", ".join(self.units)
        pattern = self.pattern
        if self.signed and (limits.get("ge", -1) >= 0 or limits.get("gt", -1) >= 0):
            pattern = pattern.replace("[+-]", "[+]")
        if limits.get("gt") == 0:
            pattern = pattern.replace("^", r"^(?![+]?0+(\.0+)? *[^0-9. ])")
        article = "an" if self.name[0] in "aeiou" else "a"
        return {
            "type": "string",
            "pattern": pattern,
            "description": f"{self.name} in {units}; resolution {self.resolution}",
            "quantity": f"{self.name} in {units}{words}",
            "errorMessage": f"write {article} {self.name}, a number and a unit ({units})"
            f"{words}, for example {self.examples[0]}",
            "examples": [text for text in self.examples if re.search(pattern, text)],
        }


_LIMIT_WORDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def _limits_of(schema: Any) -> dict[str, int]:
    """Limits that ``Field(ge=...)`` and its like put around a quantity, in its integer unit."""
    found: dict[str, int] = {}
    while isinstance(schema, dict):
        noted = (schema.get("metadata") or {}).get("pydantic_js_updates") or {}
        found |= {key: noted[key] for key in _LIMIT_WORDS if key in noted}
        schema = schema.get("schema")
    return {key: found[key] for key in _LIMIT_WORDS if key in found}


def _cut(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


_DURATION = _Quantity(
    name="duration",
    units={"us": 1, "ms": 1_000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000},
    shown=(("h", True), ("min", True), ("s", False), ("ms", False), ("us", False)),
    resolution="1 us",
    examples=("10 ms", "2.5 s", "1 min"),
    signed=False,
)
_ANGLE = _Quantity("angle", {"deg": 100}, (("deg", False),), "0.01 deg", ("12.5 deg", "-90 deg"), True)
_LENGTH = _Quantity("length", {"mm": 100, "cm": 1_000}, (("mm", False),), "0.01 mm", ("1.5 mm", "3 cm"), True)
_METERSET = _Quantity("meterset", {"MU": 1_000}, (("MU", False),), "0.001 MU", ("0.5 MU", "200 MU"), False)
_DOSE_RATE = _Quantity("dose rate", {"MU/min": 1}, (("MU/min", False),), "1 MU/min", ("600 MU/min",), False)
_PERCENT = _Quantity("percentage", {"%": 100}, (("%", False),), "0.01 %", ("2 %", "-0.5 %"), True)

Duration = Annotated[int, _DURATION]
"""Microseconds, not negative; written "40 us", "10 ms", "2.5 s", "1 min" or "2 h"."""
Angle = Annotated[int, _ANGLE]
"""0.01 degree; written "12.5 deg"."""
Length = Annotated[int, _LENGTH]
"""0.01 mm; written "1.5 mm" or "3 cm"."""
Meterset = Annotated[int, _METERSET]
"""0.001 MU (mMU), not negative; written "0.5 MU"."""
DoseRate = Annotated[int, _DOSE_RATE]
"""MU/min, not negative; written "600 MU/min"."""
Percent = Annotated[int, _PERCENT]
"""0.01 %; written "2 %"."""

# text -> int; they raise RefusedValue, a ValueError with a suggestion.
parse_duration = _DURATION.parse
parse_angle = _ANGLE.parse
parse_length = _LENGTH.parse
parse_meterset = _METERSET.parse
parse_dose_rate = _DOSE_RATE.parse
parse_percent = _PERCENT.parse

# int -> text that the parser reads back.
format_duration = _DURATION.format
format_angle = _ANGLE.format
format_length = _LENGTH.format
format_meterset = _METERSET.format
format_dose_rate = _DOSE_RATE.format
format_percent = _PERCENT.format
