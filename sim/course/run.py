"""Giving a course: one session after the other over days, the ledger in between.

Every session is a run like that of a scenario, with its own trace, expectations and invariants.
What earlier sessions delivered, and what the ledger refuses, comes to it as orders.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from firmware_model.contract import Controller
from firmware_model.table import Differs
from sim.clinic.record_verify import Orders
from sim.clock import wall_seconds
from sim.course.days import Days, PlannedSession
from sim.course.dose import dose_record, standing_of
from sim.course.expectations import judge
from sim.course.loading import LoadedCourse
from sim.course.schema import SessionEntry
from sim.dose.standing import Standing
from sim.ledger.clearance import Refusal, not_overridden, refusals
from sim.ledger.store import Ledger
from sim.plan.schedule import ScheduleError
from sim.plan.visits import Visit
from sim.scenario.loading import LoadedScenario
from sim.scenario.runner import EXIT_CODES, BoardIdentity, Outcome, run_scenario
from sim.scenario.schema import Expectation, Scenario

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class GivenSession:
    """One session of a course: when, what was asked for, what was refused, and its run."""

    number: int
    at: datetime
    visits: tuple[Visit, ...]
    refused: dict[str, tuple[Refusal, ...]]
    outcome: Outcome


@dataclass(slots=True)
class CourseOutcome:
    """A finished course and the content of its course.json."""

    sessions: list[GivenSession] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        return str(self.record["verdict"])

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.verdict]


def run_course(
    loaded: LoadedCourse,
    controller: Controller,
    board: BoardIdentity,
    ledger: Ledger,
    *,
    seed: int | None = None,
    tell: Callable[[GivenSession], None] = lambda session: None,
) -> CourseOutcome:
    """Give everything that is left of the course; ``tell`` hears of every session when it is over.

    A controller that fails ends the course as RIG_ERROR. Raises LedgerError when the ledger does not
    take what happened.
    """
    started = wall_seconds()
    used_seed = loaded.scenario.seed if seed is None else seed
    days = Days(loaded.course, loaded.request, ledger, loaded.scenario.sessions)
    outcome, ended = CourseOutcome(), ""
    while True:
        try:
            planned = days.next()
        except ScheduleError as problem:
            ended = str(problem)
            break
        if planned is None:
            break
        session = _give(loaded, controller, board, ledger, planned, used_seed, days.blocked)
        outcome.sessions.append(session)
        tell(session)
        if session.outcome.verdict == "RIG_ERROR":
            break
        for target, found in session.refused.items():
            if any(refusal.rule not in _PASSING for refusal in found):
                days.blocked[target] = "; ".join(refusal.message for refusal in found)
        days.done(planned)
    outcome.record = _record(loaded, board, ledger, outcome, days, used_seed, ended)
    outcome.record["wall_time_s"] = round(wall_seconds() - started, 4)
    return outcome


#: Refusals that end by themselves with time.
_PASSING = ("shortest-interval", "rhythm")


def _give(
    loaded: LoadedCourse,
    controller: Controller,
    board: BoardIdentity,
    ledger: Ledger,
    planned: PlannedSession,
    seed: int,
    blocked: Collection[str],
) -> GivenSession:
    """One session: cleared by the ledger, run, and entered into it."""
    number = ledger.begin_session(planned.at, f"{loaded.scenario.title}, seed {seed}, {board.kind}")
    entry = planned.entry
    now = standing_of(loaded.course, ledger)
    changes = _cross_dose(loaded, now, planned.visits, {*ledger.abandoned(), *blocked})
    found = {v.target: _refused(loaded, ledger, v, entry, changes.get(v.target, 0)) for v in planned.visits}
    refused = {target: left for target, left in found.items() if left}
    by_ledger = {
        target: "; ".join(refusal.message for refusal in left if refusal.rule != "cross-dose")
        for target, left in refused.items()
    }
    orders = Orders(
        {visit.target: visit.fraction for visit in planned.visits},
        {
            (visit.target, beam): reached
            for visit in planned.visits
            for beam, reached in ledger.reached(visit.target, visit.fraction).items()
        },
        {target: messages for target, messages in by_ledger.items() if messages},
        changes,
        {
            override.target: changes.get(override.target, 0)
            for override in (entry.overrides if entry is not None else ())
            if override.refusal == "cross-dose"
        },
        ledger,
    )
    scenario = _scenario(loaded, planned, number, seed, set(refused))
    session = LoadedScenario(
        loaded.path,
        scenario,
        loaded.course,
        loaded.machine,
        loaded.table,
        tuple(loaded.course.target(visit.target) for visit in planned.visits),
        loaded.digest,
    )
    run = run_scenario(session, controller, board, orders=orders, before=now)
    for given_up in entry.abandon if entry is not None else ():
        ledger.abandon(given_up.target, given_up.reason)
    ledger.end_session()
    return GivenSession(number, planned.at, planned.visits, refused, run)


def _refused(
    loaded: LoadedCourse, ledger: Ledger, visit: Visit, entry: SessionEntry | None, change: int
) -> tuple[Refusal, ...]:
    """What stands against a visit when this session's overrides are taken into account."""
    found = refusals(ledger, loaded.course, visit.target, visit.fraction, visit.at)
    row = loaded.table.interlocks.get("CROSS_DOSE")
    if row is not None and isinstance(row.trips_when, Differs) and row.trips_when.by is not None:
        limit = float(row.trips_when.by)
        if abs(change) / 10 > limit:
            found += (Refusal("cross-dose", _cross_dose_message(visit.target, change, limit)),)
    overrides = [o for o in entry.overrides if o.target == visit.target] if entry is not None else []
    for override in overrides:
        if any(refusal.rule == override.refusal for refusal in found):
            ledger.override(visit.target, visit.fraction, override.refusal, override.reason)
    return not_overridden(found, [override.refusal for override in overrides])


