"""Random courses: schedules keep the rules, and small cases agree with trying everything.

The second search here shares nothing with the product but the checker: it writes down every choice
of days and keeps those the checker accepts.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_courses import MONDAY, course, from_monday, target

from sim.plan.course import Course, Target
from sim.plan.schedule import ScheduleError, make_schedule
from sim.plan.schedule_rules import Request, Rule, check
from sim.plan.spacing import HOUR, Rhythm, Spacing
from sim.plan.visits import Visit, remaining

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def spacings(draw: st.DrawFn, longest: int) -> Spacing:
    rhythm: Rhythm = draw(st.sampled_from(["daily", "every_second_day"]))
    hours = draw(st.sampled_from([18, 24, 40, 60]))
    shortest = Spacing(rhythm, hours * HOUR, 30).shortest_days
    return Spacing(rhythm, hours * HOUR, draw(st.integers(shortest, max(shortest, longest))))


@st.composite
def courses(draw: st.DrawFn, targets: int, fractions: int, longest: int) -> Course:
    number = draw(st.integers(1, targets))
    found: list[Target] = []
    for name in "abcdefgh"[:number]:
        # Often the same rules as the one before: interchangeable targets are a case of their own.
        spacing = found[-1].spacing if found and draw(st.booleans()) else draw(spacings(longest))
        found.append(target(name, draw(st.integers(1, fractions)), spacing))
    return course(*found, overall_days=draw(st.none() | st.integers(3, 3 * longest)))


@st.composite
def requests(draw: st.DrawFn, of: Course, last: int | None) -> Request:
    names = [t.id for t in of.targets]
    return from_monday(
        start=MONDAY + timedelta(days=draw(st.integers(0, 6))),
        order=tuple(draw(st.permutations(names))[: draw(st.integers(0, len(names)))]),
        targets_per_day=draw(st.none() | st.integers(1, len(names))),
        arrangement=draw(st.sampled_from(["free", "free", "same_day", "alternate"])),
        holidays=frozenset(MONDAY + timedelta(days=n) for n in draw(st.sets(st.integers(0, 13), max_size=3))),
        last_date=None if last is None else MONDAY + timedelta(days=6 + draw(st.integers(0, last))),
        not_all_on_one_day=draw(st.booleans()),
    )


@st.composite
def histories(draw: st.DrawFn, of: Course, start: int) -> tuple[Visit, ...]:
    """A few visits in the days before the start, now and then only in part; mostly none."""
    visits = []
    for t in of.targets:
        day = start - draw(st.integers(1, 12))
        for number in range(1, draw(st.integers(0, t.fractions)) + 1):
            if day >= start or draw(st.booleans()):
                break
            hour = draw(st.sampled_from([8, 9, 17.5]))
            moment = from_monday().moment(MONDAY + timedelta(days=day), 0) + timedelta(hours=hour - 9)
            complete = draw(st.integers(0, 3)) > 0
            visits.append(Visit(t.id, number, moment, complete))
            day += draw(st.integers(1, 3))
            if not complete:
                break
    return tuple(visits)


@st.composite
def cases(
    draw: st.DrawFn, targets: int, fractions: int, longest: int, last: int | None
) -> tuple[Course, Request, tuple[Visit, ...]]:
    of = draw(courses(targets, fractions, longest))
    request = draw(requests(of, last))
    return of, request, draw(histories(of, (request.start - MONDAY).days))


def gaps(of: Course, request: Request, given_: tuple[Visit, ...], horizon: int) -> set[tuple[Rule, str, int]]:
    """First visits that no day of the request can place within the longest interval."""
    found: set[tuple[Rule, str, int]] = set()
    for place, t in enumerate(request.targets_in_order(of)):
        left = remaining(t, given_)
        if not left or not any(v.target == t.id for v in given_):
            continue
        own = tuple(v for v in given_ if v.target == t.id)
        rules: set[Rule] = {"longest-interval", "shortest-interval", "rhythm"}
        for day in (request.start + timedelta(days=n) for n in range(horizon)):
            first = Visit(t.id, left[0], request.moment(day, place))
            broken = {v.rule for v in check(of, (*own, first)) if v.at == first.at}
            if request.open(day) and not broken & rules:
                break
        else:
            found.add(("longest-interval", t.id, left[0]))
    return found


def kept(
    of: Course, request: Request, given_: tuple[Visit, ...], visits: tuple[Visit, ...]
) -> set[tuple[Rule, str, int]]:
    """What the planned visits break."""
    broken = check(of, (*given_, *visits), request)
    return {(v.rule, v.target, v.fraction) for v in broken if v.at.date() >= request.start}


@RELAXED
@given(cases(targets=5, fractions=8, longest=10, last=60))
def test_every_schedule_keeps_every_rule(case: tuple[Course, Request, tuple[Visit, ...]]) -> None:
    of, request, given_ = case
    try:
        schedule = make_schedule(of, request, given_)
    except ScheduleError as error:
        refused = error
    else:
        refused = None
    if refused is not None:
        assert refused.violation is not None, "small cases are decided"
        assert refused.remedies
        assert refused.violation.at.date() >= request.start
        return
    assert request.last_date is not None
    horizon = (request.last_date - request.start).days + 1
    assert kept(of, request, given_, schedule.visits) <= gaps(of, request, given_, horizon)
    for t in of.targets:
        planned = [v.fraction for v in schedule.visits if v.target == t.id]
        assert planned == remaining(t, given_)


def every_schedule(
    of: Course, request: Request, given_: tuple[Visit, ...], horizon: int
) -> list[tuple[Visit, ...]]:
    """All choices of days for all fractions left that the checker accepts."""
    open_days = [day for n in range(horizon) if request.open(day := request.start + timedelta(days=n))]
    allowed = gaps(of, request, given_, horizon)
    choices = []
    for place, t in enumerate(request.targets_in_order(of)):
        left = remaining(t, given_)
        own = [v for v in given_ if v.target == t.id]
        options = []
        for days in itertools.combinations(open_days, len(left)):
            visits = tuple(Visit(t.id, n, request.moment(d, place)) for n, d in zip(left, days, strict=True))
            broken = {
                (v.rule, v.target, v.fraction)
                for v in check(of, (*own, *visits))
                if v.at.date() >= request.start
            }
            if broken - {("overall-time", t.id, n) for n in left} <= allowed:
                options.append(visits)
        choices.append(options)
    found = []
    for parts in itertools.product(*choices):
        visits = tuple(itertools.chain.from_iterable(parts))
        if kept(of, request, given_, visits) <= allowed:
            found.append(visits)
    return found


def preference(request: Request, of: Course, visits: tuple[Visit, ...], horizon: int) -> list[bool]:
    """Day by day, target by target in the order: left out? The smaller list is preferred."""
    treated = {(v.target, v.at.date()) for v in visits}
    return [
        (t.id, request.start + timedelta(days=n)) not in treated
        for n in range(horizon)
        for t in request.targets_in_order(of)
    ]


@settings(RELAXED, max_examples=150)
@given(cases(targets=3, fractions=3, longest=5, last=6))
def test_small_cases_agree_with_trying_everything(case: tuple[Course, Request, tuple[Visit, ...]]) -> None:
    of, request, given_ = case
    assert request.last_date is not None
    horizon = (request.last_date - request.start).days + 1
    possible = every_schedule(of, request, given_, horizon)
    try:
        schedule = make_schedule(of, request, given_)
    except ScheduleError:
        assert possible == []
        return
    assert possible, "the checker accepts none of all choices"
    best = min(possible, key=lambda visits: preference(request, of, visits, horizon))
    assert preference(request, of, schedule.visits, horizon) == preference(request, of, best, horizon)


@st.composite
def planted(draw: st.DrawFn) -> tuple[Course, tuple[Visit, ...], Rule, Visit]:
    """A sound schedule, one visit changed in it, and the rule that this breaks there."""
    of = course(*(target(name, draw(st.integers(3, 5))) for name in "abc"), overall_days=21)
    visits = list(make_schedule(of, from_monday(targets_per_day=draw(st.integers(2, 3)))).visits)
    inner = [v for v in visits if 1 < v.fraction < of.target(v.target).fractions]
    victim = draw(st.sampled_from(inner))
    before = next(v for v in visits if (v.target, v.fraction) == (victim.target, victim.fraction - 1))
    rule: Rule = draw(
        st.sampled_from(["shortest-interval", "longest-interval", "order", "once", "overall-time"])
    )
    moment = {
        "shortest-interval": before.at + timedelta(hours=39, minutes=59),
        "longest-interval": before.at + timedelta(days=9),
        "overall-time": visits[0].at + timedelta(days=22),
    }.get(rule, victim.at)
    number = {"order": victim.fraction + 1, "once": victim.fraction - 1}.get(rule, victim.fraction)
    changed = Visit(victim.target, number, moment)
    # What follows for the same target is put off with it.
    later = moment - victim.at
    visits = [
        replace(v, at=v.at + later) if v.target == victim.target and v.fraction > victim.fraction else v
        for v in visits
    ]
    visits[visits.index(victim)] = changed
    return of, tuple(visits), rule, changed


@RELAXED
@given(planted())
def test_the_checker_finds_what_was_planted(case: tuple[Course, tuple[Visit, ...], Rule, Visit]) -> None:
    of, visits, rule, changed = case
    found = check(of, visits)
    assert (rule, changed.target, changed.fraction, changed.at) in {
        (v.rule, v.target, v.fraction, v.at) for v in found
    }
    assert all(v.at >= changed.at for v in found), "what comes before the change is still sound"


@pytest.mark.parametrize(("per_day", "possible"), [(3, False), (4, True)])
def test_forty_visits_in_two_weeks(per_day: int, possible: bool) -> None:
    """Eight daily targets of five fractions: 3 a day need 14 working days, and two weeks have 11."""
    daily = Spacing("daily", 18 * HOUR, 4)
    of = course(*(target(f"t{n}", 5, daily) for n in range(8)), overall_days=14)
    if possible:
        assert len(make_schedule(of, from_monday(targets_per_day=per_day)).visits) == 40
    else:
        with pytest.raises(ScheduleError):
            make_schedule(of, from_monday(targets_per_day=per_day))
