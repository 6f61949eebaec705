"""The firmware on a simulated ATmega328P (Arduino Uno), its USART a socket.

simavr is a library; the program around it, ``simavr_board.c``, is built by the local C compiler when it is
needed first and kept below ``build/simavr``.
"""

from __future__ import annotations

import hashlib
import os
import select
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from firmware_model.contract import Flip, ResetCause
from firmware_model.table import Table
from hil.boards import Board
from hil.boards.firmware_build import AVR_TOOLS, build_firmware, to_install
from hil.boards.native import COMPILE_TIMEOUT_S, compiler_here
from hil.boards.port import greet
from hil.errors import NotAvailable, RigError, Silent
from hil.memory import CoreMemory, layout_of
from hil.transport import END_TIMEOUT_S, SocketTransport, Transport

SOURCE = Path(__file__).with_name("simavr_board.c")
BUILD = Path(__file__).parents[2] / "build" / "simavr"
#: Where the headers of libsimavr-dev are.
HEADER = Path("/usr/include/simavr/sim_avr.h")
LOCAL_HEADER = Path("/usr/local/include/simavr/sim_avr.h")
#: Of the ATmega328P (Microchip DS40002061), and where the ELF file of avr-gcc puts data memory.
RAM_IN_ELF = 0x800000
START_TIMEOUT_S = 20.0
COMMAND_TIMEOUT_S = 10.0


def build_program() -> Path:
    """The program around simavr, built if need be. Raises NotAvailable."""
    compiler = compiler_here()
    if compiler is None:
        raise NotAvailable(ATMEGA328P.missing())
    command = [compiler, "-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", str(SOURCE)]
    libraries = ["-lsimavr", "-lelf"]
    key = hashlib.sha256("\0".join([*command, *libraries]).encode() + SOURCE.read_bytes()).hexdigest()[:16]
    program = BUILD / f"simavr_board_{key}"
    if not program.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        unfinished = program.with_suffix(f".{os.getpid()}")
        done = subprocess.run(
            [*command, "-o", str(unfinished), *libraries],
            capture_output=True,
            text=True,
            timeout=COMPILE_TIMEOUT_S,
        )
        if done.returncode:
            raise NotAvailable(f"{compiler} could not build {SOURCE.name}:\n{done.stderr}")
        unfinished.replace(program)  # at once: two processes may build it
    return program


