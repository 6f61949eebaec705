"""``interlock plan``: look at treatment plans."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from firmware_model.diagnostics import DocumentError
from firmware_model.strict_yaml import load
from sim.machine import REFERENCE_MACHINE, Machine
from sim.plan.course import PlanError
from sim.plan.loading import load_plan


@click.group("plan")
def command() -> None:
    """Look at treatment plans (our YAML or DICOM RT Plan)."""


@command.command("show")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--machine", type=click.Path(path_type=Path), default=REFERENCE_MACHINE, help="Machine file.")
@click.option("--fraction-group", type=int, help="Fraction group of a DICOM plan that has several.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def show(file: Path, machine: Path, fraction_group: int | None, as_json: bool) -> None:
    """Targets, beams, metersets, times and findings of a plan. Exit code 3: it cannot be delivered."""
    from sim.plan.show import as_dict, findings_text, render

    try:
        limits = load(machine, Machine)
        course = load_plan(file, limits, fraction_group)
    except DocumentError as problem:
        click.echo(str(problem), err=True)
        sys.exit(3)
    except PlanError as problem:
        from rich.console import Console

        click.echo(f"{problem.source}: this plan cannot be delivered", err=True)
        Console(stderr=True).print(findings_text(problem.findings))
        sys.exit(3)
    if as_json:
        click.echo(json.dumps(as_dict(course, limits), indent=1))
        return
    from rich.console import Console

    Console().print(render(course, limits))
