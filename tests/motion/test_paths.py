"""Crossings of limits are exact: the same as looking at every millisecond, and as exact fractions."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.clinic.paths import Window, changes, mean, part, span, value_at

heights = st.integers(-60, 60) | st.integers(-(10**8), 10**8)
paths = st.lists(st.tuples(st.integers(1, 40_000), heights), min_size=1, max_size=12).map(
    lambda steps: [(sum(t for t, _ in steps[: i + 1]), y) for i, (_, y) in enumerate(steps)]
)
windows = st.tuples(heights, heights).map(lambda pair: Window(min(pair), max(pair)))


def exact(path: list[tuple[int, int]], t: int) -> Fraction:
    for (t0, y0), (t1, y1) in pairwise(path):
        if t0 <= t <= t1:
            return y0 + Fraction((y1 - y0) * (t - t0), t1 - t0)
    return Fraction(path[0][1] if t < path[0][0] else path[-1][1])


@settings(max_examples=200, deadline=None)
@given(paths, st.lists(windows, min_size=1, max_size=3))
@example([(0, 0), (10, 10), (20, 0)], [Window(10, 20)])  # touches the limit for a single instant
@example([(0, 10), (7, -10)], [Window(-3, 3)])
def test_changes_are_those_seen_by_looking_at_every_instant_around_them(
    path: list[tuple[int, int]], limits: list[Window]
) -> None:
    found = list(changes(path, limits))
    assert found[0][0] == path[0][0]
    assert [t for t, _ in found] == sorted({t for t, _ in found})
    for (t, then), following in zip(found, [*found[1:], None], strict=True):
        end = following[0] if following is not None else path[-1][0] + 1
        # At the change itself, at the last instant before the next one, and once a millisecond between.
        for look in {t, end - 1, *range(t, end, 1_000)}:
            assert then == tuple(low <= exact(path, look) <= high for low, high in limits), look


@settings(deadline=None)
@given(paths, st.integers(-10_000, 500_000), st.integers(1, 100_000))
def test_values_parts_and_spans_agree_with_exact_fractions(
    path: list[tuple[int, int]], start: int, length: int
) -> None:
    assert value_at(path, start) == exact(path, start).__floor__()
    cut = part(path, start, start + length)
    assert (cut[0][0], cut[-1][0]) == (start, start + length)
    assert all(a[0] < b[0] for a, b in pairwise(cut))
    for t in (start, start + length // 2, start + length):
        assert abs(exact(cut, t) - exact(path, t)) <= 1
    low, high = span(path, start, start + length)
    assert all(low <= exact(path, t).__floor__() <= high for t in range(start, start + length, 997))


def test_the_mean_is_over_time_not_over_points() -> None:
    assert mean([(0, 0), (10, 0), (11, 10), (12, 0), (22, 0)]) == 10 * 2 // (2 * 22)
    assert mean([(0, 10), (100, 10), (101, 10)]) == 10
