"""The trace as a value change dump (VCD), for GTKWave and every other waveform viewer.

One time step is 1 us. Channels that hold a bool are 1-bit wires, states are strings (as GTKWave
knows them) and numbers are reals; the unit of each number stands in the header comment. A channel
``interlock/DOOR`` is the variable ``DOOR`` in the scope ``linac.interlock``.

VCD knows only steps. A number that ramps is therefore written at each of its breakpoints and, in
between, at evenly spaced points counted from the breakpoint: every ``RAMP_STEP_US``, or coarser so
that one channel never gets more than about ``MAX_RAMP_POINTS`` of them. The points are on the exact
line, rounded to 1e-6 of the channel's unit.

Before its first sample a wire is ``x`` and a string is empty. A real cannot be unknown in VCD: it
starts with its first value.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sim.record.trace import Channel, Sample, Trace

ROOT_SCOPE = "linac"
RAMP_STEP_US = 10_000  # 10 ms between two points of a ramp
MAX_RAMP_POINTS = 5_000  # points added to the ramps of one channel

Value = float | str | bool


def write_vcd(trace: Trace, path: Path | str) -> None:
    """Write all channels of ``trace`` to ``path``; the same trace gives the same bytes."""
    from vcd.writer import VCDWriter

    end_us = last_instant(trace)
    channels = [channel for channel in trace.channels.values() if channel.samples]
    changes = sorted(
        (
            (t_us, order, value)
            for order, channel in enumerate(channels)
            for t_us, value in channel_changes(channel, end_us)
        ),
        key=lambda change: change[:2],
    )
    with Path(path).open("w", encoding="utf-8", newline="\n") as file:
        writer = VCDWriter(
            file, timescale="1 us", date="", version="linac interlock simulator", comment=_units(channels)
        )
        names = _variable_names(channels)
        variables = [
            writer.register_var(
                scope, name, _TYPES[channel.kind], size=_SIZES[channel.kind], init=_initial(channel)
            )
            for channel, (scope, name) in zip(channels, names, strict=True)
        ]
        for t_us, order, value in changes:
            writer.change(variables[order], t_us, value)
        writer.close(end_us)


def last_instant(trace: Trace) -> int:
    """The end of the session in us: ``end_us``, or the last thing seen if that was never set."""
    last = trace.end_us
    if trace.events:
        last = max(last, trace.events[-1].t_us)
    for channel in trace.channels.values():
        if channel.samples:
            last = max(last, channel.samples[-1].t_us)
    return last


def channel_changes(channel: Channel, end_us: int) -> Iterator[tuple[int, Value]]:
    """Time in us and value of every point of one channel that goes into the file, in time order."""
    samples = channel.samples
    if channel.kind == "bool":
        yield from ((sample.t_us, bool(sample.value)) for sample in _last_of_each_instant(samples))
    elif channel.kind == "state":
        yield from ((sample.t_us, str(sample.value)) for sample in _last_of_each_instant(samples))
    else:
        kept = list(_last_of_each_instant(samples))
        step_us = ramp_step_us(kept, end_us)
        ends = [sample.t_us for sample in kept[1:]] + [end_us + 1]
        for sample, until in zip(kept, ends, strict=True):
            start, slope = float(sample.value), sample.slope
            yield sample.t_us, round(start, 6)
            if slope:
                for t_us in range(sample.t_us + step_us, until, step_us):
                    yield t_us, round(start + slope * (t_us - sample.t_us) / 1e6, 6)
        if kept and kept[-1].slope:
            last = kept[-1]
            yield end_us, round(float(last.value) + last.slope * (end_us - last.t_us) / 1e6, 6)


def ramp_step_us(samples: list[Sample], end_us: int) -> int:
    """Spacing in us of the points added to the ramps of a channel with these samples."""
    ends = [sample.t_us for sample in samples[1:]] + [end_us]
    ramping_us = sum(end - s.t_us for s, end in zip(samples, ends, strict=True) if s.slope)
    return max(RAMP_STEP_US, -(-ramping_us // MAX_RAMP_POINTS))


_TYPES = {"bool": "wire", "state": "string", "number": "real"}
_SIZES = {"bool": 1, "state": None, "number": None}


def _initial(channel: Channel) -> float | str | None:
    if channel.kind == "number":
        return round(float(channel.samples[0].value), 6)
    return "" if channel.kind == "state" else None


def _last_of_each_instant(samples: list[Sample]) -> Iterator[Sample]:
    """Several samples at one instant: the last one is what holds from there on."""
    for index, sample in enumerate(samples):
        if index + 1 == len(samples) or samples[index + 1].t_us != sample.t_us:
            yield sample


def _units(channels: list[Channel]) -> str:
    lines = [f"{channel.name}: {channel.unit}" for channel in channels if channel.unit]
    if not lines:
        return ""
    return "\n".join(["units", *(line.replace("\n", " ").replace("$", "") for line in lines)])


def _variable_names(channels: list[Channel]) -> list[tuple[tuple[str, ...], str]]:
    """Scope and name per channel: no blanks or dots, and no two alike."""
    taken: set[tuple[str, ...]] = set()
    names = []
    for channel in channels:
        *scope, name = [_identifier(part) for part in channel.name.split("/")]
        full = (ROOT_SCOPE, *scope, name)
        count = 1
        while full in taken:
            count += 1
            full = (ROOT_SCOPE, *scope, f"{name}_{count}")
        taken.add(full)
        names.append((full[:-1], full[-1]))
    return names


def _identifier(text: str) -> str:
    """``text`` as a VCD identifier: viewers split at blanks and dots and take ``$`` for a keyword."""
    cleaned = "".join(c if c.isprintable() and not c.isspace() and c not in ".$[]" else "_" for c in text)
    return cleaned or "_"
