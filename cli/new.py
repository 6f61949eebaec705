"""``interlock new``: a first scenario that runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from firmware_model.diagnostics import DocumentError, did_you_mean
from firmware_model.strict_yaml import load
from firmware_model.table import Table
from firmware_model.table_loading import load_table
from hil.boards import start_board
from sim.machine import REFERENCE_MACHINE, Machine
from sim.plan.course import Course, PlanError
from sim.plan.loading import load_plan
from sim.scenario.loading import load_scenario
from sim.scenario.runner import BoardIdentity, run_scenario
from sim.starter.derive import provocations
from sim.starter.scenario import STARTER_PLAN, provoked, undisturbed

#: How many ways to make an interlock trip are tried, a fraction of a second each.
MOST_TRIES = 24


@click.command("new")
@click.argument("file", type=click.Path(path_type=Path), default=Path("my_scenario.yaml"))
@click.option("--plan", type=click.Path(path_type=Path), help="Plan to treat [default: a small new one].")
@click.option("--interlock", metavar="ID", help="Make this interlock trip.")
def command(file: Path, plan: Path | None, interlock: str | None) -> None:
    """Write a commented scenario to FILE (my_scenario.yaml) that passes as it is.

    Nothing is overwritten. What is written has been run first.

    \b
    Examples:
      interlock new
      interlock new water.yaml --interlock WATER_FLOW
      interlock new mine.yaml --plan scenarios/plans/two_abdominal_metastases.yaml
    """
    table = load_table()
    if interlock is not None and interlock not in table.interlocks:
        hint = did_you_mean(interlock, table.interlocks)
        raise click.UsageError(f"--interlock {interlock}: no such interlock in {table.name}; {hint}")
    own_plan = file.with_name(f"{file.stem}_plan.yaml") if plan is None else None
    for path in (file, own_plan):
        if path is not None and path.exists():
            raise click.UsageError(f"{path} is there already and is not overwritten; name another file")
    try:
        course = load_plan(plan or STARTER_PLAN, load(REFERENCE_MACHINE, Machine), None)
    except (DocumentError, PlanError) as problem:
        click.echo(str(problem), err=True)
        sys.exit(3)
    name = os.path.relpath(plan or own_plan or "", file.parent).replace(os.sep, "/")
    written: list[Path] = []
    done = False
    try:
        if own_plan is not None:
            _create(own_plan, STARTER_PLAN.read_text(encoding="utf-8"), written)
        _create(file, "", written)
        done = any(_passes(file, text, table) for text in _texts(table, course, name, interlock))
    finally:
        if not done:
            for path in written:
                path.unlink()
    if not done:
        click.echo(_why_not(table, interlock), err=True)
        sys.exit(1)
    for path in written:
        click.echo(f"wrote {path}")
    click.echo("It passes. Next:")
    click.echo(f"  interlock run {file}")
    click.echo(f"  interlock check {file}    (after every change)")
    click.echo(f"  interlock explain {interlock or 'DOOR_OPEN'}")


def _create(path: Path, text: str, written: list[Path]) -> None:
    try:
        with path.open("x", encoding="utf-8", newline="\n") as stream:
            written.append(path)
            stream.write(text)
    except OSError as problem:
        raise click.UsageError(f"{path} cannot be written: {problem.strerror}") from None


def _texts(table: Table, course: Course, plan: str, interlock: str | None) -> list[str]:
    if interlock is None:
        return [undisturbed(course, plan)]
    ways = list(provocations(table, table.interlocks[interlock], course))[:MOST_TRIES]
    return [provoked(table, interlock, plan, way, strict) for way in ways for strict in (True, False)]


def _passes(file: Path, text: str, table: Table) -> bool:
    file.write_text(text, encoding="utf-8", newline="\n")
    started = start_board("model", table)
    board = BoardIdentity(started.kind, started.identity, started.firmware)
    return run_scenario(load_scenario(file), started.controller, board).verdict == "PASS"


def _why_not(table: Table, interlock: str | None) -> str:
    if interlock is None:
        return "Nothing written: an undisturbed session of this plan does not pass; try another plan."
    row = table.interlocks[interlock]
    kind = row.trips_when.kind
    states = ", ".join(row.acts_in)
    return (
        f"Nothing written: no single fault that follows from the {kind!r} condition of {interlock} "
        f"makes it trip and every invariant hold in a session of this plan (it acts in {states}). "
        f"See interlock explain {interlock} for what it reads, and write the fault yourself."
    )
