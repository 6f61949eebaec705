"""Whole sessions with a moving patient: what stops them, what the operator does, what is measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware_model.controller import ModelController
from firmware_model.diagnostics import DocumentError
from sim.clinic.motion_schema import IntrafractionDrift, Reimaging
from sim.record.trace import Sample
from sim.scenario.intervals import outside, overlap, where
from sim.scenario.invariants import judge_all
from sim.scenario.loading import load_scenario
from sim.scenario.runner import BoardIdentity, Outcome, run_scenario
from sim.scenario.schema import OperatorPolicy
from tests.motion.bench import BREATHING, GATING, REGULAR
from tests.sim.short_session import arc, run, step

ROOT = Path(__file__).parents[2] / "scenarios" / "motion"
GIVEN = {
    "breathing": BREATHING.validate_python(REGULAR),
    "gating": GATING.validate_python({"mode": "amplitude", "around": "exhale", "within": "2.5 mm"}),
}


def scenario(name: str, without: tuple[str, ...] = (), seed: int | None = None) -> Outcome:
    loaded = load_scenario(ROOT / f"{name}.yaml")
    if without:
        loaded = loaded.with_table(loaded.table.without(*without))
    return run_scenario(loaded, ModelController(loaded.table), BoardIdentity("model", "test", ""), seed=seed)


def measured(outcome: Outcome) -> dict[str, float]:
    return {m["name"]: m["value"] for m in outcome.run["measurements"]}


@pytest.mark.parametrize(
    ("name", "interlock"),
    [
        ("amplitude_gated", "GATE_CLOSED"),
        ("irregular_breathing", "GATE_CLOSED"),
        ("breath_hold", "GATE_CLOSED"),
        ("recorded_breathing", "GATE_CLOSED"),
        ("cough", "GATE_CLOSED"),
        ("coughing_fit", "SURROGATE_RANGE"),
        ("breathing_stops", "GATE_OPEN_LONG"),
        ("baseline_drift_found", "GATE_CLOSED_LONG"),
        ("gate_lost_for_long", "GATE_CLOSED_LONG"),
        ("gating_stops", "GATE_STALE"),
        ("gate_frozen", "GATE_OPEN_LONG"),
        ("patient_moves", "GATE_CLOSED_LONG"),
    ],
)
def test_a_scenario_fails_without_its_interlock(name: str, interlock: str) -> None:
    assert scenario(name, without=(interlock,)).verdict == "FAIL"


def test_an_irregular_session_writes_the_same_bytes_again_and_others_with_another_seed() -> None:
    first, again, other = (
        scenario("irregular_breathing", seed=seed).world.trace.events_jsonl() for seed in (7, 7, 8)
    )
    assert first == again != other


def test_breathing_without_a_gate_changes_no_event() -> None:
    still, breathing = run(), run(breathing=BREATHING.validate_python({**REGULAR, "amplitude": "3 mm"}))
    assert still.world.trace.events_jsonl() == breathing.world.trace.events_jsonl()
    assert measured(breathing)["largest target offset with beam on"] > 1.5


def test_the_gate_costs_what_the_window_leaves_and_the_latency_shows_in_the_strays() -> None:
    figures = measured(run(beams=(arc(meterset=600_000),), **GIVEN))
    # sin^6 is below 2.5/12 for 55.7 % of a breath.
    assert figures["gate duty cycle"] == pytest.approx(55.7, abs=5)
    assert figures["gated beam-on efficiency"] == pytest.approx(figures["gate duty cycle"], abs=1)
    assert figures["beam holds by the gate"] >= 3
    # 130 ms of the gating system, a scan, 1.45 ms of the linac, and the error of set-up and match.
    assert 100 < figures["longest stray of the target with beam on"] < 200


def test_the_missed_dose_is_the_dose_while_the_target_is_out() -> None:
    outcome = run(beams=(arc(meterset=600_000),), **GIVEN)
    trace = outcome.world.trace
    rate = trace.channels["dose_rate"]
    strays = overlap(where(trace, "beam_on"), outside(trace, "target_position", -2.5, 2.5))
    by_rate = sum(float(rate.at(t) or 0) / 60_000 for a, b in strays for t in range(a + 500, b, 1_000))
    assert by_rate > 5
    assert measured(outcome)["dose with the target outside the window"] == pytest.approx(by_rate, rel=0.03)


def broken(outcome: Outcome) -> set[str]:
    return {verdict.id for verdict in judge_all(outcome.world) if verdict.status == "violated"}


def test_a_target_forged_outside_the_window_breaks_the_invariant_after_its_grace() -> None:
    outcome = run(beams=(arc(meterset=600_000),), **GIVEN)
    assert broken(outcome) == set()
    trace = outcome.world.trace
    start, end = max(where(trace, "beam_on"), key=lambda beam: beam[1] - beam[0])
    channel = trace.channels["target_position"]
    honest = list(channel.samples)

    def forge(position: float, lasts_us: int) -> set[str]:
        channel.samples[:] = [
            *(s for s in honest if s.t_us < start),
            Sample(start, position),
            Sample(start + lasts_us, 0.0),
            *(s for s in honest if s.t_us > end),
        ]
        return broken(outcome)

    assert forge(3.6, 149_000) == set()
    assert forge(3.4, 400_000) == set()
    assert forge(3.6, 152_000) == {"no-beam-outside-gate"}
    assert forge(-3.6, 152_000) == {"no-beam-outside-gate"}


def test_a_slow_drift_breaks_the_invariant_between_two_samples() -> None:
    outcome = run(beams=(arc(meterset=600_000),))
    trace = outcome.world.trace
    start = where(trace, "beam_on")[0][0]
    samples = trace.channels["target_offset"].samples
    samples[:] = [*(s for s in samples if s.t_us < start), Sample(start, 2.9, 0.2)]
    assert broken(outcome) == {"no-beam-on-wrong-place"}


def images(outcome: Outcome) -> list[int]:
    return [e.t_us for e in outcome.world.trace.events if e.kind == "image"]


def policy(**keys: str) -> OperatorPolicy:
    return OperatorPolicy(reimaging=Reimaging.model_validate(keys))


def test_an_old_image_is_taken_again_before_a_beam_and_a_small_shift_is_not_applied() -> None:
    once, again = run(), run(operator=policy(older_than="1 min"))
    assert len(images(once)) == 1
    assert len(images(again)) == 3  # every beam starts more than 1 min after the match before it
    assert len([e for e in again.world.trace.events if e.kind == "shift"]) == 1
    assert again.verdict == "PASS"


def test_a_shift_above_the_threshold_is_applied_between_beams() -> None:
    moved = [
        step(
            id="moves",
            at={"control_point": 8, "beam": 1},
            fault={"kind": "patient_moves", "vertical": "2.5 mm"},
        )
    ]
    outcome = run(moved, operator=policy(older_than="1 min"))
    shifts = [e.fields["applied_mm"] for e in outcome.world.trace.events if e.kind == "shift"]
    assert len(shifts) == 2
    assert shifts[1][2] == pytest.approx(2.5, abs=0.8)
    assert outcome.world.truth.error()[2] / 6_553_600 == pytest.approx(0, abs=0.41)


@pytest.mark.parametrize(("lasts", "number"), [("30 s", 1), ("200 s", 2)])
def test_only_a_long_interruption_asks_for_an_image(lasts: str, number: int) -> None:
    water = [
        step(
            id="water",
            at={"meterset": "30 MU"},
            fault={"kind": "utility", "signal": "water_flow", "value": 2},
            lasts=lasts,
        )
    ]
    outcome = run(water, operator=policy(interrupted_for="2 min"))
    assert len(images(outcome)) == number
    assert outcome.verdict == "PASS"
    assert len([e for e in outcome.world.trace.events if e.kind == "beam_end"]) == 2


def test_a_shift_found_in_a_beam_ends_it_and_the_remainder_follows() -> None:
    outcome = scenario("patient_moves")
    events = outcome.world.trace.events
    ends = [(e.fields["beam"], e.fields["delivered_mu"]) for e in events if e.kind == "beam_end"]
    assert [beam for beam, _ in ends] == [1, 2, 2, 3]
    assert ends[1][1] < ends[2][1] == 900
    stopped = next(e.t_us for e in events if e.kind == "beam_end" and e.fields["delivered_mu"] < 880)
    shifts = [e.t_us for e in events if e.kind == "shift"]
    assert shifts[0] < stopped < shifts[1]
    assert outcome.verdict == "PASS"


def test_breath_holds_are_asked_for_only_while_a_beam_is_in_progress() -> None:
    outcome = scenario("breath_hold")
    trace = outcome.world.trace
    asked = [e.t_us for e in trace.events if e.fields.get("act") == "ask for a breath-hold"]
    assert len(asked) >= 5
    in_progress = where(trace, "state", lambda v: v in ("irradiation", "hold"))
    assert all(any(a <= t <= b for a, b in in_progress) for t in asked)
    assert measured(outcome)["longest stray of the target with beam on"] < 150


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("breathing: {", "# {", "nothing to gate"),
        ("amplitude: 12 mm", "amplitude: 0 mm", "amplitude"),
        ("period: 4 s", "period: 100 ms", "period"),
        ("kind: regular, period: 4 s, amplitude: 12 mm", "kind: recorded, file: none.csv", "none.csv"),
    ],
)
def test_a_mistake_in_motion_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    text = (ROOT / "cough.yaml").read_text().replace("../plans", str(ROOT.parent / "plans"))
    assert old in text
    file = tmp_path / "scenario.yaml"
    file.write_text(text.replace(old, new))
    with pytest.raises(DocumentError) as refused:
        load_scenario(file)
    assert words in str(refused.value)


def test_a_fault_of_breathing_needs_breathing(tmp_path: Path) -> None:
    text = (ROOT / "cough.yaml").read_text().replace("../plans", str(ROOT.parent / "plans"))
    lines = [line for line in text.splitlines() if not line.startswith(("breathing", "gating"))]
    file = tmp_path / "scenario.yaml"
    file.write_text("\n".join(lines) + "\n")
    with pytest.raises(DocumentError, match=r"scenario\.yaml:\d+:\d+: this fault needs 'breathing'"):
        load_scenario(file)


def test_a_gated_session_costs_a_few_segments_a_breath() -> None:
    """Plant events are what a session costs: three a breath, and those of a gated beam."""
    outcome = run(beams=(arc(1, 600_000), arc(3, 600_000)), **GIVEN)
    breaths = outcome.world.trace.end_us / 4e6
    ungated = run(beams=(arc(1, 600_000), arc(3, 600_000)))
    holds = measured(outcome)["beam holds by the gate"]
    extra = outcome.world.conductor.segments - ungated.world.conductor.segments
    assert extra < 3.2 * breaths + 30 * holds


def test_an_image_shows_the_patient_at_the_end_of_its_scan_not_of_the_match() -> None:
    drift = IntrafractionDrift.model_validate({"per_minute": "1 mm", "direction": "vertical"})
    found = [
        next(e.fields["shift_mm"] for e in outcome.world.trace.events if e.kind == "image")
        for outcome in (run(), run(drift=drift))
    ]
    # The drift begins with the scan, which takes 1 min; the match takes 2 to 4 min more.
    assert [b - a for a, b in zip(*found, strict=True)] == pytest.approx([0, 0, 1], abs=0.011)


def test_nobody_is_asked_to_hold_the_breath_while_the_beam_is_interrupted() -> None:
    water = [
        step(
            id="water",
            at={"meterset": "50 MU"},
            fault={"kind": "utility", "signal": "water_flow", "value": 2},
            lasts="90 s",
        )
    ]
    outcome = run(
        water,
        beams=(arc(meterset=600_000),),
        breathing=GIVEN["breathing"],
        gating=GATING.validate_python({"mode": "breath_hold"}),
    )
    trace = outcome.world.trace
    interrupted = where(trace, "state", lambda v: v == "interrupted")
    asked = [e.t_us for e in trace.events if e.fields.get("act") == "ask for a breath-hold"]
    assert outcome.verdict == "PASS"
    assert interrupted[0][1] - interrupted[0][0] > 90_000_000
    assert len(asked) >= 2
    assert not any(a < t < b for a, b in interrupted for t in asked)


def test_a_couch_that_jumps_was_right_until_it_did() -> None:
    slip = [
        step(
            id="slip",
            at={"meterset": "30 MU"},
            fault={"kind": "axis_slip", "axis": "couch_lateral", "by": 5},
        )
    ]
    outcome = run(slip, beams=(arc(meterset=400_000),))
    at = next(e.t_us for e in outcome.world.trace.events if e.kind == "fault")
    offset = outcome.world.trace.channels["target_offset"]
    before, after = offset.at(at - 1), offset.at(at)
    assert isinstance(before, float)
    assert isinstance(after, float)
    assert before < 1 < 4 < after


def test_a_patient_who_does_not_come_back_to_the_gate_is_given_up() -> None:
    moved = [
        step(
            id="moves",
            at={"meterset": "50 MU"},
            fault={"kind": "patient_moves", "longitudinal": "9 mm"},
        )
    ]
    outcome = run(moved, beams=(arc(meterset=600_000),), **GIVEN)
    trace = outcome.world.trace
    interruptions = where(trace, "state", lambda v: v == "interrupted")
    assert len(interruptions) == 4
    assert trace.events[-1].kind == "session"
    assert any("stopped 4 times by patient motion" in str(e.fields.get("act")) for e in trace.events)
    assert [e.fields["cause"] for e in trace.events if e.kind == "beam_end"] == ["interlock"]
