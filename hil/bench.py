"""What can be done to a board besides talking to it: its power, its reset button, its memory.

An emulated board has all of it, a board at a serial port none; then the wire has to do what it can.
"""

from __future__ import annotations

from typing import Protocol

from firmware_model.contract import Flip, ResetCause
from hil.errors import NotAvailable


class Bench(Protocol):
    """Hands on a board."""

    def restart(self, cause: ResetCause) -> bool:
        """Restart it by this cause, retained memory kept. False: cannot be, ask it to. Raises RigError."""

    def flip(self, flip: Flip) -> None:
        """Flip a bit in the memory of the running firmware. Raises NotAvailable or another RigError."""


class NoHands:
    """A board that can only be talked to."""

    def __init__(self, name: str) -> None:
        self._name = name

    def restart(self, cause: ResetCause) -> bool:
        return False

    def flip(self, flip: Flip) -> None:
        raise NotAvailable(
            f"{self._name}: the memory of this board cannot be reached from here; run this scenario on "
            "model, native, process, virtual or an emulated board"
        )
