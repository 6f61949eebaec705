"""Whether a board keeps the rules of the wire, frame by frame.

Each check takes an open connection to a greeted board and raises :class:`Violation` with what was
sent, what came back and what should have.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from firmware_model.contract import Change
from hil.errors import Silent
from hil.link import Identity, Link
from hil.messages import CHANGE_SIZE, CRC_SIZE, KEPT_WHILE_BUSY, MESSAGES, ErrorCode, fixed_size
from hil.wire import DELIMITER, BadFrame, Frames, Received, cobs_encode, enframe, show

#: A board may take its time for an answer; a board that must stay silent is listened to this long.
ANSWER_S = 1.0
SILENCE_S = 0.05
#: Requests in a row that a bad line may damage.
SETTLE_ATTEMPTS = 10


class Violation(Exception):
    """The board breaks a rule; the text says which, with the bytes."""


class RawLink:
    """Frames of one's own making, and what comes back."""

    def __init__(self, link: Link) -> None:
        self.link, self.transport, self.layout = link, link.transport, link.layout
        self.greet()

    @property
    def sequence(self) -> int:
        """Of the last request; the session of the link goes on here, frame by frame."""
        return self.link.sequence

    @sequence.setter
    def sequence(self, number: int) -> None:
        self.link.sequence = number

    def greet(self) -> None:
        """A new session, and no answer to anything from before still to come."""
        self.identity: Identity = self.link.greet()
        self.at = self.identity.at
        self.settle()

    def settle(self) -> int:
        """Scans run, once the board has answered everything that was sent before. Raises a RigError.

        The greeting and a request are repeated when a board takes its time, and every copy is answered. A
        board answers in order, so nothing more comes once a request that was sent only once is answered.
        """
        for _ in range(SETTLE_ATTEMPTS):
            retries = self.link.statistics.retries
            fields = self.link.exchange("READ_OUTPUTS")
            if self.link.statistics.retries == retries:
                return int(fields["at"])
        raise Silent(
            f"{self.transport.name}: {SETTLE_ATTEMPTS} requests in a row had to be repeated; the line is "
            "bad, or the board answers later than the host waits"
        )

    def next(self) -> int:
        """The sequence number of the next request."""
        self.sequence = (self.sequence + 1) % 256
        return self.sequence

    def send(self, *frames: bytes) -> None:
        self.transport.write(b"".join(frames))

    def bodies(self, wanted: int, timeout_s: float = ANSWER_S) -> list[bytes]:
        """The next ``wanted`` frames; fewer when no more come in time."""
        frames, deadline = Frames(), time.monotonic() + timeout_s
        found: list[bytes] = []
        while len(found) < wanted and (left := deadline - time.monotonic()) > 0:
            found += frames.take(self.transport.read(left))
        if frames.damaged:
            raise Violation(f"{frames.damaged} frames of the board cannot be read")
        return found

    def answer(self, sent: bytes) -> Received:
        """Send a body as a frame; its one answer."""
        self.send(enframe(sent))
        return self.one(sent)

    def one(self, sent: bytes) -> Received:
        found = self.bodies(1)
        if not found:
            raise Violation(f"no answer within {ANSWER_S} s to {show(sent)}")
        try:
            return self.layout.unpack(found[0])
        except BadFrame as problem:
            raise Violation(f"{problem}; answered to {show(sent)} with {show(found[0])}") from None

    def expect(self, sent: bytes, name: str, sequence: int, **fields: Any) -> Received:
        """The answer to ``sent`` must be this message with these fields."""
        reply = self.answer(sent)
        self.check(reply, sent, name, sequence, **fields)
        return reply

    def check(self, reply: Received, sent: bytes, name: str, sequence: int, **fields: Any) -> None:
        if reply.message.name != name or reply.sequence != sequence:
            raise Violation(
                f"{show(sent)} is answered by {reply.message.name} {reply.sequence} {reply.fields}, "
                f"expected {name} {sequence}"
            )
        for key, value in fields.items():
            if reply.fields[key] != value:
                raise Violation(
                    f"{show(sent)} is answered by {name} with {key} {reply.fields[key]}, expected {value}"
                )

    def expect_error(self, sent: bytes, code: ErrorCode, sequence: int, **fields: Any) -> None:
        self.expect(sent, "ERROR", sequence, code=int(code), **fields)

    def run_one(self) -> bytes:
        """A correct RUN of one scan as a body; the caller sends it and counts."""
        return self.layout.pack("RUN", self.next(), at=self.at, ticks=1, command=0)

    def still(self, why: str) -> None:
        """Nothing was run: the board's count of scans is ours."""
        sequence = self.next()
        reply = self.answer(self.layout.pack("READ_OUTPUTS", sequence))
        if reply.message.name != "OUTPUTS" or reply.fields["at"] != self.at:
            raise Violation(f"{why}: the board then answers {reply.message.name} {reply.fields}")


