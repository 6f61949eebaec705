"""Days for every fraction, or the certainty that there are none: an exhaustive search in whole days.

Each target keeps its hour, so a schedule is a choice of days, counted here from the first day
(day 0). The search goes through the days and on each one tries to treat as many targets as it can,
in their order; it goes back only when what it chose leaves the rest no place. So what it finds is
the first of all possible schedules in that sense, and when it finds nothing there is nothing.

Four things keep it short without changing its answer: bounds (each target on its own, all due
dates together, all fractions together), a memory of situations that led nowhere, that targets with
the same rules are interchangeable in this memory, and the week: after the last holiday a situation
is the same a week later, only with less time left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from sim.plan.schedule_rules import Arrangement

MAX_STEPS = 200_000
"""Choices tried before the search gives up (engineering default, about ten seconds)."""


class Undecided(Exception):
    """The search ended at MAX_STEPS: neither a schedule nor the proof that there is none."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is left to give to one target."""

    turns: tuple[int, ...]  # numbers of the fractions left
    gap: int  # least days from one to the next
    limit: int  # most days from one to the next
    first_from: int  # earliest day of the first
    first_to: int | None  # latest day of the first, if anything demands one


@dataclass(frozen=True, slots=True)
class Span:
    """At most ``days`` from the first to the last dose of these jobs."""

    jobs: frozenset[int]
    days: int
    first: int | None  # day of the first dose if it was given before; then not positive


@dataclass(frozen=True, slots=True)
class Puzzle:
    """Everything that decides the days. Jobs in the order in which they are preferred."""

    jobs: tuple[Job, ...]
    open_days: tuple[bool, ...]  # day 0 on
    weekly_from: int  # from this day on the open days repeat every seven
    last: int  # last day that may be used, below len(open_days)
    capacity: int
    arrangement: Arrangement
    together: frozenset[int] | None  # these are never all treated on one day
    spans: tuple[Span, ...]


# (fractions left, earliest day of the next, latest day of the next or None) of one job
_Left = tuple[int, int, int | None]
_NEVER = 1_000_000  # in place of None where tuples are sorted


@dataclass(frozen=True, slots=True)
class _Situation:
    left: tuple[_Left, ...]
    ends: tuple[int | None, ...]  # last day of each span, None before its first dose


@dataclass(slots=True)
class _Frame:
    day: int
    situation: _Situation
    choices: Iterator[tuple[int, ...]]
    chosen: tuple[int, ...] = ()


def solve(puzzle: Puzzle) -> list[list[int]] | None:
    """Days for each job, or None when no choice of days keeps every rule. Raises Undecided."""
    return Search(puzzle).run()


