"""Cooling, gas, vacuum and air, and the message counters of the machine's nodes."""

from __future__ import annotations

from collections.abc import Callable

from firmware_model.contract import FRACTION_BITS
from sim.clock import Ramp, level
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
        self._values = {name: level(counts) for name, counts in HEALTHY.items()}
        self._more = dict.fromkeys(HEALTHY, 0)
        for name in HEALTHY:
            self._publish(name)

    def set(self, name: str, value: Ramp) -> None:
        """Fault: the reading is this line of 32.16 counts from now on."""
        self._values[name] = value
        self._publish(name)

    def value(self, name: str) -> Ramp:
        """The reading as it was last set, without what was added."""
        return self._values[name]

    def restore(self, name: str) -> None:
        """Back to the healthy value."""
        self.set(name, level(HEALTHY[name]))

    def add(self, name: str, counts: int) -> None:
        """Fault: so many counts more than otherwise, or less if negative; adds up."""
        self._more[name] += counts
        self._publish(name)

    def _publish(self, name: str) -> None:
        line = self._values[name].since(self._now())
        self._lines.ramp(name, line._replace(value=line.value + (self._more[name] << FRACTION_BITS)))


class Nodes:
    """Every node counts its messages; the counter of one that is not heard stands still."""

    def __init__(self, lines: Lines, now: Callable[[], int]) -> None:
        self._lines, self._now = lines, now
        self._sent = {
            name: Ramp(0, (hertz << FRACTION_BITS) // 1000, now()) for name, hertz in HEARTBEAT_HZ.items()
        }
        self._silenced = dict.fromkeys(HEARTBEAT_HZ, 0)  # faults that keep a node from being heard
        for name in HEARTBEAT_HZ:
            self._publish(name)

    def silence(self, name: str) -> Ramp:
        """Fault: no more messages. Returns the count as it would have gone on."""
        going_on = self._sent[name]
        self._silenced[name] += 1
        self._sent[name] = going_on.stopped(self._now())
        self._publish(name)
        return going_on

    def speak(self, name: str, late: Ramp | None = None) -> None:
        """The fault is over, and with the last one the node is heard again; it goes on counting.

        Messages held back meanwhile, up to the count ``late`` stands at, arrive at once.
        """
        self._silenced[name] -= 1
        sent = self._sent[name].since(self._now())
        if late is not None:
            sent = sent._replace(value=max(sent.value, late.at(self._now())))
        if not self._silenced[name]:
            sent = sent._replace(slope=(HEARTBEAT_HZ[name] << FRACTION_BITS) // 1000)
        self._sent[name] = sent
        self._publish(name)

    def _publish(self, name: str) -> None:
        self._lines.ramp(name, self._sent[name])
