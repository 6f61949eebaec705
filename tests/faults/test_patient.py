"""Faults of patient and gating system change what they say, by how much they say, and clear again."""

from __future__ import annotations

from bisect import bisect_right
from types import SimpleNamespace
from typing import Any

import pytest

from firmware_model.contract import FRACTION_BITS
from sim.clinic.paths import MM
from sim.faults.base import BaseFault
from sim.faults.patient import (
    BaselineDrift,
    BreathingStops,
    Cough,
    GateFrozen,
    GateInverted,
    GateLost,
    GatingStops,
    PatientMoves,
    TargetShifted,
)
from sim.scenario.runner import Outcome
from tests.faults.plant_bench import exercises
from tests.motion.bench import BREATHING, GATING, REGULAR, MotionBench
from tests.sim.short_session import arc, run, step

AMPLITUDE = {"mode": "amplitude", "around": "exhale", "within": "2.5 mm"}
NO_GATE = {"mode": "amplitude", "low": "-50 mm", "high": "50 mm"}


def shown_at(bench: MotionBench, t_us: int) -> bool:
    noted = bench.lines.noted["gate_open"]
    return noted[bisect_right(noted, t_us, key=lambda item: item[0]) - 1][1]


@exercises("gate_lost", "gate_inverted", "gate_frozen", "gating_stops")
@pytest.mark.parametrize("kind", [GateLost, GateInverted, GateFrozen, GatingStops])
@pytest.mark.parametrize("at_us", [20_000_000, 22_000_000])  # end exhale, open; end inhale, closed
def test_a_failure_of_the_gate_shows_at_once_and_is_gone_at_once(kind: Any, at_us: int) -> None:
    healthy, broken = MotionBench(REGULAR, AMPLITUDE), MotionBench(REGULAR, AMPLITUDE)
    end_us = at_us + 9_000_000
    fault = kind.model_validate({"kind": kind.model_fields["kind"].annotation.__args__[0]})
    world: Any = SimpleNamespace(gate=broken.gate)
    broken.clock.call_in(at_us, lambda: fault.apply(world))
    broken.clock.call_in(end_us, lambda: fault.clear(world))
    silent: list[bool] = []
    broken.clock.call_in(at_us + 1, lambda: silent.append(not broken.nodes.speaking))
    for bench in (healthy, broken):
        bench.run(60_000_000)
    for t_us in range(0, 60_000_000, 50_000):
        truth = shown_at(healthy, t_us)
        if at_us <= t_us < end_us:
            as_it_was = shown_at(healthy, at_us - 1)
            truth = {
                GateLost: False, GateInverted: not truth, GateFrozen: as_it_was, GatingStops: as_it_was,
            }[kind]  # fmt: skip
        assert shown_at(broken, t_us) == truth, t_us
    assert silent == [kind is GatingStops]
    assert broken.nodes.speaking


def session(fault: dict[str, Any] | None, **more: Any) -> Outcome:
    """A short session; the fault lasts from 30 to 60 MU of a slow beam."""
    steps = []
    if fault is not None:
        steps = [
            step(id="broken", at={"meterset": "30 MU"}, fault=fault),
            step(id="mended", at={"after": "broken", "delay": "3 s"}, clear="broken"),
        ]
    return run(steps, beams=(arc(meterset=400_000),), **more)


def bounds(outcome: Outcome) -> tuple[int, int]:
    begin, end = (e.t_us for e in outcome.world.trace.events if e.kind == "fault")
    return begin, end


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"kind": "target_shifted", "by": "6 mm"}, "target_offset"),
    ({"kind": "patient_moves", "lateral": "6 mm"}, "target_offset"),
    ({"kind": "patient_moves", "longitudinal": "-7 mm"}, "surrogate_position"),
]


@exercises("target_shifted", "patient_moves")
@pytest.mark.parametrize(("fault", "channel"), FAULTS, ids=lambda value: str(value)[:40])
def test_a_displacement_is_there_while_the_fault_is_and_gone_afterwards(
    fault: dict[str, Any], channel: str
) -> None:
    given = {"breathing": BREATHING.validate_python(REGULAR), "gating": GATING.validate_python(NO_GATE)}
    healthy, broken = session(None, **given), session(fault, **given)
    begin, end = bounds(broken)

    def apart(t_us: int) -> float:
        values = [o.world.trace.channels[channel].at(t_us) for o in (healthy, broken)]
        assert all(isinstance(value, float) for value in values)
        return abs(values[0] - values[1])  # type: ignore[operator]

    assert apart(begin - 1) < 1e-6
    assert apart(begin + 1) > 4
    assert apart(end - 1) > 4
    assert apart(end + 1) < 1e-3


@exercises("baseline_drift")
def test_a_drifting_baseline_stays_where_it_got_to() -> None:
    bench = MotionBench(REGULAR, NO_GATE)
    bench.patient.drift_baseline("x", 600)
    bench.run(60_000_000)
    bench.patient.drift_baseline("x", 0)
    bench.run(200_000_000)
    assert bench.patient.marker_displacement(bench.clock.now) == 6 * MM
    assert bench.patient.displacement(bench.clock.now) == (0, 6 * MM, 0)


@pytest.mark.parametrize(
    "fault",
    [
        BaselineDrift.model_validate({"kind": "baseline_drift", "per_minute": "3 mm"}),
        TargetShifted.model_validate({"kind": "target_shifted", "by": "3 mm"}),
        PatientMoves.model_validate({"kind": "patient_moves", "lateral": "3 mm"}),
    ],
)
def test_a_gradual_fault_has_the_share_it_is_told(fault: Any) -> None:
    world = session(None, breathing=BREATHING.validate_python(REGULAR)).world
    now = world.clock.now
    before = world.patient.displacement(now + 60_000_000)
    for strength in (1_000, 500, 250, 0):
        fault.grow(world, strength)
        moved = [
            after - then
            for after, then in zip(world.patient.displacement(now + 60_000_000), before, strict=True)
        ]
        assert sum(moved) == (300 * strength // 1_000) << FRACTION_BITS


@exercises("breathing_stops", "cough")
@pytest.mark.parametrize(
    "fault",
    [
        BreathingStops.model_validate({"kind": "breathing_stops"}),
        Cough.model_validate({"kind": "cough", "height": "20 mm", "duration": "9 s"}),
    ],
)
def test_a_fault_of_breathing_that_is_cleared_leaves_end_exhale_behind(fault: BaseFault) -> None:
    world = session(None, breathing=BREATHING.validate_python(REGULAR)).world
    clock = world.clock
    fault.apply(world)
    clock.run(until=clock.now + 1_000_000)
    fault.clear(world)
    clock.run(until=clock.now + 1_500_000)
    path = world.patient.target_path(clock.now, clock.now + 1)
    assert path[0][1] == 0
    clock.run(until=clock.now + 2_000_000)
    assert world.patient.target_path(clock.now, clock.now + 1)[0][1] == 12 * MM


def test_a_cough_without_a_size_is_drawn_from_the_seed() -> None:
    given = {"breathing": BREATHING.validate_python(REGULAR), "gating": GATING.validate_python(NO_GATE)}

    def highest(seed: int) -> float:
        outcome = session({"kind": "cough"}, seed=seed, **given)
        begin, _ = bounds(outcome)
        samples = outcome.world.trace.channels["target_position"].samples
        return max(float(s.value) for s in samples if begin <= s.t_us <= begin + 900_000)

    assert highest(1) == highest(1) != highest(2)
