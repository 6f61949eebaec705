"""One motorised axis: where it is told to be, where it really is, and what its readback says."""

from __future__ import annotations

from collections.abc import Callable

from firmware_model.contract import FRACTION_BITS
from sim.clock import US_PER_MS, Clock, Ramp, level, ramp_between
from sim.linac.lines import Lines
from sim.machine import AxisLimits

FULL_TURN = 36_000  # 0.01 degree


class Axis:
    """Moves in straight lines; a higher layer decides when and how fast.

    ``set`` is where it is told to be. The load follows the drive (``_drive``), which is the same
    line unless it has to catch up after a fault; a fault can hold the load or displace it.
    """

    def __init__(self, name: str, limits: AxisLimits, lines: Lines, env: Clock, start: int = 0) -> None:
        self.name, self.limits = name, limits
        self._lines, self._env = lines, env
        self.set = level(start)
        self._drive = level(start)
        self.listeners: list[Callable[[], None]] = []
        self._catching_up = 0  # a newer move makes a pending arrival void
        # Faults (see sim.faults.motion)
        self._held: Ramp | None = None  # the load stands still or runs away, whatever the drive does
        self._displaced = level(0)  # the load is beside the drive by so much
        self.readback_on_drive = False  # the position sensor sits on the drive, not on the load
        self._publish()

    @property
    def truth(self) -> Ramp:
        """Where the load really is."""
        if self._held is not None:
            return self._held
        if not self._displaced.value and not self._displaced.slope:
            return self._drive
        now = self._env.now
        return Ramp(
            self._drive.at(now) + self._displaced.at(now), self._drive.slope + self._displaced.slope, now
        )

    @property
    def readback(self) -> Ramp:
        """Where its position sensor says it is."""
        return self._drive if self.readback_on_drive else self.truth

    def position(self) -> int:
        """Where it really is, whole counts."""
        return self.truth.counts(self._env.now)

    def travel_time_us(self, target: int) -> int:
        """Time to ``target`` at full speed, from where it is told to be."""
        distance = abs(target - self.set.counts(self._env.now))
        return -(-distance * 1_000_000 // self.limits.max_speed)

    def move(self, target: int, duration_us: int) -> None:
        """Go to ``target`` (counts) in ``duration_us``; call :meth:`arrive` when the time is over."""
        if self._is_at(target):
            return
        now, end = self._env.now, target << FRACTION_BITS
        self._catching_up += 1
        self.set = ramp_between(self.set.at(now), end, duration_us, now)
        self._drive = ramp_between(self._drive.at(now), end, duration_us, now)
        self._publish()

    def arrive(self, target: int) -> None:
        """The move is over: exactly there, unless something holds the axis."""
        if self._is_at(target):
            return
        self._catching_up += 1
        self.set = self._drive = level(target, self._env.now)
        self._publish()

    def _is_at(self, target: int) -> bool:
        end = target << FRACTION_BITS
        return self.set.slope == 0 == self._drive.slope and self.set.value == end == self._drive.value

    def rewrap(self, towards: int) -> None:
        """Describe a rotation by the full turn closest to ``towards``; nothing moves."""
        turns = round((towards - self.set.counts(self._env.now)) / FULL_TURN)
        if turns:
            by = turns * FULL_TURN << FRACTION_BITS
            self.set = self.set._replace(value=self.set.value + by)
            self._drive = self._drive._replace(value=self._drive.value + by)
            if self._held is not None:
                self._held = self._held._replace(value=self._held.value + by)
            self._publish()

    def halt(self) -> None:
        """Stop where it is; the set position stays where the axis had to be."""
        now = self._env.now
        if self.set.slope or self._drive.slope:
            self._catching_up += 1
            self.set, self._drive = self.set.stopped(now), self._drive.stopped(now)
            self._publish()

    # ---- faults ------------------------------------------------------------------------------------

    def stall(self) -> None:
        """The load stops, whatever the drive does."""
        self._held = self.truth.stopped(self._env.now)
        self._publish()

    def run_away(self, per_second: int) -> None:
        """The load moves at ``per_second`` counts, whatever the drive does, to the end of its range."""
        now = self._env.now
        slope = (per_second << FRACTION_BITS) // 1000
        self._held = self.truth.stopped(now)._replace(slope=slope)
        end = self.limits.maximum if per_second > 0 else self.limits.minimum
        left = self._held.time_to(end << FRACTION_BITS, now)
        self._publish()
        if left is not None:
            running = self._held
            self._env.call_in(left, lambda: self._end_of_range(running, end))

    def _end_of_range(self, running: Ramp, end: int) -> None:
        if self._held is running:
            self._held = level(end, self._env.now)
            self._publish()

    def creep(self, per_second: int) -> None:
        """The load moves away from the drive by ``per_second`` counts."""
        now = self._env.now
        self._displaced = Ramp(self._displaced.at(now), (per_second << FRACTION_BITS) // 1000, now)
        self._publish()

    def slip(self, by: int) -> None:
        """The load sits beside the drive by ``by`` counts."""
        self._displaced = level(by, self._env.now)
        self._publish()

    def recover(self) -> None:
        """No fault any more: the load follows again, and catches up at full speed."""
        now = self._env.now
        here = self.truth.at(now)
        self._held, self._displaced = None, level(0)
        gap = abs(self.set.at(now) - here)
        time_us = -(-gap * 1_000_000 // (self.limits.max_speed << FRACTION_BITS))
        time_us = -(-time_us // US_PER_MS) * US_PER_MS
        if time_us:
            self._catching_up += 1
            pending = self._catching_up
            self._drive = ramp_between(here, self.set.at(now + time_us), time_us, now)
            self._env.call_in(time_us, lambda: self._caught_up(pending))
        self._publish()

    def _caught_up(self, pending: int) -> None:
        if pending == self._catching_up:
            self._drive = self.set.since(self._env.now)
            self._publish()

    def _publish(self) -> None:
        self._lines.ramp(f"{self.name}_set", self.set)
        self._lines.ramp(self.name, self.readback)
        for listener in tuple(self.listeners):
            listener()


def tracking_error(told: Ramp, real: Ramp, now: int) -> tuple[Ramp, int | None]:
    """|told - real| from ``now`` on, and the microseconds until the line must be drawn anew (or None)."""
    gap = Ramp(told.at(now) - real.at(now), told.slope - real.slope, now)
    if gap.value < 0 or (gap.value == 0 and gap.slope < 0):
        gap = Ramp(-gap.value, -gap.slope, now)
    return gap, gap.time_to(0, now) if gap.slope < 0 else None
