"""The session in words: a trace becomes short lines, one per event, that both outputs tell.

Nothing is judged here. Lines that only matter to someone who looks closer are marked ``detail``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from sim.record.figures import amount, clock, duration, monitor_units, plain, quantity, words
from sim.record.trace import Event, Trace

Tone = Literal["plain", "good", "warn", "bad", "dim"]
Topic = Literal["delivery", "interlock", "fault", "operator", "machine"]
Rank = Literal["target", "beam", "line"]

RELATED_US = 10_000_000  # a fault up to 10 s before a trip is named as what may have led to it
LONGEST_CYCLE = 8  # lines of a repeating pattern, e.g. one breathing-gated hold
FEWEST_REPEATS = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the story. Lines with the same ``key`` say the same but for the numbers."""

    t_us: int
    text: str
    topic: Topic
    key: str
    tone: Tone = "plain"
    rank: Rank = "line"
    detail: bool = False
    latency_us: int | None = None  # from trip to beam off


def tell(trace: Trace, run: dict[str, Any]) -> list[Line]:
    """Every event of ``trace`` in words, in order."""
    teller = _Teller(_titles(run))
    for event in trace.events:
        teller.hear(event)
    return teller.lines


def first_cause(trace: Trace, run: dict[str, Any]) -> str:
    """In plain words, what stopped the beam first; a stop counts before a mere hold."""
    titles = _titles(run)
    trips = [e for e in trace.events if e.kind == "trip" and e.fields.get("first_up")]
    first_trip = next((e for e in trips if e.fields.get("stop") != "hold"), trips[0] if trips else None)
    failure = _power_lost_in_beam(trace.events)
    if failure is not None and (first_trip is None or failure.t_us <= first_trip.t_us):
        return (
            f"The controller went off with the beam on, at {clock(failure.t_us)}"
            f"{_after_fault(trace.events, failure.t_us)}; no interlock had stopped the beam before."
        )
    if first_trip is None:
        return _no_first_trip(trace, run, titles)
    interlock = str(first_trip.fields.get("interlock"))
    text = f"{_named(interlock, titles.get(interlock))} tripped first, at {clock(first_trip.t_us)}"
    text += _after_fault(trace.events, first_trip.t_us)
    if first_trip.fields.get("stop"):
        text += f" (stop class: {first_trip.fields['stop']})"
    others = [
        name for name in dict.fromkeys(str(e.fields.get("interlock")) for e in trips) if name != interlock
    ]
    if others:
        listed_others = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
        text += f". At other times {listed_others} came first"
    return text + "."


def _no_first_trip(trace: Trace, run: dict[str, Any], titles: dict[str, str]) -> str:
    """What there is to say when no trip was the first cause of a stop."""
    if trace.events and not any(e.kind == "beam" and e.fields.get("on") for e in trace.events):
        tripped = dict.fromkeys(str(e.fields.get("interlock")) for e in trace.events if e.kind == "trip")
        if tripped:
            return f"The beam never came on; tripped: {', '.join(_named(t, titles.get(t)) for t in tripped)}."
        given_up = [str(e.fields.get("detail") or "") for e in trace.events
                    if e.kind == "operator" and e.fields.get("act") == "abandon"]  # fmt: skip
        reason = f"; {given_up[-1]}" if given_up and given_up[-1] else ""
        return f"The beam never came on{reason}."
    listed = [entry for entry in run.get("interlocks") or [] if entry.get("first_up")]
    if listed:
        first = min(listed, key=lambda entry: entry.get("time_s") or 0)
        when = first.get("time_s")
        at = "" if when is None else f", at {clock(round(when * 1e6))}"
        return f"{_named(first.get('id'), titles.get(str(first.get('id'))))} tripped first{at}."
    holds = Counter(
        str(e.fields.get("interlock"))
        for e in trace.events
        if e.kind == "trip" and e.fields.get("stop") == "hold"
    )
    held = ", ".join(f"{name} held it {amount(n, 'time')}" for name, n in holds.items())
    return f"No interlock stopped the beam{f'; {held}' if held else ''}."


