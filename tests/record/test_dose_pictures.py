"""The pictures of the dose show the numbers of run.json, small and safe whatever the names."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace
from typing import Any

import pytest

from sim.plan.course import Outline
from sim.record.dose_pictures import dose_pictures
from sim.record.report import render
from sim.record.trace import Trace
from tests.dose.test_consequence import plan as plan_of
from tests.record.dose_runs import given_up
from tests.record.hostile import EVIL, hostile
from tests.record.test_report import Page


@pytest.fixture(autouse=True)
def _small_plotly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.record.report.plotly_script", lambda: "window.Plotly = null;")


def centres() -> dict[str, dict[str, Any]]:
    return {entry["of"]: entry for entry in given_up()[1]["dose"]["points"] if entry["kind"] == "centre"}


def value(plane: dict[str, Any], grid: str, x: float, down: float) -> float:
    """Gy on the grid at the lines nearest to a place."""
    column = min(range(len(plane["across"])), key=lambda i: abs(plane["across"][i] - x))
    row = min(range(len(plane["down"])), key=lambda i: abs(plane["down"][i] - down))
    return float(plane[grid][row][column]) / 100


def still() -> Trace:
    """The trace of a session without any beam."""
    trace = Trace()
    trace.channel("dose_delivered", "number", "MU")
    trace.end_us = 1_000_000
    return trace


def test_the_slices_are_the_doses_of_the_run_at_the_centres() -> None:
    _, _, pictures = given_up()
    assert [plane["plane"] for plane in pictures["planes"]] == ["axial", "coronal"]
    for plane in pictures["planes"]:
        assert {circle["name"] for circle in plane["targets"]} == set(centres())
        for circle in plane["targets"]:
            entry = centres()[circle["name"]]
            planned = value(plane, "planned", circle["x"], circle["down"])
            off = value(plane, "off", circle["x"], circle["down"])
            assert planned == pytest.approx(entry["planned_gy"], rel=0.03)
            assert off == pytest.approx(entry["difference_gy"], abs=0.03 * entry["planned_gy"])


def test_the_growth_ends_at_the_doses_of_the_run_with_its_planned_lines() -> None:
    trace, run, pictures = given_up()
    data = Page(render(trace, run, pictures)).data()["dose"]
    for target in data["progress"]["targets"]:
        entry = centres()[target["name"]]
        assert target["own"][-1] == pytest.approx(entry["own_gy"], abs=6e-4)
        assert target["cross"][-1] == pytest.approx(entry["cross_gy"], abs=6e-4)
        assert data["planned"][target["name"]]["all"] == entry["planned_gy"]
        own = {part["target"]: part["planned_gy"] for part in entry["from"]}[target["name"]]
        assert data["planned"][target["name"]]["own"] == own


def test_what_the_figures_show_is_said_in_words() -> None:
    trace, run, pictures = given_up()
    page = Page(render(trace, run, pictures))
    (view,) = pictures["views"]
    assert view["reference"] == 15
    figures = [attrs for tag, attrs in page.tags if tag == "div" and attrs.get("role") == "img"]
    labels = [attrs["aria-label"] for attrs in figures]
    assert labels[:2] == view["words"]
    for words in view["words"]:
        assert words in page.words
    assert "Axial plane through adrenal and node, through the origin of the plan." in view["words"][0]
    lost = max(-v for row in pictures["planes"][0]["off"] for v in row) / 100
    assert f"Delivered less planned: \u2212{lost:.2f} Gy at R 26 mm, A/P 0." in view["words"][0]
    node = centres()["node"]
    assert f"node: {node['delivered_gy']:.3f} Gy delivered at its centre" in str(labels[2])
    assert "100 % is the prescription of a fraction of adrenal and node, 15.00 Gy" in page.words


def test_targets_in_several_planes_get_a_view_each_and_the_page_stays_small() -> None:
    plan = plan_of("five_metastases")
    pictures = dose_pictures(plan, plan.targets, still())
    assert pictures is not None
    assert [view["name"] for view in pictures["views"]] == [target.id for target in plan.targets]
    for view, target in zip(pictures["views"], plan.targets, strict=True):
        axial, coronal = (pictures["planes"][index] for index in view["planes"])
        assert (axial["plane"], axial["at"]) == ("axial", target.centre[2] / 100)
        assert (coronal["plane"], coronal["at"]) == ("coronal", target.centre[1] / 100)
        for plane in (axial, coronal):
            own = next(circle for circle in plane["targets"] if circle["name"] == target.id)
            assert own["radius"] == target.diameter / 200
    assert len(json.dumps(pictures, separators=(",", ":"))) < 400_000
    page = Page(render(still(), {"dose": {"points": given_up()[1]["dose"]["points"]}}, pictures))
    shown = [attrs for _, attrs in page.tags if attrs.get("data-view")]
    assert ["hidden" in attrs for attrs in shown] == [False, True, True, True, True]


def test_a_target_cut_beside_its_centre_is_drawn_smaller_and_organs_say_how_far_they_are() -> None:
    plan = plan_of("two_abdominal_metastases")
    organ = replace(plan.organs[0], id="beside", at=(1000, 2000, 700))
    moved = replace(plan.targets[1], centre=(-2500, 0, 900))
    plan = replace(plan, targets=(plan.targets[0], moved), organs=(organ,))
    pictures = dose_pictures(plan, plan.targets[:1], still())
    assert pictures is not None
    axial = pictures["planes"][0]
    assert {c["name"]: c["radius"] for c in axial["targets"]} == {"adrenal": 15.0, "node": 12.0}  # 9, 12, 15
    assert [point["name"] for point in axial["organs"]] == ["beside (S 7 mm)"]
    assert pictures["planes"][1]["organs"] == []  # 20 mm posterior of that plane


def test_outside_of_the_patient_the_grid_goes_on_with_the_last_value() -> None:
    plan = replace(plan_of("two_abdominal_metastases"), outline=Outline((0, 0), 16_000, 12_000), organs=())
    pictures = dose_pictures(plan, plan.targets, still())
    assert pictures is not None
    axial = pictures["planes"][0]
    assert axial["skin"] == {"half_width": 80.0, "half_depth": 60.0, "x": 0.0, "down": 0.0}
    row = min(range(len(axial["down"])), key=lambda i: abs(axial["down"][i] - 50))
    line = dict(zip(axial["across"], axial["planned"][row], strict=True))
    half = 80 * math.sqrt(1 - (axial["down"][row] / 60) ** 2)
    last = line[max(x for x in line if x <= half)]
    assert {gy for x, gy in line.items() if x > half} == {last}
    assert last > 0
    assert len(set(axial["planned"][row])) > 10


def test_a_beam_the_model_does_not_have_gives_no_pictures() -> None:
    plan = plan_of("short_arc")
    target = plan.targets[0]
    other = replace(target, beams=tuple(replace(beam, energy_mv=15) for beam in target.beams))
    plan = replace(plan, targets=(other,))
    assert dose_pictures(plan, plan.targets, still()) is None


def test_hostile_names_stay_text() -> None:
    trace, run, pictures = given_up()
    run = run | {"reproduce": "interlock run it"}
    clean = Page(render(trace, run, pictures))
    evil = Page(
        render(trace, hostile(run) | {"dose": hostile(run["dose"])}, hostile(copy.deepcopy(pictures)))
    )
    assert {tag for tag, _ in evil.tags} <= {tag for tag, _ in clean.tags}
    assert len(evil.scripts) == 3
    assert evil.scripts[1:] == clean.scripts[1:]
    assert evil.data()["dose"]["planes"][0]["targets"][0]["name"] == EVIL
