"""Many files on many boards, each in a process of its own; what is found is kept as it comes in.

A process that hangs is ended and replaced, so one bad board costs its own time limit and nothing else. What
was found is kept below ``build/lockstep``, under a fingerprint of everything that could change it, and is
not measured again.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing as mp
import signal
import sys
from collections.abc import Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from cli.beside import NOT_RUN, Finding, compare, load_runnable, still_differs
from firmware_model.diagnostics import DocumentError
from firmware_model.stimulus import written
from hil.shrink import shrink
from hil.transport import looks_like_port
from sim.clock import wall_seconds
from sim.plan.course import PlanError

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "lockstep"
PACKAGES = ("firmware_model", "sim", "hil", "cli")
#: Firmware is built and a board started before its own time runs; afterwards a difference is made smaller.
GRACE_S = 300.0
SHRINK_S = 60.0
END_S = 10.0


def fingerprint(folders: Iterable[Path]) -> str:
    """Of all sources and all files that a measurement depends on."""
    found = [file for name in PACKAGES for file in (ROOT / name).rglob("*") if file.suffix != ".pyc"]
    found += [file for folder in folders for file in (folder.rglob("*") if folder.is_dir() else [folder])]
    key = hashlib.sha256()
    for file in sorted(file for file in found if file.is_file()):
        key.update(file.as_posix().encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return key.hexdigest()[:16]


class Kept:
    """Findings on disk, a line each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.findings: dict[tuple[str, str], Finding] = {}
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        whole = text[: text.rfind("\n") + 1]
        if whole != text:  # a line was cut off when a program was killed
            path.write_text(whole, encoding="utf-8")
        for line in whole.splitlines():
            self._take(Finding.of_record(json.loads(line)))

    def _take(self, finding: Finding) -> None:
        self.findings[finding.board, finding.file] = finding

    def lacks(self, board: str, file: str) -> bool:
        """Whether it is still to be measured; what could not be run is tried again."""
        found = self.findings.get((board, file))
        return found is None or found.outcome == NOT_RUN

    def add(self, finding: Finding) -> None:
        """Keep it, on disk as well."""
        self._take(finding)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(finding.record()) + "\n")


@dataclass(frozen=True, slots=True)
class Job:
    """One file on one board."""

    board: str
    file: str
    limit_s: float
    differences: str  # folder for stimuli, "": none are written


def carry_out(job: Job) -> Finding:
    """In this process. What cannot even be read is a finding too."""
    try:
        loaded = load_runnable(Path(job.file))
    except (DocumentError, PlanError) as problem:
        return Finding(job.file, job.board, NOT_RUN, "INVALID", why=str(problem))
    finding, case = compare(loaded, job.board, limit_s=job.limit_s)
    if case is not None and job.differences:
        deadline, differs = wall_seconds() + SHRINK_S, still_differs(job.board)

        def in_time(smaller: Any) -> bool:
            if wall_seconds() > deadline:
                raise StopIteration
            return differs(smaller)

        with suppress(ValueError, StopIteration):
            # Otherwise all of it is kept: started anew it does not differ, or one try takes too long.
            case = shrink(case, in_time)
        purpose = f"First difference in {job.file} on {job.board}: {finding.difference}"
        target = Path(job.differences) / f"{_plain(job.board)}_{loaded.path.stem}.yaml"
        target.parent.mkdir(parents=True, exist_ok=True)
        text = written(f"{loaded.path.stem} on {job.board}", purpose, case.table, case.acts)
        target.write_text(text, encoding="utf-8", newline="\n")
    return finding


def _plain(board: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in board)


def _work(wire: Connection) -> None:
    """A process: one job after the other until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who started it ends it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # which closes the board
    while True:
        try:
            job = wire.recv()
        except EOFError:
            return
        wire.send(carry_out(job))


@dataclass
class _Worker:
    """A process, what it works on, and until when."""

    process: Any
    wire: Connection
    job: Job | None = None
    deadline: float = field(default=0.0)

    @classmethod
    def started(cls) -> _Worker:
        context = mp.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=_work, args=(there,), daemon=True)
        process.start()
        there.close()
        return cls(process, here)

    def give(self, job: Job) -> None:
        self.job = job
        self.deadline = wall_seconds() + job.limit_s + GRACE_S + (SHRINK_S if job.differences else 0)
        self.wire.send(job)

    def end(self) -> None:
        self.wire.close()
        self.process.terminate()
        self.process.join(END_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def run_jobs(jobs: Iterable[Job], processes: int) -> Generator[Finding, None, None]:
    """Findings in the order in which they come in. A port is used by one process at a time."""
    waiting = list(jobs)
    workers = [_Worker.started() for _ in range(min(processes, len(waiting)))]
    try:
        while waiting or any(worker.job for worker in workers):
            for worker in workers:
                if worker.job is None and (job := _next(waiting, workers)) is not None:
                    worker.give(job)
            busy = [worker for worker in workers if worker.job]
            first = min(worker.deadline for worker in busy)
            ready = wait([worker.wire for worker in busy], max(0.0, first - wall_seconds()))
            for worker in busy:
                if worker.wire in ready or wall_seconds() >= worker.deadline:
                    assert worker.job is not None
                    finding = _answer(worker, worker.wire in ready)
                    if finding.verdict == "":  # the process is gone
                        workers[workers.index(worker)] = _Worker.started()
                        worker.end()
                    worker.job = None
                    yield replace(finding, verdict=finding.verdict or "RIG_ERROR")
    finally:
        for worker in workers:
            worker.end()


def _next(waiting: list[Job], workers: list[_Worker]) -> Job | None:
    taken = {w.job.board for w in workers if w.job and looks_like_port(w.job.board)}
    for place, job in enumerate(waiting):
        if job.board not in taken:
            return waiting.pop(place)
    return None


def _answer(worker: _Worker, ready: bool) -> Finding:
    """What a process found; a finding without a verdict: the process has to be replaced."""
    job = worker.job
    assert job is not None
    try:
        if ready:
            finding: Finding = worker.wire.recv()
            return finding
        why = f"no result within {job.limit_s + GRACE_S:g} s; the process was ended"
    except (EOFError, OSError):
        why = "its process ended by itself; run the file with `interlock run` to see why"
    return Finding(job.file, job.board, NOT_RUN, "", why=why)
