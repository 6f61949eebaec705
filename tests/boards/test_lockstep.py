"""The firmware on emulated boards in place of the model: same scenario, same trace."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from firmware_model.contract import Change, ResetCause, Segment
from firmware_model.controller import ModelController
from firmware_model.states import Command, State
from firmware_model.table import Table
from hil.board import RemoteController
from hil.boards import KINDS, Board, start_board
from hil.boards.firmware_build import build_firmware
from hil.boards.simavr import Simavr
from hil.errors import NotAvailable, RigError
from sim.scenario.loading import load_scenario
from sim.scenario.runner import BoardIdentity, run_scenario
from tests.boards.emulated import Emulated, emulator_of

ROOT = Path(__file__).parents[2]
END_OF_RAM = 0x8FF  # of the ATmega328P
HEADLINE = ROOT / "scenarios" / "two_abdominal_metastases.yaml"

pytestmark = pytest.mark.timeout(600)  # a headline on a computer that emulates and compiles at once


def trace_on(board: Board) -> tuple[str, str]:
    loaded = load_scenario(HEADLINE, None)
    outcome = run_scenario(
        loaded,
        board.controller,
        BoardIdentity(board.kind, board.identity, board.firmware),
        seed=None,
        reproduce="",
    )
    return outcome.verdict, outcome.world.trace.events_jsonl()


def test_headline_has_the_trace_of_the_model(emulated: Emulated, table: Table) -> None:
    with start_board("model", table) as model:
        expected = trace_on(model)
    with start_board(emulated.kind, table) as board:
        assert trace_on(board) == expected


def test_introduces_itself(emulated: Emulated, table: Table) -> None:
    with start_board(emulated.kind, table) as board:
        controller = board.controller
        assert isinstance(controller, RemoteController)
        who = controller.identity
        assert bytes.fromhex(who.unique_id) == emulated.unique_id
        assert who.table == table.digest[:16]
        assert len(who.build) == 16


def test_keeps_what_is_retained_over_a_reset(emulated: Emulated, table: Table) -> None:
    """A real restart of the board: RAM is cleared, the retained part is not."""
    signal_of = {name: number for number, name in enumerate(table.signals)}
    with start_board(emulated.kind, table) as board:
        model = ModelController(table)
        model.reset(ResetCause.power)  # starting a board is a reset
        for controller in (model, board.controller):
            controller.run(Segment(10, (), Command.power_on))
            # A closed loop opens again: an emergency that is latched.
            controller.run(Segment(5, (Change(signal_of["emergency_loop"], 1 << 16, 0),), Command.none))
            outputs = controller.run(
                Segment(5, (Change(signal_of["emergency_loop"], 0, 0),), Command.none)
            ).outputs
            assert outputs.latched
        for cause in (ResetCause.external, ResetCause.watchdog, ResetCause.power):
            assert board.controller.reset(cause) == model.reset(cause)
            assert board.controller.retained == model.retained
        assert board.controller.outputs.state is State.off
        assert board.controller.outputs.latched


def test_a_board_reset_behind_the_hosts_back_is_a_finding(emulated: Emulated, table: Table) -> None:
    with start_board(emulated.kind, table) as board:
        board.controller.run(Segment(10, (), Command.power_on))
        emulator_of(board).reset()
        with pytest.raises(RigError, match=r"restarted by itself|answered"):
            board.controller.run(Segment(10, (), Command.none))


def test_nothing_is_left_after_close(emulated: Emulated, table: Table) -> None:
    board = start_board(emulated.kind, table)
    emulator = emulator_of(board)
    pid, folder = emulator.pid, emulator.uart.parent
    assert pid is not None
    assert folder.exists()
    os.kill(pid, 0)
    board.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not folder.exists()
    board.close()


def test_a_killed_emulator_ends_the_run_with_a_rig_error(emulated: Emulated, table: Table) -> None:
    with start_board(emulated.kind, table) as board:
        emulator = emulator_of(board)
        assert emulator.pid is not None
        os.kill(emulator.pid, signal.SIGKILL)
        with pytest.raises(RigError, match="gone"):
            board.controller.run(Segment(10, (), Command.none))
        with pytest.raises(RigError):
            emulator.reset()


def test_what_is_missing_is_said(emulated: Emulated, table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    lacking = KINDS[emulated.kind].missing()
    assert "apt-get install" in lacking
    with pytest.raises(NotAvailable, match="apt-get install"):
        start_board(emulated.kind, table)


def test_the_stack_on_the_chip_is_no_deeper_than_counted(table: Table) -> None:
    """memory_use.py adds up frames; simavr watches the stack pointer while the headline runs."""
    kind = "simavr:atmega328p"
    if KINDS[kind].missing():
        pytest.skip(f"{kind}: {KINDS[kind].missing()}")
    with start_board(kind, table) as board:
        trace_on(board)
        chip = emulator_of(board)
        assert isinstance(chip, Simavr)
        used = END_OF_RAM - chip.lowest_stack_pointer()
    printed = (build_firmware("atmega328p", table).parent / "size.txt").read_text()
    found = re.search(r"stack +(\d+) bytes", printed)
    assert found
    # Not all of it: the deepest chain and the deepest interrupt need not meet.
    assert int(found[1]) / 2 < used <= int(found[1])
