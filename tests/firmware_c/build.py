"""The firmware built for verification: with other options, from changed sources, in any folder.

Three things are built from ``core``: the *library* that takes any table, the *bench*, a board whose port
is in the hands of a test, and the *program*, the board as a process.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from firmware_model.codegen import generate
from firmware_model.table import Table
from hil.boards.native import BOARDS_ONLY, COMPILE_TIMEOUT_S, FIRMWARE, FLAGS, compiler_here, missing
from hil.boards.process import DEFINES

HERE = Path(__file__).parent
WARNINGS = tuple(flag for flag in FLAGS if not flag.startswith("-O") and flag != "-shared")
#: Tight enough that every limit of a board is met: a host has to split its changes, half of the signals
#: may move at once, the clock is looked at every 16 scans, and the build's name is longer than its field.
BENCH_DEFINES = (
    *("-DIL_ONE_TABLE", "-DIL_INJECT", "-DIL_LINK_BUFFER=256", "-DIL_MAX_MOVING=40", "-DIL_FULL_SCANS=16"),
    '-DIL_BUILD_ID="0123456789abcdefghij"',
)


class DoesNotBuild(Exception):
    """The compiler refuses; the text is what it says."""


def build_library(
    folder: Path, options: Sequence[str], firmware: Path = FIRMWARE, name: str = "library.so"
) -> Path:
    """``core`` without a wire and the framing, for :class:`hil.boards.native.Library`."""
    sources = [file for file in _core(firmware) if file.stem not in BOARDS_ONLY]
    native = firmware / "ports" / "native"
    sources += sorted(native.glob("*.c"))
    return _compile(folder, name, ["-shared", *options], sources, [native], firmware)


def build_bench(
    folder: Path, table: Table, options: Sequence[str], firmware: Path = FIRMWARE, packed: bool = False
) -> Path:
    """All of ``core`` with the port in ``bench_port.c``, for :class:`tests.firmware_c.bench.Bench`.

    ``packed``: the firmware's structures have no gaps. Around each source instead of by an option of the
    compiler, which would pack what the compiler itself adds for counting as well.
    """
    generated = _generate(folder, table)
    sources = [*_core(firmware), HERE / "bench_port.c", generated / "il_table_data.c"]
    if packed:
        sources = [_around(folder, source) for source in sources]
    includes = [generated, firmware / "generated"]
    options = ["-shared", *BENCH_DEFINES, *options]
    return _compile(folder, "packed.so" if packed else "bench.so", options, sources, includes, firmware)


def _around(folder: Path, source: Path) -> Path:
    packed = folder / f"packed_{source.name}"
    packed.write_text(f'#pragma pack(1)\n#include "{source}"\n#pragma pack()\n', encoding="utf-8")
    return packed


def build_program(folder: Path, table: Table, options: Sequence[str], firmware: Path = FIRMWARE) -> Path:
    """The board as a process, as ``--board process`` runs it."""
    generated = _generate(folder, table)
    sources = [*_core(firmware), firmware / "ports" / "posix" / "main.c", generated / "il_table_data.c"]
    includes = [generated, firmware / "generated"]
    return _compile(folder, f"program_{generated.name}", [*DEFINES, *options], sources, includes, firmware)


def _core(firmware: Path) -> list[Path]:
    return sorted((firmware / "core").glob("*.c"))


def _generate(folder: Path, table: Table) -> Path:
    generated = folder / f"table_{table.digest[:8]}"
    generated.mkdir(exist_ok=True)
    for name, text in generate(table).items():
        (generated / name).write_text(text, encoding="utf-8")
    return generated


def _compile(
    folder: Path,
    name: str,
    options: Sequence[str],
    sources: Sequence[Path],
    includes: Sequence[Path],
    firmware: Path,
) -> Path:
    compiler = compiler_here()
    if compiler is None:
        raise DoesNotBuild(missing())
    command = [compiler, *WARNINGS, *options, *(f"-I{include}" for include in (*includes, firmware / "core"))]
    built = folder / name
    done = subprocess.run(
        [*command, *map(str, sources), "-o", str(built)],
        capture_output=True,
        text=True,
        timeout=COMPILE_TIMEOUT_S,
    )
    if done.returncode:
        raise DoesNotBuild(done.stderr)
    return built
