"""The plant delivers the plan: metersets, axes, holds, records."""

from __future__ import annotations

import pytest

from sim.clinic.record_verify import Delivery, Orders, RecordVerify, RefusedDelivery
from sim.clock import Ramp, level, ramp_between
from sim.scenario.intervals import after_grace, overlap, where
from sim.scenario.schema import OperatorPolicy
from tests.sim.short_session import MACHINE, TABLE, arc, course, run, step, steps


def test_a_nominal_session_passes_with_every_control_point_at_its_meterset() -> None:
    outcome = run()
    assert outcome.verdict == "PASS", outcome.run
    for beam, planned in zip(outcome.run["targets"][0]["beams"], (arc(), steps()), strict=True):
        assert beam["delivered_mu"] == planned.meterset / 1000
        assert [p["delivered_mu"] for p in beam["control_points"]] == [
            p.meterset / 1000 for p in planned.control_points
        ]


def test_true_dose_differs_from_the_primary_reading_by_chamber_noise_only() -> None:
    outcome = run(beams=(arc(meterset=2_000_000),))
    assert outcome.world.delivered_at_beam_end[0] == pytest.approx(2000, rel=0.004)
    assert outcome.world.delivered_at_beam_end[0] != 2000


def test_each_control_point_is_reached_with_the_gantry_at_its_angle() -> None:
    outcome = run(beams=(arc(),))
    gantry = outcome.world.trace.channels["gantry"]
    for event in outcome.world.trace.events:
        if event.kind == "control_point":
            planned = arc().control_points[event.fields["index"]].gantry / 100
            assert gantry.at(event.t_us) == pytest.approx(planned, abs=0.02)


def test_a_step_without_dose_is_moved_with_the_beam_held() -> None:
    outcome = run(beams=(steps(),))
    held = where(outcome.world.trace, "state", lambda v: v == "hold")
    assert len(held) == 1
    # 5 mm at 25 mm/s
    assert held[0][1] - held[0][0] == pytest.approx(200_000, abs=3000)
    assert overlap(where(outcome.world.trace, "beam_on"), after_grace(held, 10_000)) == []


def test_an_interrupted_beam_goes_on_at_the_meterset_it_reached() -> None:
    outcome = run([step(id="door", at={"meterset": "40 MU", "beam": 1}, room="open_door")])
    assert outcome.verdict == "PASS", outcome.run
    assert len([e for e in outcome.world.trace.events if e.kind == "beam_end"]) == 2


def test_a_terminated_beam_is_continued_with_its_remainder_and_recorded_in_two_parts() -> None:
    stop = [step(id="stop", at={"meterset": "40 MU", "beam": 1}, console="terminate")]
    outcome = run(stop, operator=OperatorPolicy(after_terminate="continue"))
    first, second = [d for d in outcome.world.records.deliveries if d.beam == 1]
    assert first.cause == "operator"
    assert 40_000 <= first.end < 40_200
    assert (second.start, second.end, second.cause) == (first.end, 100_000, "normal")


def test_after_a_power_dip_the_meterset_survives_and_nothing_resumes_by_itself() -> None:
    dip = [step(id="dip", at={"meterset": "50 MU", "beam": 1}, fault={"kind": "power_dip"}, lasts="3 s")]
    outcome = run(dip)
    assert outcome.verdict == "FAIL"  # the target is not delivered
    delivery = outcome.world.records.deliveries[0]
    assert delivery.cause == "power"
    assert abs(delivery.end - 50_000) <= 50
    permits = where(outcome.world.trace, "permit")
    dipped = next(e.t_us for e in outcome.world.trace.events if e.kind == "fault")
    assert all(end <= dipped for _, end in permits)


@pytest.mark.parametrize("state", ["preparatory", "check"])
def test_after_a_power_dip_before_the_beam_the_operator_switches_on_and_delivers(state: str) -> None:
    dip = step(id="dip", at={"state": state, "delay": "300 ms"}, fault={"kind": "power_dip"}, lasts="2 s")
    outcome = run([dip], operator=OperatorPolicy(after_terminate="continue"))
    assert outcome.verdict == "PASS", outcome.run
    powered = [e for e in outcome.world.trace.events if e.kind == "power"]
    assert [e.fields["on"] for e in powered] == [True, False, True]


