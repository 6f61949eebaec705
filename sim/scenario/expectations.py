"""Measuring what a scenario expects, with limit, unit and margin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from firmware_model.quantity import format_duration, format_meterset
from sim.record.trace import Event
from sim.scenario.intervals import where
from sim.scenario.schema import Expectation
from sim.world import World

if TYPE_CHECKING:
    from sim.dose.session import SessionDose

#: Difference from the planned dose that counts as none, Gy (engineering default).
DOSE_TOLERANCE = 0.1


@dataclass(frozen=True, slots=True)
class Measured:
    """Outcome of one expectation. ``limit`` and ``margin`` share ``unit`` with ``measured``."""

    text: str
    status: str  # pass, fail, not_evaluated
    measured: float | str | None = None
    limit: float | str | None = None
    unit: str = ""
    margin: float | None = None
    trigger_t_us: int | None = None
    measured_t_us: int | None = None

    def record(self) -> dict[str, Any]:
        """The entry of run.json."""
        return {name: getattr(self, name) for name in self.__slots__ if getattr(self, name) is not None}


def measure(
    world: World,
    expectation: Expectation,
    fired: dict[str, int],
    dose: SessionDose,
    failure: str | None = None,
) -> Measured:
    """Judge one expectation on the finished run; ``fired`` holds the instants of the steps.

    ``failure`` is the kind of error that a board has ended the run with.
    """
    if expectation.dose is not None:
        return _dose(dose, expectation)
    trigger: int | None = None
    if expectation.after is not None:
        trigger = fired.get(expectation.after, -1)
        if trigger < 0:
            return Measured(_text(expectation), "not_evaluated", limit=None)
    if expectation.rig_error is not None:
        return _rig_error(world, expectation, failure)
    kind = next(name for name in _JUDGES if getattr(expectation, name) is not None)
    return _JUDGES[kind](world, expectation, trigger if trigger is not None else 0)


def _text(e: Expectation) -> str:
    """The expectation in words."""
    since = f" after {e.after}" if e.after else ""
    if e.beam_off is not None:
        return f"beam off within {format_duration(e.beam_off)}{since}"
    if e.permit_withdrawn is not None:
        return f"permit withdrawn within {format_duration(e.permit_withdrawn)}{since}"
    if e.beam_stays_on is not None:
        return f"beam stays on for {format_duration(e.beam_stays_on)}{since}"
    if e.state is not None:
        limit = f" within {format_duration(e.within)}" if e.within is not None else ""
        return f"state {e.state}{limit}{since}"
    if e.first_up is not None:
        return f"first cause is {e.first_up}{since}"
    if e.trips is not None:
        return f"{e.trips} trips{since}"
    if e.never_trips is not None:
        return f"{e.never_trips} never trips"
    if e.delivered is not None:
        if e.meterset_below is not None:
            return f"{e.delivered} receives less than {format_meterset(e.meterset_below)}"
        return f"{e.delivered} delivered as planned, within {format_meterset(e.tolerance)}"
    if e.dose is not None:
        limits = [f"more than {e.dose_above:g} Gy"] if e.dose_above is not None else []
        limits += [f"less than {e.dose_below:g} Gy"] if e.dose_below is not None else []
        planned = f"its planned dose within {e.dose_tolerance or DOSE_TOLERANCE:g} Gy"
        return f"{e.dose} receives {' and '.join(limits) or planned}"
    if e.beams_completed is not None:
        return f"{e.beams_completed} beams end normally"
    if e.interruptions is not None:
        return f"{e.interruptions} interruptions"
    if e.holds is not None:
        return f"{e.holds} beam holds"
    if e.beam_stays_off is not None:
        return f"beam stays off for {format_duration(e.beam_stays_off)}{since}"
    if e.accepted is not None:
        return f"{e.accepted} is accepted{since}"
    if e.refused is not None:
        return f"{e.refused} is refused{f' by {e.by}' if e.by else ''}{since}"
    if e.latched is not None:
        return f"{e.latched} latched at the end"
    if e.rig_error is not None:
        return f"the board fails with {e.rig_error}"
    return f"final state {e.final_state}"


def _latency(e: Expectation, trigger: int, moments: list[int], limit_us: int | None) -> Measured:
    """Time from the trigger to the first of ``moments`` at or after it."""
    moment = next((t for t in moments if t >= trigger), None)
    if moment is None:
        limit = None if limit_us is None else limit_us / 1000
        return Measured(_text(e), "fail", "never", limit, "ms", trigger_t_us=trigger)
    measured = (moment - trigger) / 1000
    if limit_us is None:
        return Measured(_text(e), "pass", measured, None, "ms", None, trigger, moment)
    limit = limit_us / 1000
    status = "pass" if measured <= limit else "fail"
    return Measured(_text(e), status, measured, limit, "ms", round(limit - measured, 3), trigger, moment)


def _beam_off(world: World, e: Expectation, trigger: int) -> Measured:
    beams = where(world.trace, "beam_on")
    if not any(a <= trigger <= b for a, b in beams):
        return Measured(_text(e), "not_evaluated", "no beam at that moment", trigger_t_us=trigger)
    return _latency(e, trigger, [b for _, b in beams], e.beam_off)


def _beam_stays_on(world: World, e: Expectation, trigger: int) -> Measured:
    assert e.beam_stays_on is not None
    beam = next(((a, b) for a, b in where(world.trace, "beam_on") if a <= trigger < b), None)
    if beam is None:
        return Measured(_text(e), "not_evaluated", "no beam at that moment", trigger_t_us=trigger)
    lasted, limit = (beam[1] - trigger) / 1000, e.beam_stays_on / 1000
    return Measured(
        _text(e),
        "pass" if lasted >= limit else "fail",
        lasted,
        limit,
        "ms",
        round(lasted - limit, 3),
        trigger,
        beam[1],
    )


def _permit_withdrawn(world: World, e: Expectation, trigger: int) -> Measured:
    permits = where(world.trace, "permit")
    if not any(a <= trigger <= b for a, b in permits):
        return Measured(_text(e), "not_evaluated", "no permit at that moment", trigger_t_us=trigger)
    return _latency(e, trigger, [b for _, b in permits], e.permit_withdrawn)


def _events(world: World, kind: str, since: int) -> list[Event]:
    return [event for event in world.trace.events if event.kind == kind and event.t_us >= since]


def _state(world: World, e: Expectation, trigger: int) -> Measured:
    moments = [event.t_us for event in _events(world, "state", trigger) if event.fields["to"] == e.state]
    return _latency(e, trigger, moments, e.within)


def _first_up(world: World, e: Expectation, trigger: int) -> Measured:
    causes = [event for event in _events(world, "trip", trigger) if event.fields["first_up"]]
    if not causes:
        return Measured(_text(e), "fail", "no stop", e.first_up)
    found = causes[0].fields["interlock"]
    return Measured(
        _text(e), "pass" if found == e.first_up else "fail", found, e.first_up, measured_t_us=causes[0].t_us
    )


def _moments(world: World, interlock: str, since: int, *kinds: str) -> list[int]:
    """When a row tripped. One that ends the beam normally leaves no trip behind: its end is the trip."""
    row = world.table.interlocks.get(interlock)
    if row is not None and row.stop == "complete":
        return [event.t_us for event in _events(world, "state", since) if _normal_end(event)]
    return [
        event.t_us
        for kind in kinds
        for event in _events(world, kind, since)
        if event.fields["interlock"] == interlock
    ]


def _normal_end(event: Event) -> bool:
    """Only the preset leads from a beam back to the preparatory state."""
    return event.fields["from"] in ("irradiation", "hold") and event.fields["to"] == "preparatory"


def _trips(world: World, e: Expectation, trigger: int) -> Measured:
    assert e.trips is not None
    moments = sorted(_moments(world, e.trips, trigger, "trip", "blocked"))
    return _latency(e, trigger, moments, e.within)


def _never_trips(world: World, e: Expectation, trigger: int) -> Measured:
    assert e.never_trips is not None
    count = len(_moments(world, e.never_trips, 0, "trip"))
    return Measured(_text(e), "pass" if count == 0 else "fail", count, 0, "trips", -float(count))


def _delivered(world: World, e: Expectation, trigger: int) -> Measured:
    assert e.delivered is not None
    target = world.course.target(e.delivered)
    got = sum(world.records.delivered(target, beam) for beam in target.beams) / 1000
    if e.meterset_below is not None:
        limit = e.meterset_below / 1000
        return Measured(_text(e), "pass" if got < limit else "fail", got, limit, "MU", round(limit - got, 3))
    planned = target.meterset / 1000
    off = abs(got - planned)
    return Measured(
        _text(e),
        "pass" if off <= e.tolerance / 1000 else "fail",
        got,
        planned,
        "MU",
        round(e.tolerance / 1000 - off, 3),
    )


def _dose(dose: SessionDose, e: Expectation) -> Measured:
    """Dose at the centre of a target or at an organ point against the session's plan or given limits."""
    assert e.dose is not None
    found = dose.at(e.dose)
    if found is None:
        return Measured(_text(e), "not_evaluated", dose.problem, unit="")
    got = round(found.delivered_gy, 4)
    margins = [(got - e.dose_above, e.dose_above)] if e.dose_above is not None else []
    margins += [(e.dose_below - got, e.dose_below)] if e.dose_below is not None else []
    if not margins:
        planned = round(found.planned_gy, 4)
        margins = [((e.dose_tolerance or DOSE_TOLERANCE) - abs(got - planned), planned)]
    margin, limit = min(margins)
    return Measured(_text(e), "pass" if margin >= 0 else "fail", got, limit, "Gy", round(margin, 4))


