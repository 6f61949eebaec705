"""Reading a scenario and everything it names, with errors at file:line:column."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from firmware_model.diagnostics import did_you_mean
from firmware_model.strict_yaml import Document, load, load_document
from firmware_model.table import Table
from firmware_model.table_loading import REFERENCE_TABLE, load_table
from sim.clinic.breathing_file import Recording, read_recording
from sim.clinic.motion_schema import RecordedBreathing
from sim.machine import REFERENCE_MACHINE, Machine
from sim.plan.course import Course, Target
from sim.plan.loading import load_plan
from sim.scenario.checking import check_expectations, check_steps
from sim.scenario.schema import Scenario

PACKAGE = "package:"


@dataclass(frozen=True, slots=True)
class LoadedScenario:
    """A scenario with its plan, machine and table, all checked against each other."""

    path: Path
    scenario: Scenario
    course: Course
    machine: Machine
    table: Table
    targets: tuple[Target, ...]
    digest: str
    recording: Recording | None = None  # the breathing trace the scenario names

    def with_table(self, table: Table) -> LoadedScenario:
        """The same scenario under another table."""
        return replace(self, table=table)


def load_scenario(path: Path, table_path: Path | None = None) -> LoadedScenario:
    """Read and check a scenario; ``table_path`` replaces the table it names.

    Raises DocumentError (scenario, table, machine or plan file) or PlanError.
    """
    document = load_document(path, Scenario)
    scenario = document.model
    here = path.parent
    machine = load(here / scenario.machine if scenario.machine else REFERENCE_MACHINE, Machine)
    named = here / scenario.table if scenario.table else REFERENCE_TABLE
    table = load_table(table_path or named)
    if table.scan_period % 1000:
        raise document.error(
            ("table",), f"scan period {table.scan_period} us: the plant needs a whole number of milliseconds"
        )
    check_units(document, table)
    course = load_plan(_plan_path(document, here), machine, scenario.fraction_group)
    targets = _check_targets(document, course)
    check_requirements(document, table)
    check_steps(document, ("timeline",), scenario.timeline, table, course)
    own_table = table if table_path is None else load_table(named)
    check_expectations(document, ("expect",), scenario.expect, scenario.timeline, own_table, course)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    recording = _check_motion(document, here)
    return LoadedScenario(path, scenario, course, machine, table, targets, digest, recording)


def _plan_path(document: Document[Scenario], here: Path) -> Path:
    name = document.model.plan
    if not name.startswith(PACKAGE):
        return here / name
    package, _, inside = name.removeprefix(PACKAGE).partition("/")
    spec = find_spec(package) if package.isidentifier() else None
    if spec is None or spec.origin is None:
        raise document.error(("plan",), f"no installed Python package {package!r}", f"pip install {package}")
    return Path(spec.origin).parent / inside


def check_units(document: Document[Any], table: Table) -> None:
    """The plant drives every signal in the unit and LSB of the reference table, or it would be misread."""
    for name, driven in load_table(REFERENCE_TABLE).signals.items():
        read = table.signals.get(name)
        if read is not None and (read.kind, read.unit, read.lsb) != (driven.kind, driven.unit, driven.lsb):
            raise document.error(
                ("table",),
                f"signal {name!r} in {table.name!r} is a {read.kind} in steps of {read.lsb} {read.unit}; "
                f"the plant drives a {driven.kind} in steps of {driven.lsb} {driven.unit}",
                "use the plant's unit and lsb, or give the signal another name",
            )


def _check_motion(document: Document[Scenario], here: Path) -> Recording | None:
    """Gating and faults of breathing need breathing; a recording is read here."""
    scenario = document.model
    if scenario.gating is not None and scenario.breathing is None:
        raise document.error(("gating",), "nothing to gate: add 'breathing' to say how the patient breathes")
    for index, step in enumerate(scenario.timeline):
        needed = getattr(step.fault, "needs", None)
        if needed is not None and getattr(scenario, needed) is None:
            raise document.error(("timeline", index, "fault"), f"this fault needs {needed!r} in the scenario")
    if isinstance(scenario.breathing, RecordedBreathing):
        return read_recording(here / scenario.breathing.file)
    return None


def check_requirements(document: Document[Any], table: Table) -> None:
    for index, name in enumerate(document.model.requirements):
        if name not in table.requirements:
            raise document.error(
                ("requirements", index),
                f"no requirement {name!r} in table {table.name!r}",
                did_you_mean(name, table.requirements),
            )


def _check_targets(document: Document[Scenario], course: Course) -> tuple[Target, ...]:
    scenario = document.model
    known = [target.id for target in course.targets]
    chosen = scenario.targets or known
    for index, name in enumerate(chosen):
        at = ("targets", index)
        if name not in known:
            raise document.error(at, f"the plan has no target {name!r}", did_you_mean(name, known))
        if name in chosen[:index]:
            raise document.error(at, f"target {name!r} is listed twice; a fraction is delivered once")
        if scenario.fraction > course.target(name).fractions:
            raise document.error(
                ("fraction",), f"fraction {scenario.fraction}: {name} has {course.target(name).fractions}"
            )
    return tuple(course.target(name) for name in chosen)