def handshake(raw: RawLink) -> None:
    """WELCOME echoes the nonce, and a second greeting opens a new session without a restart."""
    first = raw.identity
    raw.greet()
    second = raw.identity
    if second.boot_count != first.boot_count or second.at != first.at:
        raise Violation("a greeting changed the boot count or ran scans")
    if second.unique_id != first.unique_id:
        raise Violation("the unique id changes from one greeting to the next")
    room = (second.receive_size - fixed_size(MESSAGES["RUN"]) - CRC_SIZE) // CHANGE_SIZE
    if not 1 <= second.max_changes <= room:
        raise Violation(
            f"max_changes {second.max_changes} does not fit a receive buffer of {second.receive_size} bytes"
        )
    raw.still("after two greetings")


def late_greeting(raw: RawLink) -> None:
    """A copy of the greeting that arrives late does not disturb the session."""
    sequence = (raw.sequence + 77) % 256
    hello = enframe(raw.layout.pack("HELLO", sequence, nonce=bytes(range(8))))
    raw.send(hello)
    raw.check(raw.one(hello), hello, "WELCOME", sequence, nonce=bytes(range(8)))
    raw.sequence = sequence
    raw.still("after a greeting")
    raw.send(hello)
    if raw.bodies(1, SILENCE_S):
        raise Violation("a late copy of the greeting is answered; the host would take it for a new one")
    raw.still("after a late copy of the greeting")


def sequence_numbers(raw: RawLink) -> None:
    """Only the next sequence number is taken."""
    body = raw.layout.pack("RUN", (raw.sequence + 2) % 256, at=raw.at, ticks=1, command=0)
    raw.expect_error(body, ErrorCode.bad_sequence, body[0], detail=(raw.sequence + 1) % 256)
    raw.still("after a frame out of sequence")


def duplicate(raw: RawLink) -> None:
    """A repeated RUN gets the same reply and is not run again."""
    body = raw.run_one()
    first = raw.expect(body, "OUTPUTS", body[0], at=raw.at + 1)
    raw.at += 1
    again = raw.answer(body)
    if again != first:
        raise Violation(f"the repetition of {show(body)} is answered differently: {again.fields}")
    raw.still("after a repeated RUN")


def same_number_other_request(raw: RawLink) -> None:
    """The last sequence number with another content is no repetition."""
    body = raw.run_one()
    raw.expect(body, "OUTPUTS", body[0], at=raw.at + 1)
    raw.at += 1
    other = raw.layout.pack("RUN", body[0], at=raw.at, ticks=1, command=0)
    raw.expect_error(other, ErrorCode.bad_sequence, body[0])
    raw.still("after another request under the same number")


def bad_crc(raw: RawLink) -> None:
    """A frame with any byte changed is not acted upon, and is answered as damaged."""
    body = raw.layout.pack("RUN", (raw.sequence + 1) % 256, at=raw.at, ticks=1, command=0)
    whole = enframe(body)
    for place in range(1, len(whole) - 1):
        changed = bytearray(whole)
        changed[place] ^= 0x40 if changed[place] != 0x40 else 0x20
        raw.send(bytes(changed))
        reply = raw.one(body)
        raw.check(reply, bytes(changed), "ERROR", 0, code=int(ErrorCode.damaged))
    raw.still("after damaged frames")


