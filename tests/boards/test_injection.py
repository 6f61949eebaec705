"""A bit flipped in the core's memory between two scans ends the run; it is never computed with."""

from __future__ import annotations

import ctypes as c
from random import Random

import pytest

from firmware_model.contract import ONE, Change, Segment
from firmware_model.states import Command
from firmware_model.table import Table
from hil.boards import KINDS
from hil.boards.native import BrokenBoard, Library, NativeController, build_library

if KINDS["native"].missing():
    pytest.skip(KINDS["native"].missing(), allow_module_level=True)


class Order(c.Structure):
    """``il_injection_order`` of il_inject.h."""

    _fields_ = [("scans", c.c_uint32), ("offset", c.c_uint16), ("mask", c.c_uint8)]


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(build_library(["-DIL_INJECT"]))


def moving(table: Table) -> Segment:
    """A gantry that turns: every scan has something to do."""
    gantry = list(table.signals).index("gantry")
    return Segment(50, (Change(gantry, 0, ONE // 10),), Command.power_on)


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_is_found_before_the_next_scan(library: Library, table: Table, seed: int) -> None:
    dice = Random(seed)
    board = NativeController(table, library)
    order = Order.in_dll(library.dll, "il_injection")
    order.offset, order.mask = dice.randrange(4096), 1 << dice.randrange(8)
    order.scans = 1
    try:
        with pytest.raises(BrokenBoard, match="memory is damaged"):
            for _ in range(10):
                board.run(moving(table))
    finally:
        order.scans = 0


def test_nothing_is_flipped_until_the_order_is_given(library: Library, table: Table) -> None:
    board = NativeController(table, library)
    for _ in range(10):
        board.run(moving(table))


def test_a_release_has_no_such_order(table: Table) -> None:
    with pytest.raises(ValueError, match="il_injection"):
        Order.in_dll(Library(build_library()).dll, "il_injection")
