"""A board that fails ends the run as RIG_ERROR, and nothing recorded until then is lost."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from firmware_model.rig import LineFaults
from firmware_model.table_loading import load_table
from hil.board import RemoteController
from hil.boards import KINDS, Board, Kind, process
from hil.device import Device
from hil.faulty import FaultyTransport
from sim.scenario.loading import load_scenario
from sim.scenario.runner import BoardIdentity, Outcome, run_scenario
from tests.hil.carriers import QUICK, DirectTransport

SCENARIOS = Path(__file__).parents[2] / "scenarios"
SHORT = SCENARIOS / "faults" / "power_dip.yaml"
TABLE = load_table()


def outcome(faults: LineFaults) -> Outcome:
    line = FaultyTransport(DirectTransport(Device(TABLE).take), faults, 1)
    return run_scenario(
        load_scenario(SHORT), RemoteController(line, TABLE, QUICK), BoardIdentity("x", "y", "z")
    )


def test_a_board_pulled_out_in_mid_run_keeps_what_was_recorded() -> None:
    whole = outcome(LineFaults())
    assert whole.verdict == "PASS"
    cut = outcome(LineFaults(unplug_after=150))
    assert (cut.verdict, cut.exit_code) == ("RIG_ERROR", 4)
    assert cut.run["rig_error"]["error"] == "Unplugged"
    assert "after 150 frames" in cut.run["rig_error"]["detail"]
    *before, last = cut.world.trace.events_jsonl().splitlines()
    assert json.loads(last)["event"] == "rig_error"
    assert len(before) > 20
    assert (
        before
        == [
            line
            for line in whole.world.trace.events_jsonl().splitlines()
            if json.loads(line)["event"] != "invariant"
        ][: len(before)]
    )
    assert 0 < cut.run["sim_time_s"] < whole.run["sim_time_s"]


@pytest.mark.parametrize("frames", [14, 60, 100, 150])
def test_it_may_fail_anywhere(frames: int) -> None:
    assert outcome(LineFaults(unplug_after=frames)).verdict == "RIG_ERROR"


def test_an_interrupted_run_writes_all_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(table: object) -> Board:
        line = FaultyTransport(DirectTransport(Device(TABLE).take), LineFaults(unplug_after=150), 1)
        return Board("loose", "loose cable", "", RemoteController(line, TABLE, QUICK))

    monkeypatch.setattr(Kind, "start", lambda self, table: start(table))
    result = CliRunner().invoke(main, ["run", str(SHORT), "--board", "virtual", "--out", str(tmp_path)])
    assert result.exit_code == 4, result.output
    assert "RIG_ERROR" in result.output
    assert {p.name for p in tmp_path.iterdir()} == {"run.json", "events.jsonl", "trace.vcd", "report.html"}
    run = json.loads((tmp_path / "run.json").read_text())
    assert (run["verdict"], run["exit_code"], run["board"]["kind"]) == ("RIG_ERROR", 4, "loose")
    assert "RIG ERROR" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_repetitions_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(table: object) -> Board:
        line = FaultyTransport(DirectTransport(Device(TABLE).take), LineFaults(drop=0.05), 1)
        return Board("loose", "loose cable", "", RemoteController(line, TABLE, QUICK))

    monkeypatch.setattr(Kind, "start", lambda self, table: start(table))
    result = CliRunner().invoke(main, ["run", str(SHORT), "--board", "virtual", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    told = re.search(r"^(\d+) of \d+ requests had to be sent again$", result.output, re.MULTILINE)
    assert told
    assert int(told[1]) > 3


def test_a_board_that_cannot_be_started_leaves_a_run_json(tmp_path: Path) -> None:
    command = ["run", str(SHORT), "--board", "/dev/ttyNOWHERE", "--out", str(tmp_path)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 4
    assert "serial ports here" in result.output
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["verdict"] == "RIG_ERROR"
    assert run["rig_error"]["error"] == "NoSuchPort"
    assert run["reproduce"].endswith("--board /dev/ttyNOWHERE")
    whole = json.loads(json.dumps(outcome(LineFaults()).run))
    assert set(run) == set(whole) | {"rig_error"}


@pytest.mark.skipif(bool(process.missing()), reason=process.missing())
def test_a_scenario_runs_on_the_process_by_name(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["run", str(SHORT), "--board", "process", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    board = json.loads((tmp_path / "run.json").read_text())["board"]
    assert board["kind"] == "process"
    assert board["table_digest"] == TABLE.digest


def test_every_kind_says_whether_it_is_there() -> None:
    result = CliRunner().invoke(main, ["board", "list"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert all(name in result.output for name in (*KINDS, "PORT"))


def test_an_unknown_board_is_wrong_usage() -> None:
    for command in (["run", str(SHORT), "--board", "toaster"], ["board", "conformance", "toaster"]):
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 2
        assert "no board 'toaster'" in result.output
