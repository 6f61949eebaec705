"""Inputs under which nothing of a table trips, worked out from the table itself.

For trying a board with any table: the plant's simulation would know better, but a board is tried
without one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from firmware_model import table as t
from firmware_model.contract import ONE

TOKEN = 7  # any identity but 0, which means unknown
US_PER_MIN = 60_000_000
ROUNDS = 8  # repairs may disturb each other, but not for long


@dataclass
class HealthyInputs:
    """Whole counts by signal, and slopes a scan (32.16 fixed point): always, and while beam is permitted."""

    values: list[int]
    always: dict[int, int] = field(default_factory=dict)
    beam: dict[int, int] = field(default_factory=dict)


def healthy_inputs(table: t.Table) -> HealthyInputs:
    """Rows that no input can satisfy stay as they are; the table then simply trips."""
    inputs = HealthyInputs([_start(signal) for signal in table.signals.values()])
    for _ in range(ROUNDS):
        for row in table.interlocks.values():
            _satisfy(table, row.trips_when, inputs)
    for _ in range(ROUNDS):
        for row in table.interlocks.values():
            _let_it_flow(table, row.trips_when, inputs)
    return inputs


def _start(signal: t.Signal) -> int:
    low, high = (signal.counts(end) for end in signal.range)
    if signal.kind == "token":
        return TOKEN
    if signal.kind == "bool" or signal.source != "prescription":
        return min(max(0, low), high)
    return low + (high - low) // 10  # well inside: the proof test forces the ends of ranges


def _satisfy(table: t.Table, condition: t.Condition, inputs: HealthyInputs) -> None:
    """Change values so that a condition without memory is false."""
    values, index = inputs.values, table.signal_index

    def limits(name: str) -> tuple[int, int]:
        low, high = table.signals[name].range
        return table.counts(name, low), table.counts(name, high)

    match condition:
        case t.IsFalse(signals=names):
            for name in names:
                values[index[name]] = 1
        case t.IsTrue(signals=names):
            for name in names:
                values[index[name]] = 0
        case t.Above(signal=a, limit=limit) if values[index[a]] > table.counts(a, limit):
            values[index[a]] = (limits(a)[0] + table.counts(a, limit)) // 2
        case t.Below(signal=a, limit=limit) if values[index[a]] < table.counts(a, limit):
            values[index[a]] = min(limits(a)[1], table.counts(a, limit) + abs(table.counts(a, limit)) // 2)
        case t.Outside(signal=a, low=low, high=high):
            values[index[a]] = (table.counts(a, low) + table.counts(a, high)) // 2
        case t.Disagree(signal=a, other=b) | t.Differs(signal=a, from_=b) | t.Mismatch(signal=a, other=b):
            # The set value decides; of two readings the one that another row has settled.
            values[index[a]] = values[index[b]]
        case t.WrongDigest(signal=a):
            values[index[a]] = table.token
        case _:
            return


def _let_it_flow(table: t.Table, condition: t.Condition, inputs: HealthyInputs) -> None:
    """Give a slope to what has to move: heartbeats always, dose while beam is permitted."""
    index, beam = table.signal_index, inputs.beam
    match condition:
        case t.Stale(signal=a, ticks=ticks):
            inputs.always[index[a]] = max(1, 3 * ONE // ticks)
        case t.Rate(signal=a, set_rate=b, sense="below"):
            beam[index[a]] = _slope(table, a, b, inputs.values[index[b]])
        case t.Rate(signal=a, set_rate=b) if index[a] not in beam:
            beam[index[a]] = _slope(table, a, b, inputs.values[index[b]]) // 2
        case t.PerTravel(signal=a, planned=b) | t.Differs(signal=b, from_=a) if index[a] in beam:
            beam[index[b]] = beam[index[a]]
        case _:
            return


def _slope(table: t.Table, counter: str, rate: str, counts_per_minute: int) -> int:
    per_minute = Fraction(str(table.signals[rate].lsb)) * counts_per_minute
    counts = per_minute / Fraction(str(table.signals[counter].lsb))
    return int(counts * ONE * table.scan_period / US_PER_MIN)
