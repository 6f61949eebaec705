"""Every line carries what the scenario reference says under any faults, and the truth when they are over."""

from __future__ import annotations

from math import floor

from hypothesis import HealthCheck, Phase, assume, given, settings

from firmware_model.contract import ONE
from tests.faults.line_bench import SCAN_US, TABLE, Bench
from tests.faults.line_histories import END_US, History, histories
from tests.faults.line_oracle import TOLERANCE, Oracle
from tests.faults.plant_bench import exercises


def difference(history: History) -> str | None:
    """Where the controller is first told something else than the reference says, at scans and changes."""
    bench = Bench(history.changes, history.steps, history.forces)
    oracle = Oracle(TABLE, history.changes, history.steps, history.forces)
    between = sorted(t for t in oracle.instants if t < END_US)
    for scan, told in bench.scans(END_US):
        for name, value in told.items():
            due = oracle.carried(name, scan)
            if abs(value / ONE - due) > TOLERANCE:
                assume(not oracle.undecided)
                return f"{name} at scan {scan} us: told {value / ONE}, due {due}"
        for t in (t for t in between if scan < t < scan + SCAN_US):
            bench.settle(t)
            for name in TABLE.signals:
                seen, due = bench.lines.seen(name), oracle.carried(name, t)
                if not floor(due - TOLERANCE) <= seen <= floor(due + TOLERANCE):
                    assume(not oracle.undecided)
                    return f"{name} at {t} us: {seen} counts, due {due}"
    return None


@exercises(
    "signal_stuck",
    "signal_frozen",
    "signal_disconnected",
    "signal_offset",
    "signal_gain",
    "signal_drift",
    "signal_delay",
    "signal_swapped",
)
@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(histories())
def test_the_controller_is_told_what_the_reference_says(history: History) -> None:
    assert difference(history) is None
