"""The trace of one run: discrete events and signals over time, on the simulation clock.

Everything a run leaves behind (events.jsonl, trace.vcd, report.html, the terminal story) is
made from a :class:`Trace`. Times are integer microseconds of simulated time.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

ChannelKind = Literal["bool", "state", "number"]


class Event(NamedTuple):
    """Something that happened at one instant. ``fields`` holds JSON-able details."""

    t_us: int
    kind: str
    fields: dict[str, Any]


class Sample(NamedTuple):
    """From ``t_us`` on the channel is ``value + slope * (t - t_us) / 1e6`` until the next sample."""

    t_us: int
    value: float | str | bool
    slope: float = 0.0  # per second; only numbers have one


@dataclass(slots=True)
class Channel:
    """One signal over time, as breakpoints of a piecewise linear (or constant) curve."""

    name: str
    kind: ChannelKind
    unit: str = ""
    samples: list[Sample] = field(default_factory=list)

    def at(self, t_us: int) -> float | str | bool | None:
        """Value at ``t_us`` (the last sample at or before it), or None before the first sample."""
        low, high = 0, len(self.samples)
        while low < high:
            middle = (low + high) // 2
            if self.samples[middle].t_us <= t_us:
                low = middle + 1
            else:
                high = middle
        if low == 0:
            return None
        sample = self.samples[low - 1]
        if self.kind != "number":
            return sample.value
        return float(sample.value) + sample.slope * (t_us - sample.t_us) / 1e6


class Trace:
    """Collects events and channels while the simulation runs."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.channels: dict[str, Channel] = {}
        self.end_us = 0
        self.listeners: list[Callable[[Event], None]] = []  # told every event as it happens

    def event(self, t_us: int, kind: str, **fields: Any) -> None:
        """Append one event; events arrive in time order."""
        event = Event(t_us, kind, fields)
        self.events.append(event)
        for listener in tuple(self.listeners):
            listener(event)

    def channel(self, name: str, kind: ChannelKind, unit: str = "") -> Channel:
        """The channel of that name, made on first use."""
        found = self.channels.get(name)
        if found is None:
            found = self.channels[name] = Channel(name, kind, unit)
        return found

    def events_jsonl(self) -> str:
        """All events, one JSON object a line; byte-identical for identical runs."""
        lines = (
            json.dumps(
                {"t_us": e.t_us, "event": e.kind, **e.fields}, separators=(",", ":"), ensure_ascii=False
            )
            for e in self.events
        )
        return "\n".join(lines) + "\n" if self.events else ""
