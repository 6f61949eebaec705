"""A campaign of flipped bits: one at a time, anywhere in the RAM of emulated firmware, in beam.

Every trial begins from the same memory, in the middle of a beam. A bit flips, before a request or while
one is carried out. Then the same things happen every time: the beam goes on, an interlock trips, its cause
goes away, an operator tries to go on without a reset. The reference model says what has to come of it.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from random import Random

from firmware_model.contract import ONE, Advance, Change, Outputs, Segment
from firmware_model.controller import ModelController
from firmware_model.states import Command, State
from firmware_model.table import Table
from hil.board import RemoteController
from hil.boards.qemu import LM3S6965EVB, Machine, QemuBench
from hil.errors import ProtocolMismatch, RigError
from hil.memory import flip_bit
from hil.messages import ErrorCode
from hil.twin import Twin
from hil.wire import enframe

#: Engineering defaults: an answer comes within 0.1 s, a watchdog bites after 0.5 s and 1 s.
AT_ONCE_S = 0.4
SILENT_S = 4.0
#: Longest the permit may stay on without scans, and time for the emulator to notice.
PERMIT_GONE_S = 3.0
#: Half of the flips come while a request is carried out.
BUSY_SHARE = 0.5
#: Scans that request takes, each of them worked through.
BUSY_SCANS = 150


Strike = Callable[[], None]


class Outcome(StrEnum):
    """What became of a flipped bit."""

    masked = "masked"  # everything as in the model
    detected = "detected"  # found under the seal: permit off and a restart at once
    safe_reset = "safe reset"  # another restart at once: a fault of the processor, a check elsewhere
    hang = "hang"  # ended by the watchdog
    refused = "refused"  # no restart, no scan: an error is answered or nothing; the permit goes
    differs = "differs"  # outputs beside the model's, never more permit than there
    unsafe = "UNSAFE"  # permit where the model has none


@dataclass(frozen=True, slots=True)
class Trial:
    """One flipped bit."""

    number: int
    region: str
    address: int
    bit: int
    step: int
    busy: bool
    outcome: Outcome
    detail: str = ""

    def __str__(self) -> str:
        when = "during" if self.busy else "before"
        return (
            f"trial {self.number}: bit {self.bit} of {self.address:#x} ({self.region}) {when} step "
            f"{self.step}: {self.outcome}{f' ({self.detail})' if self.detail else ''}"
        )


@dataclass(frozen=True, slots=True)
class Step:
    """A segment, and what the model makes of it."""

    segment: Segment
    expected: Advance


@dataclass
class Tally:
    """Trials by region and outcome."""

    counts: Counter[tuple[str, Outcome]] = field(default_factory=Counter)
    sizes: dict[str, int] = field(default_factory=dict)
    unsafe: list[Trial] = field(default_factory=list)

    def add(self, trial: Trial) -> None:
        self.counts[trial.region, trial.outcome] += 1
        if trial.outcome is Outcome.unsafe:
            self.unsafe.append(trial)

    def table(self) -> str:
        """As a table in Markdown."""
        lines = [
            "| memory | bytes | flips | " + " | ".join(Outcome) + " |",
            "|---|" + "---:|" * (2 + len(Outcome)),
        ]
        for region in [*self.sizes, "all"]:
            row = [
                sum(n for (name, o), n in self.counts.items() if o is outcome and region in (name, "all"))
                for outcome in Outcome
            ]
            size = sum(self.sizes.values()) if region == "all" else self.sizes[region]
            lines.append(f"| {region} | {size} | {sum(row)} | " + " | ".join(map(str, row)) + " |")
        return "\n".join(lines)


class Campaign:
    """A board in the middle of a beam, and what happens to it again and again. Raises RigError."""

    def __init__(self, machine: Machine, table: Table, seed: int, resources: ExitStack) -> None:
        board = resources.enter_context(machine.start(table))
        assert isinstance(board.controller, RemoteController)
        assert isinstance(board.controller.bench, QemuBench)
        self.firmware = board.firmware
        self._controller, self._bench = board.controller, board.controller.bench
        self._link, self._qemu = self._controller.link, self._bench.qemu
        self._memory, self._dice = self._bench.core.memory, Random(seed)
        if machine.permit_pin is None:
            raise RigError(f"{machine.kind}: its permit pin cannot be read here; use {LM3S6965EVB.kind}")
        self._pin = machine.permit_pin
        twin = Twin(self._controller, table)
        if not twin.reach(State.irradiation):
            raise RigError(f"{machine.kind}: no beam can be reached with table {table.name!r}")
        twin.run(3)
        self.steps, self.beam_steps = _stimulus(twin, table)
        self.busy_steps = [i for i, s in enumerate(self.steps) if s.segment.ticks == BUSY_SCANS]
        symbols = self._bench.core.layout.symbols
        self._start = symbols["start_of_data"].address
        self._end = symbols["end_of_noinit"].address
        self.regions = self._regions(deepest_stack(self._bench.elf))
        self._at, self._sequence = self._controller._at, self._link.sequence
        self._outputs = self._controller.outputs
        self._qemu.pause()
        self._image = self._memory.read(self._start, self._end - self._start)
        self._qemu.resume()
        self._durations = self._control()

    def _regions(self, stack: int) -> dict[str, tuple[int, int]]:
        """Address and size of every part of RAM that the program uses."""
        symbols = self._bench.core.layout.symbols
        named = {
            "core": symbols["core"],
            "link": symbols["link"],
            "receiver": symbols["cortex_received"],
            "retained": symbols["outlives"],
        }
        found = {name: (symbol.address, symbol.size) for name, symbol in named.items()}
        end = symbols["end_of_stack"].address
        found["stack"] = (end - stack, stack)
        return found

    def _rest(self) -> list[int]:
        """Bytes of data and bss that belong to none of them: clock, flags."""
        taken = {a for start, size in self.regions.values() for a in range(start, start + size)}
        return [a for a in range(self._start, self._end) if a not in taken]

    def run(self, count: int) -> Iterator[Trial]:
        """So many flips, evenly over all bytes."""
        places = [
            (name, a) for name, (start, size) in self.regions.items() for a in range(start, start + size)
        ]
        places += [("other", address) for address in self._rest()]
        for number in range(1, count + 1):
            region, address = self._dice.choice(places)
            yield self._trial(number, region, address, self._dice.randrange(8))

    def sizes(self) -> dict[str, int]:
        """Bytes of each region."""
        return {**{name: size for name, (_, size) in self.regions.items()}, "other": len(self._rest())}

    # ---- one trial -------------------------------------------------------------------------------

    def _trial(self, number: int, region: str, address: int, bit: int) -> Trial:
        busy = self._dice.random() < BUSY_SHARE
        step = self._dice.choice(self.busy_steps if busy else range(self.beam_steps))
        instant = self._dice.random() * self._durations[step] if busy else 0.0
        self._restore()
        resets = self._qemu.resets()

        def strike() -> None:
            if busy:
                time.sleep(instant)
                self._qemu.pause()
            flip_bit(self._memory, address, bit)
            if busy:
                self._qemu.resume()

        def trial(outcome: Outcome, detail: str) -> Trial:
            return Trial(number, region, address, bit, step, busy, outcome, detail)

        outcome, detail = Outcome.masked, ""
        try:
            outcome, detail = self._play(step, strike, busy, resets)
        except RigError as problem:
            outcome, detail = Outcome.refused, str(problem)
        if outcome is not Outcome.masked or region == "stack":
            with self._listening():
                if outcome not in (Outcome.masked, Outcome.unsafe) and self._permit_stays():
                    outcome = Outcome.unsafe
                    detail = f"the permit stays on; otherwise {detail or 'silent'}"
                self._qemu.reset()
            self._start_anew(trial(outcome, detail))
        if outcome is Outcome.safe_reset and region in ("core", "retained"):
            outcome = Outcome.detected
        return trial(outcome, detail)

    def _play(self, struck: int, strike: Strike, busy: bool, resets: int) -> tuple[Outcome, str]:
        differs = ""
        for number, step in enumerate(self.steps):
            began = time.monotonic()
            here = strike if number == struck else None
            got = self._step(step.segment, here, busy, resets)
            if got is None:
                took = time.monotonic() - began
                if self._qemu.resets() == resets:
                    return Outcome.refused, "no answer"
                return (
                    Outcome.hang if took > AT_ONCE_S else Outcome.safe_reset
                ), f"after {took * 1000:.0f} ms"
            allowed = step.expected.outputs.permit
            if got.outputs.permit and not allowed:
                return Outcome.unsafe, f"step {number}: the board permits, the model does not"
            if self._permit() and not allowed:
                return Outcome.unsafe, f"step {number}: the pin permits, the model does not"
            if got != step.expected and not differs:
                differs = f"step {number}: {_difference(step.expected, got)}"
            if got.ticks < 1:
                return Outcome.differs, differs  # it counts scans wrongly: nothing more can be asked of it
        return (Outcome.differs, differs) if differs else (Outcome.masked, "")

    def _step(self, segment: Segment, strike: Strike | None, busy: bool, resets: int) -> Advance | None:
        """Run a segment; None when no answer comes any more."""
        done, before = 0, self._outputs
        changes, command = segment.changes, segment.command
        if strike is not None and not busy:
            strike()
        while done < segment.ticks:
            fields = self._exchange(
                strike if busy and done == 0 else None,
                changes,
                resets,
                at=self._at,
                ticks=segment.ticks - done,
                command=int(command),
            )
            if fields is None:
                return None
            ran = int(fields["at"]) - self._at
            self._outputs, self._at = self._controller._outputs(fields), int(fields["at"])
            done += ran
            changes, command = (), Command.none
            if self._outputs != before or ran < 1:
                break
        return Advance(done, self._outputs)

    def _exchange(
        self, strike: Strike | None, changes: tuple[Change, ...], resets: int, **values: int
    ) -> dict[str, int] | None:
        link = self._link
        self._sequence = (self._sequence + 1) % 256
        frame = enframe(link.layout.pack("RUN", self._sequence, changes, **values))
        link.transport.write(frame)
        if strike is not None:
            strike()
        deadline = time.monotonic() + SILENT_S
        repeat = time.monotonic() + 1.5  # a bit of the request itself may have flipped
        while time.monotonic() < deadline and self._qemu.resets() == resets:
            reply = link._receive(time.monotonic() + 0.02)
            if reply is None:
                if time.monotonic() > repeat:
                    link.transport.write(frame)
                    repeat = deadline
                continue
            if reply.message.name == "ERROR" and reply.fields["code"] == ErrorCode.damaged:
                link.transport.write(frame)
            elif reply.message.name == "ERROR":
                raise ProtocolMismatch(f"answered {ErrorCode(reply.fields['code']).name}")
            elif reply.sequence == self._sequence and reply.message.name == "OUTPUTS":
                return reply.fields
        return None

    # ---- the board -------------------------------------------------------------------------------

    def _control(self) -> list[float]:
        """Without a flip everything must be as in the model; gives how long each step takes, in seconds."""
        durations: list[float] = []
        for _ in range(2):
            self._restore()
            durations, resets = [], self._qemu.resets()
            for number, step in enumerate(self.steps):
                began = time.monotonic()
                got = self._step(step.segment, None, False, resets)
                durations.append(time.monotonic() - began)
                if got != step.expected:
                    raise RigError(f"without a flip step {number} is {got}, not {step.expected}")
        return durations

    def _restore(self) -> None:
        self._qemu.pause()
        self._memory.write(self._start, self._image)
        self._qemu.resume()
        self._at, self._sequence = self._controller._at, self._link.sequence
        self._outputs = self._controller.outputs
        while self._link._receive(time.monotonic()) is not None:
            pass  # what was still on its way

    def _start_anew(self, trial: Trial) -> None:
        """After a reset: the processor where it waits for a request, whatever it did before."""
        sequence, boots = self._link.sequence, self._link.boots
        try:
            self._link.greet()
        except RigError as problem:
            raise RigError(f"after {trial} the reset button does not help: {problem}") from problem
        self._link.sequence, self._link.boots = sequence, boots

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Take whatever the board says meanwhile: one that never ends would stop all of QEMU."""
        ended, transport = threading.Event(), self._link.transport

        def listen() -> None:
            while not ended.is_set():
                transport.read(0.02)

        thread = threading.Thread(target=listen, name="listener")
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _permit(self) -> bool:
        return self._qemu.read_register(self._pin.address) & self._pin.mask != 0

    def _permit_stays(self) -> bool:
        deadline = time.monotonic() + PERMIT_GONE_S
        while self._permit():
            if time.monotonic() > deadline:
                return True
            time.sleep(0.01)
        return False


