"""One beam: select, check, irradiate, react when it stops, and record what was delivered."""

from __future__ import annotations

from firmware_model.contract import Outputs, ResetCause
from firmware_model.states import Command, State
from firmware_model.table import Table
from sim.clinic.causes import Causes
from sim.clinic.coaching import Coach
from sim.clinic.console import NOTICE_S, PRESS_S, Console, SessionAbandoned, Steps, TargetRefused
from sim.clinic.policy import MAX_MOTION_STOPS, PATIENCE_US, Policy
from sim.clinic.record_verify import Delivery, RecordVerify
from sim.clinic.reimaging import Imager
from sim.clock import US_PER_MS, US_PER_S
from sim.conductor import Conductor
from sim.linac.linac import Linac
from sim.machine import BeamQuality
from sim.plan.course import Beam, Target

#: The console follows the controller after this time; until then the plant runs out on its own.
CONSOLE_US = 20 * US_PER_MS

#: The button that goes on from where the machine stopped.
PROCEED = {
    State.interrupted: Command.resume,
    State.terminated: Command.acknowledge,
    State.emergency: Command.restart,
    State.ready: Command.beam_on,
}


class BeamDelivery:
    """Carries one beam after the other through the machine."""

    def __init__(
        self,
        console: Console,
        causes: Causes,
        conductor: Conductor,
        linac: Linac,
        imager: Imager,
        coach: Coach | None,
        records: RecordVerify,
        table: Table,
        policy: Policy,
    ) -> None:
        self._console, self._causes, self._conductor = console, causes, conductor
        self._linac, self._imager, self._coach = linac, imager, coach
        self._records = records
        self._table, self._policy = table, policy
        self._env, self._trace = console.env, console.trace
        self._line = -1  # index of the interlock exercised last by the proof test
        self._left = State.off  # the state before the present one
        conductor.listeners.append(self._note)
        linac.sequencer.passed.append(self._passed)
        self.beam: Beam | None = None
        self._motion_stops = 0  # of this delivery
        self.delivered_at_end: list[float] = []  # plant's truth, MU
        # Mistakes (see sim.faults.mistakes)
        self.first_selects: tuple[BeamQuality, int] | None = None  # noticed after so many microseconds
        self.hurries = False  # asks for the check before the machine has settled
        self.proceeds = 0  # how often "proceed" is pressed after a stop before anyone looks

    def deliver(self, target: Target, beam: Beam) -> Steps:
        """Select, check and irradiate; records what was delivered, however it ended."""
        linac, records = self._linac, self._records
        quality = linac.machine.beam_quality(beam.energy_mv, beam.fluence_mode)
        assert quality is not None, "plans are checked against the machine before a session"
        start = records.select(target, beam)
        linac.generator.select(quality)
        # Counters only fall when a beam is selected; those of a remainder are loaded in the check, as
        # anything that counts up outside it is stray dose to the controller.
        linac.dose.begin(min(start, linac.dose.primary.count.counts(self._env.now)))
        linac.sequencer.begin(beam, start)
        first = beam.at(start)
        self.beam, self._motion_stops = beam, 0
        self._trace.event(self._env.now, "select", target=target.id, beam=beam.number)
        positioned = self._env.process(linac.sequencer.position(first))
        if self.first_selects is not None:
            yield from self._select_wrongly(*self.first_selects)
        settled = self._env.process(linac.beam_line.select(quality))
        if not self.hurries:
            yield settled & positioned
        self._trace.event(
            self._env.now,
            "beam_start",
            target=target.id,
            beam=beam.number,
            name=beam.name,
            meterset_mu=beam.meterset / 1000,
            start_mu=start / 1000,
        )
        yield from self._check(target, start)
        records.begin(target, beam, start)
        delivery = self._env.process(linac.sequencer.deliver())
        yield from self._press_beam_on()
        guidance = self._env.process(self._coach.guide()) if self._coach is not None else None
        cause = yield from self._watch(target)
        if guidance is not None:
            guidance.interrupt("the beam is over")
        yield self._env.timeout(CONSOLE_US)
        if delivery.is_alive:
            linac.sequencer.abandon(delivery)
        end = self._record(target, beam, start, cause)
        self.beam = None
        stood_down = self._console.state is State.preparatory and end == start
        if cause != "normal" and not stood_down:
            yield from self._after_termination(cause)

    def _select_wrongly(self, wrong: BeamQuality, noticed_after_us: int) -> Steps:
        """Another beam quality is selected first; the mistake is seen while the machine settles."""
        self._console.act(f"select {wrong.energy_mv} MV {wrong.fluence_mode}")
        self._env.process(self._linac.beam_line.select(wrong))
        yield self._env.timeout(noticed_after_us)
        self._console.act("edit the beam quality")

    def _check(self, target: Target, start: int) -> Steps:
        """Have the controller prove its lines; retry once the cause of a refusal is gone."""
        console = self._console
        deadline = self._env.now + PATIENCE_US
        while True:
            started = self._env.now
            reply = yield from console.send(Command.begin_check)
            if reply.accepted:
                if self._linac.dose.primary.count.counts(self._env.now) < start:
                    self._linac.dose.begin(start)
                yield from console.until(lambda o: o.state is not State.check, 60 * US_PER_S)
                passed = console.state is State.ready
                self._trace.event(
                    self._env.now,
                    "proof_test",
                    passed=passed,
                    duration_ms=(self._env.now - started) / 1000,
                    lines=sum(row.proof is not None for row in self._table.interlocks.values()),
                    failed=None if passed else self._unproven(),
                )
                if passed:
                    return
            blocking = console.name(reply.blocked_by)
            if blocking is not None and self._asks_the_ledger(blocking):
                raise TargetRefused(self._records.refusal(target) or blocking)
            if not (yield from self._causes.clear(deadline)):
                raise SessionAbandoned(f"check refused: {self._causes.standing()}")

    def _passed(self, control_point: int) -> None:
        if self.beam is not None:
            self._records.passed(self.beam, control_point)

    def _asks_the_ledger(self, interlock: str) -> bool:
        """Whether the row judges what the ledger says: nothing at the machine changes that."""
        return bool(
            {"fraction_cleared", "cross_dose_change"} & set(self._table.interlocks[interlock].signals)
        )

    def _unproven(self) -> str | None:
        """What ended a proof test: an interlock that tripped, or else the line that did not answer."""
        return self._console.name(self._console.outputs.first_up) or self._console.name(self._line)

    def _note(self, before: Outputs, after: Outputs) -> None:
        if after.state is not before.state:
            self._left = before.state
        if after.test_line:
            self._line = after.test_line - 1

    def _press_beam_on(self) -> Steps:
        console = self._console
        yield console.after(PRESS_S)
        while console.state is State.ready:
            reply = yield from console.send(Command.beam_on)
            if not reply.accepted:
                yield console.after(PRESS_S)

    def _watch(self, target: Target) -> Steps:
        """Until the beam is over: normal end, or what ended it."""
        console = self._console
        while True:
            yield from console.until(lambda o: o.state not in (State.irradiation, State.hold), None)
            state = console.state
            if state is State.preparatory:
                # From a beam only the preset leads there; a ready one was stood down.
                return "normal" if self._left in (State.irradiation, State.hold) else "operator"
            if self.proceeds:
                yield from self._proceed(self.proceeds)
                state = console.state
            if state is State.interrupted:
                yield from self._after_interruption(target)
            elif state is State.ready:
                yield from self._press_beam_on()
            elif state is State.off:
                return "power"
            else:
                return "interlock" if console.outputs.first_up >= 0 else "operator"

    def _proceed(self, times: int) -> Steps:
        """Press on without asking why the beam stopped."""
        for _ in range(times):
            command = PROCEED.get(self._console.state)
            if command is not None:
                yield from self._console.send(command)

    def _after_interruption(self, target: Target) -> Steps:
        console, since, imaged = self._console, self._env.now, False
        yield console.after(NOTICE_S)
        console.act(f"look into {self._causes.standing()}")
        if self._policy.after_interrupt == "wait":
            yield from console.until(lambda o: o.state is not State.interrupted, None)
            return
        if self._policy.after_interrupt == "terminate":
            yield from console.send(Command.terminate)
            return
        self._motion_stops += self._imager.caused_by_motion()
        if self._motion_stops > MAX_MOTION_STOPS:
            console.act(f"give the beam up: stopped {self._motion_stops} times by patient motion")
            yield from console.send(Command.terminate)
            return
        deadline = self._env.now + PATIENCE_US
        while console.state is State.interrupted:
            if not imaged and self._imager.wants_image(self._env.now - since):
                imaged = True
                yield from self._causes.secure_room()
                yield from self._imager.in_interruption(target)
            cleared = not self._imager.shift_is_due and (yield from self._causes.clear(deadline))
            if not cleared:
                yield from console.send(Command.terminate)
                return
            if not imaged and self._imager.wants_image(self._env.now - since):
                continue
            if console.state is State.interrupted:
                yield from console.send(Command.resume)

    def _after_termination(self, cause: str) -> Steps:
        """Bring the machine back to rest; go on with the remainder only if the policy says so."""
        console, causes = self._console, self._causes
        yield console.after(NOTICE_S)
        if self._policy.after_terminate == "wait":
            yield from console.until(lambda o: o.state is State.preparatory and not o.latched, None)
            raise SessionAbandoned(f"beam terminated ({cause}); the remainder is left")
        if console.state is State.off:
            yield from console.until(lambda o: True, 5 * US_PER_S)
            yield from console.send(Command.power_on)
            yield from console.until(lambda o: o.state not in (State.off, State.self_test), 30 * US_PER_S)
        cleared = yield from causes.clear(self._env.now + PATIENCE_US)
        if cleared and console.state is State.emergency:
            yield from console.send(Command.restart)
            yield from console.until(lambda o: o.state is not State.self_test, 30 * US_PER_S)
            cleared = yield from causes.clear(self._env.now + PATIENCE_US)
        if cleared and console.state is State.terminated:
            cleared = (yield from console.send(Command.acknowledge)).accepted
        if cleared and console.state is State.standby:
            yield from console.send(Command.prepare)
        if not cleared:
            raise SessionAbandoned(f"{causes.standing()} not cleared")
        if self._policy.after_terminate == "leave" and not self._imager.shift_is_due:
            raise SessionAbandoned(f"beam terminated ({cause}); the remainder needs a new decision")

    def _record(self, target: Target, beam: Beam, start: int, cause: str) -> int:
        """Hand the counters' last readings to record and verify; returns the meterset reached, mMU."""
        now = self._env.now
        primary = self._linac.dose.primary.count.counts(now)
        retained = self._conductor.controller.retained
        if cause == "power" and retained.reset_cause is ResetCause.power:
            # The counters died with the power; the controller remembers. After a hang they are alive
            # and know more: what came between its last scan and the watchdog.
            primary = retained.meterset
        # A control point passed since the controller's last scan is known to have been reached.
        end = min(max(primary, start, self._records.certain), beam.meterset)
        self.delivered_at_end.append(self._linac.dose.delivered.counts(now) / 1000)
        self._records.record(
            Delivery(
                target.id,
                self._records.fraction(target),
                beam.number,
                start,
                end,
                cause,
                self._linac.dose.secondary.count.counts(now),
                self._console.name(self._console.outputs.first_up),
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
        return end
