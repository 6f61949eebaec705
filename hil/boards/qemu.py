"""The firmware on an emulated ARM board of QEMU, its UART a socket.

Each machine is started halted (``-S``) and let go when the transport is opened, so that nothing it says
is lost. QMP, QEMU's control protocol, runs over its standard input and output.
"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from firmware_model.contract import Flip, ResetCause
from firmware_model.table import Table
from hil.boards import Board
from hil.boards.firmware_build import ARM_TOOLS, build_firmware, to_install
from hil.boards.port import greet
from hil.errors import RigError, Silent
from hil.memory import CoreMemory, ProcessMemory, layout_of
from hil.transport import END_TIMEOUT_S, SocketTransport, Transport

QEMU = "qemu-system-arm"
#: QEMU is there in a fraction of a second; the rest is for a busy computer.
START_TIMEOUT_S = 20.0
COMMAND_TIMEOUT_S = 10.0


class Qemu:
    """A running QEMU process with the firmware in it. Raises RigError."""

    def __init__(self, machine: str, elf: Path, one_cpu: bool = False) -> None:
        self.machine = machine
        self._folder = tempfile.TemporaryDirectory(prefix="interlock-qemu-")
        self.uart = Path(self._folder.name) / "uart"
        self._errors = Path(self._folder.name) / "errors"
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""
        self._resets = 0
        try:
            with self._errors.open("wb") as errors:
                self._process = subprocess.Popen(
                    self._command(elf, one_cpu),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    bufsize=0,
                )
            self._message("QMP", time.monotonic() + START_TIMEOUT_S)
            self.execute("qmp_capabilities")
        except OSError as problem:
            self.close()
            raise RigError(f"{QEMU} cannot be started: {problem.strerror}") from None
        except BaseException:
            self.close()
            raise

    def _command(self, elf: Path, one_cpu: bool) -> list[str]:
        # A machine that hands over between its threads for every byte is slowed by changing processors.
        cpus = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        pin = (
            ["taskset", "-c", str(cpus[os.getpid() % len(cpus)])]
            if one_cpu and cpus and shutil.which("taskset")
            else []
        )
        # Killed when whoever started it dies, even by a kill that nothing can catch. Linux tells by the
        # thread that started it, which is the one that owns the board until it is closed.
        guard = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        return [
            *guard, *pin, QEMU, "-M", self.machine, "-kernel", str(elf), "-S",
            "-nodefaults", "-display", "none",
            # A socket, not a pty: QEMU looks for a pty's other side only once a second.
            "-chardev", f"socket,id=uart,path={self.uart},server=on,wait=off", "-serial", "chardev:uart",
            "-chardev", "stdio,id=qmp,signal=off", "-mon", "chardev=qmp,mode=control",
        ]  # fmt: skip

    @property
    def pid(self) -> int | None:
        """Of the running process; None after close()."""
        return self._process.pid if self._process else None

    def execute(self, command: str, arguments: dict[str, Any] | None = None) -> Any:
        """Carry out a QMP command. Raises RigError."""
        request = {"execute": command, **({"arguments": arguments} if arguments else {})}
        process = self._running()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
        except OSError as problem:
            raise RigError(f"qemu {self.machine}: it has ended ({problem.strerror}){self._said()}") from None
        answer = self._message("return", time.monotonic() + COMMAND_TIMEOUT_S)
        return answer["return"]

    def resume(self) -> None:
        """Let the processor run."""
        self.execute("cont")

    def pause(self) -> None:
        """Stop the processor and all clocks of the machine."""
        self.execute("stop")

    def reset(self) -> None:
        """Press the reset button; RAM keeps what it holds. Returns when it has come."""
        before = self._resets
        self.execute("system_reset")
        deadline = time.monotonic() + COMMAND_TIMEOUT_S
        while self._resets == before:
            self._message("event", deadline)

    def resets(self) -> int:
        """How often the machine has been reset so far, by whomever."""
        process = self._running()
        assert process.stdout is not None
        while select.select([process.stdout], [], [], 0)[0]:
            self._take()
        *lines, self._unread = self._unread.split(b"\n")
        for line in lines:
            self._resets += json.loads(line).get("event") == "RESET"
        return self._resets

    def read_register(self, address: int) -> int:
        """A word of a peripheral."""
        answer = self.execute("human-monitor-command", {"command-line": f"xp /1wx {address:#x}"})
        return int(answer.rpartition(":")[2], 16)

    def memory(self, address: int) -> ProcessMemory:
        """The region of the machine's memory that this address is in, RAM or flash."""
        assert self._process is not None
        answer = self.execute("human-monitor-command", {"command-line": f"gpa2hva {address:#x}"})
        found = re.search(r"is (0x[0-9a-f]+)", answer)
        if found is None:
            raise RigError(f"qemu {self.machine}: no memory at {address:#x} ({answer.strip()})")
        return ProcessMemory(self._process.pid, int(found[1], 16) - address)

    def close(self) -> None:
        """End QEMU and remove its sockets. Does nothing the second time."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        self._folder.cleanup()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RigError(f"qemu {self.machine}: it is closed")
        return self._process

    def _message(self, key: str, deadline: float) -> dict[str, Any]:
        """The next message that has this key; events are passed over."""
        process = self._running()
        assert process.stdout is not None
        while True:
            line, found, rest = self._unread.partition(b"\n")
            if found:
                self._unread = rest
                message: dict[str, Any] = json.loads(line)
                self._resets += message.get("event") == "RESET"
                if key in message:
                    return message
                if "error" in message:
                    raise RigError(f"qemu {self.machine}: {message['error'].get('desc', message['error'])}")
                continue
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
                raise Silent(f"qemu {self.machine}: no answer on its control channel in time{self._said()}")
            self._take()

    def _take(self) -> None:
        """What has arrived on the control channel."""
        process = self._running()
        assert process.stdout is not None
        data = os.read(process.stdout.fileno(), 65536)
        if not data:
            raise RigError(f"qemu {self.machine}: it ended by itself{self._said()}")
        self._unread += data

    def _said(self) -> str:
        said = self._errors.read_text(errors="replace").strip()
        return f"; it said: {said}" if said else ""


class QemuTransport(SocketTransport):
    """The UART of a machine; opening it lets the machine run.

    Connected first, then let go: QEMU drops what a UART sends before anyone is there. The board speaks
    only when asked, so its output never piles up; it would stop all of QEMU.
    """

    def __init__(self, qemu: Qemu) -> None:
        super().__init__(str(qemu.uart))
        self.emulator = qemu

    def open(self) -> None:
        super().open()
        try:
            self.emulator.resume()
        except BaseException:
            self.close()
            raise


class QemuBench:
    """Power, reset button and memory of a machine."""

    def __init__(self, qemu: Qemu, elf: Path) -> None:
        self.qemu, self.elf = qemu, elf
        layout = layout_of(elf, elf.with_name("layout.bin"), ["arm-none-eabi-nm"])
        self.core = CoreMemory(qemu.memory(layout.symbols["core"].address), layout)

    def restart(self, cause: ResetCause) -> bool:
        """A loss of power and the reset button. No watchdog: healthy firmware kicks it in time."""
        if cause is ResetCause.power:
            self.qemu.pause()
            self._forget()
            self.qemu.reset()
            self.qemu.resume()
        elif cause is ResetCause.external:
            self.qemu.reset()
        return cause is not ResetCause.watchdog

    def _forget(self) -> None:
        """All variables but the retained ones hold anything, as memory without power does."""
        symbols, memory = self.core.layout.symbols, self.core.memory
        start, end = symbols["start_of_data"].address, symbols["end_of_noinit"].address
        kept = self.core.retained()
        size = self.core.layout.regions["retained"].size
        noise = Random(0)
        memory.write(start, noise.randbytes(kept - start))
        memory.write(kept + size, noise.randbytes(end - kept - size))

    def flip(self, flip: Flip) -> None:
        self.core.flip(flip)


@dataclass(frozen=True, slots=True)
class Pin:
    """Where an output can be read: a register and its bit."""

    address: int
    mask: int


@dataclass(frozen=True, slots=True)
class Machine:
    """A kind of board: a machine of QEMU and the port of the firmware for it."""

    name: str
    port: str
    one_cpu: bool = False
    permit_pin: Pin | None = None  # None: QEMU has no such pin

    @property
    def kind(self) -> str:
        return f"qemu:{self.name}"

    def missing(self) -> str:
        if os.name != "posix":
            return "emulated boards need Linux or another POSIX system"
        return to_install({QEMU: "qemu-system-arm", **ARM_TOOLS})

    def start(self, table: Table) -> Board:
        with ExitStack() as resources:
            elf = build_firmware(self.port, table)
            qemu = self.machine(elf, resources)
            bench = QemuBench(qemu, elf)
            return greet(self.kind, QemuTransport(qemu), table, resources, bench=bench)

    def carrier(self, table: Table, resources: ExitStack) -> Transport:
        return QemuTransport(self.machine(build_firmware(self.port, table), resources))

    def machine(self, elf: Path, resources: ExitStack) -> Qemu:
        """The machine with any program, halted; ended with ``resources``."""
        qemu = Qemu(self.name, elf, self.one_cpu)
        resources.callback(qemu.close)
        return qemu


LM3S6965EVB = Machine("lm3s6965evb", "lm3s6965evb", permit_pin=Pin(0x40025004, 1))
MPS2_AN385 = Machine("mps2-an385", "mps2_an385", one_cpu=True)
NETDUINOPLUS2 = Machine("netduinoplus2", "netduinoplus2")
MACHINES = (LM3S6965EVB, MPS2_AN385, NETDUINOPLUS2)
