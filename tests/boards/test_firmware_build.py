"""The firmware of every board builds without a warning, fits, and has what its variant should have."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from firmware_model.codegen import generate
from firmware_model.table import Table
from hil.boards.firmware_build import ARM_TOOLS, AVR_TOOLS, FIRMWARE, build_firmware, to_install
from hil.boards.simavr import ARDUINO
from hil.errors import NotAvailable

BOARDS = sorted(file.parent.name for file in (FIRMWARE / "ports").glob("*/board.mk"))

AVR_BOARDS = ("atmega328p", "arduino")

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(params=BOARDS)
def board(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    lacking = to_install(AVR_TOOLS if name in AVR_BOARDS else ARM_TOOLS)
    if name == "arduino":
        lacking = lacking or ARDUINO.missing()
    if lacking:
        pytest.skip(f"{name}: {lacking}")
    return name


def make(*variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "-s", "-C", str(FIRMWARE), *variables], capture_output=True, text=True, timeout=200
    )


def symbols(elf: Path) -> set[str]:
    tool = "avr-nm" if any(name in str(elf.parent.name) for name in AVR_BOARDS) else "arm-none-eabi-nm"
    listed = subprocess.run([tool, str(elf)], capture_output=True, text=True, check=True, timeout=60).stdout
    return {line.split()[-1] for line in listed.splitlines()}


def test_there_are_boards() -> None:
    assert len(BOARDS) == 5


@pytest.mark.parametrize("variant", ["release", "inject"])
def test_builds_without_a_warning_and_fits(board: str, variant: str, tmp_path: Path) -> None:
    done = make(f"BOARD={board}", f"VARIANT={variant}", f"OUT={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for line in ("flash", "RAM at rest", "stack", "RAM free", "widest frame"):
        assert f"  {line}" in done.stdout


def test_generated_source_is_that_of_the_table(table: Table) -> None:
    for name, content in generate(table).items():
        assert (FIRMWARE / "generated" / name).read_text() == content, (
            f"{name} is stale: run interlock table codegen hil/firmware/generated"
        )


def test_core_reaches_the_board(board: str, table: Table) -> None:
    """The linker drops what nothing calls; these must not be among it."""
    assert {"il_run", "il_reset", "il_table_data", "il_link_take", "main"} <= symbols(
        build_firmware(board, table)
    )


def test_hooks_for_injected_faults_are_only_in_the_inject_variant(board: str, table: Table) -> None:
    def hooks(*options: str) -> set[str]:
        return {name for name in symbols(build_firmware(board, table, *options)) if "inject" in name.lower()}

    assert hooks() == set()
    assert hooks("VARIANT=inject") == {"il_injection", "il_inject_between_scans"}


def test_another_table_is_another_firmware(board: str, table: Table) -> None:
    other = table.without("DOOR_OPEN")
    first, second = build_firmware(board, table), build_firmware(board, other)
    assert first != second
    assert first.read_bytes() != second.read_bytes()


@pytest.mark.parametrize(
    "wrong", ["BOARD=toaster", "VARIANT=debug", "PROGRAM=game"], ids=lambda text: text.partition("=")[0]
)
def test_a_wrong_word_is_refused_with_the_right_ones(wrong: str) -> None:
    done = make(wrong)
    assert done.returncode != 0
    assert "there are:" in done.stderr


def test_too_little_memory_fails_the_build(board: str, tmp_path: Path) -> None:
    done = make(f"BOARD={board}", f"OUT={tmp_path}", "RAM_FREE_PERCENT=99", "RAM_BYTES=2048")
    assert done.returncode != 0
    assert "this board needs 99 %" in done.stderr
    assert not (tmp_path / "size.txt").exists()


def test_a_board_that_does_not_exist_is_not_available(table: Table) -> None:
    with pytest.raises(NotAvailable, match="there is no such board"):
        build_firmware("toaster", table)
