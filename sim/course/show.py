"""What ``interlock course`` prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sim.course.run import CourseOutcome, GivenSession


def print_session(session: GivenSession) -> None:
    """One line a session: when, which fractions, and what came of it."""
    console = Console()
    what = ", ".join(f"{visit.target} {visit.fraction}" for visit in session.visits)
    verdict = session.outcome.verdict
    line = Text(f"{session.at:%a %Y-%m-%d %H:%M}  {what:40s} ")
    line.append(verdict, "green" if verdict == "PASS" else "red")
    console.print(line, soft_wrap=True)
    for trip in session.outcome.run["interlocks"]:
        if trip["first_up"]:
            console.print(Text(f"    {trip['id']} after {trip['time_s']:.3f} s"), soft_wrap=True)
    for target, found in session.refused.items():
        for refusal in found:
            console.print(Text(f"    {target} refused: {refusal.message}"), soft_wrap=True)


def print_course(outcome: CourseOutcome, folder: Path) -> None:
    """Targets, expectations and the verdict."""
    console, record = Console(), outcome.record
    console.print(Text(record["course"]["title"]), soft_wrap=True)
    table = Table()
    table.add_column("target", no_wrap=True)
    table.add_column("fractions given", justify="right")
    table.add_column("")
    for target in record["targets"]:
        note = record["blocked"].get(target["id"]) or ""
        if target["abandoned"]:
            note = f"abandoned: {target['abandoned']}"
        table.add_row(target["id"], f"{len(target['completed'])} of {target['fractions']}", note)
    console.print(table)
    if "points" in record["dose"]:
        console.print(_dose(record))
    if record["ended_by"]:
        console.print(Text(record["ended_by"]), soft_wrap=True)
    for expectation in record["expectations"]:
        mark = "ok  " if expectation["status"] == "pass" else "FAIL"
        console.print(Text(f"{mark} {expectation['text']} ({expectation['measured']})"), soft_wrap=True)
    style = "bold green" if outcome.verdict == "PASS" else "bold red"
    console.print(Text(outcome.verdict, style))
    console.print(f"records: {folder / 'course.html'}", highlight=False, soft_wrap=True)


def _dose(record: dict[str, Any]) -> Table:
    """Gy over the course: planned, given, expected, and what will be missing."""
    table = Table(title="Dose over the course, Gy: own and other beams", title_justify="left")
    table.add_column("", no_wrap=True)
    for name in ("planned", "given", "own", "other", "expected", "short", "%", "of limit"):
        table.add_column(name, justify="right")
    for point in record["dose"]["points"]:
        own = point.get("own_given_gy", 0.0)
        share = f"{100 * point['share_of_limit']:.0f} %" if "share_of_limit" in point else ""
        short = point["short_gy"]
        table.add_row(
            point["of"],
            *(f"{gy:.2f}" for gy in (point["planned_gy"], point["given_gy"], own, point["given_gy"] - own)),
            f"{point['expected_gy']:.2f}",
            f"{short:.2f}" if abs(short) >= 0.05 else "-",
            f"{100 * short / point['planned_gy']:.1f}" if abs(short) >= 0.05 else "-",
            share,
        )
    return table
