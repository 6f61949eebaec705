"""A flipped bit of the interlock table is found before the next scan."""

from __future__ import annotations

import ctypes as c
from random import Random

import pytest

from firmware_model.contract import ResetCause, Segment
from firmware_model.image import Image, image_of
from firmware_model.states import Command, State
from firmware_model.table import Table
from hil.board import RemoteController
from hil.boards import KINDS, start_board
from hil.boards.native import BrokenBoard, Library, NativeController, build_library
from hil.boards.qemu import QemuBench
from hil.errors import UnexpectedReset
from hil.link import Patience
from hil.memory import flip_bit
from tests.boards.emulated import BOARDS

ARRAYS = {
    "safe": "safe",
    "row": "rows",
    "alternative": "alternatives",
    "sum": "sums",
    "term": "terms",
    "param": "params",
}
FLIPS = 400


def places(board: NativeController, image: Image) -> dict[str, list[tuple[int, int]]]:
    """Address and size of everything the firmware reads of a table, by what it is."""
    found: dict[str, list[tuple[int, int]]] = {}
    for pointer, name in ARRAYS.items():
        array = getattr(board._arrays, pointer)
        for i in range(len(getattr(image, name))):
            element = c.addressof(array.contents) + i * c.sizeof(array._type_)
            for key, type_ in getattr(array._type_, "_fields_", [("", array._type_)]):
                offset = getattr(array._type_, key).offset if key else 0
                found.setdefault(f"{pointer} {key}", []).append((element + offset, c.sizeof(type_)))
    proofs = board._arrays.kept_alive
    masks = (len(image.rows) + 7) // 8  # behind the row, without a hole
    found["proof"] = [(c.addressof(proofs[i]), 1 + masks) for i, _ in enumerate(image.proofs)]
    return found


def flip(address: int, bit: int) -> None:
    byte = c.c_uint8.from_address(address + bit // 8)
    byte.value ^= 1 << bit % 8


@pytest.mark.skipif(bool(KINDS["native"].missing()), reason=KINDS["native"].missing())
def test_every_number_of_the_table_is_guarded(table: Table) -> None:
    board, dice, image = NativeController(table), Random(1), image_of(table)
    kinds = places(board, image)
    assert len(kinds) == 23
    everything = [place for those in kinds.values() for place in those]
    # One of every kind of number for certain, the others drawn.
    chosen = [dice.choice(those) for those in kinds.values()] + dice.choices(everything, k=FLIPS)
    for address, size in chosen:
        board.reset(ResetCause.power)
        board.run(Segment(dice.randrange(1, 40), (), Command.power_on))
        bit = dice.randrange(8 * size)
        flip(address, bit)
        with pytest.raises(BrokenBoard):
            board.run(Segment(1))
        assert board.reset(ResetCause.watchdog).state is State.off
        with pytest.raises(BrokenBoard):  # damaged at the start: not one scan
            board.run(Segment(1))
        flip(address, bit)
    board.reset(ResetCause.power)
    assert board.run(Segment(5, (), Command.power_on)).ticks  # whole again


@pytest.mark.skipif(bool(KINDS["native"].missing()), reason=KINDS["native"].missing())
def test_a_slow_processor_checks_all_at_the_start_and_then_some_rows_a_scan(table: Table) -> None:
    library = Library(build_library(["-DIL_PIECES_A_SCAN=8u"]))
    board, image = NativeController(table, library), image_of(table)
    address, _ = places(board, image)["row debounce"][-1]
    flip(address, 0)
    board.run(Segment(1))  # not looked at yet
    with pytest.raises(BrokenBoard):
        scans(board, -(-(len(image.rows) + 1) // 8) - 1)
    board.reset(ResetCause.watchdog)
    with pytest.raises(BrokenBoard):
        board.run(Segment(1))


def scans(board: NativeController, count: int) -> None:
    for _ in range(count):
        board.run(Segment(1))


def test_the_check_sums_tell_rows_apart(table: Table) -> None:
    checks = [row.check for row in image_of(table).rows]
    assert len(set(checks)) > len(checks) - 2


@pytest.mark.parametrize("name", ["params", "terms", "rows", "safe"])
def test_a_board_finds_a_flipped_bit_of_its_flash(table: Table, name: str) -> None:
    """And restarts. The emulator then loads its flash anew, so what a lasting damage does is tried above."""
    lm3s = BOARDS[0]
    lm3s.skip_if_missing()
    with start_board(lm3s.kind, table) as board:
        controller = board.controller
        assert isinstance(controller, RemoteController)
        assert isinstance(controller.bench, QemuBench)
        controller.link.patience = Patience(reply_s=0.2)
        address = controller.bench.core.layout.symbols[name].address
        controller.run(Segment(3, (), Command.power_on))
        flip_bit(controller.bench.qemu.memory(address), address + 8, 2)
        with pytest.raises(UnexpectedReset, match="cause watchdog"):
            controller.run(Segment(1))
