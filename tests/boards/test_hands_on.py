"""Power, reset button and memory of an emulated board do what a scenario means by them."""

from __future__ import annotations

import threading
import time

import pytest

from firmware_model.contract import ResetCause, Segment
from firmware_model.controller import ModelController
from firmware_model.states import Command, State
from firmware_model.table import Table
from hil.board import RemoteController
from hil.boards import start_board
from hil.boards.qemu import LM3S6965EVB, QemuBench
from hil.twin import Twin
from tests.boards.emulated import BOARDS, Emulated
from tests.hil.test_memory_flips import latched_emergency, same_after_every_flip

GONE_S = 20.0  # a second on the board, and more on a busy computer
RESETS = 20


def test_a_flip_anywhere_has_the_outcome_of_the_model(emulated: Emulated, table: Table) -> None:
    with start_board(emulated.kind, table) as board:
        same_after_every_flip(board.controller, (0, 100, 4095))


def test_power_and_reset_button_are_real_and_the_board_says_which(emulated: Emulated, table: Table) -> None:
    """After a loss of power only retained memory is what it was; after the button all of it is."""
    with start_board(emulated.kind, table) as board:
        controller, model = board.controller, ModelController(table)
        assert isinstance(controller, RemoteController)
        model.reset(ResetCause.power)
        for side in (controller, model):
            latched_emergency(side)
        posted: list[str] = []
        post = controller.link.post
        controller.link.post = lambda request, **values: (posted.append(request), post(request, **values))[1]  # type: ignore[method-assign]
        for cause in (ResetCause.power, ResetCause.external, ResetCause.power):
            assert controller.reset(cause) == model.reset(cause)
            assert controller.retained == model.retained
        assert posted == [], "not asked for over the wire"
        assert controller.reset(ResetCause.watchdog) == model.reset(ResetCause.watchdog)
        assert posted == ["RESET"]
        assert controller.retained == model.retained


@pytest.mark.parametrize("cause", [ResetCause.power, ResetCause.external])
def test_a_reset_amid_a_frame_loses_only_that(emulated: Emulated, table: Table, cause: ResetCause) -> None:
    with start_board(emulated.kind, table) as board:
        controller, model = board.controller, ModelController(table)
        assert isinstance(controller, RemoteController)
        model.reset(ResetCause.power)
        controller.link.transport.write(b"\0\x05half a fra")
        assert controller.reset(cause) == model.reset(cause)
        segment = Segment(700, (), Command.power_on)
        assert controller.run(segment) == model.run(segment)


def test_a_reset_while_bytes_pour_in_leaves_no_deaf_board(emulated: Emulated, table: Table) -> None:
    """Some resets come in the middle of the interrupt that takes the bytes."""
    with start_board(emulated.kind, table) as board:
        controller = board.controller
        assert isinstance(controller, RemoteController)
        assert controller.bench is not None
        link, ended = controller.link, threading.Event()

        def pour() -> None:
            while not ended.is_set():
                link.transport.write(b"\0" + bytes(range(1, 32)))
                link.transport.read(0.005)  # its complaint: no more than it can take is on its way

        for _ in range(RESETS):
            ended.clear()
            pouring = threading.Thread(target=pour)
            pouring.start()
            try:
                controller.bench.restart(ResetCause.external)
            finally:
                ended.set()
                pouring.join()
            link.greet()


def test_without_scans_the_permit_falls_and_the_next_scan_gives_it_again(table: Table) -> None:
    BOARDS[0].skip_if_missing()
    pin = LM3S6965EVB.permit_pin
    assert pin is not None
    with start_board(BOARDS[0].kind, table) as board:
        controller, twin = board.controller, Twin(board.controller, table)
        assert isinstance(controller, RemoteController)
        assert isinstance(controller.bench, QemuBench)
        qemu = controller.bench.qemu
        assert twin.reach(State.irradiation)
        twin.run(3)
        for _ in range(2):
            assert qemu.read_register(pin.address) & pin.mask
            deadline = time.monotonic() + GONE_S
            while qemu.read_register(pin.address) & pin.mask and time.monotonic() < deadline:
                time.sleep(0.02)
            assert not qemu.read_register(pin.address) & pin.mask, f"permit without a scan for {GONE_S} s"
            twin.run(3)  # compares with the model: the controller itself knows nothing of it
