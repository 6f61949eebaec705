"""Every scenario on a board beside the model: by the command, and as tests of pytest."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import lockstep as command
from cli import lockstep_jobs
from cli.beside import DIFFERS, IDENTICAL, NOT_RUN, Finding, compare, load_runnable
from cli.lockstep_jobs import Job, Kept, carry_out, run_jobs
from cli.lockstep_page import Row, page
from cli.main import main
from firmware_model.contract import Advance, ControllerFailed, Segment
from firmware_model.controller import ModelController
from firmware_model.stimulus import load_stimulus
from firmware_model.table import Table
from firmware_model.table_loading import REFERENCE_TABLE, load_table
from hil.boards import Board, native
from hil.lockstep import Lockstep
from hil.shrink import first_difference
from sim.explain.usage import runnable_files
from sim.scenario.loading import load_scenario
from sim.scenario.runner import BoardIdentity, run_scenario

ROOT = Path(__file__).parents[2]
SCENARIO = ROOT / "scenarios" / "faults" / "water_flow_lost.yaml"
STIMULI = ROOT / "scenarios" / "differences"
needs_compiler = pytest.mark.skipif(bool(native.missing()), reason=native.missing())


def board_of(kind: str, table: Table) -> Board:
    """A board with one longer debounce than the model, though it says that its table is the same."""
    row = table.interlocks["WATER_FLOW"]
    rows = {**table.interlocks, "WATER_FLOW": row.model_copy(update={"debounce": row.debounce + 3})}
    kept = {name: getattr(table, name) for name in Table.model_fields}
    other = Table.model_construct(**kept | {"interlocks": rows})
    other.__dict__["digest"] = table.digest
    return Board(kind, "a board with another row", "", ModelController(other))


# ---- one file ------------------------------------------------------------------------------------------


def test_one_changed_row_is_seen_at_its_first_scan() -> None:
    loaded = load_scenario(SCENARIO)
    right, _ = compare(loaded, "model")
    assert (right.outcome, right.verdict) == (IDENTICAL, "PASS")
    wrong, case = compare(loaded, "model", start=board_of)
    assert wrong.outcome == DIFFERS
    assert wrong.difference is not None
    found = wrong.difference
    assert (found.output, found.model, found.board) == ("state", "interrupted", "irradiation")
    assert case is not None
    # The model trips at the same instant as when it runs alone.
    alone = run_scenario(loaded, ModelController(loaded.table), BoardIdentity("model", "", ""))
    first = next(
        e for e in alone.world.trace.events if e.kind == "trip" and e.fields["interlock"] == "WATER_FLOW"
    )
    assert found.time_s == first.t_us / 1e6


def test_a_difference_of_the_very_first_reset_is_at_time_0() -> None:
    class Lost(ModelController):
        def reset(self, cause):  # type: ignore[no-untyped-def]
            return super().reset(cause)._replace(power=True)

    finding, case = compare(
        load_runnable(SCENARIO), "model", start=lambda kind, table: Board(kind, "", "", Lost(table))
    )
    assert finding.difference is not None
    assert (finding.difference.time_s, finding.difference.output) == (0.0, "power")
    assert case is not None
    assert case.acts == ()


def test_a_board_that_fails_is_not_run_and_says_why() -> None:
    class Dead(ModelController):
        def run(self, segment: Segment) -> Advance:
            raise ControllerFailed("no more")

    finding, case = compare(
        load_runnable(SCENARIO), "model", start=lambda kind, table: Board(kind, "", "", Dead(table))
    )
    assert (finding.outcome, finding.verdict, case) == (NOT_RUN, "RIG_ERROR", None)
    assert finding.why == "ControllerFailed: no more"
    slow, _ = compare(load_runnable(SCENARIO), "model", limit_s=-1)
    assert "OutOfTime: not finished within" in slow.why


# ---- the command ---------------------------------------------------------------------------------------


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is kept stays out of the checkout."""
    for module in (command, lockstep_jobs):
        monkeypatch.setattr(module, "BUILD", tmp_path)
    return tmp_path


def lockstep(*words: str) -> Result:
    return CliRunner().invoke(main, ["board", "lockstep", *words])


@needs_compiler
def test_the_command_measures_writes_a_page_and_goes_on_where_it_was(build: Path) -> None:
    out = build / "page.md"
    words = ("native", "--scenarios", str(STIMULI), "--jobs", "1")
    some = lockstep(*words, "--sample", "2")
    assert some.exit_code == 0, some.output
    assert "[2/2] native  identical" in some.output
    rest = lockstep(*words, "--out", str(out))
    files = len(runnable_files(STIMULI))
    assert f"[{files - 2}/{files - 2}] native  identical" in rest.output  # two were kept
    assert (
        f"native: {files} files measured of {files}: {files} identical, 0 differs, 0 not run" in rest.output
    )
    text = out.read_text(encoding="utf-8")
    assert f"| files | {files} |" in text
    assert re.search(rf"\| `native` \| library interlock_\w+ \| {files} \| {files} \| 0 \| 0 \|", text)
    assert f"interlock board lockstep native --scenarios {STIMULI} --out {out}" in text
    assert "[" not in lockstep(*words).output


