"""Faults of everything that moves: gantry, collimator, couch, jaws, leaves."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sim.faults.base import BaseFault
from sim.world import World


class AxisStall(BaseFault):
    """An axis stops although it is driven; its readback tells the truth."""

    kind: Literal["axis_stall"]
    axis: Literal[
        "gantry", "collimator", "couch_rotation", "couch_lateral", "couch_longitudinal", "couch_vertical"
    ]

    def apply(self, world: World) -> None:
        world.linac.axes[self.axis].stall(True)

    def clear(self, world: World) -> None:
        world.linac.axes[self.axis].stall(False)


class AxisCreep(BaseFault):
    """An axis moves on its own, counts of 0.01 degree or 0.01 mm a second."""

    kind: Literal["axis_creep"]
    axis: Literal[
        "gantry", "collimator", "couch_rotation", "couch_lateral", "couch_longitudinal", "couch_vertical"
    ]
    per_second: Annotated[int, Field(ge=-2000, le=2000)]

    def apply(self, world: World) -> None:
        world.linac.axes[self.axis].creep(self.per_second)

    def clear(self, world: World) -> None:
        world.linac.axes[self.axis].creep(0)


class LeafStuck(BaseFault):
    """One leaf stays where it is."""

    kind: Literal["leaf_stuck"]
    leaf: Annotated[int, Field(ge=0, le=159)]

    def apply(self, world: World) -> None:
        world.linac.collimation.stick(self.leaf)

    def clear(self, world: World) -> None:
        world.linac.collimation.free(self.leaf)


class LeafLag(BaseFault):
    """Every leaf is late by so many 0.01 mm."""

    kind: Literal["leaf_lag"]
    by: Annotated[int, Field(ge=0, le=10_000)]

    def apply(self, world: World) -> None:
        world.linac.collimation.lag = self.by
        world.linac.collimation.report()

    def clear(self, world: World) -> None:
        world.linac.collimation.lag = 0
        world.linac.collimation.report()