def _cross_dose(
    loaded: LoadedCourse, now: Standing | None, visits: tuple[Visit, ...], given_up: set[str]
) -> dict[str, int]:
    """Of every target treated now the change of its cross dose, in 0.1 % of its planned dose."""
    if now is None:
        return {}
    return {v.target: round(1000 * now.cross_dose_change(v.target, given_up)) for v in visits}


def _cross_dose_message(target: str, change: int, limit: float) -> str:
    return (
        f"the beams for other targets will give {target} {abs(change) / 10:g} % of its planned dose "
        f"{'less' if change < 0 else 'more'} than the plan counts on ({limit:g} % is accepted): "
        "plan anew, or have somebody answer for it"
    )


def _scenario(
    loaded: LoadedCourse, planned: PlannedSession, number: int, seed: int, refused: set[str]
) -> Scenario:
    """The session as a scenario. One that the file says nothing about delivers what it may."""
    course, entry = loaded.scenario, planned.entry
    expect = (
        entry.expect
        if entry is not None
        else [Expectation(delivered=v.target) for v in planned.visits if v.target not in refused]
    )
    scenario = Scenario(
        title=f"{course.title}, session {number}",
        purpose=course.purpose,
        requirements=course.requirements,
        seed=seed,
        plan=course.plan,
        targets=[visit.target for visit in planned.visits],
        operator=(entry.operator if entry is not None else None) or course.operator,
        timeline=entry.timeline if entry is not None else [],
        expect=[Expectation(interruptions=0)],
    )
    return scenario.model_copy(update={"expect": expect})


def _record(
    loaded: LoadedCourse,
    board: BoardIdentity,
    ledger: Ledger,
    outcome: CourseOutcome,
    days: Days,
    seed: int,
    ended: str,
) -> dict[str, Any]:
    dose = dose_record(loaded.course, ledger, {*ledger.abandoned(), *days.blocked})
    expectations = judge(loaded, ledger, outcome.sessions, dose)
    verdicts = [session.outcome.verdict for session in outcome.sessions]
    if "RIG_ERROR" in verdicts:
        verdict = "RIG_ERROR"
    else:
        passed = all(v == "PASS" for v in verdicts) and all(e["status"] == "pass" for e in expectations)
        verdict = "PASS" if passed else "FAIL"
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": verdict,
        "course": {
            "path": str(loaded.path),
            "title": loaded.scenario.title,
            "digest": loaded.digest,
            "purpose": loaded.scenario.purpose,
            "requirements": loaded.scenario.requirements,
        },
        "board": board.record(loaded.table),
        "seed": seed,
        "ledger": str(ledger.path),
        "expectations": expectations,
        "sessions": [_session(session) for session in outcome.sessions],
        "targets": _targets(ledger),
        "dose": dose,
        "blocked": days.blocked,
        "ended_by": ended or None,
        "exit_code": EXIT_CODES[verdict],
    }


def _session(session: GivenSession) -> dict[str, Any]:
    return {
        "number": session.number,
        "at": f"{session.at:%Y-%m-%d %H:%M}",
        "verdict": session.outcome.verdict,
        "visits": [{"target": v.target, "fraction": v.fraction} for v in session.visits],
        "refused": [
            {"target": target, "rule": refusal.rule, "message": refusal.message}
            for target, found in session.refused.items()
            for refusal in found
        ],
        "unrecorded": session.outcome.world.records.unrecorded or None,
        "sim_time_s": session.outcome.run["sim_time_s"],
        "interlocks": session.outcome.run["interlocks"],
    }


def _targets(ledger: Ledger) -> list[dict[str, Any]]:
    complete = {(v.target, v.fraction) for v in ledger.visits() if v.complete}
    abandoned = ledger.abandoned()
    return [
        {
            "id": name,
            "fractions": fractions,
            "completed": [n for n in range(1, fractions + 1) if (name, n) in complete],
            "abandoned": abandoned.get(name),
        }
        for name, (fractions, _) in ledger.planned().items()
    ]