def test_a_difference_has_exit_code_1_a_stimulus_and_a_line_on_the_page(
    build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.beside.start_board", board_of)
    monkeypatch.setattr(compare, "__kwdefaults__", {**(compare.__kwdefaults__ or {}), "start": board_of})
    _, case = compare(load_scenario(SCENARIO), "model")
    assert case is not None
    whole = len(case.acts)
    # In this process, where the broken board is.
    monkeypatch.setattr(command, "run_jobs", lambda jobs, processes: (carry_out(job) for job in jobs))
    folder, out = build / "differences", build / "page.md"
    result = lockstep("model", "--scenarios", str(SCENARIO), "--differences", str(folder), "--out", str(out))
    assert result.exit_code == 1, result.output
    assert re.search(
        r"differs  .*water_flow_lost.yaml .*\n    [\d.]+ s, tick \d+: state is irradiation", result.output
    )
    assert "state is irradiation, the model has interrupted |" in out.read_text(encoding="utf-8")
    stimulus = load_stimulus(folder / "model_water_flow_lost.yaml")
    assert "First difference" in stimulus.purpose
    pair = Lockstep(board_of("model", stimulus.table).controller, stimulus.table)
    found = first_difference(stimulus.acts, pair)
    assert found is not None
    # However far it was made smaller in that time.
    assert len(stimulus.acts) < whole


def test_a_file_that_cannot_be_read_is_a_finding_with_exit_code_4(build: Path, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("titel: x\n", encoding="utf-8")
    result = lockstep("model", "--scenarios", str(tmp_path / "wrong.yaml"))
    assert result.exit_code == 4
    assert "not run" in result.output
    assert "unknown key 'titel'" in result.output


def test_an_unknown_board_and_an_empty_folder_are_wrong_usage(tmp_path: Path) -> None:
    assert "did you mean 'native'" in lockstep("nativ").output
    empty = lockstep("native", "--scenarios", str(tmp_path))
    assert (empty.exit_code, "no scenario files below" in empty.output) == (2, True)


def test_a_process_that_hangs_or_dies_costs_its_own_file_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockstep_jobs, "GRACE_S", 0.0)
    file = str(min(STIMULI.glob("*.yaml")))
    # A process needs longer than this to import its modules.
    hanging = Job("model", file, 0.001, "")
    monkeypatch.setattr(lockstep_jobs, "SHRINK_S", 60.0)
    fine = Job("model", file, 60.0, "")
    first, second = run_jobs([hanging, fine], 1)
    assert (first.outcome, first.verdict) == (NOT_RUN, "RIG_ERROR")
    assert "the process was ended" in first.why
    assert second.outcome == IDENTICAL


def test_what_was_cut_off_is_measured_again(tmp_path: Path) -> None:
    finding = Finding("a.yaml", "native", IDENTICAL, "PASS")
    kept = Kept(tmp_path / "kept.jsonl")
    kept.add(finding)
    with kept.path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(finding.record())[:30])
    assert Kept(kept.path).findings == {("native", "a.yaml"): finding}
    again = Kept(kept.path)
    again.add(Finding("b.yaml", "native", NOT_RUN, "RIG_ERROR", why="x"))
    assert len(Kept(kept.path).findings) == 2
    assert [Kept(kept.path).lacks("native", name) for name in ("a.yaml", "b.yaml", "c.yaml")] == [
        False,
        True,
        True,
    ]


def test_ctrl_c_keeps_what_was_found(tmp_path: Path) -> None:
    """The real command, in a process of its own, interrupted after its first finding."""
    script = (
        "import sys; from pathlib import Path; from cli import lockstep; from cli.main import main\n"
        f"lockstep.BUILD = Path({str(tmp_path)!r})\n"
        "main(['board', 'lockstep', 'model', '--jobs', '1', *sys.argv[1:]])"
    )
    program = [sys.executable, "-c", script, "--scenarios", str(ROOT / "scenarios" / "latching")]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert "identical" in first
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "the same command goes on from here" in errors
    (kept,) = tmp_path.glob("*.jsonl")
    assert 1 <= len(Kept(kept).findings) < len(runnable_files(ROOT / "scenarios" / "latching"))


# ---- the page ------------------------------------------------------------------------------------------


def stale(text: str, files: int, digest: str) -> list[str]:
    """What the page says of files and table, and is no longer so."""
    return [
        f"{name}: {found} on the page, {wanted} here"
        for name, pattern, wanted in (
            ("files", r"^\| files \| (\d+) \|$", str(files)),
            ("table", r"digest `(\w+)`", digest),
        )
        if (found := "".join(re.findall(pattern, text, re.MULTILINE))) != wanted
    ]


