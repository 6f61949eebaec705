"""The person at the console: carries a session through, and reacts when the machine stops.

Every act takes human time, drawn from the run's seed. The diligent default does what a procedure
asks for: find the cause, clear it at its place, reset in the right order, resume with the same
parameters. A scenario chooses other policies and injects mistakes.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

import simpy

from firmware_model.contract import Outputs, Reply
from firmware_model.states import Command, State
from firmware_model.table import Table
from sim.clinic.gating import Gate
from sim.clinic.imaging import Imaging
from sim.clinic.record_verify import Delivery, RecordVerify
from sim.clock import US_PER_MIN, US_PER_MS, US_PER_S, Clock
from sim.conductor import Conductor
from sim.linac.linac import Linac
from sim.plan.course import Beam, Target
from sim.record.trace import Trace

Steps = Generator[simpy.Event, Any, Any]
IN_BEAM = frozenset({State.ready, State.irradiation, State.hold, State.interrupted})

#: Set-up and change-over times, seconds (published single-fraction sessions: 24 min in all).
SETUP_S = (300, 600)
CHANGE_TARGET_S = (60, 180)
#: Reacting to an alarm at the console, pressing the next button, walking to or from the room (s).
NOTICE_S = (2, 6)
PRESS_S = (1, 3)
WALK_S = (15, 30)
#: How long the operator waits for a cause to go away before giving the beam up.
PATIENCE_US = 10 * US_PER_MIN

#: The console follows the controller after this time; until then the plant runs out on its own.
CONSOLE_US = 20 * US_PER_MS
#: A beam that keeps ending early is not tried for ever (engineering default).
MAX_CONTINUATIONS = 3


@dataclass(frozen=True, slots=True)
class Policy:
    """What this operator does when a beam stops."""

    after_interrupt: Literal["resume", "terminate", "wait"] = "resume"
    after_terminate: Literal["leave", "continue"] = "leave"
    resets_physics: bool = False
    gate_period_us: int | None = None
    gate_duty_percent: int = 40


class SessionAbandoned(Exception):
    """The operator gives the session up; what was delivered is recorded."""


class Operator:
    """Runs the session as a SimPy process."""

    def __init__(
        self,
        env: Clock,
        conductor: Conductor,
        linac: Linac,
        imaging: Imaging,
        gate: Gate,
        records: RecordVerify,
        table: Table,
        trace: Trace,
        policy: Policy,
        seed: str,
    ) -> None:
        self._env, self._conductor, self._linac = env, conductor, linac
        self._imaging, self._gate, self._records = imaging, gate, records
        self._table, self._trace, self._policy = table, trace, policy
        self._random = Random(f"{seed}/operator")
        self._outputs_changed = env.event()
        conductor.listeners.append(self._notice)
        self.target: Target | None = None
        self.beam: Beam | None = None
        self.beam_changed: list[Callable[[], None]] = []
        self.delivered_at_beam_end: list[float] = []  # plant's truth, MU

    # ---- the session ---------------------------------------------------------------------------------

    def session(self, targets: Iterable[Target]) -> Steps:
        """Treat the targets one after the other; always ends with the machine in a resting state."""
        self._trace.event(self._env.now, "session", phase="start")
        try:
            yield from self._switch_on()
            first = True
            for target in targets:
                yield from self._treat(target, SETUP_S if first else CHANGE_TARGET_S)
                first = False
            yield from self._send(Command.stand_by)
        except SessionAbandoned as given_up:
            self._trace.event(self._env.now, "operator", act="abandon", detail=str(given_up))
        self._trace.event(self._env.now, "session", phase="end")

    def _switch_on(self) -> Steps:
        self._linac.lines.drive("key_switch", True)
        self._linac.lines.drive("console_table_digest", self._table.token)
        yield from self._send(Command.power_on)
        yield from self._until(lambda o: o.state not in (State.off, State.self_test), 30 * US_PER_S)
        if self._state is not State.standby:
            raise SessionAbandoned(f"the machine is {self._state.name} after its self test")

    def _treat(self, target: Target, setup_s: tuple[int, int]) -> Steps:
        self.target = target
        fraction = self._records.fraction
        self._trace.event(self._env.now, "target", target=target.id, phase="start", fraction=fraction)
        if self._state is State.standby:
            yield from self._send(Command.prepare)
        isocentre: tuple[int, int, int] | None = None
        for beam in target.beams:
            if beam.isocentre != isocentre:
                isocentre = beam.isocentre
                yield from self._set_up(target, isocentre, setup_s)
            for _ in range(1 + MAX_CONTINUATIONS):
                if self._records.delivered(target, beam) < beam.meterset:
                    yield from self._deliver(target, beam)
            if self._records.delivered(target, beam) < beam.meterset:
                raise SessionAbandoned(
                    f"beam {beam.number} of {target.id} ended {MAX_CONTINUATIONS + 1} times early"
                )
        self._trace.event(self._env.now, "target", target=target.id, phase="end", fraction=fraction)
        self.target = None

    def _set_up(self, target: Target, isocentre: tuple[int, int, int], setup_s: tuple[int, int]) -> Steps:
        self._records.confirm(target)
        yield self._after(setup_s)
        yield from self._imaging.set_up(target, isocentre)
        if self._linac.room.door_open:
            yield from self._close_room()
        yield from self._imaging.image(target)
        yield from self._imaging.apply_shift(target)

    def _close_room(self) -> Steps:
        self._act("search the room")
        self._linac.room.press_last_person_out()
        yield self._after((5, 12))
        self._linac.room.close_door()
        self._act("close the door")
        yield self._after(NOTICE_S)

    # ---- one beam --------------------------------------------------------------------------------------

    def _deliver(self, target: Target, beam: Beam) -> Steps:
        """Select, check and irradiate; records what was delivered, however it ended."""
        linac, records = self._linac, self._records
        quality = linac.machine.beam_quality(beam.energy_mv, beam.fluence_mode)
        assert quality is not None, "plans are checked against the machine before a session"
        start = records.select(target, beam)
        linac.generator.select(quality)
        linac.dose.begin(start)
        linac.sequencer.begin(beam, start)
        first = beam.at(start)
        yield self._env.process(linac.beam_line.select(quality)) & self._env.process(
            linac.sequencer.position(first)
        )
        self._set_beam(beam)
        self._trace.event(
            self._env.now,
            "beam_start",
            target=target.id,
            beam=beam.number,
            name=beam.name,
            meterset_mu=beam.meterset / 1000,
            start_mu=start / 1000,
        )
        yield from self._check()
        delivery = self._env.process(linac.sequencer.deliver())
        if self._policy.gate_period_us:
            self._gate.start(self._policy.gate_period_us, self._policy.gate_duty_percent)
        yield from self._press_beam_on()
        cause = yield from self._watch()
        self._gate.stop()
        yield self._env.timeout(CONSOLE_US)
        if delivery.is_alive:
            linac.sequencer.abandon(delivery)
        self._record(target, beam, start, cause)
        self._set_beam(None)
        if cause != "normal":
            yield from self._after_termination(cause)

    def _check(self) -> Steps:
        """Have the controller prove its lines; retry once the cause of a refusal is gone."""
        deadline = self._env.now + PATIENCE_US
        while True:
            started = self._env.now
            reply = yield from self._send(Command.begin_check)
            if reply.accepted:
                yield from self._until(lambda o: o.state is not State.check, 60 * US_PER_S)
                passed = self._state is State.ready
                self._trace.event(
                    self._env.now,
                    "proof_test",
                    passed=passed,
                    duration_ms=(self._env.now - started) / 1000,
                    lines=sum(row.proof is not None for row in self._table.interlocks.values()),
                    failed=None if passed else self._name(self._conductor.outputs.first_up),
                )
                if passed:
                    return
            if not (yield from self._clear_causes(deadline)):
                raise SessionAbandoned(f"check refused: {self._standing()}")

    def _press_beam_on(self) -> Steps:
        yield self._after(PRESS_S)
        while self._state is State.ready:
            reply = yield from self._send(Command.beam_on)
            if not reply.accepted:
                yield self._after(PRESS_S)

    def _watch(self) -> Steps:
        """Until the beam is over: normal end, or what ended it."""
        while True:
            yield from self._until(lambda o: o.state not in (State.irradiation, State.hold), None)
            state = self._state
            if state is State.preparatory:
                return "normal"
            if state is State.interrupted:
                yield from self._after_interruption()
            elif state is State.ready:
                yield from self._press_beam_on()
            elif state is State.off:
                return "power"
            else:
                return "interlock" if self._conductor.outputs.first_up >= 0 else "operator"

    def _after_interruption(self) -> Steps:
        yield self._after(NOTICE_S)
        self._act(f"look into {self._standing()}")
        if self._policy.after_interrupt == "wait":
            yield from self._until(lambda o: o.state is not State.interrupted, None)
            return
        if self._policy.after_interrupt == "terminate":
            yield from self._send(Command.terminate)
            return
        deadline = self._env.now + PATIENCE_US
        while self._state is State.interrupted:
            if not (yield from self._clear_causes(deadline)):
                yield from self._send(Command.terminate)
                return
            if self._state is State.interrupted:
                yield from self._send(Command.resume)

    def _after_termination(self, cause: str) -> Steps:
        """Bring the machine back to rest; go on with the remainder only if the policy says so."""
        yield self._after(NOTICE_S)
        if self._state is State.off:
            yield from self._until(lambda o: True, 5 * US_PER_S)
            yield from self._send(Command.power_on)
            yield from self._until(lambda o: o.state not in (State.off, State.self_test), 30 * US_PER_S)
        cleared = yield from self._clear_causes(self._env.now + PATIENCE_US)
        if cleared and self._state is State.emergency:
            yield from self._send(Command.restart)
            yield from self._until(lambda o: o.state is not State.self_test, 30 * US_PER_S)
            cleared = yield from self._clear_causes(self._env.now + PATIENCE_US)
        if cleared and self._state is State.terminated:
            cleared = (yield from self._send(Command.acknowledge)).accepted
        if cleared and self._state is State.standby:
            yield from self._send(Command.prepare)
        if not cleared:
            raise SessionAbandoned(f"{self._standing()} not cleared")
        if self._policy.after_terminate == "leave":
            raise SessionAbandoned(f"beam terminated ({cause}); the remainder needs a new decision")

    # ---- causes and resets -------------------------------------------------------------------------------

    def _clear_causes(self, deadline: int) -> Steps:
        """Go through causes and latches in the right order. False when something stays."""
        while self._env.now < deadline:
            outputs = self._conductor.outputs
            room = self._linac.room
            if room.emergency_pressed:
                yield self._after(WALK_S)
                self._act("release the emergency stop")
                room.reset_emergency_stop()
            elif room.door_open or not self._linac.lines.seen("last_person_out"):
                yield self._after(WALK_S)
                room.open_door()
                yield from self._close_room()
            elif outputs.local_reset_due:
                yield self._after(WALK_S)
                yield from self._send(Command.reset_local)
                yield self._after(WALK_S)
            elif self._live_causes(outputs):
                yield from self._until(
                    lambda o: not self._live_causes(o), min(30 * US_PER_S, deadline - self._env.now)
                )
            elif outputs.latched:
                reply = yield from self._send(Command.reset_operator)
                if not reply.accepted:
                    if not self._policy.resets_physics:
                        return False
                    yield self._after((300, 600))
                    reply = yield from self._send(Command.reset_physics)
                    if not reply.accepted:
                        return False
            else:
                return True
        return False

    def _live_causes(self, outputs: Outputs) -> int:
        """Tripped rows whose cause has to go away; the controller's own findings end with their reset."""
        mask = outputs.tripped
        for index, row in enumerate(self._table.interlocks.values()):
            if row.stop in ("hold", "complete") or row.trips_when.kind == "flag":
                mask &= ~(1 << index)
        return mask

    def _standing(self) -> str:
        """What stands in the way now, by name."""
        outputs = self._conductor.outputs
        mask = outputs.latched | self._live_causes(outputs)
        names = [name for i, name in enumerate(self._table.interlock_ids) if mask >> i & 1]
        if names:
            return ", ".join(names)
        return self._name(outputs.reply.blocked_by) or self._name(outputs.first_up) or "operator stop"

    def _name(self, index: int) -> str | None:
        return self._table.interlock_ids[index] if index >= 0 else None

    # ---- small acts --------------------------------------------------------------------------------------

    @property
    def _state(self) -> State:
        return self._conductor.outputs.state

    def _send(self, command: Command) -> Steps:
        """Press a button; the console shows the controller's answer."""
        yield self._after(PRESS_S)
        reply: Reply = yield self._conductor.command(command)
        self._trace.event(
            self._env.now,
            "command",
            command=command.name,
            accepted=reply.accepted,
            reason=self._name(reply.blocked_by) if not reply.accepted else None,
        )
        yield self._env.timeout(2 * self._conductor.scan_us)  # the screen follows the controller
        return reply

    def _after(self, seconds: tuple[int, int]) -> simpy.Event:
        """Human time, uniform between two bounds in seconds."""
        return self._env.timeout(self._random.randint(seconds[0] * 1000, seconds[1] * 1000) * 1000)

    def _until(self, condition: Callable[[Outputs], bool], limit_us: int | None) -> Steps:
        """Wait for the controller's outputs to satisfy a condition, at most ``limit_us``."""
        deadline = None if limit_us is None else self._env.timeout(limit_us)
        while not condition(self._conductor.outputs):
            if deadline is not None and deadline.processed:
                return
            changed = self._outputs_changed
            yield changed if deadline is None else changed | deadline

    def _notice(self, before: Outputs, after: Outputs) -> None:
        event, self._outputs_changed = self._outputs_changed, self._env.event()
        event.succeed()

    def _act(self, act: str) -> None:
        self._trace.event(self._env.now, "operator", act=act, detail="")

    def _set_beam(self, beam: Beam | None) -> None:
        self.beam = beam
        for listener in tuple(self.beam_changed):
            listener()

    def _record(self, target: Target, beam: Beam, start: int, cause: str) -> None:
        """Hand the counters' last readings to record and verify."""
        now = self._env.now
        primary = self._linac.dose.primary.count.counts(now)
        if cause == "power":  # the counters died with the power; the controller remembers
            primary = self._conductor.controller.retained.meterset
        end = min(max(primary, start), beam.meterset)
        first_up = self._name(self._conductor.outputs.first_up)
        self.delivered_at_beam_end.append(self._linac.dose.delivered.counts(now) / 1000)
        self._records.record(
            Delivery(
                target.id,
                self._records.fraction,
                beam.number,
                start,
                end,
                cause,
                self._linac.dose.secondary.count.counts(now),
                first_up,
            )
        )
        self._trace.event(
            now,
            "beam_end",
            target=target.id,
            beam=beam.number,
            delivered_mu=end / 1000,
            planned_mu=beam.meterset / 1000,
            cause=cause,
        )
