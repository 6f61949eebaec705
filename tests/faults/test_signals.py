"""Faults on a line that change by themselves, and those that work on what other faults left."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_model.contract import ONE
from tests.faults.line_bench import Bench, Change, Force, step
from tests.faults.plant_bench import exercises

MS = 1_000


def on(name: str, at_ms: float, lasts_ms: float | None = None, **fault: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"id": name, "at": {"time": f"{round(at_ms * MS)} us"}, "fault": fault}
    return fields if lasts_ms is None else {**fields, "lasts": f"{round(lasts_ms * MS)} us"}


def bench(changes: list[Change], *steps: dict[str, Any], forces: list[Force] | None = None) -> Bench:
    return Bench(changes, [step(**fields) for fields in steps], forces or [])


def told(made: Bench, signal: str, until_ms: int) -> list[float]:
    """Counts at every scan."""
    return [values[signal] / ONE for _, values in made.scans(until_ms * MS)]


@exercises("signal_noise")
@settings(max_examples=10, deadline=None)
@given(st.integers(1, 8), st.integers(10, 60), st.integers(-20, 20))
def test_noise_changes_every_period_within_three_sigma_around_the_truth(
    sigma: int, period: int, slope: int
) -> None:
    fault = {"kind": "signal_noise", "signal": "level", "sigma": sigma / 2, "period": f"{period} ms"}
    made = bench([Change(0, "level", 0, slope * 100)], on("noise", 5, 800, **fault))
    off = [value - slope * 100 * t / ONE for t, value in enumerate(told(made, "level", 1000))]
    noisy = off[5:805]
    assert all(abs(value) < 0.01 for value in (*off[:5], *off[805:]))
    assert max(map(abs, noisy)) <= 3 * sigma + 0.01
    rounds = [noisy[n : n + period] for n in range(0, 800, period)]
    assert all(max(part) - min(part) < 0.01 for part in rounds), "it changes within a period"
    assert len({round(part[0], 3) for part in rounds}) > 0.9 * len(rounds), "it does not change"
    assert max(map(abs, noisy)) > 0.5 * sigma


@exercises("signal_intermittent")
@settings(max_examples=10, deadline=None)
@given(st.integers(30, 90), st.integers(2, 15))
def test_a_bad_contact_reads_false_at_times_and_the_truth_otherwise(every: int, lost_for: int) -> None:
    fault = {
        "kind": "signal_intermittent",
        "signal": "contact",
        "every": f"{every} ms",
        "lost_for": f"{lost_for} ms",
    }
    end = every * 120
    made = bench([Change(0, "contact", ONE)], on("bad", 5, end, **fault))
    values = told(made, "contact", end + 50)
    assert values[:6] == [1] * 6, "the contact is good when the fault sets in"
    assert values[5 + end :] == [1] * 45
    losses = [len([*run]) for value, run in itertools.groupby(values[5 : 5 + end]) if not value]
    assert abs(len(losses) - 120) < 60
    assert max(losses) <= 5 * lost_for + 1
    assert 0.4 * lost_for < sum(losses) / len(losses) < 1.8 * lost_for + 1


def test_a_bad_contact_does_not_open_at_the_instant_it_becomes_bad() -> None:
    """A counter with a gain behind it would take the opening for being set back."""
    lost = {"kind": "signal_intermittent", "signal": "count", "every": "60 s", "lost_for": "1 ms"}
    gain = {"kind": "signal_gain", "signal": "count", "percent": 200}
    made = bench([Change(0, "count", 500 * ONE, ONE)], on("lost", 1, **lost), on("gain", 3, **gain))
    assert told(made, "count", 10)[9] == pytest.approx(500 + 3 + 2 * 6, abs=0.01)


def test_a_gain_on_a_counter_starts_from_what_the_line_reads_under_an_earlier_fault() -> None:
    offset = {"kind": "signal_offset", "signal": "count", "by": 1}
    gain = {"kind": "signal_gain", "signal": "count", "percent": 50}
    made = bench([Change(0, "count", 200 * ONE, ONE)], on("offset", 2, **offset), on("gain", 4, **gain))
    assert told(made, "count", 11)[1:11:3] == pytest.approx([201, 304, 305.5, 307], abs=0.01)


@pytest.mark.parametrize("percent", [0, 50, 200])
def test_what_the_proof_test_forces_is_not_counted(percent: int) -> None:
    gain = {"kind": "signal_gain", "signal": "count", "percent": percent}
    share = percent / 100
    changes = [Change(0, "count", 100 * ONE, 10 * ONE), Change(30 * MS, "count", 400 * ONE, 0)]
    forces = [Force(40 * MS, 50 * MS, 2)]
    values = told(bench(changes, on("gain", 10, **gain), forces=forces), "count", 60)
    read = 200 + 200 * share
    assert values[39] == values[50] == values[59] == pytest.approx(read, abs=0.1)
    assert values[45] == pytest.approx(min(2000, read + (1500 - 400) * share), abs=0.1)


def test_a_gain_goes_on_through_another_beam_from_what_the_counter_was_set_to() -> None:
    gain = {"kind": "signal_gain", "signal": "count", "percent": 200}
    changes = [
        Change(0, "count", 0, ONE),
        Change(20 * MS, "count", 0, 0),
        Change(40 * MS, "count", 0, 2 * ONE),
    ]
    values = told(bench(changes, on("gain", 0, **gain)), "count", 60)
    assert [values[t] for t in (10, 19, 20, 39, 50)] == pytest.approx([20, 38, 0, 0, 40], abs=0.01)


def test_a_planned_dose_drawn_anew_a_fraction_of_a_count_lower_is_not_set_back() -> None:
    gain = {"kind": "signal_gain", "signal": "count", "percent": 150}
    changes = [Change(0, "count", 0, ONE)]
    changes += [Change(t * MS, "count", t * ONE - 40, ONE) for t in range(10, 100, 10)]
    assert told(bench(changes, on("gain", 0, **gain)), "count", 100)[99] == pytest.approx(148.5, abs=0.01)


def test_a_tiny_delay_behind_an_offset_costs_no_more_events_than_a_long_one() -> None:
    def events(by: str) -> int:
        offset = {"kind": "signal_offset", "signal": "level", "by": 1}
        delay = {"kind": "signal_delay", "signal": "level", "by": by}
        made = bench([Change(0, "level", 0, 77)], on("offset", 1, **offset), on("delay", 2, **delay))
        made.clock.call_in(1_000_000, lambda: None)
        count = 0
        while made.clock.peek() <= 1_000_000:
            made.clock.step()
            count += 1
            assert count < 1_000, "the delay looks again and again"
        return count

    assert events("7 us") <= events("50 ms")


@pytest.mark.parametrize("per_second", [0.003, -0.001, 0.0101, 3.3])
def test_a_slow_drift_comes_as_far_as_it_says(per_second: float) -> None:
    fault = {"kind": "signal_drift", "signal": "level", "per_second": per_second}
    made = bench([Change(0, "level", 0)], on("drift", 0, **fault))
    for second in (1, 7.5, 20):
        made.settle(round(second * 1_000_000) - 1)
        counts = made.lines._carried[0].at(made.clock.now) / ONE
        assert counts == pytest.approx(2 * per_second * second, abs=0.01)


@exercises("signal_swapped")
@pytest.mark.parametrize("first_ends_first", [True, False])
def test_two_swaps_that_share_a_line_leave_nothing_crossed_in_whatever_order_they_end(
    first_ends_first: bool,
) -> None:
    """Three lines in a ring; the plant's swaps need lines of a kind, the wiring does not."""
    made = bench([Change(0, n, v * ONE) for n, v in (("level", 1), ("other_level", 2), ("high", 300))])
    a, b = ("level", "other_level"), ("other_level", "high")
    made.settle(1)
    made.lines.swap(*a)
    made.lines.swap(*b)
    assert [made.lines.seen(n) for n in ("level", "other_level", "high")] == [2, 120, 200]
    first, second = (a, b) if first_ends_first else (b, a)
    made.lines.undo_swap(*first)
    crossed = [1, 120, 200] if first_ends_first else [2, 1, 300]
    assert [made.lines.seen(n) for n in ("level", "other_level", "high")] == crossed
    made.lines.undo_swap(*second)
    assert [made.lines.seen(n) for n in ("level", "other_level", "high")] == [1, 2, 300]


def test_a_line_past_its_range_is_held_at_the_end_from_the_microsecond_it_gets_there() -> None:
    made = bench([Change(0, "level", 190 * ONE, 10 * ONE), Change(5_500, "level", 245 * ONE, -20 * ONE)])
    values = told(made, "level", 12)
    assert values == pytest.approx([190, 200, 200, 200, 200, 200, 200, 200, 195, 175, 155, 135])
