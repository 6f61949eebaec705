"""A bit flipped in the core's memory between two scans ends the run; it is never computed with."""

from __future__ import annotations

import ctypes as c
from random import Random

import pytest

from firmware_model.contract import MEMORY_REGIONS, ONE, Change, Segment
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


def just_before_a_trip(table: Table, library: Library) -> tuple[NativeController, Segment]:
    """A board, and a segment in which a line falls below its limit after some scans that are passed over."""
    loop = list(table.signals).index("emergency_loop")
    board = NativeController(table, library)
    board.run(Segment(1, (), Command.power_on))
    for _ in range(3):
        board.run(Segment(5, (Change(loop, ONE, 0),), Command.none))
    return board, Segment(50, (Change(loop, ONE + 20, -1),), Command.none)


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_is_found_before_the_next_scan(library: Library, table: Table, seed: int) -> None:
    dice = Random(seed)
    board, segment = just_before_a_trip(table, library)
    order = Order.in_dll(library.dll, "il_injection")
    order.offset, order.mask = dice.randrange(4096), 1 << dice.randrange(8)
    order.scans = 1
    with pytest.raises(BrokenBoard, match="memory is damaged"):
        board.run(segment)
    assert order.scans == 0


def test_nothing_is_flipped_until_the_order_is_given(library: Library, table: Table) -> None:
    board, segment = just_before_a_trip(table, library)
    done = board.run(segment)
    assert done.ticks == 22
    assert done.outputs.tripped


def test_a_release_has_no_such_order(table: Table) -> None:
    with pytest.raises(ValueError, match="il_injection"):
        Order.in_dll(Library(build_library()).dll, "il_injection")


POINTER_BITS = 8 * c.sizeof(c.c_void_p)
MASK_BITS = 8 * 32  # of a set of interlocks in a library that takes any table


def kept_twice(table: Table) -> list[tuple[str, int]]:
    """Region and bit of what the firmware keeps twice; ``state`` comes after the mask of tripped rows."""
    rows = range(len(table.interlocks))
    latches = [("latches", bit) for row in rows for bit in (row, MASK_BITS + row)]
    bits = {
        "state": range(MASK_BITS, MASK_BITS + 16),
        "outputs": range(9),
        "pointers": range(4 * POINTER_BITS),
    }
    return latches + [(region, bit) for region in bits for bit in bits[region]]


def test_state_latches_and_permit_are_guarded_within_a_scan_too(table: Table) -> None:
    """There the seal does not help: it is made of what is there at the end."""
    library = Library(build_library())
    for region, bit in kept_twice(table):
        board, segment = just_before_a_trip(table, library)
        library.dll.native_flip(board._board, MEMORY_REGIONS.index(region), bit)
        library.dll.native_seal(board._board)
        with pytest.raises(BrokenBoard, match="memory is damaged"):
            board.run(segment)
    board, segment = just_before_a_trip(table, library)
    library.dll.native_seal(board._board)
    assert board.run(segment).ticks == 22
