"""Builds the firmware of a microcontroller board for a table, with the Makefile beside the C sources.

The result is kept below ``build/firmware``, one folder for each board and table.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firmware_model.codegen import generate
from firmware_model.image import NotRepresentable
from firmware_model.table import Table
from hil.errors import NotAvailable

FIRMWARE = Path(__file__).parents[1] / "firmware"
BUILD = Path(__file__).parents[2] / "build" / "firmware"
BUILD_TIMEOUT_S = 180  # a few seconds of compiling, on a busy computer

#: Command to the Debian package that has it.
ARM_TOOLS = {"make": "make", "arm-none-eabi-gcc": "gcc-arm-none-eabi libnewlib-arm-none-eabi"}
AVR_TOOLS = {"make": "make", "avr-gcc": "gcc-avr avr-libc"}


def to_install(tools: dict[str, str]) -> str:
    """Which packages are missing, as advice; "" when all commands are here."""
    lacking = {command: package for command, package in tools.items() if shutil.which(command) is None}
    if not lacking:
        return ""
    return (
        f"no {', '.join(lacking)} here; on Debian or Ubuntu: "
        f"sudo apt-get install {' '.join(lacking.values())} (or make boards)"
    )


def build_firmware(board: str, table: Table, *options: str) -> Path:
    """The ELF file of a board (a folder of ``hil/firmware/ports``) with this table, built if need be.

    ``options`` are further variables of the Makefile, such as ``VARIANT=inject``. Raises NotAvailable.
    """
    try:
        generated = generate(table)
    except NotRepresentable as problem:
        raise NotAvailable(f"table {table.name!r} does not fit the firmware: {problem}") from None
    variant = "".join("-" + option.partition("=")[2] for option in options)
    folder = BUILD / "tables" / table.digest[:16]
    out = folder / (board + variant)
    with _alone(folder):
        for name, content in generated.items():
            if not (folder / name).exists() or (folder / name).read_text(encoding="utf-8") != content:
                (folder / name).write_text(content, encoding="utf-8")
        done = subprocess.run(
            ["make", "-s", "-C", str(FIRMWARE), f"BOARD={board}", f"GENERATED={folder}", f"OUT={out}",
             f"PYTHON={sys.executable}", *options],
            capture_output=True,
            text=True,
            timeout=BUILD_TIMEOUT_S,
        )  # fmt: skip
    if done.returncode:
        raise NotAvailable(
            f"the firmware of {board} for table {table.name!r} cannot be built:\n{done.stderr}"
        )
    return out / "firmware.elf"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One build at a time in a folder: tests run in several processes."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released with the file; a build ends by its own deadline
        yield