def _power_lost_in_beam(events: Iterable[Event]) -> Event | None:
    """The first event that takes the controller's power while the beam is on."""
    beam = False
    for event in events:
        if event.kind == "beam":
            beam = bool(event.fields.get("on"))
        elif event.kind == "power" and beam and not event.fields.get("on"):
            return event
    return None


def _after_fault(events: Iterable[Event], t_us: int) -> str:
    """How long after the fault that may have led to it, if there is one."""
    fault = _fault_before(events, t_us)
    if fault is None:
        return ""
    lead, name = t_us - fault.t_us, words(fault.fields.get("fault"))
    return f", {duration(lead)} after the fault “{name}”" if lead else f", with the fault “{name}”"


def collapse(lines: Sequence[Line]) -> list[Line]:
    """Repeating patterns told once, with a line that says how often they came again and until when."""
    told: list[Line] = []
    keys = [
        f"{line.rank}:{line.key}" if line.rank == "line" else f"{line.rank}@{index}"
        for index, line in enumerate(lines)
    ]
    index = 0
    while index < len(lines):
        period, repeats = _repetition(keys, index)
        told.extend(lines[index : index + period])
        if repeats > 1:
            again = lines[index + period : index + period * repeats]
            told.append(_again(again, repeats - 1))
        index += period * repeats
    return told


def _repetition(keys: Sequence[str], start: int) -> tuple[int, int]:
    best = (1, 1)
    for period in range(1, LONGEST_CYCLE + 1):
        pattern = keys[start : start + period]
        repeats = 1
        while keys[start + period * repeats : start + period * (repeats + 1)] == pattern:
            repeats += 1
        if repeats >= FEWEST_REPEATS and period * repeats > best[0] * best[1]:
            best = (period, repeats)
    return best


def _again(lines: Sequence[Line], times: int) -> Line:
    last = lines[-1]
    text = f"… the same {times} more times, until {clock(last.t_us)}"
    latencies = [line.latency_us for line in lines if line.latency_us is not None]
    if latencies:
        text += f"; slowest beam off {duration(max(latencies))}"
    return Line(lines[0].t_us, text, last.topic, "again", "dim", detail=last.detail)


def _titles(run: dict[str, Any]) -> dict[str, str]:
    """Title per interlock, as far as the run record knows them."""
    return {str(entry.get("id")): str(entry.get("title") or "") for entry in run.get("interlocks") or []}


def _named(interlock: Any, title: Any) -> str:
    return f"{title} ({interlock})" if title else f"Interlock {interlock}"


def _fault_before(events: Iterable[Event], t_us: int) -> Event | None:
    """The latest fault set in at or before ``t_us``, if it was recent enough to be related."""
    found = None
    for event in events:
        if event.t_us > t_us:
            break
        if event.kind == "fault" and event.fields.get("active", True):
            found = event
    return found if found is not None and t_us - found.t_us <= RELATED_US else None


