"""Rewrites the generated parts of docs/firmware.md: deviations, checks and planted mistakes.

.venv/bin/python tools/firmware_page.py
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.firmware_c.checks import all_checks  # noqa: E402 - the path has to be set first
from tests.firmware_c.misra import deviations  # noqa: E402
from tests.firmware_c.mutation import mutations  # noqa: E402
from tools.generated_parts import with_generated_parts  # noqa: E402

PAGE = ROOT / "docs" / "firmware.md"


def deviation_table() -> str:
    lines = ["| rule | says | not kept in | why |", "|---|---|---|---|"]
    for entry in deviations():
        where = (
            entry.where if isinstance(entry.where, str) else ", ".join(f"`{file}`" for file in entry.where)
        )
        says = f"{entry.title} ({entry.category})"
        lines.append(f"| {entry.rule} | {says} | {where} | {entry.why.strip()} |")
    return "\n".join(lines) + "\n"


def check_table() -> str:
    given: dict[str, int] = {}
    for mutation in mutations().values():
        given[mutation.caught_by] = given.get(mutation.caught_by, 0) + 1
    lines = ["| check | what it shows | mistakes |", "|---|---|---|"]
    for name, check in all_checks().items():
        says = " ".join((check.__doc__ or "").split())
        lines.append(f"| {name} | {says} | {given.get(name, 0)} |")
    return "\n".join(lines) + "\n"


def mistake_table() -> str:
    lines = ["| mistake | in | noticed by |", "|---|---|---|"]
    lines += [f"| {m.why} | `{m.file}` | {m.caught_by} |" for m in mutations().values()]
    return "\n".join(lines) + "\n"


PARTS = {"deviations": deviation_table, "checks": check_table, "mistakes": mistake_table}


def page_as_it_should_be(page: str) -> str:
    """The page with its generated parts. Raises ValueError when a mark is missing."""
    return with_generated_parts(page, PAGE.name, PARTS)


if __name__ == "__main__":
    PAGE.write_text(page_as_it_should_be(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    print(f"wrote docs/{PAGE.name}")
