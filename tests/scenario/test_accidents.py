"""Accidents that taught the field: each is stopped here, and by the interlock the documentation names.

What has to be swept over many values is in test_accident_sweeps.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from firmware_model.controller import ModelController
from sim.record.trace import Event
from sim.scenario.loading import LoadedScenario, load_scenario
from sim.scenario.runner import BoardIdentity, Outcome, run_scenario

ROOT = Path(__file__).parents[2]
ACCIDENTS = ROOT / "scenarios" / "accidents"
PAGE = (ROOT / "docs" / "accidents.md").read_text(encoding="utf-8")
FILES = {file.stem: file for file in sorted(ACCIDENTS.glob("*.yaml"))}
#: What the documentation says where nothing stops the beam.
NOTHING = ["nothing"]

FILTER, PLACE, ENERGY = "no-beam-through-wrong-filter", "no-beam-on-wrong-place", "no-beam-with-wrong-energy"
RECORDS, PRESET, RATE = "records-agree", "no-dose-beyond-preset", "no-runaway-rate"
APERTURE, PERMIT = "no-beam-with-wrong-aperture", "no-beam-without-permit"
GATE, TERMINATION = "no-beam-outside-gate", "no-beam-after-termination"


class Removal(NamedTuple):
    """Interlocks a scenario is about, and the invariants that break without them."""

    interlocks: tuple[str, ...]
    broken: set[str] = set()  # noqa: RUF012 - never changed


#: A scenario with no invariant here fails by what it expects: a wrong identity, for instance, hurts
#: nobody in a simulation in which the couch still stands right.
WITHOUT = {
    "r01_edited_while_settling": Removal(("BEND_MAGNET",)),
    "r02_changed_after_ready": Removal(("PARAMETERS_CHANGED",)),
    "r02_energy_leaves_after_ready": Removal(("BEND_MAGNET", "ENERGY"), {ENERGY}),
    "r04_six_proceeds": Removal(("DOSE_DIVERGENCE",)),
    "r04_proceed_after_low_rate": Removal(("RATE_LOW",)),
    "r05_saturated_chambers": Removal(("PULSE_HIGH",), {PRESET, RATE, RECORDS}),
    "r05_hundredfold_pulses": Removal(("PULSE_HIGH",), {PRESET, RATE, RECORDS}),
    "r06_no_filter_in_beam_path": Removal(("CAROUSEL_POSITION",), {FILTER}),
    "r06_filter_leaves_in_beam": Removal(("CAROUSEL_POSITION",), {FILTER}),
    "r06_filter_of_another_mode": Removal(("MODE_MISMATCH", "CAROUSEL_POSITION"), {FILTER}),
    "r07_one_sensor_wrong": Removal(("CAROUSEL_SPREAD_AB",)),
    "r07_sensor_frozen_carousel_moves": Removal(("CAROUSEL_SPREAD_AB", "CAROUSEL_SPREAD_AC"), {FILTER}),
    "r08_power_loss": Removal(("RESET_IN_BEAM",)),
    "r08_dead_supply_line": Removal(("DOSE_SUPPLY",), {RECORDS}),
    "r09_frozen_current_reading": Removal(("BEND_MAGNET",)),
    "r09_energy_always_high": Removal(("BEND_MAGNET", "ENERGY"), {ENERGY}),
    "r09_energy_rises_behind_frozen_reading": Removal(("ENERGY",), {ENERGY}),
    "r10_plan_damaged": Removal(("PLAN_IDENTITY",)),
    "r10_leaves_open": Removal(("MLC_POSITION", "MLC_HOLD"), {APERTURE}),
    "r11_wrong_accessory": Removal(("ACCESSORY",)),
    "r12_jaw_slips": Removal((), {APERTURE}),
    "r13_worn_target_output_check": Removal(("DAILY_OUTPUT",), {RECORDS}),
    "r13_output_check_skipped": Removal(("DAILY_OUTPUT",), {RECORDS}),
    "r13_target_fails_in_beam": Removal(("SYMMETRY_RADIAL",), {"no-asymmetric-beam", RECORDS}),
    "r13_target_wears_in_beam": Removal((), {RECORDS}),
    "r14_secondary_drifts": Removal(("DOSE_DIVERGENCE",)),
    "r15_messages_held_back": Removal(("HEARTBEAT_CONSOLE",)),
    "r15_couch_obeys_old_message": Removal(("COUCH_LATERAL_POSITION",), {PLACE}),
    "r16_counts_in_hold": Removal(("HOLD_DOSE",)),
    "r16_beam_ignores_hold": Removal(("HOLD_DOSE",), {PERMIT, GATE, TERMINATION}),
    "r17_override_left_on": Removal(("OVERRIDE_EXPIRED",)),
    "r18_shift_not_applied": Removal(("IMAGE_SHIFT",), {PLACE}),
    "r18_shift_applied_twice": Removal(("IMAGE_SHIFT",), {PLACE}),
    "r18_image_of_another_target": Removal(("TARGET_IDENTITY",), {PLACE}),
    "r18_wrong_target": Removal(("TARGET_IDENTITY",)),
    "r19_door_open_for_one_scan": Removal(("DOOR_OPEN",), {"no-beam-with-door-open"}),
    "r19_door_contact_bounces": Removal(("DOOR_OPEN",)),
    "r20_secondary_stuck_before_beam": Removal(("SELF_TEST",)),
    "r20_secondary_stops_in_beam": Removal(("DOSE_DIVERGENCE",)),
    "r20_both_channels_read_low": Removal(("TIMER",), {PRESET, RECORDS}),
    "r21_controller_hangs": Removal(("RESET_IN_BEAM",)),
    "r22_chamber_supply_lost": Removal(("DOSE_SUPPLY",), {RECORDS}),
    "r22_supply_line_stuck": Removal(("DOSE_ABSENT",), {PRESET, RECORDS}),
    "r23_gantry_stalls": Removal(("DOSE_PER_DEGREE", "GANTRY_POSITION"), {"no-beam-at-wrong-angle"}),
    "r24_terminated_and_continued": Removal(("HEARTBEAT_LINAC",)),
    "r25_arc_delivered_as_stationary": Removal(("MOTION_IN_STATIC_GANTRY",)),
    "r25_accessory_left_between_beams": Removal(("ACCESSORY",)),
}


def run(loaded: LoadedScenario) -> Outcome:
    return run_scenario(loaded, ModelController(loaded.table), BoardIdentity("model", "test", ""))


@cache
def as_written(name: str) -> Outcome:
    return run(load_scenario(FILES[name]))


def violated(outcome: Outcome) -> set[str]:
    return {i["id"] for i in outcome.run["invariants"] if i["status"] == "violated"}


def events(outcome: Outcome, kind: str) -> list[Event]:
    return [event for event in outcome.world.trace.events if event.kind == kind]


# --- each file ----------------------------------------------------------------------------------


def test_every_file_is_here_and_the_other_way_round() -> None:
    assert set(WITHOUT) == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_the_accident_is_stopped(name: str) -> None:
    outcome = as_written(name)
    failed = [e for e in outcome.run["expectations"] if e["status"] != "pass"]
    assert (outcome.verdict, failed, violated(outcome)) == ("PASS", [], set())


@pytest.mark.parametrize("name", WITHOUT)
def test_without_its_interlock_the_accident_happens(name: str) -> None:
    """The gaps a file admits to are not admitted here, so that they count as what they are."""
    loaded = load_scenario(FILES[name])
    bare = replace(loaded, scenario=loaded.scenario.model_copy(update={"known_gaps": []}))
    interlocks, broken = WITHOUT[name]
    outcome = run(bare.with_table(bare.table.without(*interlocks)))
    assert outcome.verdict == "FAIL"
    assert violated(outcome) == broken
    if interlocks:  # what is expected of them, or of what they keep away, is missed as well
        assert [e for e in outcome.run["expectations"] if e["status"] != "pass"]


# --- the documentation ----------------------------------------------------------------------------


def documented(page: str) -> Iterator[tuple[str, list[str]]]:
    """(scenario, what stops it, in order) of every row of the table of accidents."""
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        link = re.search(r"\(\.\./scenarios/accidents/(\w+)\.yaml\)", line)
        if line.startswith("|") and link:
            yield link[1], re.findall(r"`([A-Z_]+)`", cells[3]) or [cells[3]]


def stopped_by(outcome: Outcome) -> list[str]:
    """First causes of stops, other trips of a beam and refusals of a check, each at its first place."""
    found = [
        (event.t_us, not event.fields["first_up"], event.fields["interlock"])
        for event in events(outcome, "trip")
        if event.fields["stop"] != "hold"
    ]
    found += [
        (event.t_us, True, event.fields["reason"])
        for event in events(outcome, "command")
        if event.fields["command"] == "begin_check" and event.fields["reason"]
    ]
    return list(dict.fromkeys(name for _, _, name in sorted(found))) or NOTHING


def page_problems(page: str) -> list[str]:
    """Where the table of accidents and what a run shows differ."""
    table = dict(documented(page))
    problems = [f"not in the table: {name}" for name in FILES if name not in table]
    for name, claimed in table.items():
        found = stopped_by(as_written(name))
        if found[0] != claimed[0] or [stop for stop in found if stop in claimed] != claimed:
            problems.append(f"{name}: stopped by {', '.join(found)}, the table says {', '.join(claimed)}")
    return problems


def test_the_page_names_every_file_and_what_stops_it() -> None:
    assert page_problems(PAGE) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("accidents/r14_secondary_drifts.yaml", "nominal/gated.yaml", "not in the table: r14_secondary"),
        ("| `PULSE_HIGH` |", "| `RATE_HIGH` |", "r05_saturated_chambers: stopped by PULSE_HIGH"),
        ("| `RESET_IN_BEAM`, then `SELF_TEST` |", "| `SELF_TEST` |", "r08_dead_supply_line: stopped by RES"),
        ("| nothing |", "| `JAW_POSITION` |", "r12_jaw_slips: stopped by nothing"),
    ],
)
def test_the_page_check_can_fail(old: str, new: str, problem: str) -> None:
    assert old in PAGE
    assert [found for found in page_problems(PAGE.replace(old, new)) if found.startswith(problem)]


# --- what an expectation cannot say -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "button"),
    [("r04_six_proceeds", "acknowledge"), ("r04_proceed_after_low_rate", "resume")],
)
def test_none_of_six_proceeds_is_accepted(name: str, button: str) -> None:
    outcome = as_written(name)
    stop = next(e.t_us for e in events(outcome, "trip") if e.fields["first_up"])
    pressed = [e for e in events(outcome, "command") if e.t_us > stop]
    assert [(e.fields["command"], e.fields["accepted"]) for e in pressed[:6]] == [(button, False)] * 6
    assert button not in [e.fields["command"] for e in pressed[6:] if e.fields["accepted"]]


def test_the_operators_reset_does_not_clear_a_dosimetry_latch() -> None:
    resets = [e for e in events(as_written("r04_six_proceeds"), "command") if "reset" in e.fields["command"]]
    assert [(e.fields["command"], e.fields["accepted"]) for e in resets] == [("reset_operator", False)]


def test_the_meterset_survives_a_power_failure_to_one_scan_of_beam() -> None:
    """The supply fails at 300 MU; 1400 MU/min are 0.023 MU a scan."""
    (end,) = events(as_written("r08_power_loss"), "beam_end")
    assert 0 <= 300 - end.fields["delivered_mu"] <= 0.024


def test_what_was_given_while_the_controller_hung_is_recorded() -> None:
    """The chambers count on for the 50 ms of the watchdog; 0.1 % of noise on 300 MU."""
    outcome = as_written("r21_controller_hangs")
    (end,) = events(outcome, "beam_end")
    assert end.fields["delivered_mu"] == pytest.approx(301.2, abs=0.05)
    assert end.fields["delivered_mu"] == pytest.approx(outcome.world.delivered_at_beam_end[0], abs=0.4)


def test_a_continuation_gives_each_control_point_the_rest_exactly() -> None:
    """DICOM PS3.3 C.8.8.21.2.2, computed here from the two deliveries alone."""
    outcome = as_written("r24_terminated_and_continued")
    world = outcome.world
    first, second = world.records.deliveries
    assert (first.start, first.end, second.end) == (0, second.start, 1_900_000)
    assert 300_000 < first.end < 302_000
    given = outcome.run["targets"][0]["beams"][0]["control_points"]
    for point, planned in zip(given, world.course.target("lung-right").beams[0].control_points, strict=True):
        before = min(planned.meterset, first.end)
        after = max(0, planned.meterset - second.start)
        assert before + after == planned.meterset == round(point["delivered_mu"] * 1000)
    # The truth of the second delivery starts where the first one was recorded: nothing twice.
    assert world.delivered_at_beam_end[1] == pytest.approx(1900, abs=3)


def test_the_excess_at_the_stalled_angle_is_bounded() -> None:
    """2 MU are always allowed; the rest is debounce, scan and switching off."""
    outcome = as_written("r23_gantry_stalls")
    assert outcome.world.delivered_at_beam_end[0] - 300 < 2.5