class _Teller:
    """Remembers what the wording of later lines needs."""

    def __init__(self, titles: dict[str, str]) -> None:
        self.lines: list[Line] = []
        self._titles = titles
        self._trip_us: int | None = None  # first trip since the beam last came on
        self._fault_us: int | None = None  # last fault that set in
        self._beam_us: int | None = None  # since when the beam is on

    def hear(self, event: Event) -> None:
        tell_it: Callable[[int, dict[str, Any]], None] | None = getattr(self, f"_on_{event.kind}", None)
        if tell_it is None:
            details = plain(event.fields)
            text = f"{words(event.kind)}: {details}" if details else words(event.kind)
            self._say(event.t_us, text, "machine", detail=True)
        else:
            tell_it(event.t_us, event.fields)

    def _say(
        self,
        t_us: int,
        text: str,
        topic: Topic,
        tone: Tone = "plain",
        *,
        key: str = "",
        rank: Rank = "line",
        detail: bool = False,
        latency_us: int | None = None,
    ) -> None:
        self.lines.append(Line(t_us, text, topic, key or text, tone, rank, detail, latency_us))

    def _titled(self, interlock: Any) -> str:
        title = self._titles.get(str(interlock))
        return f"{interlock} ({title})" if title else str(interlock)

    # -- the course of treatment ---------------------------------------------------------------

    def _on_session(self, t_us: int, f: dict[str, Any]) -> None:
        self._say(t_us, f"session {f.get('phase', '')}s", "delivery", "dim")

    def _on_target(self, t_us: int, f: dict[str, Any]) -> None:
        name = f"Target {f.get('target')}"
        if f.get("phase") == "end":
            self._say(t_us, f"{name}: done", "delivery", "dim", detail=True)
            return
        fraction = f.get("fraction")
        text = name if fraction is None else f"{name}, fraction {plain(fraction)}"
        self._say(t_us, text, "delivery", rank="target")

    def _on_setup(self, t_us: int, f: dict[str, Any]) -> None:
        self._say(t_us, "patient set up", "delivery")

    def _on_image(self, t_us: int, f: dict[str, Any]) -> None:
        self._say(t_us, f"image taken; shift found {_vector(f.get('shift_mm'))}", "delivery")

    def _on_shift(self, t_us: int, f: dict[str, Any]) -> None:
        self._say(t_us, f"couch shifted by {_vector(f.get('applied_mm'))}", "delivery")

    def _on_select(self, t_us: int, f: dict[str, Any]) -> None:
        self._say(t_us, f"beam {plain(f.get('beam'))} selected", "delivery", detail=True)

    def _on_beam_start(self, t_us: int, f: dict[str, Any]) -> None:
        name = f.get("name")
        text = f"Beam {plain(f.get('beam'))}" + (f" “{name}”" if name else "")
        if f.get("meterset_mu") is not None:
            text += f", {monitor_units(f['meterset_mu'])} MU"
        if f.get("start_mu"):
            text += f", resumed at {monitor_units(f['start_mu'])} MU"
        self._say(t_us, text, "delivery", rank="beam")

    def _on_beam_end(self, t_us: int, f: dict[str, Any]) -> None:
        normal = f.get("cause", "normal") == "normal"
        text = f"{monitor_units(f.get('delivered_mu'))} of {monitor_units(f.get('planned_mu'))} MU delivered"
        if not normal:
            text += f", ended by {words(f['cause'])}"
        self._say(t_us, text, "delivery", "good" if normal else "warn")

    def _on_control_point(self, t_us: int, f: dict[str, Any]) -> None:
        text = f"control point {plain(f.get('index'))} at {monitor_units(f.get('meterset_mu'))} MU"
        self._say(t_us, text, "delivery", key="control point", detail=True)

    # -- the controller and the beam -----------------------------------------------------------

    def _on_beam(self, t_us: int, f: dict[str, Any]) -> None:
        if f.get("on"):
            self._beam_us, self._trip_us = t_us, None
            self._say(t_us, "beam on", "interlock", "good")
            return
        since_trip = None if self._trip_us is None else t_us - self._trip_us
        if since_trip is None:
            self._say(t_us, "beam off", "interlock", detail=True)
        else:
            text = (
                f"beam off {duration(since_trip)} after the trip" if since_trip else "beam off with the trip"
            )
            if self._fault_us is not None and self._trip_us is not None:
                lead = self._trip_us - self._fault_us
                if 0 < lead <= RELATED_US:
                    text += f", {duration(t_us - self._fault_us)} after the fault"
                    self._fault_us = None  # a later stop is another matter
            self._say(t_us, text, "interlock", key="beam off after trip", latency_us=since_trip)
        self._beam_us = None

    def _on_trip(self, t_us: int, f: dict[str, Any]) -> None:
        name = self._titled(f.get("interlock"))
        if self._trip_us is None:
            self._trip_us = t_us
        if not f.get("first_up"):
            hold = f.get("stop") == "hold"
            self._say(t_us, f"{name} holds the beam" if hold else f"also tripped: {name}", "interlock", "dim")
            return
        stop, latch = f.get("stop"), f.get("latch")
        text = f"interlock {name} trips, first up" + (f"; stop: {stop}" if stop else "")
        if latch and latch != "none":
            text += f", latched for {latch} reset"
        self._say(t_us, text, "interlock", "warn" if stop == "hold" else "bad")

    def _on_trip_cleared(self, t_us: int, f: dict[str, Any]) -> None:
        self._say(t_us, f"{f.get('interlock')} clears", "interlock", "dim")

    def _on_latch_reset(self, t_us: int, f: dict[str, Any]) -> None:
        self._say(t_us, f"latch of {f.get('interlock')} reset", "interlock")

    def _on_blocked(self, t_us: int, f: dict[str, Any]) -> None:
        self._say(t_us, f"not ready: {self._titled(f.get('interlock'))}", "interlock", detail=True)

    def _on_unblocked(self, t_us: int, f: dict[str, Any]) -> None:
        self._say(t_us, f"ready: {self._titled(f.get('interlock'))}", "interlock", detail=True)

    def _on_permit(self, t_us: int, f: dict[str, Any]) -> None:
        change = "granted" if f.get("granted") else "withdrawn"
        self._say(t_us, f"beam permit {change}", "interlock", detail=True)

    def _on_state(self, t_us: int, f: dict[str, Any]) -> None:
        text = f"state {words(f.get('from'))} → {words(f.get('to'))}"
        if f.get("trigger"):
            text += f" ({words(f['trigger'])})"
        self._say(t_us, text, "machine", detail=True)

    def _on_proof_test(self, t_us: int, f: dict[str, Any]) -> None:
        lines = f", {amount(int(f['lines']), 'line')}" if isinstance(f.get("lines"), int) else ""
        took = f" in {quantity(f['duration_ms'], 'ms')}" if f.get("duration_ms") is not None else ""
        if f.get("passed"):
            self._say(t_us, f"proof test passed{lines}{took}", "interlock", "good", key="proof test passed")
        else:
            self._say(t_us, f"proof test FAILED at {plain(f.get('failed'))}{lines}{took}", "interlock", "bad")

    def _on_power(self, t_us: int, f: dict[str, Any]) -> None:
        on = bool(f.get("on"))
        self._say(t_us, f"power {'on' if on else 'off'}", "machine", "plain" if on else "warn")

    # -- people and faults ---------------------------------------------------------------------

    def _on_command(self, t_us: int, f: dict[str, Any]) -> None:
        command = words(f.get("command"))
        if f.get("accepted", True):
            self._say(t_us, f"command {command} accepted", "operator", detail=True)
        else:
            reason = f": {plain(f['reason'])}" if f.get("reason") else ""
            self._say(t_us, f"command {command} refused{reason}", "operator", "warn")

    def _on_operator(self, t_us: int, f: dict[str, Any]) -> None:
        act = str(f.get("act"))  # a word like reset_latch, or a sentence that may name interlocks
        detail = f" ({plain(f['detail'])})" if f.get("detail") else ""
        self._say(t_us, f"operator: {act if ' ' in act else words(act)}{detail}", "operator")

    def _on_step(self, t_us: int, f: dict[str, Any]) -> None:
        self._say(t_us, f"scenario step {plain(f.get('step'))}", "fault", detail=True)

    def _on_fault(self, t_us: int, f: dict[str, Any]) -> None:
        active = f.get("active", True)
        if active:
            self._fault_us = t_us
        detail = f" ({plain(f['detail'])})" if f.get("detail") else ""
        text = f"{'FAULT' if active else 'fault ends'}: {words(f.get('fault'))}{detail}"
        self._say(t_us, text, "fault", "bad" if active else "plain")

    def _on_rig_error(self, t_us: int, f: dict[str, Any]) -> None:
        self._say(t_us, f"RIG ERROR, the run ends here: {f.get('detail')}", "fault", "bad")

    def _on_invariant(self, t_us: int, f: dict[str, Any]) -> None:
        detail = f": {plain(f['detail'])}" if f.get("detail") else ""
        self._say(t_us, f"INVARIANT {f.get('id')} violated{detail}", "fault", "bad")


def _vector(values: Any) -> str:
    """Three lengths in mm, signed."""
    if not isinstance(values, list | tuple):
        return "not recorded"
    return " / ".join(quantity(value, signed=True) for value in islice(values, 3)) + " mm"
