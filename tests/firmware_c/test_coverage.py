"""The checks reach every line of the firmware core, and nearly every branch."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.firmware_c.coverage import File, measure, missing, table_of

BRANCHES = 0.95
FILES = {file.name for file in (Path(__file__).parents[2] / "hil" / "firmware" / "core").glob("*.c")}


def problems(files: dict[str, File]) -> list[str]:
    found = [f"{name}: line {line} is not reached" for name, file in files.items() for line in file.missed]
    found += [f"{name} is not counted" for name in sorted(FILES - set(files))]
    taken = [count > 0 for file in files.values() for count in file.branches.values()]
    if sum(taken) < BRANCHES * len(taken):
        found.append(f"{sum(taken)} of {len(taken)} branches are taken, {BRANCHES:.0%} are asked for")
    return found


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_every_line_of_the_core_is_reached() -> None:
    files = measure()
    assert problems(files) == [], "\n" + "\n".join(table_of(files))


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_a_line_that_is_not_reached_is_named() -> None:
    files = measure("framing")
    assert "il_link.c is not counted" in problems(files)  # the library has no wire
    assert any(problem.startswith("il_machine.c: line ") for problem in problems(files))
    assert any("branches are taken" in problem for problem in problems(files))
    assert any("il_machine.c" in line and "line " in line for line in table_of(files))
    assert not files["il_cobs.c"].missed
