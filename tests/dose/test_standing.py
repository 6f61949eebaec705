"""How a course stands: given, due, to come, cross dose and organs, against sums made another way."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_model.strict_yaml import load
from sim.dose.influence import influence
from sim.dose.standing import Given, as_planned, standing, stretches
from sim.machine import REFERENCE_MACHINE, Machine
from sim.plan.course import Course
from sim.plan.loading import load_plan
from sim.plan.organ_limits import tissues

PLANS = Path(__file__).parents[2] / "scenarios" / "plans"


@cache
def mixed() -> Course:
    """45 Gy in 3 and 50 Gy in 5 fractions, planned together."""
    return load_plan(PLANS / "two_abdominal_mixed.yaml", load(REFERENCE_MACHINE, Machine), None)


def whole(course: Course, target: str, fraction: int, event: int) -> list[Given]:
    return [Given(event, target, fraction, b.number, 0, b.meterset) for b in course.target(target).beams]


def test_a_course_given_as_planned_has_what_is_prescribed() -> None:
    course = mixed()
    parts = [p for n in range(1, 4) for p in whole(course, "adrenal", n, n)]
    parts += [p for n in range(1, 6) for p in whole(course, "node", n, n)]
    now = standing(course, parts)
    assert now.total[now.centre("adrenal")] == pytest.approx(45, abs=0.01)
    assert now.total[now.centre("node")] == pytest.approx(50, abs=0.01)
    assert all(np.allclose(dose, 0, atol=1e-9) for dose in now.to_come(()).values())
    assert now.cross_dose_change("adrenal", ()) == pytest.approx(0, abs=1e-9)


def test_nothing_given_is_all_to_come() -> None:
    now = standing(mixed(), ())
    assert not now.total.any()
    for name, dose in now.planned().items():
        assert np.allclose(now.to_come(())[name], dose)
    assert now.cross_dose_change("adrenal", ()) == 0


def test_a_partner_given_up_takes_its_share_with_it() -> None:
    """About a fifth at 5 cm: 0.218 of the partner's own dose, by Monte Carlo (tests/dose/golden.yaml)."""
    now = standing(mixed(), whole(mixed(), "adrenal", 1, 1))
    partner = now.planned()["node"][now.centre("adrenal")]
    change = now.cross_dose_change("adrenal", {"node"})
    assert change == pytest.approx(-partner / 45, abs=1e-3)
    assert -0.26 < change < -0.18
    # Fractions of the partner that were given stay given.
    half = standing(mixed(), [p for n in (1, 2) for p in whole(mixed(), "node", n, n)])
    assert half.cross_dose_change("adrenal", {"node"}) == pytest.approx(change * 3 / 5, abs=1e-6)


@st.composite
def cuts(draw: st.DrawFn) -> list[tuple[int, int]]:
    """A beam of the plan in parts, as if interrupted at any metersets."""
    end = mixed().targets[0].beams[0].meterset
    inner = draw(st.lists(st.integers(1, end - 1), max_size=5, unique=True))
    edges = [0, *sorted(inner), end]
    return list(pairwise(edges))


@settings(max_examples=40, deadline=None)
@given(cuts())
def test_interruptions_change_no_dose(parts: list[tuple[int, int]]) -> None:
    course = mixed()
    beam = course.targets[0].beams[0]
    known = influence(course)
    at_once = known.dose(known.beams[beam.number].planned)["adrenal"]
    pieces = [s for start, end in parts for s in stretches(beam, start, end)]
    assert sum(s.mu for s in pieces) == pytest.approx(beam.meterset / 1000)
    assert known.dose(pieces)["adrenal"] == pytest.approx(at_once, rel=1e-9)
    now = standing(course, [Given(i, "adrenal", 1, beam.number, *part) for i, part in enumerate(parts)])
    assert now.given["adrenal"] == pytest.approx(at_once, rel=1e-9)
    assert len(now.events) == len(parts)


def test_organs_add_up_in_biological_dose() -> None:
    """Two fraction events of 4 Gy and 2 Gy to a stomach (alpha/beta 3 Gy), against 22.2 Gy in 3 fractions."""
    stomach = tissues()["stomach"]
    limit = 22.2 * (1 + 7.4 / 3)
    assert stomach.limit_bed([3]) == pytest.approx(limit)
    assert stomach.limit_bed([4]) == stomach.limit_bed([3])
    assert stomach.limit_bed([3, 5]) == pytest.approx(min(limit, 32 * (1 + 6.4 / 3)))
    now = standing(mixed(), [*whole(mixed(), "adrenal", 1, 1), *whole(mixed(), "node", 1, 2)])
    organ = next(o for o in now.organs() if o.id == "stomach")
    first, second = (float(event[organ.point]) for event in now.events)
    had = first * (1 + first / 3) + second * (1 + second / 3)
    assert organ.share(0) == pytest.approx(had / stomach.limit_bed([3, 5]))
    assert organ.share(3) == pytest.approx((had + 3 * 2) / stomach.limit_bed([3, 5]))
    # On one day the same doses do more.
    together = standing(mixed(), [*whole(mixed(), "adrenal", 1, 1), *whole(mixed(), "node", 1, 1)])
    assert next(o for o in together.organs() if o.id == "stomach").share(0) > organ.share(0)


def test_due_counts_the_others_up_to_the_same_number() -> None:
    now = as_planned(mixed(), 1)
    centre = now.centre("adrenal")
    due = now.due({"adrenal": 2, "node": 2})
    assert due[centre] == pytest.approx(sum(2 * dose[centre] for dose in now.per_fraction.values()))
    # The adrenal gland has no fifth fraction.
    late = now.due({"node": 5})
    expected = 3 * now.per_fraction["adrenal"] + 5 * now.per_fraction["node"]
    assert late == pytest.approx(expected)
