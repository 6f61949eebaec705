"""Running a scenario: build the world, let it run, judge it, and describe the result."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import simpy

from firmware_model.contract import Controller, ControllerFailed
from firmware_model.rig import Rig
from firmware_model.table import Table
from sim.clinic.motion import Motion
from sim.clinic.policy import Policy
from sim.clinic.record_verify import Orders
from sim.clock import wall_seconds
from sim.scenario.expectations import Measured, measure
from sim.scenario.intervals import longest, where
from sim.scenario.invariants import judge_all
from sim.scenario.loading import LoadedScenario
from sim.scenario.motion_figures import motion_figures
from sim.scenario.timeline import Timeline
from sim.world import World, build_world

if TYPE_CHECKING:
    from sim.dose.standing import Standing

SCHEMA_VERSION = 1
EXIT_CODES = {"PASS": 0, "FAIL": 1, "INVALID": 3, "RIG_ERROR": 4, "SKIPPED": 0}


@dataclass(frozen=True, slots=True)
class BoardIdentity:
    """Who ran the controller."""

    kind: str
    identity: str
    firmware: str

    def record(self, table: Table) -> dict[str, str]:
        """The entry "board" of run.json and course.json."""
        return {
            "kind": self.kind,
            "identity": self.identity,
            "firmware": self.firmware,
            "table_digest": table.digest,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished run: the world with its trace, and the content of run.json."""

    world: World
    run: dict[str, Any]

    @property
    def verdict(self) -> str:
        return str(self.run["verdict"])

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.verdict]


def run_scenario(
    loaded: LoadedScenario,
    controller: Controller,
    board: BoardIdentity,
    *,
    seed: int | None = None,
    reproduce: str = "",
    orders: Orders | None = None,
    before: Standing | None = None,
) -> Outcome:
    """Run to the end of the session or the time limit, and judge.

    ``seed`` replaces the scenario's. As part of a course, ``orders`` replace its fraction, and ``before``
    is how the course stands; alone, every earlier fraction counts as given. A
    controller that fails on the way ends the run as RIG_ERROR with what was recorded until then.
    Raises ValueError when plant and table do not fit, and ControllerFailed when the controller cannot
    be started.
    """
    # And NumPy: only a run pays for it.
    from sim.dose.session import session_dose
    from sim.dose.watch import watch_dose

    started = wall_seconds()
    scenario = loaded.scenario
    used_seed = scenario.seed if seed is None else seed
    policy = Policy(
        scenario.operator.after_interrupt,
        scenario.operator.after_terminate,
        scenario.operator.resets_physics,
        scenario.operator.reimaging,
    )
    world = build_world(
        loaded.course,
        loaded.machine,
        loaded.table,
        controller,
        orders or Orders({target.id: scenario.fraction for target in loaded.course.targets}),
        policy,
        f"{scenario.title}/{used_seed}",
        Motion(scenario.breathing, loaded.recording, scenario.gating, scenario.drift),
    )
    watch_dose(world, before, scenario.fraction)
    timeline = Timeline(world, scenario.timeline)
    session: simpy.Process = world.clock.process(world.operator.session(loaded.targets))
    failed: ControllerFailed | None = None
    try:
        finished = world.conductor.run(scenario.time_limit, session)
    except ControllerFailed as problem:
        finished, failed = False, problem
    world.trace.end_us = max(world.clock.now, world.conductor.tick * world.conductor.scan_us)
    world.truth.catch_up()
    gaps: dict[str, str] = {gap.invariant: gap.because for gap in scenario.known_gaps}
    invariants = [replace(verdict, known_gap=gaps.get(verdict.id, "")) for verdict in judge_all(world)]
    dose = session_dose(loaded.course, loaded.targets, world.trace, world.records.orders.earlier)
    failure = None if failed is None else type(failed).__name__
    expectations = [measure(world, e, timeline.fired, dose, failure) for e in scenario.expect]
    unexpected = failed is not None and failure not in [e.rig_error for e in scenario.expect]
    expectations += [
        Measured(
            f"{verdict.id} is a known gap", "pass" if verdict.broken else "fail", verdict.status, "known_gap"
        )
        for verdict in invariants
        if verdict.known_gap
    ]
    passed = (
        (finished or failed is not None)  # a failed board passes only where that was expected
        and all(e.status == "pass" for e in expectations)
        and all(i.status != "violated" for i in invariants)
    )
    for verdict in invariants:
        if verdict.broken:
            world.trace.event(
                world.trace.end_us, "invariant", id=verdict.id, detail=verdict.record()["detail"]
            )
    measurements = _measurements(world) + motion_figures(world)
    if failed is not None:
        world.trace.event(world.trace.end_us, "rig_error", error=type(failed).__name__, detail=str(failed))
    elif not finished:
        measurements.append({"name": "time limit reached", "value": scenario.time_limit / 1e6, "unit": "s"})
    ran = _what_ran(loaded, board, used_seed)
    if isinstance(controller, Rig):
        ran["board"]["wire"] = controller.wire_report()
    if world.conductor.idle_steps:
        ran["board"]["nothing_to_disturb"] = world.conductor.idle_steps
    run: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "verdict": "RIG_ERROR" if unexpected else "PASS" if passed else "FAIL",
        **ran,
        "sim_time_s": world.trace.end_us / 1e6,
        "wall_time_s": round(wall_seconds() - started, 4),
        "expectations": [e.record() for e in expectations],
        "invariants": [i.record() for i in invariants],
        "measurements": measurements,
        "interlocks": _interlocks(world),
        "targets": _targets(world, loaded),
        "dose": dose.record(),
        "final_state": world.conductor.outputs.state.name,
        "reproduce": reproduce,
    }
    if failed is not None:
        run["rig_error"] = _rig_error(failed)
    run["exit_code"] = EXIT_CODES[run["verdict"]]
    return Outcome(world, run)


