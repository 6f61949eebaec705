"""Visits: one fraction of one target, planned for or given at one moment.

The same record serves for a schedule and for what was delivered, so that one checker judges both.
Moments are the clinic's local time; the change to and from summer time is not modelled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from firmware_model.diagnostics import RefusedValue, did_you_mean
from firmware_model.strict_yaml import DocumentError, load_document
from sim.plan.course import Course, Target
from sim.plan.yaml_model import Name

_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Visit:
    """One target's fraction at one moment; not complete: only part of the fraction was given."""

    target: str
    fraction: int
    at: datetime  # local time, start
    complete: bool = True


def in_order(visits: Iterable[Visit]) -> list[Visit]:
    """By time; the same order whatever the order given."""
    return sorted(visits, key=lambda visit: (visit.at, visit.target, visit.fraction, visit.complete))


def remaining(target: Target, visits: Iterable[Visit]) -> list[int]:
    """Numbers of the fractions of ``target`` that no visit has completed, in order."""
    done = {visit.fraction for visit in visits if visit.target == target.id and visit.complete}
    return [number for number in range(1, target.fractions + 1) if number not in done]


def _parse_moment(value: object) -> object:
    try:
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            return datetime.fromisoformat(value)
    except ValueError:
        pass  # 30 February, say
    raise RefusedValue(
        f"{str(value)[:40]!r} is not a local date and time", "write for example 2026-03-02 09:00"
    )


class VisitEntry(BaseModel):
    """One visit in a file of delivered fractions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: Name
    fraction: Annotated[int, Field(ge=1, le=60)]
    at: Annotated[datetime, BeforeValidator(_parse_moment), Field(description="local time, start")]
    complete: bool = True


class DeliveredDocument(BaseModel):
    """What was delivered so far."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delivered: Annotated[list[VisitEntry], Field(max_length=2_000)]


def load_visits(path: Path, course: Course) -> tuple[Visit, ...]:
    """The visits in a YAML file, in order of time.

    Raises DocumentError, with the place, also for a target or fraction that ``course`` does not have.
    """
    document = load_document(path, DeliveredDocument)
    fractions = {target.id: target.fractions for target in course.targets}
    problems = []
    for index, entry in enumerate(document.model.delivered):
        place = ("delivered", index)
        if entry.target not in fractions:
            message = f"course {course.id} has no target {entry.target!r}"
            help_text = did_you_mean(entry.target, fractions)
            problems.append(document.problem((*place, "target"), message, help_text))
        elif entry.fraction > fractions[entry.target]:
            message = f"fraction {entry.fraction}: {entry.target} has {fractions[entry.target]}"
            problems.append(document.problem((*place, "fraction"), message))
    if problems:
        raise DocumentError(problems)
    return tuple(in_order(Visit(e.target, e.fraction, e.at, e.complete) for e in document.model.delivered))
