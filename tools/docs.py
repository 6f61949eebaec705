"""Writes the reference pages that follow from the code and the table (`make docs`)."""

from __future__ import annotations

from pathlib import Path

from firmware_model.table_loading import load_table
from sim.explain.pages import states_page, table_page

DOCS = Path(__file__).parents[1] / "docs"

for name, text in (("table.md", table_page(load_table())), ("states.md", states_page())):
    (DOCS / name).write_text(text, encoding="utf-8", newline="\n")
    print(f"wrote docs/{name}")
