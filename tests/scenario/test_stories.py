"""Every story about latches, compound faults and nominal deliveries fails when what it is about is broken.

For each file the table below names the interlocks it is about. Taken out of the table one by one, each
must turn the verdict. Where the story is that something does *not* stop the beam, the interlock is made
stricter instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from firmware_model.controller import ModelController
from firmware_model.table import Table
from sim.scenario.loading import load_scenario
from sim.scenario.runner import BoardIdentity, Outcome, run_scenario

from .test_scenarios import needs_pymedphys

ROOT = Path(__file__).parents[2] / "scenarios"
FOLDERS = ("latching", "compound", "nominal")
END = "DOSE_PRIMARY_END"


@dataclass(frozen=True)
class About:
    """What a file is about: interlocks that must be there, and others that must be no stricter."""

    without: tuple[str, ...] = ()
    stricter: dict[str, dict[str, object]] = field(default_factory=dict)


def about(*without: str, **stricter: dict[str, object]) -> About:
    return About(without, stricter)


STORIES = {
    "latching/acknowledge_after_reset": about("COLLISION"),
    "latching/alarm_flood": about("DOOR_OPEN", "DOSE_SUPPLY", "ACCESSORY", "PATIENT_IDENTITY"),
    "latching/emergency_stop_and_restart": about("EMERGENCY_STOP"),
    "latching/first_up_more_severe": about("COLLISION", "DOOR_OPEN"),
    "latching/first_up_one_scan_apart": about("KEY_SWITCH", "COLLISION"),
    "latching/first_up_table_order": about("DOOR_OPEN", "KEY_SWITCH"),
    "latching/hidden_cause": about("CLEARANCE", "WATER_FLOW"),
    "latching/hold_is_no_latch": about("MLC_HOLD"),
    "latching/local_latch": about("DOOR_OPEN"),
    "latching/operator_latch": about("CLEARANCE"),
    "latching/physics_latch": about("MODE_MISMATCH"),
    "latching/physics_latch_cause_stands": about("MODE_MISMATCH"),
    "latching/power_lost_between_resets": about("DOOR_OPEN", "RESET_IN_BEAM"),
    "latching/power_lost_in_beam": about("RESET_IN_BEAM"),
    "latching/power_lost_in_check": about(END),
    "latching/power_lost_in_interrupted": about("DOOR_OPEN", "RESET_IN_BEAM"),
    "latching/power_lost_in_ready": about("RESET_IN_BEAM"),
    "latching/power_lost_twice": about("RESET_IN_BEAM"),
    "latching/self_clearing": about("WATER_FLOW"),
    "latching/several_latches": about("DOOR_OPEN", "CLEARANCE", "JAW_POSITION"),
    "latching/latches_flipped": about("RESET_IN_BEAM"),
    "latching/stood_down_and_proven_anew": about(END),
    "latching/trips_again_after_reset": about("DOOR_OPEN"),
    "latching/watchdog_restart": about("RESET_IN_BEAM"),
    "compound/arc_stopped_after_the_window": about("DOOR_OPEN"),
    "compound/arc_stopped_before_the_window": about("DOOR_OPEN"),
    "compound/door_bounces_both_contacts": about("DOOR_OPEN", DOOR_CONTACTS={"debounce": 3}),
    "compound/door_contacts_disagree_in_draught": about("DOOR_OPEN", "DOOR_CONTACTS"),
    "compound/door_during_gantry_stall": about("DOOR_OPEN", "DOSE_PER_DEGREE"),
    "compound/emergency_stop_during_door": about("DOOR_OPEN", "EMERGENCY_STOP"),
    "compound/energy_drifts_chamber_saturated": about(
        "BEND_MAGNET", DOSE_DIVERGENCE={"percent": 0.5, "by": 0}
    ),
    "compound/gate_silent_in_leaf_hold": about("MLC_HOLD", "GATE_STALE"),
    "compound/hang_while_beam_ignores_permit": about("RESET_IN_BEAM"),
    "compound/noise_near_limit": about(END, SYMMETRY_RADIAL={"debounce": 10}),
    "compound/power_dip_in_hold": about("MLC_HOLD", "RESET_IN_BEAM"),
    "compound/primary_stuck_secondary_drifts": about("DOSE_DIVERGENCE"),
    "compound/rate_sag_hides_channel_drift": about("DOSE_DIVERGENCE", RATE_LOW={"debounce": 900}),
    "compound/touched_in_step": about("COLLISION", "SEQUENCE_HOLD"),
    "compound/water_lost_with_door_open": about("DOOR_OPEN", "WATER_FLOW"),
    "nominal/dicom_arc": about(END),
    "nominal/five_targets_five_techniques": about(END, "SEQUENCE_HOLD"),
    "nominal/five_targets_other_order": about(END),
    "nominal/forty_minutes": about(END, IMAGE_AGE={"limit": 300}),
    "nominal/four_targets_two_isocentres": about(END),
    "nominal/fraction_after_a_left_remainder": about(END),
    "nominal/gated": about("GATE_CLOSED"),
    "nominal/interrupted_three_times": about("DOOR_OPEN", "WATER_FLOW"),
    "nominal/many_holds": about("MLC_HOLD", MLC_POSITION={"limit": 2.5}),
    "nominal/noisy_lines": about(
        END,
        COUCH_VERTICAL_POSITION={"by": 0.3},
        BEND_MAGNET={"percent": 0.1},
        WATER_FLOW={"limit": 14},
        SYMMETRY_TRANSVERSE={"high": 2},
    ),
    "nominal/one_target": about(END),
    "nominal/rate_sag_below_two_seconds": about(END, RATE_LOW={"debounce": 1000}),
    "nominal/shared_isocentre": about(END),
    "nominal/short_glitches": about(
        END,
        WATER_FLOW={"debounce": 99},
        VIEWING={"debounce": 999},
        CLEARANCE={"debounce": 4},
        JAW_POSITION={"debounce": 19},
        VACUUM={"debounce": 49},
    ),
    "nominal/static_flattened": about(END),
    "nominal/step_and_shoot_holds": about("SEQUENCE_HOLD"),
    "nominal/terminated_and_continued": about(END),
    "nominal/terminated_remainder_left": about(END),
    "nominal/three_targets": about(END),
    "nominal/two_of_five_targets": about(END),
    "nominal/two_targets": about(END),
    "nominal/two_targets_planned_together": about(END),
    "nominal/two_targets_reversed": about(END),
}


def altered(table: Table, interlock: str, changes: dict[str, object]) -> Table:
    """The same table with fields of one row, or of its condition, changed."""
    row = table.interlocks[interlock]
    of_row = {key: value for key, value in changes.items() if key in type(row).model_fields}
    of_condition = {key: value for key, value in changes.items() if key not in of_row}
    assert set(of_condition) <= set(type(row.trips_when).model_fields), f"{interlock} has no {of_condition}"
    condition = row.trips_when.model_copy(update=of_condition)
    kept = {name: getattr(table, name) for name in type(table).model_fields}
    kept["interlocks"] = {
        **table.interlocks,
        interlock: row.model_copy(update={"trips_when": condition, **of_row}),
    }
    return type(table).model_construct(**kept)


def run(story: str, interlock: str, changes: dict[str, object] | None) -> Outcome:
    """The story under a table with one interlock removed, or changed."""
    loaded = load_scenario(ROOT / f"{story}.yaml")
    table = loaded.table.without(interlock) if changes is None else altered(loaded.table, interlock, changes)
    return run_scenario(loaded.with_table(table), ModelController(table), BoardIdentity("model", "test", ""))


def breakages() -> list[object]:
    found = []
    for story, subject in STORIES.items():
        marks = [needs_pymedphys] if "dicom" in story else []
        for name in subject.without:
            found.append(pytest.param(story, name, None, marks=marks, id=f"{story}-without-{name}"))
        for name, changes in subject.stricter.items():
            found.append(pytest.param(story, name, changes, marks=marks, id=f"{story}-stricter-{name}"))
    return found


def test_every_story_says_what_it_is_about() -> None:
    files = {f"{folder}/{file.stem}" for folder in FOLDERS for file in (ROOT / folder).glob("*.yaml")}
    assert files == set(STORIES)
    assert all(subject.without or subject.stricter for subject in STORIES.values())


@pytest.mark.parametrize(("story", "interlock", "changes"), breakages())
def test_a_story_fails_without_what_it_is_about(
    story: str, interlock: str, changes: dict[str, object] | None
) -> None:
    outcome = run(story, interlock, changes)
    reasons = [e["text"] for e in outcome.run["expectations"] if e["status"] != "pass"]
    reasons += [i["id"] for i in outcome.run["invariants"] if i["status"] == "violated"]
    assert outcome.verdict == "FAIL"
    assert reasons, "a time limit alone says nothing about the interlock"
