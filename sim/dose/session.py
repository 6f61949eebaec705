"""What one session was planned to give and what it gave, in Gy, at every point, by target.

Planned is one fraction of each target of the session. A target's own dose comes from its own beams,
its cross dose from those of all other targets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sim.dose.delivered import delivered
from sim.dose.fields import UnknownLeaves
from sim.dose.influence import Stretch, influence
from sim.dose.kernel import NoBeamData
from sim.dose.points import DosePoint
from sim.dose.standing import stretches
from sim.plan.course import Course, Target
from sim.record.trace import Trace


@dataclass(frozen=True, slots=True)
class PointDose:
    """One point: Gy planned and delivered, by the target whose beams gave it."""

    point: DosePoint
    planned: dict[str, float]
    delivered: dict[str, float]

    @property
    def planned_gy(self) -> float:
        return sum(self.planned.values())

    @property
    def delivered_gy(self) -> float:
        return sum(self.delivered.values())

    @property
    def own_gy(self) -> float:
        """Delivered by the beams of the point's own target; 0 for organs."""
        return self.delivered.get(self.point.owner, 0.0) if self.point.kind != "organ" else 0.0

    def record(self, prescribed: float | None) -> dict[str, Any]:
        """The entry of run.json."""
        point = self.point
        entry: dict[str, Any] = {"of": point.owner, "kind": point.kind}
        if point.side:
            entry["side"] = point.side
        entry |= {
            "prescribed_gy": prescribed,
            "planned_gy": _gy(self.planned_gy),
            "delivered_gy": _gy(self.delivered_gy),
            "difference_gy": _gy(self.delivered_gy - self.planned_gy),
            "own_gy": _gy(self.own_gy),
            "cross_gy": _gy(self.delivered_gy - self.own_gy),
            "from": [
                {"target": name, "planned_gy": _gy(gy), "delivered_gy": _gy(self.delivered[name])}
                for name, gy in self.planned.items()
            ],
        }
        return {key: value for key, value in entry.items() if value is not None}


@dataclass(frozen=True, slots=True)
class SessionDose:
    """The dose of a session, or why there is none: ``problem`` is empty when it was computed."""

    points: tuple[PointDose, ...]
    prescribed: dict[str, float | None]  # Gy per fraction, by target
    outline: dict[str, Any]
    problem: str = ""

    def at(self, owner: str) -> PointDose | None:
        """Centre of a target, or an organ point."""
        return next((p for p in self.points if p.point.owner == owner and p.point.kind != "rim"), None)

    def record(self) -> dict[str, Any]:
        """The entry "dose" of run.json."""
        if self.problem:
            return {"not_computed": self.problem}
        points = [
            p.record(self.prescribed.get(p.point.owner) if p.point.kind == "centre" else None)
            for p in self.points
        ]
        return {"points": points, "outline": self.outline}


def session_dose(
    course: Course,
    targets: Sequence[Target],
    trace: Trace,
    earlier: Mapping[tuple[str, int], int] | None = None,
) -> SessionDose:
    """The dose of a finished run in which one fraction of ``targets`` was to be delivered.

    What of it ``earlier`` sessions delivered (mMU by target and beam) was not planned for this one.
    """
    prescribed = {target.id: per_fraction(target) for target in course.targets}
    try:
        known = influence(course)
    except (NoBeamData, UnknownLeaves) as problem:
        return SessionDose((), prescribed, {}, str(problem))
    planned = known.dose(planned_stretches(targets, earlier))
    given = known.dose(delivered(course, trace))
    points = tuple(
        PointDose(
            point,
            {name: float(gy[i]) for name, gy in planned.items()},
            {name: float(gy[i]) for name, gy in given.items()},
        )
        for i, point in enumerate(known.points)
    )
    ellipse = course.body
    outline = {
        "centre_mm": [value / 100 for value in ellipse.centre],
        "width_mm": ellipse.width / 100,
        "depth_mm": ellipse.depth / 100,
        "assumed": course.outline is None,
    }
    return SessionDose(points, prescribed, outline)


def planned_stretches(
    targets: Sequence[Target], earlier: Mapping[tuple[str, int], int] | None = None
) -> Iterator[Stretch]:
    """What a session is to deliver: one fraction of each target less what ``earlier`` sessions did."""
    for target in targets:
        for beam in target.beams:
            start = (earlier or {}).get((target.id, beam.number), 0)
            yield from stretches(beam, start, beam.meterset)


def per_fraction(target: Target) -> float | None:
    """Prescribed dose of one fraction, Gy; None when the plan does not say."""
    return None if target.prescription_gy is None else target.prescription_gy / target.fractions


def _gy(value: float) -> float:
    """Rounded to 0.1 mGy, and without a negative zero."""
    return round(value, 4) + 0.0
