"""What stands between the gun and the patient: bending magnet, target, filter carousel, accessory.

Selecting another beam quality takes time: the magnet settles in 8 s, the carousel and the target
turn in 3 s (engineering defaults of the order published for C-arm machines). Independent sensors
report where things really are.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from firmware_model.contract import FRACTION_BITS
from sim.clock import US_PER_S, Clock, ramp_between
from sim.linac.lines import Lines
from sim.machine import BeamQuality, Machine

MAGNET_SETTLE_US = 8 * US_PER_S
CAROUSEL_TURN_US = 3 * US_PER_S
OPEN_TRAY = 1  # accessory code of an empty tray; 0 would be "unknown"


def mode_code(quality: BeamQuality) -> int:
    """The code switches and console use for an energy and fluence mode; never 0."""
    return quality.energy_mv * 10 + (2 if quality.fluence_mode == "fff" else 1)


class BeamLine:
    """Energy, mode and accessory, set and sensed."""

    def __init__(self, env: Clock, machine: Machine, lines: Lines) -> None:
        self._env, self._machine, self._lines = env, machine, lines
        self.quality: BeamQuality | None = None
        # Faults (see sim.faults)
        self.energy_percent = 100
        self.carousel_offset = 0
        self.stuck_mode: int | None = None

    def select(self, quality: BeamQuality) -> Generator[simpy.Event, Any, None]:
        """Set values at once, then wait until magnet, carousel and target have followed."""
        slot = 100 * 100 * (1 + self._machine.beams.index(quality))  # carousel slots are 100 mm apart
        lines = self._lines
        lines.drive("energy_set", quality.energy_mv * 100)
        lines.drive("bend_current_set", quality.bend_current)
        lines.drive("mode_selected", mode_code(quality))
        lines.drive("carousel_set", slot)
        lines.drive("target_position_set", 5000)
        lines.drive("accessory_selected", OPEN_TRAY)
        lines.drive("accessory_sensed", OPEN_TRAY)
        if quality is not self.quality:
            before = self.quality
            start = before.bend_current if before else 0
            lines.ramp(
                "bend_current",
                ramp_between(
                    start << FRACTION_BITS,
                    quality.bend_current << FRACTION_BITS,
                    MAGNET_SETTLE_US,
                    self._env.now,
                ),
            )
            yield self._env.timeout(CAROUSEL_TURN_US)
            self.quality = quality
            self._sense()
            yield self._env.timeout(MAGNET_SETTLE_US - CAROUSEL_TURN_US)
        self.quality = quality
        lines.drive("bend_current", quality.bend_current * self.energy_percent // 100)
        self._sense()

    def refresh(self) -> None:
        """A fault changed: sense everything again."""
        if self.quality is not None:
            self._lines.drive("bend_current", self.quality.bend_current * self.energy_percent // 100)
            self._sense()

    def _sense(self) -> None:
        assert self.quality is not None
        slot = 100 * 100 * (1 + self._machine.beams.index(self.quality)) + self.carousel_offset
        for name in ("carousel_a", "carousel_b", "carousel_c"):
            self._lines.drive(name, slot)
        self._lines.drive("target_position", 5000)
        self._lines.drive(
            "mode_sensed", mode_code(self.quality) if self.stuck_mode is None else self.stuck_mode
        )
        self._lines.drive("beam_energy", self.quality.energy_mv * self.energy_percent)