def test_after_a_controller_hang_the_watchdog_ends_the_beam() -> None:
    hang = [step(id="hang", at={"meterset": "50 MU", "beam": 1}, fault={"kind": "controller_hang"})]
    outcome = run(hang)
    hung = next(e.t_us for e in outcome.world.trace.events if e.kind == "fault")
    (last,) = [b for _, b in where(outcome.world.trace, "beam_on")][-1:]
    assert 0 < last - hung <= 60_000
    delivery = outcome.world.records.deliveries[0]
    assert delivery.cause == "power"
    # The counter is alive: also what came after the last scan is recorded.
    assert delivery.end == outcome.world.linac.dose.primary.count.counts(outcome.world.clock.now)
    assert abs(delivery.end / 1000 - outcome.world.delivered_at_beam_end[0]) < 0.2


def test_a_hang_shorter_than_the_watchdog_is_only_a_gap_in_the_scans() -> None:
    hang = step(
        id="hang", at={"meterset": "50 MU", "beam": 1}, fault={"kind": "controller_hang"}, lasts="49.999 ms"
    )
    outcome = run([hang], beams=(arc(),))
    assert outcome.verdict == "PASS", outcome.run
    assert outcome.world.conductor.tick - outcome.world.conductor.scans == 50
    # After the gap the controller reads what the counters gained in it.
    hung = next(e.t_us for e in outcome.world.trace.events if e.kind == "fault")
    cut = run([hang], beams=(arc(),), time_limit=hung + 60_000)
    last_scan = (cut.world.conductor.tick - 1) * cut.world.conductor.scan_us
    assert last_scan - hung > 50_000
    retained = cut.world.conductor.controller.retained
    assert retained.meterset == cut.world.linac.dose.primary.count.counts(last_scan)


def record_verify() -> RecordVerify:
    outcome = run(beams=(arc(),))
    return RecordVerify(course(arc()), MACHINE, Orders({"lesion": 1}), outcome.world.linac.lines)


def test_record_and_verify_refuses_a_beam_delivered_before() -> None:
    records = record_verify()
    target = records.course.targets[0]
    records.record(Delivery("lesion", 1, 1, 0, 100_000, "normal", 100_000))
    with pytest.raises(RefusedDelivery, match="complete in fraction 1"):
        records.select(target, target.beams[0])
    with pytest.raises(RefusedDelivery, match="delivered twice"):
        records.record(Delivery("lesion", 1, 1, 90_000, 100_000, "normal", 100_000))


def test_control_point_metersets_follow_the_standards_rule_over_several_deliveries() -> None:
    """DICOM PS3.3 C.8.8.21.2.2: over all deliveries the parts add up to what was delivered."""
    records = record_verify()
    target = records.course.targets[0]
    records.record(Delivery("lesion", 1, 1, 0, 40_000, "interlock", 40_000))
    records.record(Delivery("lesion", 1, 1, 40_000, 70_000, "normal", 70_000))
    metersets = records.control_point_metersets(target, target.beams[0])
    planned = [p.meterset for p in target.beams[0].control_points]
    assert metersets == [min(p, 70_000) for p in planned]


def test_ramps_are_exact_at_whole_milliseconds_from_any_starting_instant() -> None:
    ramp = Ramp(12345, 677, 1234)
    moved = ramp.since(5_000)
    for tick in range(5, 50):
        assert moved.at(tick * 1000) == ramp.at(5_000) + 677 * (tick - 5)
    assert level(7).counts(99) == 7
    assert ramp_between(0, 1000 << 16, 2_000_000, 0).time_to(500 << 16, 0) == pytest.approx(
        1_000_000, abs=100
    )


def test_the_reference_table_knows_every_signal_the_plant_drives() -> None:
    """A signal renamed in the table would silently stay at its safe value."""
    outcome = run()
    never_driven = {name for name in TABLE.signals if len(outcome.world.trace.channels[name].samples) == 0}
    assert never_driven == set()


def test_a_fault_that_ended_by_itself_can_still_be_cleared_by_a_step() -> None:
    fault = {"kind": "signal_offset", "signal": "water_flow", "by": 1}
    outcome = run(
        [
            step(id="offset", at={"time": "10 s"}, fault=fault, lasts="5 s"),
            step(id="too_late", at={"time": "20 s"}, clear="offset"),
        ],
        beams=(arc(),),
    )
    assert outcome.verdict == "PASS", outcome.run
    assert [e.fields["active"] for e in outcome.world.trace.events if e.kind == "fault"] == [True, False]
