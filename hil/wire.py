"""Frames on the wire: COBS between zeros, sequence number, type, payload, CRC-32.

Bytes become frames and frames become fields here, and back; nothing is sent and nothing waited for.
A frame that is damaged in any way is counted and dropped.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from firmware_model.contract import Change
from hil.messages import (
    BY_NUMBER,
    CHANGE_SIZE,
    CRC_SIZE,
    HEADER_SIZE,
    MESSAGES,
    OVERHEAD,
    Message,
    fixed_size,
    masks,
)

DELIMITER = b"\0"
#: Longest decoded frame a host accepts: outputs of 254 interlocks need less than 128 bytes.
LONGEST = 4096

_CODES = {
    "u8": "B",
    "bool": "B",
    "u16": "H",
    "i16": "h",
    "u32": "I",
    "i32": "i",
    "bytes8": "8s",
    "text16": "16s",
}
_FIXED = {
    name: struct.Struct("<BB" + "".join(_CODES.get(f.type, "") for f in message.fields))
    for name, message in MESSAGES.items()
}
_NAMES = {name: [f for f in message.fields if f.type in _CODES] for name, message in MESSAGES.items()}
_MASKS = {name: [f.name for f in message.fields if f.type == "mask"] for name, message in MESSAGES.items()}
_HAS_CHANGES = {name: any(f.type == "changes" for f in m.fields) for name, m in MESSAGES.items()}


class BadFrame(ValueError):
    """A frame is whole, but its content is not what the message table allows."""


#: The byte before a run of so many bytes without a zero.
_LENGTH_BYTE = [bytes((length + 1,)) for length in range(254)]
_SIZES = {name: (fixed_size(message), masks(message)) for name, message in MESSAGES.items()}


# ---- COBS --------------------------------------------------------------------------------------


def cobs_encode(data: bytes) -> bytes:
    """Bytes without a zero: each zero is replaced by the distance to the next (Cheshire and Baker, 1999)."""
    runs = data.split(DELIMITER)
    if max(map(len, runs)) < 254:  # every run is a block of its own
        return b"".join([_LENGTH_BYTE[len(run)] + run for run in runs])
    out = bytearray()
    for run in runs:
        while len(run) >= 254:
            out.append(255)
            out += run[:254]
            run = run[254:]
        out.append(len(run) + 1)
        out += run
    # A block of 254 at the very end implies no zero, so nothing need follow it.
    if len(runs[-1]) >= 254 and len(runs[-1]) % 254 == 0:
        out.pop()
    return bytes(out)


def cobs_decode(data: bytes) -> bytes | None:
    """The bytes encoded, or None when no encoder can have written this."""
    place, size = 0, len(data)
    if not size or 0 in data:
        return None
    parts: list[bytes] = []
    while place < size:
        code = data[place]
        end = place + code
        parts.append(data[place + 1 : end])
        place = end
        if code < 255 and place < size:
            parts.append(DELIMITER)
    return b"".join(parts) if place == size else None


# ---- frames ------------------------------------------------------------------------------------


def enframe(body: bytes) -> bytes:
    """A frame of header and payload as it goes out, with CRC, encoded, between zeros."""
    return DELIMITER + cobs_encode(body + zlib.crc32(body).to_bytes(CRC_SIZE, "little")) + DELIMITER


class Frames:
    """Takes bytes as they come and gives the frames that arrived whole."""

    def __init__(self, longest: int = LONGEST) -> None:
        self.damaged = 0  # frames dropped so far
        self._longest, self._longest_encoded = longest, longest + longest // 254 + 1
        self._partial = bytearray()
        self._overlong = False

    def take(self, data: bytes) -> list[bytes]:
        """Header and payload of every frame that ends in ``data``; what follows is kept."""
        found = []
        *ended, rest = data.split(DELIMITER)
        for part in ended:
            self._add(part)
            body = self._end()
            if body is not None:
                found.append(body)
        self._add(rest)
        return found

    def forget(self) -> None:
        """Drop what has arrived of a frame."""
        self._partial.clear()
        self._overlong = False

    def _add(self, part: bytes) -> None:
        if len(self._partial) + len(part) > self._longest_encoded:
            self._overlong = True
            self._partial.clear()
        elif not self._overlong:
            self._partial += part

    def _end(self) -> bytes | None:
        encoded, overlong = bytes(self._partial), self._overlong
        self.forget()
        if not encoded and not overlong:
            return None  # nothing between two zeros is no frame
        frame = None if overlong else cobs_decode(encoded)
        if frame is not None and OVERHEAD <= len(frame) <= self._longest:
            body, crc = frame[:-CRC_SIZE], frame[-CRC_SIZE:]
            if zlib.crc32(body).to_bytes(CRC_SIZE, "little") == crc:
                return body
        self.damaged += 1
        return None


# ---- messages ----------------------------------------------------------------------------------


class Received(NamedTuple):
    """A frame taken apart. Masks are integers, bool fields are bool, changes a tuple."""

    sequence: int
    message: Message
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Layout:
    """What depends on the table: the bytes of a mask."""

    mask_bytes: int

    @classmethod
    def of_rows(cls, rows: int) -> Layout:
        return cls((rows + 7) // 8)

    def pack(self, name: str, sequence: int, changes: Sequence[Change] = (), **values: Any) -> bytes:
        """Header and payload. Raises BadFrame when a value does not fit its field."""
        message = MESSAGES[name]
        try:
            out = _FIXED[name].pack(
                sequence, message.number, *(values[f.name] for f in _NAMES[name])
            ) + b"".join(values[mask].to_bytes(self.mask_bytes, "little") for mask in _MASKS[name])
            if _HAS_CHANGES[name]:
                out += bytes((len(changes),)) + pack_changes(changes)
        except (struct.error, OverflowError, ValueError) as problem:
            raise BadFrame(f"{name}: {problem} in {values or changes}") from None
        return out

    def unpack(self, body: bytes) -> Received:
        """Take header and payload apart. Raises BadFrame on an unknown type, a wrong length or no bool."""
        message = BY_NUMBER.get(body[1])
        if message is None:
            raise BadFrame(f"unknown message type 0x{body[1]:02X}")
        name, fixed = message.name, _FIXED[message.name]
        fixed_bytes, mask_count = _SIZES[name]
        size = fixed_bytes + mask_count * self.mask_bytes
        if len(body) < size:
            raise BadFrame(f"{name}: {len(body)} bytes, at least {size} are needed")
        if _HAS_CHANGES[name]:
            size += body[fixed.size] * CHANGE_SIZE
        if len(body) != size:
            raise BadFrame(f"{name}: {len(body)} bytes instead of {size}")
        sequence, _, *values = fixed.unpack_from(body)
        fields: dict[str, Any] = {}
        for field, value in zip(_NAMES[name], values, strict=True):
            if field.type == "bool":
                if value > 1:
                    raise BadFrame(f"{name}: {field.name} is {value}, neither 0 nor 1")
                value = bool(value)
            fields[field.name] = value
        place = fixed.size
        for mask in _MASKS[name]:
            fields[mask] = int.from_bytes(body[place : place + self.mask_bytes], "little")
            place += self.mask_bytes
        if _HAS_CHANGES[name]:
            fields["changes"] = unpack_changes(body[place + 1 :])
        return Received(sequence, message, fields)


def _i48(value: int) -> bytes:
    return value.to_bytes(6, "little", signed=True)


def pack_changes(changes: Iterable[Change]) -> bytes:
    """Signal and two 48-bit numbers each. Raises OverflowError."""
    return b"".join(
        bytes((c.signal,))
        + c.value.to_bytes(6, "little", signed=True)
        + c.slope.to_bytes(6, "little", signed=True)
        for c in changes
    )


def unpack_changes(data: bytes) -> tuple[Change, ...]:
    """The reverse of :func:`pack_changes`."""
    return tuple(
        Change(
            data[i],
            int.from_bytes(data[i + 1 : i + 7], "little", signed=True),
            int.from_bytes(data[i + 7 : i + 13], "little", signed=True),
        )
        for i in range(0, len(data), CHANGE_SIZE)
    )


def show(body: bytes) -> str:
    """A frame for a message to a person: its name and its bytes."""
    message = BY_NUMBER.get(body[1]) if len(body) >= HEADER_SIZE else None
    return f"{message.name if message else 'unknown'} [{body.hex(' ')}]"
