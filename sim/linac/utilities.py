"""Cooling, gas, vacuum and air, and the message counters of the machine's nodes."""

from __future__ import annotations

from collections.abc import Callable

from firmware_model.contract import FRACTION_BITS
from sim.clock import US_PER_S, Ramp, level
from sim.linac.lines import Lines

#: Healthy values in counts of the reference table's signals (engineering defaults).
HEALTHY = {
    "water_flow": 120,  # 12.0 l/min
    "water_temperature": 400,  # 40.0 degC
    "gas_pressure": 2300,  # 230.0 kPa
    "vacuum_current": 50,  # 5.0 uA
    "air_pressure": 4100,  # 410.0 kPa
}

#: Messages a second of each node (engineering defaults).
HEARTBEAT_HZ = {"heartbeat_linac": 100, "heartbeat_console": 50, "gate_heartbeat": 50}


class Utilities:
    """Slow analogue readings; a trend is a ramp."""

    def __init__(self, lines: Lines, now: Callable[[], int]) -> None:
        self._lines, self._now = lines, now
        for name in HEALTHY:
            self.restore(name)

    def set(self, name: str, counts: int, slope: int = 0) -> None:
        """Fault: the reading is ``counts`` now and changes by ``slope``, 32.16 counts a millisecond."""
        self._lines.ramp(name, Ramp(counts << FRACTION_BITS, slope, self._now()))

    def restore(self, name: str, more: int = 0) -> None:
        """Back to the healthy value, or to ``more`` counts above it."""
        self._lines.ramp(name, level(HEALTHY[name] + more, self._now()))


class Nodes:
    """Every node counts its messages; a silent node's counter stands still."""

    def __init__(self, lines: Lines, now: Callable[[], int]) -> None:
        self._lines, self._now = lines, now
        for name in HEARTBEAT_HZ:
            self.speak(name)

    def speak(self, name: str) -> None:
        """Send messages at the node's rate."""
        line = self._lines.true(name).stopped(self._now()) if self._lines.has(name) else level(0, self._now())
        self._lines.ramp(name, line._replace(slope=(HEARTBEAT_HZ[name] << FRACTION_BITS) // 1000))

    def silence(self, name: str) -> None:
        """Fault: no more messages."""
        if self._lines.has(name):
            self._lines.ramp(name, self._lines.true(name).stopped(self._now()))

    def catch_up(self, name: str, silent_since_us: int) -> None:
        """Fault: everything held back since then arrives at once, and messages go on."""
        if self._lines.has(name):
            late = HEARTBEAT_HZ[name] * (self._now() - silent_since_us) // US_PER_S
            counted = self._lines.true(name).counts(self._now())
            self._lines.drive(name, counted + late)
        self.speak(name)
