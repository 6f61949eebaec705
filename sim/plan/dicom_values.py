"""Reading single DICOM elements with care: what cannot be read becomes a finding, never a crash.

pydicom converts values only when they are looked at, and reads damaged files without complaint
(formats differ per vendor, no tag may be taken for granted). So every look goes through
:class:`Values`: an absent or empty element is None, an unreadable one raises Refused.

Numbers are Decimal, taken from the text in the file, so that rounding to integers is exact.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterable
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from sim.plan.findings import Refused

# What pydicom 2.4 and 3.0 raise on damaged input, found by damaging files at random.
DICOM_ERRORS: tuple[type[Exception], ...] = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    UnicodeError,
    ValueError,
    struct.error,
    zlib.error,
)

IMPLAUSIBLE = 1e7  # no length in mm, angle, dose rate or meterset of a plan comes near this
_NEGLIGIBLE = 1e-12
_SHOWN = 40


class Values:
    """One DICOM item and its place in the plan, e.g. ``beam 3, control point 7``."""

    def __init__(self, item: Any, where: str) -> None:
        self._item = item
        self.where = where

    def at(self, where: str) -> Values:
        """The same item under another name."""
        return Values(self._item, where)

    def has(self, keyword: str) -> bool:
        """The element is present, empty or not. Nothing is converted."""
        try:
            return keyword in self._item
        except DICOM_ERRORS:
            return False

    def values(self, keyword: str) -> list[Any]:
        """All values of an element as pydicom gives them; empty when absent."""
        value = self._raw(keyword)
        if value is None:
            return []
        try:
            several = isinstance(value, Iterable) and not isinstance(value, str | bytes)
            values = list(value) if several and not hasattr(value, "components") else [value]
            return [v for v in values if v is not None and v not in ("", b"")]
        except DICOM_ERRORS as error:
            raise self._refused(keyword, f"cannot be read ({type(error).__name__})") from None

    def text(self, keyword: str) -> str | None:
        """A single text value without surrounding blanks; None when absent or empty."""
        values = self.values(keyword)
        if not values:
            return None
        if len(values) > 1:
            raise self._refused(keyword, f"holds {len(values)} values, one is expected")
        value = values[0]
        if isinstance(value, bytes):
            raise self._refused(keyword, "is not text")
        return str(value).strip(" \0") or None

    def number(self, keyword: str) -> Decimal | None:
        """A single finite number; None when absent or empty."""
        values = self.values(keyword)
        if not values:
            return None
        if len(values) > 1:
            raise self._refused(keyword, f"holds {len(values)} values, one is expected")
        return self._decimal(keyword, values[0])

    def numbers(self, keyword: str) -> tuple[Decimal, ...] | None:
        """All numbers of a multi-valued element; None when absent or empty."""
        values = self.values(keyword)
        return tuple(self._decimal(keyword, value) for value in values) if values else None

    def whole(self, keyword: str) -> int | None:
        """A single whole number; None when absent or empty."""
        number = self.number(keyword)
        if number is None:
            return None
        if number != number.to_integral_value():
            raise self._refused(keyword, f"is {number}, a whole number is expected")
        return int(number)

    def items(self, keyword: str, name: str) -> list[Values]:
        """The items of a sequence, named ``<where>, <name> <index>``; empty when absent."""
        value = self._raw(keyword)
        if value is None:
            return []
        if isinstance(value, str | bytes) or not isinstance(value, Iterable):
            raise self._refused(keyword, "is not a sequence")
        prefix = "" if self.where == "plan" else f"{self.where}, "
        try:
            return [Values(item, f"{prefix}{name} {index}") for index, item in enumerate(value)]
        except DICOM_ERRORS as error:
            raise self._refused(keyword, f"cannot be read ({type(error).__name__})") from None

    def _raw(self, keyword: str) -> Any:
        try:
            if keyword not in self._item:
                return None
            return self._item[keyword].value
        except DICOM_ERRORS as error:
            raise self._refused(keyword, f"cannot be read ({type(error).__name__})") from None

    def _decimal(self, keyword: str, value: Any) -> Decimal:
        try:
            size = float(value)
        except DICOM_ERRORS:
            raise self._refused(keyword, f"is not a number: {str(value)[:_SHOWN]!r}") from None
        if not math.isfinite(size):
            raise Refused(
                "not-a-number", self.where, f"{keyword} is {size}; every value must be a finite number"
            )
        if abs(size) > IMPLAUSIBLE:
            raise Refused(
                "implausible-value",
                self.where,
                f"{keyword} is {size:.6g}, larger than {IMPLAUSIBLE:.0e}; no plan holds such a value, "
                "the file is probably damaged",
            )
        if abs(size) < _NEGLIGIBLE:
            return Decimal(0)
        try:
            exact = Decimal(str(value).strip(" \0"))
        except (InvalidOperation, ValueError):
            return Decimal(repr(size))
        # The text and pydicom's float are the same number, unless the text is not plain decimal.
        return exact if exact.is_finite() and math.isclose(exact, size) else Decimal(repr(size))

    def _refused(self, keyword: str, reason: str) -> Refused:
        return Refused(
            "unreadable-element",
            self.where,
            f"{keyword} {reason}; the file is damaged or its export is faulty, export the plan again",
        )


def half_up(value: Decimal | Fraction, scale: int) -> int:
    """``value * scale`` as an integer, halves rounded up (DICOM PS3.3 C.8.8.14.1), exactly.

    >>> half_up(Decimal("0.0005"), 1000), half_up(Decimal("-0.005"), 100)
    (1, 0)
    """
    if isinstance(value, Fraction):
        return math.floor(value * scale + Fraction(1, 2))
    return int((value * scale + Decimal("0.5")).to_integral_value(rounding=ROUND_FLOOR))
