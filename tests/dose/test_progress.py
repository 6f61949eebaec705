"""Dose over a session: it ends where the session's dose is, never falls, and stands while the beam is off."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sim.dose.progress import Progress, progress
from sim.scenario.runner import Outcome
from tests.sim import short_session
from tests.sim.short_session import arc, step

DOOR = step(id="door", at={"meterset": "40 MU", "beam": 1}, room="open_door")


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return short_session.run([DOOR], (arc(),))


@pytest.fixture(scope="module")
def lines(outcome: Outcome) -> Progress:
    return progress(outcome.world.course, outcome.world.trace)


def test_the_last_values_are_the_doses_of_the_session(outcome: Outcome, lines: Progress) -> None:
    centres = [entry for entry in outcome.run["dose"]["points"] if entry["kind"] == "centre"]
    assert centres
    for entry in centres:
        assert lines.own[entry["of"]][-1] == pytest.approx(entry["own_gy"], abs=1e-4)
        assert lines.cross[entry["of"]][-1] == pytest.approx(entry["cross_gy"], abs=1e-4)
    assert lines.t_us[-1] == outcome.world.trace.end_us


def test_time_mu_and_doses_never_fall(lines: Progress) -> None:
    for line in (lines.t_us, lines.mu, *lines.own.values(), *lines.cross.values()):
        assert all(b >= a - 1e-9 for a, b in pairwise(line))
        assert len(line) == len(lines.t_us)


def test_nothing_is_given_while_the_beam_is_off(outcome: Outcome, lines: Progress) -> None:
    """Between the interruption and the second start, most of a minute, the lines are level."""
    samples = outcome.world.trace.channels["beam_on"].samples
    switched = [sample.t_us for sample in samples if sample.t_us > 0]
    _, off, on_again = switched[:3]
    assert on_again - off > 20_000_000
    level = [mu for t, mu in zip(lines.t_us, lines.mu, strict=True) if off <= t <= on_again]
    assert len(level) >= 2
    assert level[-1] - level[0] < 0.2
    gain = [b - a for (t, a), (u, b) in pairwise(zip(lines.t_us, lines.mu, strict=True)) if u - t > 5_000_000]
    assert gain
    assert max(gain) < 5
