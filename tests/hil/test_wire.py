"""Framing and layouts: the published vectors, both sides against each other, nothing damaged accepted."""

from __future__ import annotations

import ctypes as c
import zlib
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_model.contract import Change
from hil.boards.native import build_library
from hil.messages import MESSAGES, OVERHEAD, Message, fixed_size, masks, offsets
from hil.wire import BadFrame, Frames, Layout, cobs_decode, cobs_encode, enframe
from hil.wire_text import c_header
from tests.firmware.dice import REPRODUCIBLE

FIRMWARE = Path(__file__).parents[2] / "hil" / "firmware"
FRAME, DAMAGED = 1, 2

#: Examples of the encoding as published with it.
VECTORS = [
    ("00", "01 01"),
    ("00 00", "01 01 01"),
    ("00 11 00", "01 02 11 01"),
    ("11 22 00 33", "03 11 22 02 33"),
    ("11 22 33 44", "05 11 22 33 44"),
    ("11 00 00 00", "02 11 01 01 01"),
    (" ".join(f"{i:02x}" for i in range(1, 255)), "ff " + " ".join(f"{i:02x}" for i in range(1, 255))),
    (
        "00 " + " ".join(f"{i:02x}" for i in range(1, 255)),
        "01 ff " + " ".join(f"{i:02x}" for i in range(1, 255)),
    ),
    (
        " ".join(f"{i:02x}" for i in range(1, 256)),
        "ff " + " ".join(f"{i:02x}" for i in range(1, 255)) + " 02 ff",
    ),
]


class Native:
    """The board's framing, from a library of this computer."""

    def __init__(self, library: Path | None = None) -> None:
        self._dll = c.CDLL(str(library or build_library()))
        self._dll.native_encode.restype = self._dll.native_decode.restype = c.c_uint32
        self._room = c.create_string_buffer(1 << 20)

    def encode(self, data: bytes) -> bytes:
        size = self._dll.native_encode(data, c.c_uint16(len(data)), self._room, c.c_uint32(len(self._room)))
        return self._room.raw[:size]

    def decode(self, data: bytes, capacity: int) -> list[tuple[int, bytes]]:
        """(event, frame) for everything that ended."""
        size = self._dll.native_decode(
            data, c.c_uint32(len(data)), c.c_uint16(capacity), self._room, c.c_uint32(len(self._room))
        )
        raw, found, place = self._room.raw[:size], [], 0
        while place < size:
            length = int.from_bytes(raw[place + 1 : place + 3], "little")
            found.append((raw[place], raw[place + 3 : place + 3 + length]))
            place += 3 + length
        return found


@pytest.fixture(scope="module")
def native() -> Native:
    return Native()


@pytest.mark.parametrize(("plain", "encoded"), VECTORS)
def test_both_sides_encode_the_published_vectors(plain: str, encoded: str, native: Native) -> None:
    data, wanted = bytes.fromhex(plain), bytes.fromhex(encoded)
    assert cobs_encode(data) == wanted
    assert cobs_decode(wanted) == data
    assert native.encode(data) == wanted + b"\0"
    assert native.decode(wanted + b"\0", 4096) == [(FRAME, data)]


@REPRODUCIBLE
@given(
    st.binary(max_size=1200)
    | st.builds(lambda n, b: bytes([b]) * n, st.integers(250, 770), st.integers(0, 255))
)
def test_whatever_is_encoded_has_no_zero_and_comes_back(data: bytes) -> None:
    encoded = cobs_encode(data)
    assert 0 not in encoded
    assert cobs_decode(encoded) == data


def python_decode(data: bytes, capacity: int) -> list[tuple[int, bytes]]:
    """What a board with that buffer must see, told by the host's code."""
    found = []
    for part in data.split(b"\0")[:-1]:
        if part:
            frame = cobs_decode(part)
            good = frame is not None and len(frame) <= capacity
            found.append((FRAME, frame or b"") if good else (DAMAGED, b""))
    return found


def mangled(dice: Random, frames: list[bytes]) -> bytes:
    """Frames on a bad line: some cut, merged, corrupted, with garbage between them."""
    out = bytearray()
    for frame in frames:
        data = bytearray(frame)
        for _ in range(dice.choice((0, 0, 0, 1, 1, 3))):
            what, place = dice.randrange(4), dice.randrange(len(data))
            if what == 0:
                data[place] ^= 1 << dice.randrange(8)
            elif what == 1:
                del data[place : place + dice.randint(1, 4)]
            elif what == 2:
                data[place:place] = dice.randbytes(dice.randint(1, 4))
            else:
                data[place] = 0
            if not data:
                break
        out += data
    return bytes(out)


