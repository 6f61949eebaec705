"""How a patient breathes: one breath after the other, as straight lines over time.

A breath runs from end exhale to end exhale. The regular form is that of Lujan et al. 1999 (Med Phys
26, 715): position = amplitude * cos^2n(pi t / period), here with its peak in the middle of the breath.
Irregular breaths have that form with a period, an amplitude and an end-exhale level of their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import cycle, pairwise
from random import Random
from typing import NamedTuple, Protocol

from firmware_model.contract import FRACTION_BITS, ONE
from sim.clinic.breathing_file import Recording
from sim.clinic.motion_schema import IrregularBreathing, RecordedBreathing, RegularBreathing
from sim.clinic.paths import Point, Window, mean, span

#: Straight lines that make one breath of the regular form. The curve is at most 0.8 % of the amplitude
#: away from them (1.5 % with the largest exponent).
LINES = 32


class Breath(NamedTuple):
    """One breath: points from its start (time 0) to its end, and when it is at end inhale."""

    points: tuple[Point, ...]
    inhale_us: int | None

    @property
    def duration_us(self) -> int:
        return self.points[-1][0]


class Breathing(Protocol):
    """An endless supply of breaths and what a planner knows of them. Positions: 32.16 of 0.01 mm."""

    period_us: int  # of the reference breath
    inhale: int  # its end-inhale position; end exhale is 0
    mean: int  # its mean position over time

    def breath(self, start: int) -> Breath:
        """The next breath, from a position on."""
        ...

    def phase_span(self, opens: int, closes: int) -> Window:
        """Positions of the reference breath between two phases, percent from end inhale."""
        ...


class RegularForm:
    """Breaths of the regular form, all equal."""

    def __init__(self, given: RegularBreathing) -> None:
        self.period_us = given.period
        self.inhale = given.amplitude << FRACTION_BITS
        self._shape = [
            round(math.sin(math.pi * k / LINES) ** (2 * given.exponent) * ONE) for k in range(LINES + 1)
        ]
        self.mean = mean(self._reference().points)

    def breath(self, start: int) -> Breath:
        return self._draw(start, self.inhale, 0, self.period_us)

    def phase_span(self, opens: int, closes: int) -> Window:
        return _phase_span([self._reference(), self._reference()], opens, closes)

    def _reference(self) -> Breath:
        return self._draw(0, self.inhale, 0, self.period_us)

    def _draw(self, start: int, inhale: int, end: int, period_us: int) -> Breath:
        half = LINES // 2
        points = []
        for k, share in enumerate(self._shape):
            low = start if k <= half else end
            points.append((period_us * k // LINES, low + ((inhale - low) * share >> FRACTION_BITS)))
        return Breath(tuple(points), points[half][0])


class IrregularForm(RegularForm):
    """Breaths of the regular form that vary from one to the next."""

    def __init__(self, given: IrregularBreathing, random: Random) -> None:
        super().__init__(given)
        self._given, self._random = given, random

    def breath(self, start: int) -> Breath:
        given = self._given
        period = self._vary(self.period_us, given.period_spread)
        inhale = self._vary(self.inhale, given.amplitude_spread)
        end = round(bounded(self._random) * (given.baseline_spread << FRACTION_BITS))
        return self._draw(start, inhale, end, period)

    def _vary(self, value: int, percent: int) -> int:
        return round(value * (1 + bounded(self._random) * percent / 100))


class RecordedForm:
    """Breaths of a recording, in their order and then from its start again."""

    def __init__(self, recording: Recording) -> None:
        self._breaths = [Breath(points, inhale) for points, inhale in recording.breaths]
        whole = [b for b in self._breaths if b.inhale_us is not None]
        self.period_us = sum(b.duration_us for b in whole) // len(whole)
        self.inhale = sum(max(y for _, y in b.points) for b in whole) // len(whole)
        self.mean = sum(mean(b.points) * b.duration_us for b in whole) // sum(b.duration_us for b in whole)
        self._next = cycle(self._breaths)

    def breath(self, start: int) -> Breath:
        breath = next(self._next)
        return Breath(((0, start), *breath.points[1:]), breath.inhale_us)

    def phase_span(self, opens: int, closes: int) -> Window:
        return _phase_span(self._breaths, opens, closes)


def bounded(random: Random) -> float:
    """A normal deviate, bounded at two sigma."""
    return min(2.0, max(-2.0, random.gauss(0, 1)))


def _phase_span(breaths: Sequence[Breath], opens: int, closes: int) -> Window:
    """Mean over all breaths of the lowest and the highest position between two phases."""
    found = []
    for this, following in pairwise(breaths):
        if this.inhale_us is None or following.inhale_us is None:
            continue
        joined = [*this.points, *((this.duration_us + t, y) for t, y in following.points[1:])]
        start, whole = this.inhale_us, this.duration_us + following.inhale_us - this.inhale_us
        found.append(span(joined, start + whole * opens // 100, start + whole * closes // 100))
    return Window(sum(w.low for w in found) // len(found), sum(w.high for w in found) // len(found))


def make_breathing(
    given: RegularBreathing | IrregularBreathing | RecordedBreathing, recording: Recording | None, seed: str
) -> RegularForm | RecordedForm:
    """What a scenario asks for. A recording must have been read before."""
    if isinstance(given, RecordedBreathing):
        assert recording is not None, "recordings are read with the scenario"
        return RecordedForm(recording)
    if isinstance(given, IrregularBreathing):
        return IrregularForm(given, Random(f"{seed}/breathing"))
    return RegularForm(given)
