"""Faults on one line: what it carries is not what the sensor measured."""

from __future__ import annotations

from collections import deque
from random import Random
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from firmware_model.contract import FRACTION_BITS, ONE
from firmware_model.quantity import Duration
from sim.clock import US_PER_S, Ramp
from sim.faults.base import FULL, PPM, BaseFault, Number, Trend, percent_between
from sim.linac.lines import Lines
from sim.world import World


class SignalFault(BaseFault):
    """Shared by the faults on one line; they alter the line from the instant they are applied."""

    signal: Annotated[str, Field(description="a signal of the interlock table")]
    _strength: int = FULL

    def alter(self, line: Ramp, t_us: int) -> Ramp:
        """What the line carries from ``t_us`` on when it should carry ``line``."""
        raise NotImplementedError(type(self).__name__)

    def prepare(self, world: World) -> None:
        """Note what the fault needs to know at the instant it starts."""

    def apply(self, world: World) -> None:
        self._strength = FULL
        self.prepare(world)
        world.linac.lines.add_fault(self.signal, self)

    def clear(self, world: World) -> None:
        world.linac.lines.remove_fault(self.signal, self)

    def counts(self, world: World, value: Number | bool) -> int:
        """``value`` in the unit of the signal as fixed point."""
        return world.table.counts(self.signal, value) << FRACTION_BITS


class GradualSignalFault(SignalFault):
    """A fault on a line with a magnitude, which a step's ``ramp`` can bring on bit by bit."""

    def grow(self, world: World, strength: int) -> None:
        """Set the magnitude to ``strength`` thousandths, while the fault is on the line."""
        self._strength = strength
        world.linac.lines.carry_again(self.signal)


class SignalStuck(SignalFault):
    """The line stays at a value, whatever is measured."""

    kind: Literal["signal_stuck"]
    value: Annotated[Number | bool, Field(description="in the unit of the signal")]
    _held: int = 0

    def prepare(self, world: World) -> None:
        self._held = self.counts(world, self.value)

    def alter(self, line: Ramp, t_us: int) -> Ramp:
        return Ramp(self._held, 0, t_us)


class SignalFrozen(SignalFault):
    """The line stays at the value it has at that instant (a frozen readback)."""

    kind: Literal["signal_frozen"]
    _held: int = 0

    def prepare(self, world: World) -> None:
        self._held = world.linac.lines.seen(self.signal) << FRACTION_BITS

    def alter(self, line: Ramp, t_us: int) -> Ramp:
        return Ramp(self._held, 0, t_us)


class SignalDisconnected(SignalFault):
    """The wire is open: the line reads nothing, false or the value of its range nearest to zero."""

    kind: Literal["signal_disconnected"]

    def alter(self, line: Ramp, t_us: int) -> Ramp:
        return Ramp(0, 0, t_us)


