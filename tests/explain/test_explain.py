"""What `interlock explain` says is what table, states and models hold, and names are found as typed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from firmware_model.states import TRANSITIONS, Command, Latch, State, Stop
from firmware_model.table import Interlock, Signal, _Strict
from firmware_model.table_loading import load_table
from sim.explain import vocabulary
from sim.explain.conditions import condition_words
from sim.explain.faults import FAULTS
from sim.explain.names import NoSuchName, find, index
from sim.explain.usage import read_usage
from sim.scenario.schema import Expectation

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "scenarios"
TABLE = load_table()
ENTRIES = index(TABLE)


def explain(*words: str) -> Result:
    result = CliRunner().invoke(
        main, ["explain", "--scenarios", str(SCENARIOS), *words], env={"COLUMNS": "80"}
    )
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def told(name: str) -> dict[str, Any]:
    """The first answer: the one that is written as typed."""
    return json.loads(explain(name, "--json").output)[0]  # type: ignore[no-any-return]


# -- words -----------------------------------------------------------------------------------


def test_everything_of_the_controller_has_words() -> None:
    assert set(vocabulary.STATES) == set(State)
    assert set(vocabulary.COMMANDS) == set(Command)
    assert set(vocabulary.STOPS) == set(Stop)
    assert set(vocabulary.LATCHES) == set(Latch)
    assert set(vocabulary.GUARDS) == {row.guard for row in TRANSITIONS if row.guard}
    assert set(vocabulary.SOURCES) == set(Signal.model_json_schema()["properties"]["source"]["enum"])
    for row in TRANSITIONS:
        assert vocabulary.trigger_words(row.trigger)
        assert vocabulary.priority_of(row.trigger) >= 1


@pytest.mark.parametrize("name", TABLE.interlocks)
def test_a_condition_names_its_signals_limits_and_units(name: str) -> None:
    row = TABLE.interlocks[name]
    words = condition_words(TABLE, row)
    condition = row.trips_when
    for signal in row.signals:
        assert re.search(rf"\b{signal}\b", words)
    for key in ("limit", "low", "high", "by", "over", "percent"):
        value = getattr(condition, key, None)
        if isinstance(value, int | float) and value:
            unit = TABLE.signals[condition.position if key == "over" else condition.signal].unit  # type: ignore[union-attr]
            wanted = f"{value:g} {'%' if key == 'percent' else unit}".strip()
            assert wanted in words


def test_a_kind_of_condition_without_words_shows_its_values() -> None:
    class Sparks(_Strict):
        """Trips while it sparks."""

        kind: str = "sparks"
        signal: str

    row = TABLE.interlocks["DOOR_OPEN"].model_copy(update={"trips_when": Sparks(signal="gantry")})
    assert condition_words(TABLE, row) == "Trips while it sparks. (signal: gantry)"


# -- finding names ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("DOOR_OPEN", ["DOOR_OPEN"]),
        ("door_open", ["DOOR_OPEN"]),
        ("Door-Open", ["DOOR_OPEN"]),
        ("DOOR", ["DOOR_OPEN", "DOOR_CONTACTS", "door_contact_a", "door_contact_b"]),
        ("door_contact_", ["door_contact_a", "door_contact_b"]),
        ("hold", ["hold"]),
        ("HOLD_D", ["HOLD_DOSE"]),
        ("ENERGY", ["ENERGY", "energy"]),
        ("energy", ["energy", "ENERGY"]),
        ("haz-07", ["HAZ-07"]),
        ("runaway-rate", ["no-runaway-rate"]),
    ],
)
def test_names_are_found_without_case_by_their_beginning(typed: str, found: list[str]) -> None:
    assert [entry.name for entry in find(ENTRIES, typed)] == found


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(NoSuchName, match="did you mean 'DOOR_OPEN'"):
        find(ENTRIES, "DOR_OPN")
    for nothing in ("", "xyzzy"):
        with pytest.raises(NoSuchName):
            find(ENTRIES, nothing)
    result = explain("DOR_OPN")
    assert result.exit_code == 2
    assert "did you mean 'DOOR_OPEN'?" in result.output


def test_everything_can_be_explained() -> None:
    names = {entry.name for entry in ENTRIES}
    assert names >= {*TABLE.interlocks, *TABLE.signals, *TABLE.requirements, *TABLE.hazards, *FAULTS}
    assert names >= {*Expectation.model_fields, *(s.name for s in State), "no-beam-with-door-open"}
    usage = read_usage(SCENARIOS)
    for entry in ENTRIES:
        explanation = entry.explain(usage)
        assert explanation.title
        assert explanation.facts
        json.dumps(explanation.as_dict())


def test_the_overview_counts_every_kind() -> None:
    said = explain().output
    for kind in dict.fromkeys(entry.kind for entry in ENTRIES):
        count = sum(entry.kind == kind for entry in ENTRIES)
        assert f"{count} {kind}s" in said
    assert json.loads(explain("--json").output)[0]["name"] == "DOOR_OPEN"


# -- what is told -----------------------------------------------------------------------------


def test_an_interlock() -> None:
    answer = told("CLEARANCE")
    row: Interlock = TABLE.interlocks["CLEARANCE"]
    assert (answer["kind"], answer["name"], answer["title"]) == ("interlock", "CLEARANCE", row.title)
    assert answer["trips_when"] == "clearance is below 20 mm"
    assert answer["debounce"] == "5 scans (5 ms) in a row"
    assert "20 ms" in answer["deadline"]
    assert answer["stop"].startswith("interrupt: ")
    assert "reset_operator" in answer["latch"]
    assert answer["acts_in"] == "preparatory, check, ready, irradiation, hold, interrupted"
    assert answer["DICOM_code"] == "130741: Patient clearance interlock"
    assert answer["requirements"] == {"REQ-GEOM-02": TABLE.requirements["REQ-GEOM-02"]}
    assert answer["hazards"] == {"HAZ-06": "Mechanical injury"}
    assert answer["basis_of_the_limit"] == row.basis
    assert "clearance is forced to 0 mm" in answer["proof_test"]
    assert answer["data"]["trips_when"] == {"kind": "below", "signal": "clearance", "limit": 20}


def test_an_interlock_without_a_proof_test_says_why() -> None:
    assert told("EMERGENCY_STOP")["proof_test"].startswith("not exercised: opening the loop removes power")


def test_the_scenarios_of_an_interlock() -> None:
    scenarios = told("DOOR_OPEN")["scenarios"]
    headline = str(SCENARIOS / "two_abdominal_metastases.yaml")
    assert scenarios[headline] == "first_up after door_opens"
    assert all("DOOR_OPEN" in Path(file).read_text(encoding="utf-8") for file in scenarios)


def test_a_signal() -> None:
    answer = told("water_flow")
    assert (answer["kind"], answer["values"]) == ("signal", "integer")
    assert answer["unit"] == "l/min"
    assert answer["one_count_(LSB)"] == "0.1 l/min"
    assert answer["range"] == "0 to 200 l/min"
    assert answer["safe_value"].startswith("0 l/min")
    assert answer["read_by"] == {"WATER_FLOW": "water_flow is below 8 l/min"}
    assert {"signal_stuck", "utility"} <= set(answer["faults_that_touch_it"])
    assert "node_silent" not in answer["faults_that_touch_it"]
    assert [file for file in answer["scenarios"] if file.endswith("water_flow_lost.yaml")]
    assert (
        told("gating_enabled")["read_by"]["GATE_CLOSED"] == "gate_open is false, while gating_enabled is true"
    )


def test_a_state_has_all_its_transitions_and_interlocks() -> None:
    answer = told("interrupted")
    ways = [row for row in TRANSITIONS if row.source is State.interrupted]
    assert len(answer["leads_to"]) == len(ways)
    assert answer["leads_to"][0].startswith("emergency on emergency")  # by priority
    assert any("ready on resume" in way and "nothing is latched" in way for way in answer["leads_to"])
    assert len(answer["entered_from"]) == sum(row.dest is State.interrupted for row in TRANSITIONS)
    acting = [name for name, row in TABLE.interlocks.items() if "interrupted" in row.acts_in]
    assert answer["interlocks_acting"] == acting
    assert answer["beam_permit"] == "never"
    assert told("irradiation")["beam_permit"] != "never"
    assert (told("emergency")["power"], told("ready")["power"]) == ("removed", "on")


def test_commands_requirements_hazards_expectations_faults_and_invariants() -> None:
    assert told("reset_physics")["resets"] == [n for n, r in TABLE.interlocks.items() if r.latch != "none"]
    assert told("resume")["obeyed_in"] == [
        "interrupted, leads to ready, if nothing is latched, and nothing but holds is tripped"
    ]
    assert "WATER_FLOW" in told("REQ-UTIL-01")["interlocks"]
    assert [f for f in told("REQ-UTIL-01")["scenarios"] if f.endswith("water_flow_lost.yaml")]
    assert "REQ-GEOM-02" in told("HAZ-06")["requirements"]
    assert "after" in told("beam_off")["needs"]
    assert "10 ms after door_opens" in told("permit_withdrawn")["scenarios"].values()
    leaf = told("leaf_stuck")
    assert "0 to 159" in leaf["keys"]["leaf"]
    assert leaf["changes"] == "what really happens"
    assert "never what really happens" in told("signal_gain")["changes"]
    assert "20 ms" in told("no-beam-with-door-open")["title"]


def test_another_table_and_no_scenarios(tmp_path: Path) -> None:
    text = (ROOT / "firmware_model/tables/reference_linac.yaml").read_text(encoding="utf-8")
    table = tmp_path / "t.yaml"
    table.write_text(text.replace("signal: clearance, limit: 20}", "signal: clearance, limit: 35}"))
    (tmp_path / "broken.yaml").write_text("title: x", encoding="utf-8")
    words = ["explain", "CLEARANCE", "--table", str(table), "--scenarios", str(tmp_path)]
    result = CliRunner().invoke(main, words)
    assert "clearance is below 35 mm" in result.output
    assert f"not searched, no sound scenario: {tmp_path / 'broken.yaml'}" in result.output
    assert CliRunner().invoke(main, ["explain", "x", "--table", str(tmp_path / "no")]).exit_code == 3


@pytest.mark.parametrize("name", ["", "DOOR", "DOOR_OPEN", "irradiation", "dose_primary", "signal_stuck"])
def test_it_fits_80_columns(name: str) -> None:
    said = explain(*filter(None, [name])).output
    assert said
    paths = [line for line in said.splitlines() if len(line) > 80]
    assert paths == []
