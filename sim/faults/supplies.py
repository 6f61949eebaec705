"""Faults of what everything rests on: media, power, messages and the controller itself."""

from __future__ import annotations

from typing import Literal

from firmware_model.quantity import Duration
from sim.faults.base import BaseFault
from sim.world import World

Number = int | float


class Utility(BaseFault):
    """Water, gas, vacuum or air reads a value in its unit, with a trend per second."""

    kind: Literal["utility"]
    signal: Literal["water_flow", "water_temperature", "gas_pressure", "vacuum_current", "air_pressure"]
    value: Number

    def apply(self, world: World) -> None:
        world.linac.utilities.set(self.signal, world.table.counts(self.signal, self.value))

    def clear(self, world: World) -> None:
        world.linac.utilities.restore(self.signal)


class NodeSilent(BaseFault):
    """A node sends no more messages."""

    kind: Literal["node_silent"]
    node: Literal["heartbeat_linac", "heartbeat_console", "gate_heartbeat"]

    def apply(self, world: World) -> None:
        world.linac.nodes.silence(self.node)

    def clear(self, world: World) -> None:
        world.linac.nodes.speak(self.node)


class PowerDip(BaseFault):
    """The supply of machine and controller fails for a time; ends by itself."""

    kind: Literal["power_dip"]
    lasts: Duration

    def apply(self, world: World) -> None:
        world.conductor.lose_power(self.lasts)

    def clear(self, world: World) -> None:
        """Power comes back by itself."""


class ControllerHang(BaseFault):
    """The controller stops scanning; the hardware watchdog restarts it."""

    kind: Literal["controller_hang"]

    def apply(self, world: World) -> None:
        world.conductor.hang()

    def clear(self, world: World) -> None:
        """The watchdog has restarted the controller long before."""
