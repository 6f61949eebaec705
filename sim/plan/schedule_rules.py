"""The rules a course keeps over its days, and the checker that says where they were broken.

The checker knows nothing of how a schedule is found. It judges a planned schedule and delivered
fractions alike; :mod:`sim.plan.schedule` is tested against it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal

from firmware_model.quantity import format_duration
from sim.plan.course import Course, Target
from sim.plan.visits import Visit, in_order, remaining

Rule = Literal[
    "known",  # the course has this target and fraction
    "once",  # a fraction is not given again when it is complete
    "order",  # fractions of a target in the order of their numbers
    "shortest-interval",  # hours between fractions of a target
    "rhythm",  # daily or every second day
    "longest-interval",  # days between fractions of a target
    "overall-time",  # a study's limit from the first dose to the last
    "not-all-on-one-day",
    "targets-per-day",
    "arrangement",  # same day, or taking turns
    "working-day",
    "last-date",
]
Arrangement = Literal["free", "same_day", "alternate"]
#: Rules that a request may set aside; what breaks them is then reported with the schedule.
WAIVABLE: tuple[Rule, ...] = ("overall-time", "longest-interval")

MONDAY_TO_FRIDAY = frozenset(range(5))


class RequestError(ValueError):
    """A request that contradicts itself, its course or what was delivered."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a schedule besides the course's own rules.

    ``order`` names the targets that go first; the others follow in the order of the course. It
    decides who is treated when not all can be, and the hour: each target keeps its own, one slot
    after the one before. Arrangements: ``free`` treats whoever is due; ``same_day`` treats all
    targets with fractions left in each session; ``alternate`` lets targets take turns, no target
    getting its next fraction before a later day than the others had their current one.

    ``not_all_on_one_day`` keeps one session from reaching every target of the course. No source
    demanding it was found (NRG-BR001, NCT02206334, says that not all metastases need to be treated
    on the same day), so it is off by default. Hour and slot are engineering defaults.
    """

    start: date  # earliest day of the first visit to be planned
    order: tuple[str, ...] = ()
    targets_per_day: int | None = None  # None: all, or one when they alternate
    arrangement: Arrangement = "free"
    working_days: frozenset[int] = MONDAY_TO_FRIDAY  # 0 is Monday
    holidays: frozenset[date] = frozenset()
    last_date: date | None = None
    not_all_on_one_day: bool = False
    waived: frozenset[Rule] = frozenset()
    first_hour: time = time(9)
    slot_minutes: int = 30

    def open(self, day: date) -> bool:
        """Whether anyone is treated on ``day``."""
        return day.weekday() in self.working_days and day not in self.holidays

    def targets_in_order(self, course: Course) -> tuple[Target, ...]:
        """Raises RequestError for a name that is unknown or given twice."""
        for name, count in Counter(self.order).items():
            if count > 1:
                raise RequestError(f"order: target {name!r} is named {count} times")
            if name not in [target.id for target in course.targets]:
                known = ", ".join(target.id for target in course.targets)
                raise RequestError(f"order: no target {name!r}; this course has: {known}")
        return (
            *(course.target(name) for name in self.order),
            *(target for target in course.targets if target.id not in self.order),
        )

    def capacity(self, course: Course) -> int:
        """Most targets a day."""
        if self.targets_per_day is not None:
            return self.targets_per_day
        return 1 if self.arrangement == "alternate" else len(course.targets)

    def moment(self, day: date, place: int) -> datetime:
        """When the target at ``place`` of the order (from 0) is treated on ``day``."""
        return datetime.combine(day, self.first_hour) + timedelta(minutes=place * self.slot_minutes)


@dataclass(frozen=True, slots=True)
class Violation:
    """One visit that breaks a rule; the message has the dates, the limit and its source."""

    rule: Rule
    target: str
    fraction: int
    at: datetime
    message: str

    def __str__(self) -> str:
        return f"{self.target}, fraction {self.fraction}, {self.at:%a %Y-%m-%d %H:%M}: {self.message}"


def check(course: Course, visits: Iterable[Visit], request: Request | None = None) -> tuple[Violation, ...]:
    """Every broken rule, in order of time; fractions that are still to come break none.

    Without ``request`` the rules of the course alone are judged. With it, those of the request too,
    on visits from its start on; earlier ones were given before it was made.
    """
    ordered = in_order(visits)
    known = {target.id: target for target in course.targets}
    found: list[Violation] = []
    for visit in ordered:
        if visit.target not in known:
            names = ", ".join(known)
            found.append(_violation("known", visit, f"the course has no such target, only {names}"))
        elif not 1 <= visit.fraction <= known[visit.target].fractions:
            limit = known[visit.target].fractions
            found.append(_violation("known", visit, f"the target has fractions 1 to {limit}"))
    usable = [v for v in ordered if v.target in known and 1 <= v.fraction <= known[v.target].fractions]
    for target in course.targets:
        own = [visit for visit in usable if visit.target == target.id]
        found += _sequence(target, own)
        found += _intervals(target, own)
    found += _overall(course, usable)
    if request is not None:
        planned = [visit for visit in usable if visit.at.date() >= request.start]
        found += _days(course, planned, request)
        found += _arrangement(course, usable, request)
    return tuple(sorted(found, key=lambda v: (v.at, v.target, v.fraction, v.rule)))


def _violation(rule: Rule, visit: Visit, message: str) -> Violation:
    return Violation(rule, visit.target, visit.fraction, visit.at, message)


def _day(moment: datetime | date) -> str:
    return f"{moment:%a %Y-%m-%d}"


def _sequence(target: Target, visits: list[Visit]) -> Iterator[Violation]:
    """Each fraction once, in the order of the numbers."""
    completed: dict[int, Visit] = {}
    for visit in visits:
        due = next((n for n in range(1, target.fractions + 1) if n not in completed), None)
        if visit.fraction in completed:
            earlier = _day(completed[visit.fraction].at)
            yield _violation("once", visit, f"this fraction was already complete on {earlier}")
        elif due is not None and visit.fraction > due:
            yield _violation("order", visit, f"fraction {due} is not complete yet")
        if visit.complete:
            completed.setdefault(visit.fraction, visit)


def _intervals(target: Target, visits: list[Visit]) -> Iterator[Violation]:
    spacing = target.spacing
    for before, visit in pairwise(visits):
        apart = visit.at - before.at
        days = (visit.at.date() - before.at.date()).days
        last = f"fraction {before.fraction} on {before.at:%a %Y-%m-%d %H:%M}"
        if not _is_remainder(before, visit):
            shortest = timedelta(microseconds=spacing.min_interval)
            if apart < shortest:
                yield _violation(
                    "shortest-interval",
                    visit,
                    f"{apart / timedelta(hours=1):g} h after {last}; at least "
                    f"{format_duration(spacing.min_interval)} must pass, "
                    f"until {before.at + shortest:%a %Y-%m-%d %H:%M}",
                )
            if days < spacing.min_days:
                due = before.at.date() + timedelta(days=spacing.min_days)
                rhythm = spacing.rhythm.replace("_", " ")
                yield _violation("rhythm", visit, f"{days} days after {last}; {rhythm} means {_day(due)}")
        if days > spacing.max_days:
            due = before.at.date() + timedelta(days=spacing.max_days)
            yield _violation(
                "longest-interval",
                visit,
                f"{days} days after {last}; at most {spacing.max_days} may pass, until {_day(due)}",
            )


def _is_remainder(before: Visit, visit: Visit) -> bool:
    """What an interrupted fraction still lacks is given as soon as possible, without an interval."""
    return visit.fraction == before.fraction and not before.complete


def _overall(course: Course, visits: list[Visit]) -> Iterator[Violation]:
    for limit in course.overall:
        own = [visit for visit in visits if visit.target in limit.targets]
        if not own:
            continue
        first = own[0].at.date()
        last = first + timedelta(days=limit.days)
        for visit in own:
            if visit.at.date() > last:
                yield _violation(
                    "overall-time",
                    visit,
                    f"{(visit.at.date() - first).days} days after the first dose on {_day(first)}; "
                    f"{limit.study} ends within {limit.days} days, until {_day(last)} ({limit.source})",
                )


def _days(course: Course, visits: list[Visit], request: Request) -> Iterator[Violation]:
    capacity = request.capacity(course)
    today: dict[date, list[Visit]] = {}
    for visit in visits:
        day = visit.at.date()
        today.setdefault(day, []).append(visit)
        if not request.open(day):
            why = "a holiday" if day in request.holidays else "no working day"
            yield _violation("working-day", visit, f"{_day(day)} is {why}")
        if request.last_date is not None and day > request.last_date:
            yield _violation("last-date", visit, f"the last date asked for is {_day(request.last_date)}")
        treated = list(dict.fromkeys(v.target for v in today[day]))
        if treated[-1] == visit.target and len(treated) > capacity:
            yield _violation(
                "targets-per-day", visit, f"target {len(treated)} of {_day(day)}; at most {capacity} a day"
            )
        if (
            request.not_all_on_one_day
            and 1 < len(treated) == len(course.targets)
            and treated[-1] == visit.target
        ):
            yield _violation(
                "not-all-on-one-day", visit, f"with this one every target is treated on {_day(day)}"
            )


def _arrangement(course: Course, visits: list[Visit], request: Request) -> Iterator[Violation]:
    """On the days planned, with all that was given before."""
    if request.arrangement == "free":
        return
    for visit in visits:
        day = visit.at.date()
        if day < request.start:
            continue
        before = [v for v in visits if v.at.date() < day]
        today = {v.target for v in visits if v.at.date() == day}
        for other in course.targets:
            left = remaining(other, before)
            if other.id == visit.target or not left:
                continue
            if request.arrangement == "same_day" and other.id not in today:
                message = f"{other.id} has fractions left and is not treated on {_day(day)}"
                yield _violation("arrangement", visit, message)
            if request.arrangement == "alternate" and left[0] < visit.fraction:
                message = f"{other.id} has its turn first: its fraction {left[0]} was not given before"
                yield _violation("arrangement", visit, message)


def visits_on(
    course: Course, request: Request, given: tuple[Visit, ...], days: list[list[int]]
) -> tuple[Visit, ...]:
    """Visits for the days (from the start) the search chose for each target in order."""
    visits = []
    for place, target in enumerate(request.targets_in_order(course)):
        for number, day in zip(remaining(target, given), days[place], strict=True):
            moment = request.moment(request.start + timedelta(days=day), place)
            visits.append(Visit(target.id, number, moment))
    return tuple(in_order(visits))
