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
from sim.clock import US_PER_MS, US_PER_S, Clock, Ramp, level, ramp_between
from sim.linac.beam import PPM
from sim.linac.lines import Lines
from sim.machine import BeamQuality, Machine
from sim.record.trace import Sample, Trace

TARGET_POSITION = 5000  # 0.01 mm
SLOT_DISTANCE = 10_000  # of the carousel, 0.01 mm
MAGNET_SETTLE_US = 8 * US_PER_S
CAROUSEL_TURN_US = 3 * US_PER_S
OPEN_TRAY = 1  # accessory code of an empty tray; 0 would be "unknown"


def mode_code(quality: BeamQuality) -> int:
    """The code switches and console use for an energy and fluence mode; never 0."""
    return quality.energy_mv * 10 + (2 if quality.fluence_mode == "fff" else 1)


class BeamLine:
    """Energy, mode and accessory, set and sensed."""

    def __init__(self, env: Clock, machine: Machine, lines: Lines, trace: Trace) -> None:
        self._env, self._machine, self._lines = env, machine, lines
        self.quality: BeamQuality | None = None  # whose filter the carousel turns to
        self._selected: BeamQuality | None = None
        self._selections = 0  # a newer selection makes an older one's settling void
        self._settled = False
        self._energy_channel = trace.channel("energy_error", "number", "%")
        self._filter_channel = trace.channel("filter_error", "number", "mm")
        # Faults (see sim.faults.beam)
        self.energy_ppm = PPM
        self.carousel_offset = 0  # 0.01 mm
        self.target_offset = 0  # 0.01 mm
        self.carousel_jammed = False  # the filter carousel stays in the slot it is in
        self.tray: int | None = None  # another accessory than the selected one is in the tray
        self._slot: BeamQuality | None = None  # whose filter is in the beam
        self._current = level(0)  # of the bending magnet
        self._energy = level(0)  # the magnet lets through; 0.01 MeV

    def select(self, quality: BeamQuality) -> Generator[simpy.Event, Any, None]:
        """Set values at once, then wait until magnet, carousel and target have followed.

        Selecting something else meanwhile starts all of it anew.
        """
        lines = self._lines
        self._selections += 1
        selection = self._selections
        self._selected = quality
        lines.drive("energy_set", quality.energy_mv * 100)
        lines.drive("bend_current_set", quality.bend_current)
        lines.drive("mode_selected", mode_code(quality))
        lines.drive("carousel_set", self._slot_of(quality))
        lines.drive("target_position_set", TARGET_POSITION)
        lines.drive("accessory_selected", OPEN_TRAY)
        if quality is not self.quality or not self._settled:
            self._settled = False
            self._current = self._settling(self._current, quality.bend_current)
            self._energy = self._settling(self._energy, quality.energy_mv * 100)
            self._sense_magnet()
            self._note_filter()
            yield self._env.timeout(CAROUSEL_TURN_US)
            if selection != self._selections:
                return
            self.quality = quality
            self._turn()
            yield self._env.timeout(MAGNET_SETTLE_US - CAROUSEL_TURN_US)
            if selection != self._selections:
                return
            self._settled = True
        self.refresh()

    def refresh(self) -> None:
        """The magnet has settled, or a fault changed."""
        if self.quality is None:
            return
        if self._settled:
            self._current = level(self.quality.bend_current * self.energy_ppm // PPM, self._env.now)
            self._energy = level(self.quality.energy_mv * 100 * self.energy_ppm // PPM, self._env.now)
            self._sense_magnet()
        self._turn()

    def _settling(self, line: Ramp, goal: int) -> Ramp:
        """From where it is now to ``goal`` (counts) in the time the magnet takes."""
        return ramp_between(line.at(self._env.now), goal << FRACTION_BITS, MAGNET_SETTLE_US, self._env.now)

    def _sense_magnet(self) -> None:
        """Current and energy as they are; the truth is the deviation from the energy selected."""
        assert self._selected is not None
        self._lines.ramp("bend_current", self._current)
        self._lines.ramp("beam_energy", self._energy)
        percent = 100 / (self._selected.energy_mv * 100 << FRACTION_BITS)
        now = self._env.now
        deviation = self._energy.at(now) * percent - 100
        per_second = self._energy.slope * percent * US_PER_S / US_PER_MS
        self._energy_channel.samples.append(Sample(now, deviation, per_second))

    def _turn(self) -> None:
        """The carousel brings the filter of the selected quality into the beam, unless it is jammed."""
        if not self.carousel_jammed or self._slot is None:
            self._slot = self.quality
        self._sense()

    def _sense(self) -> None:
        assert self._slot is not None
        slot = self._slot_of(self._slot) + self.carousel_offset
        for name in ("carousel_a", "carousel_b", "carousel_c"):
            self._lines.drive(name, slot)
        self._lines.drive("target_position", TARGET_POSITION + self.target_offset)
        self._lines.drive("mode_sensed", mode_code(self._slot))
        self._lines.drive("accessory_sensed", OPEN_TRAY if self.tray is None else self.tray)
        self._note_filter()

    def _note_filter(self) -> None:
        """Truth: how far filter and target are from where the selected quality needs them."""
        assert self._selected is not None
        filter_at = 0 if self._slot is None else self._slot_of(self._slot) + self.carousel_offset
        off = max(abs(filter_at - self._slot_of(self._selected)), abs(self.target_offset))
        self._filter_channel.samples.append(Sample(self._env.now, off / 100))

    def _slot_of(self, quality: BeamQuality) -> int:
        """Carousel position of a quality's filter, 0.01 mm."""
        return SLOT_DISTANCE * (1 + self._machine.beams.index(quality))
