"""The regimen library: its numbers, its strictness, and plans that name a regimen."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from firmware_model.diagnostics import DocumentError
from firmware_model.strict_yaml import loads
from sim.machine import Machine
from sim.plan.biological_dose import bed, eqd2
from sim.plan.course import Course
from sim.plan.loading import load_plan
from sim.plan.regimen import LIBRARY, SITES, LibraryDocument, regimens, regimens_for
from sim.plan.regimen_show import markdown
from sim.plan.spacing import DAILY, EVERY_SECOND_DAY, HOUR, Spacing

ROOT = Path(__file__).parents[2]
TEXT = LIBRARY.read_text(encoding="utf-8")


def interlock(*words: str) -> Result:
    return CliRunner().invoke(main, words)


# --- the library ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "dose", "fractions", "rhythm", "overall", "identifier"),
    [
        ("nrg-br001-lung-peripheral", 45, 3, "every_second_day", 21, "PMC8063134"),
        ("nrg-br001-lung-central", 50, 5, "every_second_day", 21, "PMC8063134"),
        ("nrg-br001-node", 50, 5, "every_second_day", 21, "PMC8063134"),
        ("nrg-br001-liver", 45, 3, "every_second_day", 21, "PMC8063134"),
        ("nrg-br001-adrenal", 45, 3, "every_second_day", 21, "PMC8063134"),
        ("nrg-br001-bone", 30, 3, "every_second_day", 21, "PMC8063134"),
        ("nrg-br001-spine", 30, 3, "every_second_day", 21, "PMC8063134"),
        ("sabr-comet-lung", 54, 3, "every_second_day", None, "doi:10.1186/1471-2407-12-305"),
        ("sabr-comet-lung-chest-wall", 55, 5, "every_second_day", None, "doi:10.1186/1471-2407-12-305"),
        ("sabr-comet-bone", 35, 5, "daily", None, "doi:10.1186/1471-2407-12-305"),
        ("sabr-comet-adrenal", 60, 8, "every_second_day", None, "doi:10.1186/1471-2407-12-305"),
        ("sabr-comet-10-1", 20, 1, "daily", 14, "PMC6699121"),
        ("sabr-comet-10-3", 30, 3, "every_second_day", 14, "PMC6699121"),
        ("sabr-comet-10-5", 35, 5, "daily", 14, "PMC6699121"),
        ("liver-single-40", 40, 1, "every_second_day", None, "PMC4695498"),
        ("lung-fff-central", 60, 8, "every_second_day", None, "PMC4943033"),
    ],
)
def test_regimens_have_the_published_numbers(
    name: str, dose: float, fractions: int, rhythm: str, overall: int | None, identifier: str
) -> None:
    found = regimens()[name]
    assert (found.dose_gy, found.fractions, found.spacing.rhythm) == (dose, fractions, rhythm)
    assert (found.overall_days, found.source.identifier) == (overall, identifier)


def test_every_site_has_a_regimen_of_its_own() -> None:
    assert {regimen.site for regimen in regimens().values()} == {*SITES}
    assert [r.id for r in regimens_for("adrenal")][:2] == ["nrg-br001-adrenal", "sabr-comet-adrenal"]
    assert {r.site for r in regimens_for("adrenal")} == {"adrenal", "any"}


@pytest.mark.parametrize(
    ("old", "new", "message", "at"),
    [
        ("dose: 54 Gy, fractions: 3", "dose: 45 Gy, fractions: 3", "3 fractions of 18 Gy are 54 Gy", "18 Gy"),
        ("      sabr-comet-bone:", "      nrg-br001-bone:", "already one of nrg-br001", None),
        ("site: brain", "site: brian", "brian", "brian"),
        ("rhythm_from: published, note", "rhythm_form: published, note", "rhythm_form", "rhythm_form"),
        ("dose: 54 Gy", "dose: 54", "'54' is not a dose", "54"),
        (
            "rhythm: daily, rhythm_from",
            "rhythm: daily, min_interval: 4000 h, rhythm_from",
            "allow at least",
            None,
        ),
    ],
)
def test_a_library_that_does_not_fit_together_is_refused_with_the_place(
    old: str, new: str, message: str, at: str | None
) -> None:
    assert old in TEXT
    with pytest.raises(DocumentError) as caught:
        loads(TEXT.replace(old, new, 1), "library.yaml", LibraryDocument)
    problem = next(p for p in caught.value.problems if message in p.message)
    assert problem.line > 0
    if at is not None:
        assert loads_line(TEXT.replace(old, new, 1), problem.line)[problem.column - 1 :].startswith(at)


def loads_line(text: str, line: int) -> str:
    return text.splitlines()[line - 1]


def test_the_documentation_lists_the_library() -> None:
    page = (ROOT / "docs" / "courses.md").read_text(encoding="utf-8")
    table = re.search(r"<!-- regimens -->\n(.*?)\n<!-- end of regimens -->", page, re.DOTALL)
    assert table is not None
    expected = markdown(regimens().values())
    assert table[1] == expected, f"docs/courses.md is not current; put this between the marks:\n{expected}"


# --- dose and effect --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("doses", "alpha_beta", "effective", "in_two"),
    [
        ([15] * 3, 10, 112.5, 93.75),  # 45 (1 + 1.5); 112.5 / 1.2
        ([10] * 5, 10, 100.0, 83.3333333),  # 50 (1 + 1)
        ([15] * 3, 3, 270.0, 162.0),  # 45 (1 + 5); 270 / (5/3)
        ([18] * 3, 10, 151.2, 126.0),  # 54 (1 + 1.8)
        ([7.5] * 8, 2, 285.0, 142.5),  # 60 (1 + 3.75); 285 / 2
        ([2] * 30, 10, 72.0, 60.0),  # fractions of 2 Gy are their own reference
        ([15, 15, 10], 10, 95.0, 79.1666667),  # 37.5 + 37.5 + 20
        ([], 10, 0, 0),
    ],
)
def test_bed_and_eqd2_are_as_worked_out_by_hand(
    doses: list[float], alpha_beta: float, effective: float, in_two: float
) -> None:
    assert bed(doses, alpha_beta) == pytest.approx(effective)
    assert eqd2(doses, alpha_beta) == pytest.approx(in_two)


@pytest.mark.parametrize(("doses", "alpha_beta"), [([2.0], 0.0), ([2.0], -3.0), ([2.0, -1.0], 10.0)])
def test_impossible_doses_have_no_effect_but_an_error(doses: list[float], alpha_beta: float) -> None:
    with pytest.raises(ValueError, match="must"):
        bed(doses, alpha_beta)


# --- plans ------------------------------------------------------------------------------------

BEAM = """
    beams:
      - {name: b, energy: 6 MV, static: {gantry: 0 deg, aperture: {circle: 30 mm}, meterset: 100 MU}}
