"""A row that ends a beam normally leaves no trip in the records; expectations find it by the end itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware_model.controller import ModelController
from sim.scenario.loading import load_scenario
from sim.scenario.runner import BoardIdentity, Outcome, run_scenario

PLAN = Path(__file__).parents[2] / "scenarios" / "plans" / "brief_static.yaml"
EXPECT = """expect:
  - {trips: DOSE_PRIMARY_END}
  - {never_trips: DOSE_PRIMARY_END}
"""
PRESSED = """timeline:
  - {id: pressed, at: {state: %s, delay: 100.05 ms}, console: terminate}
"""


def run(tmp_path: Path, timeline: str = "", without: tuple[str, ...] = ()) -> Outcome:
    file = tmp_path / "scenario.yaml"
    file.write_text(f"title: test\npurpose: a test\nplan: {PLAN}\n{timeline}{EXPECT}", encoding="utf-8")
    loaded = load_scenario(file)
    table = loaded.table.without(*without)
    return run_scenario(loaded.with_table(table), ModelController(table), BoardIdentity("model", "test", ""))


def statuses(outcome: Outcome) -> list[str]:
    return [entry["status"] for entry in outcome.run["expectations"]]


def test_the_row_of_the_preset_trips_when_it_ends_a_beam(tmp_path: Path) -> None:
    outcome = run(tmp_path)
    assert statuses(outcome) == ["pass", "fail"]
    trips, never_trips = outcome.run["expectations"]
    (end,) = [
        event.t_us
        for event in outcome.world.trace.events
        if event.kind == "permit" and not event.fields["granted"]
    ]
    assert trips["measured_t_us"] == end
    assert never_trips["measured"] == 1


@pytest.mark.parametrize("state", ["irradiation", "ready"])
def test_it_does_not_trip_when_the_beam_ends_otherwise(tmp_path: Path, state: str) -> None:
    assert statuses(run(tmp_path, PRESSED % state)) == ["fail", "pass"]


def test_a_row_the_table_does_not_have_never_trips(tmp_path: Path) -> None:
    outcome = run(tmp_path, without=("DOSE_PRIMARY_END",))
    assert statuses(outcome) == ["fail", "pass"]
    assert outcome.run["interlocks"]
