"""A bit flipped in running firmware, in every part of its memory: found, and the same on every board."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

import pytest

from firmware_model.contract import (
    MEMORY_REGIONS,
    ONE,
    RETAINED_REGIONS,
    Change,
    Controller,
    Flip,
    ResetCause,
    Segment,
)
from firmware_model.controller import ModelController
from firmware_model.states import Command
from firmware_model.table_loading import load_table
from hil.board import RemoteController
from hil.boards import KINDS, start_board, virtual
from hil.boards.native import NativeController
from hil.boards.port import start_at
from hil.device import Device
from hil.errors import NotAvailable, Undetected
from hil.transport import ProcessTransport

TABLE = load_table()
LOOP = list(TABLE.signals).index("emergency_loop")
CUT = TABLE.interlock_ids.index("RESET_IN_BEAM")
BITS = (0, 1, 7, 100, 4095)
BOARDS = [
    pytest.param(kind, marks=pytest.mark.skipif(bool(KINDS[kind].missing()), reason=KINDS[kind].missing()))
    for kind in ("native", "virtual", "process")
]


def latched_emergency(controller: Controller) -> None:
    """Bring a controller to where it has something to lose."""
    controller.run(Segment(10, (), Command.power_on))
    controller.run(Segment(5, (Change(LOOP, ONE),)))
    assert controller.run(Segment(5, (Change(LOOP, 0),))).outputs.latched


def same_after_every_flip(controller: Controller, bits: Sequence[int]) -> None:
    model = ModelController(TABLE)
    model.reset(ResetCause.power)
    power_on = Segment(10, (Change(LOOP, ONE),), Command.power_on)
    for region in MEMORY_REGIONS:
        for bit in bits:
            for side in (model, controller):
                latched_emergency(side)
            flip = Flip(region, bit)
            assert controller.upset(flip) == model.upset(flip), flip
            assert controller.retained == model.retained, flip
            # Then the self test shows whether a beam counts as cut.
            assert controller.run(power_on) == model.run(power_on), flip
            advance = model.run(Segment(5))
            assert bool(advance.outputs.tripped >> CUT & 1) is (region in RETAINED_REGIONS)
            assert controller.run(Segment(5)) == advance, flip


@pytest.mark.parametrize("board", BOARDS)
def test_a_flip_anywhere_has_the_outcome_of_the_model(board: str) -> None:
    with start_board(board, TABLE) as started:
        same_after_every_flip(started.controller, BITS)


def test_a_firmware_that_does_not_look_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library is told to flip a bit and told of another: so nothing is damaged."""
    if KINDS["native"].missing():
        pytest.skip(KINDS["native"].missing())
    controller = NativeController(TABLE)
    monkeypatch.setattr(controller._dll, "native_flip", lambda *_: True)
    with pytest.raises(Undetected, match="bit 3 of seal was flipped, the firmware scanned on"):
        controller.upset(Flip("seal", 3))
    with pytest.raises(ValueError, match="memory region 'flash'; there are pointers"):
        ModelController(TABLE).upset(Flip("flash", 0))


def test_a_board_at_a_port_says_that_its_memory_cannot_be_reached() -> None:
    with ExitStack() as resources:
        port = virtual.on_socket(Device(TABLE).take, resources).name
        board = resources.enter_context(start_at(port, TABLE))
        with pytest.raises(NotAvailable, match="memory of this board cannot be reached"):
            board.controller.upset(Flip("state", 0))


def test_a_board_that_scans_on_over_a_wire_is_reported() -> None:
    with start_board("virtual", TABLE) as board:
        board.controller.bench.flip = lambda flip: None  # type: ignore[attr-defined]
        with pytest.raises(Undetected, match="bit 9 of latches was flipped, the board scanned on"):
            board.controller.upset(Flip("latches", 9))


def test_a_process_that_is_killed_comes_back_with_what_it_retained() -> None:
    if KINDS["process"].missing():
        pytest.skip(KINDS["process"].missing())
    with start_board("process", TABLE) as board:
        controller, model = board.controller, ModelController(TABLE)
        assert isinstance(controller, RemoteController)
        transport = controller.link.transport
        assert isinstance(transport, ProcessTransport)
        model.reset(ResetCause.power)
        for side in (controller, model):
            latched_emergency(side)
        pid = transport.pid
        for cause in (ResetCause.power, ResetCause.watchdog, ResetCause.power):
            assert controller.reset(cause) == model.reset(cause)
            assert controller.retained == model.retained
            assert (transport.pid == pid) is (cause is not ResetCause.power)
            pid = transport.pid
