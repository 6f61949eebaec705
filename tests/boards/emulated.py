"""The emulated boards, and a person at a terminal for the check program of a port."""

from __future__ import annotations

import time
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from firmware_model.table import Table
from hil.board import RemoteController
from hil.boards import KINDS, Board
from hil.boards.firmware_build import build_firmware
from hil.boards.qemu import MACHINES, Machine, Qemu, QemuTransport
from hil.boards.simavr import Simavr, SimavrTransport
from hil.transport import Transport

LINE_TIMEOUT_S = 20.0  # the watchdog of a board takes 1 s, on a busy computer more

Emulator = Qemu | Simavr


@dataclass(frozen=True)
class Emulated:
    """An emulated board and what its check program should say of it."""

    kind: str
    port: str
    unique_id: bytes
    has_watchdog: bool

    def skip_if_missing(self) -> None:
        lacking = KINDS[self.kind].missing()
        if lacking:
            pytest.skip(f"{self.kind}: {lacking}")

    def check_program(self, table: Table) -> Path:
        return build_firmware(self.port, table, "PROGRAM=check")

    def start(self, elf: Path, resources: ExitStack) -> tuple[Emulator, Transport]:
        """Start it with any program; the processor waits until the transport is opened."""
        machine = machine_of(self.kind)
        if machine is not None:
            qemu = machine.machine(elf, resources)
            return qemu, QemuTransport(qemu)
        chip = Simavr(elf)
        resources.callback(chip.close)
        return chip, SimavrTransport(chip)


def machine_of(kind: str) -> Machine | None:
    return next((machine for machine in MACHINES if machine.kind == kind), None)


BOARDS = (
    Emulated("qemu:lm3s6965evb", "lm3s6965evb", b"LM3S6965", True),
    Emulated("qemu:mps2-an385", "mps2_an385", b"MPS2A385", True),
    # QEMU has no independent watchdog of the STM32.
    Emulated("qemu:netduinoplus2", "netduinoplus2", b"STM32EMU", False),
    Emulated("simavr:atmega328p", "atmega328p", b"ATMEGA32", True),
)


def emulator_of(board: Board) -> Emulator:
    """What runs behind a started board."""
    controller = board.controller
    assert isinstance(controller, RemoteController)
    transport = controller.link.transport
    assert isinstance(transport, QemuTransport | SimavrTransport)
    return transport.emulator


class Terminal:
    """Lines to and from the check program."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._unread = b""

    def line(self) -> str:
        """The next line the board says."""
        deadline = time.monotonic() + LINE_TIMEOUT_S
        while b"\n" not in self._unread:
            left = deadline - time.monotonic()
            assert left > 0, f"no line within {LINE_TIMEOUT_S} s, only {self._unread!r}"
            self._unread += self.transport.read(left)
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode("ascii")

    def ask(self, text: str) -> str:
        self.transport.write(text.encode("ascii") + b"\n")
        return self.line()

    def micros(self) -> int:
        return int(self.ask("!micros"), 16)


def echo_of(text: str) -> str:
    return f"{text} {zlib.crc32(text.encode()):08X}"
