"""A carrier that breaks what it carries, for trying what host and board make of it.

Faults come at seeded random, frame by frame, in both directions.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from hil.errors import Unplugged
from hil.transport import Transport
from hil.wire import DELIMITER


@dataclass(frozen=True, slots=True)
class LineFaults:
    """How often each thing happens to a frame, as a probability from 0 to 1."""

    drop: float = 0
    corrupt: float = 0  # one bit of one byte
    cut: float = 0  # the rest of the frame is lost, its end with it
    duplicate: float = 0
    delay: float = 0  # it comes after the next one or two
    noise: float = 0  # a few bytes before it
    unplug_after: int | None = None  # frames


class _Line:
    """One direction."""

    def __init__(self, faults: LineFaults, dice: Random) -> None:
        self._faults, self._dice = faults, dice
        self._late: list[tuple[int, bytes]] = []  # frames still to pass before it, frame
        self.counts: dict[str, int] = {}

    def _happens(self, name: str) -> bool:
        happens = bool(self._dice.random() < getattr(self._faults, name))
        if happens:
            self.counts[name] = self.counts.get(name, 0) + 1
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
    """Another carrier with faults on it."""

    def __init__(self, inner: Transport, faults: LineFaults, seed: int) -> None:
        self.name, self._inner, self._faults = inner.name, inner, faults
        dice = Random(seed)
        self.to_board, self.to_host = _Line(faults, dice), _Line(faults, dice)
        self._frames = 0
        self._partial = b""

    @property
    def counts(self) -> dict[str, int]:
        """How often each fault has happened."""
        names = {*self.to_board.counts, *self.to_host.counts}
        return {n: self.to_board.counts.get(n, 0) + self.to_host.counts.get(n, 0) for n in names}

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
            self._inner.write(arriving)

    def read(self, timeout_s: float) -> bytes:
        *ended, self._partial = (self._partial + self._inner.read(timeout_s)).split(DELIMITER)
        return b"".join(self.to_host.carry(part + DELIMITER) for part in ended)

    def _count(self) -> None:
        self._frames += 1
        if self._faults.unplug_after is not None and self._frames > self._faults.unplug_after:
            self._inner.close()
            raise Unplugged(f"{self.name}: unplugged after {self._faults.unplug_after} frames")
