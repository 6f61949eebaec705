"""Time: integer microseconds of simulation, and straight lines over it.

Between two events everything in the plant is constant or linear. A :class:`Ramp` holds such a
line in 32.16 fixed point with a slope per millisecond, which the controller's scan continues
exactly: at whole milliseconds the plant's value and the controller's are the same integer.

This is the only module of the simulation that may read the computer's clock, to say how long a
run took; no simulated thing depends on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple, cast

import simpy

from firmware_model.contract import FRACTION_BITS

US_PER_MS = 1_000
US_PER_S = 1_000_000
US_PER_MIN = 60 * US_PER_S


class Clock(simpy.Environment):
    """SimPy's environment on an integer clock: microseconds from the start of the session."""

    @property
    def now(self) -> int:
        return cast(int, self._now)

    def call_in(self, delay_us: int, action: Callable[[], None]) -> None:
        """Do something once, ``delay_us`` from now; it cannot be called off, so let it look first."""
        timer = self.timeout(delay_us)
        assert timer.callbacks is not None
        timer.callbacks.append(lambda _: action())


class Ramp(NamedTuple):
    """``value`` at ``t_us`` and onwards by ``slope`` each millisecond; both 32.16 fixed point."""

    value: int
    slope: int = 0
    t_us: int = 0

    def at(self, t_us: int) -> int:
        """Fixed-point value at ``t_us``."""
        return self.value + self.slope * (t_us - self.t_us) // US_PER_MS

    def counts(self, t_us: int) -> int:
        """Whole counts at ``t_us``, rounded down like the controller does."""
        return self.at(t_us) >> FRACTION_BITS

    def since(self, t_us: int) -> Ramp:
        """The same line, described from ``t_us`` on."""
        return Ramp(self.at(t_us), self.slope, t_us)

    def stopped(self, t_us: int) -> Ramp:
        """Constant from ``t_us`` on."""
        return Ramp(self.at(t_us), 0, t_us)

    def time_to(self, value: int, t_us: int) -> int | None:
        """Microseconds from ``t_us`` until the line reaches a fixed-point ``value``; None: never."""
        distance = value - self.at(t_us)
        if distance == 0:
            return 0
        if distance * self.slope <= 0:
            return None
        return -(-abs(distance) * US_PER_MS // abs(self.slope))


def level(counts: int, t_us: int = 0) -> Ramp:
    """A constant line of whole counts."""
    return Ramp(counts << FRACTION_BITS, 0, t_us)


def ramp_between(start: int, end: int, duration_us: int, t_us: int) -> Ramp:
    """From one fixed-point value to another within ``duration_us`` (not below 1 us)."""
    return Ramp(start, (end - start) * US_PER_MS // max(1, duration_us), t_us)


def wall_seconds() -> float:
    """Seconds on the computer's monotonic clock, for reports on how long a run took."""
    return time.perf_counter()
