"""``interlock board``: which boards there are, one as a port for others, and whether one is right."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import click

from cli.lockstep import command as lockstep
from firmware_model.contract import ControllerFailed
from firmware_model.diagnostics import DocumentError, did_you_mean
from firmware_model.table import Table
from firmware_model.table_loading import REFERENCE_TABLE, load_table
from hil.boards import KINDS, start_board
from hil.conformance import Result, behaviour, conformance
from hil.transport import Transport, looks_like_port, ports, transport_for
from hil.twin import Twin

NOT_CONFORMING, INVALID, RIG_ERROR = 1, 3, 4

table_option = click.option(
    "--table",
    "path",
    type=click.Path(path_type=Path),
    default=REFERENCE_TABLE,
    help="Interlock table of the board [default: the reference table].",
)


@click.group("board")
def command() -> None:
    """List, serve and test boards: whatever can run the controller in place of the model."""


@command.command("list")
def list_boards() -> None:
    """Every kind of board, whether it can be started here, and what to install if not."""
    from rich.console import Console
    from rich.table import Table as Grid

    grid = Grid("--board", "what it is", "here")
    for kind in KINDS.values():
        grid.add_row(kind.name, kind.title, kind.missing() or "available")
    found = ", ".join(ports()) or "none found"
    grid.add_row("PORT", "a board at a serial port, socket://HOST:PORT or unix:PATH", f"ports: {found}")
    Console().print(grid)


@command.command("serve")
@click.argument("kind")
@click.option("--pty", is_flag=True, help="At a new pty (the default).")
@click.option("--socket", "port", type=click.IntRange(0, 65535), help="At this TCP port; 0: a free one.")
@table_option
def serve(kind: str, pty: bool, port: int | None, path: Path) -> None:
    """Start a board of KIND and offer it as a port until ctrl-c.

    \b
    Example, in two terminals:
      interlock board serve process --socket 4000
      interlock run SCENARIO --board socket://127.0.0.1:4000
    """
    from hil.serve import serve_on_pty, serve_on_socket

    if pty and port is not None:
        raise click.UsageError("--pty or --socket, not both")
    if kind not in KINDS:
        raise click.UsageError(f"no board {kind!r}; {did_you_mean(kind, KINDS)}")
    table = _table(path)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended like ctrl-c
    try:
        with ExitStack() as resources:
            board = _carrier(kind, table, resources)
            if board is None:
                raise click.UsageError(
                    f"board {kind!r} has no wire; the same behind one is 'virtual' or 'process'"
                )
            if port is None:
                serve_on_pty(board, lambda name: _announce(kind, name))
            else:
                serve_on_socket(board, port, lambda name: _announce(kind, name))
    except ControllerFailed as problem:
        click.echo(f"RIG_ERROR: {problem}", err=True)
        sys.exit(RIG_ERROR)
    except KeyboardInterrupt:
        click.echo("ended")


@command.command("conformance")
@click.argument("board")
@click.option(
    "--steps", type=click.IntRange(min=1), default=400, show_default=True, help="Of the random walk."
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the random inputs."
)
@click.option("--quiet", is_flag=True, help="Only failures and the sum.")
@table_option
def test(board: str, steps: int, seed: int, quiet: bool, path: Path) -> None:
    """Test BOARD, a port or a kind, against the wire's rules and the reference model.

    Exit codes: 0 it conforms, 1 it does not, 4 it cannot be tested.
    """
    table = _table(path)
    if board not in KINDS and not looks_like_port(board):
        raise click.UsageError(f"no board {board!r}; {did_you_mean(board, KINDS)}, or a port")
    passed = failed = 0
    try:
        with ExitStack() as resources:
            for result in _results(board, table, steps, seed, resources):
                passed, failed = passed + result.passed, failed + (not result.passed)
                if not result.passed or not quiet:
                    _tell(result)
    except ControllerFailed as problem:
        click.echo(f"RIG_ERROR: {problem}", err=True)
        sys.exit(RIG_ERROR)
    click.echo(f"{passed} tests passed, {failed} failed")
    sys.exit(NOT_CONFORMING if failed else 0)


@command.command("flips")
@click.argument("kind")
@click.option("--count", type=click.IntRange(min=1), default=2000, show_default=True, help="Bits to flip.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of bits and instants."
)
@click.option("--quiet", is_flag=True, help="Only the table.")
@table_option
def flips(kind: str, count: int, seed: int, quiet: bool, path: Path) -> None:
    """Flip single bits in the RAM of an emulated board KIND in beam, and see what becomes of them.

    Exit codes: 0 none was unsafe, 1 one was, 4 it cannot be tried.

    \b
    Example:
      interlock board flips qemu:lm3s6965evb --count 100
    """
    from hil.boards.qemu import MACHINES
    from hil.flips import Campaign, Outcome, Tally

    machine = next((machine for machine in MACHINES if machine.kind == kind), None)
    if machine is None:
        known = {machine.kind: machine for machine in MACHINES}
        raise click.UsageError(f"bits cannot be flipped on {kind!r}; {did_you_mean(kind, known)}")
    tally = Tally()
    try:
        KINDS[kind].require()
        with ExitStack() as resources:
            campaign = Campaign(machine, _table(path), seed, resources)
            tally.sizes = campaign.sizes()
            for trial in campaign.run(count):
                tally.add(trial)
                if not quiet and trial.outcome is not Outcome.masked:
                    click.echo(str(trial))
            click.echo(f"{kind}, {campaign.firmware}, seed {seed}")
    except ControllerFailed as problem:
        if tally.counts:
            click.echo(f"ended after {tally.counts.total()} flips:\n{tally.table()}")
        click.echo(f"RIG_ERROR: {problem}", err=True)
        sys.exit(RIG_ERROR)
    click.echo(tally.table())
    sys.exit(NOT_CONFORMING if tally.unsafe else 0)


@command.command("codegen")
@click.argument("folder", type=click.Path(path_type=Path))
def codegen(folder: Path) -> None:
    """Write the C header of the wire into FOLDER."""
    from hil.wire_text import c_header

    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "il_wire.h"
    target.write_text(c_header(), encoding="utf-8", newline="\n")
    click.echo(str(target))


command.add_command(lockstep)


def _results(board: str, table: Table, steps: int, seed: int, resources: ExitStack) -> Iterator[Result]:
    transport = _carrier(board, table, resources)
    if transport is not None:
        yield from conformance(transport, table, steps, seed)
    else:  # a board without a wire
        yield from behaviour(lambda: _twin(board, table, resources), table, steps, seed)


def _twin(board: str, table: Table, resources: ExitStack) -> Twin:
    return Twin(resources.enter_context(start_board(board, table)).controller, table)


def _carrier(board: str, table: Table, resources: ExitStack) -> Transport | None:
    """The open wire to a board by its kind or its port; None when it has no wire."""
    if board in KINDS:
        kind = KINDS[board]
        kind.require()
        if kind.carrier is None:
            return None
        return resources.enter_context(kind.carrier(table, resources))
    return resources.enter_context(transport_for(board))


def _table(path: Path) -> Table:
    try:
        return load_table(path)
    except DocumentError as problem:
        click.echo(str(problem), err=True)
        sys.exit(INVALID)


def _announce(kind: str, name: str) -> None:
    click.echo(f"board {kind} at {name}; ctrl-c ends it")
    sys.stdout.flush()


def _tell(result: Result) -> None:
    mark = "passed" if result.passed else "FAILED"
    click.echo(f"{mark}  {result.name}" + (f": {result.detail}" if result.detail else ""))
