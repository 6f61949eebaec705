"""Cross dose between targets, and metersets that meet all prescriptions with it.

Over the whole course target i receives the sum over all targets j of n_j D_ij: n_j the number of
fractions of j, D_ij what one fraction of j gives at the centre of i. Independent plans look at D_ii
alone and so give too much where targets are near each other. A joint plan scales the metersets of
each target by s_j such that the sums are the prescriptions: one linear system. Doses are prescribed
to the centre (engineering default; clinical plans prescribe to a surrounding isodose).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sim.dose.influence import influence
from sim.plan.course import Beam, Course, Target

Metersets = Literal["as_written", "independent", "joint"]


class Unscalable(ValueError):
    """No metersets give these prescriptions."""


@dataclass(frozen=True, slots=True)
class CrossDose:
    """Gy of one fraction at the centre of every target (row) from the beams of every target (column)."""

    targets: tuple[str, ...]
    gy: NDArray[np.float64]
    fractions: NDArray[np.float64]

    def course(self) -> NDArray[np.float64]:
        """The same over all fractions of the course."""
        result: NDArray[np.float64] = self.gy * self.fractions[None, :]
        return result


def cross_dose(course: Course) -> CrossDose:
    """What the plan gives. Raises NoBeamData or UnknownLeaves as :func:`sim.dose.influence.influence`."""
    known = influence(course)
    centres = [i for i, point in enumerate(known.points) if point.kind == "centre"]
    columns = [known.dose(known.planned(target.id)) for target in course.targets]
    gy = np.array([column[t.id][centres] for column, t in zip(columns, course.targets, strict=True)]).T
    return CrossDose(
        tuple(target.id for target in course.targets),
        gy,
        np.array([float(t.fractions) for t in course.targets]),
    )


def factors(course: Course, how: Metersets) -> dict[str, float]:
    """By how much to scale every target's metersets. Raises Unscalable when nothing does it."""
    if how == "as_written":
        return {target.id: 1.0 for target in course.targets}
    missing = [target.id for target in course.targets if target.prescription_gy is None]
    if missing:
        raise Unscalable(
            f"no prescription for {', '.join(missing)}; give one or leave the metersets as written"
        )
    dose = cross_dose(course).course()
    wanted = np.array([target.prescription_gy for target in course.targets], dtype=np.float64)
    own = np.diag(dose)
    if np.any(own <= 0):
        name = course.targets[int(np.argmin(own))].id
        raise Unscalable(
            f"the beams of {name} give its centre no dose; is it outside of the patient's outline?"
        )
    scale = wanted / own if how == "independent" else np.linalg.solve(dose, wanted)
    for target, factor in zip(course.targets, scale, strict=True):
        if not factor > 0:
            raise Unscalable(
                f"{target.id} gets more than its {target.prescription_gy:g} Gy from the beams of the other "
                "targets alone; treat it from other directions or not at all"
            )
    return {target.id: float(factor) for target, factor in zip(course.targets, scale, strict=True)}


def scaled(course: Course, how: Metersets) -> Course:
    """The course with the metersets of every target scaled, rounded half up to 0.001 MU."""
    by = factors(course, how)
    return replace(course, targets=tuple(_scaled_target(target, by[target.id]) for target in course.targets))


def _scaled_target(target: Target, factor: float) -> Target:
    exact = Fraction(factor)

    def scaled_beam(beam: Beam) -> Beam:
        points = (
            replace(point, meterset=floor(point.meterset * exact + Fraction(1, 2)))
            for point in beam.control_points
        )
        return replace(beam, control_points=tuple(points))

    return replace(target, beams=tuple(scaled_beam(beam) for beam in target.beams))
