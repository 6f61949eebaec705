"""What ``interlock course`` prints."""

from __future__ import annotations

from pathlib import Path

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
    if record["ended_by"]:
        console.print(Text(record["ended_by"]), soft_wrap=True)
    for expectation in record["expectations"]:
        mark = "ok  " if expectation["status"] == "pass" else "FAIL"
        console.print(Text(f"{mark} {expectation['text']} ({expectation['measured']})"), soft_wrap=True)
    style = "bold green" if outcome.verdict == "PASS" else "bold red"
    console.print(Text(outcome.verdict, style))
    console.print(f"records: {folder / 'course.json'}", highlight=False, soft_wrap=True)