def test_the_page_is_of_these_files_and_this_table() -> None:
    """Make it anew with the command it names."""
    text = (ROOT / "docs" / "lockstep.md").read_text(encoding="utf-8")
    files, digest = len(runnable_files(ROOT / "scenarios")), load_table(REFERENCE_TABLE).digest
    assert stale(text, files, digest) == []
    assert len(stale(text, files + 1, digest[::-1])) == 2


def test_the_page_says_what_was_not_measured() -> None:
    found = Finding(
        "a|b.yaml", "native", NOT_RUN, "RIG_ERROR", why="Refused: too\nmany", exchanges=3, retries=1
    )
    rows = [Row("native", [found]), Row("process", [], "no compiler"), Row("COM5", [])]
    text = page(rows, 2, load_table(), "scenarios", "the command")
    assert "| `native` | unknown | 1 of 2 | 0 | 0 | 1 | 0 | 3 | 1 | 0 |" in text
    assert "| `process` | no compiler | | | | | | | | |" in text
    assert "| `COM5` | not measured |" in text
    assert "| not run | Refused: too many |" in text


# ---- pytest scenarios/ -----------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The root as pytest sees it, with two files."""
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("plans", "machines", "recordings"):
        if (ROOT / "scenarios" / name).exists():
            shutil.copytree(ROOT / "scenarios" / name, tmp_path / "scenarios" / name)
    (tmp_path / "scenarios" / "some").mkdir(parents=True)
    shutil.copy(SCENARIO, tmp_path / "scenarios" / "some")
    shutil.copy(STIMULI / "local_latch.yaml", tmp_path / "scenarios" / "some")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "data.yaml").write_text("a: 1\n", encoding="utf-8")
    return tmp_path


def run_pytest(folder: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
    )
    return done.returncode, done.stdout + done.stderr


@needs_compiler
def test_scenario_files_are_tests_on_any_board(checkout: Path) -> None:
    code, output = run_pytest(checkout, "-v", "-p", "no:xdist", "--board", "native")
    assert (code, "2 passed" in output) == (0, True), output
    assert "scenarios/some/water_flow_lost.yaml::native PASSED" in output
    assert "scenarios/some/local_latch.yaml::native PASSED" in output
    code, output = run_pytest(checkout, "-q", "-n", "2", "scenarios/some")
    assert (code, "2 passed" in output) == (0, True), output


def test_a_scenario_that_fails_says_what_and_how_to_repeat_it(checkout: Path) -> None:
    file = checkout / "scenarios" / "some" / "water_flow_lost.yaml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("beam_off: 122 ms", "beam_off: 1 ms"), encoding="utf-8"
    )
    (checkout / "scenarios" / "wrong.yaml").write_text("titel: x\n", encoding="utf-8")
    code, output = run_pytest(checkout, "-q", "-p", "no:xdist", "scenarios")
    assert code == 1
    assert "2 failed, 1 passed" in output
    assert "fail: beam off within 1 ms after fault, measured 1" in output
    assert "Reproduce: interlock run scenarios/some/water_flow_lost.yaml --board model" in output
    assert "wrong.yaml:1:1: unknown key 'titel'" in output
    assert "Traceback" not in output


def test_a_board_that_is_not_the_model_fails_with_the_first_difference(checkout: Path) -> None:
    with (checkout / "conftest.py").open("a", encoding="utf-8") as stream:
        stream.write(
            "\n\nfrom firmware_model.controller import ModelController\nfrom hil.boards import Board\n"
            "def other(kind, table):\n"
            "    return Board(kind, '', '', ModelController(table.without('WATER_FLOW')))\n"
            "compare.__kwdefaults__['start'] = other\n"
        )
    file = "scenarios/some/water_flow_lost.yaml"
    code, output = run_pytest(checkout, "-q", "-p", "no:xdist", "--board", "native", file)
    assert (code, "1 failed" in output) == (1, True), output
    assert f"{file}: native is not the model" in output
    assert re.search(r"^[\d.]+ s, tick \d+: \w+.* is .*, the model has ", output, re.MULTILINE), output


def test_boards_that_do_not_exist_or_take_one_run_at_a_time(checkout: Path) -> None:
    code, output = run_pytest(checkout, "--board", "nativ")
    assert (code, "did you mean 'native'" in output) == (4, True), output
    code, output = run_pytest(checkout, "--board", "COM5", "-n", "2")
    assert (code, "a port takes one run at a time" in output) == (4, True), output
    code, output = run_pytest(
        checkout, "-q", "-p", "no:xdist", "--board", "socket://127.0.0.1:1", "scenarios/some"
    )
    assert "not run on socket://127.0.0.1:1" in output
    assert "start the board first" in output
