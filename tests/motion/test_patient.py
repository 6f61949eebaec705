"""Where target and marker are, and that every fault of the patient is over when it ends."""

from __future__ import annotations

from typing import Any

import pytest

from sim.clinic.motion_schema import IntrafractionDrift
from sim.clinic.paths import MM
from tests.motion.bench import REGULAR, MotionBench

AMPLITUDE = {"mode": "amplitude", "around": "exhale", "within": "2.5 mm"}
NO_GATE = {"mode": "amplitude", "low": "-50 mm", "high": "50 mm"}


def target(bench: MotionBench) -> int:
    """Breathing of the target now, 32.16 of 0.01 mm."""
    now = bench.clock.now
    return bench.patient.target_path(now, now + 1)[0][1]


def test_the_marker_follows_with_lag_and_gain() -> None:
    exact = MotionBench(REGULAR, NO_GATE)
    follower = MotionBench(REGULAR, NO_GATE, lag="200 ms", gain=50)
    for t_us in range(400_000, 12_000_000, 333_000):
        exact.run(t_us - 200_000)
        follower.run(t_us)
        assert follower.marker() == pytest.approx(exact.marker() // 2, abs=4)


def test_an_error_of_the_marker_is_drawn_each_breath_and_bounded() -> None:
    bench = MotionBench(REGULAR, NO_GATE, noise="0.5 mm")
    errors = []
    for breath in range(1, 60):
        bench.run(4_000_000 * breath + 1)
        errors.append((bench.marker() - target(bench)) / MM)
    assert all(abs(error) <= 1.0 for error in errors)
    assert len({round(error, 3) for error in errors}) > 40
    assert max(map(abs, errors)) > 0.6


def test_breathing_that_stopped_stays_and_comes_back_by_end_exhale() -> None:
    bench = MotionBench(REGULAR, NO_GATE, lag="300 ms")
    bench.run(9_500_000)
    bench.patient.stop_breathing("x")
    held, marker_then = target(bench), bench.marker()
    assert held > MM
    bench.run(9_800_000)
    assert bench.marker() == pytest.approx(held, abs=4) != marker_then  # it notices after its lag
    bench.run(30_000_000)
    assert target(bench) == held
    bench.patient.breathe_again("x")
    bench.run(31_500_000)
    assert target(bench) == 0
    bench.run(33_500_000)
    assert target(bench) == 12 * MM


def test_a_cough_goes_up_quickly_and_down_to_end_exhale() -> None:
    bench = MotionBench(REGULAR, NO_GATE)
    bench.run(8_000_000)
    bench.patient.cough(1_000, 500_000)
    bench.run(8_100_000)
    assert target(bench) == 10 * MM
    bench.run(8_300_000)
    assert target(bench) == 5 * MM
    bench.run(8_500_000)
    assert target(bench) == 0


def test_a_breath_hold_is_held_at_its_level_and_refused_without_breath() -> None:
    bench = MotionBench(REGULAR, NO_GATE)
    bench.run(8_000_000)
    assert bench.patient.hold_breath(15 * MM, 10_000_000)
    for t_us in (10_000_000, 15_000_000, 20_000_000):
        bench.run(t_us)
        assert target(bench) == 15 * MM
    bench.run(21_500_000)
    assert target(bench) == 0
    bench.patient.stop_breathing("x")
    assert not bench.patient.hold_breath(15 * MM, 10_000_000)


def drift(**keys: Any) -> IntrafractionDrift:
    return IntrafractionDrift.model_validate({"per_minute": "0.5 mm", **keys})


def test_a_drift_has_its_speed_and_direction() -> None:
    bench = MotionBench(REGULAR, NO_GATE)
    bench.patient.slide(drift(direction="vertical"))
    assert bench.patient.displacement(120_000_000) == (0, 0, 1 * MM)
    other = MotionBench(REGULAR, NO_GATE)
    other.patient.slide(drift())
    x, y, z = other.patient.displacement(120_000_000)
    assert (x**2 + y**2 + z**2) ** 0.5 == pytest.approx(MM, rel=1e-6)
    assert 0 not in (x, y, z)
