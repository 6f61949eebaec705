"""What must hold for the dose of any beam: linear, additive, symmetric, and the same from all sides."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.dose.beam_data import GY_PER_MU, HEAD_LEAKAGE
from sim.dose.fields import UnknownLeaves, states_of
from sim.dose.influence import BeamInfluence, Influence, Stretch, influence, influence_at
from sim.dose.kernel import NoBeamData, kernel
from sim.dose.outline import Ellipse
from sim.dose.points import DosePoint
from sim.plan import aperture
from sim.plan.course import Beam, Course, Outline
from sim.plan.projection import beams_eye_view
from tests.dose.phantoms import CYLINDER, Array, course_of, dose_at, open_beam

QUALITIES = [(6, "flattened"), (10, "flattened"), (6, "fff"), (10, "fff")]
ANGLES = st.integers(-18_000, 54_000)
PLACES = st.tuples(*[st.floats(-9, 9)] * 3)
WIDE = Outline((0, 0), 80_000, 40_000)
few = settings(max_examples=40, deadline=None)


def point(x: float, y: float, z: float) -> DosePoint:
    return DosePoint("p", "organ", "", (x, y, z))


def leaf_beam(gantry: tuple[int, int], opening: aperture.Opening, collimator: int = 0) -> Beam:
    """A beam shaped by leaves, with jaws 5 mm outside of them."""
    beam = open_beam(1, "a", gantry, collimator=collimator)
    jaws = aperture.jaws_around([opening], 500)
    points = tuple(replace(p, jaws=jaws, leaves=opening.leaves) for p in beam.control_points)
    return replace(beam, control_points=points, leaf_boundaries=aperture.LEAF_BOUNDARIES)


@pytest.fixture(scope="module")
def arc() -> tuple[Influence, BeamInfluence]:
    """A quarter turn in nine uneven segments, with points in and beside it."""
    beam = open_beam(1, "a", [0, 500, 1500, 3000, 3100, 5000, 6000, 7500, 8000, 9000])
    found = influence_at(course_of([beam]), tuple(point(x, 0, z) for x in (0, 1.6, 4, 7) for z in (0, 2.5)))
    return found, found.beams[1]


# --- along a beam -------------------------------------------------------------------------------------


@given(st.integers(0, 8), st.lists(st.floats(0, 1), max_size=5), st.floats(0.1, 500))
@few
def test_split_segments_add_up(
    arc: tuple[Influence, BeamInfluence], segment: int, cuts: list[float], mu: float
) -> None:
    known, _ = arc
    whole = known.dose([Stretch(1, segment, segment + 1, mu)])["a"]
    edges = [segment + cut for cut in sorted({0.0, *cuts, 1.0})]
    split = known.dose(Stretch(1, a, b, mu * (b - a)) for a, b in pairwise(edges))["a"]
    np.testing.assert_allclose(split, whole, rtol=1e-9, atol=1e-15)


@given(
    st.lists(st.tuples(st.integers(0, 8), st.floats(0, 1), st.floats(0, 1), st.floats(0, 300)), max_size=6)
)
@few
def test_dose_is_linear_in_mu(
    arc: tuple[Influence, BeamInfluence], parts: list[tuple[int, float, float, float]]
) -> None:
    known, _ = arc
    stretches = [Stretch(1, k + min(u, v), k + max(u, v), mu) for k, u, v, mu in parts]
    once = known.dose(stretches)["a"]
    twice = known.dose(s._replace(mu=2 * s.mu) for s in stretches)["a"]
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-12, atol=1e-15)
    one_by_one = sum((known.dose([s])["a"] for s in stretches), np.zeros(8))
    np.testing.assert_allclose(one_by_one, once, rtol=1e-9, atol=1e-15)
    assert np.all(once >= 0)


def test_no_mu_no_dose(arc: tuple[Influence, BeamInfluence]) -> None:
    known, _ = arc
    assert not known.dose([])["a"].any()
    assert not known.dose(Stretch(1, k, k + 1, 0.0) for k in range(9))["a"].any()


def test_the_matrix_times_mu_is_the_sum_over_control_points(arc: tuple[Influence, BeamInfluence]) -> None:
    known, beam = arc
    mu = np.array([stretch.mu for stretch in beam.planned])
    by_mean = sum(s.mu * beam.mean(s.start, s.end) for s in beam.planned)
    np.testing.assert_allclose(mu @ beam.segments(), by_mean, rtol=1e-9)
    np.testing.assert_allclose(known.dose(beam.planned)["a"], by_mean, rtol=1e-9)


def test_a_part_of_a_beam_is_no_share_of_its_dose(arc: tuple[Influence, BeamInfluence]) -> None:
    """Beside the axis the first half of an arc gives something else than the second."""
    known, beam = arc
    half = known.dose(beam.planned[:5])["a"] / known.dose(beam.planned)["a"]
    share = sum(s.mu for s in beam.planned[:5]) / sum(s.mu for s in beam.planned)
    beside = abs(half - share)
    assert beside.max() > 0.2
    assert beside[0] < 0.01  # on the axis of a cylinder every direction gives the same


def test_states_in_between_are_close_enough() -> None:
    """One segment of 60 degrees gives what sixty of one degree give."""
    coarse = open_beam(1, "a", [0, 6000])
    fine = open_beam(1, "a", [100 * i for i in range(61)])
    places = np.array([[0, 0, 0], [3, 3, 0], [-4, 2, 0], [2, -6, 1]], dtype=float)
    np.testing.assert_allclose(
        dose_at(course_of([coarse]), places), dose_at(course_of([fine]), places), rtol=0.02
    )


# --- around a beam ------------------------------------------------------------------------------------


@given(PLACES, ANGLES, st.integers(-9_000, 9_000))
@few
def test_a_cylinder_looks_the_same_from_all_sides(
    place: tuple[float, float, float], gantry: int, turn: int
) -> None:
    """Turning gantry and point together changes nothing."""
    angle = np.radians(turn / 100)
    x, y, z = place
    # The gantry turns from above (-y) to the left (+x).
    moved = np.array([[x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle), z]])
    before = dose_at(course_of([open_beam(1, "a", (gantry, gantry))]), np.array([place]))
    after = dose_at(course_of([open_beam(1, "a", (gantry + turn, gantry + turn))]), moved)
    np.testing.assert_allclose(after, before, rtol=1e-6, atol=1e-12)


@given(PLACES, st.sampled_from(QUALITIES))
@few
def test_a_square_field_is_symmetric(place: tuple[float, float, float], quality: tuple[int, str]) -> None:
    energy, mode = quality
    beam = open_beam(1, "a", (0, 0), energy=energy, mode=mode)  # type: ignore[arg-type]
    x, y, z = place
    mirrored = np.array([[x, y, z], [-x, y, z], [x, y, -z]])
    found = dose_at(course_of([beam], Outline((0, 0), 80_000, 40_000)), mirrored)
    np.testing.assert_allclose(found[1:], found[0], rtol=1e-9)


@given(ANGLES, ANGLES, st.integers(-9_000, 9_000), PLACES)
@few
def test_axes_are_those_of_the_plan(
    gantry: int, collimator: int, couch: int, place: tuple[float, float, float]
) -> None:
    beam = open_beam(1, "a", (gantry, gantry), collimator=collimator, couch=couch)
    across, along, towards = states_of(beam).axes[0] @ np.array(place)
    x, y = beams_eye_view(tuple(round(v * 1000) for v in place), gantry, collimator, couch)  # type: ignore[arg-type]
    scale = 100 / (100 - towards)
    assert across * scale == pytest.approx(x / 1000, abs=2e-3)
    assert along * scale == pytest.approx(y / 1000, abs=2e-3)


@pytest.mark.parametrize(("energy", "mode"), QUALITIES)
def test_dose_falls_beyond_the_build_up(energy: int, mode: str) -> None:
    beam = open_beam(1, "a", (0, 0), energy=energy, mode=mode, side=10_000)  # type: ignore[arg-type]
    depths = np.arange(3.5, 29.5, 0.25)
    places = np.stack([0 * depths, depths - 15, 0 * depths], axis=1)
    assert np.all(np.diff(dose_at(course_of([beam]), places)) < 0)


@given(st.floats(-14, 14), st.floats(0, 360))
@few
def test_depth_is_the_way_through_the_cylinder(y: float, angle: float) -> None:
    ellipse = Ellipse.of(CYLINDER)
    source = 100 * np.array([[np.sin(np.radians(angle)), -np.cos(np.radians(angle)), 0.0]])
    found = float(ellipse.depth(source, np.array([[0.0, y, 0.0]]))[0, 0])
    ray = source[0] - np.array([0.0, y, 0.0])
    surface = np.array([0.0, y, 0.0]) + found * ray / np.linalg.norm(ray)
    assert np.hypot(*surface[:2]) == pytest.approx(15.0)


def test_there_is_no_dose_outside_of_the_patient() -> None:
    course = course_of([open_beam(1, "a", (0, 0))])
    outside = np.array([[0.0, -15.1, 0.0], [15.5, 0.0, 0.0]])
    assert not dose_at(course, outside, leakage=HEAD_LEAKAGE).any()


# --- what shapes a beam ---------------------------------------------------------------------------------


def test_one_mu_at_the_calibration_point() -> None:
    """10 cm x 10 cm at 100 cm from source to surface, at the depth of the maximum."""
    deep = kernel(6, "flattened").depth_of_maximum
    body = Outline((0, 15_000), 80_000, 30_000)  # the surface is in the isocentre
    beam = open_beam(1, "a", (0, 0), mu=1_000, side=10_000)
    found = dose_at(course_of([beam], body), np.array([[0.0, deep, 0.0]]))
    assert found[0] == pytest.approx(GY_PER_MU, rel=0.01)


def test_leaves_and_jaws_of_one_opening_agree_but_for_what_leaves_let_through() -> None:
    opening = aperture.rectangle(3_000, 3_000, (0, 0))
    by_leaves = course_of([leaf_beam((0, 0), opening)])
    by_jaws = course_of([open_beam(1, "a", (0, 0))])
    middle, beside = np.zeros((1, 3)), np.array([[5.0, 0.0, 0.0]])
    assert dose_at(by_leaves, middle) == pytest.approx(dose_at(by_jaws, middle), rel=1e-3)
    through = dose_at(by_leaves, np.array([[1.75, 0.0, 0.0]])) - dose_at(
        by_jaws, np.array([[1.75, 0.0, 0.0]])
    )
    assert 0.002 < float(through[0] / dose_at(by_jaws, middle)[0]) < 0.012
    assert dose_at(by_leaves, beside) == pytest.approx(dose_at(by_jaws, beside), rel=0.05)


def test_leaves_that_move_along_y_open_the_other_way() -> None:
    opening = aperture.rectangle(6_000, 2_000, (0, 0))
    along_x = leaf_beam((0, 0), opening)
    jaws = aperture.jaws_around([opening], 500)
    points = tuple(replace(p, jaws=(*jaws[2:], *jaws[:2])) for p in along_x.control_points)
    along_y = replace(along_x, leaf_travel="y", control_points=points)
    body = Outline((0, 0), 30_000, 30_000)
    left, up = np.array([[2.5, 0.0, 0.0]]), np.array([[0.0, 0.0, 2.5]])
    wide = dose_at(course_of([along_x], body), left)
    assert dose_at(course_of([along_y], body), up) > 10 * dose_at(course_of([along_x], body), up)
    assert dose_at(course_of([along_y], body), left) < 0.1 * wide


def test_leakage_is_everywhere_in_the_patient() -> None:
    course = course_of([open_beam(1, "a", (0, 0))])
    far = np.array([[0.0, 0.0, 60.0]])
    assert dose_at(course, far, leakage=0.001) - dose_at(course, far) == pytest.approx(
        100 * GY_PER_MU * 0.001
    )


def test_without_filter_the_beam_is_weaker_off_its_axis() -> None:
    places: Array = np.zeros((1, 3))
    doses = {}
    for mode in ("flattened", "fff"):
        for off in (0, 6_000):
            opening = aperture.circle(3_000, (-off, 0))
            beam = leaf_beam((0, 0), opening)
            beam = replace(beam, energy_mv=10, fluence_mode=mode, isocentre=(off, 0, 0))  # type: ignore[arg-type]
            doses[mode, off] = float(dose_at(course_of([beam], Outline((0, 0), 80_000, 24_000)), places)[0])
    assert doses["fff", 6_000] / doses["fff", 0] == pytest.approx(0.75, abs=0.03)
    assert doses["flattened", 6_000] / doses["flattened", 0] == pytest.approx(1.03, abs=0.03)


def test_jaws_cut_off_what_leaves_leave_open() -> None:
    opening = aperture.rectangle(3_000, 3_000, (0, 0))
    beam = leaf_beam((0, 0), opening)
    half = tuple(replace(p, jaws=(0, 1_500, -1_500, 500)) for p in beam.control_points)
    found = course_of([replace(beam, control_points=half)])
    whole = course_of([beam])
    for x, z in ((-0.8, 0.0), (0.8, 1.2)):  # behind an X jaw, behind a Y jaw
        place = np.array([[x, 0.0, z]])
        assert dose_at(found, place) < 0.15 * dose_at(whole, place)
    inside = np.array([[0.8, 0.0, -0.5]])
    assert dose_at(found, inside) > 0.9 * dose_at(whole, inside)


def test_scattered_dose_comes_from_the_fluence_of_the_whole_field() -> None:
    """Without filter the wide part of the kernel is integrated over the peaked fluence of 12 cm."""
    fff = kernel(10, "fff")
    course = course_of([open_beam(1, "a", (0, 0), energy=10, mode="fff", side=12_000)], WIDE)
    found = float(dose_at(course, np.array([[0.0, 0.0, 0.0]]))[0]) / (100 * fff.gy_per_mu)
    depth = np.array([WIDE.depth / 2000])
    k = fff.parameters(depth)
    step = 0.05
    x = np.arange(-6 + step / 2, 6, step)
    r = np.hypot(x[:, None], x[None, :])
    wide = float((fff.fluence(r) * k.b * np.exp(-k.b * r) / r).sum() * step**2)
    narrow = 2 * np.pi  # the field is much wider than 1/a
    expected = float((k.narrow * narrow + k.wide * wide)[0])
    even = float((k.narrow * narrow + k.wide * (k.b * np.exp(-k.b * r) / r).sum() * step**2)[0])
    assert found == pytest.approx(expected, rel=0.004)
    assert abs(even / expected - 1) > 0.012  # the difference it is about


# --- what it does not know --------------------------------------------------------------------------------


def test_a_beam_the_model_does_not_have_is_refused() -> None:
    with pytest.raises(NoBeamData, match="no beam data for 15 MV flattened; the dose model has 6 MV"):
        influence(course_of([open_beam(1, "a", (0, 0), energy=15)]))


def test_leaves_of_unknown_width_are_refused() -> None:
    beam = replace(leaf_beam((0, 0), aperture.circle(3_000, (0, 0))), leaf_boundaries=())
    with pytest.raises(UnknownLeaves, match="beam 1: the plan gives no leaf boundaries"):
        influence(course_of([beam]))


def test_the_same_plan_is_computed_once() -> None:
    def made() -> Course:
        return course_of([open_beam(1, "a", (0, 1000))])

    assert influence(made()) is influence(made())
