"""What a board in lockstep costs: exchanges a second beside a bare echo over the same link, in the same run.

The echo sends and receives as many bytes as an exchange of the headline does on average, so what is
above it is the firmware's and the host's share.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from firmware_model.contract import Advance, Segment
from firmware_model.controller import ModelController
from firmware_model.table import Table
from hil.board import RemoteController
from hil.boards import KINDS, start_board
from hil.boards.firmware_build import build_firmware
from hil.boards.qemu import MACHINES, QemuTransport
from hil.boards.simavr import Chip, Simavr, SimavrTransport
from hil.boards.virtual import on_pty
from hil.transport import ProcessTransport, Transport
from sim.scenario.loading import load_scenario
from sim.scenario.runner import BoardIdentity, run_scenario

HEADLINE = Path(__file__).parents[2] / "scenarios" / "two_abdominal_metastases.yaml"
#: Segments of the headline that are replayed, and echoes beside them; the simulated AVR is slow.
SEGMENTS = 400
ECHO_TIMEOUT_S = 5.0
ROUNDS = 3

Emit = Callable[[str, float, str, str], None]
Missing = Callable[[str, str], None]


def measure(emit: Emit, missing: Missing) -> None:
    """Every kind of board that has a wire; those that cannot be started here are named."""
    loaded = load_scenario(HEADLINE)
    segments = headline_segments()
    for kind in KINDS.values():
        if kind.missing():
            missing(f"lockstep_{kind.name}", kind.missing())
        elif kind.carrier is not None:
            one_board(kind.name, loaded.table, segments, emit)
    if not KINDS["qemu:lm3s6965evb"].missing():
        with start_board("qemu:lm3s6965evb", loaded.table) as board:
            started = time.perf_counter()
            run_scenario(loaded, board.controller, BoardIdentity(board.kind, board.identity, board.firmware))
            emit("headline_session_on_lm3s6965evb", time.perf_counter() - started, "s", "<= 15")


class Recording(ModelController):
    """The model, and what it was asked to run."""

    def __init__(self, table: Table) -> None:
        self.segments: list[Segment] = []
        super().__init__(table)

    def run(self, segment: Segment) -> Advance:
        self.segments.append(segment)
        return super().run(segment)


def headline_segments() -> list[Segment]:
    loaded = load_scenario(HEADLINE)
    controller = Recording(loaded.table)
    run_scenario(loaded, controller, BoardIdentity("model", "reference model", ""))
    return controller.segments[:SEGMENTS]


def one_board(kind: str, table: Table, segments: list[Segment], emit: Emit) -> None:
    """Rounds of board and echo in turn, so that both see the same computer; the best of each."""
    ours, bare = [], []
    with ExitStack() as resources:
        board = resources.enter_context(start_board(kind, table)).controller
        assert isinstance(board, RemoteController)
        sizes: list[int] = []
        for number in range(ROUNDS):
            if number:
                board.reset(board.identity.cause)
            before = (
                board.statistics.exchanges,
                board.statistics.bytes_sent,
                board.statistics.bytes_received,
            )
            started = time.perf_counter()
            for segment in segments:
                board.run(segment)
            taken = time.perf_counter() - started
            exchanges = board.statistics.exchanges - before[0]
            sent = board.statistics.bytes_sent - before[1]
            sizes = [sent // exchanges, (board.statistics.bytes_received - before[2]) // exchanges]
            ours.append(taken / exchanges)
            # An echo returns what it got: the same bytes in all, half of them each way.
            bare.append(echo(kind, table, sum(sizes) // 2, exchanges))
        asked, size = asking(board, exchanges)
    emit(f"lockstep_{kind}", 1 / min(ours), "exchanges / s", f"{sizes[0]} + {sizes[1]} bytes each")
    emit(f"bare_echo_{kind}", 1 / min(bare), "round trips / s", "same run, same link, as many bytes")
    emit(f"lockstep_over_echo_{kind}", min(ours) / min(bare), "times", "<= 1.3 where scans are quick")
    emit(f"asking_{kind}", 1 / asked, "exchanges / s", f"{size} bytes each, no scan: the protocol alone")


def asking(board: RemoteController, count: int) -> tuple[float, int]:
    """Mean seconds of an exchange without a scan, and its bytes."""
    counts = board.statistics
    before = counts.bytes_sent + counts.bytes_received
    started = time.perf_counter()
    for _ in range(count):
        board.link.exchange("READ_OUTPUTS")
    taken = time.perf_counter() - started
    return taken / count, (counts.bytes_sent + counts.bytes_received - before) // count


def echo(kind: str, table: Table, size: int, count: int) -> float:
    """Mean seconds of a round trip of a frame of so many bytes."""
    frame = b"\x55" * (size - 1) + b"\0"
    times = []
    with ExitStack() as resources:
        transport = resources.enter_context(_echo_of(kind, table, resources))
        _wake(transport)
        for _ in range(count):
            started = time.perf_counter()
            transport.write(frame)
            for _ in _until(transport, size):
                pass
            times.append(time.perf_counter() - started)
    return sum(times) / count


def _wake(transport: Transport) -> None:
    """A board that starts may lose what it is sent; wait until it answers, and until nothing more comes."""
    deadline = time.monotonic() + ECHO_TIMEOUT_S
    answered = False
    while not answered:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{transport.name}: no echo within {ECHO_TIMEOUT_S} s")
        transport.write(b"\0")
        answered = bool(transport.read(0.1))
    while transport.read(0.1):
        continue


def _until(transport: Transport, size: int) -> Iterator[None]:
    deadline = time.monotonic() + ECHO_TIMEOUT_S
    while size > 0:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"{transport.name}: no echo within {ECHO_TIMEOUT_S} s")
        size -= len(transport.read(left))
        yield


def _echo_of(kind: str, table: Table, resources: ExitStack) -> Transport:
    if kind == "virtual":
        return on_pty(lambda data: data, resources)
    if kind == "process":
        return ProcessTransport(["cat"], "cat")
    family, _, name = kind.partition(":")
    if family == "simavr":
        chip = Simavr(build_firmware(Chip(name).port, table, "PROGRAM=echo"))
        resources.callback(chip.close)
        return SimavrTransport(chip)
    machine = next(machine for machine in MACHINES if machine.name == name)
    elf = build_firmware(machine.port, table, "PROGRAM=echo")
    return QemuTransport(machine.machine(elf, resources))
