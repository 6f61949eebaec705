"""Exchanges of frames with a board: greeting, waiting, sending again, and what went over the wire.

Nothing here knows how bytes travel. A frame that gets lost is sent again, a bounded number of times; the
board carries nothing out twice, so a repetition changes no result.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from firmware_model.contract import (
    Change,
    ResetCause,
)
from hil.errors import (
    ProtocolMismatch,
    Refused,
    RigError,
    Silent,
    UnexpectedReset,
)
from hil.messages import MESSAGES, PROTOCOL, ErrorCode
from hil.transport import Transport
from hil.wire import BadFrame, Frames, Layout, Received, enframe


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the host waits, in seconds, and how often it sends again. Engineering defaults."""

    reply_s: float = 1.0  # a board answers a RUN within 0.1 s, and the link adds to it
    retries: int = 4  # that wait so long; the first ones wait only as long as answers have taken so far
    greeting_s: float = 6.0  # a boot loader may come first
    greet_again_s: float = 0.25  # longest time between two greetings; the first follow faster

    def strict(self) -> Patience:
        """The same without repetitions: a lost frame is an error."""
        return Patience(self.reply_s, 0, self.greeting_s, self.greet_again_s)


#: The first wait for an answer is four times the usual one, and no shorter than this: a board may take
#: 0.1 s for a RUN, and a busy computer adds to it. Each repetition waits twice as long, up to
#: ``reply_s``. Engineering defaults.
SHORTEST_WAIT_S = 0.2
USUAL = 4.0
#: Weight of the newest answer in what is usual (as in RFC 6298).
NEWEST = 0.125

#: Time between the first two greetings; a process is back from a restart sooner than a board.
FIRST_GREETING_S = 0.01


