"""Carriers for tests: a board in this process without waiting, and what is open now."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hil.link import Patience
from hil.transport import Transport

#: Nothing here takes long; a frame that got lost is noticed soon.
QUICK = Patience(reply_s=0.01, retries=6, greeting_s=2.0, greet_again_s=0.01)


class DirectTransport(Transport):
    """Bytes go straight into a board and its answer is there at once."""

    def __init__(self, take: Callable[[bytes], bytes], name: str = "direct") -> None:
        self.name, self._take = name, take
        self._answers = b""

    def open(self) -> None:
        self._answers = b""

    def close(self) -> None:
        self._answers = b""

    def fileno(self) -> int:
        raise OSError("no descriptor")

    def write(self, data: bytes) -> None:
        self._answers += self._take(data)

    def read(self, timeout_s: float) -> bytes:
        answers, self._answers = self._answers, b""
        return answers


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0


def children() -> set[str]:
    """Processes of this one (Linux)."""
    found = set()
    for task in Path("/proc/self/task").glob("*/children"):
        found |= set(task.read_text().split())
    return found


@contextmanager
def nothing_left_behind() -> Iterator[None]:
    """No thread, descriptor or process more afterwards than before."""
    before = (set(threading.enumerate()), open_descriptors(), children())
    yield
    after = (set(threading.enumerate()), open_descriptors(), children())
    assert after == before
