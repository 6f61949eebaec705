"""Bringing a machine to where an interlock acts, and giving the interlock a reason to trip."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from firmware_model import table as t
from firmware_model.contract import ONE, Change, ResetCause
from firmware_model.states import Command, State
from hil.twin import Twin

#: Where a row is tried, the first of these in which it acts.
_PLACES = (State.irradiation, State.hold, State.preparatory, State.ready, State.check)


@contextmanager
def enabled(twin: Twin, row: t.Interlock) -> Iterator[None]:
    """Inputs count as healthy only with the row's gate open."""
    if row.gate is None:
        yield
        return
    values, gate = twin.healthy.values, twin.table.signal_index[row.gate]
    before = values[gate]
    values[gate] = int(row.only_if is not None)
    try:
        yield
    finally:
        values[gate] = before


def prepare(twin: Twin, row: t.Interlock) -> None:
    """A healthy machine in a state in which the row acts, if there is a way there."""
    goal = next((state for state in _PLACES if state in row.states), State.irradiation)
    start = State.irradiation if goal is State.hold else goal
    twin.heal()
    if not twin.reach(start, patience=30):
        twin.reset(ResetCause.power)
        twin.reach(start)
    if start is State.irradiation:
        twin.run(3)  # the permit comes one scan after the state, and the beam after it
    if goal is State.hold:
        _hold(twin)


def _hold(twin: Twin) -> None:
    """Make a row that holds the beam trip; one whose signal means just that, if there is one."""
    rows = [row for row in twin.table.interlocks.values() if row.stop == "hold" and row.only_if is None]
    for row in sorted(rows, key=lambda row: not isinstance(row.trips_when, t.IsTrue)):
        if isinstance(row.trips_when, t.IsTrue):
            _set(twin, dict.fromkeys(row.trips_when.signals, 1))
        else:
            _set(twin, {name: twin.table.counts(name, value) for name, value in (row.proof or {}).items()})
        twin.run(row.debounce + 60)  # rows of the hold may let some time pass first
        return


def provoke(twin: Twin, row: t.Interlock) -> None:
    """Make the row's condition true, by whatever its kind needs, and wait for its debounce."""
    condition, wait = row.trips_when, row.debounce + 5
    if row.proof is not None:
        _set(twin, {name: twin.table.counts(name, value) for name, value in row.proof.items()})
    match condition:
        case t.IsTrue(signals=names) if row.proof is None:
            _set(twin, dict.fromkeys(names, 1))
        case t.IsFalse(signals=names) if row.proof is None:
            _set(twin, dict.fromkeys(names, 0))
        case t.Rate(sense=sense, percent=percent, window=window):
            # All channels alike, so that no comparison between them trips first.
            # Twice or half the limit: nothing at all might be another row's concern.
            share = int(2 * percent if sense == "above" else percent / 2)
            for signal, slope in twin.healthy.beam.items():
                twin.change(Change(signal, twin.now(signal), share * slope // 100))
            wait += 2 * window
        case t.PerTravel(signal=a, planned=b, by=by):
            twin.run(3)
            _move(twin, a, 0)
            _move(twin, b, max(ONE, 2 * twin.table.counts(a, by) * ONE))
        case t.Stale(signal=a, ticks=ticks):
            _move(twin, a, 0)
            wait += ticks
        case t.Timer(limit=a):
            twin.run(20)
            _set(twin, {a: 1})
        case t.Moves(signal=a, by=by, after=after) | t.Grows(signal=a, by=by, after=after):
            twin.run(after + 2)
            signal = twin.table.signal_index[a]
            twin.change(Change(signal, twin.now(signal) + (twin.table.counts(a, by) + 1) * ONE))
        case t.Flag(flag="reset_in_beam"):
            twin.reset(ResetCause.watchdog)
            wait += 700
            twin.run(1, Command.power_on)
        case t.Flag(flag="proof_test_failed"):
            _fail_proof_test(twin)
        case _:
            pass
    twin.run(wait)


def _fail_proof_test(twin: Twin) -> None:
    twin.answers = False
    try:
        twin.reset(ResetCause.power)
        twin.reach(State.check)
        twin.run(2 * twin.table.proof_timeout)
    finally:
        twin.answers = True


def _set(twin: Twin, values: dict[str, int]) -> None:
    twin.change(*(Change(twin.table.signal_index[name], counts * ONE) for name, counts in values.items()))


def _move(twin: Twin, name: str, slope: int) -> None:
    signal = twin.table.signal_index[name]
    twin.change(Change(signal, twin.now(signal), slope))
