"""What every fault is: a part of a scenario that can be applied to the world and taken off again.

Faults on a signal change what its line carries, never the plant's truth. Faults of a subsystem
change what really happens. ``apply`` and ``clear`` are called at the instants the scenario asks for;
a fault may be applied again after it was cleared.
"""

from __future__ import annotations

from fractions import Fraction

from pydantic import BaseModel, ConfigDict

from sim.world import World

Number = int | float

#: Full strength of a gradual fault, in thousandths.
FULL = 1000
PPM = 1_000_000


class BaseFault(BaseModel):
    """One kind of fault with its keys; the docstring says what breaks."""

    model_config = ConfigDict(extra="forbid")

    def apply(self, world: World) -> None:
        """Break it. Called with the fault not in force."""
        raise NotImplementedError(type(self).__name__)

    def clear(self, world: World) -> None:
        """Mend it. Called with the fault in force."""
        raise NotImplementedError(type(self).__name__)


class GradualFault(BaseFault):
    """A fault with a magnitude, which a step's ``ramp`` can bring on bit by bit."""

    def grow(self, world: World, strength: int) -> None:
        """Set the magnitude to ``strength`` thousandths of what the keys say; 0 is none."""
        raise NotImplementedError(type(self).__name__)

    def apply(self, world: World) -> None:
        """At full strength at once."""
        self.grow(world, FULL)

    def clear(self, world: World) -> None:
        """Back to none."""
        self.grow(world, 0)


def share(value: Number, strength: int, unit: int = 1) -> int:
    """``value`` at a strength, in whole parts of ``unit`` to one; rounded to the nearest."""
    return round(Fraction(str(value)) * unit * strength / FULL)


def percent_between(percent: Number, strength: int) -> int:
    """A percentage that is 100 at no strength and ``percent`` at full strength, in ppm."""
    return PPM + round((Fraction(str(percent)) - 100) * PPM * strength / (100 * FULL))
