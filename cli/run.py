"""``interlock run``: one scenario, its verdict and its records."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from cli.beside import load_runnable, play_on
from firmware_model.contract import Controller, ControllerFailed
from firmware_model.diagnostics import DocumentError
from firmware_model.stimulus import LoadedStimulus
from hil.boards import UnknownBoard, start_board
from sim.plan.course import PlanError
from sim.scenario.loading import LoadedScenario
from sim.scenario.runner import EXIT_CODES, BoardIdentity, Outcome, never_started, run_scenario

INVALID, RIG_ERROR = 3, 4


@click.command("run")
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option(
    "--board",
    default="model",
    show_default=True,
    help="Who runs the controller: a kind of `interlock board list`, or a port.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for the records [default: runs/<scenario>]."
)
@click.option(
    "--table", "table_path", type=click.Path(path_type=Path), help="Interlock table to use instead."
)
@click.option(
    "--without", multiple=True, metavar="ID", help="Remove an interlock from the table (repeatable)."
)
@click.option("--seed", type=click.IntRange(min=0), help="Seed to use instead of the scenario's.")
@click.option("--strict-link", is_flag=True, help="A frame that gets lost is an error instead of sent again.")
@click.option("--quiet", is_flag=True, help="Only the verdict.")
def command(
    scenario: Path,
    board: str,
    out: Path | None,
    table_path: Path | None,
    without: tuple[str, ...],
    seed: int | None,
    strict_link: bool,
    quiet: bool,
) -> None:
    """Run SCENARIO and leave run.json, events.jsonl, trace.vcd and report.html in a folder.

    SCENARIO may also be a stimulus, inputs without a plant: board and model must answer alike, tick by
    tick. It leaves no records.

    \b
    Examples:
      interlock run scenarios/two_abdominal_metastases.yaml
      interlock run scenarios/two_abdominal_metastases.yaml --without DOOR_OPEN
      interlock run scenarios/differences/heartbeat_passed_over.yaml --board native
    """
    try:
        loaded = load_runnable(scenario, table_path)
    except (DocumentError, PlanError) as problem:
        click.echo(str(problem), err=True)
        sys.exit(INVALID)
    table = loaded.table
    for name in without:
        if name not in table.interlocks:
            raise click.UsageError(f"--without {name}: no such interlock in {table.name}")
    if without:
        table = table.without(*without)
    folder = out or Path("runs") / scenario.stem
    reproduce = _reproduce(scenario, board, table_path, without, seed, strict_link)
    if isinstance(loaded, LoadedStimulus):
        if seed is not None or out is not None:
            raise click.UsageError(f"{scenario} is a stimulus: it has no seed and leaves no records")
        sys.exit(_run_stimulus(loaded.with_table(table), board, quiet, reproduce))
    loaded = loaded.with_table(table)
    identity = BoardIdentity(board, "", "")
    try:
        with start_board(board, table) as started:
            identity = BoardIdentity(started.kind, started.identity, started.firmware)
            if strict_link:
                _repeat_nothing(started.controller, board)
            outcome = run_scenario(loaded, started.controller, identity, seed=seed, reproduce=reproduce)
            _tell_retries(started.controller)
    except UnknownBoard as problem:
        raise click.UsageError(str(problem)) from None
    except ControllerFailed as problem:
        folder.mkdir(parents=True, exist_ok=True)
        _write_run(never_started(loaded, identity, problem, seed, reproduce), folder)
        click.echo(f"RIG_ERROR: {problem}", err=True)
        sys.exit(RIG_ERROR)
    _write(outcome, loaded, folder)
    if "nothing_to_disturb" in outcome.run["board"]:
        idle = ", ".join(outcome.run["board"]["nothing_to_disturb"])
        click.echo(f"nothing to disturb on board {identity.kind}, which has no wire: {idle}", err=True)
    if outcome.verdict == "RIG_ERROR":
        click.echo(f"RIG_ERROR: {outcome.run['rig_error']['detail']}", err=True)
    if quiet:
        click.echo(outcome.verdict)
    else:
        _tell(outcome, folder)
    sys.exit(outcome.exit_code)


def _run_stimulus(loaded: LoadedStimulus, board: str, quiet: bool, reproduce: str) -> int:
    """Board and model side by side; the exit code."""
    try:
        with start_board(board, loaded.table) as started:
            difference = play_on(loaded, started)
            if not quiet:
                click.echo(f"{loaded.title}\n{loaded.path} · board {started.kind} · {started.firmware}")
            _tell_retries(started.controller)
    except UnknownBoard as problem:
        raise click.UsageError(str(problem)) from None
    except ControllerFailed as problem:
        click.echo(f"RIG_ERROR: {problem}", err=True)
        return RIG_ERROR
    if difference is None:
        click.echo("PASS" if quiet else "✓ PASS  the same outputs and retained memory at every tick")
        return 0
    click.echo("FAIL" if quiet else f"✗ FAIL  {difference}\nReproduce: {reproduce}")
    return EXIT_CODES["FAIL"]


def _reproduce(
    scenario: Path,
    board: str,
    table: Path | None,
    without: tuple[str, ...],
    seed: int | None,
    strict_link: bool,
) -> str:
    words = ["interlock", "run", str(scenario), "--board", board]
    if table is not None:
        words += ["--table", str(table)]
    for name in without:
        words += ["--without", name]
    if seed is not None:
        words += ["--seed", str(seed)]
    if strict_link:
        words.append("--strict-link")
    return shlex.join(words)


def _repeat_nothing(controller: Controller, board: str) -> None:
    """From here on. The greeting goes on being repeated: a board that starts may be deaf at first."""
    from hil.board import RemoteController

    if not isinstance(controller, RemoteController):
        raise click.UsageError(f"--strict-link: board {board!r} has no wire on which a frame could get lost")
    controller.link.patience = controller.link.patience.strict()


def _write(outcome: Outcome, loaded: LoadedScenario, folder: Path) -> None:
    from sim.record.dose_pictures import dose_pictures
    from sim.record.report import write_report
    from sim.record.vcd import write_vcd

    folder.mkdir(parents=True, exist_ok=True)
    trace = outcome.world.trace
    (folder / "events.jsonl").write_text(trace.events_jsonl(), encoding="utf-8", newline="\n")
    _write_run(outcome.run, folder)
    write_vcd(trace, folder / "trace.vcd")
    earlier = outcome.world.records.orders.earlier
    pictures = dose_pictures(loaded.course, loaded.targets, trace, earlier)
    write_report(trace, outcome.run, folder / "report.html", pictures)


def _tell_retries(controller: Controller) -> None:
    """A line that loses frames changes no result, but someone should look at it."""
    from hil.board import RemoteController

    if isinstance(controller, RemoteController) and controller.statistics.retries:
        counts = controller.statistics
        click.echo(f"{counts.retries} of {counts.exchanges} requests had to be sent again", err=True)


def _write_run(run: dict[str, Any], folder: Path) -> None:
    (folder / "run.json").write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8", newline="\n")


def _tell(outcome: Outcome, folder: Path) -> None:
    from rich.console import Console

    from sim.record.story import print_story

    console = Console()
    print_story(outcome.world.trace, outcome.run, console)
    console.print(f"report: {folder / 'report.html'}", highlight=False, soft_wrap=True)
