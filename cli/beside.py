"""One file on one board, beside the model: what every way of comparing boards is made of."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from firmware_model.contract import ControllerFailed
from firmware_model.controller import ModelController
from firmware_model.stimulus import LoadedStimulus, is_stimulus, load_stimulus
from firmware_model.table import Table
from hil.board import RemoteController
from hil.boards import Board, start_board
from hil.lockstep import Differs, Lockstep, Scanned
from hil.shrink import Case, first_difference, play, recorded
from sim.clock import wall_seconds
from sim.scenario.loading import LoadedScenario, load_scenario
from sim.scenario.runner import BoardIdentity, run_scenario

Runnable = LoadedScenario | LoadedStimulus

IDENTICAL, DIFFERS, NOT_RUN = "identical", "differs", "not run"


def load_runnable(path: Path, table: Path | None = None) -> Runnable:
    """A scenario or a stimulus, told apart by content. Raises DocumentError or PlanError."""
    return load_stimulus(path, table) if is_stimulus(path) else load_scenario(path, table)


@dataclass(frozen=True, slots=True)
class FirstDifference:
    """Where board and model part."""

    tick: int  # scans since the last reset, before the one that differs
    time_s: float  # simulated; of a stimulus, which has no plant, the scans before it
    output: str
    model: str
    board: str

    def __str__(self) -> str:
        return (
            f"{self.time_s:.3f} s, tick {self.tick}: {self.output} is {self.board}, "
            f"the model has {self.model}"
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one file on one board."""

    file: str
    board: str
    outcome: str  # IDENTICAL, DIFFERS or NOT_RUN
    verdict: str  # of the scenario; of a stimulus PASS or FAIL
    difference: FirstDifference | None = None
    why: str = ""  # it was not run
    firmware: str = ""
    table: str = ""  # digest
    scans: int = 0
    stops: int = 0
    exchanges: int = 0  # 0: a board without a wire
    retries: int = 0
    wall_s: float = 0.0

    def record(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> Finding:
        found = record["difference"]
        return cls(**{**record, "difference": FirstDifference(**found) if found else None})


def compare(
    loaded: Runnable,
    board: str,
    *,
    limit_s: float | None = None,
    start: Callable[[str, Table], Board] = start_board,
) -> tuple[Finding, Case | None]:
    """Run a file on a board beside the model; with a difference also what it takes to repeat it.

    ``limit_s`` bounds the time the board may take. Raises UnknownBoard.
    """
    started, name = wall_seconds(), loaded.path.as_posix()
    pair: Lockstep | None = None
    facts: dict[str, Any] = {"file": name, "board": board, "table": loaded.table.digest}
    try:
        with start(board, loaded.table) as running:
            facts["firmware"] = running.firmware
            pair = Lockstep(running.controller, loaded.table, limit_s=limit_s)
            try:
                if isinstance(loaded, LoadedStimulus):
                    play(loaded.acts, pair)
                    facts |= {"outcome": IDENTICAL, "verdict": "PASS"}
                else:
                    facts |= _session(loaded, pair, running)
            finally:
                facts |= {"scans": pair.scans, "stops": pair.stops, **_statistics(running)}
    except Differs as problem:
        facts |= _differs(problem, _scan_s(loaded, pair))
    except ControllerFailed as problem:
        facts |= {"outcome": NOT_RUN, "verdict": "RIG_ERROR", "why": f"{type(problem).__name__}: {problem}"}
    facts["wall_s"] = round(wall_seconds() - started, 3)
    finding = Finding(**facts)
    repeat = recorded(pair) if pair is not None and pair.difference is not None else None
    return finding, repeat


def _session(loaded: LoadedScenario, pair: Lockstep, board: Board) -> dict[str, Any]:
    """A scenario: outputs at every tick, retained memory, and then the events byte for byte."""
    identity = BoardIdentity(board.kind, board.identity, board.firmware)
    outcome = run_scenario(loaded, pair, identity)
    conductor = outcome.world.conductor
    if pair.difference is not None:
        at_us = (conductor.tick + pair.difference.into) * conductor.scan_us
        return _differs(pair.difference, at_us / 1e6)
    if "rig_error" in outcome.run:
        error = outcome.run["rig_error"]
        return {"outcome": NOT_RUN, "verdict": outcome.verdict, "why": f"{error['error']}: {error['detail']}"}
    pair.compare_retained()
    alone = run_scenario(loaded, ModelController(loaded.table), identity)
    events, expected = (o.world.trace.events_jsonl().splitlines() for o in (outcome, alone))
    for number, (got, wanted) in enumerate(zip_longest(events, expected, fillvalue=""), 1):
        if got != wanted:  # the outputs are not all there is to a run, then
            found = FirstDifference(pair.tick, outcome.run["sim_time_s"], f"event {number}", wanted, got)
            return {"outcome": DIFFERS, "verdict": "FAIL", "difference": found}
    return {"outcome": IDENTICAL, "verdict": outcome.verdict}


def _differs(problem: Differs, time_s: float) -> dict[str, Any]:
    model, board = problem.values()
    found = FirstDifference(problem.tick, time_s, problem.what, model, board)
    return {"outcome": DIFFERS, "verdict": "FAIL", "difference": found}


def _scan_s(loaded: Runnable, pair: Lockstep | None) -> float:
    scans = 0 if pair is None or pair.difference is None else pair.scans + pair.difference.into
    return scans * loaded.table.scan_period / 1e6


def _statistics(board: Board) -> dict[str, int]:
    if not isinstance(board.controller, RemoteController):
        return {}
    counts = board.controller.statistics
    return {"exchanges": counts.exchanges, "retries": counts.retries}


def play_on(loaded: LoadedStimulus, board: Board) -> Differs | None:
    """A stimulus on a started board; on the model it is compared with scanning every tick."""
    reference = Scanned(loaded.table) if board.kind == "model" else None
    return first_difference(
        loaded.acts, Lockstep(board.controller, loaded.table, model=reference, thorough=True)
    )


def still_differs(board: str) -> Callable[[Case], bool]:
    """Whether a case shows a difference on a board, started anew for each."""

    def differs(case: Case) -> bool:
        with suppress(ControllerFailed), start_board(board, case.table) as running:
            return first_difference(case.acts, Lockstep(running.controller, case.table)) is not None
        return False

    return differs
