"""A board as a controller, in lockstep: the host sends segments, the board runs its scans and answers.

Nothing here knows how bytes travel. A frame that gets lost is sent again, a bounded number of
times; the board carries nothing out twice, so a repetition changes no result.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from firmware_model.contract import (
    RETAINED_REGIONS,
    Advance,
    Change,
    Flip,
    Inputs,
    Outputs,
    Reply,
    ResetCause,
    Retained,
    Segment,
    whole,
)
from firmware_model.rig import LineFaults
from firmware_model.states import Command, State
from firmware_model.table import Table
from hil.bench import Bench, NoHands
from hil.errors import (
    ProtocolMismatch,
    Refused,
    RigError,
    Silent,
    Undetected,
    UnexpectedReset,
    WrongTable,
)
from hil.faulty import FaultyTransport
from hil.messages import MESSAGES, PROTOCOL, ErrorCode
from hil.transport import Transport
from hil.wire import BadFrame, Frames, Layout, Received, enframe

LONGEST_RUN = 2**31 - 1


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


class RemoteController:
    """The controller contract over a wire. The transport is open; whoever opened it closes it.

    Raises a RigError whenever the board does not do its part.
    """

    def __init__(
        self,
        transport: Transport,
        table: Table,
        patience: Patience | None = None,
        bench: Bench | None = None,
    ) -> None:
        self.table = table
        self.bench = bench or NoHands(transport.name)
        self.link = Link(transport, len(table.interlocks), patience or Patience())
        self.identity = self.link.greet()
        check_table(transport.name, self.identity, table)
        self._boots_before = self.identity.boot_count
        self._at = 0
        self.outputs = self._reset(ResetCause.power, forget=True)

    @property
    def statistics(self) -> Statistics:
        return self.link.statistics

    def reset(self, cause: ResetCause) -> Outputs:
        """Restart the board for real, by power or button where we have them; retained memory survives."""
        if self.bench.restart(cause):
            before, self.identity = self.identity.boot_count, self.link.greet()
            self.outputs = self._restarted(before + 1, cause)
        else:
            self.outputs = self._reset(cause, forget=False)
        return self.outputs

    def upset(self, flip: Flip) -> Outputs:
        """Flip the bit and let the board scan: it has to find it and to restart. Raises RigError if not."""
        link, name, lost = self.link, self.link.transport.name, flip.region in RETAINED_REGIONS
        if lost and self.identity.boot_count == 1 and self._at == 0:
            # It would come back as it is now, and nobody could tell that it had restarted.
            self._reset(ResetCause.watchdog, forget=False)
        before = self.identity.boot_count
        self.bench.flip(flip)
        deadline = time.monotonic() + link.patience.greeting_s
        while True:
            link.post("RUN", at=self._at, ticks=1, command=int(Command.none))
            self.identity = link.greet()
            if self.identity.boot_count != before or self.identity.at < self._at:
                break
            if self.identity.at != self._at:
                raise Undetected(f"{name}: bit {flip.bit} of {flip.region} was flipped, the board scanned on")
            if time.monotonic() >= deadline:
                raise Silent(f"{name}: after bit {flip.bit} of {flip.region} it neither scans nor restarts")
            link.statistics.retries += 1  # the request got lost
        if lost:
            self._boots_before = 0
        self.outputs = self._restarted(1 if lost else before + 1, ResetCause.watchdog)
        return self.outputs

    def _reset(self, cause: ResetCause, forget: bool) -> Outputs:
        link, before = self.link, self.identity.boot_count
        deadline = time.monotonic() + link.patience.greeting_s
        while True:
            link.post("RESET", boots=before & 0xFFFF, cause=int(cause), forget=forget)
            self.identity = link.greet()
            if self.identity.boot_count != before or time.monotonic() >= deadline:
                break
            link.statistics.retries += 1  # the request got lost
        if self.identity.boot_count == before:
            raise Silent(f"{link.transport.name}: the board does not restart when asked to")
        return self._restarted(before + 1, cause)

    def _restarted(self, boots: int, cause: ResetCause) -> Outputs:
        """The outputs of a board restarted just now and greeted. Raises RigError if it was not so."""
        now, name = self.identity, self.link.transport.name
        if now.boot_count != boots or now.at != 0:
            raise UnexpectedReset(
                f"{name}: asked for one restart, the board made {now.boot_count - boots + 1} "
                f"and ran {now.at} scans; check its supply and its watchdog"
            )
        if now.cause is not cause:
            raise ProtocolMismatch(f"{name}: restarted by {cause.name}, the board reports {now.cause.name}")
        self._at = 0
        return self._outputs(self.link.exchange("READ_OUTPUTS"))

    def scan(self, inputs: Inputs) -> Outputs:
        """Exactly one tick."""
        return self.run(Segment(1, whole(inputs.values), inputs.command)).outputs

    def run(self, segment: Segment) -> Advance:
        """Up to ``segment.ticks`` scans; stops after the first that changed an output."""
        # The last change of a signal counts. Lines that come to rest go first: a small board has room for
        # few that move at once.
        last = {change.signal: change for change in segment.changes}
        changes = tuple(sorted(last.values(), key=lambda change: change.slope != 0))
        most = max(1, self.identity.max_changes)
        while len(changes) > most:
            self._exchange("SET", changes[:most], at=self._at)
            changes = changes[most:]
        before, done, command = self.outputs, 0, segment.command
        while done < segment.ticks:
            done += self._run_once(min(segment.ticks - done, LONGEST_RUN), changes, command)
            changes, command = (), Command.none
            if self.outputs != before:
                break
        return Advance(done, self.outputs)

    # ---- the wire, for a scenario that disturbs it -------------------------------------------------

    def _wire(self) -> FaultyTransport:
        """The carrier as one that can be disturbed; from its first use on it stays that."""
        if not isinstance(self.link.transport, FaultyTransport):
            self.link.transport = FaultyTransport(self.link.transport, LineFaults(), 0)
        return self.link.transport

    def disturb(self, faults: LineFaults, seed: str) -> None:
        self._wire().disturb(faults, seed)

    def restore(self) -> None:
        self._wire().disturb(LineFaults(), 0)

    def unplug(self) -> None:
        self._wire().unplug()

    def wire_report(self) -> dict[str, int]:
        """Counts of the session; what was done to frames as ``frames_…``."""
        counts, transport = self.statistics, self.link.transport
        done = transport.counts if isinstance(transport, FaultyTransport) else {}
        return {
            "exchanges": counts.exchanges,
            "retries": counts.retries,
            "damaged_replies": counts.damaged,
            **{f"frames_{name}": number for name, number in sorted(done.items())},
        }

    def _run_once(self, ticks: int, changes: Sequence[Change], command: Command) -> int:
        fields = self._exchange("RUN", changes, at=self._at, ticks=ticks, command=int(command))
        done = int(fields["at"]) - self._at
        if not 1 <= done <= ticks:
            raise ProtocolMismatch(
                f"{self.link.transport.name}: asked for 1 to {ticks} scans at tick {self._at}, the board "
                f"says it ran {done}"
            )
        self._at += done
        self.outputs = self._outputs(fields)
        return done

    @property
    def retained(self) -> Retained:
        """What a power loss would leave; the boot count is that of this session."""
        fields = self._exchange("READ_RETAINED")
        return Retained(
            fields["boot_count"] - self._boots_before,
            ResetCause(fields["cause"]),
            fields["meterset"],
            fields["latched"],
            fields["local_due"],
            fields["first_up"],
        )

    def _exchange(self, request: str, changes: Sequence[Change] = (), **values: Any) -> dict[str, Any]:
        try:
            return self.link.exchange(request, changes, **values)
        except BadFrame as problem:
            raise Refused(f"the segment does not fit the wire: {problem}") from None

    def _outputs(self, fields: dict[str, Any]) -> Outputs:
        try:
            return Outputs(
                State(fields["state"]),
                fields["permit"],
                fields["motion"],
                fields["power"],
                fields["test_line"],
                fields["tripped"],
                fields["latched"],
                fields["local_due"],
                fields["first_up"],
                Reply(Command(fields["reply_command"]), fields["reply_accepted"], fields["reply_blocked_by"]),
            )
        except ValueError as problem:
            raise ProtocolMismatch(
                f"{self.link.transport.name}: outputs that do not exist: {problem}"
            ) from None


def check_table(port: str, identity: Identity, table: Table) -> None:
    """Raises WrongTable when the board was built with another table."""
    wanted = (table.digest[:16], len(table.signals), len(table.interlocks))
    if (identity.table, identity.signals, identity.rows) != wanted:
        raise WrongTable(
            f"{port}: the board holds table {identity.table} ({identity.signals} signals, {identity.rows} "
            f"interlocks), this run needs {table.name!r} {wanted[0]} ({wanted[1]} signals, {wanted[2]} "
            "interlocks); `interlock table codegen DIR --table FILE` writes its C source: build it and "
            "flash the board, or give --table the board's table"
        )
