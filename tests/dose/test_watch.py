"""The dose lines of a session: what they say while a beam is on, and the interlocks that read them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from firmware_model.controller import ModelController
from sim.dose.standing import Standing, as_planned, stretches
from sim.scenario.intervals import where
from sim.scenario.loading import LoadedScenario, load_scenario
from sim.scenario.runner import BoardIdentity, Outcome, run_scenario

SCENARIOS = Path(__file__).parents[2] / "scenarios"
JOINT = SCENARIOS / "nominal" / "two_targets_planned_together.yaml"


def run(loaded: LoadedScenario, before: Standing | None = None) -> Outcome:
    return run_scenario(
        loaded, ModelController(loaded.table), BoardIdentity("model", "test", ""), before=before
    )


def first_causes(outcome: Outcome) -> list[str]:
    return [entry["id"] for entry in outcome.run["interlocks"] if entry["first_up"]]


def lines(outcome: Outcome, name: str) -> list[tuple[int, float]]:
    return [(s.t_us, float(s.value)) for s in outcome.world.trace.channels[name].samples]


def test_the_line_ends_at_what_the_session_gave() -> None:
    loaded = load_scenario(JOINT)
    outcome = run(loaded)
    assert outcome.verdict == "PASS"
    dose = outcome.run["dose"]["points"]
    for target in ("adrenal", "node"):
        point = next(p for p in dose if p["of"] == target and p["kind"] == "centre")
        ends = [e for e in outcome.world.trace.events if e.kind == "beam_end"]
        end = max(e.t_us for e in ends if e.fields["target"] == target)
        line = outcome.world.trace.channels["target_dose"].at(end)
        # At the end of its own beams the node also has what those for the adrenal gland gave before.
        given = point["delivered_gy"] if target == "node" else point["own_gy"]
        assert line == pytest.approx(100 * given / point["planned_gy"], abs=0.2)


def test_the_line_never_falls_while_the_beam_is_on() -> None:
    outcome = run(load_scenario(JOINT))
    samples = lines(outcome, "target_dose")
    beams = where(outcome.world.trace, "beam_on")
    assert len(beams) == 4
    for on, off in beams:
        during = [value for t, value in samples if on <= t <= off]
        assert len(during) > 50
        assert all(b >= a - 0.011 for a, b in pairwise(during))  # a count is 0.01 %


def test_a_fraction_too_many_ends_the_beam_at_107_percent() -> None:
    """Everything of fraction 1 was given before, and once more is asked for."""
    loaded = load_scenario(JOINT)
    outcome = run(loaded, before=replace(as_planned(loaded.course, 2), fractions_given={}))
    assert first_causes(outcome) == ["TARGET_DOSE"]
    trip = next(e.t_us for e in outcome.world.trace.events if e.kind == "trip")
    assert outcome.world.trace.channels["target_dose"].at(trip) == pytest.approx(107, abs=0.05)
    assert outcome.world.conductor.outputs.state.name == "terminated"


def test_without_the_row_the_overdose_goes_on() -> None:
    loaded = load_scenario(JOINT)
    loaded = loaded.with_table(loaded.table.without("TARGET_DOSE"))
    outcome = run(loaded, before=replace(as_planned(loaded.course, 2), fractions_given={}))
    assert first_causes(outcome) == []


def test_an_organ_at_its_limit_ends_the_beam() -> None:
    """The cord has had all but 1 % of its limit in earlier sessions."""
    path = SCENARIOS / "faults" / "second_target_given_up.yaml"
    loaded = load_scenario(path)
    cord = next(organ for organ in loaded.course.organs if organ.id == "cord")
    organs = tuple(replace(o, tissue="cord") if o is cord else o for o in loaded.course.organs)
    loaded = replace(loaded, course=replace(loaded.course, organs=organs), targets=loaded.course.targets)
    now = as_planned(loaded.course, 1)
    organ = now.organs()[0]
    # One event whose biological dose is 99 % of the limit.
    ab, effect = organ.alpha_beta, 0.99 * organ.limit
    dose = ab * ((1 + 4 * effect / ab) ** 0.5 - 1) / 2
    event = np.zeros(len(now.known.points))
    event[organ.point] = dose
    outcome = run(loaded, before=replace(now, events=(event,)))
    assert first_causes(outcome) == ["ORGAN_DOSE"]
    trip = next(e.t_us for e in outcome.world.trace.events if e.kind == "trip")
    assert outcome.world.trace.channels["organ_dose"].at(trip) == pytest.approx(100, abs=0.05)


def test_the_organ_line_is_never_below_the_effect() -> None:
    """Against the dose at instants within the segments of the first beam, where the line is a chord."""
    loaded = load_scenario(JOINT)
    organs = tuple(replace(o, tissue="stomach") for o in loaded.course.organs if o.id == "between")
    loaded = replace(loaded, course=replace(loaded.course, organs=organs))
    outcome = run(loaded)
    now = as_planned(loaded.course, 1)
    organ, beam = now.organs()[0], loaded.targets[0].beams[0]
    channels = outcome.world.trace.channels
    on, off = where(outcome.world.trace, "beam_on")[0]
    compared = 0
    for instant in range(on, off, (off - on) // 400):
        counted = round(float(channels["dose_primary"].at(instant) or 0) * 1000)
        given = now.known.dose(stretches(beam, 0, counted))[beam.target][organ.point]
        line, effect = float(channels["organ_dose"].at(instant) or 0), 100 * organ.share(float(given))
        assert effect - 0.02 <= line <= effect + 0.2, instant  # a count is 0.01 %
        compared += effect > 1
    assert compared > 100
    point = next(p for p in outcome.run["dose"]["points"] if p["of"] == "between")
    final = float(lines(outcome, "organ_dose")[-1][1])
    assert final == pytest.approx(100 * organ.share(point["delivered_gy"]), rel=2e-3)
