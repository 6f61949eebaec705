"""What is to be delivered: course, target, beam, control point.

Integers only, so that planned and delivered metersets can be compared exactly:
angles 0.01 degree (IEC 61217), lengths 0.01 mm, meterset 0.001 MU (mMU).

The meterset of a control point is cumulative within its beam and is rounded half up to the
meterset resolution, as DICOM PS3.3 C.8.8.14.1 prescribes. Rotations are *unwrapped*: along one
beam they never jump by a full turn, so an arc through 180 degrees reads 181, 180, 179 and a
clockwise arc from 181 to 179 reads 181 ... 539.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal

from sim.machine import FluenceMode
from sim.plan.spacing import EVERY_SECOND_DAY, Spacing

Technique = Literal["static", "step_and_shoot", "dynamic_mlc", "arc"]
Severity = Literal["note", "warning", "error"]
Point = tuple[int, int, int]


class PlanError(ValueError):
    """A plan that cannot be delivered. ``findings`` holds every reason found, errors first."""

    def __init__(self, source: str, findings: list[Finding]) -> None:
        self.source = source
        self.findings = findings
        reasons = "\n".join(f"  {f}" for f in findings if f.severity == "error")
        super().__init__(f"{source}: this plan cannot be delivered\n{reasons}")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing noticed while a plan was read: code for tests and scripts, message for people."""

    severity: Severity
    code: str  # stable kebab-case name, e.g. "brachy-plan", "dose-rate-defaulted"
    where: str  # "beam 3, control point 7", "fraction group 1", "plan"
    message: str  # value, limit and what to do

    def __str__(self) -> str:
        return f"{self.severity} [{self.code}] {self.where}: {self.message}"


@dataclass(frozen=True, slots=True)
class ControlPoint:
    """Machine state at one cumulative meterset; between two points everything is linear."""

    meterset: int  # mMU, cumulative
    gantry: int  # 0.01 degree, unwrapped
    collimator: int  # 0.01 degree, unwrapped
    couch_rotation: int  # 0.01 degree, unwrapped
    jaws: tuple[int, int, int, int]  # x1, x2, y1, y2 in 0.01 mm at the isocentre plane
    leaves: tuple[int, ...]  # first bank (x1 side) then second; empty: no MLC
    dose_rate: int  # MU/min, upper limit for the segment that starts here


@dataclass(frozen=True, slots=True)
class Beam:
    """One treatment beam; at least two control points, the first at meterset 0."""

    number: int
    name: str
    target: str  # id of the target it is aimed at
    energy_mv: int
    fluence_mode: FluenceMode
    technique: Technique
    isocentre: Point  # 0.01 mm, patient coordinates (x, y, z)
    control_points: tuple[ControlPoint, ...]
    duration_limit_s: float | None = None  # DICOM Beam Delivery Duration Limit, when the plan has one
    leaf_boundaries: tuple[int, ...] = ()  # 0.01 mm across the leaves, one more than pairs; empty: unknown
    leaf_travel: Literal["x", "y"] = "x"  # along which jaw axis the leaves move (MLCX or MLCY)

    @property
    def meterset(self) -> int:
        """Planned meterset of the whole beam, mMU."""
        return self.control_points[-1].meterset

    def at(self, meterset: int) -> ControlPoint:
        """Machine state at any meterset of the beam (mMU): linear between its control points.

        Where several control points share the meterset, the first of them.
        """
        points = self.control_points
        after = next((i for i, point in enumerate(points) if point.meterset >= meterset), len(points) - 1)
        end = points[after]
        if after == 0 or end.meterset <= meterset:
            return end
        start = points[after - 1]
        done, whole = meterset - start.meterset, end.meterset - start.meterset

        def between(a: int, b: int) -> int:
            return a + (b - a) * done // whole

        jaws = [between(a, b) for a, b in zip(start.jaws, end.jaws, strict=True)]
        return ControlPoint(
            meterset,
            between(start.gantry, end.gantry),
            between(start.collimator, end.collimator),
            between(start.couch_rotation, end.couch_rotation),
            (jaws[0], jaws[1], jaws[2], jaws[3]),
            tuple(between(a, b) for a, b in zip(start.leaves, end.leaves, strict=True)),
            start.dose_rate,
        )