def _stimulus(twin: Twin, table: Table) -> tuple[list[Step], int]:
    """What happens after a flip, and how many steps of it begin in beam. Only the twin's model goes on."""
    model, beam = twin.pair.model, twin.healthy.beam
    assert isinstance(model, ModelController)
    trips = next(
        row.proof
        for row in table.interlocks.values()
        if row.stop == "interrupt" and row.latch == "local" and row.proof and "irradiation" in row.acts_in
    )
    steps: list[Step] = []

    def then(ticks: int, changes: tuple[Change, ...] = (), command: Command = Command.none) -> None:
        segment = Segment(ticks, changes, command)
        steps.append(Step(segment, model.run(segment)))

    # While the line of a gate moves, were it by a fraction of a count, no scan is passed over.
    gate = next(table.signal_index[row.gate] for row in table.interlocks.values() if row.gate)
    stands = twin.healthy.values[gate] * ONE
    then(50)
    then(BUSY_SCANS, (Change(gate, stands, 1),))
    then(50)
    then(BUSY_SCANS)
    at_rest = (*(Change(signal, model._v[signal]) for signal in beam), Change(gate, stands))
    signals = {table.signal_index[name]: table.counts(name, value) for name, value in trips.items()}
    then(20, (*at_rest, *(Change(signal, counts * ONE) for signal, counts in signals.items())))
    in_beam = len(steps)
    then(20)
    then(20, tuple(Change(signal, twin.healthy.values[signal] * ONE) for signal in signals))
    for command in (Command.resume, Command.beam_on):
        then(1, (), command)
        then(20)
    if not steps[in_beam - 2].expected.outputs.permit or model.outputs.state is not State.interrupted:
        raise RigError(
            f"with table {table.name!r} no beam is interrupted and stays so; use the reference table"
        )
    return steps, in_beam


def deepest_stack(elf: Path) -> int:
    """Bytes, as counted by ``memory_use.py`` when this was built."""
    found = re.search(r"stack +(\d+) bytes", elf.with_name("size.txt").read_text(encoding="utf-8"))
    if found is None:
        raise RigError(f"{elf.with_name('size.txt')}: no size of the stack; build the firmware anew")
    return int(found[1])


def _difference(expected: Advance, got: Advance) -> str:
    if expected.ticks != got.ticks:
        return f"{got.ticks} scans, the model {expected.ticks}"
    names = [n for n, a, b in zip(Outputs._fields, expected.outputs, got.outputs, strict=True) if a != b]
    return f"other {', '.join(names)}"
