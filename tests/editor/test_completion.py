"""What an editor offers while a file is being written."""

from __future__ import annotations

import pytest

from firmware_model.states import State
from firmware_model.table import DICOM_INTERLOCK_CODES, Interlock
from firmware_model.table_loading import load_table
from sim.plan.yaml_model import PlanDocument
from sim.scenario.schema import At, Expectation, Scenario, Step
from tests.editor.language_server import LanguageServer
from tests.test_docs import fault_keys

HEAD = "title: abc\npurpose: abc\nplan: x.yaml\n"
STEP = HEAD + "timeline:\n  - id: a\n    at: {time: 1 s}\n"
AT = HEAD + "timeline:\n  - id: a\n    at:\n"
ROW = "interlocks:\n  DOOR_OPEN:\n"
BEAM = "id: a\ntargets:\n  - id: x\n    beams:\n      - name: a\n"


def keys(model: type) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}  # type: ignore[attr-defined]


def unquoted(labels: dict[str, object]) -> set[str]:
    return {label.strip('"') for label in labels}


@pytest.mark.parametrize(
    ("text", "kind", "wanted"),
    [
        ("title: abc\n|\n", "scenario", keys(Scenario) - {"title"}),
        ("id: abc\n|\n", "plan", keys(PlanDocument) - {"id"}),
        (STEP + "    |\n", "scenario", keys(Step) - {"id", "at"}),
        (AT + "      |\n", "scenario", keys(At)),
        (HEAD + "expect:\n  - |\n", "scenario", keys(Expectation)),
        (HEAD + "expect:\n  - {|}\n", "scenario", keys(Expectation)),
        (ROW + "    |\n", "table", keys(Interlock)),
        (BEAM + "        |\n", "plan", {"energy", "arc", "static", "step_and_shoot", "dynamic_mlc"}),
    ],
)
def test_keys_are_offered(server: LanguageServer, text: str, kind: str, wanted: set[str]) -> None:
    offered = server.complete(text, kind)
    assert wanted - set(offered) == set()
    assert all(offered[key].get("documentation") for key in wanted)


def test_keys_already_written_are_not_offered(server: LanguageServer) -> None:
    assert not {"title", "purpose", "plan"} & set(server.complete(HEAD + "|\n", "scenario"))


@pytest.mark.parametrize("text", [STEP + "    fault: {kind: |}\n", STEP + "    fault:\n      kind: |\n"])
def test_every_kind_of_fault_is_offered_with_its_meaning(server: LanguageServer, text: str) -> None:
    offered = server.complete(text, "scenario")
    assert set(offered) == set(fault_keys())
    assert all(item["documentation"] for item in offered.values())


@pytest.mark.parametrize(("kind", "own"), fault_keys().items(), ids=lambda value: value)
def test_a_kind_of_fault_offers_its_own_keys(server: LanguageServer, kind: str, own: set[str]) -> None:
    offered = set(server.complete(STEP + f"    fault:\n      kind: {kind}\n      |\n", "scenario"))
    everything = set().union(*fault_keys().values())
    assert offered & everything == own


@pytest.mark.parametrize(
    ("text", "kind", "wanted"),
    [
        (AT + "      state: |\n", "scenario", {state.name for state in State}),
        (HEAD + "expect:\n  - {final_state: |}\n", "scenario", {state.name for state in State}),
        (STEP + "    room: |\n", "scenario", {"open_door", "close_door"}),
        (STEP + "    fault: {kind: signal_stuck, signal: |}\n", "scenario", set(load_table().signals)),
        (HEAD + "expect:\n  - {trips: |}\n", "scenario", set(load_table().interlocks)),
        (HEAD + "requirements: [|]\n", "scenario", set(load_table().requirements)),
        (HEAD + "time_limit: |\n", "scenario", {"3 h"}),
        (ROW + "    trips_when: {kind: |}\n", "table", {"is_false", "above", "rate"}),
        (ROW + "    trips_when: {kind: above, l|}\n", "table", {"limit"}),
        (ROW + "    stop: |\n", "table", {"complete", "hold", "interrupt", "terminate", "emergency"}),
        (ROW + "    dicom_code: |\n", "table", set(DICOM_INTERLOCK_CODES)),
        (BEAM + "        arc: {direction: |}\n", "plan", {"cw", "ccw"}),
    ],
)
def test_values_are_offered(server: LanguageServer, text: str, kind: str, wanted: set[str]) -> None:
    assert wanted - unquoted(server.complete(text, kind)) == set()  # type: ignore[arg-type]


def test_a_condition_of_a_table_offers_its_own_keys(server: LanguageServer) -> None:
    offered = set(server.complete(ROW + "    trips_when:\n      kind: outside\n      |\n", "table"))
    assert {"signal", "low", "high"} <= offered
    assert not {"limit", "preset", "window"} & offered


def test_a_key_explains_itself(server: LanguageServer) -> None:
    shown = server.hover(HEAD + "time_li|mit: 3 h\n", "scenario")
    assert "simulated time at which the run ends" in shown
    assert "at least 1 s, at most 24 h" in shown
    assert "default 3 h" in shown
    assert "10 ms" in shown  # an example
