"""One motorised axis: where it is told to be, where it really is, and what its readback says."""

from __future__ import annotations

from collections.abc import Callable

from firmware_model.contract import FRACTION_BITS
from sim.clock import Ramp, level, ramp_between
from sim.linac.lines import Lines
from sim.machine import AxisLimits

FULL_TURN = 36_000  # 0.01 degree


class Axis:
    """Moves in straight lines; a higher layer decides when and how fast."""

    def __init__(
        self, name: str, limits: AxisLimits, lines: Lines, now: Callable[[], int], start: int = 0
    ) -> None:
        self.name, self.limits = name, limits
        self._lines, self._now = lines, now
        self.set = level(start)
        self.truth = level(start)
        self.listeners: list[Callable[[], None]] = []
        # Faults (see sim.faults)
        self.stalled = False
        self.readback_on_drive = False  # the position sensor sits on the drive, not on the load
        self._publish()

    def position(self) -> int:
        """Where it really is, whole counts."""
        return self.truth.counts(self._now())

    def travel_time_us(self, target: int) -> int:
        """Time to ``target`` at full speed, from where it is told to be."""
        distance = abs(target - self.set.counts(self._now()))
        return -(-distance * 1_000_000 // self.limits.max_speed)

    def move(self, target: int, duration_us: int) -> None:
        """Go to ``target`` (counts) in ``duration_us``; call :meth:`arrive` when the time is over."""
        now = self._now()
        end = target << FRACTION_BITS
        if self.set.slope == 0 and self.truth.slope == 0 and self.set.value == end == self.truth.value:
            return
        self.set = ramp_between(self.set.at(now), end, duration_us, now)
        self.truth = (
            self.truth.stopped(now)
            if self.stalled
            else ramp_between(self.truth.at(now), end, duration_us, now)
        )
        self._publish()

    def arrive(self, target: int) -> None:
        """The move is over: exactly there, unless something holds the axis."""
        now = self._now()
        end = level(target, now)
        if self.set.slope == 0 and self.truth.slope == 0 and self.set.value == end.value == self.truth.value:
            return
        self.set = end
        self.truth = self.truth.stopped(now) if self.stalled else end
        self._publish()

    def rewrap(self, towards: int) -> None:
        """Describe a rotation by the full turn closest to ``towards``; nothing moves."""
        now = self._now()
        turns = round((towards - self.set.counts(now)) / FULL_TURN)
        if turns:
            by = turns * FULL_TURN << FRACTION_BITS
            self.set = self.set._replace(value=self.set.value + by)
            self.truth = self.truth._replace(value=self.truth.value + by)
            self._publish()

    def halt(self) -> None:
        """Stop where it is; the set position stays where the axis had to be."""
        now = self._now()
        if self.set.slope or self.truth.slope:
            self.set, self.truth = self.set.stopped(now), self.truth.stopped(now)
            self._publish()

    def stall(self, stalled: bool) -> None:
        """Fault: the load stops (or follows again from where it is)."""
        self.stalled = stalled
        if stalled:
            self.truth = self.truth.stopped(self._now())
            self._publish()

    def shift_truth(self, by: int) -> None:
        """Fault: the load is pushed by ``by`` counts without the drive knowing."""
        now = self._now()
        self.truth = Ramp(self.truth.at(now) + (by << FRACTION_BITS), self.truth.slope, now)
        self._publish()

    def creep(self, per_second: int) -> None:
        """Fault: the load moves on its own at ``per_second`` counts."""
        now = self._now()
        self.truth = Ramp(self.truth.at(now), (per_second << FRACTION_BITS) // 1000, now)
        self._publish()

    def _publish(self) -> None:
        self._lines.ramp(f"{self.name}_set", self.set)
        self._lines.ramp(self.name, self.set if self.readback_on_drive else self.truth)
        for listener in tuple(self.listeners):
            listener()


def tracking_error(told: Ramp, real: Ramp, now: int) -> tuple[Ramp, int | None]:
    """|told - real| from ``now`` on, and the microseconds until the line must be drawn anew (or None)."""
    gap = Ramp(told.at(now) - real.at(now), told.slope - real.slope, now)
    if gap.value < 0 or (gap.value == 0 and gap.slope < 0):
        gap = Ramp(-gap.value, -gap.slope, now)
    return gap, gap.time_to(0, now) if gap.slope < 0 else None
