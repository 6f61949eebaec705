"""The delivery sequencer: drives one beam's control points by the primary meterset.

The slowest of dose and axes sets the pace of every segment and the dose rate is modulated to it.
Axes follow the meterset: they move while dose flows and stand while it does not, so that each
control point is reached at its meterset however often the beam was held. A segment without dose
(step-and-shoot) is moved with the beam held.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import simpy

from firmware_model.contract import FRACTION_BITS
from sim.clock import US_PER_MIN, US_PER_MS, Clock, Ramp
from sim.linac.beam import BeamGenerator, slope_of_rate
from sim.linac.chambers import DoseMonitor
from sim.linac.collimation import Collimation
from sim.linac.lines import Lines
from sim.linac.motion import Axis
from sim.machine import Machine
from sim.plan.course import Beam, ControlPoint
from sim.plan.timing import segment_duration_us
from sim.record.trace import Trace

Steps = Generator[simpy.Event, Any, None]

#: Axes a control point positions; the couch moves only between beams.
BEAM_AXES = ("gantry", "collimator", "couch_rotation")


class Sequencer:
    """Carries the machine along the control points of the selected beam."""

    def __init__(
        self,
        env: Clock,
        machine: Machine,
        lines: Lines,
        trace: Trace,
        generator: BeamGenerator,
        dose: DoseMonitor,
        axes: dict[str, Axis],
        collimation: Collimation,
    ) -> None:
        self._env, self._machine, self._lines, self._trace = env, machine, lines, trace
        self._generator, self._dose = generator, dose
        self._axes, self._collimation = axes, collimation
        self.beam: Beam | None = None
        self.motion_permitted = True
        self.index = 0  # control point the present segment starts from
        self.passed: list[Callable[[int], None]] = []  # told the index of every control point reached
        self._changed = env.event()
        dose.listeners.append(self._wake)
        axes["gantry"].listeners.append(self._follow_gantry)
        lines.drive("sequence_hold", False)

    # ---- between beams -----------------------------------------------------------------------------

    def position(self, point: ControlPoint) -> Steps:
        """Move to a control point with the beam off, as fast as the axes allow.

        The set positions are those of the control point at once, so that a check asked for too early
        finds what is still on its way.
        """
        duration = self._move(point, 0)
        for axis, target in self._targets(point):
            axis.require(target)
        self._collimation.require(point.jaws)
        if duration:
            yield self._env.timeout(duration)
        self._arrive(point)

    def begin(self, beam: Beam, start: int) -> None:
        """Take over a selected beam, to be delivered from meterset ``start`` (mMU) on."""
        self.beam = beam
        points = beam.control_points
        self.index = max((i for i in range(len(points) - 1) if points[i].meterset < start), default=0)
        for axis, target in self._targets(points[self.index]):
            axis.rewrap(target)
        arc = any(p.gantry != points[0].gantry for p in points)
        moving = arc or any(p.collimator != points[0].collimator for p in points)
        self._lines.drive("arc_beam", arc)
        self._lines.drive("static_beam", not moving)
        self._lines.drive("dose_rate_max", self._generator.quality.max_dose_rate)
        self._follow_gantry()

    def set_motion(self, permitted: bool) -> None:
        """The controller's motion permit."""
        self.motion_permitted = permitted
        if not permitted:
            self._halt()

    # ---- a beam --------------------------------------------------------------------------------------

    def deliver(self) -> Steps:
        """All segments that are left. Ends at the preset, or never if the permit does not return."""
        try:
            yield from self._deliver()
        except simpy.Interrupt:
            return  # abandoned

    def _deliver(self) -> Steps:
        assert self.beam is not None
        points = self.beam.control_points
        while self.index < len(points) - 1:
            end = points[self.index + 1]
            if end.meterset == points[self.index].meterset:
                yield from self._move_held(end)
            else:
                yield from self._irradiate(end)
            self.index += 1
            self._pass_control_point(self.index)
        self._generator.demand(0)
        self._halt()

    def abandon(self, delivery: simpy.Process) -> None:
        """The beam is over before its preset; nothing of it goes on."""
        delivery.interrupt("the beam was ended")
        self._generator.demand(0)
        self._lines.drive("sequence_hold", False)
        self._halt()

    def _irradiate(self, end: ControlPoint) -> Steps:
        """One segment with dose, through any number of holds."""
        assert self.beam is not None
        goal = end.meterset << FRACTION_BITS
        slope = self._segment_slope(end)
        self._lines.drive(
            "dose_rate_set", round(slope * US_PER_MIN / US_PER_MS / 1000 / (1 << FRACTION_BITS))
        )
        self._generator.demand(slope)
        while True:
            now = self._env.now
            count = self._dose.primary.count
            if count.at(now) >= goal:
                break
            left = count.time_to(goal, now) if self._generator.on else None
            self._changed = self._env.event()
            if left is None:
                self._halt()
                yield self._changed
            else:
                self._move(end, left)
                self._follow_gantry()
                yield self._env.timeout(left) | self._changed
        self._arrive(end)

    def _segment_slope(self, end: ControlPoint) -> int:
        """Dose rate of a segment: its meterset in the time its slowest part takes."""
        assert self.beam is not None
        start = self.beam.control_points[self.index]
        duration = segment_duration_us(self._machine, self.beam, self.index)
        slope = ((end.meterset - start.meterset) << FRACTION_BITS) * US_PER_MS // duration
        return max(slope, slope_of_rate(self._machine.min_dose_rate))

    def _move_held(self, end: ControlPoint) -> Steps:
        """Step of a step-and-shoot beam: hold, move, release."""
        self._generator.demand(0)
        self._lines.drive("sequence_hold", True)
        duration = self._move(end, 0)
        while duration:
            self._changed = self._env.event()
            yield self._env.timeout(duration)
            duration = 0 if self.motion_permitted else 100 * US_PER_MS
            if duration == 0:
                duration = self._move(end, 0)
        self._arrive(end)
        self._lines.drive("sequence_hold", False)

    # ---- axes ------------------------------------------------------------------------------------------

    def _targets(self, point: ControlPoint) -> tuple[tuple[Axis, int], ...]:
        return (
            (self._axes["gantry"], point.gantry),
            (self._axes["collimator"], point.collimator),
            (self._axes["couch_rotation"], point.couch_rotation),
        )

    def _move(self, point: ControlPoint, duration_us: int) -> int:
        """Start moving everything; at full speed when no duration is given. Returns the duration."""
        if not self.motion_permitted:
            return duration_us or 100 * US_PER_MS
        targets = self._targets(point)
        if not duration_us:
            duration_us = max(
                self._collimation.travel_time_us(point.jaws, point.leaves),
                *(axis.travel_time_us(target) for axis, target in targets),
            )
            if not duration_us:
                return 0
        for axis, target in targets:
            axis.move(target, duration_us)
        self._collimation.move(point.jaws, point.leaves, duration_us)
        return duration_us

    def _arrive(self, point: ControlPoint) -> None:
        for axis, target in self._targets(point):
            axis.arrive(target)
        self._collimation.arrive(point.jaws, point.leaves)

    def _halt(self) -> None:
        for name in BEAM_AXES:
            self._axes[name].halt()
        self._collimation.halt()

    def _wake(self) -> None:
        if not self._changed.triggered:
            self._changed.succeed()

    def _pass_control_point(self, index: int) -> None:
        assert self.beam is not None
        self._trace.event(
            self._env.now,
            "control_point",
            target=self.beam.target,
            beam=self.beam.number,
            index=index,
            meterset_mu=self.beam.control_points[index].meterset / 1000,
        )
        for listener in tuple(self.passed):
            listener(index)

    def _follow_gantry(self) -> None:
        """Planned meterset at the angle the gantry really has; an independent lookup in the plan."""
        if self.beam is None:
            return
        now = self._env.now
        points = self.beam.control_points
        index = min(self.index, len(points) - 2)
        start, end = points[index], points[index + 1]
        truth = self._axes["gantry"].truth
        turn = end.gantry - start.gantry
        if turn == 0:  # the gantry stands in this segment: its angle says nothing about the meterset
            self._lines.ramp("dose_planned_at_gantry", self._dose.primary.count.since(now))
            return
        gain = end.meterset - start.meterset
        value = (start.meterset << FRACTION_BITS) + (
            truth.at(now) - (start.gantry << FRACTION_BITS)
        ) * gain // turn
        self._lines.ramp("dose_planned_at_gantry", Ramp(max(0, value), truth.slope * gain // turn, now))
