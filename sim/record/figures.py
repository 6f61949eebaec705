"""How times, durations and quantities read in the story and in the report."""

from __future__ import annotations

import math
from typing import Any

MISSING = "—"

# Microseconds in one of each unit of time that an expectation may use.
TIME_UNITS_US = {"us": 1.0, "µs": 1.0, "ms": 1e3, "s": 1e6, "min": 60e6}

SECONDS_FROM_MS = 10_000
COUNTED = {"times", "beams", "trips"}  # units of expectations that are plurals


def clock(t_us: int) -> str:
    """Simulated time as ``mm:ss.mmm``; the minutes go on counting beyond an hour."""
    milliseconds = (t_us + 500) // 1000
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def duration(us: float) -> str:
    """A length of time given in us, in the unit that reads best."""
    size = abs(us)
    if size < 1000:
        return f"{number(us)} µs"
    if size < 1e6:
        return f"{number(round(us / 1e3, 2))} ms"
    if size < 120e6:
        return f"{number(round(us / 1e6, 2))} s"
    return f"{number(round(us / 60e6, 1))} min"


def number(value: float) -> str:
    """At most three decimals, more only for values below 0.01; no exponent, no trailing zeros."""
    value = float(value)
    if not math.isfinite(value):
        return str(value)
    decimals = 3
    if value and abs(value) < 0.01:
        decimals = min(12, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def quantity(value: Any, unit: str | None = None, *, signed: bool = False) -> str:
    """A value with its unit; a yes or no, a word or nothing at all are fine too.

    Milliseconds are told as seconds from 10 s on, one time is not ``1 times``.
    """
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        if unit == "ms" and abs(value) >= SECONDS_FROM_MS:
            value, unit = value / 1000, "s"
        text = number(value)
        if signed and value > 0:
            text = f"+{text}"
        if unit in COUNTED and value == 1:
            unit = unit[:-1]
        return f"{text} {unit}" if unit else text
    return plain(value)


def monitor_units(value: Any) -> str:
    """A meterset in MU with two decimals, without the unit."""
    return f"{float(value):.2f}" if is_number(value) else MISSING


def is_number(value: Any) -> bool:
    """True for a finite int or float; a bool is not a number here."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def as_us(value: Any, unit: Any) -> float | None:
    """A time in any unit of ``TIME_UNITS_US``, in us; None if it is not a time."""
    factor = TIME_UNITS_US.get(str(unit))
    return float(value) * factor if factor is not None and is_number(value) else None


def plain(value: Any) -> str:
    """Any JSON value in words: ``a=1, b=2`` for a mapping, commas for a list."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, dict):
        return ", ".join(f"{key}={plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value)
    return str(value)


def words(name: Any) -> str:
    """An identifier as a reader says it: ``latch_reset`` is ``latch reset``."""
    return str(name).replace("_", " ")


def amount(count: int, singular: str, plural: str | None = None) -> str:
    """``1 beam``, ``2 beams``."""
    return f"{count} {singular if count == 1 else plural or singular + 's'}"
