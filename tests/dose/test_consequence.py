"""Dose where people look for it: run.json, expectations, the terminal, the plan command, scaled plans."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from cli.main import main
from firmware_model.controller import ModelController
from firmware_model.diagnostics import DocumentError
from firmware_model.strict_yaml import load
from sim.dose.cross import Unscalable, cross_dose, factors, scaled
from sim.machine import REFERENCE_MACHINE, Machine
from sim.plan.course import Course
from sim.plan.loading import load_plan
from sim.scenario.loading import load_scenario
from sim.scenario.runner import BoardIdentity, run_scenario

SCENARIOS = Path(__file__).parents[2] / "scenarios"
PLANS = SCENARIOS / "plans"
GIVEN_UP = SCENARIOS / "faults" / "second_target_given_up.yaml"


def plan(name: str) -> Course:
    return load_plan(PLANS / f"{name}.yaml", load(REFERENCE_MACHINE, Machine))


def changed(tmp_path: Path, source: Path, old: str, new: str) -> Path:
    """A copy with one text replaced."""
    text = source.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / source.name
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run() -> dict[str, Any]:
    """run.json of the session whose second target is given up."""
    loaded = load_scenario(GIVEN_UP)
    outcome = run_scenario(loaded, ModelController(loaded.table), BoardIdentity("model", "", ""))
    return outcome.run


def centre(run: dict[str, Any], name: str) -> dict[str, Any]:
    return next(p for p in run["dose"]["points"] if p["of"] == name and p["kind"] != "rim")


# --- joint and independent plans ------------------------------------------------------------------------


def test_joint_metersets_give_every_target_its_prescription() -> None:
    for name in ("two_abdominal_metastases", "five_metastases"):
        course = scaled(plan(name), "joint")
        wanted = [target.prescription_gy for target in course.targets]
        np.testing.assert_allclose(cross_dose(course).course().sum(axis=1), wanted, rtol=1e-5)


def test_independent_metersets_give_too_much_by_the_cross_dose() -> None:
    course = scaled(plan("two_abdominal_metastases"), "independent")
    dose = cross_dose(course).course()
    np.testing.assert_allclose(np.diag(dose), [45.0, 45.0], rtol=1e-5)
    assert np.all(dose.sum(axis=1) / 45.0 > 1.2)


def test_targets_with_different_fractions_are_solved_over_the_course() -> None:
    """45 Gy in 3 and 50 Gy in 5 fractions: the sum over the course counts, not a single fraction."""
    course = scaled(plan("five_metastases"), "joint")
    by = cross_dose(course)
    liver, lung = by.targets.index("liver"), by.targets.index("lung-left")
    assert by.fractions[liver], by.fractions[lung] == (3, 5)
    own = by.gy[liver, liver]
    from_others = sum(by.gy[liver, j] * by.fractions[j] for j in range(5) if j != liver)
    assert 3 * own + from_others == pytest.approx(45.0, rel=1e-5)


def test_neighbours_that_give_too_much_cannot_be_scaled(tmp_path: Path) -> None:
    low = changed(
        tmp_path,
        PLANS / "two_abdominal_joint.yaml",
        "regimen: nrg-br001-adrenal",
        "prescription: 5 Gy\n    fractions: 3",
    )
    with pytest.raises(DocumentError, match="adrenal gets more than its 5 Gy from the beams of the other"):
        load_plan(low, load(REFERENCE_MACHINE, Machine))


def test_a_target_without_prescription_cannot_be_scaled() -> None:
    with pytest.raises(Unscalable, match="no prescription for lesion"):
        factors(plan("short_arc"), "joint")
    assert factors(plan("short_arc"), "as_written") == {"lesion": 1.0}


def test_scaled_metersets_keep_their_shape() -> None:
    written, joint = plan("two_abdominal_metastases"), plan("two_abdominal_joint")
    for a, b in zip(written.targets, joint.targets, strict=True):
        factor = b.meterset / a.meterset
        assert 0.8 < factor < 0.95
        for one, other in zip(a.beams[1].control_points, b.beams[1].control_points, strict=True):
            assert abs(other.meterset - one.meterset * factor) <= 1
            assert (other.gantry, other.leaves, other.jaws) == (one.gantry, one.leaves, one.jaws)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("width: 360 mm", "width: 60 mm", "(45, -55, 15) mm is outside of the plan's outline"),
        ("centre: [25 mm, 0 mm, 0 mm]", "centre: [190 mm, 0 mm, 0 mm]", "(190, 0, 0) mm is outside of the"),
        ("at: [0 mm, 60 mm, 0 mm]", "at: [0 mm, 130 mm, 0 mm]", "(0, 130, 0) mm is outside of the plan's"),
        ("id: cord", "id: node", "id 'node' is used twice; targets and organs share their names"),
        ("metersets: joint", "metersets: shared", "known here: as_written, independent, joint"),
    ],
)
def test_a_plan_with_a_wrong_patient_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(DocumentError) as refused:
        load_plan(
            changed(tmp_path, PLANS / "two_abdominal_joint.yaml", old, new), load(REFERENCE_MACHINE, Machine)
        )
    assert message in str(refused.value)


def test_a_target_outside_of_the_assumed_outline_is_pointed_out(tmp_path: Path) -> None:
    far = changed(
        tmp_path,
        PLANS / "four_two_isocentres.yaml",
        "centre: [100 mm, 30 mm, 10 mm]",
        "centre: [400 mm, 30 mm, 10 mm]",
    )
    findings = load_plan(far, load(REFERENCE_MACHINE, Machine)).findings
    assert [f.where for f in findings if f.code == "outside-outline"] == ["rib"]


# --- run.json -------------------------------------------------------------------------------------------


def test_a_target_that_counts_on_the_other_is_short_when_that_is_given_up(run: dict[str, Any]) -> None:
    adrenal, node = centre(run, "adrenal"), centre(run, "node")
    assert run["targets"][0]["delivered_mu"] == run["targets"][0]["planned_mu"]
    assert adrenal["prescribed_gy"] == 15.0
    assert adrenal["planned_gy"] == pytest.approx(15.0, abs=1e-3)
    assert -0.22 < adrenal["difference_gy"] / 15.0 < -0.17
    assert node["own_gy"] < 0.5
    assert node["cross_gy"] > 2.5


def test_parts_add_up_at_every_point(run: dict[str, Any]) -> None:
    points = run["dose"]["points"]
    assert {p["kind"] for p in points} == {"centre", "rim", "organ"}
    assert len(points) == 2 * 7 + 3
    for p in points:
        assert sum(part["planned_gy"] for part in p["from"]) == pytest.approx(p["planned_gy"], abs=2e-4)
        assert sum(part["delivered_gy"] for part in p["from"]) == pytest.approx(p["delivered_gy"], abs=2e-4)
        assert p["own_gy"] + p["cross_gy"] == pytest.approx(p["delivered_gy"], abs=2e-4)
        assert p["delivered_gy"] - p["planned_gy"] == pytest.approx(p["difference_gy"], abs=2e-4)


def test_dose_is_no_share_of_the_metersets(run: dict[str, Any]) -> None:
    """50 of 1878 MU stopped early in an arc give the other target anything but 2.7 % of the cross dose."""
    parts = {part["target"]: part for part in centre(run, "adrenal")["from"]}
    share = run["targets"][1]["delivered_mu"] / run["targets"][1]["planned_mu"]
    assert parts["node"]["delivered_gy"] < 0.2 * share * parts["node"]["planned_gy"]


# --- expectations ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expectation", "status", "margin"),
    [
        ("{dose: adrenal, dose_above: 11.5 Gy, dose_below: 12.5 Gy}", "pass", 0.44),
        ("{dose: adrenal, dose_below: 12 Gy}", "fail", -0.06),
        ("{dose: adrenal, dose_above: 12.5 Gy}", "fail", -0.44),
        ("{dose: adrenal}", "fail", -2.84),
        ("{dose: adrenal, dose_tolerance: 3 Gy}", "pass", 0.06),
        ("{dose: stomach, dose_tolerance: 1 Gy}", "pass", 0.09),
    ],
)
def test_an_expected_dose_is_measured(tmp_path: Path, expectation: str, status: str, margin: float) -> None:
    (tmp_path / "plans").mkdir()
    folder = tmp_path / "faults"
    folder.mkdir()
    changed(tmp_path / "plans", PLANS / "two_abdominal_joint.yaml", "P-0002", "P-0002")
    path = changed(folder, GIVEN_UP, "{dose: adrenal, dose_above: 11.5 Gy, dose_below: 12.5 Gy}", expectation)
    loaded = load_scenario(path)
    outcome = run_scenario(loaded, ModelController(loaded.table), BoardIdentity("model", "", ""))
    entry = next(
        e for e in outcome.run["expectations"] if "receives" in e["text"] and "node" not in e["text"]
    )
    assert (entry["status"], entry["unit"]) == (status, "Gy")
    assert entry["margin"] == pytest.approx(margin, abs=0.02)


@pytest.mark.parametrize(
    ("expectation", "message"),
    [
        ("{dose: adrenla}", "the plan has no target or organ 'adrenla'"),
        ("{dose: adrenal, dose_tolerance: 1 Gy, dose_below: 2 Gy}", "'dose_tolerance' does not go with"),
        ("{delivered: adrenal, dose_below: 2 Gy}", "'dose_below' goes with 'dose'"),
        ("{dose: adrenal, dose_below: 2 MU}", "'2 MU' is not a dose in Gy"),
    ],
)
def test_an_expectation_that_makes_no_sense_is_refused(
    tmp_path: Path, expectation: str, message: str
) -> None:
    text = GIVEN_UP.read_text(encoding="utf-8").replace("../plans", str(PLANS))
    path = tmp_path / "scenario.yaml"
    path.write_text(text.replace("{dose: node, dose_below: 4 Gy}", expectation), encoding="utf-8")
    with pytest.raises(DocumentError) as refused:
        load_scenario(path)
    assert message in str(refused.value)


# --- the command ----------------------------------------------------------------------------------------


def test_plan_dose_prints_own_and_cross() -> None:
    result = CliRunner().invoke(
        main, ["plan", "dose", str(PLANS / "two_abdominal_metastases.yaml"), "--json"]
    )
    assert result.exit_code == 0, result.output
    data = json.loads(result.output)
    points = {p["of"]: p for p in data["points"] if p["kind"] != "rim"}
    assert points["adrenal"]["from"]["node"] == points["node"]["from"]["adrenal"]  # mirror images
    assert 0.2 < points["adrenal"]["from"]["node"] / points["node"]["from"]["node"] < 0.3
    assert points["adrenal"]["course_gy"] == pytest.approx(3 * points["adrenal"]["total_gy"], abs=1e-3)
    assert data["scale"]["joint"]["adrenal"] < 1 < data["scale"]["independent"]["adrenal"]
    shown = CliRunner().invoke(main, ["plan", "dose", str(PLANS / "two_abdominal_metastases.yaml")])
    assert "% of the 45 Gy prescribed" in shown.output
    assert "metersets joint: adrenal x 0." in shown.output


def test_plan_dose_scales_on_request() -> None:
    arguments = ["plan", "dose", str(PLANS / "two_abdominal_metastases.yaml"), "--metersets", "joint"]
    assert "+0.0 % of the 45 Gy" in CliRunner().invoke(main, arguments).output
    refused = CliRunner().invoke(
        main, ["plan", "dose", str(PLANS / "short_arc.yaml"), "--metersets", "joint"]
    )
    assert refused.exit_code == 3
    assert "no prescription for lesion" in refused.output


def test_the_command_line_starts_without_numpy() -> None:
    """NumPy takes longer to import than the help takes to print."""
    script = "import sys, cli.main, cli.plan, cli.check, cli.run; print('numpy' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.strip() == "False"
