"""How much room an expectation left, whatever kind of limit it has."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.record.margins import margin_of


@pytest.mark.parametrize(
    ("measured", "limit", "margin", "kind", "share"),
    [
        (1.751, 10.0, 8.249, "most", 0.8249),
        (12.0, 10.0, -2.0, "most", -0.2),
        (10.0, 10.0, 0.0, "most", 0.0),
        (15.0, 10.0, 5.0, "least", 0.5),
        (2160.02, 2160.0, 0.08, "around", 0.8),
        (2161.0, 2160.0, -0.9, "around", -9.0),
    ],
)
def test_kinds_of_limits(measured: float, limit: float, margin: float, kind: str, share: float) -> None:
    found = margin_of({"measured": measured, "limit": limit, "margin": margin})
    assert found is not None
    assert found.kind == kind
    assert found.share == pytest.approx(share)


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"measured": None, "limit": 10.0, "margin": None},
        {"measured": "DOOR_OPEN", "limit": "DOOR_OPEN"},
        {"measured": 1, "limit": 1},
        {"measured": 0, "limit": 0, "margin": 0},
        {"measured": True, "limit": 1.0, "margin": 0.0},
        {"measured": float("nan"), "limit": 1.0, "margin": 0.0},
    ],
)
def test_nothing_to_compare(entry: dict[str, Any]) -> None:
    assert margin_of(entry) is None


@given(st.floats(0.01, 1e6), st.floats(0.0, 2.0))
def test_the_share_does_not_depend_on_the_unit(limit: float, part: float) -> None:
    """A response judged in ms leaves the same share when it is judged in us."""
    entry = {"measured": part * limit, "limit": limit, "margin": limit - part * limit}
    in_us = {key: 1000 * value for key, value in entry.items()}
    found, finer = margin_of(entry), margin_of(in_us)
    assert found is not None
    assert finer is not None
    assert found.share == pytest.approx(finer.share, abs=1e-9)
