"""Day by day: which fraction of which target is given when.

:func:`make_schedule` plans a whole course or, given what was delivered already, the rest of an
interrupted one. Rules and checker are in :mod:`sim.plan.schedule_rules`, the search for days is in
:mod:`sim.plan.schedule_search`. Nothing here reads a clock: the start date is part of the request.

A schedule begins on the first day that leads to an end, treats as many targets a day as allowed,
and leaves a target out only where treating it would make the rest impossible; the order of the
targets decides between them. It is not always the one that ends first: ask for a last date.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sim.plan.course import Course, Target
from sim.plan.schedule_refusal import ScheduleError, refusal
from sim.plan.schedule_rules import WAIVABLE, Request, RequestError, Rule, Violation, check, visits_on
from sim.plan.schedule_search import MAX_STEPS, Job, Puzzle, Span, Undecided, solve
from sim.plan.spacing import DAY
from sim.plan.visits import Visit, in_order, remaining

HORIZON = 366
"""Days after the start within which a course ends (engineering default)."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """All visits of a course: those delivered before and those planned now, in order of time."""

    course: Course
    request: Request
    delivered: tuple[Visit, ...]
    visits: tuple[Visit, ...]  # planned
    deviations: tuple[Violation, ...]  # of everything from the course's rules; gaps of an interruption too

    def is_remainder(self, visit: Visit) -> bool:
        """Whether a planned visit completes a fraction of which part was delivered."""
        return any(
            given.target == visit.target and given.fraction == visit.fraction for given in self.delivered
        )


def make_schedule(course: Course, request: Request, delivered: Iterable[Visit] = ()) -> Schedule:
    """The schedule for everything of ``course`` that ``delivered`` has not completed.

    A fraction delivered in part is completed first, as soon as the request allows. Where the longest
    interval after the last visit has passed before the target can be treated again, the fraction is
    planned all the same and the gap is among the deviations.

    Raises RequestError when the request contradicts itself or what was delivered, ScheduleError
    when no schedule keeps every rule.
    """
    given = tuple(in_order(delivered))
    _check_request(course, request, given)
    puzzle = puzzle_for(course, request, given)
    try:
        days = solve(puzzle)
    except Undecided:
        raise ScheduleError(
            f"neither a schedule nor the proof that there is none was found within {MAX_STEPS} steps; allow "
            "more targets a day or a later last date, or treat the targets in two groups",
            None,
            (),
        ) from None
    if days is None:
        raise refusal(course, request, given, puzzle)
    visits = visits_on(course, request, given, days)
    return Schedule(course, request, given, visits, check(course, (*given, *visits), request))


def puzzle_for(course: Course, request: Request, given: tuple[Visit, ...]) -> Puzzle:
    """The search's view of a request that :func:`make_schedule` has found consistent."""
    targets = request.targets_in_order(course)
    days = [request.start + timedelta(days=n) for n in range(HORIZON)]
    open_days = tuple(request.open(day) for day in days)
    last = HORIZON - 1
    if request.last_date is not None:
        last = min(last, (request.last_date - request.start).days)
    holidays = [(day - request.start).days for day in request.holidays]
    place = {target.id: index for index, target in enumerate(targets)}
    spans = [
        Span(
            frozenset(place[name] for name in limit.targets),
            limit.days,
            next(((v.at.date() - request.start).days for v in given if v.target in limit.targets), None),
        )
        for limit in course.overall
        if "overall-time" not in request.waived
    ]
    return Puzzle(
        jobs=tuple(
            _job(target, index, request, given, open_days[: last + 1]) for index, target in enumerate(targets)
        ),
        open_days=open_days,
        weekly_from=max([0, *(day + 1 for day in holidays)]),
        last=last,
        capacity=request.capacity(course),
        arrangement=request.arrangement,
        together=frozenset(range(len(targets))) if request.not_all_on_one_day and len(targets) > 1 else None,
        spans=tuple(spans),
    )


def _job(
    target: Target, place: int, request: Request, given: tuple[Visit, ...], open_days: tuple[bool, ...]
) -> Job:
    spacing = target.spacing
    left = remaining(target, given)
    own = [visit for visit in given if visit.target == target.id]
    limit = HORIZON if "longest-interval" in request.waived else spacing.max_days
    first_from, first_to = 0, None
    if own and left:
        last = own[-1]
        unfinished = last.fraction == left[0]
        if not unfinished:
            first_from = _first_day(request, place, last, spacing.min_interval, spacing.min_days)
        due = (last.at.date() - request.start).days + limit
        # A pause that is already too long cannot be mended: the gap becomes a deviation.
        if any(open_days[max(first_from, 0) : max(due + 1, 0)]):
            first_to = due
    return Job(tuple(left), spacing.shortest_days, limit, first_from, first_to)


def _first_day(request: Request, place: int, last: Visit, min_interval: int, min_days: int) -> int:
    """First day, from the start, on which the target's hour is far enough from its last visit."""
    hour = request.moment(last.at.date(), place)
    late = (last.at - hour) // timedelta(microseconds=1)
    days = max(min_days, -(-(min_interval + late) // DAY))
    return (last.at.date() - request.start).days + days


def _check_request(course: Course, request: Request, given: tuple[Visit, ...]) -> None:
    targets = request.targets_in_order(course)
    if not request.working_days <= frozenset(range(7)) or not request.working_days:
        raise RequestError(f"working days are {sorted(request.working_days)}; give some of 0 (Monday) to 6")
    if request.targets_per_day is not None and request.targets_per_day < 1:
        raise RequestError(f"targets per day is {request.targets_per_day}, must be at least 1")
    if request.last_date is not None and request.last_date < request.start:
        raise RequestError(f"the last date {request.last_date} is before the start {request.start}")
    if not 1 <= request.slot_minutes <= 240:
        raise RequestError(f"a slot is {request.slot_minutes} min long, must be 1 to 240")
    latest = request.moment(request.start, len(targets) - 1)
    if latest.date() != request.start:
        raise RequestError(
            f"{len(targets)} slots of {request.slot_minutes} min from {request.first_hour:%H:%M} end after "
            "midnight; begin earlier or shorten the slots"
        )
    _check_waived(request.waived)
    unknown = [v for v in check(course, given) if v.rule == "known"]
    if unknown:
        raise RequestError(f"delivered: {unknown[0]}")
    if given and given[-1].at.date() >= request.start:
        day: date = given[-1].at.date()
        raise RequestError(
            f"the start {request.start} is not after the last visit delivered, on {day}; "
            f"start on {day + timedelta(days=1)} or later"
        )


def _check_waived(waived: frozenset[Rule]) -> None:
    for rule in sorted(waived):
        if rule not in WAIVABLE:
            raise RequestError(f"{rule} cannot be waived; only {' and '.join(WAIVABLE)} can")


__all__ = ["Schedule", "ScheduleError", "make_schedule", "puzzle_for"]
