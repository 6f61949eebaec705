"""The kinds of boards a scenario can run on, and how each one is started."""

from __future__ import annotations

from dataclasses import dataclass

from firmware_model.contract import Controller
from firmware_model.diagnostics import did_you_mean
from firmware_model.table import Table


class UnknownBoard(ValueError):
    """No board of that name; the message lists those there are."""


@dataclass(frozen=True, slots=True)
class Board:
    """A started board: its controller and who it says it is."""

    kind: str
    identity: str
    firmware: str
    controller: Controller


def start_model(table: Table) -> Board:
    """The reference model, in this process."""
    from firmware_model.controller import ModelController

    return Board("model", "reference model", f"model, table {table.digest[:12]}", ModelController(table))


#: Every kind of board, by the name ``--board`` takes.
KINDS = {"model": start_model}


def start_board(kind: str, table: Table) -> Board:
    """Start a board of that kind. Raises UnknownBoard."""
    start = KINDS.get(kind)
    if start is None:
        raise UnknownBoard(f"no board {kind!r}; {did_you_mean(kind, KINDS)}")
    return start(table)
