"""Random histories of a few lines: what is sensed, what the proof test forces, what is broken when."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import assume
from hypothesis import strategies as st

from firmware_model.contract import ONE
from sim.scenario.schema import Step
from tests.faults.line_bench import TABLE, Change, Force, step
from tests.faults.line_oracle import onsets

END_US = 90_000
NUMBERS = ("level", "other_level", "high")
COUNTERS = ("count", "other_count")
BOOLS = ("contact", "other_contact")
SWAPS = (("level", "other_level"), COUNTERS, BOOLS)

times = st.integers(1, END_US - 1)


class History(NamedTuple):
    changes: list[Change]
    steps: list[Step]
    forces: list[Force]


@st.composite
def sensed(draw: st.DrawFn, signal: str) -> list[Change]:
    """Straight pieces that begin at random microseconds; they may run out of the signal's range."""
    ends = TABLE.signals[signal].range
    low, high = (TABLE.counts(signal, end) * ONE for end in ends)
    pieces = [Change(0, signal, draw(st.integers(low, high)), 0)]
    if signal in BOOLS:
        pieces = [Change(0, signal, draw(st.sampled_from([0, ONE])))]
    for t in sorted(draw(st.lists(times, max_size=4, unique=True))):
        if signal in BOOLS:
            pieces.append(Change(t, signal, draw(st.sampled_from([0, ONE]))))
        elif signal in COUNTERS:
            pieces.append(_counts_on(draw, pieces[-1], t))
        else:
            steepest = (high - low) // 20
            pieces.append(
                Change(t, signal, draw(st.integers(low, high)), draw(st.integers(-steepest, steepest)))
            )
    return pieces


def _counts_on(draw: st.DrawFn, last: Change, t: int) -> Change:
    """A counter goes on, gets many counts at once, or is set back for another beam."""
    now = last.value + last.slope * (t - last.t_us) // 1000
    value = draw(
        st.sampled_from([now, now + 40 * ONE, 0 if now >= ONE else now, 7 * ONE if now > 8 * ONE else now])
    )
    return Change(t, last.signal, value, draw(st.integers(0, 30 * ONE)))


percent = st.one_of(st.integers(0, 1000), st.sampled_from([0, 50, 99.5, 100, 1000]))


@st.composite
def faults(draw: st.DrawFn, signal: str) -> dict[str, Any]:
    """A fault on this line with keys of any size."""
    lsb = float(TABLE.signals[signal].lsb)
    if signal in BOOLS:
        kinds = ["signal_stuck", "signal_frozen", "signal_disconnected", "signal_delay"]
    elif signal in COUNTERS:
        kinds = ["signal_gain"]
    else:
        kinds = ["signal_stuck", "signal_frozen", "signal_disconnected", "signal_offset"]
        kinds += ["signal_gain", "signal_drift", "signal_delay"]
    kind = draw(st.sampled_from(kinds))
    keys: dict[str, Any] = {"kind": kind, "signal": signal}
    if kind == "signal_stuck":
        keys["value"] = draw(st.booleans()) if signal in BOOLS else draw(st.integers(-150, 150))
    elif kind == "signal_offset":
        keys["by"] = round(draw(st.integers(-400, 400)) * lsb, 3)
    elif kind == "signal_gain":
        keys["percent"] = draw(percent)
    elif kind == "signal_drift":
        keys["per_second"] = draw(
            st.one_of(st.integers(-5000, 5000), st.floats(-1, 1).map(lambda v: round(v, 4)))
        )
    elif kind == "signal_delay":
        keys["by"] = f"{draw(st.integers(1, 40_000))} us"
    return keys


@st.composite
def broken(draw: st.DrawFn, name: str, signal: str) -> list[Step]:
    """One step, its end by itself, by another step or never, with a ramp or a repetition."""
    keys = draw(faults(signal))
    start = draw(times)
    fields: dict[str, Any] = {"id": name, "at": {"time": f"{start} us"}, "fault": keys}
    ends = draw(st.sampled_from(["by itself", "by another step", "never", "again and again"]))
    lasts = draw(st.integers(1_000, 40_000))
    more = []
    if ends == "by another step":
        more.append(step(id=f"{name}_end", at={"time": f"{start + lasts} us"}, clear=name))
    elif ends != "never":
        fields["lasts"] = f"{lasts} us"
    if ends == "again and again":
        fields["repeat"] = {
            "every": f"{lasts + draw(st.integers(1, 20_000))} us",
            "times": draw(st.integers(2, 4)),
        }
    if keys["kind"] in ("signal_offset", "signal_gain") and draw(st.booleans()):
        fields["ramp"] = f"{draw(st.integers(1_000, lasts))} us"
    return [step(**fields), *more]


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Everything at instants of its own, so that no result rests on the order within an instant."""
    changes = [change for name in TABLE.signals for change in draw(sensed(name))]
    steps: list[Step] = []
    for number in range(draw(st.integers(1, 4))):
        steps += draw(broken(f"fault_{number}", draw(st.sampled_from([*NUMBERS, *COUNTERS, *BOOLS]))))
    counted = [s.fault.signal for s in steps if s.fault is not None and s.fault.kind == "signal_gain"]
    for name in COUNTERS:  # a second gain on a counter works on the first one's reading, tested by itself
        assume(counted.count(name) < 2)
    for number in range(draw(st.integers(0, 2))):
        a, b = draw(st.sampled_from(SWAPS))
        start = draw(times)
        fault = {"kind": "signal_swapped", "signal": a, "other": b}
        lasts = f"{draw(st.integers(1_000, END_US))} us"
        steps.append(step(id=f"swap_{number}", at={"time": f"{start} us"}, fault=fault, lasts=lasts))
    forces = []
    edges = sorted(draw(st.lists(times, max_size=4, unique=True)))
    for start, end in zip(edges[::2], edges[1::2], strict=False):
        forces.append(Force(start, end, draw(st.integers(1, 3))))
    # While the proof test forces a counter, no beam is selected and no line is crossed.
    for force in forces:
        assume(not any(c.signal in COUNTERS and force.start_us <= c.t_us <= force.end_us for c in changes))
        assume(
            not any(
                o.fault.kind == "signal_swapped"
                and o.fault.signal in COUNTERS
                and any(force.start_us <= t <= force.end_us for t in o.instants())
                for o in onsets(steps)
            )
        )
        assume(
            not any(
                o.fault.kind == "signal_gain" and force.start_us <= o.start <= force.end_us
                for o in onsets(steps)
            )
        )
    instants = [c.t_us for c in changes if c.t_us] + [t for f in forces for t in f[:2]]
    instants += [t for onset in onsets(steps) for t in onset.instants()]
    assume(len(set(instants)) == len(instants))
    return History(changes, steps, forces)
