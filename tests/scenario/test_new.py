"""`interlock new` writes scenarios that pass, and says why when it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from firmware_model.strict_yaml import load, loads
from firmware_model.table_loading import load_table
from sim.machine import REFERENCE_MACHINE, Machine
from sim.plan.loading import load_plan
from sim.scenario.schema import Scenario
from sim.starter.derive import provocations
from sim.starter.scenario import STARTER_PLAN, provoked

PLANS = Path(__file__).parents[2] / "scenarios" / "plans"
TABLE = load_table()


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def interlock(*words: str) -> Result:
    result = CliRunner().invoke(main, [*words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def verdict(file: str) -> dict[str, object]:
    done = interlock("run", file, "--out", "out", "--quiet")
    assert done.exit_code == 0, done.output
    run: dict[str, object] = json.loads(Path("out/run.json").read_text(encoding="utf-8"))
    assert run["verdict"] == "PASS"
    return run


def test_a_first_scenario_passes_as_it_is() -> None:
    done = interlock("new")
    assert done.exit_code == 0, done.output
    assert "interlock run my_scenario.yaml" in done.output
    assert interlock("check", "my_scenario.yaml").exit_code == 0
    run = verdict("my_scenario.yaml")
    assert run["final_state"] == "standby"
    assert Path("my_scenario.yaml").read_text(encoding="utf-8").count("#") > 5


def test_the_commented_step_is_right() -> None:
    interlock("new", "a.yaml")
    lines = Path("a.yaml").read_text(encoding="utf-8").splitlines()
    step = next(n for n, line in enumerate(lines) if line == "# timeline:")
    lines[step : step + 4] = [line.removeprefix("# ") for line in lines[step : step + 4]]
    Path("a.yaml").write_text("\n".join(lines), encoding="utf-8")
    assert interlock("check", "a.yaml").exit_code == 0
    done = interlock("run", "a.yaml", "--out", "out")
    assert done.exit_code == 1
    assert "interlock DOOR_OPEN" in done.output


def test_a_plan_of_ones_own_is_named_relative_to_the_scenario() -> None:
    Path("below").mkdir()
    done = interlock("new", "below/a.yaml", "--plan", str(PLANS / "two_abdominal_metastases.yaml"))
    assert done.exit_code == 0, done.output
    assert not Path("below/a_plan.yaml").exists()
    text = Path("below/a.yaml").read_text(encoding="utf-8")
    assert "delivered: adrenal" in text
    assert "plan: ../" in text
    verdict("below/a.yaml")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("DOOR_OPEN", "signal: door_contact_a, value: false"),
        ("WATER_FLOW", "signal: water_flow, value: 0"),
        ("HEARTBEAT_LINAC", "kind: signal_frozen, signal: heartbeat_linac"),
        ("GATE_CLOSED", "gating: {mode: amplitude, around: exhale, within: 3 mm}"),
        ("MLC_HOLD", "signal: mlc_error, value: 3"),
        ("RESET_IN_BEAM", "kind: power_dip"),
        ("SELF_TEST", "signal: door_contact_a, value: true"),
        ("RATE_LOW", "kind: dose_rate, percent: 50"),
    ],
)
def test_an_interlock_is_made_to_trip(name: str, expected: str) -> None:
    done = interlock("new", "a.yaml", "--interlock", name)
    assert done.exit_code == 0, done.output
    assert expected in Path("a.yaml").read_text(encoding="utf-8")
    verdict("a.yaml")
    removed = interlock("run", "a.yaml", "--out", "out", "--without", name, "--quiet")
    assert removed.exit_code == 1  # it is about this interlock


def test_what_cannot_be_derived_is_said_and_nothing_left_behind() -> None:
    done = interlock("new", "a.yaml", "--interlock", "HOLD_DOSE")
    assert done.exit_code == 1
    assert "Nothing written" in done.output
    assert "'grows' condition of HOLD_DOSE" in done.output
    assert list(Path().iterdir()) == []


def test_every_guess_is_a_sound_scenario() -> None:
    course = load_plan(STARTER_PLAN, load(REFERENCE_MACHINE, Machine), None)
    without = []
    for name, row in TABLE.interlocks.items():
        ways = list(provocations(TABLE, row, course))
        if not ways:
            without.append(name)
        for way in ways:
            loads(provoked(TABLE, name, "x.yaml", way, True), name, Scenario)
    assert len(without) <= len(TABLE.interlocks) // 10


def test_nothing_is_overwritten() -> None:
    Path("a.yaml").write_text("mine", encoding="utf-8")
    Path("b_plan.yaml").write_text("mine", encoding="utf-8")
    for file, named in (("a.yaml", "a.yaml"), ("b.yaml", "b_plan.yaml")):
        done = interlock("new", file)
        assert done.exit_code == 2
        assert f"{named} is there already" in done.output
    assert Path("a.yaml").read_text(encoding="utf-8") == "mine"
    assert not Path("a_plan.yaml").exists()
    assert not Path("b.yaml").exists()


def test_wrong_use_is_told() -> None:
    assert "did you mean 'DOOR_OPEN'" in interlock("new", "--interlock", "DOOR_OPENN").output
    assert interlock("new", "--plan", "nothing.yaml").exit_code == 3
    assert "cannot be written" in interlock("new", "no/such/folder/a.yaml").output
    assert list(Path().iterdir()) == []
