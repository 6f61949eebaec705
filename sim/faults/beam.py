"""Faults of beam production and of its measurement: what comes out is not what was asked for."""

from __future__ import annotations

from random import Random
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from firmware_model.quantity import Duration
from sim.faults.base import BaseFault, GradualFault, Number, SettingFault, percent_between, share
from sim.linac.beam import slope_of_rate
from sim.world import World

#: Ion pump current while the waveguide arcs, in counts of 0.1 uA above healthy (engineering default).
ARC_VACUUM = 100
#: Radial asymmetry that comes with a worn target, % for each % of lost yield (engineering default).
WEAR_ASYMMETRY = 0.4

Channels = Literal["primary", "secondary", "both"]


class BeamStaysOn(SettingFault):
    """The modulator ignores the loss of the permit; only removing its power helps.

    Dose goes on at the rate last asked for, even when the sequencer asks for none any more.
    """

    kind: Literal["beam_stays_on"]

    def apply(self, world: World) -> None:
        world.linac.generator.stays_on = True

    def clear(self, world: World) -> None:
        world.linac.generator.stays_on = False
        world.linac.generator.obey()


class DoseRate(GradualFault):
    """The dose rate runs away or sags to a percentage of what the servo asks for."""

    kind: Literal["dose_rate"]
    percent: Annotated[Number, Field(ge=0, le=1000, description="100 is healthy")]

    def set_to(self, world: World, strength: int) -> None:
        world.linac.generator.output_ppm = percent_between(self.percent, strength)
        world.linac.generator.refresh()


class PulsesMissing(GradualFault):
    """A percentage of the pulses does not come; those that come are as they should be."""

    kind: Literal["pulses_missing"]
    percent: Annotated[Number, Field(ge=0, le=100, description="0 is healthy")]

    def set_to(self, world: World, strength: int) -> None:
        world.linac.generator.pulses_ppm = percent_between(100 - self.percent, strength)
        world.linac.generator.refresh()


class PulseDose(GradualFault):
    """Pulses carry a percentage of their nominal dose (excess dose per pulse); the rate goes with it."""

    kind: Literal["pulse_dose"]
    percent: Annotated[Number, Field(ge=0, le=10_000, description="100 is healthy")]

    def set_to(self, world: World, strength: int) -> None:
        world.linac.generator.pulse_ppm = percent_between(self.percent, strength)
        world.linac.generator.refresh()


class Arcing(BaseFault):
    """The waveguide arcs at seeded random times, first at once: no dose for a moment, and the ion pump
    current jumps.
    """

    kind: Literal["arcing"]
    every: Annotated[Duration, Field(ge=10_000, description="mean time from one arc to the next")] = 1_000_000
    outage: Annotated[Duration, Field(ge=1_000, description="no dose after an arc for so long")] = 30_000
    _round: int = 0
    _arc: bool = False

    @model_validator(mode="after")
    def _dose_between(self) -> Self:
        if self.outage >= self.every:
            raise ValueError("'outage' must be shorter than 'every': there is dose in between")
        return self

    def apply(self, world: World) -> None:
        self._round += 1
        self._turn(world, Random(f"{world.seed}/fault/{self._name}/{self._round}"), self._round, arc=True)

    def clear(self, world: World) -> None:
        self._round += 1
        self._set(world, arc=False)

    def _turn(self, world: World, random: Random, number: int, arc: bool) -> None:
        if number != self._round:
            return
        self._set(world, arc)
        # Bounded at five times the mean, so that every run of some length sees arcs.
        pause = max(1, round(min(5.0, random.expovariate(1.0)) * (self.every - self.outage)))
        world.clock.call_in(self.outage if arc else pause, lambda: self._turn(world, random, number, not arc))

    def _set(self, world: World, arc: bool) -> None:
        by = arc - self._arc
        if by:
            self._arc = arc
            world.linac.generator.arcs += by
            world.linac.generator.refresh()
            world.linac.utilities.add("vacuum_current", by * ARC_VACUUM)


class EnergyOff(GradualFault):
    """Bending magnet and energy run at a percentage of the selected value."""

    kind: Literal["energy"]
    percent: Annotated[Number, Field(ge=50, le=150, description="100 is healthy")]

    def set_to(self, world: World, strength: int) -> None:
        world.linac.beam_line.energy_ppm = percent_between(self.percent, strength)
        world.linac.beam_line.refresh()


