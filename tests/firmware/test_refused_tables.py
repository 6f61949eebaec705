"""Tables that nothing could keep are refused: by the loader, or by the firmware's image alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from firmware_model.diagnostics import DocumentError
from firmware_model.image import MOST_TRAVEL_PERCENT, NotRepresentable, image_of
from firmware_model.strict_yaml import loads_document
from firmware_model.table import Table
from firmware_model.table_loading import check_table
from hil.boards.native import start
from hil.errors import NotAvailable

from .random_tables import SIGNALS


def table_of(row: dict[str, Any]) -> Table:
    """A table with this row, read as a file is. Raises DocumentError."""
    common = {"title": "row", "stop": "hold", "acts_in": ["preparatory", "irradiation"], "basis": "a test"}
    common |= {"latch": "operator", "respond_within": "1 s", "requirements": ["REQ-1"], "no_proof": "a test"}
    keys = {
        "name": "one row",
        "version": 1,
        "scan_period": "1 ms",
        "self_test_ticks": 5,
        "proof_timeout": 5,
        "requirements": {"REQ-1": "any"},
        "hazards": {},
        "signals": SIGNALS,
        "interlocks": {"ROW": {**common, **row}},
    }
    return check_table(loads_document(json.dumps(keys, indent=1), "one_row.yaml", Table))


@pytest.mark.parametrize("finding", ["proof_test_failed", "reset_in_beam"])
def test_a_finding_has_no_place_to_reset_it_at(finding: str) -> None:
    """Model and firmware would not do the same, and neither could ever clear it."""
    row = {"trips_when": {"kind": "flag", "flag": finding}}
    for latch in ("operator", "physics"):
        assert image_of(table_of(row | {"latch": latch})).rows
    with pytest.raises(DocumentError) as refused:
        table_of(row | {"latch": "local"})
    said = str(refused.value)
    assert said.startswith("one_row.yaml:")
    assert f"{finding!r} is a finding of the controller and has no place to reset it at" in said
    assert "latch it for the operator or for physics" in said
    with pytest.raises(DocumentError, match=f"{finding!r} ends with a reset: give a latch level"):
        table_of(row | {"latch": "none"})


def travel(percent: float) -> Table:
    condition = {"kind": "per_travel", "signal": "dose", "planned": "planned", "position": "position"}
    return table_of({"trips_when": {**condition, "over": 3, "percent": percent, "by": 4}})


def test_a_percentage_of_travel_that_would_overflow_is_refused_with_its_limit() -> None:
    assert MOST_TRAVEL_PERCENT == 12_767
    assert image_of(travel(127.67)).params[4] == 12_767
    limit = r"ROW: 127\.68 % of 'per_travel'; the firmware's 64-bit arithmetic holds at most 127\.67 %"
    with pytest.raises(NotRepresentable, match=limit):
        image_of(travel(127.68))
    with pytest.raises(NotAvailable, match=f"table 'one row' does not fit the firmware: {limit}"):
        start(travel(127.68))
