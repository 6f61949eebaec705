"""The conductor's skipping loop gives the same session as scanning every tick."""

from __future__ import annotations

import pytest

from firmware_model.contract import FRACTION_BITS, Advance, Inputs, Segment
from firmware_model.controller import ModelController
from firmware_model.states import Command, State
from tests.sim.short_session import arc, run, step

CALM = (State.off, State.standby, State.preparatory)


class EveryTick(ModelController):
    """Scans each tick of a segment with inputs computed one by one; the reference for the loop.

    In the minutes of setting up it skips, to keep the test short; everything with a beam is ticked.
    """

    lines: dict[int, tuple[int, int]]

    def run(self, segment: Segment) -> Advance:
        if not hasattr(self, "lines"):
            self.lines = {}
        for change in segment.changes:
            self.lines[change.signal] = (change.value, change.slope)
        if self.outputs.state in CALM:
            every = tuple(change for change in (segment.changes if segment.changes else ()))
            advance = super().run(segment._replace(changes=every))
            self._pass(advance.ticks)
            return advance
        before = self.outputs
        for done in range(1, segment.ticks + 1):
            values = tuple(self.lines[i][0] >> FRACTION_BITS for i in range(len(self.table.signals)))
            outputs = self.scan(Inputs(values, segment.command if done == 1 else Command.none))
            self._pass(1)
            if outputs != before:
                break
        self._catch_up()
        return Advance(done, outputs)

    def _pass(self, ticks: int) -> None:
        self.lines = {i: (value + slope * ticks, slope) for i, (value, slope) in self.lines.items()}

    def _catch_up(self) -> None:
        """Leave the lines in force for a later segment that is skipped."""
        from firmware_model.contract import Change

        self._take(tuple(Change(i, value, slope) for i, (value, slope) in self.lines.items()))
        self._all_due = True


@pytest.mark.parametrize(
    "timeline",
    [
        [],
        [step(id="door", at={"meterset": "40 MU", "beam": 1}, room="open_door")],
        [
            step(
                id="sag",
                at={"meterset": "30 MU"},
                fault={"kind": "dose_rate", "percent": 150},
                lasts="200 ms",
            )
        ],
        [
            step(
                id="stall",
                at={"gantry": "30 deg"},
                fault={"kind": "axis_stall", "axis": "gantry"},
                lasts="3 s",
            )
        ],
    ],
    ids=["nominal", "door", "rate", "stall"],
)
def test_skipping_gives_the_same_events_as_scanning_every_tick(timeline: list) -> None:
    skipped = run(timeline, operator=_continuing())
    ticked = run(timeline, operator=_continuing(), controller=EveryTick)
    assert skipped.world.conductor.scans == ticked.world.conductor.scans
    assert skipped.world.trace.events_jsonl() == ticked.world.trace.events_jsonl()


def _continuing() -> object:
    from sim.scenario.schema import OperatorPolicy

    return OperatorPolicy(after_terminate="continue", resets_physics=True)


class OneTickLate(ModelController):
    """Reports every change of an output one scan after it happened."""

    def run(self, segment: Segment) -> Advance:
        advance = super().run(segment)
        late = advance.outputs.state is State.interrupted and advance.ticks < segment.ticks
        return Advance(advance.ticks + 1, advance.outputs) if late else advance


def test_a_controller_one_tick_late_is_noticed() -> None:
    door = [step(id="door", at={"meterset": "40 MU", "beam": 1}, room="open_door")]
    assert (
        run(door).world.trace.events_jsonl() != run(door, controller=OneTickLate).world.trace.events_jsonl()
    )


def test_the_same_seed_writes_the_same_bytes_and_another_seed_does_not() -> None:
    first, again, other = run(seed=5), run(seed=5), run(seed=6)
    assert first.world.trace.events_jsonl() == again.world.trace.events_jsonl()
    assert first.world.trace.events_jsonl() != other.world.trace.events_jsonl()


def test_an_input_that_changes_within_an_instant_is_seen_by_the_scan_of_that_instant() -> None:
    """The door opens exactly on a scan: that very scan withdraws the permit, at the same microsecond."""
    probe = run([], (arc(),))
    start = next(e.t_us for e in probe.world.trace.events if e.kind == "beam" and e.fields["on"])
    at_scan = (start // 1000 + 1500) * 1000
    outcome = run([step(id="door", at={"time": f"{at_scan} us"}, room="open_door")], (arc(),))
    events = outcome.world.trace.events
    opened = next(e.t_us for e in events if e.kind == "step")
    withdrawn = next(e.t_us for e in events if e.kind == "permit" and not e.fields["granted"])
    assert opened == withdrawn == at_scan