class Simavr:
    """A running simavr process with the firmware in it. Raises RigError."""

    def __init__(self, elf: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="interlock-simavr-")
        self.uart = Path(self._folder.name) / "uart"
        self._errors = Path(self._folder.name) / "errors"
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""
        try:
            with self._errors.open("wb") as errors:
                self._process = subprocess.Popen(
                    [str(build_program()), str(elf), str(self.uart)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    bufsize=0,
                )
            self._line("ready", START_TIMEOUT_S)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int | None:
        """Of the running process; None after close()."""
        return self._process.pid if self._process else None

    def reset(self) -> None:
        """Press the reset button; RAM keeps what it holds."""
        self._command(b"r", "reset")

    def lose_power(self, kept: int, size: int) -> None:
        """Lose power for a moment: RAM is noise afterwards but for ``size`` bytes at an address."""
        self._command(b"p" + kept.to_bytes(2, "little") + size.to_bytes(2, "little"), "reset")

    def read(self, address: int, size: int) -> bytes:
        """Data memory of the chip: registers and RAM."""
        answer = self._command(b"g" + address.to_bytes(2, "little") + size.to_bytes(2, "little"), "memory")
        return bytes.fromhex(answer.partition(" ")[2])

    def write(self, address: int, data: bytes) -> None:
        head = b"w" + address.to_bytes(2, "little") + len(data).to_bytes(2, "little")
        self._command(head + data, "written")

    def lowest_stack_pointer(self) -> int:
        """The lowest address the stack pointer has had so far."""
        return int(self._command(b"s", "stack").split()[1])

    def close(self) -> None:
        """End the process and remove its socket. Does nothing the second time."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()  # it ends when its input does
            try:
                process.wait(END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
        self._folder.cleanup()

    def _command(self, command: bytes, answer: str) -> str:
        if self._process is None:
            raise RigError("simavr: it is closed")
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(command)
        except OSError as problem:
            raise RigError(f"simavr: it has ended ({problem.strerror}){self._said()}") from None
        return self._line(answer, COMMAND_TIMEOUT_S)

    def _line(self, start: str, timeout_s: float) -> str:
        """The next line; it has to begin like this."""
        assert self._process is not None
        assert self._process.stdout is not None
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._unread:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
                raise Silent(f"simavr: no {start!r} within {timeout_s} s{self._said()}")
            data = os.read(self._process.stdout.fileno(), 4096)
            if not data:
                raise RigError(f"simavr: it ended by itself{self._said()}")
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        text = line.decode(errors="replace")
        if not text.startswith(start):
            raise RigError(f"simavr: said {text!r}, not {start!r}{self._said()}")
        return text

    def _said(self) -> str:
        said = self._errors.read_text(errors="replace").strip()
        return f"; it said: {said}" if said else ""


class SimavrTransport(SocketTransport):
    """USART0 of a chip; opening it for the first time lets the chip run."""

    def __init__(self, chip: Simavr) -> None:
        super().__init__(str(chip.uart))
        self.emulator = chip


class SimavrBench:
    """Power, reset button and memory of a chip."""

    def __init__(self, chip: Simavr, elf: Path) -> None:
        self.chip = chip
        layout = layout_of(elf, elf.with_name("layout.bin"), ["avr-nm"])
        # Addresses of RAM in the ELF file are beside those of flash.
        self.core = CoreMemory(chip, layout, -RAM_IN_ELF)

    def restart(self, cause: ResetCause) -> bool:
        """A loss of power and the reset button. No watchdog: healthy firmware kicks it in time."""
        if cause is ResetCause.power:
            self.chip.lose_power(self.core.retained(), self.core.layout.regions["retained"].size)
        elif cause is ResetCause.external:
            self.chip.reset()
        return cause is not ResetCause.watchdog

    def flip(self, flip: Flip) -> None:
        self.core.flip(flip)


@dataclass(frozen=True, slots=True)
class Chip:
    """A kind of board: the simulated chip with one of the firmware's ports."""

    port: str
    needs: tuple[Path, str] | None = None  # a file beside the compiler's, and the package that has it

    @property
    def kind(self) -> str:
        return f"simavr:{self.port}"

    def missing(self) -> str:
        if os.name != "posix":
            return "emulated boards need Linux or another POSIX system"
        if compiler_here() is None:
            return "no C compiler here; on Debian or Ubuntu: sudo apt-get install gcc libc6-dev"
        if not HEADER.exists() and not LOCAL_HEADER.exists():
            return _install("libsimavr", "libsimavr-dev libelf-dev")
        if self.needs is not None and not self.needs[0].exists():
            return _install(str(self.needs[0]), self.needs[1])
        return to_install(AVR_TOOLS)

    def start(self, table: Table) -> Board:
        with ExitStack() as resources:
            elf = build_firmware(self.port, table)
            chip = Simavr(elf)
            resources.callback(chip.close)
            bench = SimavrBench(chip, elf)
            return greet(self.kind, SimavrTransport(chip), table, resources, bench=bench)

    def carrier(self, table: Table, resources: ExitStack) -> Transport:
        """USART0 of a chip that starts when the transport is opened."""
        chip = Simavr(build_firmware(self.port, table))
        resources.callback(chip.close)
        return SimavrTransport(chip)


def _install(what: str, packages: str) -> str:
    return f"no {what} here; on Debian or Ubuntu: sudo apt-get install {packages} (or make boards)"


ATMEGA328P = Chip("atmega328p")
ARDUINO = Chip(
    "arduino",
    (Path("/usr/share/arduino/hardware/arduino/avr/cores/arduino/Arduino.h"), "arduino-core-avr"),
)