def bad_length(raw: RawLink) -> None:
    """Every request one byte too short or too long is refused."""
    bodies: dict[str, dict[str, Any]] = {
        "RUN": {"at": raw.at, "ticks": 1, "command": 0},
        "SET": {"at": raw.at},
        "RESET": {"boots": raw.identity.boot_count & 0xFFFF, "cause": 0, "forget": False},
        "READ_OUTPUTS": {},
        "READ_RETAINED": {},
    }
    for name, values in bodies.items():
        for cut in (-1, 1):
            sequence = raw.next()
            body = raw.layout.pack(name, sequence, **values)
            wrong = body + b"\1" if cut > 0 else body[:-1]
            if len(wrong) >= 2:
                raw.expect_error(wrong, ErrorCode.bad_length, sequence, detail=len(wrong))
            else:
                raw.sequence = (raw.sequence - 1) % 256  # too short to be a frame: not a request at all
    sequence = raw.next()
    body = raw.layout.pack("RUN", sequence, (Change(0, 0),), at=raw.at, ticks=1, command=0)
    claims_two = body[: fixed_size(MESSAGES["RUN"]) - 1] + b"\2" + body[fixed_size(MESSAGES["RUN"]) :]
    raw.expect_error(claims_two, ErrorCode.bad_length, sequence)
    raw.still("after frames of a wrong length")


def too_short_or_long(raw: RawLink) -> None:
    """A frame too short for a header, and one longer than the receive buffer, are damaged frames."""
    for content in (b"\1", b"\1\2\3", b"\7" * (raw.identity.receive_size + 1)):
        raw.send(DELIMITER + cobs_encode(content) + DELIMITER)
        raw.check(raw.one(content), content, "ERROR", 0, code=int(ErrorCode.damaged))
    raw.still("after frames of an impossible length")


def unknown_type(raw: RawLink) -> None:
    """Types that do not exist, and those of replies, are refused."""
    for number in (0x00, 0x07, 0x7F, 0x81, 0x83, 0xFE):
        sequence = raw.next()
        raw.expect_error(bytes((sequence, number)), ErrorCode.unknown_type, sequence, detail=number)
    raw.still("after unknown types")


def wrong_tick(raw: RawLink) -> None:
    """A RUN or SET for another tick than the present one is refused."""
    cases: tuple[tuple[str, dict[str, Any]], ...] = (("RUN", {"ticks": 1, "command": 0}), ("SET", {}))
    for name, values in cases:
        sequence = raw.next()
        body = raw.layout.pack(name, sequence, at=raw.at + 1, **values)
        raw.expect_error(body, ErrorCode.wrong_tick, sequence, detail=raw.at & 0xFFFF)
    raw.still("after requests for another tick")


def bad_values(raw: RawLink) -> None:
    """Signals, commands and numbers of scans that do not exist are refused, and nothing is set."""
    signals = raw.identity.signals
    cases: list[tuple[tuple[Change, ...], dict[str, Any]]] = [
        ((), {"ticks": 0, "command": 0}),
        ((), {"ticks": 1 << 31, "command": 0}),
        ((), {"ticks": 1, "command": 15}),
        ((), {"ticks": 1, "command": 255}),
        ((Change(signals, 0),), {"ticks": 1, "command": 0}),
        ((Change(255, 0),), {"ticks": 1, "command": 0}),
    ]
    for changes, values in cases:
        sequence = raw.next()
        body = raw.layout.pack("RUN", sequence, changes, at=raw.at, **values)
        raw.expect_error(body, ErrorCode.bad_value, sequence)
    boots = raw.identity.boot_count & 0xFFFF
    for cause, forget in ((3, 0), (0, 2)):
        sequence = raw.next()
        body = bytes((sequence, 4)) + boots.to_bytes(2, "little") + bytes((cause, forget))
        raw.expect_error(body, ErrorCode.bad_value, sequence)
    raw.still("after impossible values")


def stale_reset(raw: RawLink) -> None:
    """A RESET with another boot count than the present one resets nothing."""
    sequence = raw.next()
    boots = (raw.identity.boot_count + 1) & 0xFFFF
    body = raw.layout.pack("RESET", sequence, boots=boots, cause=0, forget=False)
    raw.expect_error(body, ErrorCode.stale_reset, sequence, detail=raw.identity.boot_count & 0xFFFF)
    raw.still("after a stale RESET")


