"""Everything that can be broken, as one choice a scenario makes by its ``kind``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sim.faults.beam import (
    Arcing,
    BeamStaysOn,
    CarouselJammed,
    CarouselOff,
    ChamberGain,
    ChamberSaturation,
    ChamberSupplyLost,
    DoseRate,
    EnergyOff,
    PulseDose,
    PulsesMissing,
    Symmetry,
    TargetOff,
    TargetWear,
    WrongAccessory,
)
from sim.faults.mistakes import (
    EditInSettling,
    Hurry,
    OutputCheckSkipped,
    OverrideLeft,
    ProceedRepeatedly,
    ShiftNotApplied,
    ShiftTwice,
    StaleImage,
    WrongIdentity,
)
from sim.faults.motion import AxisCreep, AxisRunaway, AxisSlip, AxisStall, CarriageOff, LeafLag, LeafStuck
from sim.faults.patient import (
    BaselineDrift,
    BreathingStops,
    Cough,
    GateFrozen,
    GateInverted,
    GateLost,
    GatingStops,
    PatientMoves,
    TargetShifted,
)
from sim.faults.signals import (
    SignalDelay,
    SignalDisconnected,
    SignalDrift,
    SignalFrozen,
    SignalGain,
    SignalIntermittent,
    SignalNoise,
    SignalOffset,
    SignalStuck,
    SignalSwapped,
)
from sim.faults.supplies import ControllerHang, MemoryFlip, NodeLate, NodeSilent, PowerDip, Utility
from sim.faults.wire import WireDisturbed, WireUnplugged

Fault = Annotated[
    SignalStuck
    | SignalFrozen
    | SignalDisconnected
    | SignalOffset
    | SignalGain
    | SignalDrift
    | SignalNoise
    | SignalIntermittent
    | SignalDelay
    | SignalSwapped
    | BeamStaysOn
    | DoseRate
    | PulsesMissing
    | PulseDose
    | Arcing
    | EnergyOff
    | CarouselJammed
    | CarouselOff
    | TargetOff
    | WrongAccessory
    | TargetWear
    | Symmetry
    | ChamberGain
    | ChamberSaturation
    | ChamberSupplyLost
    | AxisStall
    | AxisRunaway
    | AxisCreep
    | AxisSlip
    | LeafStuck
    | LeafLag
    | CarriageOff
    | Utility
    | NodeSilent
    | NodeLate
    | PowerDip
    | ControllerHang
    | MemoryFlip
    | WireDisturbed
    | WireUnplugged
    | GateLost
    | GateInverted
    | GateFrozen
    | GatingStops
    | Cough
    | BreathingStops
    | BaselineDrift
    | TargetShifted
    | PatientMoves
    | WrongIdentity
    | StaleImage
    | ShiftNotApplied
    | ShiftTwice
    | EditInSettling
    | Hurry
    | ProceedRepeatedly
    | OverrideLeft
    | OutputCheckSkipped,
    Field(discriminator="kind"),
]
