"""How well a session kept beam and target together, as measurements of run.json."""

from __future__ import annotations

from bisect import bisect_right
from itertools import zip_longest
from typing import Any

from sim.record.trace import Trace
from sim.scenario.intervals import Interval, longest, outside, overlap, where
from sim.world import World


def motion_figures(world: World) -> list[dict[str, Any]]:
    """Measurements of motion; those of the gate only for a gated session."""
    trace = world.trace
    beams = where(trace, "beam_on")
    figures = [_figure("largest target offset with beam on", _largest(trace, "target_offset", beams), "mm")]
    window = world.gate.window_mm
    if window is None or not beams:
        return figures
    spans = _deliveries(trace, beams)
    delivering = _length(spans)
    gate_open = where(trace, "gate_open")
    gate_closed = where(trace, "gate_open", lambda v: not v)
    holds = where(trace, "state", lambda v: v == "hold")
    starts = [a for a, _ in holds]
    held_by_gate = {bisect_right(starts, a) for a, _ in overlap(holds, gate_closed)}
    strays = overlap(beams, outside(trace, "target_position", *window))
    dose = trace.channels["dose_delivered"]
    missed = sum(float(dose.at(b) or 0) - float(dose.at(a) or 0) for a, b in strays)
    return [
        *figures,
        _figure("gate duty cycle", 100 * _length(overlap(gate_open, spans)) / delivering, "%"),
        _figure("gated beam-on efficiency", 100 * _length(overlap(beams, spans)) / delivering, "%"),
        _figure("beam holds by the gate", len(held_by_gate), ""),
        _figure("dose with the target outside the window", missed, "MU"),
        _figure("longest stray of the target with beam on", longest(strays) / 1000, "ms"),
    ]


def _figure(name: str, value: float, unit: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit}


def _deliveries(trace: Trace, beams: list[Interval]) -> list[Interval]:
    """From the first dose of each delivery to its end, or the run's: the time a gate can cost."""
    starts = [e.t_us for e in trace.events if e.kind == "beam_start"]
    ends = [e.t_us for e in trace.events if e.kind == "beam_end"]
    spans = []
    for begun, end in zip_longest(starts, ends, fillvalue=trace.end_us):
        first = next((a for a, _ in beams if begun <= a < end), None)
        if first is not None:
            spans.append((first, end))
    return spans


def _largest(trace: Trace, name: str, during: list[Interval]) -> float:
    """Largest value of a number within some stretches; its straight lines are looked at from end to end."""
    samples = trace.channels[name].samples
    largest = 0.0
    for a, b in during:
        index = max(0, bisect_right(samples, a, key=lambda sample: sample.t_us) - 1)
        while index < len(samples) and samples[index].t_us < b:
            t_us, value, slope = samples[index]
            end = samples[index + 1].t_us if index + 1 < len(samples) else b
            for t in (max(a, t_us), min(b, end)):
                largest = max(largest, float(value) + slope * (t - t_us) / 1e6)
            index += 1
    return largest


def _length(intervals: list[Interval]) -> int:
    return sum(b - a for a, b in intervals)
