"""Writers killed at any moment: what they were told is written is there, once, and nothing is there twice."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from sim.ledger.store import Ledger
from sim.ledger.view import LedgerView
from tests.ledger.small_ledger import COURSE, METERSETS

ROOT = Path(__file__).parents[2]
#: ``INTERLOCK_KILLS=500`` kills more often.
KILLS = int(os.environ.get("INTERLOCK_KILLS", "24"))
PATIENCE_S = 60.0


def killed_after(path: Path, seed: int, lines: int, then_s: float) -> tuple[list[list[str]], bool]:
    """Run a writer, kill it ``then_s`` after it has said so many lines; what it said, and whether it had
    come to its end."""
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.ledger.writer", str(path), str(seed)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert writer.stdout is not None
    said = []
    try:
        for line in writer.stdout:
            said.append(line.split())
            if len(said) == lines:
                # Not a wait for anything: where in its work the writer dies is to differ.
                time.sleep(then_s)
                break
    finally:
        writer.kill()
        rest = writer.stdout.read()
        writer.wait(PATIENCE_S)
        writer.stdout.close()
    # What it had said before it died may still be on its way; half a line is not said.
    said += [line.split() for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    return said, ["done"] in said


@pytest.mark.timeout(60 + 5 * KILLS)
def test_killed_writers_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    path, dice = tmp_path / "ledger.sqlite", Random(7)
    said: list[list[str]] = []
    died = Counter[str]()
    for kill in range(KILLS):
        lines, done = killed_after(path, kill, dice.randint(1, 12), dice.uniform(0, 0.003))
        said += lines
        died[lines[-1][0] if lines else "nothing"] += 1
        check_kept(path, said)
        if done:
            path.unlink()
            said = []
    assert len(died) >= 3, died  # it died at different places

    done = False
    while not done:
        lines, done = killed_after(path, 999, -1, 0)
        said += lines
    check_kept(path, said)
    with LedgerView.read(path) as ledger:
        for target in COURSE.targets:
            for fraction in range(1, target.fractions + 1):
                assert ledger.reached(target.id, fraction) == {b.number: METERSETS[-1] for b in target.beams}


def check_kept(path: Path, said: list[list[str]]) -> None:
    with Ledger(path, COURSE) as ledger:
        kept = {k.number: k for k in ledger.deliveries()}
        for words in said:
            match words[0]:
                case "begin":
                    assert kept[int(words[1])].start == int(words[2])
                case "passed":
                    assert (int(words[2]), int(words[3])) in kept[int(words[1])].passed
                case "end":
                    assert kept[int(words[1])].finish == int(words[2])
                case "session":
                    assert int(words[1]) in [session.number for session in ledger.sessions()]
        beams = {(k.target, k.fraction, k.beam) for k in kept.values()}
        for beam in beams:
            stretches = sorted(
                (k.start, k.reached) for k in kept.values() if (k.target, k.fraction, k.beam) == beam
            )
            for (_, end), (start, _) in pairwise(stretches):
                assert end <= start, (beam, stretches)
        assert len(ledger.unfinished()) <= 1
