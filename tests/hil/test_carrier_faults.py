"""On a bad line a result is right or there is an error that says so; it is never wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from firmware_model.contract import ONE, Change, ResetCause, Segment
from firmware_model.controller import ModelController
from firmware_model.rig import LineFaults
from firmware_model.states import Command
from firmware_model.table_loading import load_table
from hil.board import RemoteController
from hil.device import Device
from hil.errors import ProtocolMismatch, RigError, Silent, UnexpectedReset, Unplugged, WrongTable
from hil.faulty import FaultyTransport
from hil.wire import enframe
from tests.hil.carriers import QUICK, DirectTransport

TABLE = load_table()
BUSY = LineFaults(drop=0.02, corrupt=0.02, cut=0.02, duplicate=0.05, delay=0.02, noise=0.03)
DREADFUL = LineFaults(drop=0.25, corrupt=0.15, cut=0.1, duplicate=0.2, delay=0.15, noise=0.2)
SEEDS = 3
KINDS = {
    "drop": LineFaults(drop=0.08),
    "corrupt": LineFaults(corrupt=0.08),
    "cut": LineFaults(cut=0.08),
    "duplicate": LineFaults(duplicate=0.5),
    "delay": LineFaults(delay=0.08),
    "noise": LineFaults(noise=0.3),
    "all": BUSY,
}


def session(seed: int) -> list[Segment | ResetCause]:
    """Some hundred things that happen to a controller."""
    dice = Random(seed)
    found: list[Segment | ResetCause] = [Segment(600, (), Command.power_on)]
    for _ in range(60):
        if dice.random() < 0.04:
            found.append(dice.choice(list(ResetCause)))
        count = dice.choice((0, 1, 3, 90))
        changes = tuple(
            Change(dice.randrange(len(TABLE.signals)), dice.randrange(-2 * ONE, 2 * ONE), dice.choice((0, 7)))
            for _ in range(count)
        )
        found.append(Segment(dice.choice((1, 20, 400)), changes, dice.choice(list(Command))))
    return found


def compare(controller: RemoteController, seed: int) -> None:
    """Both go through a session; anything the board says must be what the model says."""
    model = ModelController(TABLE)
    model.reset(ResetCause.power)
    for step in session(seed):
        if isinstance(step, ResetCause):
            assert controller.reset(step) == model.reset(step)
        else:
            assert controller.run(step) == model.run(step)
        assert controller.retained[1:] == model.retained[1:]


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_is_right_or_an_error(kind: str) -> None:
    seen: Counter[str] = Counter()
    happened: Counter[str] = Counter()
    retries = 0
    for seed in range(SEEDS):
        line = FaultyTransport(DirectTransport(Device(TABLE).take), KINDS[kind], seed)
        try:
            controller = RemoteController(line, TABLE, QUICK)
            compare(controller, seed)
        except RigError as problem:
            seen[type(problem).__name__] += 1
        else:
            seen["right"] += 1
            retries += controller.statistics.retries
        happened.update(line.counts)
    assert seen["right"] >= SEEDS - 1, seen
    assert sum(happened.values()) >= 30 * SEEDS, happened
    assert retries >= (0 if kind == "duplicate" else 15 * SEEDS)


def test_on_a_dreadful_line_there_are_errors_but_no_wrong_results() -> None:
    seen: Counter[str] = Counter()
    for seed in range(4):
        line = FaultyTransport(DirectTransport(Device(TABLE).take), DREADFUL, seed)
        try:
            compare(RemoteController(line, TABLE, QUICK), seed)
        except RigError as problem:
            seen[type(problem).__name__] += 1
    assert seen.total() >= 2, seen


def test_without_repetitions_a_lost_frame_is_an_error() -> None:
    errors = 0
    for seed in range(6):
        line = FaultyTransport(DirectTransport(Device(TABLE).take), LineFaults(drop=0.2), seed)
        with pytest.raises(Silent, match="after 1 attempts"):
            compare(RemoteController(line, TABLE, QUICK.strict()), seed)
        errors += 1
    assert errors == 6


def test_a_board_pulled_out_is_an_error() -> None:
    line = FaultyTransport(DirectTransport(Device(TABLE).take), LineFaults(unplug_after=40), 1)
    with pytest.raises(Unplugged, match="after 40 frames"):
        compare(RemoteController(line, TABLE, QUICK), 1)


def test_no_request_is_run_twice_when_every_reply_is_lost_once() -> None:
    device, lost = Device(TABLE), set()

    def forgetful(data: bytes) -> bytes:
        answer = device.take(data)
        if data in lost:
            return answer
        lost.add(data)
        return b""

    controller = RemoteController(DirectTransport(forgetful), TABLE, QUICK)
    compare(controller, 3)
    assert controller.statistics.retries > 50


def test_a_restart_nobody_asked_for_is_named() -> None:
    device = Device(TABLE)
    controller = RemoteController(DirectTransport(device.take), TABLE, QUICK)
    controller.run(Segment(1))
    device.restart_by_itself()
    with pytest.raises(UnexpectedReset, match="boot count 2 became 3, cause watchdog"):
        controller.run(Segment(1))


def test_two_restarts_instead_of_one_are_noticed() -> None:
    device = Device(TABLE)
    controller = RemoteController(DirectTransport(device.take), TABLE, QUICK)
    take = device.take

    def twice(data: bytes) -> bytes:
        boots = device.boot_count
        answer = take(data)
        if device.boot_count > boots:
            device.restart_by_itself()
        return answer

    controller.link.transport = DirectTransport(twice)
    with pytest.raises(UnexpectedReset, match="made 2"):
        controller.reset(ResetCause.power)


def test_what_the_board_said_before_the_greeting_is_ignored() -> None:
    stale = Device(TABLE)
    hello = RemoteController(DirectTransport(stale.take), TABLE, QUICK).link.layout.pack(
        "HELLO", 7, nonce=bytes(8)
    )
    old = stale.take(enframe(hello)) * 3 + b"boot: hello\r\n\0\x03\x02"
    device, first = Device(TABLE), [old]
    transport = DirectTransport(lambda data: (first.pop() if first else b"") + device.take(data))
    controller = RemoteController(transport, TABLE, QUICK)
    compare(controller, 5)
    assert controller.statistics.ignored >= 3


def answering(name: str, **other: object) -> Callable[[bytes], bytes]:
    """A board that says something else in one message."""
    device = Device(TABLE)
    pack = device._pack

    def changed(message: str, sequence: int | None = None, **values: object) -> bytes:
        return pack(message, sequence, **(values | other if message == name else values))

    device._pack = changed  # type: ignore[method-assign]
    return device.take


@pytest.mark.parametrize(
    ("take", "error", "words"),
    [
        (lambda data: b"", Silent, "no answer to the greeting within"),
        (lambda data: b"\x05garbage\0" * 3, ProtocolMismatch, "check the baud rate"),
        (answering("WELCOME", protocol=9), ProtocolMismatch, "speaks protocol 9, this program 1"),
        (answering("WELCOME", table=bytes(8)), WrongTable, "interlock table codegen"),
        (answering("WELCOME", boot_count=5), Silent, "does not restart"),
        (answering("OUTPUTS", state=11), ProtocolMismatch, "outputs that do not exist"),
        (answering("OUTPUTS", at=99), ProtocolMismatch, "asked for 1 to 2 scans at tick 0"),
    ],
)
def test_a_wrong_board_is_refused_with_what_to_do(
    take: Callable[[bytes], bytes], error: type[RigError], words: str
) -> None:
    patience = QUICK.__class__(reply_s=0.01, retries=1, greeting_s=0.2, greet_again_s=0.01)
    with pytest.raises(error, match=words):
        RemoteController(DirectTransport(take), TABLE, patience).run(Segment(2))
