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
        first_up = 1 << after.first_up if after.first_up >= 0 and after.first_up != before.first_up else 0
        differing = (before.tripped ^ after.tripped) | (before.latched ^ after.latched) | first_up
        while differing:
            bit = differing & -differing
            self._interlock(
                self._table.interlock_ids[bit.bit_length() - 1], bit, bool(bit & first_up), before, after
            )
            differing ^= bit
        if after.state is not before.state:
            self._state.samples.append(Sample(now, after.state.name))
            trace.event(now, "state", **{"from": before.state.name, "to": after.state.name})
            if State.off in (before.state, after.state):
                trace.event(now, "power", on=after.state is not State.off)
        if after.permit != before.permit:
            self._permit.samples.append(Sample(now, after.permit))
            trace.event(now, "permit", granted=after.permit)

    def _interlock(self, name: str, bit: int, first_up: bool, before: Outputs, after: Outputs) -> None:
        """One row changed. A row that ends a beam and does not act afterwards shows only as its latch."""
        now, trace = self._clock.now, self._trace
        row = self._table.interlocks[name]
        tripped = bool(after.tripped & ~before.tripped & bit)
        latched = bool(after.latched & ~before.latched & bit)
        cleared = bool(before.tripped & ~after.tripped & bit)
        in_progress = after.state in IN_PROGRESS or before.state in IN_PROGRESS
        if first_up or latched or (tripped and in_progress):
            trace.event(now, "trip", interlock=name, stop=row.stop, latch=row.latch, first_up=first_up)
        elif tripped:
            # Setting up: the row only says what is not ready yet.
            trace.event(now, "blocked", interlock=name)
        elif cleared:
            trace.event(now, "trip_cleared" if in_progress else "unblocked", interlock=name)
        if before.latched & ~after.latched & bit:
            trace.event(now, "latch_reset", interlock=name)
        standing = bool((after.tripped | after.latched) & bit)
        if standing != bool((before.tripped | before.latched) & bit):
            trace.channel(f"interlock/{name}", "bool").samples.append(Sample(now, standing))