"""


def plan(tmp_path: Path, *prescriptions: str) -> Path:
    """A plan with a target t1, t2, ... for each of these lines."""
    text = "id: p\ntitle: t\npatient: P-1\ntargets:\n"
    for number, lines in enumerate(prescriptions, 1):
        text += f"  - id: t{number}\n    site: liver\n    centre: [0 mm, 0 mm, 0 mm]\n    diameter: 20 mm\n"
        text += "".join(f"    {line}\n" for line in lines.split("\n") if line) + BEAM.lstrip("\n")
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    return path


def read(path: Path, machine: Machine) -> Course:
    return load_plan(path, machine)


def test_a_target_takes_dose_fractions_and_rules_from_its_regimen(tmp_path: Path, machine: Machine) -> None:
    course = read(
        plan(
            tmp_path,
            "regimen: nrg-br001-liver",
            "regimen: sabr-comet-bone",
            "regimen: nrg-br001-node",
            "prescription: 30 Gy\nfractions: 3",
        ),
        machine,
    )
    assert [(t.prescription_gy, t.fractions, t.regimen) for t in course.targets] == [
        (45, 3, "nrg-br001-liver"),
        (35, 5, "sabr-comet-bone"),
        (50, 5, "nrg-br001-node"),
        (30, 3, None),
    ]
    assert [t.spacing for t in course.targets] == [
        EVERY_SECOND_DAY,
        DAILY,
        EVERY_SECOND_DAY,
        EVERY_SECOND_DAY,
    ]
    (limit,) = course.overall
    assert (limit.targets, limit.days) == (("t1", "t3"), 21)
    assert "NCT02206334" in limit.source


def test_spacing_goes_by_the_number_of_fractions_unless_the_plan_says_more(
    tmp_path: Path, machine: Machine
) -> None:
    course = read(
        plan(
            tmp_path,
            "fractions: 8",
            "fractions: 9",
            "fractions: 3\nspacing: {rhythm: daily, min_interval: 20 h, max_days: 6}",
        ),
        machine,
    )
    assert [t.spacing for t in course.targets] == [EVERY_SECOND_DAY, DAILY, Spacing("daily", 20 * HOUR, 6)]
    assert course.overall == ()


def test_the_digest_tells_plans_with_different_rules_apart(tmp_path: Path, machine: Machine) -> None:
    one = read(plan(tmp_path, "fractions: 3"), machine).digest
    two = read(plan(tmp_path, "fractions: 3\nspacing: {rhythm: daily}"), machine).digest
    assert one != two


@pytest.mark.parametrize(
    ("lines", "place", "message", "suggestion"),
    [
        ("regimen: nrg-br001-livr", "9:14", "no regimen 'nrg-br001-livr'", "'nrg-br001-liver'"),
        (
            "regimen: nrg-br001-liver\nfractions: 3",
            "5:5",
            "exactly one of regimen, fractions; here: regimen",
            "",
        ),
        (
            "regimen: nrg-br001-liver\nprescription: 45 Gy",
            "5:5",
            "'regimen' does not go with 'prescription'",
            "",
        ),
        ("regimen: nrg-br001-liver\nspacing: {rhythm: daily}", "5:5", "does not go with 'spacing'", ""),
        ("prescription: 45 Gy", "5:5", "exactly one of regimen, fractions; here: none of them", ""),
        ("fractions: 3\nspacing: {rhythm: weekly}", "10:23", "weekly", "daily"),
        ("fractions: 3\nspacing: {rhythm: daily, max_days: 0}", "10:40", "0", ""),
        (
            "fractions: 3\nspacing: {rhythm: daily, min_interval: 50 h, max_days: 2}",
            "10:5",
            "allow at least 3",
            "",
        ),
    ],
)
def test_a_prescription_that_is_not_given_exactly_once_is_refused_with_the_place(
    lines: str, place: str, message: str, suggestion: str, tmp_path: Path, machine: Machine
) -> None:
    with pytest.raises(DocumentError) as caught:
        read(plan(tmp_path, lines), machine)
    (problem,) = caught.value.problems
    assert f"{problem.line}:{problem.column}" == place, str(problem)
    assert message in problem.message
    assert suggestion in (problem.suggestion or "")


# --- commands ---------------------------------------------------------------------------------


def test_regimens_are_listed_by_site() -> None:
    result = interlock("plan", "regimens", "--site", "liver", "--json")
    assert result.exit_code == 0
    listed = {entry["id"]: entry for entry in json.loads(result.output)}
    assert {entry["site"] for entry in listed.values()} == {"liver", "any"}
    assert listed["nrg-br001-liver"]["dose_gy"] == 45
    assert listed["nrg-br001-liver"]["rules_source"].endswith("NCT02206334")


def test_the_effective_dose_is_listed_for_the_alpha_beta_asked_for() -> None:
    ten = interlock("plan", "regimens", "--site", "adrenal").output
    three = interlock("plan", "regimens", "--site", "adrenal", "--alpha-beta", "3").output
    assert "112.5" in ten
    assert "270.0" in three
    assert "112.5" not in three


def test_an_unknown_site_is_wrong_usage() -> None:
    result = interlock("plan", "regimens", "--site", "livr")
    assert result.exit_code == 2
    assert "did you mean 'liver'?" in result.output


def test_plan_show_names_regimen_source_and_spacing(tmp_path: Path) -> None:
    path = plan(tmp_path, "regimen: nrg-br001-liver", "fractions: 3")
    text = " ".join(interlock("plan", "show", str(path)).output.split())
    assert "t1: regimen nrg-br001-liver (NRG-BR001" in text
    assert "PMC8063134); every second day, at least 40 h, at most 8 days apart" in text
    assert "t2: prescribed in the plan; every second day" in text
    assert "t1: within 21 days of the first dose" in text
    data = json.loads(interlock("plan", "show", str(path), "--json").output)
    assert [t["regimen"] for t in data["targets"]] == ["nrg-br001-liver", None]
    assert data["targets"][0]["source"].endswith("PMC8063134")
    assert data["targets"][1]["source"] is None
    assert data["overall"][0]["days"] == 21


def test_plan_show_refuses_an_unknown_regimen(tmp_path: Path) -> None:
    result = interlock("plan", "show", str(plan(tmp_path, "regimen: nrg-br001-livr")))
    assert result.exit_code == 3
    assert "plan.yaml:9:14" in result.output