def _count(e: Expectation, found: int, wanted: int, unit: str) -> Measured:
    return Measured(_text(e), "pass" if found == wanted else "fail", found, wanted, unit)


def _beams_completed(world: World, e: Expectation, trigger: int) -> Measured:
    found = sum(event.fields["cause"] == "normal" for event in _events(world, "beam_end", 0))
    assert e.beams_completed is not None
    return _count(e, found, e.beams_completed, "beams")


def _interruptions(world: World, e: Expectation, trigger: int) -> Measured:
    found = sum(event.fields["to"] == "interrupted" for event in _events(world, "state", 0))
    assert e.interruptions is not None
    return _count(e, found, e.interruptions, "times")


def _holds(world: World, e: Expectation, trigger: int) -> Measured:
    found = sum(event.fields["to"] == "hold" for event in _events(world, "state", 0))
    assert e.holds is not None
    return _count(e, found, e.holds, "times")


def _beam_stays_off(world: World, e: Expectation, trigger: int) -> Measured:
    """From the first moment at or after the step at which the beam is off to the next beam."""
    assert e.beam_stays_off is not None
    beams = where(world.trace, "beam_on")
    off = next((b for a, b in beams if a <= trigger < b), trigger)
    until = next((a for a, _ in beams if a >= off), world.trace.end_us)
    lasted, limit = (until - off) / 1000, e.beam_stays_off / 1000
    status = "pass" if lasted >= limit else "fail"
    return Measured(_text(e), status, lasted, limit, "ms", round(lasted - limit, 3), trigger, until)


