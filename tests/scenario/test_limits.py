"""Every interlock of the reference table trips at its documented limit and not one step inside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware_model.table_loading import load_table
from tests.scenario.limit_pairs import GROUPS, pair_problems, stray_files

SCENARIOS = Path(__file__).parents[2] / "scenarios"
LIMITS = SCENARIOS / "limits"
TABLE = load_table()


@pytest.mark.parametrize("interlock", TABLE.interlocks)
def test_the_limit_of_every_interlock_is_bracketed_by_a_pair(interlock: str) -> None:
    problems = pair_problems(LIMITS, interlock)
    assert not problems, "\n".join(problems)


def test_every_limit_file_belongs_to_an_interlock() -> None:
    assert stray_files(LIMITS, TABLE) == []


# ---- the checks can fail ---------------------------------------------------------------------------

TRIPS = """\
title: A leaf lags
purpose: planted for a test of the test
requirements: [REQ-GEOM-01]
plan: PLAN
timeline:
  - id: fault
    at: {state: irradiation, delay: 100.05 ms}
    fault: {kind: signal_stuck, signal: mlc_error, value: 2.01}
    lasts: 100 ms
expect:
  - {trips: MLC_HOLD, after: fault, within: 20 ms}
  - {permit_withdrawn: 20 ms, after: fault}
  - {state: hold, within: 20 ms, after: fault}
  - {delivered: lesion}
  - {final_state: standby}
"""
NEAR_MISS = """\
title: A leaf lags, but not enough
purpose: planted for a test of the test
requirements: [REQ-GEOM-01]
plan: PLAN
timeline:
  - id: fault
    at: {state: irradiation, delay: 100.05 ms}
    fault: {kind: signal_stuck, signal: mlc_error, value: 2.00}
    lasts: 100 ms
expect:
  - {never_trips: MLC_HOLD}
  - {beam_stays_on: 200 ms, after: fault}
  - {delivered: lesion}
  - {final_state: standby}
