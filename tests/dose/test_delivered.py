"""What was delivered where, from real sessions: interruptions, faults of the chambers, given-up beams."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from firmware_model.controller import ModelController
from sim.dose.delivered import delivered, place_of
from sim.dose.influence import Stretch, influence
from sim.dose.session import SessionDose, session_dose
from sim.plan.course import Beam, Course
from sim.scenario.loading import load_scenario
from sim.scenario.runner import BoardIdentity, Outcome, run_scenario
from tests.sim import short_session
from tests.sim.short_session import arc, step

TERMINATED = Path(__file__).parents[2] / "scenarios" / "faults" / "terminated_and_continued.yaml"
DOOR = step(id="door", at={"meterset": "40 MU", "beam": 1}, room="open_door")


def stretches(outcome: Outcome) -> list[Stretch]:
    return list(delivered(outcome.world.course, outcome.world.trace))


def dose(outcome: Outcome) -> SessionDose:
    course = outcome.world.course
    return session_dose(course, course.targets, outcome.world.trace)


def by_segment(found: list[Stretch], beam: Beam) -> np.ndarray:
    mu = np.zeros(len(beam.control_points) - 1)
    for stretch in found:
        mu[min(int(stretch.start), len(mu) - 1)] += stretch.mu
    return mu


def planned(beam: Beam) -> np.ndarray:
    return np.diff([point.meterset for point in beam.control_points]) / 1000


def test_an_undisturbed_beam_is_delivered_segment_by_segment() -> None:
    found = stretches(short_session.run(beams=(arc(),)))
    # The chambers have a noise of 0.1 %, so the truth of a segment differs from its plan by so much.
    np.testing.assert_allclose(by_segment(found, arc()), planned(arc()), rtol=0.005)
    assert [(s.start, s.end) for s in found if s.mu > 0.1] == [(float(k), k + 1.0) for k in range(8)]


def test_an_interruption_splits_a_segment_and_changes_no_dose() -> None:
    found = stretches(short_session.run([DOOR], (arc(),)))
    np.testing.assert_allclose(by_segment(found, arc()), planned(arc()), rtol=0.01)
    whole, split = dose(short_session.run(beams=(arc(),))), dose(short_session.run([DOOR], (arc(),)))
    for a, b in zip(whole.points, split.points, strict=True):
        assert b.delivered_gy == pytest.approx(a.delivered_gy, rel=0.005)


def test_a_beam_that_is_ended_gives_nothing_beyond_where_it_stopped() -> None:
    policy = short_session.loaded([]).scenario.operator.model_copy(update={"after_interrupt": "terminate"})
    outcome = short_session.run([DOOR], (arc(),), operator=policy)
    found = stretches(outcome)
    end = max(s.end for s in found)
    assert end == pytest.approx(place_of(arc(), 40.0), abs=0.05)
    assert sum(s.mu for s in found) == pytest.approx(40.0, abs=0.2)
    known = influence(outcome.world.course)
    expected = sum(s.mu * known.beams[1].mean(s.start, s.end) for s in found)
    np.testing.assert_allclose([p.delivered_gy for p in dose(outcome).points], expected, rtol=1e-9)


def test_a_continuation_goes_on_where_the_beam_ended() -> None:
    loaded = load_scenario(TERMINATED)
    outcome = run_scenario(loaded, ModelController(loaded.table), BoardIdentity("model", "", ""))
    beam = outcome.world.course.targets[0].beams[0]
    found = [stretch for stretch in stretches(outcome) if stretch.beam == beam.number]
    np.testing.assert_allclose(by_segment(found, beam), planned(beam), rtol=0.02)


def test_a_worn_target_gives_less_at_the_same_metersets() -> None:
    worn = step(id="worn", at={"time": "1 s"}, fault={"kind": "target_wear", "percent": 2})
    healthy, fault = dose(short_session.run(beams=(arc(),))), dose(short_session.run([worn], (arc(),)))
    for a, b in zip(healthy.points, fault.points, strict=True):
        assert b.delivered_gy == pytest.approx(0.98 * a.delivered_gy, rel=0.003)
        assert b.planned_gy == a.planned_gy


def test_a_step_without_dose_counts_for_nothing() -> None:
    """Two openings, the beam held in between: each gets its own MU."""
    beam = replace(short_session.steps(), leaf_boundaries=tuple(range(-15_000, 15_001, 500)))
    found = stretches(short_session.run(beams=(beam,)))
    np.testing.assert_allclose(by_segment(found, beam), [20.0, 0.0, 25.0], atol=0.1)


def test_leaves_of_unknown_width_leave_a_reason() -> None:
    outcome = short_session.run()  # its steps have leaves without boundaries
    assert outcome.run["dose"] == {
        "not_computed": "beam 2: the plan gives no leaf boundaries, so no leaf widths"
    }


@pytest.mark.parametrize(
    ("meterset", "place"),
    [(0.0, 0.0), (6.25, 1.0), (9.375, 1.5), (25.0, 4.0), (43.75, 5.0), (100.0, 8.0), (120.0, 8.0)],
)
def test_place_of_a_meterset(meterset: float, place: float) -> None:
    assert place_of(arc(), meterset) == pytest.approx(place)


def test_a_run_that_is_cut_off_counts_what_was_given() -> None:
    outcome = short_session.run(beams=(arc(),))
    trace = outcome.world.trace
    reached = next(e.t_us for e in trace.events if e.kind == "control_point" and e.fields["index"] == 5)
    trace.events = [event for event in trace.events if event.t_us <= reached]
    trace.end_us = reached + 100_000
    last = list(delivered(outcome.world.course, trace))[-1]
    assert last.start == 5.0
    # 1400 MU/min for 0.1 s in a segment of 18.75 MU
    assert 0 < last.mu <= 2.4
    assert last.end == pytest.approx(5 + last.mu / 18.75, rel=1e-6)


def test_planned_counts_only_the_targets_of_the_session() -> None:
    course: Course = short_session.course(arc())
    outcome = short_session.run(beams=(arc(),))
    nothing = session_dose(course, (), outcome.world.trace)
    assert all(p.planned_gy == 0 and p.delivered_gy > 0 for p in nothing.points)
