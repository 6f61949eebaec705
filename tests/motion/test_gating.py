"""The gate is open when the marker was inside, later by exactly the latency; its faults do what they say."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sim.clinic.paths import MM, changes
from tests.motion.bench import REGULAR, MotionBench

AMPLITUDE = {"mode": "amplitude", "around": "exhale", "within": "2.5 mm"}
TICK_US = 1_000

#: What may bend the marker's path on the way.
DISTURBANCES: dict[str, Callable[[MotionBench], object]] = {
    "cough": lambda b: b.patient.cough(1_400, 700_000),
    "stop": lambda b: b.patient.stop_breathing("x"),
    "go on": lambda b: b.patient.breathe_again("x"),
    "move": lambda b: b.patient.move("x", (100, 200, -300)),
    "move back": lambda b: b.patient.move("x", (0, 0, 0)),
    "baseline": lambda b: b.patient.drift_baseline("x", 3_000),
    "baseline stays": lambda b: b.patient.drift_baseline("x", 0),
    "shift": lambda b: b.patient.shift_target("x", 500),
    "hold": lambda b: b.patient.hold_breath(15 * MM, 3_000_000),
    "reference": lambda b: b.gate.capture_reference(),
}


CROSSINGS: list[int] = []  # of every example: the comparison must have had something to compare


@settings(max_examples=20, deadline=None, derandomize=True, phases=[Phase.generate])
@given(
    seed=st.integers(0, 10**6),
    latency=st.integers(0, 400_000),
    lag=st.sampled_from([0, 40_000, 333_333]),
    gain=st.sampled_from([60, 100, 130]),
    window=st.sampled_from([(-250, 250), (900, 1_500), (-1_000, 50), (700, 800)]),
    disturbances=st.lists(
        st.tuples(st.integers(0, 20_000_000), st.sampled_from(sorted(DISTURBANCES))), max_size=5
    ),
)
def compare(
    seed: int,
    latency: int,
    lag: int,
    gain: int,
    window: tuple[int, int],
    disturbances: list[tuple[int, str]],
) -> None:
    low, high = window
    bench = MotionBench(
        {"kind": "irregular", "period": "3.3 s", "amplitude": "11 mm"},
        {
            "mode": "amplitude",
            "low": f"{low / 100} mm",
            "high": f"{high / 100} mm",
            "latency": {"sensor": f"{latency} us", "processing": "0 us", "relay": "0 us"},
            "credible": "50 mm",
        },
        seed=str(seed),
        lag=f"{lag} us",
        gain=gain,
        noise="0.3 mm",
    )
    for t_us, name in disturbances:
        bench.clock.call_in(t_us, lambda name=name: DISTURBANCES[name](bench))  # type: ignore[misc]
    inside: list[bool] = []
    for t_us in range(0, 21_000_000, TICK_US):
        bench.run(t_us + 1)  # everything at t_us has happened
        position = bench.marker() - bench.gate._reference
        inside.append(low * MM // 100 <= position <= high * MM // 100)
    noted = bench.lines.noted["gate_open"]
    times = [t for t, _ in noted]
    changed = {i for i, (a, b) in enumerate(pairwise(inside), 1) if a != b}
    wrong = []
    for i, was_inside in enumerate(inside):
        look = i * TICK_US + latency
        if look < latency + TICK_US or look >= 21_000_000 or changed & {i - 1, i, i + 1}:
            continue  # within one tick of a crossing
        shown = noted[bisect_right(times, look) - 1][1]
        if shown != was_inside:
            wrong.append((i, was_inside))
    assert wrong == []
    CROSSINGS.append(len(changed))


@pytest.mark.timeout(240)
def test_the_gate_line_is_the_marker_looked_at_every_millisecond_and_delayed() -> None:
    compare()
    assert len(CROSSINGS) >= 20
    assert sum(CROSSINGS) > 100


def test_latencies_add_up_exactly() -> None:
    bench = MotionBench(
        REGULAR, AMPLITUDE | {"latency": {"sensor": "61 ms", "processing": "17.5 ms", "relay": "3.001 ms"}}
    )
    crossings = [t for t, _ in changes(bench.form.breath(0).points, [bench.gate.window])][1:]  # type: ignore[list-item]
    bench.run(4_000_000)
    assert len(crossings) == 2
    assert [t for t, _ in bench.lines.noted["gate_open"]][1:] == [t + 81_501 for t in crossings]


def test_the_default_latency_is_the_published_sum() -> None:
    assert MotionBench(REGULAR, AMPLITUDE).gate.latency_us == 130_000


def test_a_phase_gate_opens_and_closes_by_the_expected_breath() -> None:
    bench = MotionBench(REGULAR, {"mode": "phase", "opens": 30, "closes": 70})
    bench.run(30_000_000)
    later = [(t - 130_000, is_open) for t, is_open in bench.lines.noted["gate_open"] if t > 1_000_000]
    # End inhale of breath n is at (n + 0.5) * 4 s.
    assert later[:4] == [(3_200_000, True), (4_800_000, False), (7_200_000, True), (8_800_000, False)]


def test_a_phase_gate_closes_when_the_next_breath_comes_early_and_learns_its_length() -> None:
    bench = MotionBench(
        {"kind": "irregular", "period": "4 s", "amplitude": "12 mm", "period_spread": 40},
        {"mode": "phase", "opens": 30, "closes": 99},
    )
    inhaled = list(bench.patient.inhalations)
    bench.patient.changed.append(
        lambda: inhaled.extend(t for t in bench.patient.inhalations if t not in inhaled)
    )
    bench.run(200_000_000)
    noted = bench.lines.noted["gate_open"]
    closed = [t - 130_000 for t, is_open in noted if not is_open]
    assert any(t in closed for t in inhaled)  # cut off by the next end inhale
    lengths = [4_000_000]
    expected = []
    for before, after in pairwise(inhaled):
        opens = before + sum(lengths) // len(lengths) * 30 // 100
        if opens < after:
            expected.append(opens + 130_000)
        lengths = [*lengths, after - before][-3:]
    opened = [t for t, is_open in noted if is_open and t > inhaled[0]]
    assert opened[: len(expected)] == expected[: len(opened)]
    assert len(expected) > 30


def test_a_phase_gate_stays_closed_when_breathing_stops() -> None:
    bench = MotionBench(REGULAR, {"mode": "phase"})
    bench.clock.call_in(20_900_000, lambda: bench.patient.stop_breathing("x"))
    bench.run(60_000_000)
    assert not bench.now_shown()
    assert bench.lines.noted["gate_open"][-1][0] < 24_000_000


def test_a_marker_far_out_closes_the_gate_and_is_not_believed() -> None:
    bench = MotionBench(REGULAR, {"mode": "phase"})
    bench.clock.call_in(20_200_000, lambda: bench.patient.cough(3_000, 1_000_000))
    bench.run(22_000_000)
    (out, _), (back, _) = bench.lines.noted["surrogate_in_range"][1:3]
    # 30 mm up from about 0 in 0.2 s, believed up to 10 mm above the amplitude: 22 mm.
    assert out == pytest.approx(20_200_000 + 147_000 + 130_000, abs=2_000)
    assert back == pytest.approx(20_400_000 + 800_000 * 8 / 30 + 130_000, abs=2_000)
    assert all(not is_open for t, is_open in bench.lines.noted["gate_open"] if out <= t < back)


def test_two_overlapping_failures_end_when_both_have() -> None:
    bench = MotionBench(REGULAR, AMPLITUDE)
    bench.run(20_000_000)
    for source in ("a", "b"):
        bench.gate.fail("lost", source)
    bench.gate.mend("lost", "a")
    assert not bench.now_shown()
    bench.gate.mend("lost", "b")
    assert bench.now_shown()


def test_a_new_reference_moves_the_window_with_the_marker() -> None:
    bench = MotionBench(REGULAR, AMPLITUDE)
    bench.clock.call_in(10_000_000, lambda: bench.patient.move("x", (0, 800, 0)))
    bench.run(20_300_000)
    assert not bench.now_shown()
    bench.gate.capture_reference()
    bench.run(20_500_000)
    assert bench.now_shown()


@pytest.mark.parametrize(
    ("gating", "words"),
    [
        ({"mode": "amplitude"}, "give the window"),
        ({"mode": "amplitude", "around": "exhale"}, "give the window"),
        ({"mode": "amplitude", "around": "exhale", "within": "1 mm", "low": "1 mm"}, "give the window"),
        ({"mode": "amplitude", "low": "3 mm", "high": "1 mm"}, "low 3 mm is not below high 1 mm"),
        ({"mode": "phase", "opens": 70, "closes": 30}, "opens at 70 % is not before closes at 30 %"),
    ],
)
def test_a_window_that_is_none_is_refused(gating: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        MotionBench(REGULAR, gating)
