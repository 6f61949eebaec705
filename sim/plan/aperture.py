"""From a shape a person can write to leaf and jaw positions of a 60-pair multileaf collimator.

All lengths are 0.01 mm at the isocentre plane, in the collimator's axes: leaves move along x, one
strip per leaf pair along y.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

# Number of pairs and their width: a common 120-leaf collimator, 40 cm across.
_PAIR_WIDTHS = ((10, 1_000), (40, 500), (10, 1_000))


def _boundaries() -> tuple[int, ...]:
    widths = [width for count, width in _PAIR_WIDTHS for _ in range(count)]
    return tuple(accumulate(widths, initial=-sum(widths) // 2))


LEAF_BOUNDARIES = _boundaries()
"""Edges of the 60 strips along y, 61 numbers from -200 mm to 200 mm."""

PAIRS = len(LEAF_BOUNDARIES) - 1


@dataclass(frozen=True, slots=True)
class Opening:
    """The open part of the collimator: tips of each open pair (index from 0), the rest closed."""

    pairs: dict[int, tuple[int, int]]
    parked_at: int  # x where closed pairs meet

    @property
    def leaves(self) -> tuple[int, ...]:
        """Tips of the first bank, then of the second."""
        closed = (self.parked_at, self.parked_at)
        tips = [self.pairs.get(index, closed) for index in range(PAIRS)]
        return (*(first for first, _ in tips), *(second for _, second in tips))

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """Smallest rectangle around the opening: x1, x2, y1, y2. Raises ValueError when closed."""
        if not self.pairs:
            raise ValueError("no leaf pair is open")
        firsts, seconds = zip(*self.pairs.values(), strict=True)
        return (
            min(firsts),
            max(seconds),
            LEAF_BOUNDARIES[min(self.pairs)],
            LEAF_BOUNDARIES[max(self.pairs) + 1],
        )


def circle(diameter: int, centre: tuple[float, float]) -> Opening:
    """Leaf tips on a circle where the middle line of each strip crosses it."""
    radius = diameter / 2
    pairs = {}
    for index in range(PAIRS):
        distance = _middle(index) - centre[1]
        if abs(distance) < radius:
            half = math.sqrt(radius**2 - distance**2)
            pairs[index] = (_round(centre[0] - half), _round(centre[0] + half))
    return Opening(pairs, _round(centre[0]))


def rectangle(width: int, height: int, centre: tuple[float, float]) -> Opening:
    """``width`` along x, ``height`` along y, rounded to the strips whose middle line is inside."""
    tips = (_round(centre[0] - width / 2), _round(centre[0] + width / 2))
    pairs = {index: tips for index in range(PAIRS) if abs(_middle(index) - centre[1]) < height / 2}
    return Opening(pairs, _round(centre[0]))


def single_pairs(tips: dict[int, tuple[int, int]], centre: tuple[float, float]) -> Opening:
    """Tips per pair (index from 0), relative to ``centre`` along x only."""
    x = _round(centre[0])
    pairs = {index: (first + x, second + x) for index, (first, second) in tips.items()}
    middle = (min(a for a, _ in pairs.values()) + max(b for _, b in pairs.values())) // 2
    return Opening(pairs, middle)


def jaws_around(openings: Sequence[Opening], margin: int) -> tuple[int, int, int, int]:
    """Jaw positions (x1, x2, y1, y2) that clear every opening of a beam by ``margin``."""
    x1, x2, y1, y2 = zip(*(opening.bounds for opening in openings), strict=True)
    return min(x1) - margin, max(x2) + margin, min(y1) - margin, max(y2) + margin


def _middle(index: int) -> float:
    return (LEAF_BOUNDARIES[index] + LEAF_BOUNDARIES[index + 1]) / 2


def _round(value: float) -> int:
    return math.floor(value + 0.5)
