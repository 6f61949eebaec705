"""A small course with beams, for the tests of the ledger."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from sim.clinic.record_verify import Delivery
from sim.plan.course import Beam, ControlPoint, Course, Target

MONDAY = date(2026, 3, 2)
METERSETS = (0, 10_000, 20_000, 27_000, 30_000, 40_000, 50_000)


def beam(number: int, target: str) -> Beam:
    points = tuple(ControlPoint(m, 0, 0, 0, (0, 0, 0, 0), (), 600) for m in METERSETS)
    return Beam(number, f"beam {number}", target, 6, "flattened", "static", (0, 0, 0), points)


def target(name: str, fractions: int, *numbers: int) -> Target:
    return Target(name, "somewhere", (0, 0, 0), 2_000, 45.0, fractions, tuple(beam(n, name) for n in numbers))


COURSE = Course("small", "Small course", "P-1", (target("a", 3, 1, 2), target("b", 5, 3)), "small.yaml")


def moment(day: int, hour: float = 9) -> datetime:
    """``day`` counts from Monday, 2 March 2026."""
    return datetime.combine(MONDAY, time()) + timedelta(days=day, hours=hour)


def delivery(
    name: str,
    fraction: int,
    number: int,
    start: int,
    end: int,
    cause: str = "normal",
    first_up: str | None = None,
) -> Delivery:
    return Delivery(name, fraction, number, start, end, cause, end, first_up)
