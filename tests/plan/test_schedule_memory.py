"""What keeps the search for days short must not change its answer."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sim.plan import schedule_search
from sim.plan.schedule_search import Job, Puzzle, Search, Span, Undecided, _Situation


@st.composite
def puzzles(draw: st.DrawFn) -> Puzzle:
    """Three weeks, tight: much is impossible, and much is found out only late."""
    number = draw(st.integers(2, 4))
    kinds = [
        (gap, gap + draw(st.integers(0, 4)))
        for gap in draw(st.lists(st.integers(1, 3), min_size=2, max_size=2))
    ]
    jobs = []
    for _ in range(number):
        gap, limit = draw(st.sampled_from(kinds))
        first = draw(st.integers(1, 2))
        jobs.append(
            Job(
                turns=tuple(range(first, first + draw(st.integers(1, 4)))),
                gap=gap,
                limit=limit,
                first_from=draw(st.integers(0, 4)),
                first_to=draw(st.none() | st.integers(3, 9)),
            )
        )
    week = [*draw(st.lists(st.booleans(), min_size=5, max_size=5)), True, True]
    holidays = draw(st.sets(st.integers(0, 7), max_size=2))
    open_days = tuple(week[day % 7] and day not in holidays for day in range(22))
    members = st.sets(st.integers(0, number - 1), min_size=1).map(frozenset)
    return Puzzle(
        jobs=tuple(jobs),
        open_days=open_days,
        weekly_from=max([0, *(day + 1 for day in holidays)]),
        last=draw(st.integers(6, 21)),
        capacity=draw(st.integers(1, 2)),
        arrangement=draw(st.sampled_from(["free", "free", "free", "same_day", "alternate"])),
        together=draw(st.none() | members.filter(lambda names: len(names) > 1)),
        spans=tuple(
            Span(jobs_, draw(st.integers(4, 16)), draw(st.none() | st.integers(-6, -1)))
            for jobs_ in draw(st.lists(members, max_size=2))
        ),
    )


class Unbounded(Search):
    """Notices only when a date has passed, so that the memory has more to remember."""

    def _bounded(self, situation: _Situation, day: int) -> bool:
        ends = zip(self.puzzle.spans, situation.ends, strict=True)
        over = {index for span, end in ends if end is not None and end < day for index in span.jobs}
        return not any(
            left and (index in over or (to is not None and to < day))
            for index, (left, _, to) in enumerate(situation.left)
        )


@settings(
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(puzzles())
def test_neither_memory_nor_bounds_change_the_answer(puzzle: Puzzle) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schedule_search, "MAX_STEPS", 4_000)
        try:
            plain = Unbounded(puzzle, remember=False).run()
        except Undecided:
            assume(False)
    assert Unbounded(puzzle).run() == plain
    assert Search(puzzle, remember=False).run() == plain
    assert Search(puzzle).run() == plain


def days(pattern: str) -> tuple[bool, ...]:
    return tuple(mark == "o" for mark in pattern)


@pytest.mark.parametrize(
    ("puzzle", "expected"),
    [
        pytest.param(
            Puzzle(
                (Job((3, 4), 2, 4, 0, None), Job((3, 4), 2, 5, 0, None), Job((3, 4, 5), 2, 2, 3, None)),
                days("--ooo-o-oooo-o-"),
                weekly_from=2,
                last=14,
                capacity=2,
                arrangement="alternate",
                together=None,
                spans=(),
            ),
            [[6, 9], [3, 8], [6, 8, 10]],
            id="limits differ, and days of a week",
        ),
        pytest.param(
            Puzzle(
                (Job((2, 3, 4), 1, 4, 0, None), Job((1, 2, 3), 1, 4, 0, None)),
                days("oo-ooo-oooooo-o"),
                weekly_from=3,
                last=13,
                capacity=2,
                arrangement="free",
                together=frozenset({0, 1}),
                spans=(Span(frozenset({1}), 5, -2),),
            ),
            [[4, 5, 7], [0, 1, 3]],
            id="one of two alike is in a span",
        ),
        pytest.param(
            Puzzle(
                (Job((2,), 2, 3, 0, None), Job((2, 3, 4), 2, 2, 0, None), Job((2, 3, 4), 2, 3, 1, None)),
                days("-oo--o--ooo-oo-"),
                weekly_from=7,
                last=13,
                capacity=2,
                arrangement="free",
                together=frozenset({0, 1, 2}),
                spans=(Span(frozenset({0, 1, 2}), 6, None), Span(frozenset({2}), 7, None)),
            ),
            [[9], [8, 10, 12], [8, 10, 12]],
            id="weeks differ before the last holiday",
        ),
    ],
)
def test_situations_that_only_look_alike_are_kept_apart(puzzle: Puzzle, expected: list[list[int]]) -> None:
    assert Unbounded(puzzle).run() == Search(puzzle).run() == expected


def test_the_memory_makes_hard_refusals_affordable() -> None:
    """Ten alike targets every second day, four a day, five fractions in two weeks: 1250 choices."""
    jobs = (Job((1, 2, 3, 4, 5), 2, 8, 0, None),) * 10
    week = tuple(day % 7 < 5 for day in range(366))
    puzzle = Puzzle(jobs, week, 0, 365, 4, "free", None, (Span(frozenset(range(10)), 14, None),))
    search = Search(puzzle)
    assert search.run() is None
    assert search.steps < 3_000
