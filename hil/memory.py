"""The memory of running firmware, reached from outside: single bits for simulated faults.

A board's program has nothing of this. Where its variables are comes from its build: symbols of the ELF
file, and places within the core from ``layout.bin`` (``core/il_layout.h``).
"""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from firmware_model.contract import MEMORY_REGIONS, Flip
from hil.errors import NotAvailable, RigError

TOOL_TIMEOUT_S = 60
ENTRY = struct.Struct("<HHH")


class Memory(Protocol):
    """Bytes at addresses as the firmware sees them. Raises RigError."""

    def read(self, address: int, size: int) -> bytes: ...
    def write(self, address: int, data: bytes) -> None: ...


class Span(NamedTuple):
    """A part of the core's memory (``il_span``)."""

    in_retained: bool
    offset: int
    size: int


class Symbol(NamedTuple):
    """A variable of a program."""

    address: int
    size: int


@dataclass(frozen=True)
class Layout:
    """Where the variables of one build are."""

    symbols: dict[str, Symbol]
    retained_pointer: Span
    regions: dict[str, Span]


def layout_of(elf: Path, layout: Path, nm: Sequence[str]) -> Layout:
    """Read a build. Raises NotAvailable when the build does not say it."""
    try:
        done = subprocess.run(
            [*nm, "-S", str(elf)], capture_output=True, text=True, timeout=TOOL_TIMEOUT_S, check=True
        )
        entries = [
            Span(bool(owner), offset, size) for owner, offset, size in ENTRY.iter_unpack(layout.read_bytes())
        ]
    except (OSError, subprocess.CalledProcessError, struct.error) as problem:
        raise NotAvailable(f"{elf}: its memory cannot be located ({problem}); build it anew") from None
    if len(entries) != 1 + len(MEMORY_REGIONS):
        raise NotAvailable(f"{layout}: {len(entries)} entries, {len(MEMORY_REGIONS)} regions; build it anew")
    symbols = {}
    for line in done.stdout.splitlines():
        match line.split():
            case [address, size, _, name]:
                symbols[name] = Symbol(int(address, 16), int(size, 16))
            case [address, _, name]:
                symbols[name] = Symbol(int(address, 16), 0)
    if "core" not in symbols:
        raise NotAvailable(f"{elf}: it has no variable 'core'; build it with its symbols")
    return Layout(symbols, entries[0], dict(zip(MEMORY_REGIONS, entries[1:], strict=True)))


@dataclass(frozen=True)
class CoreMemory:
    """The core's variables in the memory of a running board; ``base`` is added to every symbol."""

    memory: Memory
    layout: Layout
    base: int = 0

    def address_of(self, symbol: str) -> int:
        return self.base + self.layout.symbols[symbol].address

    def retained(self) -> int:
        """The address of retained memory, from the core's own pointer."""
        at = self.layout.retained_pointer
        pointer = self.memory.read(self.address_of("core") + at.offset, at.size)
        return int.from_bytes(pointer, "little")

    def flip(self, flip: Flip) -> None:
        """Flip this bit of the running firmware. Raises RigError."""
        span = self.layout.regions[flip.region]
        byte, bit = divmod(flip.bit % (8 * span.size), 8)
        start = self.retained() if span.in_retained else self.address_of("core")
        flip_bit(self.memory, start + span.offset + byte, bit)


def flip_bit(memory: Memory, address: int, bit: int) -> None:
    """Flip bit 0 to 7 of a byte."""
    (before,) = memory.read(address, 1)
    memory.write(address, bytes([before ^ 1 << bit]))


class ProcessMemory:
    """The memory of another process of this computer (Linux); ``shift`` is added to every address."""

    def __init__(self, pid: int, shift: int = 0) -> None:
        self._pid, self._shift = pid, shift

    def read(self, address: int, size: int) -> bytes:
        try:
            with Path(f"/proc/{self._pid}/mem").open("rb", buffering=0) as memory:
                data = os.pread(memory.fileno(), size, address + self._shift)
        except OSError as problem:
            raise self._unreachable(problem) from None
        if len(data) != size:
            raise RigError(f"process {self._pid}: {len(data)} of {size} bytes read at {address:#x}")
        return data

    def write(self, address: int, data: bytes) -> None:
        try:
            with Path(f"/proc/{self._pid}/mem").open("wb", buffering=0) as memory:
                os.pwrite(memory.fileno(), data, address + self._shift)
        except OSError as problem:
            raise self._unreachable(problem) from None

    def _unreachable(self, problem: OSError) -> NotAvailable:
        return NotAvailable(
            f"the memory of process {self._pid} cannot be reached ({problem.strerror}); flipping bits needs "
            "Linux with /proc, and the right to trace processes one has started"
        )


def load_address(pid: int, program: Path) -> int:
    """Where a program has been loaded; its symbols count from there. Raises RigError."""
    try:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            if line.endswith(str(program.resolve())):
                return int(line.partition("-")[0], 16)
    except OSError as problem:
        raise NotAvailable(f"the memory map of process {pid} cannot be read: {problem.strerror}") from None
    raise RigError(f"process {pid} does not run {program}")
