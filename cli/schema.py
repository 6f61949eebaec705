"""``interlock schema``: JSON Schemas of the project's files, for editors."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from firmware_model.diagnostics import DocumentError
from firmware_model.table_loading import REFERENCE_TABLE, load_table
from sim.editor_schemas import KINDS, editor_schema


@click.command("schema")
@click.argument("kind", type=click.Choice(list(KINDS)), default="scenario")
@click.option("--out", type=click.Path(path_type=Path), help="File to write instead of printing.")
@click.option(
    "--table",
    "path",
    type=click.Path(path_type=Path),
    default=REFERENCE_TABLE,
    help="Table whose names are offered in a scenario.",
)
def command(kind: str, out: Path | None, path: Path) -> None:
    """Print the JSON Schema of a KIND of file, for completion and inline errors in an editor.

    \b
    KIND is scenario (the default), course, stimulus, plan, table or machine.

    \b
    Examples:
      interlock schema --out scenario.schema.json
      interlock schema table --out table.schema.json

    \b
    Then, as the first line of a file (the path is relative to it):
      # yaml-language-server: $schema=scenario.schema.json
    """
    try:
        schema = editor_schema(kind, load_table(path))
    except DocumentError as problem:
        click.echo(str(problem), err=True)
        sys.exit(3)
    text = json.dumps(schema, indent=1) + "\n"
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8", newline="\n")
    except OSError as problem:
        raise click.UsageError(f"{out} cannot be written: {problem.strerror}") from None
    click.echo(f"wrote the schema of a {kind} to {out}")
