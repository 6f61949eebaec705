"""``interlock plan schedule``: output, options and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import main

ROOT = Path(__file__).parents[2]
PLAN = str(ROOT / "scenarios" / "plans" / "two_abdominal_metastases.yaml")


def schedule(*options: str, plan: str = PLAN) -> Result:
    return CliRunner().invoke(main, ["plan", "schedule", plan, "--start", "2026-03-02", *options])


def visits(*options: str) -> list[tuple[str, int, str]]:
    result = schedule(*options, "--json")
    assert result.exit_code == 0, result.output
    return [(v["target"], v["fraction"], v["at"]) for v in json.loads(result.output)["visits"]]


def test_a_line_a_day_with_a_column_a_target() -> None:
    result = schedule("--alternate")
    assert result.exit_code == 0
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in result.output.splitlines()]
    assert ["1", "Mon 2026-03-02", "09:00 fraction 1", ""] in cells
    assert ["", "Tue 2026-03-03", "", "09:30 fraction 1"] in cells
    assert ["2", "Mon 2026-03-09", "", "09:30 fraction 3"] in cells
    assert "adrenal, node: within 21 days of the first dose" in result.output


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--same-day"], ("node", 3, "2026-03-06T09:30")),
        (["--targets-per-day", "1", "--order", "node"], ("adrenal", 3, "2026-03-09T09:30")),
        (["--not-all-on-one-day"], ("node", 3, "2026-03-09T09:30")),
        (["--holiday", "2026-03-04", "--holiday", "2026-03-06"], ("node", 3, "2026-03-09T09:30")),
        (["--working-days", "mon,thu"], ("node", 3, "2026-03-09T09:30")),
        (["--first-hour", "13:00", "--slot", "45"], ("node", 3, "2026-03-06T13:45")),
    ],
)
def test_options_change_the_last_visit(options: list[str], expected: tuple[str, int, str]) -> None:
    assert visits(*options)[-1] == expected


def test_an_impossible_request_ends_with_code_1_and_the_reason() -> None:
    result = schedule("--finish-by", "2026-03-05")
    assert result.exit_code == 1
    assert (
        "adrenal, fraction 3, Fri 2026-03-06 09:00: the last date asked for is Thu 2026-03-05"
        in result.output
    )
    assert "possible with a last date of Fri 2026-03-06 or later" in result.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--order", "liver"], "no target 'liver'"),
        (["--working-days", "mon,wen"], "no weekday 'wen'"),
        (["--finish-by", "2026-03-01"], "before the start"),
        (["--finish-by", "1.3.2026"], "does not match"),
        (["--targets-per-day", "0"], "not in the range"),
    ],
)
def test_wrong_usage_ends_with_code_2(options: list[str], message: str) -> None:
    result = schedule(*options)
    assert result.exit_code == 2
    assert message in result.output


def test_a_plan_that_is_none_ends_with_code_3(tmp_path: Path) -> None:
    assert schedule(plan=str(tmp_path / "none.yaml")).exit_code == 3


def test_the_rest_after_an_interruption_is_planned_and_the_gap_reported(tmp_path: Path) -> None:
    given = tmp_path / "given.yaml"
    given.write_text(
        "delivered:\n"
        "  - {target: adrenal, fraction: 1, at: 2026-02-16 09:00}\n"
        "  - {target: node, fraction: 1, at: 2026-02-26 09:30, complete: false}\n"
    )
    result = schedule("--delivered", str(given), "--json")
    assert result.exit_code == 0
    data = json.loads(result.output)
    first = data["visits"][:2]
    assert [(v["target"], v["fraction"], v["remainder"]) for v in first] == [
        ("adrenal", 2, False),
        ("node", 1, True),
    ]
    assert [(d["rule"], d["target"], d["fraction"]) for d in data["deviations"]] == [
        ("longest-interval", "adrenal", 2)
    ]
    text = " ".join(schedule("--delivered", str(given)).output.split())
    assert "09:00 fraction 1 given" in text
    assert "09:30 fraction 1 part given" in text
    assert "09:30 fraction 1 rest" in text
    assert "deviation [longest-interval] adrenal, fraction 2, Mon 2026-03-02 09:00: 14 days after" in text


@pytest.mark.parametrize(
    ("entry", "place", "message"),
    [
        ("{target: adrenals, fraction: 1, at: 2026-02-16 09:00}", "2:14", "did you mean 'adrenal'?"),
        ("{target: node, fraction: 4, at: 2026-02-16 09:00}", "2:30", "fraction 4: node has 3"),
        ("{target: node, fraction: 1, at: 2026-02-30 09:00}", "2:37", "not a local date and time"),
        ("{target: node, fraction: 1, at: 2026-02-16}", "2:37", "not a local date and time"),
        ("{target: node, fraction: 1, at: 2026-02-16 09:00Z}", "2:37", "not a local date and time"),
        ("{target: node, at: 2026-02-16 09:00}", "2:5", "fraction"),
    ],
)
def test_a_file_of_delivered_fractions_is_refused_with_the_place(
    entry: str, place: str, message: str, tmp_path: Path
) -> None:
    given = tmp_path / "given.yaml"
    given.write_text(f"delivered:\n  - {entry}\n")
    result = schedule("--delivered", str(given))
    assert result.exit_code == 3
    assert f"given.yaml:{place}:" in result.output
    assert message in result.output


def test_a_start_before_the_last_delivery_is_wrong_usage(tmp_path: Path) -> None:
    given = tmp_path / "given.yaml"
    given.write_text("delivered:\n  - {target: node, fraction: 1, at: 2026-03-02 09:00}\n")
    result = schedule("--delivered", str(given))
    assert result.exit_code == 2
    assert "start on 2026-03-03 or later" in " ".join(result.output.split())
