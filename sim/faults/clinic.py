"""Mistakes and mishaps around the patient: gating, imaging, couch shift."""

from __future__ import annotations

from typing import Literal

from sim.faults.base import BaseFault
from sim.world import World


class GateLost(BaseFault):
    """The gating signal is gone: the gate reads closed."""

    kind: Literal["gate_lost"]

    def apply(self, world: World) -> None:
        world.gate.lose(True)

    def clear(self, world: World) -> None:
        world.gate.lose(False)


class ShiftNotApplied(BaseFault):
    """The couch shift after the match is forgotten."""

    kind: Literal["shift_not_applied"]

    def apply(self, world: World) -> None:
        world.imaging.shift_not_applied = True

    def clear(self, world: World) -> None:
        world.imaging.shift_not_applied = False


class ShiftTwice(BaseFault):
    """The couch shift after the match is applied twice."""

    kind: Literal["shift_applied_twice"]

    def apply(self, world: World) -> None:
        world.imaging.shift_applied_twice = True

    def clear(self, world: World) -> None:
        world.imaging.shift_applied_twice = False
