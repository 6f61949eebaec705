"""Draws for tests whose next choice depends on what the machine does now."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

T = TypeVar("T")

ONE = 65536

#: The same cases every time, so that a failure on one computer is a failure on all.
REPRODUCIBLE = settings(
    derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
_ORDINARY = [ONE, -ONE, ONE // 2, -ONE // 3, ONE // 7, -40 * ONE]


class Dice:
    """The few kinds of draws that the random machines need."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def number(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.number(0, len(choices) - 1)]

    def chance(self, of: int = 2) -> bool:
        """True once in ``of`` draws."""
        return self.number(1, of) == of

    def slope(self) -> int:
        """Fixed-point counts a scan: nothing, next to nothing, ordinary, huge."""
        limit = self.pick([0, 0, 3, 2 * ONE, 2**34, None])
        return self.pick(_ORDINARY) if limit is None else self.number(-limit, limit)

    def offset(self) -> int:
        """A distance from a limit, fixed point: a few whole counts or part of one."""
        return self.number(-3, 3) * ONE if self.chance() else self.number(-4 * ONE, 4 * ONE)


#: Every draw is hypothesis's own: a failing case is made as small as possible.
shrinking_dice = st.builds(Dice, st.randoms(use_true_random=False))


def seeded(seed: bytes) -> Dice:
    """The dice of one seed."""
    return Dice(Random(seed))


#: Hypothesis draws the seed only: many more different cases in the same time, not made smaller. Bytes, not
#: a number: among numbers it mixes those of our sources, so that any change there gave other cases.
dice_of_a_seed = st.builds(seeded, st.binary(min_size=11, max_size=11))
