"""A regular breathing gate: open for part of every breath, with the delay of the gating system."""

from __future__ import annotations

from collections.abc import Generator

import simpy

from sim.clock import US_PER_MS, Clock
from sim.linac.lines import Lines
from sim.record.trace import Sample, Trace

#: Sensor to gate signal. Linac-side total of published surface-guided systems is 131 to 149 ms.
GATE_DELAY_US = 100 * US_PER_MS  # engineering default


class Gate:
    """Opens and closes while a gated beam is being delivered."""

    def __init__(self, env: Clock, lines: Lines, trace: Trace) -> None:
        self._env, self._lines = env, lines
        self._inside = trace.channel("target_in_gate", "bool")
        self._running = False
        self._open = True  # what the gating system says
        self.lost = False  # fault: the signal stays closed
        lines.drive("gate_open", True)

    def start(self, period_us: int, duty_percent: int) -> None:
        """Breathe with this period; the target is inside for ``duty_percent`` of it."""
        self._running = True
        self._env.process(self._breathe(period_us, period_us * duty_percent // 100))

    def stop(self) -> None:
        """The gated beam is over."""
        self._running = False

    def lose(self, lost: bool) -> None:
        """Fault: the gate signal is gone (closed); or back."""
        self.lost = lost
        self._show(self._open)

    def _breathe(self, period_us: int, open_us: int) -> Generator[simpy.Event, None, None]:
        while self._running:
            for inside, duration in ((True, open_us), (False, period_us - open_us)):
                self._inside.samples.append(Sample(self._env.now, inside))
                yield self._env.timeout(GATE_DELAY_US)
                self._show(inside)
                yield self._env.timeout(duration - GATE_DELAY_US)
        self._show(True)

    def _show(self, is_open: bool) -> None:
        self._open = is_open
        self._lines.drive("gate_open", is_open and not self.lost)
