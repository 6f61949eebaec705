"""``interlock course``: a plan given over days, with a ledger of what was delivered."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from firmware_model.contract import ControllerFailed
from firmware_model.diagnostics import DocumentError
from hil.boards import UnknownBoard, start_board
from sim.course.loading import load_course
from sim.ledger.view import LedgerError
from sim.plan.course import PlanError
from sim.scenario.runner import BoardIdentity

if TYPE_CHECKING:
    from sim.course.run import CourseOutcome, GivenSession

INVALID, RIG_ERROR = 3, 4


@click.command("course")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--board", default="model", show_default=True, help="Who runs the controller.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the records [default: runs/<file>].")
@click.option(
    "--ledger", "ledger_path", type=click.Path(path_type=Path),
    help="Ledger to go on with; default: a new one in the folder of the records.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), help="Seed to use instead of the file's.")
@click.option("--quiet", is_flag=True, help="Only the verdict.")
def command(
    file: Path, board: str, out: Path | None, ledger_path: Path | None, seed: int | None, quiet: bool
) -> None:
    """Give the course in FILE session by session; leave course.json, course.html and a ledger in a folder.

    \b
    Examples:
      interlock course scenarios/courses/partner_abandoned.yaml
      interlock ledger show runs/partner_abandoned/ledger.sqlite
    """
    from sim.course.run import run_course
    from sim.course.show import print_course, print_session
    from sim.ledger.show import as_dict
    from sim.ledger.store import Ledger

    try:
        loaded = load_course(file)
    except (DocumentError, PlanError) as problem:
        click.echo(str(problem), err=True)
        sys.exit(INVALID)
    folder = out or Path("runs") / file.stem
    folder.mkdir(parents=True, exist_ok=True)
    if ledger_path is None:
        ledger_path = folder / "ledger.sqlite"
        for old in folder.glob("ledger.sqlite*"):
            old.unlink()

    def tell(session: GivenSession) -> None:
        if not quiet:
            print_session(session)

    try:
        with start_board(board, loaded.table) as started, Ledger(ledger_path, loaded.course) as ledger:
            identity = BoardIdentity(started.kind, started.identity, started.firmware)
            outcome = run_course(loaded, started.controller, identity, ledger, seed=seed, tell=tell)
            kept = as_dict(ledger)
    except UnknownBoard as problem:
        raise click.UsageError(str(problem)) from None
    except LedgerError as problem:
        click.echo(str(problem), err=True)
        sys.exit(INVALID)
    except ControllerFailed as problem:
        click.echo(f"RIG_ERROR: {problem}", err=True)
        sys.exit(RIG_ERROR)
    _write(outcome, kept, folder)
    if quiet:
        click.echo(outcome.verdict)
    else:
        print_course(outcome, folder)
    sys.exit(outcome.exit_code)


def _write(outcome: CourseOutcome, kept: dict[str, Any], folder: Path) -> None:
    from sim.record.course_page import write_course_page

    write_course_page(outcome.record, kept, folder / "course.html")
    text = json.dumps(outcome.record, indent=1) + "\n"
    (folder / "course.json").write_text(text, encoding="utf-8", newline="\n")
    for session in outcome.sessions:
        place = folder / f"session_{session.number}"
        place.mkdir(exist_ok=True)
        run = json.dumps(session.outcome.run, indent=1) + "\n"
        (place / "run.json").write_text(run, encoding="utf-8", newline="\n")
        events = session.outcome.world.trace.events_jsonl()
        (place / "events.jsonl").write_text(events, encoding="utf-8", newline="\n")
