"""Faults of the patient and of the gating system: breathing, movement, and what the gate makes of it."""

from __future__ import annotations

from random import Random
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from firmware_model.quantity import Duration, Length
from sim.clinic.gating import Failure
from sim.clock import US_PER_MS
from sim.faults.base import BaseFault, GradualFault, share
from sim.world import World

#: A cough whose size is not given is drawn from these (engineering defaults): 0.01 mm, ms.
COUGH_HEIGHT = (500, 1_500)
COUGH_MS = (300, 900)

Displacement = Annotated[Length, Field(ge=-5_000, le=5_000)]


class _GateFault(BaseFault):
    """Shared by the faults of the gating system."""

    failure: ClassVar[Failure]

    def apply(self, world: World) -> None:
        world.gate.fail(self.failure, id(self))

    def clear(self, world: World) -> None:
        world.gate.mend(self.failure, id(self))


class GateLost(_GateFault):
    """The gating signal is gone: the gate reads closed."""

    kind: Literal["gate_lost"]
    failure = "lost"


class GateInverted(_GateFault):
    """The gate reads closed while the system says open, and open while it says closed."""

    kind: Literal["gate_inverted"]
    failure = "inverted"


class GateFrozen(_GateFault):
    """What the gating system says stays as it is, while its messages go on."""

    kind: Literal["gate_frozen"]
    failure = "frozen"


class GatingStops(_GateFault):
    """The gating system stops: what it says stays as it is, and its messages end."""

    kind: Literal["gating_stops"]
    failure = "stopped"


class Cough(BaseFault):
    """The target goes up quickly and comes down to end exhale; what is not given is drawn from the seed."""

    needs: ClassVar[str] = "breathing"
    kind: Literal["cough"]
    height: Annotated[Length | None, Field(gt=0, le=5_000, description="from where it is")] = None
    duration: Annotated[Duration | None, Field(ge=100_000, le=10_000_000, description="up and down")] = None
    _over_us: int = 0
    _round: int = 0

    def apply(self, world: World) -> None:
        self._round += 1
        random = Random(f"{world.seed}/fault/{self._name}/{self._round}")
        height, duration = random.randint(*COUGH_HEIGHT), random.randint(*COUGH_MS) * US_PER_MS
        duration = duration if self.duration is None else self.duration
        self._over_us = world.clock.now + duration
        world.patient.cough(height if self.height is None else self.height, duration)

    def clear(self, world: World) -> None:
        """A cough that is over has ended by itself; one that is not breaks off."""
        if world.clock.now < self._over_us:
            world.patient.settle_down()


class BreathingStops(BaseFault):
    """The breath stays where it is; when it comes back, it goes to end exhale first."""

    needs: ClassVar[str] = "breathing"
    kind: Literal["breathing_stops"]

    def apply(self, world: World) -> None:
        world.patient.stop_breathing(id(self))

    def clear(self, world: World) -> None:
        world.patient.breathe_again(id(self))


class BaselineDrift(GradualFault):
    """End exhale drifts, of target and marker alike; when the fault ends, it stays where it got to."""

    needs: ClassVar[str] = "breathing"
    kind: Literal["baseline_drift"]
    per_minute: Annotated[Length, Field(ge=-5_000, le=5_000, description="towards inhale if positive")]

    def set_to(self, world: World, strength: int) -> None:
        world.patient.drift_baseline(id(self), share(self.per_minute, strength))


class TargetShifted(GradualFault):
    """The target alone lies elsewhere along the axis of breathing; no marker shows it."""

    kind: Literal["target_shifted"]
    by: Displacement

    def set_to(self, world: World, strength: int) -> None:
        world.patient.shift_target(id(self), share(self.by, strength))


class PatientMoves(GradualFault):
    """The whole patient lies differently on the couch, marker and target alike."""

    kind: Literal["patient_moves"]
    lateral: Displacement = 0
    longitudinal: Displacement = 0
    vertical: Displacement = 0

    def set_to(self, world: World, strength: int) -> None:
        x, y, z = (share(axis, strength) for axis in (self.lateral, self.longitudinal, self.vertical))
        world.patient.move(id(self), (x, y, z))
