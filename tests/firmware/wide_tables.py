"""Random tables at the limits of what the schema and the firmware's image hold.

Many rows and signals, the longest debounces, windows and delays, whole 32 bit ranges, the coarsest and the
finest percentages. Every one is read as a file is, so that it is a table someone could write.
"""

from __future__ import annotations

import json
from typing import Any

from firmware_model.image import MOST_TRAVEL_PERCENT, NotRepresentable, image_of
from firmware_model.strict_yaml import loads_document
from firmware_model.table import Table
from firmware_model.table_loading import check_table

from .dice import Dice
from .random_tables import KINDS, SIGNALS, SMALL_PLANT, random_row
from .treatment_machine import Plant

LOWEST, HIGHEST = -(2**31), 2**31 - 1
LONGEST = 60_000  # the schema's Ticks
MOST_SAMPLES = 64  # of a rate
#: Words of condition memory in a build for this computer (IL_MAX_MEMORY).
MEMORY = 2048
MOST_LINES = 200


def wide_table(d: Dice) -> Table:
    """A table that the firmware can hold; draws again until it does."""
    while True:
        table = _drawn(d)
        try:
            if image_of(table).memory <= MEMORY:
                return table
        except NotRepresentable:
            continue


def wide_plant(table: Table) -> Plant:
    """Nothing is wrong in this plant either: further lines are true."""
    further = {name: 1 for name in table.signals if name not in SIGNALS}
    return SMALL_PLANT._replace(values={**SMALL_PLANT.values, **further})


def _drawn(d: Dice) -> Table:
    lines = [f"line_{i}" for i in range(d.pick([0, 0, 3, 60, MOST_LINES]))]
    signals = {**SIGNALS, **{name: {**SIGNALS["line_a"], "title": name} for name in lines}}
    if d.chance():
        signals["level"] = {**signals["level"], "range": [LOWEST, HIGHEST]}
    names = list(KINDS)
    rows = {f"ROW_{i}": _row(d, d.pick(names), lines) for i in range(d.pick([1, 2, 4, 8, 9, 17, 33, 70]))}
    keys = {
        "name": "wide",
        "version": 1,
        "scan_period": "1 ms",
        "self_test_ticks": d.pick([1, 2, 9, 500, LONGEST]),
        "proof_timeout": d.pick([1, 2, 9, LONGEST]),
        "requirements": {"REQ-1": "any"},
        "hazards": {},
        "signals": signals,
        "interlocks": rows,
    }
    return check_table(loads_document(json.dumps(keys), "a random table", Table))


def _row(d: Dice, kind: str, lines: list[str]) -> dict[str, Any]:
    row = random_row(d, kind)
    row["respond_within"] = "1 h"
    if d.chance(3):
        row["debounce"] = d.pick([255, 256, 257, 1000, LONGEST])
    if d.chance(3):
        row["trips_when"] |= _extreme(d, kind, lines)
    if "proof" in row and kind in ("above", "outside") and d.chance():
        row["proof"] = {"level": 1_000_000}
    return row


def _extreme(d: Dice, kind: str, lines: list[str]) -> dict[str, Any]:
    """Fields of a condition with the largest, smallest or longest values the schema takes."""
    match kind:
        case "is_false" if lines:
            return {"signals": ["line_a", *lines[: d.number(1, len(lines))]]}
        case "above" | "below":
            return {"limit": d.pick([-1_000_000, 1_000_000, 0])}
        case "outside":
            return {"low": -1_000_000, "high": d.pick([-1_000_000, 0, 1_000_000])}
        case "differs" | "exceeds":
            percent = d.pick([0.01, 99.99, 100, 999.99, 1000])
            return {"percent": percent, "by": d.pick([0, 1, 1_000_000_000])}
        case "rate":
            step = d.pick([1, 2, 7, LONGEST // MOST_SAMPLES])
            return {"step": step, "window": step * d.pick([1, 2, MOST_SAMPLES])}
        case "per_travel":
            return {"percent": d.pick([0, 0.01, MOST_TRAVEL_PERCENT / 100]), "over": d.pick([0.5, 500_000])}
        case "stale":
            return {"ticks": d.pick([1, 255, 256, LONGEST])}
        case "moves" | "grows":
            return {"after": d.pick([0, 255, 256, LONGEST])}
    return {}
