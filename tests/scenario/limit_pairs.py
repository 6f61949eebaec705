"""What makes two scenario files a limit pair of one interlock; every breach is named.

The two are the same scenario but for one number of one step, which differs by one count of the
signal concerned or by at most one scan. One trips the interlock, the other does not. So the pair
brackets the documented limit as closely as the controller can tell anything apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from firmware_model.controller import ModelController
from firmware_model.diagnostics import DocumentError
from firmware_model.quantity import Angle, Duration, Meterset, format_duration
from firmware_model.states import State
from firmware_model.table import Interlock, Table, Timer
from sim.clock import US_PER_MS
from sim.plan.course import PlanError
from sim.scenario.intervals import where
from sim.scenario.loading import LoadedScenario, load_scenario
from sim.scenario.runner import BoardIdentity, Outcome, run_scenario
from sim.scenario.schema import Expectation, Scenario, Step

GROUPS = ("room", "dose", "beam", "geometry", "imaging", "identity", "course", "utilities", "controller")
TRIPS, NEAR_MISS = "trips", "near_miss"
#: What a reader is told and what is expected; everything else is the scenario itself.
PROSE = {"title", "purpose", "expect"}

Path_ = tuple[str | int, ...]
Difference = tuple[Path_, Any, Any]


def files_of(root: Path, interlock: str, role: str) -> list[Path]:
    """The interlock's files of that role, whatever their group; there must be exactly one."""
    return sorted(
        path for group in GROUPS for path in (root / group).glob(f"{interlock.lower()}_{role}.yaml")
    )


def stray_files(root: Path, table: Table) -> list[str]:
    """Files below ``root`` that are no interlock's; they would be taken for evidence of nothing."""
    known = {
        root / group / f"{interlock.lower()}_{role}.yaml"
        for group in GROUPS
        for interlock in table.interlocks
        for role in (TRIPS, NEAR_MISS)
    }
    return [str(path.relative_to(root)) for path in sorted(root.rglob("*.y*ml")) if path not in known]


def pair_problems(root: Path, interlock: str) -> list[str]:
    """Everything that is wrong with the pair of ``interlock`` below ``root``; empty when it is sound."""
    found = {role: files_of(root, interlock, role) for role in (TRIPS, NEAR_MISS)}
    problems = [
        f"{len(files)} files {interlock.lower()}_{role}.yaml; write exactly one, in a folder of its group "
        f"below scenarios/limits ({', '.join(GROUPS)})"
        for role, files in found.items()
        if len(files) != 1
    ]
    if problems:
        return problems
    (trips,), (near_miss,) = found[TRIPS], found[NEAR_MISS]
    if trips.parent != near_miss.parent:
        return [f"{trips.name} lies in {trips.parent.name}, {near_miss.name} in {near_miss.parent.name}"]
    try:
        pair = Pair(interlock, load_scenario(trips), load_scenario(near_miss))
    except (DocumentError, PlanError) as problem:
        return [str(problem)]
    return list(pair.problems())


@dataclass(frozen=True)
class Run:
    """One file's finished run, looked at from the step that makes the difference."""

    loaded: LoadedScenario
    outcome: Outcome
    step: Step

    @cached_property
    def started(self) -> int | None:
        """The instant of the step, microseconds; None when it never happened."""
        return self._fired.get(self.step.id)

    @cached_property
    def _fired(self) -> dict[str, int]:
        events = self.outcome.world.trace.events
        return {event.fields["step"]: event.t_us for event in events if event.kind == "step"}

    def idle_steps(self) -> list[str]:
        """Steps whose moment never came."""
        return [step.id for step in self.loaded.scenario.timeline if step.id not in self._fired]

    def trips(self, interlock: str) -> list[tuple[int, bool]]:
        """Instants from the step on at which the row trips or stands in the way; True: the first cause.

        The normal end of a beam is no trip in the records: there the beam's end is the trip.
        """
        world = self.outcome.world
        since = [event for event in world.trace.events if event.t_us >= (self.started or 0)]
        if self.loaded.table.interlocks[interlock].stop == "complete":
            ends = [e for e in since if e.kind == "state" and e.fields["to"] == State.preparatory.name]
            return [
                (e.t_us, False) for e in ends if State[e.fields["from"]] in (State.irradiation, State.hold)
            ]
        return [
            (event.t_us, event.fields.get("first_up", False))
            for event in since
            if event.kind in ("trip", "blocked") and event.fields["interlock"] == interlock
        ]

    def cause_of(self, row: Interlock, trip_us: int) -> int:
        """When the row has something to answer to: the step, or later when the row begins to act.

        A timer's cause is the end of its set time in the states it acts in.
        """
        trace = self.outcome.world.trace
        acting = {state.name for state in row.states}
        stretches = [s for s in where(trace, "state", lambda name: name in acting) if s[0] <= trip_us]
        cause = max([self.started or 0, *(begin for begin, _ in stretches[-1:])])
        if isinstance(row.trips_when, Timer):
            left = round(float(trace.channels[row.trips_when.limit].at(trip_us) or 0) * US_PER_MS)
            for begin, end in stretches:
                if left <= end - begin:
                    return max(cause, begin + left)
                left -= end - begin
        return cause

    def holds_at_step(self, channel: str) -> bool:
        """Whether a yes-or-no channel (permit, beam_on) is true when the step happens."""
        assert self.started is not None
        return bool(self.outcome.world.trace.channels[channel].at(self.started))

    def verdict_problems(self) -> Iterator[str]:
        run = self.outcome.run
        if self.outcome.verdict != "PASS":
            failed = [e["text"] for e in run["expectations"] if e["status"] != "pass"]
            violated = [i["id"] for i in run["invariants"] if i["status"] == "violated"]
            yield f"{self.loaded.path.name} does not pass: {', '.join(failed + violated) or 'time limit'}"
        for step in self.idle_steps():
            yield f"{self.loaded.path.name}: step {step!r} never happened; its moment does not occur"


