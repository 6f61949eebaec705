"""The board's side in C and in Python answer the same bytes alike, whatever they are sent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random

import pytest

from firmware_model.contract import ONE, Change
from firmware_model.table_loading import load_table
from hil.boards.process import build_program, missing
from hil.device import Device
from hil.messages import MESSAGES, ErrorCode
from hil.transport import ProcessTransport, Transport
from hil.wire import Frames, Layout, Received, enframe
from tests.hil.test_wire import mangled

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
TABLE = load_table()
LAYOUT = Layout.of_rows(len(TABLE.interlocks))
DEADLINE_S = 30.0
#: What a board says about itself, and no rule prescribes.
OWN = ("build", "unique_id", "boots", "boot_count", "max_changes")


@pytest.fixture
def firmware() -> Iterator[Transport]:
    # Whatever it is sent, it must not read or write beside its memory, nor do what C leaves undefined.
    program = build_program(TABLE, ("-fsanitize=address,undefined", "-fno-sanitize-recover=all"))
    with ProcessTransport([str(program)], "sanitized firmware") as transport:
        yield transport


class Sides:
    """Both boards get the same bytes; a greeting at the end says when the process has answered all."""

    def __init__(self, firmware: Transport) -> None:
        self.firmware, self.device = firmware, Device(TABLE)
        self._nonce = 0

    def send(self, data: bytes) -> list[Received]:
        """The answers, which must be the same."""
        self._nonce += 1
        nonce = self._nonce.to_bytes(8, "big")
        marker = enframe(LAYOUT.pack("HELLO", 99, nonce=nonce))
        self.firmware.write(data + marker)
        wanted = [LAYOUT.unpack(body) for body in Frames().take(self.device.take(data + marker))]
        got: list[Received] = []
        frames, deadline = Frames(), time.monotonic() + DEADLINE_S
        while not (got and got[-1].fields.get("nonce") == nonce):
            assert time.monotonic() < deadline, f"no answer; so far {got}"
            got += [LAYOUT.unpack(body) for body in frames.take(self.firmware.read(1.0))]
        assert [self._shared(r) for r in got] == [self._shared(r) for r in wanted]
        return wanted

    @staticmethod
    def _shared(reply: Received) -> tuple[object, ...]:
        fields = {k: v for k, v in reply.fields.items() if k not in OWN}
        return reply.sequence, reply.message.name, fields


def requests(dice: Random, device: Device) -> list[bytes]:
    """A few requests, most of them right when they arrive one after the other."""
    found, sequence, at = [], 99, device.at
    for _ in range(dice.randint(1, 5)):
        sequence = (sequence + (dice.random() < 0.95)) % 256
        changes = [
            Change(
                dice.randrange(78 if dice.random() < 0.02 else 76),
                dice.randrange(-3 * ONE, 3 * ONE),
                dice.choice((0, 0, 5)),
            )
            for _ in range(dice.randint(0, 4))
        ]
        place = at if dice.random() < 0.95 else at + 1
        what = dice.randrange(12)
        if what < 6:
            ticks = dice.choice((1, 1, 2, 30))
            command = dice.randrange(17)
            body = LAYOUT.pack("RUN", sequence, changes, at=place, ticks=ticks, command=command)
            at += 1 if ticks == 1 and command < 15 else 0
        elif what < 8:
            body = LAYOUT.pack("SET", sequence, changes, at=place)
        elif what < 10:
            body = LAYOUT.pack(dice.choice(("READ_OUTPUTS", "READ_RETAINED")), sequence)
        elif what == 10:
            body = bytes((sequence, dice.choice((0, 7, 0x7F, 0x83, 0xFF)))) + dice.randbytes(
                dice.randrange(9)
            )
        else:
            name = dice.choice(("RUN", "SET", "HELLO", "READ_OUTPUTS"))
            body = bytes((sequence, MESSAGES[name].number)) + dice.randbytes(dice.randrange(30))
        found.append(enframe(body))
        if dice.random() < 0.2:
            found.append(found[-1])  # repeated, as after a lost reply
    return found


def test_right_and_wrong_requests_are_answered_alike(firmware: Transport) -> None:
    dice, sides = Random(7), Sides(firmware)
    sides.send(b"")
    names: dict[str, int] = {}
    codes: set[int] = set()
    for _ in range(700):
        for reply in sides.send(b"".join(requests(dice, sides.device))):
            names[reply.message.name] = names.get(reply.message.name, 0) + 1
            codes.add(reply.fields.get("code", 0))
    assert {"OUTPUTS", "SET_DONE", "RETAINED", "ERROR"} <= set(names)
    assert names["OUTPUTS"] > 500
    assert codes >= {
        ErrorCode.unknown_type,
        ErrorCode.bad_length,
        ErrorCode.bad_sequence,
        ErrorCode.wrong_tick,
        ErrorCode.bad_value,
    }


def test_a_bad_line_is_answered_alike(firmware: Transport) -> None:
    dice, sides = Random(8), Sides(firmware)
    sides.send(b"")
    damaged = done = 0
    for _ in range(500):
        line = mangled(dice, requests(dice, sides.device)) + b"\0"
        for reply in sides.send(line):
            damaged += reply.fields.get("code") == ErrorCode.damaged
            done += reply.message.name in ("OUTPUTS", "SET_DONE", "RETAINED")
    assert damaged > 400
    assert done > 300


def test_before_a_greeting_nothing_is_carried_out(firmware: Transport) -> None:
    sides = Sides(firmware)
    bodies = [
        LAYOUT.pack("RUN", 1, at=0, ticks=1, command=1),
        LAYOUT.pack("READ_OUTPUTS", 2),
        LAYOUT.pack("RESET", 3, boots=sides.device.boot_count, cause=0, forget=True),
    ]
    *errors, welcome = sides.send(b"".join(map(enframe, bodies)))
    assert [reply.fields["code"] for reply in errors] == [ErrorCode.not_greeted] * 3
    assert welcome.fields["at"] == 0
