"""The kinds of boards a scenario can run on, and how each one is started."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from firmware_model.contract import Controller
from firmware_model.diagnostics import did_you_mean
from firmware_model.table import Table
from hil.errors import NotAvailable
from hil.transport import Transport, looks_like_port


class UnknownBoard(ValueError):
    """No board of that name; the message lists those there are."""


@dataclass(frozen=True, slots=True)
class Board:
    """A started board: its controller, who it says it is, and what has to be ended after it."""

    kind: str
    identity: str
    firmware: str
    controller: Controller
    resources: ExitStack = field(default_factory=ExitStack)

    def close(self) -> None:
        """End everything that was started for this board."""
        self.resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of board: a module of this package with ``missing``, ``start`` and perhaps ``carrier``, or an
    object in such a module, written ``module:object``.

    ``missing()`` says what has to be installed, "" when the board can be started here.
    ``start(table)`` gives a :class:`Board`. ``carrier(table, resources)`` starts the board and gives the
    unopened transport to it; what has to be ended goes onto ``resources``.
    """

    name: str
    title: str
    module: str

    def _starter(self) -> Any:
        """Imported only when it is needed."""
        module, _, name = self.module.partition(":")
        found = importlib.import_module(module)
        return getattr(found, name) if name else found

    def missing(self) -> str:
        return str(self._starter().missing())

    def require(self) -> None:
        """Raises NotAvailable, with what to install."""
        lacking = self.missing()
        if lacking:
            raise NotAvailable(f"board {self.name!r} cannot be started here: {lacking}")

    def start(self, table: Table) -> Board:
        """Raises NotAvailable or another RigError."""
        self.require()
        board: Board = self._starter().start(table)
        return board

    @property
    def carrier(self) -> Callable[[Table, ExitStack], Transport] | None:
        """How to start it without a host; None for boards in this process, which have no wire."""
        found: Callable[[Table, ExitStack], Transport] | None = getattr(self._starter(), "carrier", None)
        return found


#: Every kind of board, by the name ``--board`` takes.
KINDS = {
    kind.name: kind
    for kind in (
        Kind("model", "the reference model, in this process", "hil.boards.model"),
        Kind("native", "the firmware core as a library in this process", "hil.boards.native"),
        Kind("virtual", "the reference model behind a pty or a socket", "hil.boards.virtual"),
        Kind("process", "the firmware as a process of this computer", "hil.boards.process"),
        Kind(
            "qemu:lm3s6965evb",
            "the firmware on an emulated Stellaris LM3S6965",
            "hil.boards.qemu:LM3S6965EVB",
        ),
        Kind(
            "qemu:mps2-an385",
            "the firmware on an emulated Arm MPS2 (Cortex-M3)",
            "hil.boards.qemu:MPS2_AN385",
        ),
        Kind("qemu:netduinoplus2", "the firmware on an emulated STM32F405", "hil.boards.qemu:NETDUINOPLUS2"),
        Kind("simavr:atmega328p", "the firmware on a simulated ATmega328P", "hil.boards.simavr:ATMEGA328P"),
        Kind(
            "simavr:arduino",
            "the firmware as an Arduino sketch on a simulated Uno",
            "hil.boards.simavr:ARDUINO",
        ),
    )
}


def start_board(board: str, table: Table) -> Board:
    """Start a board by its kind or its port. Raises UnknownBoard or a RigError."""
    kind = KINDS.get(board)
    if kind is not None:
        return kind.start(table)
    if looks_like_port(board):
        from hil.boards.port import start_at

        return start_at(board, table)
    raise UnknownBoard(
        f"no board {board!r}; {did_you_mean(board, KINDS)}, or a port like /dev/ttyACM0, COM5, "
        "socket://HOST:PORT or unix:PATH"
    )
