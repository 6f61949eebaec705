"""Reading a course file and everything it names, with errors at file:line:column."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from firmware_model.diagnostics import did_you_mean
from firmware_model.strict_yaml import Document, load, load_document
from firmware_model.table import Table
from firmware_model.table_loading import REFERENCE_TABLE, load_table
from sim.course.schema import CourseScenario, VisitName
from sim.machine import REFERENCE_MACHINE, Machine
from sim.plan.course import Course
from sim.plan.loading import load_plan
from sim.plan.schedule_rules import Request
from sim.scenario.checking import Place, check_expectations, check_steps
from sim.scenario.loading import check_requirements, check_units

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class LoadedCourse:
    """A course file with its plan, machine and table, all checked against each other."""

    path: Path
    scenario: CourseScenario
    course: Course
    machine: Machine
    table: Table
    request: Request
    digest: str


_KEY = re.compile(rb"^schedule *:", re.MULTILINE)


def is_course(path: Path) -> bool:
    """Whether a file is a course rather than a scenario: it has the key ``schedule`` at its margin."""
    try:
        return path.is_file() and _KEY.search(path.read_bytes()) is not None
    except OSError:
        return False  # whoever reads it says why it cannot be read


def course_files(folder: Path) -> list[Path]:
    """Every course below a folder, in the order of their paths."""
    return sorted(path for path in folder.rglob("*.y*ml") if path.parent.name == "courses")


def load_course(path: Path, table_path: Path | None = None) -> LoadedCourse:
    """Read and check a course file; ``table_path`` replaces the table it names.

    Raises DocumentError (course, table, machine or plan file) or PlanError.
    """
    document = load_document(path, CourseScenario)
    scenario, here = document.model, path.parent
    machine = load(here / scenario.machine if scenario.machine else REFERENCE_MACHINE, Machine)
    table = load_table(table_path or (here / scenario.table if scenario.table else REFERENCE_TABLE))
    check_units(document, table)
    course = load_plan(here / scenario.plan, machine, None)
    check_requirements(document, table)
    _check_names(document, course)
    for index, session in enumerate(scenario.sessions):
        place: Place = ("sessions", index)
        check_steps(document, (*place, "timeline"), session.timeline, table, course)
        check_expectations(document, (*place, "expect"), session.expect, session.timeline, table, course)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return LoadedCourse(path, scenario, course, machine, table, _request(scenario), digest)


def _request(scenario: CourseScenario) -> Request:
    schedule = scenario.schedule
    return Request(
        start=schedule.start,
        order=tuple(schedule.order),
        targets_per_day=schedule.targets_per_day,
        arrangement=schedule.arrangement,
        working_days=frozenset(WEEKDAYS.index(day) for day in schedule.working_days),
        holidays=frozenset(schedule.holidays),
        last_date=schedule.finish_by,
        first_hour=schedule.first_hour,
        slot_minutes=schedule.slot_minutes,
    )


def _check_names(document: Document[CourseScenario], course: Course) -> None:
    known = [target.id for target in course.targets]
    scenario = document.model

    def check_target(name: str, *place: str | int) -> None:
        if name not in known:
            raise document.error(place, f"the plan has no target {name!r}", did_you_mean(name, known))

    def check_visit(visit: VisitName, *place: str | int) -> None:
        check_target(visit.target, *place, "target")
        fractions = course.target(visit.target).fractions
        if visit.fraction > fractions:
            raise document.error(
                (*place, "fraction"), f"fraction {visit.fraction}: {visit.target} has {fractions}"
            )

    for index, name in enumerate(scenario.schedule.order):
        check_target(name, "schedule", "order", index)
    seen: dict[tuple[str, int], int] = {}
    for index, session in enumerate(scenario.sessions):
        check_visit(session.giving, "sessions", index, "giving")
        visit = (session.giving.target, session.giving.fraction)
        if visit in seen:
            raise document.error(
                ("sessions", index, "giving"),
                f"fraction {visit[1]} of {visit[0]} is spoken of twice (sessions, entry {seen[visit] + 1})",
            )
        seen[visit] = index
        for number, override in enumerate(session.overrides):
            check_target(override.target, "sessions", index, "overrides", number, "target")
        for number, given_up in enumerate(session.abandon):
            check_target(given_up.target, "sessions", index, "abandon", number, "target")
    for index, expectation in enumerate(scenario.expect):
        for key in ("completed", "incomplete"):
            name = getattr(expectation, key)
            if name is not None:
                check_target(name, "expect", index, key)
        places = [*known, *(organ.id for organ in course.organs)]
        if expectation.short is not None and expectation.short not in places:
            raise document.error(
                ("expect", index, "short"),
                f"the plan has no target or organ {expectation.short!r}",
                did_you_mean(expectation.short, places),
            )
        if expectation.refused is not None:
            check_target(expectation.refused.target, "expect", index, "refused", "target")
