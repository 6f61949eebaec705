"""The headline is what it claims to be, and files that make no sense are refused.

That every file passes is a test of its own each: see conftest.py in the root.
"""

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Decimal
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.check import scenario_files
from cli.main import main
from firmware_model.controller import ModelController
from firmware_model.diagnostics import DocumentError
from firmware_model.table_loading import REFERENCE_TABLE
from sim.scenario.loading import LoadedScenario, load_scenario
from sim.scenario.runner import BoardIdentity, Outcome, run_scenario

ROOT = Path(__file__).parents[2] / "scenarios"
HEADLINE = ROOT / "two_abdominal_metastases.yaml"
FILES = scenario_files(ROOT)
needs_pymedphys = pytest.mark.skipif(
    find_spec("pymedphys") is None, reason="pymedphys (its bundled plans) does not support this Python"
)


def run(loaded: LoadedScenario, seed: int | None = None) -> Outcome:
    controller = ModelController(loaded.table)
    return run_scenario(loaded, controller, BoardIdentity("model", "test", ""), seed=seed)


def test_there_are_at_least_fifteen_scenarios() -> None:
    assert len(FILES) >= 15


def test_the_headline_stops_the_beam_with_margin_and_resumes_correctly() -> None:
    outcome = run(load_scenario(HEADLINE))
    beam_off = outcome.run["expectations"][0]
    assert beam_off["margin"] > 0
    # A scan of at most 1 ms and the off latency of 1.45 ms of the reference machine.
    assert 1.45 <= beam_off["measured"] <= 2.45
    assert outcome.run["interlocks"][0]["id"] == "DOOR_OPEN"
    assert [t["delivered_mu"] for t in outcome.run["targets"]] == [2160.0, 2160.0]


def test_without_the_door_interlock_the_headline_fails_on_the_invariant() -> None:
    loaded = load_scenario(HEADLINE)
    outcome = run(loaded.with_table(loaded.table.without("DOOR_OPEN")))
    assert outcome.verdict == "FAIL"
    assert [i["id"] for i in outcome.run["invariants"] if i["status"] == "violated"] == [
        "no-beam-with-door-open"
    ]


def test_the_command_leaves_all_records_and_exit_codes(tmp_path: Path) -> None:
    runner = CliRunner()
    passed = runner.invoke(main, ["run", str(HEADLINE), "--out", str(tmp_path / "pass")])
    assert passed.exit_code == 0, passed.output
    assert "report" in passed.output
    assert {p.name for p in (tmp_path / "pass").iterdir()} == {
        "run.json", "events.jsonl", "trace.vcd", "report.html",
    }  # fmt: skip
    record = json.loads((tmp_path / "pass" / "run.json").read_text())
    assert {
        "schema_version", "verdict", "scenario", "board", "seed", "sim_time_s", "wall_time_s", "expectations",
        "invariants", "measurements", "interlocks", "targets", "final_state",
    } <= set(record)  # fmt: skip
    assert not any("gy" in key for target in record["targets"] for key in target)
    failed = runner.invoke(
        main, ["run", str(HEADLINE), "--without", "DOOR_OPEN", "--out", str(tmp_path / "fail")]
    )
    assert failed.exit_code == 1
    assert "no-beam-with-door-open" in failed.output
    assert "Reproduce: interlock run" in failed.output
    assert runner.invoke(main, ["run", str(HEADLINE), "--board", "modle"]).exit_code == 2


def test_the_same_seed_writes_the_same_bytes_and_another_seed_does_not() -> None:
    loaded = load_scenario(HEADLINE)
    first, again, other = (run(loaded, seed).world.trace.events_jsonl() for seed in (1, 1, 2))
    assert first == again != other


