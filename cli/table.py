"""``interlock table``: look at interlock tables."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from firmware_model.diagnostics import DocumentError
from firmware_model.table_loading import REFERENCE_TABLE, load_table


@click.group("table")
def command() -> None:
    """Look at interlock tables."""


@command.command("show")
@click.option("--table", "path", type=click.Path(path_type=Path), default=REFERENCE_TABLE, help="Table file.")
def show(path: Path) -> None:
    """Every interlock with its stop class, latch level, debounce and deadline."""
    from rich.console import Console
    from rich.table import Table as Grid

    try:
        table = load_table(path)
    except DocumentError as problem:
        click.echo(str(problem), err=True)
        sys.exit(3)
    grid = Grid("id", "title", "stop", "latch", "debounce", "deadline")
    for name, row in table.interlocks.items():
        grid.add_row(
            name, row.title, row.stop, row.latch, str(row.debounce), f"{row.respond_within / 1000:g} ms"
        )
    console = Console()
    console.print(grid)
    size = f"{len(table.interlocks)} interlocks over {len(table.signals)} signals"
    console.print(f"{table.name}: {size}, digest {table.digest}", soft_wrap=True)


@command.command("codegen")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--table", "path", type=click.Path(path_type=Path), default=REFERENCE_TABLE, help="Table file.")
def codegen(folder: Path, path: Path) -> None:
    """Write the C source of a table into FOLDER, for a board's firmware."""
    from firmware_model.codegen import generate
    from firmware_model.image import NotRepresentable

    try:
        files = generate(load_table(path))
    except DocumentError as problem:
        click.echo(str(problem), err=True)
        sys.exit(3)
    except NotRepresentable as problem:
        click.echo(f"{path}: {problem}", err=True)
        sys.exit(3)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8", newline="\n")
        click.echo(str(folder / name))
