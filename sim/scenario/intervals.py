"""Stretches of time in which something holds, and how they overlap. All in microseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sim.record.trace import Channel, Trace

Interval = tuple[int, int]


def where(trace: Trace, name: str, holds: Callable[[object], bool] = bool) -> list[Interval]:
    """Stretches in which a step channel's value satisfies ``holds``; empty when it was never recorded."""
    channel = trace.channels.get(name)
    return [] if channel is None else stretches(channel, holds, trace.end_us)


def stretches(channel: Channel, holds: Callable[[object], bool], end_us: int) -> list[Interval]:
    """The same for one channel; slopes are not looked at."""
    found: list[Interval] = []
    start: int | None = None
    for sample in channel.samples:
        if holds(sample.value):
            start = sample.t_us if start is None else start
        elif start is not None:
            if sample.t_us > start:
                found.append((start, sample.t_us))
            start = None
    if start is not None and end_us > start:
        found.append((start, end_us))
    return found


def beyond(trace: Trace, name: str, limit: float) -> list[Interval]:
    """Stretches in which a number's absolute value exceeds ``limit``, its slopes taken into account."""
    return outside(trace, name, -limit, limit)


def outside(trace: Trace, name: str, low: float, high: float) -> list[Interval]:
    """Stretches in which a number is below ``low`` or above ``high``, its slopes taken into account."""
    channel = trace.channels.get(name)
    if channel is None or not channel.samples:
        return []
    samples = channel.samples
    found: list[Interval] = []
    ends = [sample.t_us for sample in samples[1:]] + [trace.end_us]
    for (t_us, first, slope), end in zip(samples, ends, strict=True):
        value = float(first)
        last = value + slope * (end - t_us) / 1e6
        if low <= value <= high and low <= last <= high:
            continue
        away = (value > high and last > high) or (value < low and last < low)
        length = end - t_us
        for start, stop in [(0, length)] if away else _outside(value, slope / 1e6, length, low, high):
            if found and found[-1][1] == t_us + start:
                found[-1] = (found[-1][0], t_us + stop)
            else:
                found.append((t_us + start, t_us + stop))
    return found


def _outside(value: float, slope: float, length: int, low: float, high: float) -> list[Interval]:
    """Parts of a straight stretch of ``length`` microseconds that lie outside low..high."""
    if slope == 0:
        enters, leaves = (0, length) if low <= value <= high else (length, length)
    else:
        enters, leaves = (
            min(length, max(0, round(crossing)))
            for crossing in sorted((bound - value) / slope for bound in (low, high))
        )
    return [(a, b) for a, b in ((0, enters), (leaves, length)) if a < b]


def overlap(first: Iterable[Interval], second: Iterable[Interval]) -> list[Interval]:
    """Stretches in which both hold; those of each are apart and in order of time."""
    found = []
    left, right = list(first), list(second)
    i = j = 0
    while i < len(left) and j < len(right):
        low, high = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if low < high:
            found.append((low, high))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return found


def after_grace(intervals: Iterable[Interval], grace_us: int) -> list[Interval]:
    """What is left of each stretch when its first ``grace_us`` do not count."""
    return [(a + grace_us, b) for a, b in intervals if b > a + grace_us]


def longest(intervals: Iterable[Interval]) -> int:
    """Length of the longest stretch, 0 when there is none."""
    return max((b - a for a, b in intervals), default=0)
