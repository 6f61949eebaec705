"""A board as a controller, in lockstep: the host sends segments, the board runs its scans and answers."""

from __future__ import annotations

import time
from collections.abc import Sequence
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
    Silent,
    Undetected,
    UnexpectedReset,
    WrongTable,
)
from hil.faulty import FaultyTransport
from hil.link import Identity, Link, Patience, Statistics
from hil.transport import Transport
from hil.wire import BadFrame

LONGEST_RUN = 2**31 - 1


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