def never_started(
    loaded: LoadedScenario, board: BoardIdentity, problem: ControllerFailed, seed: int | None, reproduce: str
) -> dict[str, Any]:
    """The content of run.json when the board could not be started: nothing was simulated."""
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": "RIG_ERROR",
        **_what_ran(loaded, board, loaded.scenario.seed if seed is None else seed),
        "sim_time_s": 0.0,
        "wall_time_s": 0.0,
        **{key: [] for key in ("expectations", "invariants", "measurements", "interlocks", "targets")},
        "dose": {"not_computed": "nothing was delivered: the board could not be started"},
        "final_state": "off",
        "reproduce": reproduce,
        "rig_error": _rig_error(problem),
        "exit_code": EXIT_CODES["RIG_ERROR"],
    }


def _rig_error(problem: ControllerFailed) -> dict[str, str]:
    return {"error": type(problem).__name__, "detail": str(problem)}


def _what_ran(loaded: LoadedScenario, board: BoardIdentity, seed: int) -> dict[str, Any]:
    return {
        "scenario": {
            "path": str(loaded.path),
            "title": loaded.scenario.title,
            "digest": loaded.digest,
            "purpose": loaded.scenario.purpose,
            "requirements": loaded.scenario.requirements,
        },
        "board": board.record(loaded.table),
        "seed": seed,
    }


def _measurements(world: World) -> list[dict[str, Any]]:
    beams = where(world.trace, "beam_on")
    return [
        {"name": "beam-on time", "value": round(sum(b - a for a, b in beams) / 1e6, 6), "unit": "s"},
        {"name": "longest beam without a pause", "value": round(longest(beams) / 1e6, 6), "unit": "s"},
        {"name": "controller scans", "value": world.conductor.scans, "unit": ""},
        {"name": "controller segments", "value": world.conductor.segments, "unit": ""},
    ]


def _interlocks(world: World) -> list[dict[str, Any]]:
    """Every interlock that tripped as the cause of a stop or latched, at its first time."""
    latched = world.conductor.outputs.latched
    found: dict[str, dict[str, Any]] = {}
    for event in world.trace.events:
        if event.kind != "trip":
            continue
        name = event.fields["interlock"]
        row = world.table.interlocks[name]
        entry = found.setdefault(
            name,
            {
                "id": name,
                "title": row.title,
                "first_up": False,
                "time_s": event.t_us / 1e6,
                "latched": bool(latched >> world.table.interlock_ids.index(name) & 1),
                "stop": row.stop,
            },
        )
        entry["first_up"] = entry["first_up"] or event.fields["first_up"]
    return list(found.values())


def _targets(world: World, loaded: LoadedScenario) -> list[dict[str, Any]]:
    """Planned and delivered meterset of each target, beam and control point."""
    records = world.records
    result = []
    for target in loaded.targets:
        beams = []
        for beam in target.beams:
            points = records.control_point_metersets(target, beam)
            beams.append(
                {
                    "number": beam.number,
                    "name": beam.name,
                    "planned_mu": beam.meterset / 1000,
                    "delivered_mu": records.delivered(target, beam) / 1000,
                    "control_points": [
                        {"index": i, "planned_mu": p.meterset / 1000, "delivered_mu": points[i] / 1000}
                        for i, p in enumerate(beam.control_points)
                    ],
                }
            )
        result.append(
            {
                "id": target.id,
                "fraction": records.fraction(target),
                "planned_mu": target.meterset / 1000,
                "delivered_mu": sum(records.delivered(target, beam) for beam in target.beams) / 1000,
                "beams": beams,
            }
        )
    return result