@dataclass(frozen=True)
class Pair:
    """The two files of one interlock, read and checked."""

    interlock: str
    trips: LoadedScenario
    near_miss: LoadedScenario

    @property
    def table(self) -> Table:
        return self.trips.table

    @property
    def row(self) -> Interlock:
        return self.table.interlocks[self.interlock]

    def problems(self) -> Iterator[str]:
        for loaded in (self.trips, self.near_miss):
            if set(loaded.scenario.requirements) != set(self.row.requirements):
                yield (
                    f"{loaded.path.name}: requirements {loaded.scenario.requirements}, "
                    f"the row has {self.row.requirements}"
                )
        differing = differences(self.trips.scenario, self.near_miss.scenario)
        if len(differing) != 1:
            yield (
                f"the two files must differ in exactly one number of one step, they differ in "
                f"{len(differing)}: {'; '.join(map(describe, differing)) or 'nothing'}"
            )
            return
        place, over, under = differing[0]
        if place[0] != "timeline" or len(place) < 3 or not (is_number(over) and is_number(under)):
            yield f"{describe(differing[0])} is not a number of a step"
            return
        number = place[1]
        assert isinstance(number, int)
        trips = self._run(self.trips, number, self.table)
        near_miss = self._run(self.near_miss, number, self.table)
        yield from trips.verdict_problems()
        yield from near_miss.verdict_problems()
        if trips.started is None or near_miss.started is None:
            return
        yield from self._too_far_apart(differing[0], trips, near_miss)
        yield from self._trip_problems(trips)
        yield from self._near_miss_problems(near_miss)
        if self._run(self.trips, number, self.table.without(self.interlock)).outcome.verdict != "FAIL":
            yield f"{self.trips.path.name} passes although the table has no {self.interlock}"

    @staticmethod
    def _run(loaded: LoadedScenario, number: int, table: Table) -> Run:
        # Read again: faults keep what they noted in an earlier run.
        fresh = load_scenario(loaded.path).with_table(table)
        outcome = run_scenario(fresh, ModelController(table), BoardIdentity("model", "test", ""))
        return Run(fresh, outcome, fresh.scenario.timeline[number])

    # ---- how far apart -----------------------------------------------------------------------------

    def _too_far_apart(self, difference: Difference, trips: Run, near_miss: Run) -> Iterator[str]:
        place, over, under = difference
        holder = holder_of(self.trips.scenario, place)
        key = str(place[-1])
        field = type(holder).model_fields[key]
        if is_quantity(field, Duration):
            if abs(over - under) > self.table.scan_period:
                yield (
                    f"{dotted(place)} differs by {format_duration(abs(over - under))}, "
                    f"more than a scan ({format_duration(self.table.scan_period)})"
                )
        elif is_quantity(field, Meterset) or is_quantity(field, Angle):
            if abs(over - under) > 1:
                yield f"{dotted(place)} differs by {abs(over - under)} counts, not by one"
        elif key in ("value", "by") and getattr(holder, "signal", None) is not None:
            signal = holder.signal  # type: ignore[attr-defined]
            counts = abs(self.table.counts(signal, over) - self.table.counts(signal, under))
            if counts > 1:
                yield f"{dotted(place)} differs by {counts} counts of {signal}, not by one"
        else:
            yield from self._signals_apart(place, trips, near_miss)

    def _signals_apart(self, place: Path_, trips: Run, near_miss: Run) -> Iterator[str]:
        """A number in no signal's unit, like a percentage: what the row reads may be a count apart."""
        moments = trips.trips(self.interlock)
        if not moments or trips.started is None or near_miss.started is None:
            return
        since = moments[0][0] - trips.started
        for name in self.row.signals:
            lsb = float(self.table.signals[name].lsb)
            a = trips.outcome.world.trace.channels[name].at(trips.started + since)
            b = near_miss.outcome.world.trace.channels[name].at(near_miss.started + since)
            counts = abs(float(a or 0) - float(b or 0)) / lsb
            if counts > 1.000_001:
                yield f"{dotted(place)} makes {name} differ by {counts:g} counts at the trip, not by one"

    # ---- what the runs and their expectations must show --------------------------------------------

    def _trip_problems(self, run: Run) -> Iterator[str]:
        name, expect = run.loaded.path.name, run.loaded.scenario.expect
        assert run.started is not None
        moments = run.trips(self.interlock)
        if not moments:
            yield f"{name}: {self.interlock} does not trip after step {run.step.id!r}"
            return
        moment, first_up = moments[0]
        cause = run.cause_of(self.row, moment)
        limit = self.row.respond_within + (run.step.ramp or 0)  # a fault that grows needs its time
        if moment - cause > limit:
            yield (
                f"{name}: {self.interlock} trips {format_duration(moment - cause)} after its cause, "
                f"the table allows {format_duration(limit)}"
            )
        asked = [
            e for e in expect if e.trips == self.interlock and e.after == run.step.id and e.within is not None
        ]
        if not asked:
            yield f"{name}: expect {{trips: {self.interlock}, after: {run.step.id}, within: ...}}"
        elif cause == run.started and min(e.within or 0 for e in asked) > limit:
            yield f"{name}: 'within' of the trip allows more than {format_duration(limit)}"
        if first_up and not any(e.first_up == self.interlock for e in expect):
            yield f"{name}: it is the first cause; expect {{first_up: {self.interlock}}}"
        if cause == run.started and run.holds_at_step("permit"):
            withdrawn = [e.permit_withdrawn for e in expect if e.permit_withdrawn is not None]
            if not withdrawn or min(withdrawn) > limit:
                yield f"{name}: permit given; expect {{permit_withdrawn: {format_duration(limit)}}} or less"
        yield from self._ending(name, expect)

    def _near_miss_problems(self, run: Run) -> Iterator[str]:
        name, expect = run.loaded.path.name, run.loaded.scenario.expect
        moments = run.trips(self.interlock)
        if not any(e.never_trips == self.interlock for e in expect):
            yield f"{name}: expect {{never_trips: {self.interlock}}}"
        if moments:
            since = moments[0][0] - (run.started or 0)
            yield f"{name}: {self.interlock} trips, {format_duration(since)} after step {run.step.id!r}"
        if run.holds_at_step("beam_on") and not self._says_what_becomes_of_the_beam(expect):
            yield f"{name}: beam is on; expect {{beam_stays_on: ...}}, or which other row stops it"
        if not any(e.delivered and e.meterset_below is None for e in expect):
            yield f"{name}: expect the target to be delivered"
        if not any(e.final_state == State.standby.name for e in expect):
            yield f"{name}: expect {{final_state: standby}}"

    def _says_what_becomes_of_the_beam(self, expect: list[Expectation]) -> bool:
        """It stays on; or a row that shares the signal holds it, or stops it."""
        return any(
            e.beam_stays_on or e.state == State.hold.name or e.first_up not in (None, self.interlock)
            for e in expect
        )

    @staticmethod
    def _ending(name: str, expect: list[Expectation]) -> Iterator[str]:
        if not any(e.delivered for e in expect):
            yield f"{name}: expect what the target receives"
        if not any(e.final_state for e in expect):
            yield f"{name}: expect the final state"


