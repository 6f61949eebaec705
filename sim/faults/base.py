"""What every fault is: a part of a scenario that can be applied to the world and taken off again.

Faults on a signal change what its line carries, never the plant's truth. Faults of a subsystem
change what really happens. ``apply`` and ``clear`` are called at the instants the scenario asks for;
a fault may be applied again after it was cleared. Where two
faults set the same thing, the later one counts; when it ends, the earlier one does again.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple, Self

from pydantic import BaseModel, ConfigDict

from firmware_model.contract import ONE
from firmware_model.table import Signal
from sim.clock import US_PER_S
from sim.world import World

Number = int | float

#: Full strength of a gradual fault, in thousandths.
FULL = 1000
PPM = 1_000_000


class BaseFault(BaseModel):
    """One kind of fault with its keys; the docstring says what breaks."""

    model_config = ConfigDict(extra="forbid")
    _name: str = ""  # of the step

    def for_step(self, name: str) -> Self:
        """A copy for one run; its random draws are seeded with the step's name."""
        copy = self.model_copy(deep=True)
        copy._name = name
        return copy

    def again(self, world: World) -> None:
        """Another fault has ended and may have mended what this one breaks: break it again.

        Nothing to do for a fault that has a place of its own or is counted where it acts.
        """

    def apply(self, world: World) -> None:
        """Break it. Called with the fault not in force."""
        raise NotImplementedError(type(self).__name__)

    def clear(self, world: World) -> None:
        """Mend it. Called with the fault in force."""
        raise NotImplementedError(type(self).__name__)


class SettingFault(BaseFault):
    """A fault that sets something of the plant, which can be set again without harm."""

    def again(self, world: World) -> None:
        self.apply(world)


class GradualFault(BaseFault):
    """A fault with a magnitude, which a step's ``ramp`` can bring on bit by bit."""

    _strength: int = 0

    def set_to(self, world: World, strength: int) -> None:
        """Set the magnitude to ``strength`` thousandths of what the keys say; 0 is none."""
        raise NotImplementedError(type(self).__name__)

    def grow(self, world: World, strength: int) -> None:
        """From now on the magnitude is ``strength`` thousandths of what the keys say."""
        self._strength = strength
        self.set_to(world, strength)

    def apply(self, world: World) -> None:
        """At full strength at once."""
        self.grow(world, FULL)

    def clear(self, world: World) -> None:
        """Back to none."""
        self.grow(world, 0)

    def again(self, world: World) -> None:
        self.set_to(world, self._strength)


class Trend(NamedTuple):
    """A slow change from 0 at ``since_us`` on, in 32.16 fixed-point counts; ``rate`` a second, exact."""

    rate: Fraction | int
    since_us: int

    @classmethod
    def of(cls, per_second: Number, signal: Signal, now_us: int) -> Trend:
        """So much a second, in the unit of the signal."""
        return cls(Fraction(str(per_second)) / Fraction(str(signal.lsb)) * ONE, now_us)

    def at(self, t_us: int) -> int:
        """How far it has come, to the nearest."""
        return round(self.rate * (t_us - self.since_us) / US_PER_S)

    @property
    def slope(self) -> int:
        """A millisecond, to the nearest."""
        return round(self.rate / Fraction(1000))


def share(value: Number, strength: int, unit: int = 1) -> int:
    """``value`` at a strength, in whole parts of ``unit`` to one; rounded to the nearest."""
    return round(Fraction(str(value)) * unit * strength / FULL)


def percent_between(percent: Number, strength: int) -> int:
    """A percentage that is 100 at no strength and ``percent`` at full strength, in ppm."""
    return PPM + round((Fraction(str(percent)) - 100) * PPM * strength / (100 * FULL))