def _commands(world: World, name: str, since: int) -> list[Event]:
    return [event for event in _events(world, "command", since) if event.fields["command"] == name]


def _accepted(world: World, e: Expectation, trigger: int) -> Measured:
    assert e.accepted is not None
    answers = _commands(world, e.accepted, trigger)
    if not answers:
        return Measured(_text(e), "not_evaluated", "never given", trigger_t_us=trigger)
    got = answers[0].fields["accepted"]
    found = "accepted" if got else f"refused by {answers[0].fields['reason'] or 'the state'}"
    return Measured(_text(e), "pass" if got else "fail", found, None, "", None, trigger, answers[0].t_us)


def _refused(world: World, e: Expectation, trigger: int) -> Measured:
    """The next such command, and with ``by`` also what stood in its way."""
    assert e.refused is not None
    answers = _commands(world, e.refused, trigger)
    if not answers:
        return Measured(_text(e), "not_evaluated", "never given", trigger_t_us=trigger)
    fields, t_us = answers[0].fields, answers[0].t_us
    if fields["accepted"]:
        return Measured(_text(e), "fail", "accepted", e.by, "", None, trigger, t_us)
    reason = fields["reason"] or "the state"
    status = "pass" if e.by in (None, reason) else "fail"
    return Measured(_text(e), status, f"refused by {reason}", e.by, "", None, trigger, t_us)


def _latched(world: World, e: Expectation, trigger: int) -> Measured:
    ids = world.table.interlock_ids
    latched = [name for i, name in enumerate(ids) if world.conductor.outputs.latched >> i & 1]
    status = "pass" if e.latched in latched else "fail"
    return Measured(_text(e), status, ", ".join(latched) or "nothing", e.latched)


def _final_state(world: World, e: Expectation, trigger: int) -> Measured:
    found = world.conductor.outputs.state.name
    return Measured(_text(e), "pass" if found == e.final_state else "fail", found, e.final_state)


def _rig_error(world: World, e: Expectation, failure: str | None) -> Measured:
    """A controller that no wire leads to cannot fail like that: nothing is asked of it then."""
    if failure is None and world.conductor.idle_steps:
        return Measured(_text(e), "pass", "no wire here", e.rig_error)
    status = "pass" if failure == e.rig_error else "fail"
    return Measured(_text(e), status, failure or "no error", e.rig_error)


_JUDGES = {
    "beam_off": _beam_off,
    "beam_stays_on": _beam_stays_on,
    "permit_withdrawn": _permit_withdrawn,
    "state": _state,
    "first_up": _first_up,
    "trips": _trips,
    "never_trips": _never_trips,
    "delivered": _delivered,
    "beams_completed": _beams_completed,
    "interruptions": _interruptions,
    "beam_stays_off": _beam_stays_off,
    "accepted": _accepted,
    "refused": _refused,
    "latched": _latched,
    "holds": _holds,
    "final_state": _final_state,
}
