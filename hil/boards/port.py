"""A board that is already there, at a port: one on the bench, or one that another program serves."""

from __future__ import annotations

from contextlib import ExitStack

from firmware_model.table import Table
from hil.bench import Bench
from hil.board import RemoteController
from hil.boards import Board
from hil.link import Patience
from hil.transport import Transport, transport_for


def start_at(port: str, table: Table) -> Board:
    """Greet the board at a port. Raises a RigError."""
    resources = ExitStack()
    with resources:
        return greet(port, transport_for(port), table, resources)


def greet(
    kind: str,
    transport: Transport,
    table: Table,
    resources: ExitStack,
    patience: Patience | None = None,
    bench: Bench | None = None,
) -> Board:
    """Open a transport and start the board behind it anew. The board then owns ``resources``."""
    resources.enter_context(transport)
    controller = RemoteController(transport, table, patience, bench)
    who = controller.identity
    return Board(
        kind,
        f"board {who.unique_id} at {transport.name}",
        f"build {who.build}, table {who.table[:12]}",
        controller,
        resources.pop_all(),
    )
