"""Every kind of board runs the scenarios as the model does, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path

import pytest

from firmware_model.contract import ResetCause, Segment
from firmware_model.states import Command
from firmware_model.table_loading import load_table
from hil.board import RemoteController
from hil.boards import KINDS, UnknownBoard, process, start_board, virtual
from hil.boards.port import greet
from hil.device import Device
from hil.errors import NoSuchPort, NotAvailable, PortBusy, Silent, Unplugged, WrongTable
from hil.link import Patience
from hil.transport import ProcessTransport, SerialTransport, SocketTransport, transport_for
from sim.scenario.loading import load_scenario
from sim.scenario.runner import BoardIdentity, Outcome, run_scenario
from tests.hil.carriers import nothing_left_behind

SCENARIOS = Path(__file__).parents[2] / "scenarios"
#: Every kind of stop, restarts and hangs of the controller, and both ends of some limits.
SHORT_ONES = [
    "two_abdominal_metastases.yaml",
    "faults/console_silent.yaml",
    "faults/controller_hang.yaml",
    "faults/dormant_door_contact.yaml",
    "faults/emergency_stop_in_beam.yaml",
    "faults/energy_off.yaml",
    "faults/gantry_stall.yaml",
    "faults/leaf_stuck.yaml",
    "faults/memory_flip.yaml",
    "faults/parameter_changed.yaml",
    "faults/power_dip.yaml",
    "faults/primary_stuck.yaml",
    "faults/pulse_spike.yaml",
    "faults/rate_low.yaml",
    "faults/rate_runaway.yaml",
    "faults/secondary_gain.yaml",
    "faults/terminated_and_continued.yaml",
    "faults/water_flow_lost.yaml",
    "faults/wire_disturbed.yaml",
    "latching/latches_flipped.yaml",
    "limits/beam/energy_near_miss.yaml",
    "limits/beam/energy_trips.yaml",
    "limits/controller/heartbeat_linac_near_miss.yaml",
    "limits/controller/heartbeat_linac_trips.yaml",
    "limits/controller/reset_in_beam_trips.yaml",
    "limits/controller/self_test_trips.yaml",
    "limits/dose/dose_divergence_trips.yaml",
    "limits/dose/timer_trips.yaml",
    "limits/imaging/gate_stale_trips.yaml",
]
TABLE = load_table()
needs_compiler = pytest.mark.skipif(bool(process.missing()), reason=process.missing())
BOARDS = [
    pytest.param("native", marks=needs_compiler),
    "virtual",
    pytest.param("process", marks=needs_compiler),
]


def run_on(board: str, scenario: str) -> Outcome:
    loaded = load_scenario(SCENARIOS / scenario)
    with start_board(board, loaded.table) as started:
        identity = BoardIdentity(started.kind, started.identity, started.firmware)
        return run_scenario(loaded, started.controller, identity)


@cache
def on_the_model(scenario: str) -> tuple[str, str]:
    outcome = run_on("model", scenario)
    return outcome.verdict, outcome.world.trace.events_jsonl()


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("scenario", SHORT_ONES)
def test_a_scenario_gives_the_same_events_on_every_board(scenario: str, board: str) -> None:
    outcome = run_on(board, scenario)
    assert (outcome.verdict, outcome.world.trace.events_jsonl()) == on_the_model(scenario)


@pytest.mark.parametrize("board", [*BOARDS, "model"])
def test_a_board_leaves_no_thread_process_or_descriptor_behind(board: str) -> None:
    start_board(board, TABLE).close()  # what is loaded once stays
    with nothing_left_behind(), start_board(board, TABLE) as started:
        started.controller.reset(ResetCause.power)
        started.controller.run(Segment(100, (), Command.power_on))


def test_a_virtual_board_can_stand_behind_a_socket() -> None:
    with nothing_left_behind(), ExitStack() as resources:
        transport = virtual.on_socket(Device(TABLE).take, resources)
        for _ in range(2):  # one host after the other
            with transport:
                assert RemoteController(transport, TABLE).run(Segment(1)).ticks == 1


@pytest.mark.parametrize("board", BOARDS[1:])
def test_a_table_without_an_interlock_runs_and_is_not_taken_for_another(board: str) -> None:
    other = TABLE.without("DOOR_OPEN")
    with start_board(board, other) as started:
        assert started.controller.run(Segment(1)).ticks == 1
    with ExitStack() as resources:
        carrier = KINDS[board].carrier
        assert carrier is not None
        rows = len(TABLE.interlocks)
        with pytest.raises(WrongTable, match=rf"{rows} interlocks.*needs .*{rows - 1} interlocks.*codegen"):
            greet(board, carrier(TABLE, resources), other, resources)


# ---- the process -----------------------------------------------------------------------------------


@pytest.fixture
def running(request: pytest.FixtureRequest) -> Iterator[tuple[ProcessTransport, RemoteController]]:
    with ExitStack() as resources:
        transport = process.carrier(TABLE, resources)
        assert isinstance(transport, ProcessTransport)
        resources.enter_context(transport)
        patience = Patience(reply_s=0.2, retries=1, greeting_s=0.5)
        yield transport, RemoteController(transport, TABLE, patience)


@needs_compiler
def test_a_restart_clears_memory_and_keeps_what_is_retained(
    running: tuple[ProcessTransport, RemoteController],
) -> None:
    transport, controller = running
    pid = transport.pid
    controller.run(Segment(600, (), Command.power_on))
    latched = controller.run(Segment(600)).outputs.latched
    assert latched
    for cause in ResetCause:
        outputs = controller.reset(cause)
        assert (outputs.state.name, outputs.latched) == ("off", latched)
        assert controller.retained.reset_cause is cause
    assert controller.retained.boot_count == 4
    assert transport.pid == pid  # it executed itself anew, on the same wire
    arguments = Path(f"/proc/{pid}/cmdline")
    if arguments.exists():
        # Program, unique id, where to find its retained memory again, and that it was restarted.
        assert len(arguments.read_bytes().split(b"\0")[:-1]) == 4


@needs_compiler
def test_a_killed_process_is_unplugged(running: tuple[ProcessTransport, RemoteController]) -> None:
    transport, controller = running
    assert transport.pid is not None
    os.kill(transport.pid, signal.SIGKILL)
    with pytest.raises(Unplugged, match="the other end has gone"):
        controller.run(Segment(1))


@needs_compiler
def test_a_stopped_process_is_silent_and_goes_on_where_it_was(
    running: tuple[ProcessTransport, RemoteController],
) -> None:
    transport, controller = running
    assert transport.pid is not None
    controller.run(Segment(3))
    os.kill(transport.pid, signal.SIGSTOP)
    with pytest.raises(Silent, match="no answer to RUN after 2 attempts"):
        controller.run(Segment(1))
    os.kill(transport.pid, signal.SIGCONT)
    assert controller.link.greet().at == 4  # the request was run once, though sent twice


# ---- ports -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("port", "error", "words"),
    [
        ("/dev/ttyNOWHERE", NoSuchPort, "serial ports here"),
        ("socket://127.0.0.1:1", NoSuchPort, "start the board first"),
        ("socket://127.0.0.1", NoSuchPort, "write socket://HOST:PORT"),
        ("socket://host:99999", NoSuchPort, "port from 1 to 65535"),
        ("unix:/nowhere/at/all", NoSuchPort, "nobody listens"),
        ("/dev/null", NoSuchPort, "cannot be opened"),
    ],
)
def test_a_port_that_is_not_there_is_named(port: str, error: type[Exception], words: str) -> None:
    with nothing_left_behind(), pytest.raises(error, match=words) as raised:
        start_board(port, TABLE)
    assert port in str(raised.value)


def test_a_port_someone_else_has_is_busy() -> None:
    with ExitStack() as resources:
        first = virtual.on_pty(Device(TABLE).take, resources)
        with first, pytest.raises(PortBusy, match="another program has the port"):
            SerialTransport(first.name).open()


def test_a_pty_that_goes_away_is_unplugged() -> None:
    board = ExitStack()
    with virtual.on_pty(Device(TABLE).take, board) as transport:
        controller = RemoteController(transport, TABLE)
        controller.run(Segment(1))
        board.close()
        with pytest.raises(Unplugged, match="plug the board in"):
            controller.run(Segment(1))


def test_a_listener_that_never_answers_is_silent() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        transport = SocketTransport(server.getsockname()[:2])
        with transport, pytest.raises(Silent, match="no answer to the greeting"):
            RemoteController(transport, TABLE, Patience(greeting_s=0.2))


def test_a_unix_socket_is_a_port(tmp_path: Path) -> None:
    path = tmp_path / "board"
    device = Device(TABLE)
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(path))
        server.listen()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                while data := connection.recv(4096):
                    connection.sendall(device.take(data))

        thread = threading.Thread(target=serve)
        thread.start()
        with start_board(f"unix:{path}", TABLE) as started:
            assert started.controller.run(Segment(5)).ticks == 5
        thread.join(10)
        assert not thread.is_alive()


def test_names_are_kinds_or_ports() -> None:
    with pytest.raises(UnknownBoard, match=r"no board 'virtul'.*virtual"):
        start_board("virtul", TABLE)
    assert isinstance(transport_for("COM5"), SerialTransport)
    assert isinstance(transport_for("unix:x"), SocketTransport)


def test_without_a_compiler_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    for kind in ("process", "native"):
        with pytest.raises(NotAvailable, match="apt-get install gcc"):
            start_board(kind, TABLE)