@dataclass(slots=True)
class Search:
    """One search; ``remember`` False looks at every situation anew, for tests of the memory."""

    puzzle: Puzzle
    remember: bool = True
    steps: int = 0
    open_before: list[int] = field(default_factory=list)  # open days among the days before
    alone: dict[tuple[int, int, int], int | None] = field(default_factory=dict)
    failed: dict[object, int] = field(default_factory=dict)
    group_of: list[int] = field(default_factory=list)  # jobs under the same rules have the same

    def run(self) -> list[list[int]] | None:
        puzzle = self.puzzle
        self.open_before = [0, *accumulate(int(is_open) for is_open in puzzle.open_days)]
        self.group_of = self._groups() if self.remember else list(range(len(puzzle.jobs)))
        start = _Situation(
            tuple((len(job.turns), max(job.first_from, 0), job.first_to) for job in puzzle.jobs),
            tuple(None if span.first is None else span.first + span.days for span in puzzle.spans),
        )
        if not any(left for left, _, _ in start.left):
            return [[] for _ in puzzle.jobs]
        first = self._enter(start, 0)
        frames = [] if first is None else [first]
        while frames:
            frame = frames[-1]
            for chosen in frame.choices:
                self.steps += 1
                if self.steps > MAX_STEPS:
                    raise Undecided
                frame.chosen = chosen
                situation = self._advance(frame.situation, frame.day, chosen)
                if not any(left for left, _, _ in situation.left):
                    return [[f.day for f in frames if index in f.chosen] for index in range(len(puzzle.jobs))]
                following = self._enter(situation, frame.day + 1)
                if following is not None:
                    frames.append(following)
                    break
            else:
                if self.remember:
                    key = self._key(frame.situation, frame.day)
                    self.failed[key] = min(frame.day, self.failed.get(key, frame.day))
                frames.pop()
        return None

    def _groups(self) -> list[int]:
        groups: dict[object, int] = {}
        found = []
        for index, job in enumerate(self.puzzle.jobs):
            spans = tuple(index in span.jobs for span in self.puzzle.spans)
            turns = job.turns if self.puzzle.arrangement == "alternate" else ()
            found.append(groups.setdefault((turns, job.gap, job.limit, spans), len(groups)))
        return found

    def _advance(self, situation: _Situation, day: int, chosen: tuple[int, ...]) -> _Situation:
        left = list(situation.left)
        for index in chosen:
            job = self.puzzle.jobs[index]
            left[index] = (left[index][0] - 1, day + job.gap, day + job.limit)
        ends = tuple(
            day + span.days if end is None and not span.jobs.isdisjoint(chosen) else end
            for span, end in zip(self.puzzle.spans, situation.ends, strict=True)
        )
        return _Situation(tuple(left), ends)

    def _enter(self, situation: _Situation, day: int) -> _Frame | None:
        """The next day on which anyone can be treated; None when the rest has no place."""
        wanted = [situation.left[index][1] for index in self._candidates(situation)]
        day = max(day, max(wanted) if self.puzzle.arrangement == "same_day" else min(wanted))
        while day <= self.puzzle.last and not self.puzzle.open_days[day]:
            day += 1
        if day > self.puzzle.last or not self._bounded(situation, day):
            return None
        if self.remember and self.failed.get(self._key(situation, day), day + 1) <= day:
            return None
        return _Frame(day, situation, self._choices(situation, day))

    def _candidates(self, situation: _Situation) -> list[int]:
        """Jobs that may be next: all with fractions left, or those whose turn it is."""
        unfinished = [index for index, (left, _, _) in enumerate(situation.left) if left]
        if self.puzzle.arrangement != "alternate":
            return unfinished
        turn = {index: self.puzzle.jobs[index].turns[-situation.left[index][0]] for index in unfinished}
        lowest = min(turn.values())
        return [index for index in unfinished if turn[index] == lowest]

    def _choices(self, situation: _Situation, day: int) -> Iterator[tuple[int, ...]]:
        """Whom to treat on ``day``: as many as possible first, in the order of the jobs."""
        due = [index for index in self._candidates(situation) if situation.left[index][1] <= day]
        if self.puzzle.arrangement == "same_day":
            unfinished = [index for index, (left, _, _) in enumerate(situation.left) if left]
            options: Iterator[tuple[int, ...]] = iter([tuple(unfinished), ()] if due == unfinished else [()])
        else:
            options = _subsets(due, self.puzzle.capacity)
        together = self.puzzle.together
        tried: set[object] = set()
        for chosen in options:
            if len(chosen) <= self.puzzle.capacity and not (together is not None and together <= {*chosen}):
                kind = tuple(sorted((self.group_of[i], _seen_from(situation.left[i], day)) for i in chosen))
                if kind not in tried:  # interchangeable with one that led nowhere
                    tried.add(kind)
                    yield chosen

    def _bounded(self, situation: _Situation, day: int) -> bool:
        """False when the fractions left cannot be given, whatever is chosen from ``day`` on."""
        ends = [self.puzzle.last] * len(situation.left)
        for span, end in zip(self.puzzle.spans, situation.ends, strict=True):
            for index in span.jobs if end is not None else ():
                ends[index] = min(ends[index], end if end is not None else ends[index])
        due: list[int] = []
        demand: dict[int, int] = {}
        for index, (left, start, to) in enumerate(situation.left):
            if not left:
                continue
            finish = self._finish(index, left, max(start, day), ends[index] if to is None else to)
            if finish is None or finish > ends[index]:
                return False
            due.append(ends[index] if to is None else min(to, ends[index]))
            demand[ends[index]] = demand.get(ends[index], 0) + left
        return self._fits(day, sorted(due), 1) and self._fits(day, sorted(demand), demand)

    def _fits(self, day: int, by: list[int], count: int | dict[int, int]) -> bool:
        """Whether the days up to each date hold the visits that are due by it."""
        total = 0
        for end in by:
            total += count if isinstance(count, int) else count[end]
            if total > self.puzzle.capacity * (self.open_before[end + 1] - self.open_before[day]):
                return False
        return True

    def _finish(self, index: int, left: int, start: int, to: int) -> int | None:
        """Earliest last day of a job alone, its next fraction between two days; None: impossible."""
        best: int | None = None
        gap = self.puzzle.jobs[index].gap
        for day in range(start, min(to, self.puzzle.last) + 1):
            if best is not None and day + (left - 1) * gap >= best:
                break
            if self.puzzle.open_days[day]:
                finish = self._finish_from(index, left, day)
                if finish is not None and (best is None or finish < best):
                    best = finish
        return best

    def _finish_from(self, index: int, left: int, day: int) -> int | None:
        """The same with the next fraction on ``day``."""
        if left == 1:
            return day
        key = (index, left, day)
        if key not in self.alone:
            job = self.puzzle.jobs[index]
            self.alone[key] = self._finish(index, left - 1, day + job.gap, day + job.limit)
        return self.alone[key]

    def _key(self, situation: _Situation, day: int) -> object:
        """What the future depends on, as seen from ``day``; the time left is kept beside it."""
        place = day if day < self.puzzle.weekly_from else -1 - (day - self.puzzle.weekly_from) % 7
        left = sorted(
            (group, _seen_from(job, day)) for group, job in zip(self.group_of, situation.left, strict=True)
        )
        return place, tuple(left), tuple(None if end is None else end - day for end in situation.ends)


def _seen_from(left: _Left, day: int) -> tuple[int, int, int]:
    """What is left of a job, in days from ``day``."""
    count, start, to = left
    return (count, max(start - day, 0), _NEVER if to is None else to - day) if count else (0, 0, 0)


def _subsets(items: list[int], most: int) -> Iterator[tuple[int, ...]]:
    """Those with the first item before those without, and so on; at most ``most`` items."""
    if not items or most == 0:
        yield ()
        return
    for rest in _subsets(items[1:], most - 1):
        yield (items[0], *rest)
    yield from _subsets(items[1:], most)
