"""Faults of what everything rests on: media, power, messages and the controller itself."""

from __future__ import annotations

from random import Random
from typing import Annotated, Literal

from pydantic import Field

from firmware_model.contract import FRACTION_BITS, MEMORY_REGIONS, Flip
from sim.clock import US_PER_S, Ramp
from sim.faults.base import BaseFault, Number, Trend
from sim.world import World

Node = Literal["heartbeat_linac", "heartbeat_console", "gate_heartbeat"]


class Utility(BaseFault):
    """Water, gas, vacuum or air really has this value, in its unit, and changes by so much a second."""

    kind: Literal["utility"]
    signal: Literal["water_flow", "water_temperature", "gas_pressure", "vacuum_current", "air_pressure"]
    value: Annotated[Number, Field(description="in the unit of the signal")]
    per_second: Annotated[Number, Field(description="a trend, in the unit of the signal")] = 0

    _trend: Trend = Trend(0, 0)
    _line: Ramp | None = None  # what this fault last set; None: it is over

    def apply(self, world: World) -> None:
        self._trend = Trend.of(self.per_second, world.table.signals[self.signal], world.clock.now)
        self.again(world)
        if self.per_second:
            self._draw_later(world, self._trend)

    def clear(self, world: World) -> None:
        self._line = None
        world.linac.utilities.restore(self.signal)

    def again(self, world: World) -> None:
        now = world.clock.now
        start = world.table.counts(self.signal, self.value) << FRACTION_BITS
        self._line = Ramp(start + self._trend.at(now), self._trend.slope, now)
        world.linac.utilities.set(self.signal, self._line)

    def _draw_later(self, world: World, trend: Trend) -> None:
        """Once a second, as a slope of whole counts is coarse for a slow trend."""

        def draw() -> None:
            if self._line is not None and trend is self._trend:
                if world.linac.utilities.value(self.signal) is self._line:  # not another fault's
                    self.again(world)
                self._draw_later(world, trend)

        world.clock.call_in(US_PER_S, draw)


class NodeSilent(BaseFault):
    """A node sends no more messages; when it speaks again it goes on counting where it stopped."""

    kind: Literal["node_silent"]
    node: Node

    def apply(self, world: World) -> None:
        world.linac.nodes.silence(self.node)

    def clear(self, world: World) -> None:
        world.linac.nodes.speak(self.node)


class NodeLate(BaseFault):
    """A node's messages are held back, and all of them arrive at once when the fault ends."""

    kind: Literal["node_late"]
    node: Node
    _going_on: Ramp = Ramp(0)

    def apply(self, world: World) -> None:
        self._going_on = world.linac.nodes.silence(self.node)

    def clear(self, world: World) -> None:
        world.linac.nodes.speak(self.node, self._going_on)


class PowerDip(BaseFault):
    """Machine and controller lose their supply until the fault ends."""

    kind: Literal["power_dip"]

    def apply(self, world: World) -> None:
        world.conductor.lose_power()

    def clear(self, world: World) -> None:
        world.conductor.restore_power()


class ControllerHang(BaseFault):
    """The controller stops scanning; from 50 ms on the hardware watchdog restarts it."""

    kind: Literal["controller_hang"]
    _hang: int | None = None  # which hang this one causes, if any

    def apply(self, world: World) -> None:
        self._hang = world.conductor.hang()

    def clear(self, world: World) -> None:
        """Scans go on, unless the watchdog has restarted the controller by now."""
        world.conductor.recover(self._hang)


class MemoryFlip(BaseFault):
    """A bit of the controller's memory flips; its next scan finds that and restarts it."""

    kind: Literal["memory_flip"]
    region: Annotated[
        Literal["any", "pointers", "inputs", "counters", "state", "outputs", "seal", "latches", "retained"],
        Field(description="part of the memory; 'latches' and 'retained' survive no flip"),
    ] = "any"
    bit: Annotated[
        int | None, Field(ge=0, lt=1 << 16, description="from the start of the part, modulo its size")
    ] = None

    def apply(self, world: World) -> None:
        """Region and bit are drawn when not given."""
        dice = Random(f"{world.seed}/{self._name}/{world.clock.now}")
        drawn, bit = dice.choice(MEMORY_REGIONS), dice.randrange(1 << 16)
        region = drawn if self.region == "any" else self.region
        world.conductor.flip(Flip(region, bit if self.bit is None else self.bit))

    def clear(self, world: World) -> None:
        """Nothing to mend: the restart has done it."""
