"""What the timeline is given to draw."""

from __future__ import annotations

import random
from itertools import accumulate
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sim.record.timeline import AROUND_US, MAX_JUMPS, MAX_MARKS, MAX_SAMPLES, encode, group_marks, timeline
from sim.record.trace import Channel, Sample, Trace


def decode(signal: dict[str, Any]) -> Channel:
    """The inverse of ``encode``, as the browser does it."""
    times = list(accumulate(signal["t"]))
    slopes = signal.get("s") or [0.0] * len(times)
    values: list[Any] = signal["v"]
    if signal["kind"] == "bool":
        values = [bool(value) for value in values]
    elif signal["kind"] == "state":
        values = [signal["words"][value] for value in values]
    samples = [Sample(*entry) for entry in zip(times, values, slopes, strict=True)]
    return Channel(signal["name"], signal["kind"], signal["unit"], samples)


def close(a: Any, b: Any, tolerance: float = 2e-5) -> bool:
    return abs(a - b) <= tolerance if isinstance(a, float) and isinstance(b, float) else bool(a == b)


def test_signals_read_back(trace: Trace, run: dict[str, Any]) -> None:
    data = timeline(trace, run)
    drawn = {signal["name"]: decode(signal) for signal in data["signals"]}
    instants = sorted({t + d for e in trace.events for t in [e.t_us] for d in (-1, 0, 1, 500_000)})
    for name, channel in drawn.items():
        for t_us in instants:
            assert close(channel.at(t_us), trace.channels[name].at(t_us)), (name, t_us)
    assert data["end"] == trace.end_us
    assert not data["thinned"]


def test_lanes(trace: Trace, run: dict[str, Any]) -> None:
    lanes = timeline(trace, run)["lanes"]
    shown = [lane["title"] for lane in lanes if lane["shown"]]
    assert shown[:4] == ["controller", "beam permit", "beam on", "door open"]
    assert shown[4:] == ["DOOR", "ROOM_SEARCH", "BREATHING_GATE", "meterset", "dose rate", "gantry"]
    assert {lane["title"] for lane in lanes if not lane["shown"]} == {"couch vertical", "water flow"}
    meterset = next(lane for lane in lanes if lane["title"] == "meterset")
    assert meterset["channels"] == ["dose_primary", "dose_secondary"]


def test_an_interlock_that_only_stood_during_set_up_is_not_shown(trace: Trace, run: dict[str, Any]) -> None:
    copy = Trace()
    copy.events, copy.channels, copy.end_us = trace.events, dict(trace.channels), trace.end_us
    copy.channel("interlock/IMAGE_AGE", "bool").samples.extend([Sample(0, True), Sample(9, False)])
    lane = next(lane for lane in timeline(copy, run)["lanes"] if lane["title"] == "IMAGE_AGE")
    assert not lane["shown"]


def test_marks_deadlines_and_presets(trace: Trace, run: dict[str, Any]) -> None:
    data = timeline(trace, run)
    assert [(m["kind"], m["label"]) for m in data["marks"]] == [
        ("trip", "BREATHING_GATE"), ("fault", "door open"), ("trip", "DOOR"),
    ]  # fmt: skip
    beam_off, permit = data["deadlines"]
    assert (beam_off["from"], beam_off["to"], beam_off["ok"]) == (698_545_000, 698_555_000, True)
    assert permit["to"] == 698_550_000
    assert beam_off["label"] == "beam off after the door opens: 10 ms"
    presets = {preset["label"]: preset for preset in data["presets"]}
    assert list(presets) == [
        "Whole session",
        "Target liver-1",
        "Target liver-2",
        "BREATHING_GATE",
        "door open, DOOR",
    ]
    last = presets["door open, DOOR"]
    # Over the longer of the two deadlines, which end 10 ms and 5 ms after the door opened.
    assert (last["from"], last["to"]) == (698_545_000 - AROUND_US, 698_555_000 + AROUND_US)
    assert data["detail"]["label"] == "BREATHING_GATE"
    assert [mark["kind"] for mark in last["marks"]] == ["fault", "trip"]


def mark(t: int, kind: str) -> dict[str, Any]:
    return {"t": t, "kind": kind, "label": f"{kind} {t}", "detail": ""}


def test_a_slow_trip_is_shown_with_its_fault_and_deadline() -> None:
    fault, trip, later = mark(5_000_000, "fault"), mark(5_200_000, "trip"), mark(9_000_000, "fault")
    (both, alone) = group_marks([fault, trip, later], [{"from": 5_000_000, "to": 5_600_000}])
    assert (both["from"], both["to"]) == (4_700_000, 5_900_000)
    assert both["kinds"] == ["fault", "trip"]
    assert (alone["from"], alone["to"]) == (9_000_000 - AROUND_US, 9_000_000 + AROUND_US)


