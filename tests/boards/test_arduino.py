"""The Arduino sketch: it behaves like the model, and Arduino's IDE can build the same folder."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from firmware_model.table import Table
from hil.boards import KINDS, start_board
from hil.boards.firmware_build import build_firmware
from hil.boards.simavr import ARDUINO, Chip
from tests.boards.test_lockstep import trace_on

if ARDUINO.missing():
    pytest.skip(ARDUINO.missing(), allow_module_level=True)
assert ARDUINO.needs is not None
CORE = ARDUINO.needs[0].parents[2]
FLASH_OF_A_SKETCH, RAM = 32256, 2048  # the boot loader has the rest of the flash
MCU = ["-mmcu=atmega328p", "-DF_CPU=16000000L", "-DARDUINO=10819", "-DARDUINO_AVR_UNO", "-DARDUINO_ARCH_AVR",
       f"-I{CORE}/cores/arduino", f"-I{CORE}/variants/standard"]  # fmt: skip

pytestmark = pytest.mark.timeout(600)


def properties(*files: Path) -> dict[str, str]:
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return {key: value for key, _, value in (line.partition("=") for line in lines if "=" in line)}


def test_headline_has_the_trace_of_the_model(table: Table) -> None:
    with start_board("model", table) as model:
        expected = trace_on(model)
    with start_board("simavr:arduino", table) as board:
        assert trace_on(board) == expected


def test_the_ide_can_build_the_folder(table: Table, tmp_path: Path) -> None:
    """With the options of Arduino's platform.txt and of the platform.local.txt beside the sketch."""
    sketch = build_firmware("arduino", table).parent / "interlock"
    known = properties(CORE / "platform.txt", sketch / "platform.local.txt")
    warnings = "{compiler.warning_flags}"

    def options(language: str) -> list[str]:
        extra = known["compiler.c.extra_flags"] if language == "c" else ""
        return [*known[f"compiler.{language}.flags"].replace(warnings, "-w").split(), *extra.split(), *MCU]

    objects = []
    cores = [CORE / "cores" / "arduino" / name for name in ("main.cpp", "wiring.c", "hooks.c")]
    for source in (*sorted(sketch.glob("*.c")), sketch / "interlock.ino", *cores):
        built = tmp_path / f"{source.name}.o"
        plain_c = source.suffix == ".c"
        how = ["avr-gcc"] if plain_c else ["avr-g++", "-x", "c++", "-include", "Arduino.h"]
        command = [*how, *options("c" if plain_c else "cpp"), f"-I{sketch}", str(source), "-o", str(built)]
        subprocess.run(command, check=True, timeout=120)
        objects.append(str(built))
    linking = known["compiler.c.elf.flags"].replace(warnings, "-w").split()
    linking += known["compiler.c.elf.extra_flags"].split()
    elf = tmp_path / "interlock.elf"
    subprocess.run(
        ["avr-gcc", *linking, "-mmcu=atmega328p", "-o", str(elf), *objects, "-lm"], check=True, timeout=120
    )
    listed = subprocess.run(["avr-size", "-A", str(elf)], capture_output=True, text=True, check=True).stdout
    size = {words[0]: int(words[1]) for words in map(str.split, listed.splitlines()) if len(words) == 3
            and words[1].isdigit()}  # fmt: skip
    assert size[".text"] + size[".data"] <= FLASH_OF_A_SKETCH
    assert size[".data"] + size[".bss"] + size[".noinit"] <= RAM * 3 // 4


def test_without_arduinos_files_it_says_what_to_install(tmp_path: Path) -> None:
    absent = Chip("arduino", (tmp_path / "Arduino.h", "arduino-core-avr"))
    assert "sudo apt-get install arduino-core-avr" in absent.missing()
    done = subprocess.run(
        ["make", "-s", "-C", "hil/firmware", "BOARD=arduino", f"ARDUINO={tmp_path}", f"OUT={tmp_path}/out"],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode
    assert "install arduino-core-avr" in done.stderr
    assert KINDS["simavr:arduino"].missing() == ""
