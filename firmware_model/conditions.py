"""The closed set of trip conditions at run time: evaluate now, and how long nothing will happen.

Every signal is linear between two changes of the inputs. It is held as a 32.16 fixed-point
number that gains a constant slope each scan (tick); the controller sees ``value >> 16``. A
condition therefore answers three questions:

``evaluate(x)``
    Is it true in this scan? ``x`` holds the whole-LSB values. Called once a scan while it acts.
``quiet(x, v, s)``
    For how many further scans is the answer *certain* to stay what it is, with fixed-point values
    ``v`` and slopes ``s``? It may be too small (that costs a scan), never too large.
``skip(v, s, ticks)``
    Bring the memory to where ``ticks`` evaluations would have brought it.

Conditions without a memory are compiled to sums of signals compared with zero. Rounding is part
of the bound: a sum of floored terms differs from the exact line by less than the sum of the
coefficients that can round its way.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

from firmware_model import table as t
from firmware_model.contract import FRACTION_BITS, ONE

#: "Nothing will ever happen": longer than any run (34 years of 1 ms scans).
FOREVER = 1 << 40

Values = Sequence[int]


class Condition(ABC):
    """What the controller asks of every condition."""

    #: False: the answer follows from the present inputs alone, there is nothing to skip.
    remembers = True

    @abstractmethod
    def evaluate(self, x: Values) -> bool:
        """Is it true in this scan?"""

    @abstractmethod
    def quiet(self, x: Values, v: Values, s: Values) -> int:
        """Further scans for which the answer is certain to stay."""

    def skip(self, v: Values, s: Values, ticks: int) -> None:  # noqa: B027 - most have no memory
        """Do what ``ticks`` evaluations would have done to the memory; ``v`` is before them."""

    def leave(self) -> None:  # noqa: B027
        """The machine left the states in which this condition acts."""

    def select(self) -> None:  # noqa: B027
        """A new beam is selected."""


class Sum(NamedTuple):
    """``sum(coefficient * signal) + constant``, compared with zero."""

    terms: tuple[tuple[int, int], ...]  # (coefficient, signal index)
    constant: int

    def value(self, x: Values) -> int:
        total = self.constant
        for coefficient, index in self.terms:
            total += coefficient * x[index]
        return total

    def quiet(self, x: Values, v: Values, s: Values) -> int:
        """Scans for which the sign (positive or not) of the sum is certain to stay."""
        slope = start = up = down = moving = 0
        now = self.constant
        for coefficient, index in self.terms:
            now += coefficient * x[index]
            if s[index]:
                moving = 1
                slope += coefficient * s[index]
                start += coefficient * v[index]
                if coefficient > 0:
                    down += coefficient
                else:
                    up -= coefficient
            else:
                start += (coefficient * x[index]) << FRACTION_BITS
        if not moving:
            return FOREVER
        start += self.constant << FRACTION_BITS
        # Flooring takes less than one count, at most ONE - 1 parts of it, off every moving signal.
        if now <= 0:
            room = ONE - up * (ONE - 1) - start  # the line must stay below this
            if room <= 0:
                return 0
            return FOREVER if slope <= 0 else (room - 1) // slope
        room = start - down * (ONE - 1)  # the line must stay above this
        if room <= 0:
            return 0
        return FOREVER if slope >= 0 else (room - 1) // -slope


def _least_quiet(sums: Sequence[Sum], x: Values, v: Values, s: Values) -> int:
    """Scans for which no sum changes its sign; a plain loop, as every segment runs it for many rows."""
    least = FOREVER
    for total in sums:
        quiet = total.quiet(x, v, s)
        if quiet < least:
            if quiet <= 0:
                return 0
            least = quiet
    return least


class Comparison(Condition):
    """True when, in any of the alternatives, every sum is positive. Has no memory."""

    remembers = False

    def __init__(self, alternatives: Sequence[Sequence[Sum]]) -> None:
        self.alternatives = tuple(tuple(sums) for sums in alternatives)
        self.sums = tuple(total for sums in self.alternatives for total in sums)

    def evaluate(self, x: Values) -> bool:
        for sums in self.alternatives:
            for terms, constant in sums:
                for coefficient, index in terms:
                    constant += coefficient * x[index]
                if constant <= 0:
                    break
            else:
                return True
        return False

    def quiet(self, x: Values, v: Values, s: Values) -> int:
        return _least_quiet(self.sums, x, v, s)


class SlidingRate(Condition):
    """Gain of a counter over the last ``window`` scans against a set rate, sampled every ``step``."""

    def __init__(
        self,
        signal: int,
        set_rate: int,
        window: int,
        step: int,
        above: bool,
        gain_factor: int,
        set_factor: int,
    ) -> None:
        self.signal, self.set_rate = signal, set_rate
        self.window, self.step, self.above = window, step, above
        self.gain_factor, self.set_factor = gain_factor, set_factor
        self.samples: deque[int] = deque(maxlen=window // step + 1)
        self.phase = 0
        self.answer = False

    def _threshold(self, set_rate: int) -> int:
        """``gain > threshold`` is the answer for "above"; for "below" it is the negation of it."""
        limit = set_rate * self.set_factor
        return limit // self.gain_factor if self.above else -(-limit // self.gain_factor) - 1

    def _judge(self, gain: int, set_rate: int) -> bool:
        return (gain > self._threshold(set_rate)) is self.above

    def evaluate(self, x: Values) -> bool:
        if self.phase == 0:
            self.samples.append(x[self.signal])
            if len(self.samples) == self.samples.maxlen:
                self.answer = self._judge(self.samples[-1] - self.samples[0], x[self.set_rate])
        self.phase = (self.phase + 1) % self.step
        return self.answer

    def _next_sample(self) -> int:
        return (self.step - self.phase) % self.step + 1

    def quiet(self, x: Values, v: Values, s: Values) -> int:
        first = self._next_sample()
        if s[self.set_rate]:
            return first - 1
        start, slope, step = v[self.signal], s[self.signal], self.step
        threshold = self._threshold(x[self.set_rate])
        exceeds = self.answer is self.above
        count = self.window // step + 1
        ahead = [(start + slope * tick) >> FRACTION_BITS for tick in range(first, first + count * step, step)]
        known = [*self.samples, *ahead]
        begin = len(known) - 2 * count + 1  # index of the window's start for the first coming sample
        for number in range(max(0, -begin), count):
            if (ahead[number] - known[begin + number] > threshold) is not exceeds:
                return first + number * step - 1
        # From here on both ends of the window lie on the present line.
        gain = (slope * self.window) >> FRACTION_BITS
        if (gain > threshold) is exceeds is (gain + 1 > threshold):
            return FOREVER
        return first + count * step - 1

    def skip(self, v: Values, s: Values, ticks: int) -> None:
        start, slope = v[self.signal], s[self.signal]
        first = self._next_sample()
        if first <= ticks:
            last = first + (ticks - first) // self.step * self.step
            kept = self.window // self.step * self.step
            for tick in range(max(first, last - kept), last + 1, self.step):
                self.samples.append((start + slope * tick) >> FRACTION_BITS)
        self.phase = (self.phase + ticks) % self.step

    def leave(self) -> None:
        self.samples.clear()
        self.phase = 0
        self.answer = False


class Stale(Condition):
    """A heartbeat counter that has not changed for more than ``ticks`` scans."""

    def __init__(self, signal: int, ticks: int) -> None:
        self.signal, self.ticks = signal, ticks
        self.last: int | None = None
        self.since = 0

    def evaluate(self, x: Values) -> bool:
        if x[self.signal] == self.last:
            self.since += 1
        else:
            self.last, self.since = x[self.signal], 0
        return self.since > self.ticks

    def quiet(self, x: Values, v: Values, s: Values) -> int:
        tripped = self.since > self.ticks
        slope = s[self.signal]
        if slope == 0:
            return FOREVER if tripped else self.ticks - self.since
        change = self._next_change(x[self.signal], v[self.signal], slope)
        if tripped:
            return change - 1
        if self.since + change - 1 > self.ticks:
            return self.ticks - self.since
        longest = -(-ONE // abs(slope))
        return FOREVER if longest - 1 <= self.ticks else change

    @staticmethod
    def _next_change(x: int, v: int, slope: int) -> int:
        if slope > 0:
            return -(-(((x + 1) << FRACTION_BITS) - v) // slope)
        return (v - (x << FRACTION_BITS)) // -slope + 1

    def skip(self, v: Values, s: Values, ticks: int) -> None:
        start, slope = v[self.signal], s[self.signal]
        end = (start + slope * ticks) >> FRACTION_BITS
        if end == self.last:
            self.since += ticks
            return
        before = end - 1 if slope > 0 else end + 1
        self.last, self.since = end, ticks - self._next_change(before, start, slope)

    def leave(self) -> None:
        self.last, self.since = None, 0


class Timer(Condition):
    """Scans spent in the acting states since the beam was selected, against a set time."""

    def __init__(self, limit: int, tick_factor: int, limit_factor: int) -> None:
        self.limit, self.tick_factor, self.limit_factor = limit, tick_factor, limit_factor
        self.count = 0

    def evaluate(self, x: Values) -> bool:
        self.count += 1
        return self.count * self.tick_factor > x[self.limit] * self.limit_factor

    def quiet(self, x: Values, v: Values, s: Values) -> int:
        if s[self.limit]:
            return 0
        room = x[self.limit] * self.limit_factor // self.tick_factor - self.count
        return FOREVER if room < 0 else room

    def skip(self, v: Values, s: Values, ticks: int) -> None:
        self.count += ticks

    def select(self) -> None:
        self.count = 0


class Moves(Condition):
    """A signal that leaves the value it had ``after`` scans into the acting states."""

    def __init__(self, signal: int, by: int, after: int, grows_only: bool) -> None:
        self.signal, self.by, self.after, self.grows_only = signal, by, after, grows_only
        self.age = 0
        self.base: int | None = None

    def evaluate(self, x: Values) -> bool:
        value = x[self.signal]
        if self.base is None:
            if self.age >= self.after:
                self.base = value
            self.age += 1
            return False
        if self.grows_only:
            self.base = min(self.base, value)
            return value - self.base > self.by
        return abs(value - self.base) > self.by

    def quiet(self, x: Values, v: Values, s: Values) -> int:
        if self.base is None:
            return self.after - self.age if self.age <= self.after else 0
        term = self.signal
        if self.grows_only and s[term] < 0:
            return 0
        up = Sum(((1, term),), -self.base - self.by).quiet(x, v, s)
        return up if self.grows_only else min(up, Sum(((-1, term),), self.base - self.by).quiet(x, v, s))

    def skip(self, v: Values, s: Values, ticks: int) -> None:
        if self.base is None:
            self.age += ticks

    def leave(self) -> None:
        self.age, self.base = 0, None


class PerTravel(Condition):
    """A counter and its plan over a stretch of travel (MU per degree)."""

    def __init__(self, signal: int, planned: int, position: int, over: int, percent: int, by: int) -> None:
        self.signal, self.planned, self.position = signal, planned, position
        self.over, self.percent, self.by = over, percent, by
        self.start: tuple[int, int, int] | None = None
        self.sums: tuple[Sum, ...] = ()  # of the present stretch
        self.ends = False  # tripped in the last scan of a stretch: the next answer starts from nothing

    def _begin(self, here: tuple[int, int, int]) -> None:
        """A stretch starts here."""
        self.start = here
        self.sums = self._sums(*here)

    def _sums(self, counted: int, planned: int, position: int) -> tuple[Sum, ...]:
        """Excess and shortfall against the fixed amount and the percentage, then the travel."""
        drift = counted - planned
        a, b, p = self.signal, self.planned, self.position
        share = self.percent
        return (
            Sum(((1, a), (-1, b)), -drift - self.by),
            Sum(((10_000, a), (-10_000 - share, b)), -10_000 * drift + share * planned),
            Sum(((-1, a), (1, b)), drift - self.by),
            Sum(((-10_000, a), (10_000 - share, b)), 10_000 * drift + share * planned),
            Sum(((1, p),), -position - self.over + 1),
            Sum(((-1, p),), position - self.over + 1),
        )

    def evaluate(self, x: Values) -> bool:
        here = (x[self.signal], x[self.planned], x[self.position])
        if self.start is None:
            self._begin(here)
            return False
        counted, planned = here[0] - self.start[0], here[1] - self.start[1]
        drift = 10_000 * abs(counted - planned)
        answer = drift > 10_000 * self.by and drift > self.percent * planned
        self.ends = False
        if abs(here[2] - self.start[2]) >= self.over:
            self._begin(here)
            self.ends = answer
        return answer

    def quiet(self, x: Values, v: Values, s: Values) -> int:
        if self.ends:
            return 0
        return _least_quiet(self.sums, x, v, s)

    def leave(self) -> None:
        self.start = None
        self.ends = False


class Flag(Condition):
    """A finding of the controller itself; it changes only together with an output."""

    remembers = False

    def __init__(self, read: Callable[[], bool]) -> None:
        self.read = read

    def evaluate(self, x: Values) -> bool:
        return self.read()

    def quiet(self, x: Values, v: Values, s: Values) -> int:
        return FOREVER


def _either_or_both(sums: list[Sum], combine: str) -> list[list[Sum]]:
    """The smaller limit trips on either sum, the larger one only on both."""
    return [[total] for total in sums] if combine == "min" else [sums]


def compile_condition(table: t.Table, row: t.Interlock, flag: Callable[[str], bool]) -> Condition:
    """The run-time form of one row's condition. ``flag`` reads the controller's own findings."""
    index = table.signal_index
    match row.trips_when:
        case t.IsFalse(signals=names):
            return Comparison([[Sum(((-1, index[name]),), 1)] for name in names])
        case t.IsTrue(signals=names):
            return Comparison([[Sum(((1, index[name]),), 0)] for name in names])
        case t.Disagree(signal=a, other=b):
            return Comparison(_unequal(index[a], index[b]))
        case t.Above(signal=a, limit=limit):
            return Comparison([[Sum(((1, index[a]),), -table.counts(a, limit))]])
        case t.Below(signal=a, limit=limit):
            return Comparison([[Sum(((-1, index[a]),), table.counts(a, limit))]])
        case t.Outside(signal=a, low=low, high=high):
            return Comparison(
                [
                    [Sum(((-1, index[a]),), table.counts(a, low))],
                    [Sum(((1, index[a]),), -table.counts(a, high))],
                ]
            )
        case t.Differs() as c:
            return Comparison(
                [
                    *_apart(table, c, index[c.signal], index[c.from_], 1),
                    *_apart(table, c, index[c.signal], index[c.from_], -1),
                ]
            )
        case t.Exceeds() as c:
            return Comparison(_apart(table, c, index[c.signal], index[c.preset], 1))
        case t.Reaches(signal=a, preset=b):
            return Comparison([[Sum(((1, index[a]), (-1, index[b])), 1)]])
        case t.Mismatch(signal=a, other=b):
            unknown = [Sum(((1, index[a]),), 1), Sum(((-1, index[a]),), 1)]
            return Comparison([*_unequal(index[a], index[b]), unknown])
        case t.WrongDigest(signal=a):
            return Comparison([[Sum(((1, index[a]),), -table.token)], [Sum(((-1, index[a]),), table.token)]])
        case t.Rate() as c:
            return _compile_rate(table, c)
        case t.PerTravel() as c:
            return PerTravel(
                index[c.signal],
                index[c.planned],
                index[c.position],
                table.counts(c.position, c.over),
                t.hundredths(c.percent),
                table.counts(c.signal, c.by),
            )
        case t.Stale(signal=a, ticks=ticks):
            return Stale(index[a], ticks)
        case t.Timer(limit=a):
            # scans * period [us] against limit * lsb [ms]
            lsb = Fraction(str(table.signals[a].lsb)) * 1000
            return Timer(index[a], table.scan_period * lsb.denominator, lsb.numerator)
        case t.Moves(signal=a, by=by, after=after):
            return Moves(index[a], table.counts(a, by), after, grows_only=False)
        case t.Grows(signal=a, by=by, after=after):
            return Moves(index[a], table.counts(a, by), after, grows_only=True)
        case t.Flag(flag=name):
            return Flag(lambda: flag(name))
    raise AssertionError(f"condition {row.trips_when.kind} has no run-time form")


def _unequal(a: int, b: int) -> list[list[Sum]]:
    return [[Sum(((1, a), (-1, b)), 0)], [Sum(((-1, a), (1, b)), 0)]]


def _apart(table: t.Table, c: t.Differs | t.Exceeds, a: int, b: int, sign: int) -> list[list[Sum]]:
    """``sign * (a - b)`` above the fixed amount and/or the percentage of b."""
    sums = []
    if c.by is not None:
        sums.append(Sum(((sign, a), (-sign, b)), -table.counts(c.signal, c.by)))
    if c.percent is not None:
        sums.append(Sum(((sign * 10_000, a), (-sign * 10_000 - t.hundredths(c.percent), b)), 0))
    return _either_or_both(sums, c.combine)


def _compile_rate(table: t.Table, c: t.Rate) -> SlidingRate:
    """gain * lsb / (window in minutes) against percent * set * lsb, as two integer factors."""
    counter, set_rate = table.signals[c.signal], table.signals[c.set_rate]
    minutes = Fraction(c.window * table.scan_period, 60_000_000)
    gain = Fraction(str(counter.lsb)) / minutes
    limit = Fraction(str(set_rate.lsb)) * Fraction(t.hundredths(c.percent), 10_000)
    common = gain / limit
    return SlidingRate(
        table.signal_index[c.signal],
        table.signal_index[c.set_rate],
        c.window,
        c.step,
        c.sense == "above",
        common.numerator,
        common.denominator,
    )