# ---- comparing two scenarios -----------------------------------------------------------------------


def differences(one: Scenario, other: Scenario) -> list[Difference]:
    """Every place at which the two say something else, prose and expectations aside."""
    return list(_compare(one.model_dump(exclude=PROSE), other.model_dump(exclude=PROSE), ()))


def _compare(one: Any, other: Any, place: Path_) -> Iterator[Difference]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys((*one, *other)):
            yield from _compare(one.get(key), other.get(key), (*place, key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from _compare(a, b, (*place, index))
    elif one != other or is_number(one) is not is_number(other):  # true equals 1, but is no number
        yield place, one, other


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def holder_of(scenario: Scenario, place: Path_) -> BaseModel:
    """The part of the scenario whose key ``place`` ends in."""
    found: Any = scenario
    for key in place[:-1]:
        found = found[key] if isinstance(key, int) else getattr(found, key)
    assert isinstance(found, BaseModel)
    return found


def is_quantity(field: FieldInfo, quantity: Any) -> bool:
    """Whether a field is written as that quantity, with its unit."""
    mark = get_args(quantity)[1]
    parts = (field.metadata, *(get_args(part) for part in get_args(field.annotation)))
    return any(found is mark for part in parts for found in part)


def dotted(place: Path_) -> str:
    return ".".join(str(key) for key in place)


def describe(difference: Difference) -> str:
    place, one, other = difference
    return f"{dotted(place)} {one!r} against {other!r}"
