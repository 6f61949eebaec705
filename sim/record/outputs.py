"""What the controller did, as events and channels of the trace."""

from __future__ import annotations

from firmware_model.contract import Outputs
from firmware_model.states import BEAM_IN_PROGRESS, State
from firmware_model.table import Table
from sim.clock import Clock
from sim.record.trace import Sample, Trace

#: States in which a trip ends something that is going on, or is an alarm in its own right.
IN_PROGRESS = BEAM_IN_PROGRESS | {State.check, State.terminated, State.emergency}


class OutputRecorder:
    """Listens to the conductor and writes down every change of the controller's outputs."""

    def __init__(self, clock: Clock, table: Table, trace: Trace) -> None:
        self._clock, self._table, self._trace = clock, table, trace
        self._state = trace.channel("state", "state")
        self._permit = trace.channel("permit", "bool")
        self._state.samples.append(Sample(0, State.off.name))
        self._permit.samples.append(Sample(0, False))
        self._powered = False

    def __call__(self, before: Outputs, after: Outputs) -> None:
        now, trace = self._clock.now, self._trace
        differing = (before.tripped ^ after.tripped) | (before.latched ^ after.latched)
        while differing:
            bit = differing & -differing
            self._interlock(self._table.interlock_ids[bit.bit_length() - 1], bit, before, after)
            differing ^= bit
        if after.state is not before.state:
            self._state.samples.append(Sample(now, after.state.name))
            trace.event(now, "state", **{"from": before.state.name, "to": after.state.name})
            if State.off in (before.state, after.state):
                trace.event(now, "power", on=after.state is not State.off)
        if after.permit != before.permit:
            self._permit.samples.append(Sample(now, after.permit))
            trace.event(now, "permit", granted=after.permit)

    def _interlock(self, name: str, bit: int, before: Outputs, after: Outputs) -> None:
        now, trace = self._clock.now, self._trace
        was, is_now = before.tripped & bit, after.tripped & bit
        latched_was, latched_now = before.latched & bit, after.latched & bit
        row = self._table.interlocks[name]
        in_progress = after.state in IN_PROGRESS or before.state in IN_PROGRESS
        if is_now and not was and not in_progress:
            # Setting up: the row only says what is not ready yet.
            trace.event(now, "blocked", interlock=name)
        elif was and not is_now and not in_progress:
            trace.event(now, "unblocked", interlock=name)
        elif is_now and not was:
            first_up = (
                after.first_up >= 0 and bit == 1 << after.first_up and before.first_up != after.first_up
            )
            trace.event(now, "trip", interlock=name, stop=row.stop, latch=row.latch, first_up=first_up)
        elif was and not is_now:
            trace.event(now, "trip_cleared", interlock=name)
        if latched_was and not latched_now:
            trace.event(now, "latch_reset", interlock=name)
        standing, stood = bool(is_now or latched_now), bool(was or latched_was)
        if standing != stood:
            trace.channel(f"interlock/{name}", "bool").samples.append(Sample(now, standing))
