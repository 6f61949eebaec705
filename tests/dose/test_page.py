"""The table of docs/dose.md is what the model gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.dose.accuracy import all_rows

PAGE = Path(__file__).parents[2] / "docs" / "dose.md"


def problems(text: str) -> list[str]:
    """Rows of the page that differ from the model, by name."""
    section = text.split("## Accuracy")[1].split("\n## ")[0]
    found = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line[:1] == "|"
    ]
    shown = {cells[0]: cells for cells in found[2:]}
    rows = {row.what: row for row in all_rows()}
    different = list(shown.keys() ^ rows.keys())
    for name in shown.keys() & rows.keys():
        row = rows[name]
        ours, theirs = float(shown[name][1]), float(shown[name][2])
        limit = float(re.match(r"[0-9.]+", shown[name][4])[0])  # type: ignore[index]
        # Three digits are shown; another processor may round the last one the other way.
        if (
            ours != pytest.approx(row.ours, rel=0.01)
            or theirs != pytest.approx(row.theirs, rel=0.005)
            or limit != row.limit
            or shown[name][5] != row.source
        ):
            different.append(name)
    return different


def test_the_table_of_the_page_is_up_to_date() -> None:
    assert problems(PAGE.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", ["PDD10, 6 MV, %", "dose at 5 cm along the body, %"])
def test_the_comparison_can_fail(name: str) -> None:
    row = next(row for row in all_rows() if row.what == name)
    text = PAGE.read_text(encoding="utf-8")
    wrong = text.replace(f"| {name} | {row.ours:.3g} |", f"| {name} | {row.ours * 1.1:.3g} |")
    assert wrong != text
    assert problems(wrong) == [name]
    assert problems(text.replace(f"| {name} |", "| something else |")) != []
