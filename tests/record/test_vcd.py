"""The VCD file, read back by a reader that knows nothing of the writer."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.record.trace import Channel, Sample, Trace
from sim.record.vcd import MAX_RAMP_POINTS, RAMP_STEP_US, channel_changes, ramp_step_us, write_vcd


class Waves:
    """What a viewer would hold: per variable its type and its changes."""

    def __init__(self, text: str) -> None:
        self.header: list[str] = []
        self.types: dict[str, str] = {}
        self.changes: dict[str, list[tuple[int, str]]] = {}
        self.times: list[int] = []
        header, body = text.split("$enddefinitions $end\n", 1)
        names = self._declarations(header)
        now = 0
        for line in body.splitlines():
            if line.startswith("#"):
                now = int(line[1:])
                self.times.append(now)
            elif line[0] == "$":
                continue
            elif line[0] in "01xz":
                self.changes[names[line[1:]]].append((now, line[0]))
            else:
                value, ident = line[1:].rsplit(" ", 1)
                self.changes[names[ident]].append((now, re.sub(r"\\x20", " ", value)))

    def _declarations(self, header: str) -> dict[str, str]:
        scopes: list[str] = []
        names: dict[str, str] = {}
        for line in header.splitlines():
            words = line.split()
            if words[0] == "$scope":
                scopes.append(words[2])
            elif words[0] == "$upscope":
                scopes.pop()
            elif words[0] == "$var":
                assert len(words) == 6, line
                full = ".".join([*scopes, words[4]])
                names[words[3]] = full
                self.types[full] = words[1]
                self.changes[full] = []
            else:
                self.header.append(line)
        assert scopes == []
        return names

    def at(self, name: str, t_us: int) -> str:
        return [value for t, value in self.changes[name] if t <= t_us][-1]


def read(trace: Trace, directory: Path) -> Waves:
    path = directory / "trace.vcd"
    write_vcd(trace, path)
    return Waves(path.read_text(encoding="utf-8"))


def test_scopes_and_types(trace: Trace, tmp_path: Path) -> None:
    waves = read(trace, tmp_path)
    assert waves.types["linac.state"] == "string"
    assert waves.types["linac.beam_on"] == "wire"
    assert waves.types["linac.dose_primary"] == "real"
    assert waves.types["linac.interlock.DOOR"] == "wire"
    assert "$timescale 1 us $end" in waves.header


def test_values_at_times(trace: Trace, tmp_path: Path) -> None:
    """Every breakpoint of every channel reads back, and ramps stay within one step of the exact line."""
    waves = read(trace, tmp_path)
    for channel in trace.channels.values():
        name = "linac." + channel.name.replace("/", ".")
        changes = dict(waves.changes[name])
        for sample in channel.samples:
            exact = channel.at(sample.t_us)
            if channel.kind == "bool":
                assert waves.at(name, sample.t_us) == "01"[bool(exact)]
            elif channel.kind == "state":
                assert waves.at(name, sample.t_us) == exact
        if channel.kind == "number":
            assert changes
            for t_us, value in changes.items():
                assert float(value) == pytest.approx(channel.at(t_us), abs=1e-6)


def test_the_beam_goes_off_to_the_microsecond(trace: Trace, tmp_path: Path) -> None:
    off_us = next(
        e.t_us for e in trace.events if e.kind == "beam" and not e.fields["on"] and e.t_us > 698_545_000
    )
    waves = read(trace, tmp_path)
    assert waves.at("linac.beam_on", off_us - 1) == "1"
    assert waves.at("linac.beam_on", off_us) == "0"


def test_time_runs_forward_to_the_end(trace: Trace, tmp_path: Path) -> None:
    waves = read(trace, tmp_path)
    assert waves.times == sorted(set(waves.times))
    assert waves.times[-1] == trace.end_us


def test_same_trace_same_bytes_and_no_date(trace: Trace, tmp_path: Path) -> None:
    write_vcd(trace, tmp_path / "a.vcd")
    write_vcd(trace, str(tmp_path / "b.vcd"))
    content = (tmp_path / "a.vcd").read_bytes()
    assert content == (tmp_path / "b.vcd").read_bytes()
    assert b"$date" not in content
    assert b"\r" not in content


def test_before_the_first_sample(tmp_path: Path) -> None:
    trace = Trace()
    trace.channel("wire", "bool").samples.append(Sample(50, True))
    trace.channel("word", "state").samples.append(Sample(50, "on"))
    trace.channel("level", "number").samples.append(Sample(50, 3.5))
    trace.channel("never", "number")
    waves = read(trace, tmp_path)
    assert waves.at("linac.wire", 49) == "x"
    assert waves.at("linac.word", 49) == ""
    assert waves.at("linac.level", 49) == "3.5"
    assert "linac.never" not in waves.types


def test_last_sample_of_an_instant_holds(tmp_path: Path) -> None:
    trace = Trace()
    trace.channel("beam", "bool").samples.extend([Sample(0, False), Sample(7, True), Sample(7, False)])
    waves = read(trace, tmp_path)
    assert waves.at("linac.beam", 7) == "0"
    assert len(waves.changes["linac.beam"]) == 1


def test_odd_names(tmp_path: Path) -> None:
    trace = Trace()
    for name in ("a b", "a.b", "$end", "x/y z/w", "/", "bay[3]"):
        trace.channel(name, "bool").samples.append(Sample(0, True))
    trace.channel("words", "state").samples.append(Sample(0, "two words\nand a line"))
    waves = read(trace, tmp_path)
    assert set(waves.types) == {
        "linac.a_b",
        "linac.a_b_2",
        "linac._end",
        "linac.x.y_z.w",
        "linac._._",
        "linac.bay_3_",
        "linac.words",
    }
    assert waves.at("linac.words", 0) == r"two words\nand a line"


def test_empty_trace(tmp_path: Path) -> None:
    trace = Trace()
    trace.end_us = 5
    assert read(trace, tmp_path).times == [5]


def test_long_ramps_get_a_bounded_number_of_points() -> None:
    hour = 3_600_000_000
    channel = Channel("dose", "number", "MU", [Sample(0, 0.0, 10.0)])
    points = list(channel_changes(channel, hour))
    assert MAX_RAMP_POINTS <= len(points) <= MAX_RAMP_POINTS + 2
    assert points[-1] == (hour, 36_000.0)


samples = st.lists(
    st.tuples(st.integers(0, 3_000_000), st.floats(-1e4, 1e4), st.sampled_from([0.0, 1.0, -2.5, 1e3])),
    min_size=1,
    max_size=20,
    unique_by=lambda s: s[0],
).map(lambda raw: [Sample(*s) for s in sorted(raw)])


@settings(max_examples=60, deadline=None)
@given(samples)
def test_any_ramp_is_followed(pieces: list[Sample]) -> None:
    channel = Channel("c", "number", "", pieces)
    end_us = pieces[-1].t_us + 40_000
    points = list(channel_changes(channel, end_us))
    times = [t for t, _ in points]
    assert times == sorted(times)
    assert {p.t_us for p in pieces} <= set(times)
    for t_us, value in points:
        exact = channel.at(t_us)
        assert isinstance(exact, float)
        assert math.isclose(float(value), exact, abs_tol=2e-6)
    assert len(points) <= 2 * len(pieces) + MAX_RAMP_POINTS + 1
    step_us = ramp_step_us(pieces, end_us)
    assert step_us >= RAMP_STEP_US
    for sample, until in zip(pieces, [*(p.t_us for p in pieces[1:]), end_us], strict=True):
        if sample.slope:
            inside = [t for t in times if sample.t_us <= t < until] + [until]
            assert max(b - a for a, b in pairwise(inside)) <= step_us
