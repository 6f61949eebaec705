"""Trip conditions in words, with limits in the unit of their signal."""

from __future__ import annotations

from functools import singledispatch

from pydantic import BaseModel

from firmware_model import table as t
from firmware_model.editor_schema import summary
from firmware_model.quantity import format_duration


def condition_words(table: t.Table, row: t.Interlock) -> str:
    """When an interlock trips, as half a sentence, with what enables or disables the row.

    Kinds of conditions that have no words here show their values.
    """
    only = f", while {row.only_if} is true" if row.only_if else ""
    unless = f", unless {row.unless} is true" if row.unless else ""
    return _words(row.trips_when, table) + only + unless


def scans(table: t.Table, count: int) -> str:
    """A number of scans, and the time they take."""
    return f"{count} scan{'' if count == 1 else 's'} ({format_duration(count * table.scan_period)})"


def amount(table: t.Table, signal: str, value: t.Number | bool) -> str:
    """A value with the unit of a signal."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g} {table.signals[signal].unit}".strip() if value < 1e6 else _whole(table, signal, value)


def _whole(table: t.Table, signal: str, value: t.Number) -> str:
    return f"{value} {table.signals[signal].unit}".strip()


def _any(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _margin(table: t.Table, signal: str, condition: t.Differs | t.Exceeds, base: str) -> str:
    parts = []
    if condition.percent is not None:
        parts.append(f"{condition.percent:g} % of {base}")
    if condition.by is not None:
        parts.append(amount(table, signal, condition.by))
    if len(parts) == 1:
        return parts[0]
    which = "smaller" if condition.combine == "min" else "larger"
    return f"the {which} of {parts[0]} and {parts[1]}"


@singledispatch
def _words(condition: BaseModel, table: t.Table) -> str:
    values = condition.model_dump(by_alias=True, exclude_none=True, exclude={"kind"})
    return f"{summary(type(condition))} ({', '.join(f'{k}: {v}' for k, v in values.items())})"


@_words.register
def _(condition: t.IsFalse, table: t.Table) -> str:
    return f"{_any(condition.signals)} is false"


@_words.register
def _(condition: t.IsTrue, table: t.Table) -> str:
    return f"{_any(condition.signals)} is true"


@_words.register
def _(condition: t.Disagree, table: t.Table) -> str:
    return f"{condition.signal} and {condition.other} disagree"


@_words.register
def _(condition: t.Above, table: t.Table) -> str:
    return f"{condition.signal} is above {amount(table, condition.signal, condition.limit)}"


@_words.register
def _(condition: t.Below, table: t.Table) -> str:
    return f"{condition.signal} is below {amount(table, condition.signal, condition.limit)}"


@_words.register
def _(condition: t.Outside, table: t.Table) -> str:
    low = amount(table, condition.signal, condition.low)
    return f"{condition.signal} is below {low} or above {amount(table, condition.signal, condition.high)}"


@_words.register
def _(condition: t.Differs, table: t.Table) -> str:
    margin = _margin(table, condition.signal, condition, condition.from_)
    return f"{condition.signal} differs from {condition.from_} by more than {margin}"


@_words.register
def _(condition: t.Exceeds, table: t.Table) -> str:
    margin = _margin(table, condition.signal, condition, condition.preset)
    return f"{condition.signal} is above {condition.preset} by more than {margin}"


@_words.register
def _(condition: t.Reaches, table: t.Table) -> str:
    return f"{condition.signal} has reached {condition.preset}"


@_words.register
def _(condition: t.Mismatch, table: t.Table) -> str:
    return f"{condition.signal} and {condition.other} are not both known and equal"


@_words.register
def _(condition: t.WrongDigest, table: t.Table) -> str:
    return f"{condition.signal} is not the digest of the table the controller runs"


@_words.register
def _(condition: t.Rate, table: t.Table) -> str:
    window = scans(table, condition.window)
    return (
        f"{condition.signal} gains {'more' if condition.sense == 'above' else 'less'} than "
        f"{condition.percent:g} % of {condition.set_rate} over {window}, sampled every "
        f"{scans(table, condition.step)}"
    )


@_words.register
def _(condition: t.PerTravel, table: t.Table) -> str:
    return (
        f"within {amount(table, condition.position, condition.over)} of {condition.position}, the gains of "
        f"{condition.signal} and {condition.planned} differ by more than {condition.percent:g} % and more "
        f"than {amount(table, condition.signal, condition.by)}"
    )


@_words.register
def _(condition: t.Stale, table: t.Table) -> str:
    return f"{condition.signal} stands still for more than {scans(table, condition.ticks)}"


@_words.register
def _(condition: t.Timer, table: t.Table) -> str:
    return f"the time spent in the acting states is above {condition.limit}"


@_words.register
def _(condition: t.Moves, table: t.Table) -> str:
    after = f", {scans(table, condition.after)} into the acting states" if condition.after else ""
    if condition.by == 0:
        return f"{condition.signal} is not what it was on entering the acting states{after}"
    by = amount(table, condition.signal, condition.by)
    return f"{condition.signal} has moved by more than {by} since entering the acting states{after}"


@_words.register
def _(condition: t.Grows, table: t.Table) -> str:
    by = amount(table, condition.signal, condition.by)
    after = (
        f", counted from {scans(table, condition.after)} into the acting states" if condition.after else ""
    )
    return f"{condition.signal} gains more than {by}{after}"


@_words.register
def _(condition: t.Flag, table: t.Table) -> str:
    return f"the controller itself has noted {condition.flag}"
