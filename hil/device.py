"""The board's side of the wire around any controller: bytes in, bytes out, no port and no clock but one.

The C side (``firmware/core/il_link.c``) follows the same rules; what differs between the two is a
bug in one of them.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from typing import Any

from firmware_model.contract import (
    RETAINED_REGIONS,
    Advance,
    Change,
    Controller,
    Flip,
    Outputs,
    ResetCause,
    Segment,
)
from firmware_model.controller import ModelController
from firmware_model.states import Command
from firmware_model.table import Table
from hil.messages import BY_NUMBER, CHANGE_SIZE, MESSAGES, OVERHEAD, PROTOCOL, ErrorCode, fixed_size, offsets
from hil.wire import DELIMITER, BadFrame, Frames, Layout, Received, enframe

RECEIVE_SIZE = 1024
SLICE = 20_000  # scans between two looks at the clock
ANSWER_WITHIN_S = 0.1
BUILD = b"python-model"


class Device:
    """One virtual board. ``clock`` gives seconds; it only decides how much is run before an answer."""

    def __init__(
        self,
        table: Table,
        unique_id: bytes = bytes(8),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.table, self.unique_id, self._clock = table, unique_id, clock
        self.layout = Layout.of_rows(len(table.interlocks))
        self._boots_before = 0  # boots of controllers whose memory was forgotten
        self._power_on()

    def _power_on(self) -> None:
        self.controller: Controller = ModelController(self.table)
        self._restart(ResetCause.power)

    def _restart(self, cause: ResetCause) -> None:
        self._start(self.controller.reset(cause), cause)

    def _start(self, outputs: Outputs, cause: ResetCause) -> None:
        self.outputs: Outputs = outputs
        self._flipped: Flip | None = None
        self.cause = cause
        self.at = 0
        self._waiting: tuple[Change, ...] = ()  # changes of SET for the next RUN
        self._frames = Frames(RECEIVE_SIZE)
        self._damaged = 0
        self._nonce: bytes | None = None  # None: not greeted
        self._sequence = 0
        self._request_crc = 0
        self._reply = b""

    @property
    def boot_count(self) -> int:
        return self._boots_before + self.controller.retained.boot_count

    def restart_by_itself(self, cause: ResetCause = ResetCause.watchdog) -> None:
        """What a failing supply or a watchdog would do; for tests of the host."""
        self._restart(cause)

    def flip(self, flip: Flip) -> None:
        """A bit of its memory flips; the next scan finds it."""
        self._flipped = flip

    def _found(self, flip: Flip) -> bytes:
        outputs = self.controller.upset(flip)
        if flip.region in RETAINED_REGIONS:
            self._boots_before = 0
        self._start(outputs, ResetCause.watchdog)
        return b""

    def take(self, data: bytes) -> bytes:
        """Bytes from the host; what the board answers to the frames in them."""
        # Frame by frame, so that the answers keep the order of the frames, good and damaged.
        answers = b""
        for part in _up_to_each_zero(data):
            frames = self._frames
            for body in frames.take(part):
                answers += self._handle(body)
            if frames is self._frames and frames.damaged > self._damaged:
                self._damaged = frames.damaged
                answers += self._error(0, ErrorCode.damaged, min(self._damaged, 0xFFFF))
        return answers

    # ---- in turn or not --------------------------------------------------------------------------

    def _handle(self, body: bytes) -> bytes:
        sequence, crc = body[0], zlib.crc32(body)
        if self._nonce is not None and (sequence, crc) == (self._sequence, self._request_crc):
            return self._reply  # its reply got lost
        if body[1] == MESSAGES["HELLO"].number:
            return self._hello(body, crc)
        if self._nonce is None:
            return self._error(sequence, ErrorCode.not_greeted, 0)
        following = (self._sequence + 1) % 256
        if sequence != following:
            return self._error(sequence, ErrorCode.bad_sequence, following)
        self._sequence, self._request_crc = sequence, crc
        self._reply = self._carry_out(body)
        return self._reply

    def _hello(self, body: bytes, crc: int) -> bytes:
        try:
            request = self.layout.unpack(body)
        except BadFrame:
            return self._error(body[0], ErrorCode.bad_length, len(body))
        nonce = request.fields["nonce"]
        if nonce == self._nonce:
            return b""  # a late copy of the greeting of this session
        self._nonce, self._sequence, self._request_crc = nonce, body[0], crc
        self._reply = self._pack(
            "WELCOME",
            nonce=nonce,
            protocol=PROTOCOL,
            table=bytes.fromhex(self.table.digest[:16]),
            signals=len(self.table.signals),
            rows=len(self.table.interlocks),
            build=BUILD,
            unique_id=self.unique_id,
            boot_count=self.boot_count,
            cause=int(self.cause),
            at=self.at,
            max_changes=(RECEIVE_SIZE - fixed_size(MESSAGES["RUN"]) - (OVERHEAD - 2)) // CHANGE_SIZE,
            receive_size=RECEIVE_SIZE,
            damaged=min(self._damaged, 0xFFFF),
        )
        return self._reply

    # ---- requests --------------------------------------------------------------------------------

    def _carry_out(self, body: bytes) -> bytes:
        message = BY_NUMBER.get(body[1])
        if message is None or message.number >= 0x80:
            return self._error(body[0], ErrorCode.unknown_type, body[1])
        if message.name == "RESET" and len(body) == fixed_size(message):
            return self._reset(body)
        try:
            request = self.layout.unpack(body)
        except BadFrame:
            return self._error(body[0], ErrorCode.bad_length, len(body))
        if "at" in request.fields and request.fields["at"] != self.at:
            return self._error(body[0], ErrorCode.wrong_tick, self.at & 0xFFFF)
        return {
            "SET": self._set,
            "RUN": self._run,
            "READ_OUTPUTS": self._read_outputs,
            "READ_RETAINED": self._read_retained,
        }[message.name](request)

    def _reset(self, body: bytes) -> bytes:
        places = offsets(MESSAGES["RESET"])
        boots, cause, forget = (
            int.from_bytes(body[2:4], "little"),
            body[places["cause"]],
            body[places["forget"]],
        )
        if boots != self.boot_count & 0xFFFF:
            return self._error(body[0], ErrorCode.stale_reset, self.boot_count & 0xFFFF)
        if cause > ResetCause.external:
            return self._error(body[0], ErrorCode.bad_value, places["cause"])
        if forget > 1:
            return self._error(body[0], ErrorCode.bad_value, places["forget"])
        if forget:
            self._boots_before = self.boot_count
            self.controller = ModelController(self.table)
        self._restart(ResetCause(cause))
        return b""

    def _unknown_signal(self, request: Received) -> bytes | None:
        place = offsets(request.message)["changes"] + 1
        for index, change in enumerate(request.fields["changes"]):
            if change.signal >= len(self.table.signals):
                return self._error(request.sequence, ErrorCode.bad_value, place + index * CHANGE_SIZE)
        return None

    def _set(self, request: Received) -> bytes:
        refused = self._unknown_signal(request)
        if refused is not None:
            return refused
        self._waiting += request.fields["changes"]
        return self._pack("SET_DONE", at=self.at)

    def _run(self, request: Received) -> bytes:
        fields, places = request.fields, offsets(request.message)
        if not 0 < fields["ticks"] < 2**31:
            return self._error(request.sequence, ErrorCode.bad_value, places["ticks"])
        if fields["command"] >= len(Command):
            return self._error(request.sequence, ErrorCode.bad_value, places["command"])
        refused = self._unknown_signal(request)
        if refused is not None:
            return refused
        if self._flipped is not None:
            return self._found(self._flipped)
        changes, self._waiting = (*self._waiting, *fields["changes"]), ()
        command, left, began = Command(fields["command"]), int(fields["ticks"]), self._clock()
        while left:
            ticks, before = min(left, SLICE), self.outputs
            advance: Advance = self.controller.run(Segment(ticks, changes, command))
            changes, command = (), Command.none
            self.outputs = advance.outputs
            self.at += advance.ticks
            left -= advance.ticks
            if advance.outputs != before or self._clock() - began >= ANSWER_WITHIN_S:
                break
        return self._read_outputs(request)

    def _read_outputs(self, request: Received) -> bytes:
        o = self.outputs
        return self._pack(
            "OUTPUTS",
            at=self.at,
            state=int(o.state),
            permit=o.permit,
            motion=o.motion,
            power=o.power,
            test_line=o.test_line,
            first_up=o.first_up,
            reply_command=int(o.reply.command),
            reply_accepted=o.reply.accepted,
            reply_blocked_by=o.reply.blocked_by,
            tripped=o.tripped,
            latched=o.latched,
            local_due=o.local_reset_due,
        )

    def _read_retained(self, request: Received) -> bytes:
        kept = self.controller.retained
        return self._pack(
            "RETAINED",
            boot_count=self.boot_count,
            cause=int(kept.reset_cause),
            meterset=kept.meterset,
            first_up=kept.first_up,
            latched=kept.latched,
            local_due=kept.local_reset_due,
        )

    # ---- replies ---------------------------------------------------------------------------------

    def _pack(self, name: str, sequence: int | None = None, **values: Any) -> bytes:
        number = self._sequence if sequence is None else sequence
        return enframe(self.layout.pack(name, number, boots=self.boot_count & 0xFFFF, **values))

    def _error(self, sequence: int, code: ErrorCode, detail: int) -> bytes:
        return self._pack("ERROR", sequence, code=int(code), detail=detail)


def _up_to_each_zero(data: bytes) -> list[bytes]:
    *ended, rest = data.split(DELIMITER)
    return [part + DELIMITER for part in ended] + [rest]
