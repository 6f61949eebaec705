"""What the report's timeline shows: signals, lanes, marks, deadlines and places worth zooming to.

The result is plain JSON-able data; the drawing is done in the browser. Signals stay piecewise linear
and exact to the microsecond. Only a number with more than ``MAX_SAMPLES`` breakpoints is thinned, as
an oscilloscope does it: of every stretch the first, the lowest and the highest breakpoint remain, so
no spike is lost; jumps and everything near a mark remain untouched. The exact curve is in the VCD.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

from sim.record.figures import as_us, plain, quantity, words
from sim.record.trace import Channel, Sample, Trace
from sim.record.vcd import last_instant

MAX_SAMPLES = 6_000  # a number with no more breakpoints than this is kept as it is
MAX_JUMPS = 1_000  # jumps of one number that are kept whatever else is thinned
UNTOUCHED_US = 1_000_000  # around a mark nothing is thinned
AROUND_US = 50_000  # shown before and after a fault or first trip, at least
TOGETHER_US = 1_000_000  # marks that follow each other so closely are shown together
MAX_MARKS = 40

Window = tuple[int, int]


def timeline(trace: Trace, run: dict[str, Any]) -> dict[str, Any]:
    """Everything the timeline needs; times in us."""
    end_us = max(1, last_instant(trace))
    marks = find_marks(trace)
    deadlines = find_deadlines(run)
    exact = [(m["t"] - UNTOUCHED_US, m["t"] + UNTOUCHED_US) for m in marks]
    exact += [(d["from"] - UNTOUCHED_US, d["to"] + UNTOUCHED_US) for d in deadlines]
    lanes = find_lanes(trace, run)
    groups = group_marks(marks, deadlines)
    used = [name for lane in lanes for name in lane["channels"]]
    signals = [encode(trace.channels[name], exact) for name in used]
    return {
        "end": end_us,
        "signals": signals,
        "lanes": lanes,
        "marks": marks,
        "deadlines": deadlines,
        "presets": find_presets(trace, groups, end_us),
        "detail": next((g for kind in ("trip", "violation", "fault") for g in groups
                        if kind in g["kinds"]), None),
        "tested": any(event.kind == "state" and event.fields.get("to") == "check" for event in trace.events),
        "thinned": any(signal["thinned"] for signal in signals),
    }  # fmt: skip


def find_lanes(trace: Trace, run: dict[str, Any]) -> list[dict[str, Any]]:
    """Lanes from top to bottom. A lane that is not ``shown`` can be switched on by the reader."""
    lanes: list[dict[str, Any]] = []
    titles = {str(entry.get("id")): entry.get("title") for entry in run.get("interlocks") or []}

    def lane(kind: str, title: str, *names: str, role: str = "", shown: bool = True, hint: str = "") -> None:
        there = [n for n in names if n in trace.channels and trace.channels[n].samples]
        if there:
            unit = trace.channels[there[0]].unit
            lanes.append({"kind": kind, "title": title, "channels": there, "unit": unit, "role": role,
                          "shown": shown, "hint": hint})  # fmt: skip

    lane("state", "controller", "state", role="state")
    lane("bool", "beam permit", "permit", role="permit")
    lane("bool", "beam on", "beam_on", role="beam")
    lane("bool", "door open", "door_open", role="door")
    acted = {str(event.fields.get("interlock")) for event in trace.events if event.kind == "trip"} | set(
        titles
    )
    for name, channel in trace.channels.items():
        interlock = name.removeprefix("interlock/")
        if interlock != name and any(sample.value for sample in channel.samples):
            hint = str(titles.get(interlock) or "")
            lane("bool", interlock, name, role="interlock", shown=interlock in acted, hint=hint)
    lane("number", "meterset", "dose_primary", "dose_secondary", role="dose")
    lane("number", "dose rate", "dose_rate", role="rate")
    lane("number", "gantry", "gantry", role="gantry", hint="unwrapped")
    taken = {name for entry in lanes for name in entry["channels"]}
    for name, channel in trace.channels.items():
        if name not in taken and not name.startswith("interlock/"):
            lane(channel.kind, words(name), name, role="other", shown=False)
    return lanes


def find_marks(trace: Trace) -> list[dict[str, Any]]:
    """Faults setting in and first trips; of an interlock that only holds the beam, its first."""
    marks: list[dict[str, Any]] = []
    held: set[Any] = set()
    for event in trace.events:
        f = event.fields
        if event.kind == "fault" and f.get("active", True):
            detail = plain(f["detail"]) if f.get("detail") else ""
            marks.append({"t": event.t_us, "kind": "fault", "label": words(f.get("fault")), "detail": detail})
        elif event.kind == "trip" and f.get("first_up"):
            if f.get("stop") == "hold":
                if f.get("interlock") in held:
                    continue
                held.add(f.get("interlock"))
            stop = str(f.get("stop") or "")
            marks.append({"t": event.t_us, "kind": "trip", "label": str(f.get("interlock")), "detail": stop})
        elif event.kind == "invariant":
            label = f"{f.get('id')} violated"
            marks.append({"t": event.t_us, "kind": "violation", "label": label,
                          "detail": plain(f["detail"]) if f.get("detail") else ""})  # fmt: skip
    return marks[:MAX_MARKS]


def find_deadlines(run: dict[str, Any]) -> list[dict[str, Any]]:
    """Spans from the stimulus to its limit, for every expectation whose trigger time is known."""
    deadlines = []
    for index, entry in enumerate(run.get("expectations") or []):
        start, length = entry.get("trigger_t_us"), as_us(entry.get("limit"), entry.get("unit"))
        if not isinstance(start, int) or length is None or length < 0:
            continue
        measured, limit = entry.get("measured_t_us"), quantity(entry.get("limit"), entry.get("unit"))
        text = str(entry.get("text", ""))
        deadlines.append({
            "index": index,
            "from": start,
            "to": start + round(length),
            "measured": measured if isinstance(measured, int) else None,
            "label": text if limit in text else f"{text}: {limit}",
            "ok": entry.get("status") == "pass",
        })  # fmt: skip
    return deadlines


def group_marks(marks: Sequence[dict[str, Any]], deadlines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Marks that are seen together, cause with effect, and the view that shows them.

    The view reaches over every deadline that starts at a mark and ends within ``TOGETHER_US``, and
    leaves half of its length free on both sides, at least ``AROUND_US``.
    """
    groups: list[list[dict[str, Any]]] = []
    for mark in sorted(marks, key=lambda mark: mark["t"]):
        if groups and mark["t"] - groups[-1][-1]["t"] <= TOGETHER_US:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    found = []
    for group in groups:
        first, last = group[0]["t"], group[-1]["t"]
        ends = [d["to"] for d in deadlines if first <= d["from"] <= last and d["to"] - last <= TOGETHER_US]
        until = max([last, *ends])
        around = max(AROUND_US, (until - first) // 2)
        found.append({
            "t": first,
            "marks": [{"kind": mark["kind"], "label": mark["label"]} for mark in group],
            "kinds": sorted({mark["kind"] for mark in group}),
            "label": ", ".join(mark["label"] for mark in group),
            "from": first - around,
            "to": until + around,
        })  # fmt: skip
    return found


def find_presets(trace: Trace, groups: Sequence[dict[str, Any]], end_us: int) -> list[dict[str, Any]]:
    """Buttons: the whole session, each target, and each group of marks."""
    presets: list[dict[str, Any]] = [{"kind": "whole", "label": "Whole session", "from": 0, "to": end_us}]
    starts: dict[Any, int] = {}
    for event in trace.events:
        if event.kind != "target":
            continue
        target = event.fields.get("target")
        if event.fields.get("phase") == "start":
            starts[target] = event.t_us
        elif target in starts:
            presets.append({"kind": "target", "label": f"Target {target}", "from": starts.pop(target),
                            "to": event.t_us})  # fmt: skip
    presets += [{"kind": "target", "label": f"Target {target}", "from": start, "to": end_us}
                for target, start in starts.items() if start < end_us]  # fmt: skip
    return presets + [{"kind": "mark", **group} for group in groups]


def encode(channel: Channel, exact: Iterable[Window] = ()) -> dict[str, Any]:
    """One signal, compactly: times as differences in us, values, and slopes per second if any."""
    kept = without_repeats(channel)
    thinned = False
    if channel.kind == "number" and len(kept) > MAX_SAMPLES:
        kept, thinned = thin(kept, exact), True
    times = [sample.t_us for sample in kept]
    signal: dict[str, Any] = {
        "name": channel.name,
        "kind": channel.kind,
        "unit": channel.unit,
        "thinned": thinned,
        "t": [now - before for now, before in zip(times, [0, *times], strict=False)],
    }
    if channel.kind == "bool":
        signal["v"] = [int(bool(sample.value)) for sample in kept]
    elif channel.kind == "state":
        order: dict[str, int] = {}
        signal["v"] = [order.setdefault(str(sample.value), len(order)) for sample in kept]
        signal["words"] = list(order)
    else:
        signal["v"] = [round(float(sample.value), 6) for sample in kept]
        if any(sample.slope for sample in kept):
            signal["s"] = [round(sample.slope, 6) for sample in kept]
    return signal


def without_repeats(channel: Channel) -> list[Sample]:
    """The samples that change anything; of several at one instant the last."""
    kept: list[Sample] = []
    before: Sample | None = None
    numeric = channel.kind == "number"
    for sample in channel.samples:
        if before is not None:
            if before.t_us == sample.t_us:
                kept.pop()
                before = kept[-1] if kept else None
            if before is None:
                pass
            elif not numeric:
                if before.value == sample.value:
                    continue
            elif before.slope == sample.slope:
                ahead = float(before.value) + before.slope * (sample.t_us - before.t_us) / 1e6
                if abs(ahead - float(sample.value)) < 1e-9:
                    continue
        kept.append(sample)
        before = sample
    return kept


def thin(samples: Sequence[Sample], exact: Iterable[Window]) -> list[Sample]:
    """Fewer breakpoints of a number: extremes of each stretch, jumps, and all within ``exact``."""
    values = [float(sample.value) for sample in samples]
    times = [sample.t_us for sample in samples]
    keep = {0, len(samples) - 1}
    for start, end in exact:
        keep.update(
            range(max(0, bisect_left(times, start) - 1), min(len(samples), bisect_right(times, end) + 1))
        )
    for index in _largest_jumps(samples, values, times):
        keep.update((index - 1, index))
    stretch = -(-len(samples) * 3 // MAX_SAMPLES)
    for start in range(0, len(samples), stretch):
        part = values[start : start + stretch]
        keep.update((start, start + part.index(min(part)), start + part.index(max(part))))
    chosen = sorted(keep)
    thinned = []
    for index, following in zip(chosen, [*chosen[1:], None], strict=True):
        sample = samples[index]
        if following is not None and following != index + 1:
            rise = (values[following] - values[index]) / (times[following] - times[index]) * 1e6
            sample = Sample(sample.t_us, sample.value, rise)
        thinned.append(sample)
    return thinned


def _largest_jumps(samples: Sequence[Sample], values: Sequence[float], times: Sequence[int]) -> list[int]:
    """Where the curve jumps by more than 1 % of its range; of very many the largest."""
    jump = (max(values) - min(values)) / 100
    gaps = [
        abs(now - before - sample.slope * (t - start) / 1e6)
        for now, before, sample, t, start in zip(values[1:], values, samples, times[1:], times, strict=False)
    ]
    jumps = [index for index, gap in enumerate(gaps, 1) if gap > jump]
    if len(jumps) > MAX_JUMPS:
        jumps = sorted(jumps, key=lambda index: gaps[index - 1])[-MAX_JUMPS:]
    return jumps
