"""Records in which every text tries to become part of the page."""

from __future__ import annotations

from typing import Any

from sim.record.trace import Trace

EVIL = "<b>x</b></script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> \" ' & {{ 7 * 7 }} \u2028"


def hostile(value: Any) -> Any:
    """The same record with every text replaced by the worst one."""
    if isinstance(value, dict):
        return {key: value[key] if key in ("status", "unit") else hostile(value[key]) for key in value}
    if isinstance(value, list):
        return [hostile(item) for item in value]
    return EVIL if isinstance(value, str) else value


def hostile_trace(trace: Trace) -> Trace:
    """The same events and channels with every text replaced; names of channels too, where they are free."""
    evil = Trace()
    evil.end_us = trace.end_us
    for event in trace.events:
        evil.event(event.t_us, event.kind, **hostile(event.fields))
    for name, channel in trace.channels.items():
        copy = evil.channel(name, channel.kind, EVIL)
        copy.samples = [s._replace(value=EVIL) if channel.kind == "state" else s for s in channel.samples]
    evil.channel(f"interlock/{EVIL}", "bool").samples = list(trace.channels["beam_on"].samples)
    evil.channel(EVIL, "number", EVIL).samples = list(trace.channels["gantry"].samples)
    return evil
