"""The board's side of the wire: framing, the rules of a board, and the answers of the Python side."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from firmware_model.contract import Change
from firmware_model.table_loading import load_table
from hil.conformance import rules_of_the_wire
from hil.conformance_wire import RawLink
from hil.device import Device
from hil.link import Link
from hil.messages import ErrorCode
from hil.wire import Frames, Layout, Received, cobs_encode, enframe
from tests.hil.carriers import QUICK
from tests.hil.test_both_sides import OWN, requests
from tests.hil.test_wire import FRAME, VECTORS, Native, mangled, python_decode

if TYPE_CHECKING:
    from tests.firmware_c.checks import Check, Core


def framing(core: Core) -> None:
    """Published vectors, runs around 254 bytes, and damaged lines as the host's code sees them."""
    native = Native(core.library_path)
    for plain, encoded in VECTORS:
        data, wanted = bytes.fromhex(plain), bytes.fromhex(encoded) + b"\0"
        assert native.encode(data) == wanted, f"{plain} is encoded as {native.encode(data).hex(' ')}"
        assert native.decode(wanted, 4096) == [(FRAME, data)], f"{wanted.hex(' ')} is decoded wrongly"
    dice = Random(1)
    for _ in range(300):
        data = bytes(dice.choice((0, 1, 255)) for _ in range(dice.randrange(6)))
        data += b"\7" * dice.randint(250, 512) + dice.randbytes(dice.randrange(6))
        assert native.encode(data) == cobs_encode(data) + b"\0", f"{data.hex(' ')} is encoded wrongly"
        frames = [enframe(dice.randbytes(dice.choice((2, 9, 12, 40, 255, 300)))) for _ in range(5)]
        line, capacity = mangled(dice, frames) + b"\0", dice.choice((64, 128, 4096))
        seen = native.decode(line, capacity)
        assert seen == python_decode(line, capacity), f"{line.hex(' ')} is seen as {seen}"
    for capacity in (1, 64, 254, 255, 256, 300):
        for size in (capacity - 1, capacity, capacity + 1):
            line = cobs_encode(b"\7" * size) + b"\0"
            seen = native.decode(line, capacity)
            assert seen == python_decode(line, capacity), f"{size} bytes into {capacity}: {seen}"


def rules(core: Core) -> None:
    """The conformance tests of the wire."""
    core.bench.forget()
    for result in rules_of_the_wire(core.bench.transport(), load_table(), QUICK):
        assert result.passed, f"{result.name}: {result.detail}"


class Sides:
    """The bench and the board in Python; what they answer to the same bytes must be the same."""

    def __init__(self, core: Core) -> None:
        self.bench, self.device = core.bench, Device(load_table(), clock=lambda: 0.0)
        self.bench.forget()
        self.layout = Layout.of_rows(len(load_table().interlocks))
        self._nonce = 0

    def send(self, data: bytes) -> list[Received]:
        self._nonce += 1
        sent = data + enframe(self.layout.pack("HELLO", 99, nonce=self._nonce.to_bytes(8, "big")))
        wanted, got = (self._shared(side.take(sent)) for side in (self.device, self.bench))
        assert got == wanted, f"{sent.hex(' ')} is answered with {got}, expected {wanted}"
        return wanted

    def _shared(self, said: bytes) -> list[Received]:
        frames = Frames()
        found = [self.layout.unpack(body) for body in frames.take(said)]
        assert not frames.damaged, f"an answer is damaged: {said.hex(' ')}"
        ours = (*OWN, "receive_size")
        return [r._replace(fields={k: v for k, v in r.fields.items() if k not in ours}) for r in found]


def answers(core: Core) -> None:
    """Right, wrong and mangled requests are answered as the board in Python answers them."""
    dice, sides = Random(7), Sides(core)
    codes, names = set(), set()
    for turn in range(400):
        frames = requests(dice, sides.device)
        data = b"".join(frames) if turn % 2 else mangled(dice, frames) + b"\0"
        for reply in sides.send(data):
            names.add(reply.message.name)
            codes.add(reply.fields.get("code"))
    assert {"OUTPUTS", "SET_DONE", "RETAINED", "WELCOME", "ERROR"} <= names
    assert codes >= set(ErrorCode) - {ErrorCode.refused, ErrorCode.not_greeted, ErrorCode.stale_reset}


def extreme_values(core: Core) -> None:
    """The ends of 48 bits arrive as they were sent."""
    sides = Sides(core)
    sides.send(b"")
    at = 0
    for value, slope in (
        (-(2**47), 0),
        (2**47 - 1, 0),
        (-(2**47), 2**47 - 1),
        (2**47 - 1, -(2**47)),
        (-1, -1),
    ):
        for signal in (0, 1):
            part = (Change(1 - signal, 0), Change(signal, value, slope))
            body = sides.layout.pack("RUN", 100, part, at=at, ticks=1, command=0)
            [outputs, _] = sides.send(enframe(body))
            assert outputs.message.name == "OUTPUTS", f"value {value}, slope {slope}: {outputs}"
            at += 1


def sequence_numbers(core: Core) -> None:
    """They wrap at 256; a frame that is one off, either way, is not taken."""
    core.bench.forget()
    raw = RawLink(Link(core.bench.transport(), len(load_table().interlocks), QUICK))
    for _ in range(300):
        body = raw.run_one()
        raw.expect(body, "OUTPUTS", body[0], at=raw.at + 1)
        raw.at += 1
        if body[0] in (0, 1, 254, 255):
            for wrong in ((body[0] + 2) % 256, (body[0] - 1) % 256):
                other = raw.layout.pack("READ_OUTPUTS", wrong)
                raw.expect_error(other, ErrorCode.bad_sequence, wrong, detail=(body[0] + 1) % 256)


def answers_again(core: Core) -> None:
    """A request that is repeated is answered with the same bytes, whatever was heard in between."""
    bench, layout = core.bench, Layout.of_rows(len(load_table().interlocks))
    bench.forget()
    change, boots = (Change(0, 5),), bench.retained.boots
    bad_reset = {"boots": boots, "cause": 9, "forget": False}
    bodies = [
        layout.pack("HELLO", 0, nonce=b"\3" * 8),
        layout.pack("SET", 1, change, at=0),
        layout.pack("RUN", 2, at=0, ticks=3, command=1),
        layout.pack("RUN", 3, at=7, ticks=3, command=0),  # wrong tick
        layout.pack("READ_RETAINED", 4),
        layout.pack("READ_OUTPUTS", 5),
        layout.pack("RESET", 6, **bad_reset),
        layout.pack("RUN", 7, at=1, ticks=0, command=0),
        layout.pack("SET", 8, change, at=1),
        layout.pack("HELLO", 9, nonce=b"\4" * 8),
    ]
    for body in bodies:
        first = bench.take(enframe(body))
        assert first, f"no answer to {body.hex(' ')}"
        assert bench.take(enframe(body)) == first, f"{body.hex(' ')} is answered in another way at once"
        for between in (b"\1\1\1\0", enframe(layout.pack("READ_OUTPUTS", body[0] + 100))):
            bench.take(between)
            again = bench.take(enframe(body))
            assert again == first, f"{body.hex(' ')}: first {first.hex(' ')}, then {again.hex(' ')}"


CHECKS: dict[str, Check] = {
    "framing": framing,
    "rules of the wire": rules,
    "answers": answers,
    "extreme values": extreme_values,
    "answers again": answers_again,
    "sequence numbers": sequence_numbers,
}
