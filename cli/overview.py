"""``interlock overview``: one page over a folder of runs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

UNUSABLE = 3


@click.command("overview")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Page to write [default: DIR/index.html]."
)
def command(folder: Path, out: Path | None) -> None:
    """Write one page over every run.json below DIR, with links to the reports.

    Exit code 3 when a run.json is damaged or the record of something else; the page is still written
    and lists it. The verdicts of the runs do not change the exit code.

    \b
    Example:
      interlock run scenarios/nominal/one_target.yaml --out runs/one_target
      interlock overview runs
    """
    from sim.record.figures import amount
    from sim.record.overview import write_overview
    from sim.record.run_records import find_runs

    runs, unusable = find_runs(folder)
    if not runs and not unusable:
        raise click.UsageError(f"{folder}: no run.json in this folder or below; every run leaves one")
    page = out or folder / "index.html"
    try:
        write_overview(runs, unusable, folder, page)
    except OSError as problem:
        raise click.UsageError(f"{page}: cannot be written: {problem.strerror or problem}") from None
    for record in unusable:
        click.echo(f"{record.path}: {record.reason}", err=True)
    remark = f", {len(unusable)} unusable" if unusable else ""
    click.echo(f"{page}: {amount(len(runs), 'run')}{remark}")
    sys.exit(UNUSABLE if unusable else 0)
