"""What is really in the beam: invariants are judged on it, so it may not lag behind what happens."""

from __future__ import annotations

import pytest

from sim.linac.beam_line import CAROUSEL_TURN_US, MAGNET_SETTLE_US
from sim.record.trace import Trace
from sim.scenario.intervals import beyond
from sim.scenario.runner import Outcome
from tests.sim.short_session import arc, run, step

EDIT = step(
    id="edit",
    at={"time": "1 s"},
    fault={"kind": "edit_in_settling", "energy_mv": 10, "fluence_mode": "fff", "noticed_after": "20 s"},
)


def selected(outcome: Outcome) -> int:
    """When the machine began to settle for the beam quality of the plan."""
    return next(
        e.t_us
        for e in outcome.world.trace.events
        if e.kind == "operator" and e.fields["act"] == "edit the beam quality"
    )


def wrong_from(trace: Trace, channel: str, limit: float, t_us: int) -> int:
    """How long from ``t_us`` on a channel stays beyond a limit."""
    return next((b - t_us for a, b in beyond(trace, channel, limit) if a <= t_us < b), 0)


def test_filter_and_energy_are_wrong_until_they_have_followed_the_selection() -> None:
    outcome = run([EDIT], (arc(),))
    trace, since = outcome.world.trace, selected(outcome)
    assert wrong_from(trace, "filter_error", 1, since) == CAROUSEL_TURN_US
    # From 10 to 6 MeV in a straight line: 25 % of 6 MeV are left after 1 - 1.5 / 4 of the way.
    within_25_percent = wrong_from(trace, "energy_error", 25, since)
    assert within_25_percent == pytest.approx(MAGNET_SETTLE_US * (1 - 1.5 / 4), abs=1_000)
    assert outcome.verdict == "PASS"


def test_a_beam_before_the_magnet_has_settled_would_break_an_invariant() -> None:
    """The channel the invariant looks at: 67 % too high at the edit, 0 once settled."""
    outcome = run([EDIT], (arc(),))
    samples = outcome.world.trace.channels["energy_error"].samples
    since = selected(outcome)
    at_edit = [s for s in samples if s.t_us == since]
    assert float(at_edit[-1].value) == pytest.approx(66.67, abs=0.01)
    assert samples[-1].t_us == since + MAGNET_SETTLE_US
    assert (samples[-1].value, samples[-1].slope) == (0.0, 0.0)


@pytest.mark.parametrize("percent", [50, 250])
def test_pulses_of_another_dose_give_another_dose(percent: int) -> None:
    """A pulse that carries more is more dose, whatever the pulse channel makes of it."""
    outcome = run(
        [step(id="pulses", at={"meterset": "30 MU"}, fault={"kind": "pulse_dose", "percent": percent})],
        (arc(),),
    )
    trace = outcome.world.trace
    at = next(e.t_us for e in trace.events if e.kind == "fault")
    rates = [s for s in trace.channels["dose_rate"].samples if s.t_us <= at]
    assert float(rates[-1].value) == pytest.approx(float(rates[-2].value) * percent / 100, rel=0.001)