def test_fifty_thousand_frames_on_a_bad_line_are_seen_alike_and_none_damaged_is_accepted(
    native: Native,
) -> None:
    dice = Random(4)
    sent = accepted = damaged = 0
    for _ in range(500):
        bodies = [dice.randbytes(dice.choice((2, 3, 9, 12, 40, 255, 300))) for _ in range(100)]
        bodies = [bytes(b % 3 for b in body) if dice.random() < 0.5 else body for body in bodies]
        line = mangled(dice, [enframe(body) for body in bodies]) + b"\0"
        capacity = dice.choice((64, 128, 4096))
        seen = native.decode(line, capacity)
        assert seen == python_decode(line, capacity)
        whole = [
            f[:-4] for event, f in seen
            if event == FRAME and len(f) >= OVERHEAD and zlib.crc32(f[:-4]).to_bytes(4, "little") == f[-4:]
        ]  # fmt: skip
        frames, got, place = Frames(capacity), [], 0
        while place < len(line):  # in pieces, as they come from a port
            step = dice.randint(1, 400)
            got += frames.take(line[place : place + step])
            place += step
        assert got == whole
        assert frames.damaged == len(seen) - len(whole)
        # In order, and each exactly as it was sent.
        rest = iter(bodies)
        assert all(body in rest for body in whole)
        sent, accepted, damaged = sent + len(bodies), accepted + len(whole), damaged + frames.damaged
    assert sent == 50_000
    assert accepted > 15_000
    assert damaged > 15_000


def example(message: Message, dice: Random, layout: Layout) -> tuple[dict[str, object], tuple[Change, ...]]:
    sizes = {"u8": 8, "u16": 16, "u32": 32, "i16": 16, "i32": 32}
    values: dict[str, object] = {}
    changes: tuple[Change, ...] = ()
    for field in message.fields:
        if field.type == "changes":
            changes = tuple(
                Change(dice.randrange(256), dice.randrange(-(2**47), 2**47), dice.randrange(-(2**47), 2**47))
                for _ in range(dice.randint(0, 5))
            )
        elif field.type == "mask":
            values[field.name] = dice.getrandbits(8 * layout.mask_bytes)
        elif field.type == "bool":
            values[field.name] = dice.random() < 0.5
        elif field.type.startswith(("bytes", "text")):
            values[field.name] = dice.randbytes(int(field.type.lstrip("bytesx")))
        else:
            value = dice.getrandbits(sizes[field.type])
            signed = field.type.startswith("i")
            values[field.name] = value - (1 << sizes[field.type] - 1) if signed else value
    return values, changes


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_comes_back_as_it_was_packed(name: str) -> None:
    dice = Random(name)
    message = MESSAGES[name]
    for rows in (1, 8, 9, 62, 254):
        layout = Layout.of_rows(rows)
        for _ in range(20):
            values, changes = example(message, dice, layout)
            body = layout.pack(name, 200, changes, **values)
            assert len(body) == fixed_size(message) + masks(message) * layout.mask_bytes + 13 * len(changes)
            received = layout.unpack(body)
            expected = values | ({"changes": changes} if "changes" in offsets(message) else {})
            assert received == (200, message, expected)
            for wrong in (body[:-1], body + b"\0"):
                if len(wrong) >= 2:
                    with pytest.raises(BadFrame):
                        layout.unpack(wrong)


def test_a_value_that_does_not_fit_its_field_is_refused() -> None:
    layout = Layout.of_rows(62)
    for changes, at in (
        ((Change(0, 2**47),), 0),
        ((Change(0, 0, -(2**47) - 1),), 0),
        ((Change(256, 0),), 0),
        ((), 2**32),
    ):
        with pytest.raises(BadFrame, match="SET"):
            layout.pack("SET", 0, changes, at=at)


def test_the_generated_header_is_that_of_the_message_table() -> None:
    assert (FIRMWARE / "generated" / "il_wire.h").read_text(encoding="utf-8") == c_header(), (
        "stale: run `interlock board codegen hil/firmware/generated`"
    )