def test_a_deadline_far_away_does_not_shrink_the_stop() -> None:
    (group,) = group_marks([mark(5_000_000, "fault")], [{"from": 5_000_000, "to": 65_000_000}])
    assert group["to"] == 5_000_000 + AROUND_US


def test_a_limit_named_in_the_text_is_not_named_again(trace: Trace, run: dict[str, Any]) -> None:
    run["expectations"][0]["text"] = "beam off within 10 ms"
    assert timeline(trace, run)["deadlines"][0]["label"] == "beam off within 10 ms"


def test_limits_that_are_no_time_make_no_deadline(trace: Trace, run: dict[str, Any]) -> None:
    for entry in run["expectations"]:
        entry["unit"] = "MU"
    assert timeline(trace, run)["deadlines"] == []


def test_marks_are_bounded(run: dict[str, Any]) -> None:
    trace = Trace()
    for index in range(500):
        trace.event(index * 1000, "fault", fault="f", active=True)
    assert len(timeline(trace, run)["marks"]) == MAX_MARKS


def test_an_unfinished_target_can_be_zoomed_to() -> None:
    trace = Trace()
    trace.event(5, "target", target="t", phase="start", fraction=1)
    trace.end_us = 1000
    assert timeline(trace, {})["presets"][1] == {"kind": "target", "label": "Target t", "from": 5, "to": 1000}


def test_repeated_samples_are_dropped() -> None:
    ramp = Channel(
        "x", "number", "", [Sample(0, 0.0, 1.0), Sample(1_000_000, 1.0, 1.0), Sample(2_000_000, 2.0)]
    )
    assert encode(ramp)["t"] == [0, 2_000_000]
    flag = Channel("b", "bool", "", [Sample(0, False), Sample(4, False), Sample(7, True), Sample(7, False)])
    assert encode(flag)["t"] == [0]


def long_channel(spike_at: int) -> Channel:
    """An hour of a noisy ramp with one spike of 50 ms, too small for a jump."""
    noise, value, samples = random.Random(3), 0.0, []
    for index in range(72_000):
        slope = 10 + noise.uniform(-1, 1)
        samples.append(Sample(index * 50_000, value, slope))
        value += slope * 0.05
    height = value * 0.004
    samples[spike_at] = samples[spike_at]._replace(value=float(samples[spike_at].value) + height)
    return Channel("dose", "number", "MU", samples)


def test_a_long_curve_is_thinned_but_stays_true() -> None:
    channel = long_channel(30_001)
    mark = 2_000_000_000
    signal = encode(channel, [(mark - 1_000_000, mark + 1_000_000)])
    assert signal["thinned"]
    drawn = decode(signal)
    assert len(drawn.samples) < MAX_SAMPLES * 1.5
    for t_us in range(mark - 900_000, mark + 900_000, 10_007):
        assert close(drawn.at(t_us), channel.at(t_us))
    whole = float(channel.samples[-1].value)
    for t_us in range(0, 3_599_000_000, 7_300_011):
        assert close(drawn.at(t_us), channel.at(t_us), whole / 1000)


def test_a_spike_survives_thinning() -> None:
    channel = long_channel(30_001)
    spike = channel.samples[30_001]
    assert spike.t_us in {sample.t_us for sample in decode(encode(channel)).samples}


def test_pure_noise_is_bounded() -> None:
    noise = random.Random(5)
    channel = Channel("r", "number", "", [Sample(t * 1000, noise.random()) for t in range(60_000)])
    assert len(encode(channel)["t"]) <= MAX_SAMPLES + 2 * MAX_JUMPS + 2


points = st.lists(
    st.tuples(st.integers(0, 10_000_000), st.floats(-1e3, 1e3), st.sampled_from([0.0, 2.0, -0.5])),
    max_size=30,
).map(lambda raw: [Sample(*p) for p in sorted(raw, key=lambda p: p[0])])


@settings(deadline=None)
@given(points, st.lists(st.integers(0, 11_000_000), max_size=10))
def test_any_short_curve_reads_back(samples: list[Sample], instants: list[int]) -> None:
    channel = Channel("c", "number", "", samples)
    drawn = decode(encode(channel))
    for t_us in instants:
        assert close(drawn.at(t_us), channel.at(t_us))