@dataclass(slots=True)
class Statistics:
    """What went over the wire."""

    exchanges: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    retries: int = 0  # requests sent again
    ignored: int = 0  # replies to something else: late or repeated
    damaged: int = 0  # replies that arrived damaged


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a board says it is."""

    build: str
    unique_id: str
    table: str  # first 16 hexadecimal digits of the digest
    signals: int
    rows: int
    boot_count: int
    cause: ResetCause
    at: int
    max_changes: int
    receive_size: int
    damaged: int  # frames the board received damaged since its reset


@dataclass
class Link:
    """Exchanges of frames with one board, from the greeting on."""

    transport: Transport
    rows: int
    patience: Patience = field(default_factory=Patience)
    statistics: Statistics = field(default_factory=Statistics)

    def __post_init__(self) -> None:
        self.layout = Layout.of_rows(self.rows)
        self._frames = Frames()
        self.sequence = 0  # of the last request
        self._arrived: list[bytes] = []
        self._usual_s = self.patience.reply_s / USUAL  # until something is known of this board
        self.boots: int | None = None  # low 16 bits of the boot count of this session

    def greet(self) -> Identity:
        """Open a session. Whatever the board said before is dropped. Raises Silent or ProtocolMismatch."""
        nonce, deadline = secrets.token_bytes(8), time.monotonic() + self.patience.greeting_s
        self.boots = None
        self.sequence = secrets.randbelow(256)
        hello = enframe(self.layout.pack("HELLO", self.sequence, nonce=nonce))
        damaged, pause = self._frames.damaged, FIRST_GREETING_S
        while time.monotonic() < deadline:
            self._send(hello)
            again = min(deadline, time.monotonic() + pause)
            pause = min(2 * pause, self.patience.greet_again_s)
            while (reply := self._receive(again)) is not None:
                if reply.message.name == "WELCOME" and reply.fields["nonce"] == nonce:
                    return self._welcomed(reply.fields)
                self.statistics.ignored += 1
        heard = self._frames.damaged - damaged
        if heard:
            raise ProtocolMismatch(
                f"{self.transport.name}: {heard} frames arrived in answer to the greeting and none could be "
                "read; check the baud rate and that this is an interlock board"
            )
        raise Silent(
            f"{self.transport.name}: no answer to the greeting within {self.patience.greeting_s} s; is this "
            "the board's port, and is its firmware running?"
        )

    def _welcomed(self, fields: dict[str, Any]) -> Identity:
        if fields["protocol"] != PROTOCOL:
            raise ProtocolMismatch(
                f"{self.transport.name}: the board speaks protocol {fields['protocol']}, this program "
                f"{PROTOCOL}; flash firmware of this version"
            )
        self.boots = fields["boots"]
        self.statistics.exchanges += 1
        return Identity(
            fields["build"].rstrip(b"\0").decode("ascii", "replace"),
            fields["unique_id"].hex(),
            fields["table"].hex(),
            fields["signals"],
            fields["rows"],
            fields["boot_count"],
            ResetCause(fields["cause"]),
            fields["at"],
            fields["max_changes"],
            fields["receive_size"],
            fields["damaged"],
        )

    def exchange(self, request: str, changes: Sequence[Change] = (), **values: Any) -> dict[str, Any]:
        """Send a request and give the fields of its reply. Raises a RigError."""
        self.sequence = (self.sequence + 1) % 256
        frame = enframe(self.layout.pack(request, self.sequence, changes, **values))
        expected = MESSAGES[request].reply
        longest = self.patience.reply_s
        wait = max(SHORTEST_WAIT_S, USUAL * self._usual_s) if self.patience.retries else longest
        attempts = patient = 0
        while patient <= self.patience.retries:
            wait = min(wait, longest)
            began = time.monotonic()
            self._send(frame)
            reply = self._reply_to(expected, began + wait)
            if reply is not None:
                if not attempts:  # of a repeated one nobody knows which it answers
                    self._usual_s += NEWEST * (time.monotonic() - began - self._usual_s)
                self.statistics.exchanges += 1
                self.statistics.retries += attempts
                return reply.fields
            attempts += 1
            patient += wait >= longest
            wait *= 2
        self.statistics.retries += attempts - 1
        raise Silent(
            f"{self.transport.name}: no answer to {request} after {attempts} attempts, the last ones of "
            f"{longest} s each; the board hangs or its line is bad"
        )

    def post(self, request: str, **values: Any) -> None:
        """Send a request that has no reply."""
        self.sequence = (self.sequence + 1) % 256
        self._send(enframe(self.layout.pack(request, self.sequence, **values)))

    def _reply_to(self, expected: str, deadline: float) -> Received | None:
        """The reply to the last request; None when it has to be sent again."""
        while (reply := self._receive(deadline)) is not None:
            name, fields = reply.message.name, reply.fields
            mine = reply.sequence == self.sequence
            if name == "ERROR" and fields["code"] == ErrorCode.damaged:
                return None
            if not mine or name not in (expected, "ERROR"):
                self.statistics.ignored += 1
                continue
            if fields["boots"] != self.boots:
                raise self._restarted()
            if name == expected:
                return reply
            raise self._refused(fields["code"], fields["detail"])
        return None

    def _refused(self, code: int, detail: int) -> RigError:
        where = self.transport.name
        try:
            name = ErrorCode(code).name
        except ValueError:
            return ProtocolMismatch(f"{where}: the board answered with an unknown error {code} ({detail})")
        if code == ErrorCode.refused:
            return Refused(
                f"{where}: the firmware cannot hold this input (change {detail}): too many signals move at "
                "once, or a line leaves 48 bits; raise IL_MAX_MOVING in its build"
            )
        return ProtocolMismatch(f"{where}: the board answered {name} ({detail}) to a correct request")

    def _restarted(self) -> UnexpectedReset:
        before = self.boots
        try:
            now = self.greet()
        except RigError as problem:
            return UnexpectedReset(f"{self.transport.name}: the board restarted by itself; then: {problem}")
        return UnexpectedReset(
            f"{self.transport.name}: the board restarted by itself: boot count {before} became "
            f"{now.boot_count}, cause {now.cause.name}; check its supply and its watchdog"
        )

    def _send(self, frame: bytes) -> None:
        self.transport.write(frame)
        self.statistics.bytes_sent += len(frame)

    def _receive(self, deadline: float) -> Received | None:
        """The next whole frame that is a message; None at the deadline."""
        while True:
            while self._arrived:
                try:
                    return self.layout.unpack(self._arrived.pop(0))
                except BadFrame:
                    self.statistics.ignored += 1
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            data = self.transport.read(left)
            self.statistics.bytes_received += len(data)
            self._arrived += self._frames.take(data)
            self.statistics.damaged = self._frames.damaged
