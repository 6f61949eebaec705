"""Which session comes next: the schedule as it is, and what the course file says goes differently.

The schedule is made anew only after a session that did not go as planned.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sim.course.schema import SessionEntry
from sim.ledger.view import LedgerView
from sim.plan.course import Course
from sim.plan.schedule import make_schedule
from sim.plan.schedule_rules import Request
from sim.plan.visits import Visit, in_order

#: What is left of a fraction is given so long after its session began (engineering default).
SAME_DAY_PAUSE = timedelta(hours=2)
#: A target that gets nothing in so many sessions in a row is not tried for ever (engineering default).
MAX_FRUITLESS = 5


@dataclass(frozen=True, slots=True)
class PlannedSession:
    """The visits of one session in order of time, and what the course file says of it."""

    at: datetime
    visits: tuple[Visit, ...]
    entry: SessionEntry | None


class Days:
    """Gives one session after the other until nothing is left that anybody may give.

    ``next`` raises ScheduleError when what is left cannot be given under the rules.
    """

    def __init__(
        self, course: Course, request: Request, ledger: LedgerView, entries: list[SessionEntry]
    ) -> None:
        self._course, self._request, self._ledger = course, request, ledger
        self._entries = {(entry.giving.target, entry.giving.fraction): entry for entry in entries}
        self._used: set[tuple[str, int]] = set()
        self._planned: tuple[Visit, ...] | None = None
        self._from = request.start
        self._after: PlannedSession | None = None  # a second session on the same day
        self.blocked: dict[str, str] = {}  # targets nobody may go on with, and why
        self._fruitless: dict[str, int] = {}  # sessions in a row in which a target got nothing
        self._reached: dict[tuple[str, int], int] = {}  # mMU of a fraction after its last session

    def next(self) -> PlannedSession | None:
        """The next session; None: the course is over."""
        if self._after is not None:
            session, self._after = self._after, None
            return session
        if self._planned is None:
            self._planned = self._plan()
        if not self._planned:
            return None
        today = self._planned[0].at.date()
        visits = tuple(visit for visit in self._planned if visit.at.date() == today)
        key = next((v for v in ((v.target, v.fraction) for v in visits) if v in self._entries), None)
        if key is None or key in self._used:
            return PlannedSession(visits[0].at, visits, None)
        self._used.add(key)
        entry = self._entries[key]
        early = self._early(today, entry)
        if early is not None:
            moved = tuple(
                replace(v, at=v.at - (today - early)) for v in visits if (v.target, v.fraction) == key
            )
            return PlannedSession(moved[0].at, moved, entry)
        return PlannedSession(visits[0].at, visits, entry)

    def _early(self, day: date, entry: SessionEntry) -> date | None:
        """The day on which the patient comes too early; not before the last session."""
        if not entry.days_early:
            return None
        return max(day - timedelta(days=entry.days_early), self._from)

    def done(self, session: PlannedSession) -> None:
        """A session is over; what the ledger says about it decides how the course goes on."""
        self._from = session.at.date() + timedelta(days=1)
        for visit in session.visits:
            self._look_for_progress(visit)
        given = {(v.target, v.fraction): v for v in self._ledger.visits()}
        as_planned = all(
            (visit.target, visit.fraction) in given and given[visit.target, visit.fraction].complete
            for visit in session.visits
        )
        abandoned = self._ledger.abandoned()
        gone = {*abandoned, *self.blocked}
        if as_planned and self._planned is not None and session.visits[0] in self._planned:
            left = [v for v in self._planned if v.at.date() >= self._from and v.target not in gone]
            self._planned = tuple(left)
        else:
            self._planned = None
        if not as_planned and session.entry is not None and session.entry.remainder == "same_day":
            again = [
                replace(visit, at=session.at + SAME_DAY_PAUSE)
                for visit in session.visits
                if visit.target not in gone and not _complete(given.get((visit.target, visit.fraction)))
            ]
            if again:
                self._after = PlannedSession(again[0].at, tuple(again), None)

    def _look_for_progress(self, visit: Visit) -> None:
        """Give a target up for this course when session after session delivers nothing of it."""
        key = (visit.target, visit.fraction)
        reached = sum(self._ledger.reached(*key).values())
        tries = 0 if reached > self._reached.get(key, 0) else self._fruitless.get(visit.target, 0) + 1
        self._reached[key], self._fruitless[visit.target] = reached, tries
        if tries >= MAX_FRUITLESS:
            self.blocked.setdefault(visit.target, f"nothing was delivered in {tries} sessions in a row")

    def _plan(self) -> tuple[Visit, ...]:
        gone = {*self._ledger.abandoned(), *self.blocked}
        left = tuple(target for target in self._course.targets if target.id not in gone)
        if not left:
            return ()
        course = replace(self._course, targets=left)
        order = tuple(name for name in self._request.order if name not in gone)
        given = [visit for visit in self._ledger.visits() if visit.target not in gone]
        last = max((visit.at.date() for visit in self._ledger.visits()), default=None)
        start = self._from if last is None else max(self._from, last + timedelta(days=1))
        request = replace(self._request, start=start, order=order)
        return tuple(in_order(make_schedule(course, request, given).visits))


def _complete(visit: Visit | None) -> bool:
    return visit is not None and visit.complete