class SignalOffset(GradualSignalFault):
    """The line reads too high (or, negative, too low) by a fixed amount in its unit."""

    kind: Literal["signal_offset"]
    by: Annotated[Number, Field(description="in the unit of the signal")]
    _offset: int = 0

    def prepare(self, world: World) -> None:
        self._offset = self.counts(world, self.by)

    def alter(self, line: Ramp, t_us: int) -> Ramp:
        return Ramp(line.at(t_us) + self._offset * self._strength // FULL, line.slope, t_us)


class SignalGain(GradualSignalFault):
    """The line carries a percentage of the truth; a counter, of what it gains from then on.

    A counter that is set back by a count or more, as for another beam, reads what it was set to. What
    the proof test forces is no gain: when it is over, the reading is what it was.
    """

    kind: Literal["signal_gain"]
    percent: Annotated[Number, Field(ge=0, le=1000, description="100 is healthy")]
    _lines: Lines | None = None
    _counts_up: bool = False
    _fed: Ramp | None = None  # the counter as it was last fed in; the truth, unless other faults came before
    _read: int = 0  # what the line read then, times PPM: looks at a line that creeps add up
    _ppm: int = PPM

    def prepare(self, world: World) -> None:
        self._lines = world.linac.lines
        self._counts_up = world.table.signals[self.signal].kind == "counter"
        self._fed = None
        self._ppm = percent_between(self.percent, FULL)

    def grow(self, world: World, strength: int) -> None:
        super().grow(world, strength)  # what was gained so far was gained at the former percentage
        self._ppm = percent_between(self.percent, strength)
        super().grow(world, strength)

    def alter(self, line: Ramp, t_us: int) -> Ramp:
        slope = line.slope * self._ppm // PPM
        if not self._counts_up:
            return Ramp(line.at(t_us) * self._ppm // PPM, slope, t_us)
        assert self._lines is not None
        if self._fed is None:
            self._fed, self._read = line.since(t_us), line.at(t_us) * PPM
        self._count_to(self._fed.since(t_us))
        if self._lines.forced(self.signal):
            self._fed = self._fed.stopped(t_us)  # while it is forced, nobody sees it count
            forced = self._read + (line.at(t_us) - self._fed.value) * self._ppm
            return Ramp(forced // PPM, slope, t_us)
        if line.at(t_us) <= self._fed.value - ONE:
            self._fed, self._read = line.since(t_us), line.at(t_us) * PPM
        self._count_to(line.since(t_us))
        return Ramp(self._read // PPM, slope, t_us)

    def _count_to(self, fed: Ramp) -> None:
        """Take in what was gained since the last look."""
        assert self._fed is not None
        self._read += (fed.value - self._fed.value) * self._ppm
        self._fed = fed


class SignalDrift(SignalFault):
    """The line drifts away from the truth by so much a second, in its unit.

    Its slope is whole in 32.16 counts a millisecond, which is coarse for a slow drift; so the line is
    drawn anew every second and is never further than 0.01 counts from where it belongs.
    """

    kind: Literal["signal_drift"]
    per_second: Annotated[Number, Field(description="in the unit of the signal")]
    _trend: Trend = Trend(0, 0)

    def prepare(self, world: World) -> None:
        self._trend = Trend.of(self.per_second, world.table.signals[self.signal], world.clock.now)
        self._draw_later(world, self._trend)

    def _draw_later(self, world: World, trend: Trend) -> None:
        def draw() -> None:
            if trend is self._trend and world.linac.lines.carries(self.signal, self):
                world.linac.lines.carry_again(self.signal)
                self._draw_later(world, trend)

        world.clock.call_in(US_PER_S, draw)

    def alter(self, line: Ramp, t_us: int) -> Ramp:
        return Ramp(line.at(t_us) + self._trend.at(t_us), line.slope + self._trend.slope, t_us)


class _TimedSignalFault(SignalFault):
    """Shared by the faults that change by themselves while they are in force."""

    _round: int = 0  # counts applications, so that what an earlier one scheduled is void

    def apply(self, world: World) -> None:
        self._round += 1
        random = Random(f"{world.seed}/fault/{self._name}/{self._round}")
        delay = self.turn(random)  # before the line is altered for the first time
        super().apply(world)
        self._turn_later(world, random, self._round, delay)

    def clear(self, world: World) -> None:
        self._round += 1
        super().clear(world)

    def _turn_later(self, world: World, random: Random, number: int, delay_us: int) -> None:
        def turn() -> None:
            if number == self._round:
                again = self.turn(random)
                world.linac.lines.carry_again(self.signal)
                self._turn_later(world, random, number, again)

        world.clock.call_in(delay_us, turn)

    def turn(self, random: Random) -> int:
        """Change, and say after how many microseconds to change again."""
        raise NotImplementedError(type(self).__name__)


class SignalNoise(_TimedSignalFault, GradualSignalFault):
    """Noise is added: a new seeded value every period, normal, bounded at three sigma."""

    kind: Literal["signal_noise"]
    sigma: Annotated[Number, Field(gt=0, description="one sigma in the unit of the signal")]
    period: Annotated[Duration, Field(ge=10_000, description="time between two values")] = 50_000
    _sigma: int = 0
    _value: float = 0.0

    def prepare(self, world: World) -> None:
        signal = world.table.signals[self.signal]
        self._sigma = round(float(self.sigma) / float(signal.lsb) * (1 << FRACTION_BITS))

    def turn(self, random: Random) -> int:
        self._value = min(3.0, max(-3.0, random.gauss(0, 1)))
        return self.period

    def alter(self, line: Ramp, t_us: int) -> Ramp:
        noise = round(self._value * self._sigma) * self._strength // FULL
        return Ramp(line.at(t_us) + noise, line.slope, t_us)


class SignalIntermittent(_TimedSignalFault):
    """A bad contact: the line is open for a moment, again and again, at seeded random times."""

    kind: Literal["signal_intermittent"]
    every: Annotated[Duration, Field(ge=10_000, description="mean time from one loss to the next")]
    lost_for: Annotated[Duration, Field(ge=100, description="mean time of a loss")]
    _lost: bool = True  # so that the first turn finds the contact good

    @model_validator(mode="after")
    def _contact_is_good_between(self) -> Self:
        if self.lost_for >= self.every:
            raise ValueError("'lost_for' must be shorter than 'every': the contact is good in between")
        return self

    def clear(self, world: World) -> None:
        super().clear(world)
        self._lost = True

    def turn(self, random: Random) -> int:
        self._lost = not self._lost
        mean = self.lost_for if self._lost else self.every - self.lost_for
        # Bounded at five times the mean, so that a run of any length sees some losses.
        return max(1, round(min(5.0, random.expovariate(1.0)) * mean))

    def alter(self, line: Ramp, t_us: int) -> Ramp:
        return Ramp(0, 0, t_us) if self._lost else line


class SignalDelay(SignalFault):
    """The line is late: it carries what was measured this long ago."""

    kind: Literal["signal_delay"]
    by: Annotated[Duration, Field(gt=0, le=60_000_000, description="how late")]
    _coming: deque[tuple[int, Ramp]] = PrivateAttr(default_factory=deque)
    _world: World | None = None

    def prepare(self, world: World) -> None:
        """Until the delay has passed for the first time, the line rests at its present value."""
        now = world.clock.now
        held = world.linac.lines.seen(self.signal) << FRACTION_BITS
        self._world = world
        self._coming = deque([(now - self.by, Ramp(held, 0, now))])

    def alter(self, line: Ramp, t_us: int) -> Ramp:
        assert self._world is not None
        if not _same(line, self._coming[-1][1], t_us):
            self._coming.append((t_us, line))
            self._world.clock.call_in(self.by, self._show)
        while len(self._coming) > 1 and self._coming[1][0] + self.by <= t_us:
            self._coming.popleft()
        shown = self._coming[0][1]
        return Ramp(shown.at(t_us - self.by), shown.slope, t_us) if shown.slope else shown

    def _show(self) -> None:
        assert self._world is not None
        if self._world.linac.lines.carries(self.signal, self):
            self._world.linac.lines.carry_again(self.signal)


def _same(line: Ramp, other: Ramp, t_us: int) -> bool:
    """Whether two lines run on alike; one that was described anew may be off by its rounding."""
    return line.slope == other.slope and abs(line.at(t_us) - other.at(t_us)) <= 1


class SignalSwapped(BaseFault):
    """Two lines are connected crosswise: each carries what belongs on the other."""

    kind: Literal["signal_swapped"]
    signal: Annotated[str, Field(description="a signal of the interlock table")]
    other: Annotated[str, Field(description="another one of the same kind, unit and LSB")]

    def apply(self, world: World) -> None:
        world.linac.lines.swap(self.signal, self.other)

    def clear(self, world: World) -> None:
        world.linac.lines.undo_swap(self.signal, self.other)
