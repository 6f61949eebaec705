"""Ways to make one interlock trip, derived from its row of the table.

They are guesses, best first: whoever uses one runs it and takes the first that works.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from firmware_model import table as t
from firmware_model.table import Interlock, Number, Table
from sim.plan.course import Beam, Course


@dataclass(frozen=True, slots=True)
class Provocation:
    """A fault and when it sets in. Empty ``fault``: the interlock trips in every session by itself."""

    at: str
    fault: str
    lasts: str = ""  # empty: it stays
    gated: bool = False


def provocations(table: Table, row: Interlock, course: Course) -> Iterator[Provocation]:
    """Every guess for one interlock."""
    gated = row.only_if in ("gating_enabled", "free_breathing")
    for at in _moments(row, course):
        # In mid-beam the cause goes again, so that the session can go on; before it, it stays to be found.
        lasts = ("3 s" if isinstance(row.trips_when, t.Flag) else "20 s") if "meterset" in at else ""
        for fault in _faults(table, row):
            yield Provocation(at, fault, lasts, gated)


def _moments(row: Interlock, course: Course) -> Iterator[str]:
    """Places in the session at which the interlock acts, in the middle of a beam first."""
    if "irradiation" in row.acts_in:
        for beam in _each_kind(course):
            yield f"{{meterset: {beam.meterset // 2 / 1000:g} MU, beam: {beam.number}}}"
    for state in ("hold", "ready", "check", "preparatory", "standby", "self_test"):
        if state in row.acts_in:
            yield f"{{state: {state}}}"
    if "irradiation" not in row.acts_in:  # what is noted in a beam may show only after it
        beam = next(_each_kind(course))
        yield f"{{meterset: {beam.meterset // 2 / 1000:g} MU, beam: {beam.number}}}"
    yield "{time: 1 s}"


def _each_kind(course: Course) -> Iterator[Beam]:
    """The first beam of every technique, in the order of the plan."""
    seen = set()
    for target in course.targets:
        for beam in target.beams:
            if beam.technique not in seen:
                seen.add(beam.technique)
                yield beam


def _faults(table: Table, row: Interlock) -> Iterator[str]:
    for signal, value in (row.proof or {}).items():  # the table itself says what must trip it
        yield _stuck(signal, value)
    yield from _of_condition(table, row)
    if row.only_if is not None:  # what the row compares may be out of place while nobody looks
        yield _stuck(row.only_if, True)


def _of_condition(table: Table, row: Interlock) -> Iterator[str]:
    condition = row.trips_when
    match condition:
        case t.Above() | t.Below() | t.Outside():  # half as much again, where the proof is too much
            limit = condition.low if isinstance(condition, t.Outside) else condition.limit
            lsb = table.signals[condition.signal].lsb
            yield _stuck(
                condition.signal, round(limit * (0.5 if condition.kind == "below" else 1.5) / lsb) * lsb
            )
        case t.Differs() | t.Exceeds() if condition.by is not None:
            for times in (2, 5, 10):
                yield f"{{kind: signal_offset, signal: {condition.signal}, by: {condition.by * times:g}}}"
        case t.IsFalse() | t.IsTrue():
            for signal in condition.signals:
                yield _stuck(signal, isinstance(condition, t.IsTrue))
        case t.Stale():
            yield f"{{kind: signal_frozen, signal: {condition.signal}}}"
        case t.Timer():
            yield _stuck(condition.limit, table.signals[condition.limit].lsb)
        case t.Rate():
            percent = 1000 if condition.sense == "above" else 50
            yield f"{{kind: signal_gain, signal: {condition.signal}, percent: {percent}}}"
            yield f"{{kind: dose_rate, percent: {percent}}}"  # where a second channel would tell first
        case t.PerTravel():
            for percent in (150, 50):
                yield f"{{kind: signal_gain, signal: {condition.signal}, percent: {percent}}}"
        case t.Moves():
            by = condition.by * 2 or table.signals[condition.signal].lsb
            yield f"{{kind: signal_offset, signal: {condition.signal}, by: {by:g}}}"
        case t.Grows():
            by = condition.by * 10
            yield f"{{kind: signal_drift, signal: {condition.signal}, per_second: {by:g}}}"
        case t.Flag(flag="proof_test_failed"):
            for other in table.interlocks.values():
                if isinstance(other.trips_when, t.IsFalse) and other.proof:
                    yield _stuck(next(iter(other.proof)), True)
                    break
        case t.Flag(flag="reset_in_beam"):
            yield "{kind: power_dip}"
        case _:
            return


def _stuck(signal: str, value: Number | bool) -> str:
    written = str(value).lower() if isinstance(value, bool) else str(value)
    return f"{{kind: signal_stuck, signal: {signal}, value: {written}}}"
