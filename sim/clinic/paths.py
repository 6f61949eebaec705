"""Positions as straight lines between points in time, and the exact instants they cross a limit.

A path is a list of points (time in microseconds, position in 32.16 fixed point of 0.01 mm), each later
than the one before; before its first and after its last point it stays where it is. All answers are exact for
these straight lines: an instant is the first whole microsecond at which something is so.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

from firmware_model.contract import FRACTION_BITS

MM = 100 << FRACTION_BITS  # 1 mm

Point = tuple[int, int]
Path = Sequence[Point]


class Window(NamedTuple):
    """Positions from ``low`` to ``high``, both included."""

    low: int
    high: int

    def widened(self, by: int) -> Window:
        return Window(self.low - by, self.high + by)

    def moved(self, by: int) -> Window:
        return Window(self.low + by, self.high + by)


def value_at(path: Path, t_us: int) -> int:
    """Position at ``t_us``, rounded down."""
    index = bisect_right(path, t_us, key=itemgetter(0))
    if index == 0:
        return path[0][1]
    t0, y0 = path[index - 1]
    if index == len(path):
        return y0
    t1, y1 = path[index]
    return y0 + (y1 - y0) * (t_us - t0) // (t1 - t0)


def part(path: Path, start_us: int, end_us: int) -> list[Point]:
    """The path from one instant to another, with a point at either."""
    low = bisect_right(path, start_us, key=itemgetter(0))
    high = bisect_right(path, end_us - 1, key=itemgetter(0), lo=low)
    return [(start_us, value_at(path, start_us)), *path[low:high], (end_us, value_at(path, end_us))]


def span(path: Path, start_us: int, end_us: int) -> Window:
    """Lowest and highest position between two instants."""
    values = [y for _, y in part(path, start_us, end_us)]
    return Window(min(values), max(values))


def mean(path: Path) -> int:
    """Mean position over time."""
    area = sum((y0 + y1) * (t1 - t0) for (t0, y0), (t1, y1) in pairwise(path))
    return area // (2 * (path[-1][0] - path[0][0]))


def changes(path: Path, windows: Sequence[Window]) -> Iterator[tuple[int, tuple[bool, ...]]]:
    """For each window whether the path is inside: at its first point, and at every instant of a change."""
    t_us, y = path[0]
    now = tuple(low <= y <= high for low, high in windows)
    yield t_us, now
    for (t0, y0), (t1, y1) in pairwise(path):
        if y0 == y1:
            continue
        bottom, top = (y0, y1) if y0 < y1 else (y1, y0)
        instants = {
            t
            for window in windows
            if not (window.low <= bottom and top <= window.high)
            and bottom <= window.high
            and top >= window.low
            for t in _crossings(t0, y0, t1, y1, window)
        }
        for instant in sorted(instants):
            position = y0 * (t1 - t0) + (y1 - y0) * (instant - t0)  # times the duration: exact
            then = tuple(low * (t1 - t0) <= position <= high * (t1 - t0) for low, high in windows)
            if then != now:
                now = then
                yield instant, then


def _crossings(t0: int, y0: int, t1: int, y1: int, window: Window) -> Iterator[int]:
    """First instants in (t0, t1] at which one straight line is on the other side of a limit."""
    rise, lasts = y1 - y0, t1 - t0
    if rise > 0:
        steps = (-((y0 - window.low) * lasts // rise), (window.high - y0) * lasts // rise + 1)
    else:
        steps = (-((y0 - window.high) * lasts // rise), (window.low - y0) * lasts // rise + 1)
    for step in steps:
        if 0 < step <= lasts:
            yield t0 + step
