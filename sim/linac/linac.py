"""The whole machine: its parts, wired together, obeying the controller's outputs."""

from __future__ import annotations

from collections.abc import Generator
from random import Random
from typing import Any

import simpy

from firmware_model.contract import Outputs
from firmware_model.states import State
from firmware_model.table import Table
from sim.clock import Clock
from sim.linac.beam import BeamGenerator
from sim.linac.beam_line import BeamLine
from sim.linac.chambers import DoseMonitor
from sim.linac.collimation import JAWS, Collimation
from sim.linac.deviation import AngleDeviation
from sim.linac.lines import Lines
from sim.linac.motion import Axis
from sim.linac.room import Room
from sim.linac.sequencer import BEAM_AXES, Sequencer
from sim.linac.utilities import Nodes, Utilities
from sim.machine import Machine
from sim.record.trace import Trace

COUCH_AXES = ("couch_lateral", "couch_longitudinal", "couch_vertical")
GANTRY_PARKED = 18_000  # 0.01 degree


class Linac:
    """One machine in its room. ``apply`` is the only way the controller reaches it."""

    def __init__(self, env: Clock, machine: Machine, table: Table, trace: Trace, seed: str) -> None:
        self.env, self.machine = env, machine
        self.lines = Lines(table, trace, env)
        self.generator = BeamGenerator(env, machine, self.lines, trace)
        self.dose = DoseMonitor(env, self.generator, self.lines, trace, machine.noise, Random(f"{seed}/dose"))
        self.axes = {
            name: Axis(name, machine.axes[name], self.lines, env)  # type: ignore[index]
            for name in (*BEAM_AXES, *COUCH_AXES)
        }
        self.axes["gantry"].arrive(GANTRY_PARKED)
        AngleDeviation(env, trace, tuple(self.axes[name] for name in BEAM_AXES))
        self.collimation = Collimation(env, machine, self.lines, trace)
        self.beam_line = BeamLine(env, machine, self.lines, trace)
        self.sequencer = Sequencer(
            env, machine, self.lines, trace, self.generator, self.dose, self.axes, self.collimation
        )
        self.room = Room(env, self.lines, trace)
        self.utilities = Utilities(self.lines, lambda: env.now)
        self.nodes = Nodes(self.lines, lambda: env.now)

    def apply(self, outputs: Outputs) -> None:
        """Obey: permit, motion, power and the proof test's line."""
        self.generator.set_power(outputs.power)
        self.generator.set_permit(outputs.permit)
        # A held or stopped beam stops the axes through the missing dose; the motion permit stops the rest.
        self.sequencer.set_motion(outputs.motion)
        self.lines.exercise(outputs.test_line if outputs.state is State.check else 0)

    def move_couch(self, target: tuple[int, int, int]) -> Generator[simpy.Event, Any, None]:
        """Lateral, longitudinal, vertical to ``target`` (0.01 mm), all at full speed."""
        axes = [self.axes[name] for name in COUCH_AXES]
        duration = max(axis.travel_time_us(to) for axis, to in zip(axes, target, strict=True))
        for axis, to in zip(axes, target, strict=True):
            axis.move(to, max(1, duration))
        if duration:
            yield self.env.timeout(duration)
        for axis, to in zip(axes, target, strict=True):
            axis.arrive(to)

    def axis(self, name: str) -> Axis:
        """Any axis of the machine, jaws included. Raises KeyError for an unknown name."""
        return self.collimation.jaw(name) if name in JAWS else self.axes[name]

    def couch(self) -> tuple[int, int, int]:
        """Where the couch really is: lateral, longitudinal, vertical in 0.01 mm."""
        lateral, longitudinal, vertical = (self.axes[name].position() for name in COUCH_AXES)
        return lateral, longitudinal, vertical
