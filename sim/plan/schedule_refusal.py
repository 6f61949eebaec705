"""Why there is no schedule, and what would make one possible.

Each limit is widened on its own until a schedule exists; the least widening that does is a remedy.
The nearest schedule, under the first remedy, is then held against the rules as they were: its first
violation names rule, target, fraction and dates. When no single limit is enough, all are widened
and each is drawn back again as far as it can be; what is left are the changes needed together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TypeVar

from sim.plan.course import Course, OverallTime
from sim.plan.schedule_rules import Request, Rule, Violation, check, visits_on
from sim.plan.schedule_search import Puzzle, Undecided, solve
from sim.plan.visits import Visit

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Limit:
    """One limit that can be widened: 0 is as asked, ``most`` as wide as it gets."""

    rule: Rule
    most: int
    widen: Callable[[Puzzle, int], Puzzle]
    remedy: Callable[[int], str]


class ScheduleError(ValueError):
    """No schedule keeps every rule.

    ``violation`` is the first place where the nearest schedule breaks one; ``remedies`` are changes
    of which each makes a schedule possible. Both are empty when the search gave up before an answer.
    """

    def __init__(self, message: str, violation: Violation | None, remedies: tuple[str, ...]) -> None:
        super().__init__(message)
        self.violation = violation
        self.remedies = remedies


def refusal(course: Course, request: Request, given: tuple[Visit, ...], puzzle: Puzzle) -> ScheduleError:
    """The error for a puzzle that has no solution."""
    limits = _limits(course, request, puzzle)
    remedies: list[str] = []
    nearest: list[list[int]] | None = None
    widened: set[Rule] = set()
    for limit in limits:
        step = _least(partial(limit.widen, puzzle), limit.most)
        if step is None:
            continue
        amount, days = step
        remedies.append(limit.remedy(amount))
        if nearest is None:
            nearest, widened = days, {limit.rule}
    if nearest is None:
        combined = _together(puzzle, limits)
        if combined is None:
            return ScheduleError(
                f"no schedule within {len(puzzle.open_days)} days of {request.start} keeps every rule, and "
                "widening every limit does not help: check the working days and holidays",
                None,
                (),
            )
        text, nearest, widened = combined
        remedies.append(text)
    broken = check(course, (*given, *visits_on(course, request, given, nearest)), request)
    # What was delivered, or could not be given in time any more, is no reason; what was widened is.
    violation = next(v for v in broken if v.rule in widened and v.at.date() >= request.start)
    lines = [f"no schedule keeps every rule; the nearest breaks {violation.rule}", f"  {violation}"]
    lines += [f"  possible with {remedy}" for remedy in remedies]
    return ScheduleError("\n".join(lines), violation, tuple(remedies))


def _limits(course: Course, request: Request, puzzle: Puzzle) -> list[_Limit]:
    """What may be widened, the request's own limits first."""
    targets = request.targets_in_order(course)

    def last_date(n: int) -> str:
        return f"a last date of {request.start + timedelta(days=puzzle.last + n):%a %Y-%m-%d} or later"

    found = [
        _Limit(
            "last-date",
            len(puzzle.open_days) - 1 - puzzle.last,
            lambda p, n: replace(p, last=p.last + n),
            last_date,
        ),
        _Limit(
            "targets-per-day",
            len(targets) - puzzle.capacity,
            lambda p, n: replace(p, capacity=p.capacity + n),
            lambda n: f"{puzzle.capacity + n} targets a day",
        ),
        _Limit(
            "arrangement",
            int(puzzle.arrangement != "free"),
            lambda p, n: replace(p, arrangement="free" if n else p.arrangement),
            lambda n: f"another arrangement than {puzzle.arrangement.replace('_', ' ')}",
        ),
        _Limit(
            "not-all-on-one-day",
            int(puzzle.together is not None),
            lambda p, n: replace(p, together=None if n else p.together),
            lambda n: "all targets on one day",
        ),
    ]
    most = len(puzzle.open_days)
    spans = course.overall[: len(puzzle.spans)]  # none when waived
    found += [_overall_time(index, limit, most) for index, limit in enumerate(spans)]
    found.append(
        _Limit(
            "longest-interval",
            most,
            _later,
            lambda n: f"{n} more days allowed between fractions; longest-interval can be waived",
        )
    )
    return [limit for limit in found if limit.most > 0]


def _overall_time(index: int, limit: OverallTime, most: int) -> _Limit:
    def widen(puzzle: Puzzle, days: int) -> Puzzle:
        span = puzzle.spans[index]
        return replace(puzzle, spans=_with(puzzle.spans, index, replace(span, days=span.days + days)))

    def remedy(days: int) -> str:
        longer = f"an overall time of {limit.days + days} days instead of {limit.days} ({limit.study})"
        return f"{longer}; overall-time can be waived"

    return _Limit("overall-time", most, widen, remedy)


def _later(puzzle: Puzzle, days: int) -> Puzzle:
    """Longer intervals for every target."""
    jobs = [
        replace(
            job,
            limit=job.limit + days,
            first_to=None if job.first_to is None else job.first_to + days,
        )
        for job in puzzle.jobs
    ]
    return replace(puzzle, jobs=tuple(jobs))


def _with(items: tuple[T, ...], index: int, item: T) -> tuple[T, ...]:
    return (*items[:index], item, *items[index + 1 :])


def _solved(puzzle: Puzzle) -> list[list[int]] | None:
    try:
        return solve(puzzle)
    except Undecided:
        return None  # no remedy is claimed that was not found


def _least(widened: Callable[[int], Puzzle], most: int) -> tuple[int, list[list[int]]] | None:
    """Smallest widening up to ``most`` with a solution, and this one. What fits stays possible wider."""
    days = _solved(widened(most))
    if days is None:
        return None
    low, high = 0, most  # nothing at low, a solution at high
    while high - low > 1:
        middle = (low + high) // 2
        found = _solved(widened(middle))
        if found is None:
            low = middle
        else:
            high, days = middle, found
    return high, days


def _together(puzzle: Puzzle, limits: list[_Limit]) -> tuple[str, list[list[int]], set[Rule]] | None:
    """What has to be widened together, the days this makes possible, and the rules it widens."""
    amounts = [limit.most for limit in limits]

    def widened(index: int, amount: int) -> Puzzle:
        result = puzzle
        for other, limit in enumerate(limits):
            result = limit.widen(result, amount if other == index else amounts[other])
        return result

    days = _solved(widened(0, amounts[0]))
    if days is None:
        return None
    for index in range(len(limits)):
        unchanged = _solved(widened(index, 0))
        if unchanged is not None:
            amounts[index], days = 0, unchanged
        elif (step := _least(partial(widened, index), amounts[index])) is not None:
            amounts[index], days = step
    needed = [(limit, amount) for limit, amount in zip(limits, amounts, strict=True) if amount]
    text = " and ".join(limit.remedy(amount) for limit, amount in needed)
    return text, days, {limit.rule for limit, _ in needed}
