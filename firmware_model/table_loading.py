"""Reading an interlock table and checking that its parts fit together."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from firmware_model.diagnostics import did_you_mean
from firmware_model.strict_yaml import Document, load_document
from firmware_model.table import (
    MEMORYLESS,
    Differs,
    Exceeds,
    Flag,
    Interlock,
    IsFalse,
    IsTrue,
    Outside,
    PerTravel,
    Rate,
    Table,
    Timer,
    hundredths,
)

REFERENCE_TABLE = Path(__file__).parent / "tables" / "reference_linac.yaml"


def load_table(path: Path = REFERENCE_TABLE) -> Table:
    """Read and check a table. Raises DocumentError naming line, column, value and limit.

    A file that has not changed since it was read last is not read again: a table is frozen, and
    whole folders of scenarios share one.
    """
    try:
        found = path.stat()
    except (OSError, ValueError):
        return _read_table(path)  # which says why it cannot be read
    return _remembered(path.resolve(), (found.st_ino, found.st_mtime_ns, found.st_size), path)


@lru_cache(maxsize=8)
def _remembered(place: Path, version: tuple[int, int, int], path: Path) -> Table:
    return _read_table(path)


def _read_table(path: Path) -> Table:
    return check_table(load_document(path, Table))


def check_table(document: Document[Table]) -> Table:
    """The table of a document, when its parts fit together. Raises DocumentError."""
    for signal_name in document.model.signals:
        _check_signal(document, signal_name)
    for interlock_id in document.model.interlocks:
        _check_interlock(document, interlock_id)
    return document.model


def _check_signal(document: Document[Table], name: str) -> None:
    signal = document.model.signals[name]
    at = ("signals", name)
    try:
        low, high = (signal.counts(bound) for bound in signal.range)
    except ValueError as problem:
        raise document.error((*at, "range"), str(problem)) from None
    if not low < high:
        raise document.error(
            (*at, "range"), f"range {list(signal.range)} is empty: the first value must be the smaller"
        )
    if not -(2**31) <= low <= high < 2**31:
        raise document.error((*at, "range"), "range does not fit 32 bits in LSBs; choose a larger lsb")
    try:
        safe = signal.counts(signal.safe)
    except ValueError as problem:
        raise document.error((*at, "safe"), str(problem)) from None
    if not low <= safe <= high:
        raise document.error(
            (*at, "safe"), f"safe value {signal.safe} lies outside the range {list(signal.range)}"
        )


def _check_interlock(document: Document[Table], name: str) -> None:
    table = document.model
    row = table.interlocks[name]
    at = ("interlocks", name)
    condition_at = (*at, "trips_when")
    for signal_name in row.signals:
        if signal_name not in table.signals:
            raise document.error(
                (*at, _gate_key(row)) if signal_name == row.gate else condition_at,
                f"no signal {signal_name!r} in this table",
                did_you_mean(signal_name, table.signals),
            )
    _check_kinds(document, name)
    _check_limits(document, name)
    for state in row.latches_in or ():
        if row.latch == "none" or state not in row.acts_in:
            raise document.error(
                (*at, "latches_in"), f"{state}: the row must act there and have a latch level"
            )
    for field, known in (("requirements", table.requirements), ("hazards", table.hazards)):
        for item in getattr(row, field):
            if item not in known:
                raise document.error(
                    (*at, field), f"{item!r} is not listed under {field!r}", did_you_mean(item, known)
                )
    if row.respond_within < row.debounce * table.scan_period:
        raise document.error(
            (*at, "respond_within"),
            f"{row.respond_within} us is shorter than the debounce of {row.debounce} scans",
        )
    if row.proof is not None:
        _check_proof(document, name)


def _gate_key(row: Interlock) -> str:
    return "only_if" if row.only_if is not None else "unless"


def _check_kinds(document: Document[Table], name: str) -> None:
    """Signals are of the kind and unit their role asks for."""
    table, row = document.model, document.model.interlocks[name]
    condition, at = row.trips_when, ("interlocks", name)
    if row.gate is not None and table.signals[row.gate].kind != "bool":
        raise document.error((*at, _gate_key(row)), f"{row.gate} is no bool signal")
    if isinstance(condition, IsFalse | IsTrue):
        for signal_name in condition.signals:
            if table.signals[signal_name].kind != "bool":
                raise document.error((*at, "trips_when", "signals"), f"{signal_name} is no bool signal")
    if isinstance(condition, Timer) and table.signals[condition.limit].unit != "ms":
        raise document.error((*at, "trips_when", "limit"), f"{condition.limit} is not in ms")
    if isinstance(condition, Rate):
        per_minute = f"{table.signals[condition.signal].unit}/min"
        if table.signals[condition.set_rate].unit != per_minute:
            raise document.error(
                (*at, "trips_when", "set_rate"), f"{condition.set_rate} is not in {per_minute}"
            )
    if isinstance(condition, Flag) and not row.latching_states:
        raise document.error(
            at, f"{condition.flag!r} ends with a reset: give a latch level, and 'latches_in' if need be"
        )
    if isinstance(condition, Flag) and row.latch == "local":
        # Nor could it be cleared: it trips in every scan until the console resets it, which asks for the
        # local reset again in every scan.
        raise document.error(
            (*at, "latch"),
            f"{condition.flag!r} is a finding of the controller and has no place to reset it at",
            "latch it for the operator or for physics",
        )


def _check_limits(document: Document[Table], name: str) -> None:
    """Limits are whole LSBs within the range of their signal; pairs of signals share a unit."""
    table = document.model
    condition = table.interlocks[name].trips_when
    at = ("interlocks", name, "trips_when")
    signal_name = getattr(condition, "signal", None)
    if signal_name is None:
        return
    signal = table.signals[signal_name]
    for field in ("limit", "low", "high"):
        value = getattr(condition, field, None)
        if value is None:
            continue
        counts = _counts(document, (*at, field), signal_name, value)
        low, high = (signal.counts(bound) for bound in signal.range)
        if not low <= counts <= high:
            raise document.error(
                (*at, field),
                f"{value} {signal.unit} can never be reached: {signal_name} runs over {list(signal.range)}",
            )
    if isinstance(condition, Outside) and condition.low > condition.high:
        raise document.error((*at, "high"), f"{condition.high} is below 'low', {condition.low}")
    by = getattr(condition, "by", None)
    if by is not None and _counts(document, (*at, "by"), signal_name, by) < 0:
        raise document.error((*at, "by"), f"{by} is negative")
    if (
        isinstance(condition, PerTravel)
        and _counts(document, (*at, "over"), condition.position, condition.over) < 1
    ):
        raise document.error((*at, "over"), f"{condition.over} is no stretch of travel")
    _check_percent(document, name)
    for field in ("other", "from_", "preset", "planned"):
        partner = getattr(condition, field, None)
        if partner is not None and (table.signals[partner].unit, table.signals[partner].lsb) != (
            signal.unit,
            signal.lsb,
        ):
            raise document.error(
                (*at, field.rstrip("_")),
                f"{partner} and {signal_name} differ in unit or lsb and cannot be compared",
            )
    if isinstance(condition, (Differs, Exceeds)):
        base = condition.from_ if isinstance(condition, Differs) else condition.preset
        if condition.percent is not None and table.signals[base].range[0] < 0:
            raise document.error((*at, "percent"), f"percent of {base}, which can be negative; use 'by'")
    if isinstance(condition, Rate) and (
        condition.window % condition.step or condition.window // condition.step > 64
    ):
        raise document.error(
            (*at, "window"), "the window must be a multiple of 'step', at most 64 steps long"
        )


def _check_percent(document: Document[Table], name: str) -> None:
    condition = document.model.interlocks[name].trips_when
    percent = getattr(condition, "percent", None)
    if percent is None:
        return
    at = ("interlocks", name, "trips_when", "percent")
    try:
        exact = hundredths(percent)
    except ValueError as problem:
        raise document.error(at, str(problem)) from None
    if isinstance(condition, Rate) and exact == 0:
        raise document.error(at, "a rate cannot be compared with 0 % of the set rate")


def _counts(document: Document[Table], at: tuple[str, ...], signal: str, value: float) -> int:
    """``value`` in LSBs of a signal; a refusal at its place when it is not a whole number of them."""
    try:
        return document.model.counts(signal, value)
    except ValueError as problem:
        raise document.error(at, str(problem)) from None


def _check_proof(document: Document[Table], name: str) -> None:
    table = document.model
    row = table.interlocks[name]
    at = ("interlocks", name, "proof")
    if not isinstance(row.trips_when, MEMORYLESS):
        raise document.error(
            at, f"a {row.trips_when.kind!r} condition has a memory and cannot be forced; use 'no_proof'"
        )
    for signal_name, value in (row.proof or {}).items():
        if signal_name not in row.signals:
            raise document.error(
                at, f"{signal_name!r} is not read by this interlock", did_you_mean(signal_name, row.signals)
            )
        signal = table.signals[signal_name]
        counts = _counts(document, (*at, signal_name), signal_name, value)
        if not signal.counts(signal.range[0]) <= counts <= signal.counts(signal.range[1]):
            raise document.error((*at, signal_name), f"{value} lies outside the range {list(signal.range)}")
