"""The checker of delivery dates: each rule broken once, and one step short of being broken."""

from __future__ import annotations

from datetime import timedelta

import pytest
from small_courses import MONDAY, course, from_monday, target, visit

from sim.plan.schedule_rules import Violation, check
from sim.plan.spacing import DAILY, HOUR, Spacing
from sim.plan.visits import Visit

ONE = course(target("a", 3))
TWO = course(target("a", 3), target("b", 2))


def found(violations: tuple[Violation, ...]) -> list[tuple[str, str, int]]:
    return [(v.rule, v.target, v.fraction) for v in violations]


def test_a_proper_course_breaks_nothing_in_whatever_order_it_is_told() -> None:
    visits = [visit("a", 1, 0), visit("a", 2, 2), visit("a", 3, 10)]
    assert check(ONE, visits) == check(ONE, visits[::-1]) == ()


@pytest.mark.parametrize(
    ("visits", "expected"),
    [
        # 40 h after Monday 18:00 is Wednesday 10:00.
        ([visit("a", 1, 0, 18), visit("a", 2, 2, 10)], []),
        ([visit("a", 1, 0, 18), visit("a", 2, 2, 9.5)], ["shortest-interval"]),
        # 40 h have passed after 00:00, but the rhythm asks for the day after next.
        ([visit("a", 1, 0, 0), visit("a", 2, 1, 23)], ["rhythm"]),
        ([visit("a", 1, 0), visit("a", 2, 1)], ["rhythm", "shortest-interval"]),
        ([visit("a", 1, 0), visit("a", 2, 8, 23)], []),
        ([visit("a", 1, 0), visit("a", 2, 9, 0)], ["longest-interval"]),
        ([visit("a", 2, 0)], ["order"]),
        ([visit("a", 1, 0), visit("a", 1, 2)], ["once"]),
        ([visit("a", 1, 0), visit("a", 3, 2)], ["order"]),
        ([visit("b", 1, 0)], ["known"]),
        ([visit("a", 4, 0)], ["known"]),
        ([visit("a", 0, 0)], ["known"]),
    ],
)
def test_what_breaks_a_rule_of_one_target_is_found(visits: list[Visit], expected: list[str]) -> None:
    last = visits[-1]
    assert found(check(ONE, visits)) == [(rule, last.target, last.fraction) for rule in expected]


def test_a_fraction_given_in_part_is_completed_without_an_interval_and_counts_from_there() -> None:
    part = visit("a", 1, 0, complete=False)
    assert check(ONE, [part, visit("a", 1, 1), visit("a", 2, 3)]) == ()
    assert found(check(ONE, [part, visit("a", 1, 1), visit("a", 2, 2)])) == [
        ("rhythm", "a", 2),
        ("shortest-interval", "a", 2),
    ]
    assert found(check(ONE, [part, visit("a", 2, 2)])) == [("order", "a", 2)]
    assert found(check(ONE, [part, visit("a", 1, 9)])) == [("longest-interval", "a", 1)]
    assert check(ONE, [part, visit("a", 1, 0, 15, complete=False), visit("a", 1, 1)]) == ()


def test_a_rule_in_hours_is_exact() -> None:
    strict = course(target("a", 2, Spacing("daily", 24 * HOUR, 4)))
    assert check(strict, [visit("a", 1, 0, 9), visit("a", 2, 1, 9)]) == ()
    early = check(strict, [visit("a", 1, 0, 9), visit("a", 2, 1, 8.75)])
    assert found(early) == [("shortest-interval", "a", 2)]
    assert "23.75 h after fraction 1 on Mon 2026-03-02 09:00" in early[0].message
    assert "until Tue 2026-03-03 09:00" in early[0].message


def test_the_overall_time_runs_from_the_first_dose_to_any_target_of_the_study() -> None:
    both = course(target("a", 2), target("b", 2), overall_days=14)
    assert check(both, [visit("a", 1, 0), visit("b", 1, 6), visit("b", 2, 14)]) == ()
    (late,) = check(both, [visit("a", 1, 0), visit("b", 1, 7), visit("b", 2, 15)])
    assert (late.rule, late.target, late.fraction) == ("overall-time", "b", 2)
    for part in ("15 days after", "Mon 2026-03-02", "within 14 days", "Mon 2026-03-16", "Somebody 2020"):
        assert part in late.message


def test_the_rules_of_a_request_count_from_its_start() -> None:
    saturday = [visit("a", 1, 5)]
    assert check(TWO, saturday) == ()
    assert found(check(TWO, saturday, from_monday())) == [("working-day", "a", 1)]
    assert check(TWO, saturday, from_monday(start=MONDAY + timedelta(days=6))) == ()


@pytest.mark.parametrize(
    ("request_", "visits", "expected"),
    [
        ({"holidays": frozenset({MONDAY})}, [visit("a", 1, 0)], [("working-day", "a", 1)]),
        ({"last_date": MONDAY}, [visit("a", 1, 0)], []),
        ({"last_date": MONDAY}, [visit("a", 1, 1)], [("last-date", "a", 1)]),
        ({"targets_per_day": 1}, [visit("a", 1, 0), visit("b", 1, 0, 10)], [("targets-per-day", "b", 1)]),
        ({"targets_per_day": 1}, [visit("a", 1, 0), visit("b", 1, 1)], []),
        (
            {"not_all_on_one_day": True},
            [visit("a", 1, 0), visit("b", 1, 0, 10)],
            [("not-all-on-one-day", "b", 1)],
        ),
        ({"not_all_on_one_day": True}, [visit("a", 1, 0), visit("b", 1, 1)], []),
        ({"arrangement": "same_day"}, [visit("a", 1, 0), visit("b", 1, 0, 10)], []),
        ({"arrangement": "same_day"}, [visit("a", 1, 0)], [("arrangement", "a", 1)]),
        ({"arrangement": "alternate"}, [visit("a", 1, 0), visit("b", 1, 1), visit("a", 2, 2)], []),
        ({"arrangement": "alternate"}, [visit("a", 1, 0), visit("a", 2, 2)], [("arrangement", "a", 2)]),
        (
            {"arrangement": "alternate", "targets_per_day": 2},
            [visit("a", 1, 0), visit("b", 1, 2), visit("a", 2, 2, 10)],
            [("arrangement", "a", 2)],
        ),
        (  # b has only two fractions, so a may go on alone
            {"arrangement": "same_day"},
            [visit(t, n, 2 * n) for n in (1, 2) for t in ("a", "b")] + [visit("a", 3, 7)],
            [],
        ),
    ],
)
def test_what_breaks_a_request_is_found(
    request_: dict[str, object], visits: list[Visit], expected: list[tuple[str, str, int]]
) -> None:
    assert found(check(TWO, visits, from_monday(**request_))) == expected


def test_daily_means_the_next_day() -> None:
    daily = course(target("a", 2, DAILY))
    assert check(daily, [visit("a", 1, 0), visit("a", 2, 1)]) == ()
    assert found(check(daily, [visit("a", 1, 0), visit("a", 2, 0, 23)])) == [
        ("rhythm", "a", 2),
        ("shortest-interval", "a", 2),
    ]
