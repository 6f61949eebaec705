"""The reference pages in docs/ are what the code and the table say now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from firmware_model.states import TRANSITIONS, State
from firmware_model.table_loading import load_table
from sim.explain.pages import states_page, table_page

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("name", "page"), [("table.md", lambda: table_page(load_table())), ("states.md", states_page)]
)
def test_a_page_is_up_to_date(name: str, page: Callable[[], str]) -> None:
    written = (DOCS / name).read_text(encoding="utf-8").splitlines()
    wanted = page().splitlines()
    differing = [line for line in wanted if line not in written][:3]
    assert written == wanted, f"docs/{name} is out of date; run `make docs`. For example: {differing}"


def test_everything_of_the_table_is_on_its_page() -> None:
    table = load_table()
    page = table_page(table)
    for name in (*table.requirements, *table.hazards, *table.signals):
        assert f"| `{name}` |" in page
    for name in table.interlocks:
        assert f"### {name}\n" in page
    assert "### DOOR_OPEN\n" not in table_page(table.without("DOOR_OPEN"))


def test_every_transition_is_on_its_page() -> None:
    page = states_page()
    for row in TRANSITIONS:
        assert f"| `{row.source.name}` | `{row.trigger}` | `{row.dest.name}` |" in page
        if row.trigger != "emergency":
            assert f"    {row.source.name} --> {row.dest.name} : " in page
    for state in State:
        assert f"| `{state.name}` | " in page
