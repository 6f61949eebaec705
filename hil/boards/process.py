"""The firmware as a process of this computer: the same C as on a board, on standard input and output.

It is built for one table by the local C compiler, and kept below ``build/process``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from firmware_model.codegen import generate
from firmware_model.contract import Flip, ResetCause
from firmware_model.image import NotRepresentable
from firmware_model.table import Table
from hil.boards import Board
from hil.boards.native import COMPILE_TIMEOUT_S, FIRMWARE, NoCompiler, compiler_here
from hil.boards.port import greet
from hil.errors import NotAvailable, Unplugged
from hil.memory import CoreMemory, ProcessMemory, layout_of, load_address
from hil.transport import ProcessTransport, Transport

NO_ID = "0" * 16
BUILD = Path(__file__).parents[2] / "build" / "process"
FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-pedantic")
#: A whole set of signals fits into one request; the clock is looked at every 256 scans.
DEFINES = ("-DIL_ONE_TABLE", "-DIL_LINK_BUFFER=1024", "-DIL_FULL_SCANS=256")


def missing() -> str:
    if os.name != "posix":
        return "the process port needs Linux, macOS or another POSIX system"
    if compiler_here() is None:
        return "install a C compiler (Debian: apt-get install gcc libc6-dev)"
    return ""


def start(table: Table) -> Board:
    with ExitStack() as resources:
        program = build_program(table)
        # What a battery would keep: a file that outlives the process and has no name.
        retained = resources.enter_context(tempfile.TemporaryFile(prefix="interlock-retained-"))
        arguments = [str(program), NO_ID, str(retained.fileno())]
        transport = ProcessTransport(arguments, "process", [retained.fileno()])
        return greet("process", transport, table, resources, bench=ProcessBench(transport, program))


class ProcessBench:
    """Power and memory of a process."""

    def __init__(self, transport: ProcessTransport, program: Path) -> None:
        self._transport, self._program = transport, program

    def restart(self, cause: ResetCause) -> bool:
        """A loss of power is a kill. It has no reset button, and its watchdog is the wire's."""
        if cause is ResetCause.power:
            self._transport.kill_and_restart()
        return cause is ResetCause.power

    def flip(self, flip: Flip) -> None:
        pid = self._transport.pid
        if pid is None:
            raise Unplugged("process: it does not run; start the board again")
        layout = layout_of(self._program, layout_file(self._program), ["nm"])
        base = load_address(pid, self._program)
        CoreMemory(ProcessMemory(pid), layout, base).flip(flip)


def carrier(table: Table, resources: ExitStack) -> Transport:
    """The process, started when the transport is opened."""
    return ProcessTransport([str(build_program(table))], "process")


def build_program(table: Table, extra_flags: Sequence[str] = (), sources_from: Path = FIRMWARE) -> Path:
    """The program with this table, built if need be. Raises NotAvailable or NoCompiler."""
    compiler = compiler_here()
    if compiler is None:
        raise NoCompiler(missing())
    try:
        generated = generate(table)
    except NotRepresentable as problem:
        raise NotAvailable(f"table {table.name!r} does not fit the firmware: {problem}") from None
    core, port = sources_from / "core", sources_from / "ports" / "posix"
    files = sorted([*core.glob("*.[ch]"), *port.glob("*.[ch]"), sources_from / "generated" / "il_wire.h"])
    command = [compiler, *FLAGS, *DEFINES, *extra_flags]
    key = hashlib.sha256("\0".join([*command, *generated.values()]).encode())
    for file in files:
        key.update(file.read_bytes())
    build = key.hexdigest()[:16]
    program = BUILD / f"interlock_{build}"
    if program.exists():
        return program
    folder = BUILD / f"{build}.{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in generated.items():
        (folder / name).write_text(content, encoding="utf-8")
    includes = [f"-I{path}" for path in (folder, core, sources_from / "generated")]
    wanted = [*(str(file) for file in files if file.suffix == ".c"), str(folder / "il_table_data.c")]
    unfinished = folder / "program"
    done = subprocess.run(
        [*command, f'-DIL_BUILD_ID="{build}"', *includes, *wanted, "-o", str(unfinished)],
        capture_output=True,
        text=True,
        timeout=COMPILE_TIMEOUT_S,
    )
    if done.returncode:
        raise NoCompiler(f"{compiler} could not build the firmware:\n{done.stderr}")
    _build_layout(compiler, [*command, *includes], sources_from, folder, layout_file(program))
    unfinished.replace(program)  # at once: two processes may build it
    for name in generated:
        (folder / name).unlink()
    folder.rmdir()
    return program


def layout_file(program: Path) -> Path:
    """Beside a program: where the core's variables are (``core/il_layout.h``)."""
    return program.with_suffix(".layout")


def _build_layout(compiler: str, command: list[str], sources: Path, folder: Path, result: Path) -> None:
    """Only for flipping bits; without objcopy there is no such file."""
    objcopy = shutil.which("objcopy")
    if objcopy is None:
        return
    source, compiled, extracted = sources / "ports" / "layout" / "layout.c", folder / "o", folder / "bin"
    for step in (
        [*command, "-fdata-sections", "-c", str(source), "-o", str(compiled)],
        [objcopy, "-O", "binary", "-j", ".rodata.il_layout", str(compiled), str(extracted)],
    ):
        subprocess.run(step, capture_output=True, timeout=COMPILE_TIMEOUT_S, check=True)
    extracted.replace(result)
    compiled.unlink()
