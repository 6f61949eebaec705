"""Slices show what the influence gives at the same points."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from sim.dose.influence import Stretch, influence, influence_at
from sim.dose.points import DosePoint
from sim.dose.slices import Slice, slices
from sim.plan.course import Course
from tests.dose.test_consequence import plan

#: Plans and how far a slice may be off, in parts of its largest dose: more in the penumbra of a single beam.
PLANS = {
    "two_abdominal_metastases": 0.03,
    "five_metastases": 0.03,
    "three_metastases": 0.03,
    "short_step_and_shoot": 0.06,
}


def stretches(course: Course, targets: int | None = None) -> list[Stretch]:
    known = influence(course)
    return [s for target in course.targets[:targets] for s in known.planned(target.id)]


@lru_cache(maxsize=4)
def pair(name: str) -> tuple[Slice, Slice]:
    course = plan(name)
    _, y, z = course.targets[0].centre
    axial, coronal = slices(course, stretches(course), stretches(course, 1), axial=[z], coronal=[y])
    return axial, coronal


@pytest.mark.parametrize("name", PLANS)
def test_slices_agree_with_the_influence(name: str) -> None:
    course = plan(name)
    random = np.random.default_rng(7)
    for found in pair(name):
        rows = random.integers(0, len(found.down), 60)
        columns = random.integers(0, len(found.across), 60)
        points = []
        for r, c in zip(rows, columns, strict=True):
            x, d = float(found.across[c]), float(found.down[r])
            points.append((x, d, found.at) if found.plane == "axial" else (x, found.at, d))
        known = influence_at(course, tuple(DosePoint("p", "organ", "", place) for place in points))
        exact = sum(known.dose(stretches(course)).values())
        off = np.abs(found.planned[rows, columns] - exact)
        assert off.max() <= PLANS[name] * found.planned.max()


def test_the_difference_is_what_was_not_delivered() -> None:
    axial, coronal = pair("two_abdominal_metastases")
    for found in (axial, coronal):
        assert found.difference.max() <= 1e-9
        row = int(np.argmin(np.abs(found.down)))
        left, right = (int(np.argmin(np.abs(found.across - x))) for x in (2.5, -2.5))
        # The second target, on the right, was left out: it lacks its own dose, the first one the cross dose.
        assert found.difference[row, right] / found.planned[row, right] == pytest.approx(-0.80, abs=0.03)
        assert found.difference[row, left] / found.planned[row, left] == pytest.approx(-0.20, abs=0.03)


def test_the_grid_is_fine_around_the_targets_and_holds_the_whole_patient() -> None:
    axial, coronal = pair("two_abdominal_metastases")
    near = (np.abs(axial.across) < 7.0)[1:] & (np.abs(axial.across) < 7.0)[:-1]
    np.testing.assert_allclose(np.diff(axial.across)[near], 0.2)
    np.testing.assert_allclose(np.diff(axial.across).max(), 0.6)
    assert axial.across[0] <= -18.0 < 18.0 <= axial.across[-1]
    assert axial.down[0] <= -12.0 < 12.0 <= axial.down[-1]
    assert (coronal.down[0], coronal.down[-1]) == (pytest.approx(-7.8), pytest.approx(7.8))
    assert axial.planned.shape == (len(axial.down), len(axial.across))


def test_planes_come_in_the_order_asked_for_each_fine_where_it_cuts_a_target() -> None:
    course = plan("five_metastases")
    some = stretches(course, 1)
    found = slices(course, some, [], axial=[8000, 1000], coronal=[3000], spacing_cm=0.3)
    assert [(cut.plane, cut.at) for cut in found] == [("axial", 8.0), ("axial", 1.0), ("coronal", 3.0)]
    (single,) = slices(course, some, [], axial=[1000], spacing_cm=0.3)
    np.testing.assert_array_equal(found[1].planned, single.planned)
    steps = {round(float(x), 1): step for x, step in zip(single.across, np.diff(single.across), strict=False)}
    assert steps[11.4] == pytest.approx(0.3)  # the rib, which this plane cuts
    assert steps[-7.2] == pytest.approx(0.9)  # the right lung, 7 cm superior


def test_there_is_nothing_outside_of_the_patient() -> None:
    axial, _ = pair("five_metastases")
    body = plan("five_metastases").body
    outside = [
        axial.planned[r, c]
        for r, y in enumerate(axial.down)
        for c, x in enumerate(axial.across)
        if not body.holds((round(x * 1000), round(y * 1000), 0))
    ]
    assert outside
    assert not any(outside)


def test_mu_at_a_standstill_and_parts_of_a_segment_are_in_the_picture() -> None:
    """All MU at one place of an arc give another picture than along it, and no MU are lost."""
    course = plan("short_arc")
    number = course.targets[0].beams[0].number
    known = influence(course)
    still, part = [Stretch(number, 5.0, 5.0, 40.0)], [Stretch(number, 2.25, 2.75, 40.0)]
    (axial,) = slices(course, still, part, axial=[course.targets[0].centre[2]])
    middle = tuple(int(np.argmin(np.abs(a - b))) for a, b in ((axial.down, 1.0), (axial.across, -4.0)))
    centre = next(i for i, point in enumerate(known.points) if point.kind == "centre")
    for shown, stretches_ in ((axial.planned, still), (axial.delivered, part)):
        exact = sum(gy[centre] for gy in known.dose(stretches_).values())
        assert shown[middle] == pytest.approx(exact, rel=0.03)
    assert np.abs(axial.difference).max() > 0.2 * axial.planned.max()
