"""``interlock ledger``: what was delivered of a course."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from pydantic import TypeAdapter, ValidationError

from firmware_model.quantity import Meterset
from sim.ledger.view import LedgerError, LedgerView

INVALID = 3


@click.group("ledger")
def command() -> None:
    """Look at the ledger of a course: every delivered stretch of every beam, once.

    `interlock course` keeps one.
    """


@command.command("show")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output, with control points.")
def show(file: Path, as_json: bool) -> None:
    """Fractions, deliveries, overrides, and ends that nobody wrote. Exit code 3: not a ledger."""
    from sim.ledger.show import as_dict, render

    try:
        with LedgerView.read(file) as ledger:
            if as_json:
                click.echo(json.dumps(as_dict(ledger), indent=1))
                return
            from rich.console import Console

            Console().print(render(ledger), highlight=False, soft_wrap=True)
    except LedgerError as problem:
        _refuse(problem)


@command.command("settle")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("delivery", type=int)
@click.option("--meterset", required=True, metavar="'N MU'", help="What was reached, for example '45.2 MU'.")
@click.option("--note", required=True, help="Where the meterset was read, and by whom.")
def settle(file: Path, delivery: int, meterset: str, note: str) -> None:
    """Write the end of a delivery whose writer died, so that its course can go on.

    \b
    Example:
      interlock ledger settle course.sqlite 7 --meterset '45.2 MU' --note 'retained by the controller'
    """
    from sim.ledger.store import Ledger

    try:
        reached = TypeAdapter(Meterset).validate_python(meterset)
    except ValidationError as problem:
        raise click.UsageError(f"--meterset {meterset!r}: {problem.errors()[0]['msg']}") from None
    try:
        with Ledger.reopen(file) as ledger:
            ledger.settle(delivery, reached, note)
    except LedgerError as problem:
        _refuse(problem)
    click.echo(f"delivery {delivery} ended at {reached / 1000:.3f} MU")


def _refuse(problem: LedgerError) -> None:
    click.echo(str(problem), err=True)
    sys.exit(INVALID)
