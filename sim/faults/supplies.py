"""Faults of what everything rests on: media, power, messages and the controller itself."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from firmware_model.contract import ONE
from sim.faults.base import BaseFault, Number
from sim.world import World

Node = Literal["heartbeat_linac", "heartbeat_console", "gate_heartbeat"]


class Utility(BaseFault):
    """Water, gas, vacuum or air really has this value, in its unit, and changes by so much a second."""

    kind: Literal["utility"]
    signal: Literal["water_flow", "water_temperature", "gas_pressure", "vacuum_current", "air_pressure"]
    value: Annotated[Number, Field(description="in the unit of the signal")]
    per_second: Annotated[Number, Field(description="a trend, in the unit of the signal")] = 0

    def apply(self, world: World) -> None:
        lsb = Fraction(str(world.table.signals[self.signal].lsb))
        slope = round(Fraction(str(self.per_second)) / lsb * ONE / 1000)
        world.linac.utilities.set(self.signal, world.table.counts(self.signal, self.value), slope)

    def clear(self, world: World) -> None:
        world.linac.utilities.restore(self.signal)


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
    _since: int = 0

    def apply(self, world: World) -> None:
        self._since = world.clock.now
        world.linac.nodes.silence(self.node)

    def clear(self, world: World) -> None:
        world.linac.nodes.catch_up(self.node, self._since)


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

    def apply(self, world: World) -> None:
        world.conductor.hang()

    def clear(self, world: World) -> None:
        """Scans go on, unless the watchdog has restarted the controller by now."""
        world.conductor.recover()
