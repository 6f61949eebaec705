"""The table in flash: a number of it that changes is found before a scan uses it."""

from __future__ import annotations

import ctypes as c
from random import Random
from typing import TYPE_CHECKING

from firmware_model.contract import ONE, Change, ResetCause, Segment
from firmware_model.image import image_of
from firmware_model.states import Command, State
from firmware_model.table_loading import load_table
from hil.boards.native import BrokenBoard, NativeController
from tests.boards.test_table_damage import flip, places
from tests.firmware_c.check_core import small_table

if TYPE_CHECKING:
    from tests.firmware_c.checks import Check, Core

TABLE = load_table()


def runs(board: NativeController, ticks: int = 1) -> bool:
    """Whether the board runs these scans; False: it found damage."""
    try:
        board.run(Segment(ticks))
    except BrokenBoard as problem:
        if "damaged" not in str(problem):
            raise
        return False
    return True


def damage(core: Core) -> None:
    """Each bit that flips is seen; one of each kind: not one scan more, and none after a restart."""
    board, dice = NativeController(TABLE, core.library), Random(4)
    is_whole = core.library.dll.il_table_piece_is_whole
    is_whole.argtypes, is_whole.restype = [c.c_void_p, c.c_uint8], c.c_bool
    table, pieces = c.addressof(board._arrays), range(len(TABLE.interlocks) + 1)
    board.run(Segment(1, (), Command.power_on))
    for kind, those in places(board, image_of(TABLE)).items():
        for address, size in those:
            for bit in range(8 * size):
                flip(address, bit)
                assert not all(is_whole(table, piece) for piece in pieces), f"bit {bit} of a {kind}"
                flip(address, bit)
        address, size = dice.choice(those)
        bit = dice.randrange(8 * size)
        flip(address, bit)
        assert not runs(board), f"bit {bit} of a {kind} is flipped, and a scan is run"
        board.reset(ResetCause.watchdog)
        assert not runs(board), f"bit {bit} of a {kind} is flipped, and a scan is run after a restart"
        flip(address, bit)
        board.reset(ResetCause.power)
        board.run(Segment(1, (), Command.power_on))
    assert runs(board, 100), "the table is whole again, and not scanned"


def damage_on_a_slow_board(core: Core) -> None:
    """One that checks some rows a scan: all at its start, and within a table's length while a RUN goes on."""
    from tests.firmware_c.checks import PIECES_A_SCAN

    row = {"trips_when": {"kind": "is_true", "signals": ["alarm"]}, "stop": "hold", "acts_in": ["standby"]}
    table = small_table(**{f"ROW_{i}": row | {"only_if": "line_a"} for i in range(5 * PIECES_A_SCAN)})
    board, pieces = NativeController(table, core.slow_library), len(table.interlocks) + 1
    found = places(board, image_of(table))
    numbers = [address for address, _ in [*found["row debounce"], found["safe "][0]]]
    assert len(numbers) == pieces
    gate = Change(table.signal_index["line_a"], ONE, ONE)  # one that moves makes every scan a full one
    for piece, address in enumerate(numbers):
        board.reset(ResetCause.power)
        board.run(Segment(1, (), Command.power_on))
        assert board.run(Segment(20)).outputs.state is State.standby
        board.run(Segment(1 + piece % 7, (gate,)))
        flip(address, 3)
        assert not runs(board, -(-pieces // PIECES_A_SCAN)), f"piece {piece} is not looked at during a RUN"
        board.reset(ResetCause.watchdog)
        assert not runs(board, 1), f"piece {piece} is not looked at at the start"
        flip(address, 3)


def beyond_the_table(core: Core) -> None:
    """A row that names parameters beyond the table's is damaged, whatever check sum it carries."""
    board, rows = NativeController(TABLE, core.library), image_of(TABLE).rows
    of_params = max(i for i, row in enumerate(rows) if row.kind)
    entry = board._arrays.row[of_params]
    assert core.library.dll.il_table_piece_is_whole(c.byref(board._arrays), of_params)
    entry.size = rows[of_params].size + 1
    for check in range(0x10000):
        entry.check = check
        whole = core.library.dll.il_table_piece_is_whole(c.byref(board._arrays), of_params)
        assert not whole & 1, f"with check sum {check:#x} it is taken for whole"


CHECKS: dict[str, Check] = {
    "table damage": damage,
    "table damage on a slow board": damage_on_a_slow_board,
    "beyond the table": beyond_the_table,
}
