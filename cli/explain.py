"""``interlock explain``: what a name means."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from firmware_model.diagnostics import DocumentError
from firmware_model.table_loading import REFERENCE_TABLE, load_table
from sim.explain.names import NoSuchName, find, index
from sim.explain.usage import read_usage


@click.command("explain")
@click.argument("name", required=False)
@click.option(
    "--table", "path", type=click.Path(path_type=Path), default=REFERENCE_TABLE, help="Table to look in."
)
@click.option(
    "--scenarios",
    type=click.Path(path_type=Path),
    default=Path("scenarios"),
    show_default=True,
    help="Folder whose scenarios are searched for the name.",
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output: a list.")
def command(name: str | None, path: Path, scenarios: Path, as_json: bool) -> None:
    """Explain an interlock, signal, state, command, fault, expectation, invariant, requirement or hazard.

    NAME may be in any case, and its beginning is enough. Without it: what can be explained.

    \b
    Examples:
      interlock explain DOOR_OPEN
      interlock explain irradiation
      interlock explain signal_stuck
    """
    from rich.console import Console

    from sim.explain.show import show, show_matches, show_overview

    try:
        entries = index(load_table(path))
    except DocumentError as problem:
        click.echo(str(problem), err=True)
        sys.exit(3)
    try:
        found = entries if name is None else find(entries, name)
    except NoSuchName as problem:
        raise click.UsageError(str(problem)) from None
    # One name may mean several things ("hold" is a state, HOLD_DOSE an interlock): equal ones are all told.
    exact = name is not None and len({entry.name.lower() for entry in found}) == 1
    usage = read_usage(scenarios) if exact else None
    console = Console(highlight=False)
    if as_json:
        listed = [{"kind": e.kind, "name": e.name, "title": e.title} for e in found]
        told = [e.explain(usage).as_dict() for e in found] if usage is not None else listed
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
    elif name is None:
        show_overview(entries, console)
    elif usage is None:
        show_matches(found, console)
    else:
        for number, entry in enumerate(found):
            if number:
                console.print()
            show(entry.explain(usage), console)
        for file in usage.unreadable:
            click.echo(f"not searched, no sound scenario: {file}", err=True)
