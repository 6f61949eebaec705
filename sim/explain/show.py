"""Explanations on a terminal."""

from __future__ import annotations

from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from sim.explain.explanation import Explanation, Value
from sim.explain.names import Entry

_LABEL_WIDTH = 14


def show(explanation: Explanation, console: Console) -> None:
    """One subject: its title, then every fact with its label at the left."""
    head = Text(explanation.name, style="bold")
    head.append(f"  {explanation.kind}", style="dim")
    console.print(head)
    console.print(Text(explanation.title))
    console.print()
    grid = Grid.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=_LABEL_WIDTH, style="cyan", no_wrap=False)
    grid.add_column(overflow="fold")
    for label, value in explanation.facts.items():
        grid.add_row(Text(label), _value(value))
    console.print(grid)


def _value(value: Value) -> Text:
    """Text; a line for each of several; names stand out from what they mean."""
    if isinstance(value, str):
        return Text(value)
    if isinstance(value, list) and not any(" " in item for item in value):  # names only
        return Text(", ".join(value))
    lines = []
    for item in value:
        line = Text(item, style="bold" if isinstance(value, dict) else "")
        if isinstance(value, dict):
            line = Text.assemble((item, "bold"), f"  {value[item]}")
        lines.append(line)
    return Text("\n").join(lines)


def show_matches(entries: list[Entry], console: Console) -> None:
    """Several names to choose from."""
    width = max(len(entry.name) for entry in entries)
    grid = Grid.grid(padding=(0, 2, 0, 0))
    grid.add_column(min_width=min(width, 30), overflow="fold")
    grid.add_column(min_width=11, style="dim")
    grid.add_column()
    for entry in entries:
        grid.add_row(Text(entry.name, style="bold"), entry.kind, Text(entry.title))
    console.print(grid)


def show_overview(entries: list[Entry], console: Console) -> None:
    """What can be explained: every kind with some of its names."""
    console.print("interlock explain NAME tells about:")
    grid = Grid.grid(padding=(0, 2, 0, 0))
    grid.add_column(min_width=_LABEL_WIDTH, style="cyan")
    grid.add_column(overflow="fold")
    for kind, group in groupby(entries, key=lambda entry: entry.kind):
        names = [entry.name for entry in group]
        some = ", ".join(names[:6])
        grid.add_row(f"{len(names)} {kind}s", Text(f"{some}{', ...' if len(names) > 6 else ''}"))
    console.print(Padding(grid, (1, 0, 1, 2)))
    console.print("Upper and lower case are the same, and the beginning of a name is enough.")
