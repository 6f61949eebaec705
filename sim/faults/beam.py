"""Faults of beam production: what comes out of the machine is not what was asked for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sim.faults.base import BaseFault
from sim.world import World


class BeamStaysOn(BaseFault):
    """The modulator ignores the loss of the permit; only removing its power helps."""

    kind: Literal["beam_stays_on"]

    def apply(self, world: World) -> None:
        world.linac.generator.stays_on = True

    def clear(self, world: World) -> None:
        world.linac.generator.stays_on = False
        world.linac.generator.refresh()


class DoseRate(BaseFault):
    """The dose rate runs away or sags to a percentage of what the servo asks for."""

    kind: Literal["dose_rate"]
    percent: Annotated[int, Field(ge=0, le=1000)]

    def apply(self, world: World) -> None:
        world.linac.generator.output_percent = self.percent
        world.linac.generator.refresh()

    def clear(self, world: World) -> None:
        world.linac.generator.output_percent = 100
        world.linac.generator.refresh()


class PulseDose(BaseFault):
    """Single pulses carry a percentage of their nominal dose (excess dose per pulse)."""

    kind: Literal["pulse_dose"]
    percent: Annotated[int, Field(ge=0, le=10_000)]

    def apply(self, world: World) -> None:
        world.linac.generator.pulse_percent = self.percent
        world.linac.generator.refresh()

    def clear(self, world: World) -> None:
        world.linac.generator.pulse_percent = 100
        world.linac.generator.refresh()


class EnergyOff(BaseFault):
    """Bending magnet and energy run at a percentage of the selected value."""

    kind: Literal["energy"]
    percent: Annotated[int, Field(ge=50, le=150)]

    def apply(self, world: World) -> None:
        world.linac.beam_line.energy_percent = self.percent
        world.linac.beam_line.refresh()

    def clear(self, world: World) -> None:
        world.linac.beam_line.energy_percent = 100
        world.linac.beam_line.refresh()