@dataclass(frozen=True, slots=True)
class Target:
    """One metastasis: where it is and what it is prescribed."""

    id: str
    site: str
    centre: Point  # 0.01 mm, patient coordinates
    diameter: int  # 0.01 mm
    prescription_gy: float | None  # whole course, Gy; None: the plan does not say
    fractions: int
    beams: tuple[Beam, ...]  # in the order of delivery
    spacing: Spacing = EVERY_SECOND_DAY  # between fractions
    regimen: str | None = None  # id in the library, when the plan names one

    @property
    def meterset(self) -> int:
        """Planned meterset of one fraction, mMU."""
        return sum(beam.meterset for beam in self.beams)


@dataclass(frozen=True, slots=True)
class OverallTime:
    """A study's limit from the first dose to any of its targets to the last dose to any of them."""

    study: str  # title
    targets: tuple[str, ...]  # ids
    days: int  # calendar days
    source: str  # as cited


@dataclass(frozen=True, slots=True)
class Outline:
    """The patient's surface: an ellipse in every axial plane; 0.01 mm, patient coordinates."""

    centre: tuple[int, int]  # x, y
    width: int  # right to left
    depth: int  # anterior to posterior

    def holds(self, point: Point) -> bool:
        """Whether a point is within the patient."""
        x, y = (point[0] - self.centre[0]) * self.depth, (point[1] - self.centre[1]) * self.width
        return 4 * (x * x + y * y) <= (self.width * self.depth) ** 2


#: Of a plan that gives no outline: width and depth of an adult trunk (engineering default).
USUAL_OUTLINE = Outline((0, 0), 36_000, 24_000)


@dataclass(frozen=True, slots=True)
class OrganPoint:
    """A point at risk at which dose is told."""

    id: str
    site: str
    at: Point  # 0.01 mm, patient coordinates
    tissue: str | None = None  # name in the library of limits


@dataclass(frozen=True, slots=True)
class Course:
    """Everything planned for one patient; targets in the planned order of delivery."""

    id: str
    title: str
    patient: str  # pseudonymous token; never a name
    targets: tuple[Target, ...]
    source: str  # file name as given
    findings: tuple[Finding, ...] = field(default=())
    overall: tuple[OverallTime, ...] = field(default=())  # of the studies whose regimens are used
    outline: Outline | None = None  # of the patient; None: the plan does not say
    organs: tuple[OrganPoint, ...] = ()

    def target(self, target_id: str) -> Target:
        """The target of that id. Raises KeyError with the known ids otherwise."""
        for target in self.targets:
            if target.id == target_id:
                return target
        known = ", ".join(t.id for t in self.targets)
        raise KeyError(f"no target {target_id!r}; this course has: {known}")

    @property
    def body(self) -> Outline:
        """The outline the plan gives, or the usual one.

        The usual one is centred on the origin of the patient coordinates when all targets are within
        it, as in plans written by hand, and on the mean of their centres otherwise.
        """
        if self.outline is not None:
            return self.outline
        centres = [target.centre for target in self.targets]
        if all(USUAL_OUTLINE.holds(centre) for centre in centres):
            return USUAL_OUTLINE
        x, y = (sum(centre[axis] for centre in centres) // len(centres) for axis in (0, 1))
        return Outline((x, y), USUAL_OUTLINE.width, USUAL_OUTLINE.depth)

    @property
    def digest(self) -> str:
        """SHA-256 over everything that is delivered: changes when any control point changes."""
        text = repr((self.id, self.patient, self.targets))
        return hashlib.sha256(text.encode()).hexdigest()
