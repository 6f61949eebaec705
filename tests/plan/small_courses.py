"""Courses without beams, for the tests of schedules: targets, fractions and rules are all that counts."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sim.plan.course import Course, OverallTime, Target
from sim.plan.schedule_rules import Request
from sim.plan.spacing import EVERY_SECOND_DAY, Spacing
from sim.plan.visits import Visit

MONDAY = date(2026, 3, 2)


def target(name: str, fractions: int, spacing: Spacing = EVERY_SECOND_DAY) -> Target:
    return Target(name, "somewhere", (0, 0, 0), 2_000, None, fractions, (), spacing)


def course(*targets: Target, overall_days: int | None = None) -> Course:
    """``overall_days`` is a study's limit over all targets."""
    limits = ()
    if overall_days is not None:
        limits = (OverallTime("Study X", tuple(t.id for t in targets), overall_days, "Somebody 2020"),)
    return Course("small", "Small course", "P-1", targets, "small.yaml", (), limits)


def visit(name: str, fraction: int, day: int, hour: float = 9, complete: bool = True) -> Visit:
    """``day`` counts from Monday, 2 March 2026."""
    moment = datetime.combine(MONDAY, datetime.min.time()) + timedelta(days=day, hours=hour)
    return Visit(name, fraction, moment, complete)


def days(visits: tuple[Visit, ...], name: str) -> list[int]:
    return [(v.at.date() - MONDAY).days for v in visits if v.target == name]


def from_monday(**changes: object) -> Request:
    return Request(**({"start": MONDAY} | changes))  # type: ignore[arg-type]
