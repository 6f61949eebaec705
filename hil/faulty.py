"""A carrier that breaks what it carries, for trying what host and board make of it.

Faults come at seeded random, frame by frame, in both directions.
"""

from __future__ import annotations

import time
from random import Random

from firmware_model.rig import LineFaults
from hil.errors import Unplugged
from hil.transport import Transport
from hil.wire import DELIMITER

BITS_A_BYTE = 10  # 8N1


class _Line:
    """One direction."""

    def __init__(self, faults: LineFaults, dice: Random, counts: dict[str, int]) -> None:
        self._faults, self._dice, self._counts = faults, dice, counts
        self._late: list[tuple[int, bytes]] = []  # frames still to pass before it, frame

    def _happens(self, name: str) -> bool:
        happens = bool(self._dice.random() < getattr(self._faults, name))
        if happens:
            self._counts[name] = self._counts.get(name, 0) + 1
        return happens

    def carry(self, frame: bytes) -> bytes:
        """What arrives when this is sent."""
        out = b""
        if self._happens("noise"):
            out += self._dice.randbytes(self._dice.randint(1, 6))
        if self._happens("corrupt"):
            place = self._dice.randrange(len(frame))
            changed = bytearray(frame)
            changed[place] ^= 1 << self._dice.randrange(8)
            frame = bytes(changed)
        if self._happens("cut"):
            frame = frame[: self._dice.randrange(len(frame))]
        if self._happens("delay"):
            self._late.append((self._dice.randint(1, 2), frame))
        elif not self._happens("drop"):
            out += frame * (2 if self._happens("duplicate") else 1)
        due = [late for left, late in self._late if left == 0]
        self._late = [(left - 1, late) for left, late in self._late if left > 0]
        return out + b"".join(due)


class FaultyTransport(Transport):
    """Another carrier with faults on it, which can be changed while it is in use."""

    def __init__(self, inner: Transport, faults: LineFaults, seed: int | str) -> None:
        self.name, self._inner = inner.name, inner
        self.counts: dict[str, int] = {}  # how often each fault has happened
        self.disturb(faults, seed)
        self._frames = 0
        self._partial = b""

    def disturb(self, faults: LineFaults, seed: int | str) -> None:
        """From now on these faults, by random draws of this seed. Frames still held back are lost."""
        dice = Random(seed)
        self._faults = faults
        self.to_board, self.to_host = _Line(faults, dice, self.counts), _Line(faults, dice, self.counts)

    def unplug(self) -> None:
        """The connection ends now."""
        self._faults = LineFaults(unplug_after=0)

    def open(self) -> None:
        self._inner.open()

    def close(self) -> None:
        self._inner.close()

    def fileno(self) -> int:
        return self._inner.fileno()

    def write(self, data: bytes) -> None:
        self._count()
        arriving = self.to_board.carry(data)
        if arriving:
            self._pace(arriving)
            self._inner.write(arriving)

    def read(self, timeout_s: float) -> bytes:
        data = self._inner.read(timeout_s)
        self._pace(data)
        *ended, self._partial = (self._partial + data).split(DELIMITER)
        return b"".join(self.to_host.carry(part + DELIMITER) for part in ended)

    def _pace(self, data: bytes) -> None:
        """As long as these bytes take on a serial line of this rate."""
        if self._faults.baud is not None:
            time.sleep(len(data) * BITS_A_BYTE / self._faults.baud)

    def _count(self) -> None:
        self._frames += 1
        if self._faults.unplug_after is not None and self._frames > self._faults.unplug_after:
            self._inner.close()
            raise Unplugged(
                f"{self.name}: unplugged after {self._frames - 1} frames; plug the board in and start again"
            )
