"""One interlock at run time: its condition, its debounce counter and what a trip means."""

from __future__ import annotations

from firmware_model.conditions import Condition
from firmware_model.table import Flag, Table


class Row:
    """One interlock at run time."""

    __slots__ = (
        "bit",
        "condition",
        "count",
        "debounce",
        "finding",
        "gate",
        "gate_on",
        "index",
        "latch",
        "latches_in",
        "name",
        "proof_mask",
        "states",
        "stop",
        "touched",
    )

    def __init__(self, table: Table, index: int, name: str, condition: Condition) -> None:
        row = table.interlocks[name]
        self.index, self.name, self.bit = index, name, 1 << index
        self.condition = condition
        # The row acts while the gate has this value; -1: always.
        self.gate, self.gate_on = table.signal_index[row.gate] if row.gate else -1, row.unless is None
        self.debounce, self.count = row.debounce, 0
        self.stop, self.states = row.stop_class, row.states
        self.latch, self.latches_in = row.latch_level, row.latching_states
        self.touched = frozenset(table.signal_index[s] for s in row.signals)
        self.proof_mask = 0
        self.finding = row.trips_when.flag if isinstance(row.trips_when, Flag) else ""
