"""A beam is checked where it starts, not on the way there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.plan.course import Beam
from sim.scenario.runner import Outcome
from tests.sim.short_session import TABLE, arc, run, step, steps

HURRY = step(id="hurry", at={"meterset": "10 MU"}, fault={"kind": "hurry"})


def second_beam(**changed: object) -> Beam:
    """The first beam once more, with something else in its first control points."""
    beam = steps(2)
    points = tuple(replace(point, **changed) for point in beam.control_points)  # type: ignore[arg-type]
    return replace(beam, control_points=points)


def refusals(outcome: Outcome) -> list[str]:
    return [
        event.fields["reason"]
        for event in outcome.world.trace.events
        if event.kind == "command" and event.fields["command"] == "begin_check" and event.fields["reason"]
    ]


@pytest.mark.parametrize(
    ("changed", "watched"),
    [
        ({"gantry": 27_000}, "GANTRY_POSITION"),
        ({"collimator": 12_000}, "COLLIMATOR_POSITION"),
        ({"couch_rotation": 4_500}, "COUCH_ROTATION_POSITION"),
        ({"jaws": (-15_000, 15_000, -15_000, 15_000)}, "JAW_POSITION"),
        ({"leaves": (-12_000,) * 60 + (12_000,) * 60}, "MLC_POSITION"),
    ],
)
def test_a_check_in_a_hurry_is_refused_while_something_is_on_its_way(
    changed: dict[str, object], watched: str
) -> None:
    """Both beams have one beam quality, so that only what moves can be in the way."""
    outcome = run([HURRY], (steps(1), second_beam(**changed)))
    assert refusals(outcome) == [watched]
    assert outcome.verdict == "PASS"
    assert outcome.run["targets"][0]["delivered_mu"] == 90


def test_leaves_a_little_behind_are_waited_for_and_no_failure_of_their_line() -> None:
    """3 mm off is no reason for MLC_POSITION, but too much to prove a line that trips above 2 mm."""
    lag = step(id="lag", at={"event": "beam_end"}, fault={"kind": "leaf_lag", "by": 3}, lasts="8 s")
    outcome = run([lag], (steps(1), steps(2)))
    assert set(refusals(outcome)) == {"MLC_HOLD"}
    assert outcome.verdict == "PASS"


def test_without_the_row_the_beam_would_start_at_the_wrong_angle() -> None:
    """The truth knows: the gantry is 90 deg from its first control point when the beam is asked for."""
    table = TABLE.without("GANTRY_POSITION", "MOTION_IN_STATIC_GANTRY")
    here = steps(1).control_points[-1].leaves
    outcome = run([HURRY], (steps(1), second_beam(gantry=27_000, leaves=here)), table=table)
    assert refusals(outcome) == []
    broken = [i["id"] for i in outcome.run["invariants"] if i["status"] == "violated"]
    assert broken == ["no-beam-at-wrong-angle"]


def test_a_machine_that_has_arrived_is_where_it_has_to_be() -> None:
    outcome = run([], (arc(), steps()))
    trace = outcome.world.trace
    start = next(e.t_us for e in trace.events if e.kind == "beam" and e.fields["on"])
    for name in ("angle_error", "aperture_error"):
        sample = next(s for s in reversed(trace.channels[name].samples) if s.t_us <= start)
        assert (sample.slope, float(sample.value) < 0.1) == (0, True)
