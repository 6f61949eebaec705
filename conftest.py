"""Scenario files as tests: ``pytest scenarios/ --board native``.

Every scenario and every stimulus named on the command line, or found below a folder ``scenarios``, is one
test. On the model it has to pass; on any other board it must also do, at every tick, what the model does.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from cli.beside import IDENTICAL, NOT_RUN, Runnable, compare, load_runnable, play_on
from firmware_model.contract import Controller
from firmware_model.diagnostics import DocumentError, did_you_mean
from firmware_model.stimulus import LoadedStimulus
from hil.boards import KINDS, start_board
from hil.transport import looks_like_port
from sim.explain.usage import OTHER_DOCUMENTS
from sim.plan.course import PlanError
from sim.scenario.runner import BoardIdentity, run_scenario

MODEL = "model"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--board", default=MODEL, help="scenario files: kind of board or port (default: model)")


def pytest_configure(config: pytest.Config) -> None:
    board = config.getoption("--board")
    if board not in KINDS and not looks_like_port(board):
        raise pytest.UsageError(f"--board: no board {board!r}; {did_you_mean(board, KINDS)}, or a port")
    if looks_like_port(board) and getattr(config.option, "numprocesses", None):
        raise pytest.UsageError(f"--board {board}: a port takes one run at a time, so leave -n out")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix not in (".yaml", ".yml"):
        return None
    folders = file_path.parent.relative_to(parent.config.rootpath).parts if _inside(file_path, parent) else ()
    below = "scenarios" in folders and not set(OTHER_DOCUMENTS) & set(folders)
    if below or parent.session.isinitpath(file_path):
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


def _inside(path: Path, parent: pytest.Collector) -> bool:
    return path.is_relative_to(parent.config.rootpath)


class ScenarioFile(pytest.File):
    def collect(self) -> list[ScenarioItem]:
        return [ScenarioItem.from_parent(self, name=self.config.getoption("--board"))]


class Failed(Exception):
    """A scenario did not pass or not as on the model; the text says all there is to say."""


class ScenarioItem(pytest.Item):
    """One file on one board."""

    def runtest(self) -> None:
        package = re.search(r"^plan: package:(\w+)", self.path.read_text(encoding="utf-8"), re.MULTILINE)
        if package and find_spec(package[1]) is None:
            pytest.skip(f"{package[1]} (its bundled plans) is not installed on this Python")
        loaded = load_runnable(self.path)
        problem = self._on_model(loaded) if self.name == MODEL else self._beside_model(loaded)
        if problem:
            raise Failed(problem)

    def _on_model(self, loaded: Runnable) -> str:
        with start_board(MODEL, loaded.table) as board:
            if isinstance(loaded, LoadedStimulus):
                difference = play_on(loaded, board)
                return f"segments and single scans differ\n{difference}" if difference else ""
            return _judged(loaded, board.controller)

    def _beside_model(self, loaded: Runnable) -> str:
        finding, _ = compare(loaded, self.name)
        if finding.outcome == NOT_RUN:
            return f"not run on {self.name}\n{finding.why}"
        if finding.outcome != IDENTICAL:
            return f"{self.name} is not the model\n{finding.difference}"
        return (
            ""
            if finding.verdict == "PASS"
            else f"{finding.verdict}, and so it is on the model: leave --board out"
        )

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        if isinstance(excinfo.value, Failed | DocumentError | PlanError):
            command = f"interlock run {self._shown()} --board {self.name}"
            return f"{self._shown()}: {excinfo.value}\nReproduce: {command}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"{self._shown()} on {self.name}"

    def _shown(self) -> str:
        root = self.config.rootpath
        return (self.path.relative_to(root) if self.path.is_relative_to(root) else self.path).as_posix()


def _judged(loaded: Any, controller: Controller) -> str:
    """What did not pass, a line each."""
    outcome = run_scenario(loaded, controller, BoardIdentity(MODEL, "pytest", ""))
    if outcome.verdict == "PASS":
        return ""
    missed = [e for e in outcome.run["expectations"] if e["status"] != "pass"]
    broken = [i for i in outcome.run["invariants"] if i["status"] == "violated"]
    lines = [f"  {e['status']}: {e['text']}, measured {e.get('measured')}" for e in missed]
    lines += [f"  violated: {i['id']}, {i['detail']}" for i in broken]
    return "\n".join([outcome.verdict, *(lines or ["  the time limit was reached"])])
