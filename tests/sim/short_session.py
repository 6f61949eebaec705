"""A short real session for tests: one target, one small arc and one step-and-shoot beam."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from firmware_model.contract import Controller
from firmware_model.controller import ModelController
from firmware_model.strict_yaml import load
from firmware_model.table import Table
from firmware_model.table_loading import load_table
from sim.machine import REFERENCE_MACHINE, Machine
from sim.plan.course import Beam, ControlPoint, Course, Target
from sim.scenario.loading import LoadedScenario
from sim.scenario.runner import BoardIdentity, Outcome, run_scenario
from sim.scenario.schema import Expectation, Scenario, Step

JAWS = (-2000, 2000, -2000, 2000)
TABLE = load_table()
MACHINE = load(REFERENCE_MACHINE, Machine)


def arc(number: int = 1, meterset: int = 100_000, points: int = 9) -> Beam:
    """An arc from 10 to 58 degrees; the second half gets three times the dose of the first."""
    metersets = [
        meterset * (i if i <= points // 2 else 3 * i - 2 * (points // 2)) // 16 for i in range(points)
    ]
    metersets[-1] = meterset
    control_points = tuple(
        ControlPoint(ms, 1000 + 600 * i, 0, 0, JAWS, (), 1400) for i, ms in enumerate(metersets)
    )
    return Beam(number, "short arc", "lesion", 6, "fff", "arc", (100, 200, 300), control_points)


def steps(number: int = 2) -> Beam:
    """Two shapes at one gantry angle with a leaf move without dose between them."""
    closed, opened = (-1000,) * 60 + (1000,) * 60, (-1500,) * 60 + (1500,) * 60
    control_points = tuple(
        ControlPoint(ms, 9000, 0, 0, JAWS, leaves, 1400)
        for ms, leaves in ((0, closed), (20_000, closed), (20_000, opened), (45_000, opened))
    )
    return Beam(number, "two steps", "lesion", 6, "fff", "step_and_shoot", (100, 200, 300), control_points)


def course(*beams: Beam) -> Course:
    target = Target("lesion", "lung", (100, 200, 300), 2000, 30.0, 3, beams or (arc(), steps()))
    return Course("short", "a short course", "P-TEST", (target,), "test")


def loaded(
    timeline: list[Step], beams: tuple[Beam, ...] = (), table: Table = TABLE, **more: object
) -> LoadedScenario:
    scenario = Scenario.model_construct(
        **{
            **{name: field.default for name, field in Scenario.model_fields.items()},
            "title": "short session",
            "purpose": "for tests",
            "plan": "none",
            "timeline": timeline,
            "expect": [Expectation.model_construct(**_expect())],
            **more,
        }
    )
    made = course(*beams)
    return LoadedScenario(Path("short.yaml"), scenario, made, MACHINE, table, made.targets, "0" * 64)


def _expect() -> dict[str, object]:
    return {**{n: f.default for n, f in Expectation.model_fields.items()}, "delivered": "lesion"}


def run(
    timeline: list[Step] | None = None,
    beams: tuple[Beam, ...] = (),
    controller: Callable[[Table], Controller] = ModelController,
    table: Table = TABLE,
    seed: int = 1,
    **more: object,
) -> Outcome:
    """Run the session on a controller and judge it."""
    scenario = loaded(timeline or [], beams, table, **more)
    return run_scenario(scenario, controller(table), BoardIdentity("test", "test", ""), seed=seed)


def step(**fields: object) -> Step:
    """A timeline step from plain fields, validated like one in a file."""
    return Step.model_validate(fields)