"""


def plant(root: Path, trips: str, near_miss: str) -> None:
    folder = root / "geometry"
    folder.mkdir()
    plan = str(SCENARIOS / "plans" / "short_arc.yaml")
    for role, text in (("trips", trips), ("near_miss", near_miss)):
        (folder / f"mlc_hold_{role}.yaml").write_text(text.replace("PLAN", plan), encoding="utf-8")


def test_a_sound_planted_pair_has_no_problems(tmp_path: Path) -> None:
    plant(tmp_path, TRIPS, NEAR_MISS)
    assert pair_problems(tmp_path, "MLC_HOLD") == []


#: What is changed in the trips file, in the near miss, and what must be said about it.
BREACHES: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "two numbers": ({}, {"lasts: 100 ms": "lasts: 101 ms"}, "differ in 2"),
    "no number": ({}, {"2.00": "2.01"}, "differ in 0: nothing"),
    "not of a step": ({}, {"PLAN": "PLAN\nseed: 2", "2.00": "2.01"}, "not a number of a step"),
    "another signal": ({}, {"2.00": "2.01", "signal: mlc": "signal: jaw"}, "not a number of a step"),
    "two counts": ({}, {"2.00": "1.99"}, "differs by 2 counts of mlc_error"),
    "two counts of what the controller reads": (
        {"signal_stuck, signal: mlc_error, value: 2.01": "leaf_lag, by: 1.95"},
        {"signal_stuck, signal: mlc_error, value: 2.00": "leaf_lag, by: 1.93"},
        "makes mlc_error differ by 2 counts",
    ),
    "a long time": ({}, {"2.00": "2.01", "lasts: 100 ms": "lasts: 8.9 ms"}, "by 91.1 ms, more than a scan"),
    "both trip": ({"2.01": "2.03"}, {"2.00": "2.02"}, "MLC_HOLD trips, 9.95 ms after step 'fault'"),
    "neither trips": ({"2.01": "2.00"}, {"2.00": "1.99"}, "MLC_HOLD does not trip"),
    "slow": (
        {"signal_stuck, signal: mlc_error, value: 2.01": "signal_drift, signal: mlc_error, per_second: 40"},
        {"signal_stuck, signal: mlc_error, value: 2.00": "signal_drift, signal: mlc_error, per_second: 10"},
        "after its cause, the table allows 20 ms",
    ),
    "no such moment": ({"100.05 ms": "1 h"}, {"100.05 ms": "1 h"}, "never happened"),
    "lax time": ({"MLC_HOLD, after: fault, within: 20": "MLC_HOLD, after: fault, within: 21"}, {},
                 "allows more than 20 ms"),
    "trip not expected": ({"trips: MLC_HOLD": "trips: MLC_POSITION"}, {}, "expect {trips: MLC_HOLD"),
    "lax permit": ({"permit_withdrawn: 20": "permit_withdrawn: 21"}, {}, "expect {permit_withdrawn: 20 ms}"),
    "miss not expected": ({}, {"never_trips: MLC_HOLD": "never_trips: TIMER"}, "expect {never_trips"),
    "beam not expected": ({}, {"beam_stays_on: 200 ms": "state: standby"}, "expect {beam_stays_on"),
    "end not expected": ({}, {"final_state: standby": "interruptions: 0"}, "expect {final_state: standby}"),
    "dose not expected": ({}, {"delivered: lesion": "interruptions: 0"}, "the target to be delivered"),
    "other requirements": ({"[REQ-GEOM-01]": "[REQ-GEOM-02]"}, {}, "the row has ['REQ-GEOM-01']"),
    "missed expectation": ({"final_state: standby": "final_state: off"}, {}, "not pass: final state off"),
    "unreadable": ({"lesion}": "lesoin}"}, {}, "no target 'lesoin'"),
}  # fmt: skip


@pytest.mark.parametrize("breach", BREACHES)
def test_a_pair_that_brackets_nothing_is_refused(tmp_path: Path, breach: str) -> None:
    in_trips, in_near_miss, words = BREACHES[breach]
    trips, near_miss = TRIPS, NEAR_MISS
    for old, new in in_trips.items():
        assert old in trips
        trips = trips.replace(old, new)
    for old, new in in_near_miss.items():
        assert old in near_miss
        near_miss = near_miss.replace(old, new)
    plant(tmp_path, trips, near_miss)
    problems = pair_problems(tmp_path, "MLC_HOLD")
    assert any(words in problem for problem in problems), problems


def test_a_trips_file_that_passes_without_its_interlock_is_refused(tmp_path: Path) -> None:
    """At 5.01 mm both rows trip; what it expects holds for either."""
    blind = TRIPS.replace("2.01", "5.01").replace("trips: MLC_HOLD", "trips: MLC_POSITION")
    blind = blind.replace("state: hold", "state: interrupted") + "  - {first_up: MLC_POSITION}\n"
    plant(tmp_path, blind, NEAR_MISS.replace("2.00", "5.00"))
    assert any("passes although the table has no MLC_HOLD" in p for p in pair_problems(tmp_path, "MLC_HOLD"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    plant(tmp_path, TRIPS, NEAR_MISS)
    (tmp_path / "geometry" / "mlc_hold_near_miss.yaml").unlink()
    (problem,) = pair_problems(tmp_path, "MLC_HOLD")
    assert "0 files mlc_hold_near_miss.yaml" in problem
    assert all(group in problem for group in GROUPS)


def test_a_file_of_no_interlock_is_noticed(tmp_path: Path) -> None:
    plant(tmp_path, TRIPS, NEAR_MISS)
    for name in ("mlc_hold_edge.yaml", "mlc_hould_trips.yaml"):
        (tmp_path / "geometry" / name).write_text(TRIPS, encoding="utf-8")
    (tmp_path / "mlc_hold_trips.yml").write_text(TRIPS, encoding="utf-8")
    assert stray_files(tmp_path, TABLE) == [
        "geometry/mlc_hold_edge.yaml", "geometry/mlc_hould_trips.yaml", "mlc_hold_trips.yml",
    ]  # fmt: skip
