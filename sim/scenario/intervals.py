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
    channel = trace.channels.get(name)
    samples = channel.samples if channel is not None else []
    found: list[Interval] = []
    for index, sample in enumerate(samples):
        end = samples[index + 1].t_us if index + 1 < len(samples) else trace.end_us
        for start, stop in _outside(float(sample.value), sample.slope / 1e6, end - sample.t_us, limit):
            if found and found[-1][1] == sample.t_us + start:
                found[-1] = (found[-1][0], sample.t_us + stop)
            else:
                found.append((sample.t_us + start, sample.t_us + stop))
    return found


def _outside(value: float, slope: float, length: int, limit: float) -> list[Interval]:
    """Parts of a straight stretch of ``length`` microseconds that lie outside -limit..limit."""
    if slope == 0:
        enters, leaves = (0, length) if abs(value) <= limit else (length, length)
    else:
        enters, leaves = (
            min(length, max(0, round(crossing)))
            for crossing in sorted((bound - value) / slope for bound in (-limit, limit))
        )
    return [(a, b) for a, b in ((0, enters), (leaves, length)) if a < b]


def overlap(first: Iterable[Interval], second: Iterable[Interval]) -> list[Interval]:
    """Stretches in which both hold."""
    found = []
    right = list(second)
    for a, b in first:
        for c, d in right:
            low, high = max(a, c), min(b, d)
            if low < high:
                found.append((low, high))
    return found


def after_grace(intervals: Iterable[Interval], grace_us: int) -> list[Interval]:
    """What is left of each stretch when its first ``grace_us`` do not count."""
    return [(a + grace_us, b) for a, b in intervals if b > a + grace_us]


def longest(intervals: Iterable[Interval]) -> int:
    """Length of the longest stretch, 0 when there is none."""
    return max((b - a for a, b in intervals), default=0)
