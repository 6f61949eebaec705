"""Where dose is told: centre and rim of every target, and the organ points of the plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sim.plan.course import Course

_RIM = {"left": (0, 1), "right": (0, -1), "posterior": (1, 1), "anterior": (1, -1),
        "superior": (2, 1), "inferior": (2, -1)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DosePoint:
    """A point of the patient; ``owner`` is the id of its target or organ."""

    owner: str
    kind: Literal["centre", "rim", "organ"]
    side: str  # of a rim point: left, right, posterior, anterior, superior, inferior
    position: tuple[float, float, float]  # cm, patient coordinates


def dose_points(course: Course) -> tuple[DosePoint, ...]:
    """All points of a course: each target's centre, six on its rim if its size is known, then organs."""
    found = []
    for target in course.targets:
        x, y, z = (value / 1000 for value in target.centre)
        found.append(DosePoint(target.id, "centre", "", (x, y, z)))
        if not target.diameter:
            continue
        for side, (axis, sign) in _RIM.items():
            position = [x, y, z]
            position[axis] += sign * target.diameter / 2000
            found.append(DosePoint(target.id, "rim", side, (position[0], position[1], position[2])))
    for organ in course.organs:
        x, y, z = (value / 1000 for value in organ.at)
        found.append(DosePoint(organ.id, "organ", "", (x, y, z)))
    return tuple(found)


def positions(points: tuple[DosePoint, ...]) -> NDArray[np.float64]:
    """Positions as an array (points, 3), cm."""
    return np.array([point.position for point in points], dtype=np.float64).reshape(len(points), 3)
