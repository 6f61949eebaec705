"""One simulated session put together: clock, trace, linac, clinic and the conductor."""

from __future__ import annotations

from dataclasses import dataclass

from firmware_model.contract import Controller
from firmware_model.table import Table
from sim.clinic.gating import Gate
from sim.clinic.imaging import Imaging
from sim.clinic.motion import STILL, Motion
from sim.clinic.motion_schema import BreathHold
from sim.clinic.operator import Operator
from sim.clinic.patient import Patient
from sim.clinic.policy import Policy
from sim.clinic.record_verify import Orders, RecordVerify
from sim.clinic.target_truth import TargetTruth
from sim.clock import Clock
from sim.conductor import Conductor
from sim.linac.linac import Linac
from sim.machine import Machine
from sim.plan.course import Course
from sim.record.outputs import OutputRecorder
from sim.record.trace import Trace


@dataclass(frozen=True, slots=True)
class World:
    """Everything a fault, a timeline step or an expectation may look at."""

    clock: Clock
    trace: Trace
    table: Table
    course: Course
    linac: Linac
    patient: Patient
    truth: TargetTruth
    imaging: Imaging
    gate: Gate
    records: RecordVerify
    conductor: Conductor
    operator: Operator
    seed: str  # of every random draw of this run

    @property
    def delivered_at_beam_end(self) -> list[float]:
        """True dose of every beam when it was recorded, MU."""
        return self.operator.delivered_at_beam_end

    @property
    def counter_resets(self) -> set[int]:
        """Instants at which the counters were set for another beam."""
        return self.linac.dose.begun_at


def build_world(
    course: Course,
    machine: Machine,
    table: Table,
    controller: Controller,
    orders: Orders,
    policy: Policy,
    seed: str,
    motion: Motion = STILL,
) -> World:
    """Wire everything up. Raises ValueError when the table's scan period is no whole number of ms."""
    if table.scan_period % 1000:
        raise ValueError(
            f"scan period {table.scan_period} us: the plant needs a whole number of milliseconds"
        )
    clock, trace = Clock(), Trace()
    linac = Linac(clock, machine, table, trace, seed)
    breathing, gating = motion.breathing_form(seed), motion.gating
    patient = Patient(clock, breathing, motion.surrogate, seed)
    ungated = breathing is not None and gating is None
    truth = TargetTruth(clock, linac, patient, trace, breathing.mean if breathing and ungated else None)
    imaging = Imaging(clock, linac, truth, trace, seed)
    gate = Gate(clock, linac.lines, linac.nodes, patient, gating, breathing)
    records = RecordVerify(
        course,
        machine,
        orders,
        linac.lines,
        gated=gating is not None,
        in_free_breathing=gating is not None and not isinstance(gating, BreathHold),
    )
    conductor = Conductor(clock, linac.lines, controller, table.scan_period)
    conductor.listeners.append(OutputRecorder(clock, table, trace))
    conductor.listeners.append(lambda before, after: linac.apply(after))
    operator = Operator(
        clock, conductor, linac, imaging, gate, patient, motion, records, table, trace, policy, seed
    )
    return World(
        clock, trace, table, course, linac, patient, truth, imaging, gate, records, conductor, operator, seed
    )
