"""Schedules: expected days worked out by hand, refusals with their reasons, interrupted courses."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from small_courses import MONDAY, course, days, from_monday, target, visit

from sim.plan import schedule_search
from sim.plan.course import Course
from sim.plan.schedule import Schedule, ScheduleError, make_schedule
from sim.plan.schedule_rules import RequestError
from sim.plan.spacing import DAILY, HOUR, Spacing
from sim.plan.visits import Visit

TWO = course(target("a", 3), target("b", 3))


def planned(of: Course, **request: object) -> dict[str, list[int]]:
    """Days from Monday 2 March of every target."""
    visits = make_schedule(of, from_monday(**request)).visits
    return {t.id: days(visits, t.id) for t in of.targets}


@pytest.mark.parametrize(
    ("request_", "a", "b"),
    [
        ({}, [0, 2, 4], [0, 2, 4]),
        ({"targets_per_day": 1}, [0, 2, 4], [1, 3, 7]),
        ({"targets_per_day": 1, "order": ("b",)}, [1, 3, 7], [0, 2, 4]),
        ({"arrangement": "same_day"}, [0, 2, 4], [0, 2, 4]),
        ({"arrangement": "alternate"}, [0, 2, 4], [1, 3, 7]),
        ({"not_all_on_one_day": True}, [0, 2, 4], [1, 3, 7]),
        ({"holidays": frozenset({MONDAY + timedelta(days=2)})}, [0, 3, 7], [0, 3, 7]),
        ({"start": MONDAY + timedelta(days=5)}, [7, 9, 11], [7, 9, 11]),
        ({"working_days": frozenset(range(7)), "start": MONDAY + timedelta(days=5)}, [5, 7, 9], [5, 7, 9]),
        ({"last_date": MONDAY + timedelta(days=4)}, [0, 2, 4], [0, 2, 4]),
    ],
)
def test_two_targets_on_every_second_day(request_: dict[str, object], a: list[int], b: list[int]) -> None:
    assert planned(TWO, **request_) == {"a": a, "b": b}


def test_a_daily_course_skips_the_weekend() -> None:
    assert planned(course(target("a", 6, DAILY))) == {"a": [0, 1, 2, 3, 4, 7]}


def test_targets_take_turns_and_the_longer_course_ends_alone() -> None:
    uneven = course(target("a", 3, DAILY), target("b", 1, DAILY))
    assert planned(uneven, arrangement="alternate") == {"a": [0, 2, 3], "b": [1]}
    assert planned(uneven, arrangement="same_day") == {"a": [0, 1, 2], "b": [0]}


def test_a_target_keeps_its_hour_and_the_order_decides_it() -> None:
    visits = make_schedule(
        TWO, from_monday(order=("b", "a"), first_hour=time(8, 15), slot_minutes=20, targets_per_day=2)
    ).visits
    assert {(v.target, f"{v.at:%H:%M}") for v in visits} == {("b", "08:15"), ("a", "08:35")}
    assert [v.target for v in visits[:2]] == ["b", "a"]


def test_a_first_dose_waits_when_the_overall_time_would_not_last() -> None:
    """Beginning on Friday, two weeks of holidays would not leave room within nine days."""
    holidays = frozenset(MONDAY + timedelta(days=n) for n in (7, 8, 9, 10, 11))
    tight = course(target("a", 2, Spacing("every_second_day", 40 * HOUR, 20)), overall_days=9)
    assert planned(tight, start=MONDAY + timedelta(days=4), holidays=holidays) == {"a": [14, 16]}


def test_a_schedule_over_the_change_of_year() -> None:
    visits = make_schedule(
        TWO, from_monday(start=date(2026, 12, 30), holidays=frozenset({date(2027, 1, 1)}))
    ).visits
    assert [v.at.date().isoformat() for v in visits if v.target == "a"] == [
        "2026-12-30",
        "2027-01-04",
        "2027-01-06",
    ]


# --- refusals ---------------------------------------------------------------------------------


def refusal(of: Course, given: tuple[Visit, ...] = (), **request: object) -> ScheduleError:
    with pytest.raises(ScheduleError) as caught:
        make_schedule(of, from_monday(**request), given)
    return caught.value


def test_a_last_date_that_is_too_early_is_refused_with_the_one_that_is_possible() -> None:
    error = refusal(TWO, last_date=MONDAY + timedelta(days=3))
    assert error.violation is not None
    assert (error.violation.rule, error.violation.target, error.violation.fraction) == ("last-date", "a", 3)
    assert error.violation.at.date() == MONDAY + timedelta(days=4)
    assert error.remedies == ("a last date of Fri 2026-03-06 or later",)
    assert "Thu 2026-03-05" in str(error)


def test_an_overall_time_that_is_too_short_is_refused_with_its_source() -> None:
    error = refusal(course(target("a", 8), target("b", 8), overall_days=14))
    assert error.violation is not None
    assert (error.violation.rule, error.violation.fraction) == ("overall-time", 8)
    assert "16 days after the first dose on Mon 2026-03-02" in str(error)
    assert "Somebody 2020" in str(error)
    assert error.remedies == (
        "an overall time of 16 days instead of 14 (Study X); overall-time can be waived",
    )


def test_every_limit_that_helps_alone_is_a_remedy() -> None:
    six = course(*(target(f"t{n}", 5, DAILY) for n in range(6)))
    error = refusal(six, arrangement="alternate")
    assert error.remedies == (
        "3 targets a day",
        "another arrangement than alternate",
        "6 more days allowed between fractions; longest-interval can be waived",
    )


def test_remedies_are_the_least_that_help() -> None:
    six = course(*(target(f"t{n}", 5, DAILY) for n in range(6)))
    refusal(six, arrangement="alternate", targets_per_day=2)
    assert make_schedule(six, from_monday(arrangement="alternate", targets_per_day=3)).visits
    assert make_schedule(course(target("a", 8), target("b", 8), overall_days=16), from_monday()).visits


def test_limits_that_only_help_together_are_named_together() -> None:
    error = refusal(
        TWO, arrangement="same_day", not_all_on_one_day=True, last_date=MONDAY + timedelta(days=3)
    )
    (remedy,) = error.remedies
    assert " and " in remedy
    assert "a last date of" in remedy


def test_contradicting_arrangements_are_refused() -> None:
    error = refusal(TWO, arrangement="same_day", not_all_on_one_day=True)
    assert error.violation is not None
    assert error.violation.rule == "arrangement"
    assert error.remedies == ("another arrangement than same day", "all targets on one day")


def test_working_days_too_far_apart_for_a_target_are_refused() -> None:
    error = refusal(course(target("a", 2, DAILY)), working_days=frozenset({0}))
    assert error.violation is not None
    assert (error.violation.rule, error.violation.fraction) == ("longest-interval", 2)
    assert error.remedies == ("3 more days allowed between fractions; longest-interval can be waived",)


def test_a_waived_rule_is_reported_instead() -> None:
    long = course(target("a", 8), overall_days=14)
    schedule = make_schedule(long, from_monday(waived=frozenset({"overall-time"})))
    assert [(v.rule, v.fraction) for v in schedule.deviations] == [("overall-time", 8)]
    weekly = make_schedule(
        course(target("a", 2, DAILY)),
        from_monday(working_days=frozenset({0}), waived=frozenset({"longest-interval"})),
    )
    assert [(v.rule, v.fraction) for v in weekly.deviations] == [("longest-interval", 2)]


def test_no_working_day_within_a_year_is_said() -> None:
    all_year = frozenset(MONDAY + timedelta(days=n) for n in range(400))
    error = refusal(TWO, holidays=all_year)
    assert "check the working days and holidays" in str(error)


def test_a_search_that_was_ended_claims_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule_search, "MAX_STEPS", 2)
    error = refusal(TWO)
    assert error.violation is None
    assert error.remedies == ()
    assert "neither a schedule nor the proof" in str(error)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"order": ("c",)}, "no target 'c'; this course has: a, b"),
        ({"order": ("a", "a")}, "'a' is named 2 times"),
        ({"targets_per_day": 0}, "targets per day is 0"),
        ({"last_date": MONDAY - timedelta(days=1)}, "before the start"),
        ({"working_days": frozenset()}, "working days are"),
        ({"working_days": frozenset({7})}, "working days are"),
        ({"slot_minutes": 0}, "must be 1 to 240"),
        ({"first_hour": time(23, 45)}, "end after midnight"),
        ({"waived": frozenset({"shortest-interval"})}, "shortest-interval cannot be waived"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(request_: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        make_schedule(TWO, from_monday(**request_))


# --- interrupted courses ----------------------------------------------------------------------


def days_left(schedule: Schedule) -> dict[str, list[tuple[int, int]]]:
    """(fraction, day) of every planned visit, by target."""
    return {
        t.id: [(v.fraction, (v.at.date() - MONDAY).days) for v in schedule.visits if v.target == t.id]
        for t in schedule.course.targets
    }


def resume(given: list[Visit], day: int, of: Course = TWO, **request: object) -> Schedule:
    return make_schedule(of, from_monday(start=MONDAY + timedelta(days=day), **request), given)


@pytest.mark.parametrize(
    ("hour", "b"),
    [(17.5, [(2, 3), (3, 7)]), (17.75, [(2, 4), (3, 7)])],  # 40 h later: Thursday 9:30, its hour, and 9:45
)
def test_the_rest_of_a_course_keeps_the_intervals_to_what_was_given(
    hour: float, b: list[tuple[int, int]]
) -> None:
    schedule = resume([visit("a", 1, 0), visit("b", 1, 1, hour)], 2)
    assert days_left(schedule) == {"a": [(2, 2), (3, 4)], "b": b}
    assert schedule.deviations == ()


def test_a_fraction_given_in_part_is_completed_first_and_at_once() -> None:
    schedule = resume([visit("a", 1, 0, complete=False), visit("b", 1, 0, 9.5)], 1)
    assert days_left(schedule) == {"a": [(1, 1), (2, 3), (3, 7)], "b": [(2, 2), (3, 4)]}
    assert [schedule.is_remainder(v) for v in schedule.visits if v.target == "a"] == [True, False, False]
    assert schedule.deviations == ()


def test_a_gap_that_has_passed_is_reported_and_the_rest_is_planned() -> None:
    schedule = resume([visit("a", 1, 0), visit("b", 1, 4, 9.5)], 14)
    assert days_left(schedule) == {"a": [(2, 14), (3, 16)], "b": [(2, 14), (3, 16)]}
    assert [(v.rule, v.target, v.fraction) for v in schedule.deviations] == [
        ("longest-interval", "a", 2),
        ("longest-interval", "b", 2),
    ]
    assert "14 days after fraction 1 on Mon 2026-03-02 09:00; at most 8 may pass" in str(
        schedule.deviations[0]
    )


def test_what_was_given_against_the_rules_is_reported_too() -> None:
    schedule = resume([visit("a", 1, 0), visit("a", 2, 1), visit("b", 1, 1, 9.5)], 2)
    assert [(v.rule, v.fraction) for v in schedule.deviations] == [("rhythm", 2), ("shortest-interval", 2)]
    assert days_left(schedule)["a"] == [(3, 3)]


def test_the_overall_time_counts_from_what_was_given() -> None:
    study = course(target("a", 3), target("b", 3), overall_days=9)
    given = [visit("a", 1, 0), visit("b", 1, 0, 9.5)]
    assert days_left(resume(given, 7, study)) == {"a": [(2, 7), (3, 9)], "b": [(2, 7), (3, 9)]}
    error = refusal(study, tuple(given), start=MONDAY + timedelta(days=8))
    assert error.violation is not None
    assert (error.violation.rule, error.violation.fraction) == ("overall-time", 3)
    assert "an overall time of 10 days instead of 9" in str(error)
    waived = resume(given, 8, study, waived=frozenset({"overall-time"}))
    assert {v.rule for v in waived.deviations} == {"overall-time"}


def test_a_gap_that_has_passed_is_not_the_reason_of_a_refusal() -> None:
    error = refusal(
        TWO, (visit("a", 1, 0),), start=MONDAY + timedelta(days=14), last_date=MONDAY + timedelta(days=15)
    )
    assert error.violation is not None
    assert error.violation.rule == "last-date"


def test_a_course_that_is_complete_has_nothing_left() -> None:
    given = [visit(t, n, 2 * n, h) for n in (1, 2, 3) for t, h in (("a", 9), ("b", 9.5))]
    schedule = resume(given, 7)
    assert schedule.visits == ()
    assert schedule.deviations == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            visit("a", 1, 2),
            "start 2026-03-04 is not after the last visit delivered, on 2026-03-04; start on 2026-03-05",
        ),
        (visit("c", 1, 0), "no such target"),
        (visit("a", 4, 0), "fractions 1 to 3"),
    ],
)
def test_what_was_delivered_must_fit_the_course_and_the_start(given: Visit, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        resume([given], 2)
