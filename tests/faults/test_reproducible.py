"""Random faults depend on the seed and the name of their step, and on nothing that ran before."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sim.scenario.schema import Step
from tests.faults.line_bench import Bench, Change, step
from tests.sim.short_session import arc, run

TIME = {"time": "10 s"}
RANDOM: dict[str, dict[str, Any]] = {
    "signal_noise": {"signal": "water_flow", "sigma": 0.5, "period": "100 ms"},
    "signal_intermittent": {"signal": "viewing_link", "every": "5 s", "lost_for": "20 ms"},
    "arcing": {"every": "10 s", "outage": "30 ms"},
}


def steps() -> list[Step]:
    """All random faults, each of which sets in three times."""
    again = {"every": "500 s", "times": 3}
    return [
        step(id=kind, at=TIME, fault={"kind": kind, **keys}, lasts="400 s", repeat=again)
        for kind, keys in RANDOM.items()
    ]


def bytes_of(timeline: list[Step], seed: int = 1) -> str:
    """Everything that happened and every sample of what the faults touch."""
    trace = run(timeline, (arc(),), seed=seed).world.trace
    touched = ("water_flow", "viewing_link", "vacuum_current", "dose_rate")
    return trace.events_jsonl() + repr([trace.channels[name].samples for name in touched])


def digest_of(timeline: list[Step], seed: int) -> str:
    return hashlib.sha256(bytes_of(timeline, seed).encode()).hexdigest()


@pytest.mark.parametrize("kind", RANDOM)
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(kind: str) -> None:
    timeline = [step(id=kind, at=TIME, fault={"kind": kind, **RANDOM[kind]})]
    first = bytes_of(timeline, seed=3)
    assert first == bytes_of(timeline, seed=3), "the fault remembers the run before"
    assert first != bytes_of(timeline, seed=4)


def test_a_fault_used_before_gives_the_same_as_in_a_fresh_process() -> None:
    timeline = steps()
    bytes_of(timeline, seed=9)
    program = "from tests.faults.test_reproducible import *; print(digest_of(steps(), 2))"
    fresh = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert digest_of(timeline, 2) == fresh.stdout.strip()


def noise(*names: str, seed: str = "s") -> list[int]:
    """The line under noise of one count sigma from each of these steps."""
    fault = {"kind": "signal_noise", "signal": "level", "sigma": 0.5, "period": "10 ms"}
    made = [step(id=name, at={"time": "1 ms"}, fault=fault) for name in names]
    bench = Bench([Change(0, "level", 0)], made, seed=seed)
    return [told["level"] for _, told in bench.scans(500_000)]


def test_two_noisy_faults_draw_their_own_noise() -> None:
    one, other, both = noise("one"), noise("other"), noise("one", "other")
    assert one != other
    assert [a + b for a, b in zip(one, other, strict=True)] == both
