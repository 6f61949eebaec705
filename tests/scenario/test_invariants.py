"""Each invariant is seen broken: a rule that cannot fail protects nobody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from firmware_model.controller import ModelController
from sim.machine import FluenceMode
from sim.record.trace import Sample
from sim.scenario.invariants import INVARIANTS, judge_all
from sim.scenario.loading import load_scenario
from sim.scenario.runner import BoardIdentity, Outcome, run_scenario
from sim.scenario.schema import InvariantId
from tests.sim.short_session import arc, run, step

ROOT = Path(__file__).parents[2] / "scenarios"


def verdicts(outcome: Outcome) -> dict[str, str]:
    return {verdict.id: verdict.status for verdict in judge_all(outcome.world)}


@pytest.fixture
def nominal() -> Outcome:
    return run(beams=(arc(),))


def beam_start(outcome: Outcome) -> int:
    return next(e.t_us for e in outcome.world.trace.events if e.kind == "beam" and e.fields["on"])


def test_a_nominal_session_breaks_none(nominal: Outcome) -> None:
    assert "violated" not in verdicts(nominal).values()
    assert len(INVARIANTS) == len(verdicts(nominal))
    assert set(get_args(InvariantId)) == set(verdicts(nominal))


@pytest.mark.parametrize(
    ("channel", "value", "after", "broken"),
    [
        ("door_open", True, 1_000, "no-beam-with-door-open"),
        ("emergency_pressed", True, 1_000, "no-beam-in-emergency-stop"),
        ("permit", False, 1_000, "no-beam-without-permit"),
        ("target_offset", 5.0, 1_000, "no-beam-on-wrong-place"),
        ("state", "terminated", 1_000, "no-beam-after-termination"),
        ("state", "hold", 1_000, "permit-only-in-irradiation"),
        ("interlock/WATER_FLOW", True, 1_000, "no-permit-with-trip"),
        ("dose_rate", 9_000.0, 1_000, "no-runaway-rate"),
        ("door_open", True, -100_000, "no-start-with-open-room"),
    ],
)
def test_a_forged_truth_breaks_the_invariant(
    nominal: Outcome, channel: str, value: object, after: int, broken: str
) -> None:
    trace = nominal.world.trace
    at = beam_start(nominal) + after
    kind = "number" if isinstance(value, float) else "state" if isinstance(value, str) else "bool"
    samples = trace.channel(channel, kind).samples
    samples[:] = [s for s in samples if s.t_us < at] + [Sample(at, value)]  # type: ignore[arg-type]
    assert verdicts(nominal)[broken] == "violated"


def two_qualities(first: FluenceMode, second: FluenceMode) -> Outcome:
    """A session of two beams; a flattened 6 MV beam has 600 MU/min at most, one without filter 1400."""
    beams = [
        replace(
            arc(number),
            fluence_mode=mode,
            control_points=tuple(replace(p, dose_rate=600) for p in arc().control_points),
        )
        for number, mode in ((1, first), (2, second))
    ]
    return run(beams=tuple(beams))


@pytest.mark.parametrize("modes", [("fff", "flattened"), ("flattened", "fff")])
@pytest.mark.parametrize(("rate", "status"), [(2700.0, "held"), (2900.0, "violated")])
def test_the_rate_of_every_beam_is_judged_by_its_own_maximum(
    modes: tuple[FluenceMode, FluenceMode], rate: float, status: str
) -> None:
    """Twice 1400 MU/min is the limit in the beam without filter only, whichever comes first."""
    outcome = two_qualities(*modes)
    assert verdicts(outcome)["no-runaway-rate"] == "held"
    samples = outcome.world.trace.channels["dose_rate"].samples
    starts = [e.t_us for e in outcome.world.trace.events if e.kind == "beam_start"]
    for index, (mode, start) in enumerate(zip(modes, starts, strict=True)):
        end = starts[index + 1] if index + 1 < len(starts) else outcome.world.trace.end_us
        forged = [
            s._replace(value=rate if s.value else s.value) if start < s.t_us < end else s for s in samples
        ]
        kept, samples[:] = list(samples), forged
        assert verdicts(outcome)["no-runaway-rate"] == (status if mode == "fff" else "violated")
        samples[:] = kept


def test_a_session_that_selects_no_beam_is_judged() -> None:
    found = verdicts(run(time_limit=60_000_000))
    assert found["no-runaway-rate"] == "not_evaluated"
    assert "violated" not in found.values()


def test_a_decreasing_dose_is_noticed(nominal: Outcome) -> None:
    samples = nominal.world.trace.channels["dose_delivered"].samples
    samples.append(Sample(samples[-1].t_us + 1, 0.0))
    assert verdicts(nominal)["dose-never-decreases"] == "violated"


def test_dose_beyond_the_preset_and_a_wrong_record_are_noticed(nominal: Outcome) -> None:
    nominal.world.operator.delivered_at_beam_end[0] += 30
    found = verdicts(nominal)
    assert found["no-dose-beyond-preset"] == "violated"
    assert found["records-agree"] == "violated"


def test_a_beam_that_ignores_the_permit_fails_the_run_although_the_second_barrier_ends_it() -> None:
    """The modulator sticks when the door opens: the power is removed, but later than an invariant allows."""
    outcome = run(
        [
            step(id="stuck", at={"meterset": "30 MU"}, fault={"kind": "beam_stays_on"}),
            step(id="door", at={"after": "stuck", "delay": "10 ms"}, room="open_door"),
        ],
        beams=(arc(meterset=400_000),),
    )
    found = verdicts(outcome)
    assert found["no-beam-with-door-open"] == "violated"
    assert found["no-beam-without-permit"] == "violated"
    names = [e.fields["interlock"] for e in outcome.world.trace.events if e.kind == "trip"]
    assert "DOSE_WITHOUT_PERMIT" in names
    assert outcome.verdict == "FAIL"


def test_the_headline_evaluates_the_door_invariant() -> None:
    loaded = load_scenario(ROOT / "two_abdominal_metastases.yaml")
    outcome = run_scenario(loaded, ModelController(loaded.table), BoardIdentity("model", "test", ""))
    assert verdicts(outcome)["no-beam-with-door-open"] == "held"
