"""Faults of everything that moves: gantry, collimator, couch, jaws, leaves."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sim.faults.base import GradualFault, Number, SettingFault, share
from sim.linac.motion import Axis
from sim.world import World

AxisName = Literal[
    "gantry",
    "collimator",
    "couch_rotation",
    "couch_lateral",
    "couch_longitudinal",
    "couch_vertical",
    "jaw_x1",
    "jaw_x2",
    "jaw_y1",
    "jaw_y2",
]


class _AxisFault(SettingFault):
    """Shared by the faults of one axis; when they end, the axis catches up at full speed."""

    axis: AxisName

    def part(self, world: World) -> Axis:
        """The axis in this machine."""
        return world.linac.axis(self.axis)


class _HeldAxis(_AxisFault):
    """It does not follow its drive at all."""

    def clear(self, world: World) -> None:
        self.part(world).let_go()


class AxisStall(_HeldAxis):
    """An axis stops although it is driven; its readback tells the truth."""

    kind: Literal["axis_stall"]

    def apply(self, world: World) -> None:
        self.part(world).stall()


class AxisRunaway(_HeldAxis):
    """An axis moves at this speed, whatever it is told, to the end of its range."""

    kind: Literal["axis_runaway"]
    per_second: Annotated[Number, Field(ge=-200, le=200, description="deg/s or mm/s")]

    def apply(self, world: World) -> None:
        self.part(world).run_away(share(self.per_second, 1000, 100))


class AxisCreep(_AxisFault):
    """An axis moves away from its drive at this speed; its readback tells the truth."""

    kind: Literal["axis_creep"]
    per_second: Annotated[Number, Field(ge=-20, le=20, description="deg/s or mm/s, in steps of 0.01")]

    def apply(self, world: World) -> None:
        self.part(world).creep(share(self.per_second, 1000, 100))

    def clear(self, world: World) -> None:
        self.part(world).stop_creeping()


class AxisSlip(GradualFault):
    """The load slips on its drive, and the readback, which sits on the drive, shows nothing."""

    kind: Literal["axis_slip"]
    axis: AxisName
    by: Annotated[Number, Field(ge=-200, le=200, description="deg or mm, in steps of 0.01")]

    def set_to(self, world: World, strength: int) -> None:
        world.linac.axis(self.axis).slip(share(self.by, strength, 100))

    def clear(self, world: World) -> None:
        world.linac.axis(self.axis).slip_back()


class LeafStuck(SettingFault):
    """One leaf stays where it is."""

    kind: Literal["leaf_stuck"]
    leaf: Annotated[int, Field(ge=0, le=159, description="first bank X1, then bank X2")]

    def apply(self, world: World) -> None:
        world.linac.collimation.stick(self.leaf)

    def clear(self, world: World) -> None:
        world.linac.collimation.free(self.leaf)


class LeafLag(GradualFault):
    """Every leaf is late by so much."""

    kind: Literal["leaf_lag"]
    by: Annotated[Number, Field(ge=0, le=100, description="mm, in steps of 0.01 mm")]

    def set_to(self, world: World, strength: int) -> None:
        world.linac.collimation.lag = share(self.by, strength, 100)
        world.linac.collimation.report()


class CarriageOff(GradualFault):
    """A leaf carriage stands off its place and takes its whole bank with it."""

    kind: Literal["carriage_off"]
    by: Annotated[Number, Field(ge=-100, le=100, description="mm, in steps of 0.01 mm")]

    def set_to(self, world: World, strength: int) -> None:
        world.linac.collimation.carriage_off = share(self.by, strength, 100)
        world.linac.collimation.report()
