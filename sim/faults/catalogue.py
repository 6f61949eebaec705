"""Everything that can be broken, as one choice a scenario makes by its ``kind``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sim.faults.beam import BeamStaysOn, DoseRate, EnergyOff, PulseDose
from sim.faults.clinic import GateLost, ShiftNotApplied, ShiftTwice
from sim.faults.motion import AxisCreep, AxisStall, LeafLag, LeafStuck
from sim.faults.signals import SignalDrift, SignalGain, SignalOffset, SignalStuck
from sim.faults.supplies import ControllerHang, NodeSilent, PowerDip, Utility

Fault = Annotated[
    SignalStuck
    | SignalOffset
    | SignalGain
    | SignalDrift
    | BeamStaysOn
    | DoseRate
    | PulseDose
    | AxisStall
    | AxisCreep
    | LeafStuck
    | LeafLag
    | EnergyOff
    | Utility
    | NodeSilent
    | GateLost
    | ShiftNotApplied
    | ShiftTwice
    | PowerDip
    | ControllerHang,
    Field(discriminator="kind"),
]