def split(raw: RawLink) -> None:
    """A frame that comes byte by byte is one frame."""
    body = raw.run_one()
    for byte in enframe(body):
        raw.send(bytes((byte,)))
    raw.check(raw.one(body), body, "OUTPUTS", body[0], at=raw.at + 1)
    raw.at += 1
    raw.still("after a frame in pieces")


def merged(raw: RawLink) -> None:
    """A request that comes while the board works on another is answered, and so is one behind garbage."""
    bodies = [raw.layout.pack("RUN", raw.next(), at=raw.at + count, ticks=1, command=0) for count in range(3)]
    while_busy = DELIMITER * 5 + enframe(bodies[1])
    assert len(while_busy) <= KEPT_WHILE_BUSY
    raw.send(enframe(bodies[0]), while_busy)
    answers = raw.bodies(2)
    raw.send(b"\x11\x22\x33", enframe(bodies[2]))
    answers += raw.bodies(2)
    found = [raw.layout.unpack(body) for body in answers]
    names = [reply.message.name for reply in found]
    if names != ["OUTPUTS", "OUTPUTS", "ERROR", "OUTPUTS"]:
        raise Violation(
            f"two requests in one piece, then garbage and a request in one piece, are answered by {names}"
        )
    raw.at += 3
    if found[-1].fields["at"] != raw.at:
        raise Violation(f"three merged frames ran {found[-1].fields['at'] - raw.at + 3} scans")
    raw.still("after merged frames")


def flood(raw: RawLink) -> None:
    """More than a board can keep while it works: it finds its place again, and nothing is run."""
    body = raw.run_one()
    raw.at += 1
    # Out of sequence, so those that arrive whole are refused.
    more = enframe(raw.layout.pack("READ_OUTPUTS", (raw.sequence + 9) % 256))
    raw.send(enframe(body), more * (2 * raw.identity.receive_size // len(more)))
    try:
        at = raw.settle()
    except Silent as problem:
        raise Violation(f"after more than it can keep: {problem}") from None
    if at != raw.at:
        raise Violation(
            f"after one RUN of one scan and more than it can keep it has run {at} scans, expected {raw.at}"
        )


def restart(raw: RawLink) -> None:
    """RESET restarts: one boot more, the cause asked for, no session until the next greeting."""
    before = raw.identity.boot_count
    for cause in (0, 1, 2):
        body = raw.layout.pack("RESET", raw.next(), boots=before & 0xFFFF, cause=cause, forget=False)
        raw.send(enframe(body))
        deadline = time.monotonic() + raw.link.patience.greeting_s
        probe = raw.layout.pack("READ_OUTPUTS", raw.next())
        while True:  # a board that restarts may lose frames; the first one it takes must be refused
            raw.send(enframe(probe))
            answers = [raw.layout.unpack(found) for found in raw.bodies(1, 0.1)]
            if answers and answers[0].fields.get("code") != ErrorCode.damaged:
                raw.check(answers[0], probe, "ERROR", probe[0], code=int(ErrorCode.not_greeted))
                break
            if time.monotonic() > deadline:
                raise Violation(f"no answer within {raw.link.patience.greeting_s} s after RESET")
        raw.greet()
        got = (raw.identity.boot_count, raw.identity.at, int(raw.identity.cause))
        if got != (before + 1, 0, cause):
            raise Violation(
                f"after RESET: boot count, scans and cause are {got}, expected {(before + 1, 0, cause)}"
            )
        before += 1
    raw.still("after three restarts")


CHECKS: tuple[tuple[str, Callable[[RawLink], None]], ...] = (
    ("handshake", handshake),
    ("late copy of a greeting", late_greeting),
    ("sequence numbers", sequence_numbers),
    ("repeated request", duplicate),
    ("same number, other request", same_number_other_request),
    ("damaged frames, every byte", bad_crc),
    ("wrong length", bad_length),
    ("too short and too long", too_short_or_long),
    ("unknown types", unknown_type),
    ("wrong tick", wrong_tick),
    ("impossible values", bad_values),
    ("stale reset", stale_reset),
    ("frame byte by byte", split),
    ("merged frames and garbage", merged),
    ("more than it can keep", flood),
    ("restart", restart),
)
