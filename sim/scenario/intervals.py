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
