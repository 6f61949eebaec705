"""One motorised axis: where it is told to be, where it really is, and what its readback says."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from firmware_model.contract import FRACTION_BITS
from sim.clock import US_PER_MS, Clock, Ramp, level, ramp_between
from sim.linac.lines import Lines
from sim.machine import AxisLimits

FULL_TURN = 36_000  # 0.01 degree


class Axis:
    """Moves in straight lines; a higher layer decides when and how fast.

    ``set`` is where it is told to be. The drive follows it: it is the same line, unless a fault holds
    the drive or moves it away, after which it catches up at full speed. The load sits on the drive,
    unless it has slipped. The position sensor sits on the drive too.
    """

    def __init__(self, name: str, limits: AxisLimits, lines: Lines, env: Clock, start: int = 0) -> None:
        self.name, self.limits = name, limits
        self._lines, self._env = lines, env
        self.set = level(start)
        self._drive = level(start)
        self._behind = False  # the drive catches up with the set position
        self._version = 0  # a newer line of the drive makes a pending end of the former void
        self.listeners: list[Callable[[], None]] = []
        # Faults (see sim.faults.motion)
        self._held: Ramp | None = None  # stands still or runs away, whatever the drive should do
        self._crept = level(0)  # has moved away from where the drive should be
        self._slipped = level(0)  # the load is beside the drive by so much
        self._publish()

    @property
    def truth(self) -> Ramp:
        """Where the load really is."""
        return self._sum(self.readback, self._slipped)

    @property
    def readback(self) -> Ramp:
        """Where its position sensor says it is."""
        return self._held if self._held is not None else self._sum(self._drive, self._crept)

    def _sum(self, line: Ramp, more: Ramp) -> Ramp:
        if not more.value and not more.slope:
            return line
        now = self._env.now
        return Ramp(line.at(now) + more.at(now), line.slope + more.slope, now)

    def position(self) -> int:
        """Where it really is, whole counts."""
        return self.truth.counts(self._env.now)

    def travel_time_us(self, target: int) -> int:
        """Time to ``target`` at full speed, from where it is told to be."""
        distance = abs(target - self.set.counts(self._env.now))
        return -(-distance * 1_000_000 // self.limits.max_speed)

    def move(self, target: int, duration_us: int) -> None:
        """Go to ``target`` (counts) in ``duration_us``; call :meth:`arrive` when the time is over."""
        if not self._is_at(target):
            now = self._env.now
            self._follow(ramp_between(self.set.at(now), target << FRACTION_BITS, duration_us, now))

    def require(self, target: int) -> None:
        """It has to be at ``target`` now, though it may still be on its way there."""
        if self._is_at(target):
            return
        now = self._env.now
        self.set = level(target, now)
        left = self._drive.time_to(self.set.value, now)
        if left is None:
            self._catch_up()
        else:
            self._behind = True
            self._version += 1
            version = self._version
            self._env.call_in(left, lambda: self._met(version))
        self._publish()

    def arrive(self, target: int) -> None:
        """The move is over: exactly there, unless something holds the axis or it is behind."""
        if not self._is_at(target):
            self._follow(level(target, self._env.now))

    def halt(self) -> None:
        """Stop where it has to be; an axis that is behind still comes there."""
        if self.set.slope:
            self._follow(self.set.stopped(self._env.now))

    def _is_at(self, target: int) -> bool:
        return not self.set.slope and self.set.value == target << FRACTION_BITS

    def _follow(self, told: Ramp) -> None:
        """The set position runs along this line from now on, and the drive with it or after it."""
        self.set = told
        if self._behind:
            self._catch_up()
        else:
            self._drive = told
        self._publish()

    def _catch_up(self) -> None:
        """The drive goes towards the set position at full speed, until it meets it."""
        now = self._env.now
        self._version += 1
        here, told = self._drive.at(now), self.set.at(now)
        self._behind = here != told
        if not self._behind:
            self._drive = self.set
            return
        fastest = (self.limits.max_speed << FRACTION_BITS) // US_PER_MS
        self._drive = Ramp(here, fastest if told > here else -fastest, now)
        gap = Ramp(told - here, self.set.slope - self._drive.slope, now)
        left = gap.time_to(0, now)
        if left is not None:  # otherwise it is told to move as fast as it can, and meets it when it stops
            version = self._version
            self._env.call_in(left, lambda: self._met(version))

    def _met(self, version: int) -> None:
        if version == self._version:
            self._behind, self._drive = False, self.set
            self._publish()

    def rewrap(self, towards: int) -> None:
        """Describe a rotation by the full turn closest to ``towards``; nothing moves."""
        turns = round((towards - self.set.counts(self._env.now)) / FULL_TURN)
        if turns:
            by = turns * FULL_TURN << FRACTION_BITS
            self.set = self.set._replace(value=self.set.value + by)
            self._drive = self._drive._replace(value=self._drive.value + by)
            if self._held is not None:
                self._hold(self._held._replace(value=self._held.value + by))
            self._publish()

    # ---- faults ------------------------------------------------------------------------------------

    def stall(self) -> None:
        """It stops, whatever the drive should do."""
        self._hold(self.readback.stopped(self._env.now))
        self._publish()

    def run_away(self, per_second: int) -> None:
        """It moves at ``per_second`` counts, whatever the drive should do, to the end of its range."""
        slope = (per_second << FRACTION_BITS) // 1000
        self._hold(self.readback.stopped(self._env.now)._replace(slope=slope))
        self._publish()

    def _hold(self, line: Ramp) -> None:
        """Along this line, up to the end of the range."""
        now = self._env.now
        here = line.at(now)
        end = (self.limits.maximum if line.slope > 0 else self.limits.minimum) << FRACTION_BITS
        beyond = (end - here) * line.slope <= 0
        self._held = held = line.stopped(now) if beyond else line
        left = held.time_to(end, now)
        if held.slope and left is not None:
            self._env.call_in(left, lambda: self._end_of_range(held, end))

    def _end_of_range(self, running: Ramp, end: int) -> None:
        if self._held is running:
            self._held = Ramp(end, 0, self._env.now)
            self._publish()

    def let_go(self) -> None:
        """Nothing holds it any more: it catches up at full speed."""
        self._resume_from(self.readback, self._crept.since(self._env.now))

    def creep(self, per_second: int) -> None:
        """It moves away from the drive by ``per_second`` counts."""
        now = self._env.now
        self._crept = Ramp(self._crept.at(now), (per_second << FRACTION_BITS) // 1000, now)
        self._publish()

    def stop_creeping(self) -> None:
        """It does not move away any more, and catches up at full speed."""
        if self._held is None:
            self._resume_from(self.readback, level(0))
        else:
            self._crept = level(0)

    def _resume_from(self, here: Ramp, crept: Ramp) -> None:
        now = self._env.now
        self._held, self._crept = None, crept
        self._drive = Ramp(here.at(now) - crept.at(now), 0, now)
        self._behind = True
        self._catch_up()
        self._publish()

    def slip(self, by: int) -> None:
        """The load sits beside the drive by ``by`` counts."""
        self._slipped = level(by, self._env.now)
        self._publish()

    def slip_back(self) -> None:
        """The load comes back to where it belongs on the drive, at full speed."""
        now = self._env.now
        away = self._slipped.at(now)
        fastest = (self.limits.max_speed << FRACTION_BITS) // US_PER_MS
        self._slipped = back = Ramp(away, -fastest if away > 0 else fastest, now)
        self._env.call_in(back.time_to(0, now) or 0, lambda: self._slipped_back(back))
        self._publish()

    def _slipped_back(self, back: Ramp) -> None:
        if self._slipped is back:
            self._slipped = level(0)
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


def worst(errors: Iterable[tuple[Ramp, int | None]], now: int) -> tuple[Ramp, int | None]:
    """The largest of several deviations, and the microseconds until another may be it or it turns."""
    lines = list(errors)
    largest = max((line for line, _ in lines), key=lambda line: (line.at(now), line.slope))
    again = [turns for _, turns in lines if turns]
    for line, _ in lines:
        if line.slope > largest.slope:
            gap = Ramp(largest.at(now) - line.at(now), largest.slope - line.slope, now)
            overtakes = gap.time_to(0, now)
            if overtakes:
                again.append(overtakes)
    return largest, min(again, default=None)
