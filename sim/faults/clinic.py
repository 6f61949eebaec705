"""Faults of what surrounds the patient: the gating system."""

from __future__ import annotations

from typing import Literal

from sim.faults.base import SettingFault
from sim.world import World


class GateLost(SettingFault):
    """The gating signal is gone: the gate reads closed."""

    kind: Literal["gate_lost"]

    def apply(self, world: World) -> None:
        world.gate.lose(True)

    def clear(self, world: World) -> None:
        world.gate.lose(False)
