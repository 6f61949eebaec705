"""The person at the console: carries a session through, target by target.

Every act takes human time, drawn from the run's seed. The diligent default does what a procedure
asks for: find the cause, clear it at its place, reset in the right order, resume with the same
parameters. A scenario chooses other policies and injects mistakes.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from firmware_model.states import Command, State
from firmware_model.table import Table
from sim.clinic.beam_delivery import BeamDelivery
from sim.clinic.causes import Causes
from sim.clinic.coaching import Coach
from sim.clinic.console import Console, SessionAbandoned, Steps, TargetRefused
from sim.clinic.gating import Gate
from sim.clinic.imaging import Imaging
from sim.clinic.motion import Motion
from sim.clinic.motion_schema import BreathHold
from sim.clinic.patient import Patient
from sim.clinic.policy import MAX_CONTINUATIONS, Policy
from sim.clinic.record_verify import RecordVerify
from sim.clinic.reimaging import Imager
from sim.clock import US_PER_S, Clock
from sim.conductor import Conductor
from sim.linac.linac import Linac
from sim.plan.course import Beam, Point, Target
from sim.record.trace import Trace

#: Set-up and change-over times, seconds (published single-fraction sessions: 24 min in all).
SETUP_S = (300, 600)
CHANGE_TARGET_S = (60, 180)


class Operator:
    """Runs the session as a SimPy process."""

    def __init__(
        self,
        env: Clock,
        conductor: Conductor,
        linac: Linac,
        imaging: Imaging,
        gate: Gate,
        patient: Patient,
        motion: Motion,
        records: RecordVerify,
        table: Table,
        trace: Trace,
        policy: Policy,
        seed: str,
    ) -> None:
        self._env, self._linac, self._imaging, self._records = env, linac, imaging, records
        self._table, self._trace = table, trace
        self._console = Console(env, conductor, table, trace, Random(f"{seed}/operator"))
        self._causes = Causes(self._console, linac, table, policy.resets_physics)
        self._imager = Imager(self._console, imaging, gate, table, policy.reimaging)
        coach = None
        if isinstance(motion.gating, BreathHold):
            coach = Coach(self._console, patient, motion.gating, seed)
        self._delivery = BeamDelivery(
            self._console, self._causes, conductor, linac, self._imager, coach, records, table, policy
        )
        self._patient, self._drift = patient, motion.drift
        self.target: Target | None = None
        self.skips_output_check = False  # fault

    @property
    def delivery(self) -> BeamDelivery:
        """How this person carries a beam through, with the mistakes made on the way."""
        return self._delivery

    def press(self, command: Command) -> Steps:
        """Somebody presses a button now, whatever the procedure says."""
        yield from self._console.press(command)

    @property
    def beam(self) -> Beam | None:
        """The beam selected now."""
        return self._delivery.beam

    @property
    def delivered_at_beam_end(self) -> list[float]:
        """True dose of every beam when it was recorded, MU."""
        return self._delivery.delivered_at_end

    def session(self, targets: Iterable[Target]) -> Steps:
        """Treat the targets one after the other; always ends with the machine in a resting state."""
        self._trace.event(self._env.now, "session", phase="start")
        try:
            yield from self._switch_on()
            first = True
            for target in targets:
                try:
                    yield from self._treat(target, SETUP_S if first else CHANGE_TARGET_S)
                except TargetRefused as refused:
                    self._console.act(f"leave {target.id}: {refused}")
                    self.target = None
                first = False
            yield from self._console.send(Command.stand_by)
        except SessionAbandoned as given_up:
            self._trace.event(self._env.now, "operator", act="abandon", detail=str(given_up))
        self._trace.event(self._env.now, "session", phase="end")

    def _switch_on(self) -> Steps:
        console = self._console
        self._linac.lines.drive("key_switch", True)
        self._linac.lines.drive("console_table_digest", self._table.token)
        yield from console.send(Command.power_on)
        yield from console.until(lambda o: o.state not in (State.off, State.self_test), 30 * US_PER_S)
        if console.state is not State.standby:
            raise SessionAbandoned(f"the machine is {console.state.name} after its self test")
        if not self.skips_output_check:
            deviation = self._linac.dose.output_deviation()
            self._linac.lines.drive("daily_output", deviation)
            console.act(f"daily output check, {deviation / 10:+.1f} %")

    def _treat(self, target: Target, setup_s: tuple[int, int]) -> Steps:
        self.target = target
        fraction = self._records.fraction(target)
        self._trace.event(self._env.now, "target", target=target.id, phase="start", fraction=fraction)
        if self._console.state is State.standby:
            yield from self._console.send(Command.prepare)
        isocentre: Point | None = None
        for beam in target.beams:
            if beam.isocentre != isocentre:
                isocentre = beam.isocentre
                yield from self._set_up(target, isocentre, setup_s)
            for _ in range(1 + MAX_CONTINUATIONS):
                if self._records.delivered(target, beam) < beam.meterset:
                    yield from self._imager.before_beam(target)
                    yield from self._delivery.deliver(target, beam)
            if self._records.delivered(target, beam) < beam.meterset:
                raise SessionAbandoned(
                    f"beam {beam.number} of {target.id} ended {MAX_CONTINUATIONS + 1} times early"
                )
        self._trace.event(self._env.now, "target", target=target.id, phase="end", fraction=fraction)
        self.target = None

    def _set_up(self, target: Target, isocentre: Point, setup_s: tuple[int, int]) -> Steps:
        self._records.confirm(target)
        yield self._console.after(setup_s)
        yield from self._imaging.set_up(target, isocentre)
        if self._linac.room.door_open:
            yield from self._causes.close_room()
        if self._drift is not None:
            self._patient.slide(self._drift)
            self._drift = None  # one drift for the whole session
        yield from self._imager.first(target)