class CarouselJammed(SettingFault):
    """The filter carousel stays in its slot when another beam quality is selected."""

    kind: Literal["carousel_jammed"]

    def apply(self, world: World) -> None:
        world.linac.beam_line.carousel_jammed = True

    def clear(self, world: World) -> None:
        world.linac.beam_line.carousel_jammed = False
        world.linac.beam_line.refresh()


class CarouselOff(GradualFault):
    """The filter carousel stands beside its slot (at a slot's distance, between two)."""

    kind: Literal["carousel_off"]
    by: Annotated[Number, Field(ge=-500, le=500, description="mm, in steps of 0.01 mm")]

    def set_to(self, world: World, strength: int) -> None:
        world.linac.beam_line.carousel_offset = share(self.by, strength, 100)
        world.linac.beam_line.refresh()


class TargetOff(GradualFault):
    """The x-ray target stands beside the beam."""

    kind: Literal["target_off"]
    by: Annotated[Number, Field(ge=-50, le=50, description="mm, in steps of 0.01 mm")]

    def set_to(self, world: World, strength: int) -> None:
        world.linac.beam_line.target_offset = share(self.by, strength, 100)
        world.linac.beam_line.refresh()


class WrongAccessory(SettingFault):
    """Another accessory than the selected one is in the tray."""

    kind: Literal["wrong_accessory"]
    code: Annotated[int, Field(ge=0, le=2**31 - 1, description="what the tray reads; 0: nothing readable")]

    def apply(self, world: World) -> None:
        world.linac.beam_line.tray = self.code
        world.linac.beam_line.refresh()

    def clear(self, world: World) -> None:
        world.linac.beam_line.tray = None
        world.linac.beam_line.refresh()


class TargetWear(GradualFault):
    """A worn target: the patient gets so much less dose while both chambers read on, and the beam
    becomes asymmetric by 0.4 % for each percent lost.
    """

    kind: Literal["target_wear"]
    percent: Annotated[Number, Field(ge=0, le=50, description="yield lost; 0 is healthy")]

    def set_to(self, world: World, strength: int) -> None:
        dose = world.linac.dose
        dose.yield_ppm = percent_between(100 - self.percent, strength)
        dose.set_asymmetry("radial", share(self.percent * WEAR_ASYMMETRY, strength, 10))
        dose.update()


class Symmetry(GradualFault):
    """The beam becomes asymmetric."""

    kind: Literal["symmetry"]
    plane: Literal["radial", "transverse"]
    percent: Annotated[Number, Field(ge=-100, le=100, description="in steps of 0.1 %; 0 is healthy")]

    def set_to(self, world: World, strength: int) -> None:
        world.linac.dose.set_asymmetry(self.plane, share(self.percent, strength, 10))


class ChamberGain(GradualFault):
    """A dose channel reads a percentage of the dose: its calibration is off."""

    kind: Literal["chamber_gain"]
    channel: Channels
    percent: Annotated[Number, Field(ge=0, le=1000, description="100 is healthy")]

    def set_to(self, world: World, strength: int) -> None:
        for channel in world.linac.dose.channels(self.channel):
            channel.gain_ppm = percent_between(self.percent, strength)
        world.linac.dose.update()


class ChamberSaturation(SettingFault):
    """A chamber collects no more than so much, however high the dose rate."""

    kind: Literal["chamber_saturation"]
    channel: Channels
    at: Annotated[int, Field(ge=1, le=6000, description="highest rate it reads, MU/min")]

    def apply(self, world: World) -> None:
        self._limit(world, slope_of_rate(self.at))

    def clear(self, world: World) -> None:
        self._limit(world, None)

    def _limit(self, world: World, slope: int | None) -> None:
        for channel in world.linac.dose.channels(self.channel):
            channel.limit_slope = slope
        world.linac.dose.update()


class ChamberSupplyLost(SettingFault):
    """The high voltage of both chambers fails: they read nothing, and their supply line says so."""

    kind: Literal["chamber_supply_lost"]

    def apply(self, world: World) -> None:
        self._set(world, lost=True)

    def clear(self, world: World) -> None:
        self._set(world, lost=False)

    def _set(self, world: World, lost: bool) -> None:
        for channel in world.linac.dose.channels("both"):
            channel.dead = lost
        world.linac.lines.drive("dose_supply", not lost)
        world.linac.dose.update()
