"""``interlock check``: are these files sound?"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cli.beside import load_runnable
from firmware_model.diagnostics import DocumentError
from sim.course.loading import course_files, is_course, load_course
from sim.explain.usage import runnable_files
from sim.explain.usage import scenario_files as below
from sim.plan.course import PlanError


@click.command("check")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
def command(paths: tuple[Path, ...]) -> None:
    """Check scenario, course and stimulus files, or all below a folder, with everything they name.

    Nothing is run. Exit code 3 when a file is not sound; every problem is shown with its place.
    """
    files = [file for path in paths for file in (_below(path) if path.is_dir() else [path])]
    bad = 0
    for file in files:
        try:
            if is_course(file):
                load_course(file)
            else:
                load_runnable(file)
        except (DocumentError, PlanError) as problem:
            bad += 1
            click.echo(str(problem), err=True)
    click.echo(f"{len(files)} files checked, {bad} with problems")
    if not files:
        raise click.UsageError("no files found")
    sys.exit(3 if bad else 0)


def _below(folder: Path) -> list[Path]:
    return [*runnable_files(folder), *course_files(folder)]


def scenario_files(path: Path) -> list[Path]:
    """The file itself, or every scenario below a folder."""
    return below(path) if path.is_dir() else [path]