@needs_pymedphys
def test_a_dicom_plan_is_delivered_with_exactly_its_metersets() -> None:
    """Oracle: bare pydicom, PS3.3 C.8.8.14.1 with half-up rounding, independent of the importer."""
    import pydicom

    from sim.scenario.loading import PACKAGE

    loaded = load_scenario(ROOT / "nominal" / "dicom_arc.yaml")
    outcome = run(loaded)
    package, _, inside = loaded.scenario.plan.removeprefix(PACKAGE).partition("/")
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    plan = pydicom.dcmread(Path(spec.origin).parent / inside, force=True)
    metersets = {
        int(r.ReferencedBeamNumber): Decimal(str(r.BeamMeterset))
        for r in plan.FractionGroupSequence[0].ReferencedBeamSequence
    }
    beams = {b["number"]: b for t in outcome.run["targets"] for b in t["beams"]}
    assert set(beams) == set(metersets)
    for beam in plan.BeamSequence:
        final = Decimal(str(beam.FinalCumulativeMetersetWeight))
        expected = []
        for point in beam.ControlPointSequence:
            share = metersets[int(beam.BeamNumber)] * Decimal(str(point.CumulativeMetersetWeight)) / final
            expected.append(float(share.quantize(Decimal("0.001"), ROUND_HALF_UP)))
        delivered = beams[int(beam.BeamNumber)]
        assert [p["delivered_mu"] for p in delivered["control_points"]] == expected
        assert delivered["delivered_mu"] == expected[-1]


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "scenario.yaml"
    plan = ROOT / "plans" / "single_lung_metastasis.yaml"
    file.write_text(f"title: test\npurpose: a test\nplan: {plan}\n{text}")
    return file


NEVER = """timeline:
  - {id: never, at: {meterset: 5000 MU}, room: open_door}
expect:
  - {beam_off: 10 ms, after: never}
"""


def test_an_expectation_whose_step_never_happened_is_not_evaluated_and_does_not_pass(tmp_path: Path) -> None:
    outcome = run(load_scenario(write(tmp_path, NEVER)))
    assert outcome.run["expectations"][0]["status"] == "not_evaluated"
    assert outcome.verdict == "FAIL"


def test_a_session_cut_by_the_time_limit_does_not_pass(tmp_path: Path) -> None:
    outcome = run(load_scenario(write(tmp_path, "time_limit: 60 s\nexpect: [{never_trips: TIMER}]\n")))
    assert outcome.run["expectations"][0]["status"] == "pass"
    assert outcome.verdict == "FAIL"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("expct: []\n", ":4:1:", "expct"),
        ("expect: [{never_trips: DOR_OPEN}]\n", ":4:", "DOOR_OPEN"),
        ("expect: [{delivered: lunk}]\n", ":4:", "lung"),
        ("targets: [lunk]\nexpect: [{final_state: standby}]\n", ":4:", "lung"),
        ("fraction: 9\nexpect: [{final_state: standby}]\n", ":4:", "fraction 9"),
        ("expect: [{beam_off: 10, after: x}]\n", ":4:", "unit"),
        (NEVER.replace("never}", "nevr}"), ":7:", "never"),
        (NEVER.replace("5000 MU", "5000 MU, time: 3 s"), ":5:", "exactly one"),
        (
            "timeline:\n  - {id: a, at: {after: b}, room: open_door}\n"
            "  - {id: b, at: {after: a}, room: open_door}\n"
            "expect: [{final_state: standby}]\n",
            ":5:",
            "waits for itself",
        ),
    ],
)
def test_a_mistake_is_reported_with_its_place_and_exit_code_3(
    tmp_path: Path, text: str, place: str, words: str
) -> None:
    file = write(tmp_path, text)
    with pytest.raises(DocumentError) as raised:
        load_scenario(file)
    assert f"{file}{place}" in str(raised.value)
    assert words in str(raised.value)
    assert CliRunner().invoke(main, ["run", str(file)]).exit_code == 3
    assert CliRunner().invoke(main, ["check", str(file)]).exit_code == 3


def test_a_table_that_would_misread_the_plant_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "table.yaml"
    text = REFERENCE_TABLE.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("  jaw_error:"))
    table.write_text(text.replace(line, line.replace("lsb: 0.01", "lsb: 0.1")), encoding="utf-8")
    with pytest.raises(DocumentError, match=r"jaw_error.* steps of 0\.1 mm; the plant .* steps of 0\.01 mm"):
        load_scenario(HEADLINE, table)


def test_check_finds_every_scenario_sound() -> None:
    files = [str(file) for file in FILES if "package:pymedphys" not in file.read_text()]
    result = CliRunner().invoke(main, ["check", *files])
    assert result.exit_code == 0, result.output
    assert f"{len(files)} files checked, 0 with problems" in result.output


def test_the_json_schema_names_every_key() -> None:
    result = CliRunner().invoke(main, ["schema"])
    schema = json.loads(result.output)
    assert {"title", "purpose", "plan", "timeline", "expect", "seed"} <= set(schema["properties"])
    assert schema["additionalProperties"] is False
