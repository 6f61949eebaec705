"""From a plan file (YAML) to a :class:`Course`: control points worked out from what was written.

Openings follow their target: at every control point they are centred where the target is seen
from the source, so that targets away from a shared isocentre stay in the field. Jaws clear all
openings of a beam and stand still. Metersets are rounded half up to 0.001 MU.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor
from pathlib import Path

from firmware_model.strict_yaml import Document, DocumentError, did_you_mean, load_document
from sim.machine import Machine
from sim.plan import aperture as shapes
from sim.plan.course import (
    Beam,
    ControlPoint,
    Course,
    Finding,
    OrganPoint,
    Outline,
    OverallTime,
    PlanError,
    Point,
    Target,
)
from sim.plan.limits import quality_finding
from sim.plan.organ_limits import tissues
from sim.plan.projection import beams_eye_view
from sim.plan.regimen import Regimen, regimens
from sim.plan.rotation import TURN
from sim.plan.spacing import Spacing, default_spacing
from sim.plan.technique import classify
from sim.plan.yaml_model import (
    Aperture,
    Arc,
    BeamEntry,
    DynamicMlc,
    PlanDocument,
    Static,
    StepAndShoot,
    TargetEntry,
)

_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Stop:
    """A control point before jaws are known: where the machine is and which opening it shows."""

    meterset: int
    gantry: int
    collimator: int
    aperture: Aperture
    path: _Path  # of the aperture in the document


def read_yaml_plan(path: Path, machine: Machine) -> Course:
    """The course in a YAML plan file.

    ``machine`` gives the maximum dose rate of beams that do not state one. Raises DocumentError
    for the file's form and PlanError for a beam quality the machine does not have.
    """
    document = load_document(path, PlanDocument)
    plan = document.model
    chosen = _regimens(document)
    numbers = _numbers(plan)
    isocentres = [target.isocentre or plan.isocentre or target.centre for target in plan.targets]
    findings: list[Finding] = []
    for t, target in enumerate(plan.targets):
        for b, beam in enumerate(target.beams):
            number = numbers[t, b]
            finding = quality_finding(machine, beam.energy.mv, beam.energy.fluence_mode, f"beam {number}")
            if finding is not None:
                line, _ = document.position(("targets", t, "beams", b, "energy"))
                findings.append(replace(finding, where=f"beam {number}, line {line}"))
    if findings:
        raise PlanError(str(path), findings)
    targets = []
    for t, target in enumerate(plan.targets):
        beams = []
        for b, entry in enumerate(target.beams):
            place: _Path = ("targets", t, "beams", b)
            try:
                beams.append(_beam(entry, numbers[t, b], target, isocentres[t], machine, place))
            except _Unusable as error:
                raise document.error(error.path, str(error)) from None
        dose, fractions, spacing = _prescription(target, chosen.get(target.id))
        targets.append(
            Target(
                id=target.id,
                site=target.site,
                centre=target.centre,
                diameter=target.diameter,
                prescription_gy=dose,
                fractions=fractions,
                beams=tuple(beams),
                spacing=spacing,
                regimen=target.regimen,
            )
        )
    body = plan.outline
    course = Course(
        id=plan.id,
        title=plan.title,
        patient=plan.patient,
        targets=tuple(targets),
        source=str(path),
        overall=_overall(chosen),
        outline=None if body is None else Outline(body.centre, body.width, body.depth),
        organs=tuple(
            OrganPoint(organ.id, organ.site, organ.at, _tissue(document, i))
            for i, organ in enumerate(plan.organs)
        ),
    )
    _check_inside(document, course)
    return course if plan.metersets == "as_written" else _scaled(document, course)


def _tissue(document: Document[PlanDocument], index: int) -> str | None:
    """The tissue of an organ point; the library is read only when one is named."""
    name = document.model.organs[index].tissue
    if name is not None and name not in tissues():
        raise document.error(
            ("organs", index, "tissue"), f"no limit for tissue {name!r}", did_you_mean(name, tissues())
        )
    return name


def _check_inside(document: Document[PlanDocument], course: Course) -> None:
    """Raise DocumentError for a target or organ outside of an outline the plan itself gives."""
    if course.outline is None:
        return
    places: list[tuple[_Path, Point]] = [
        *((("targets", i, "centre"), target.centre) for i, target in enumerate(course.targets)),
        *((("organs", i, "at"), organ.at) for i, organ in enumerate(course.organs)),
    ]
    for path, point in places:
        if not course.outline.holds(point):
            at = ", ".join(f"{value / 100:g}" for value in point)
            raise document.error(path, f"({at}) mm is outside of the plan's outline; move it or widen it")


def _scaled(document: Document[PlanDocument], course: Course) -> Course:
    """The course with metersets that meet the prescriptions; the dose model is loaded for it."""
    from sim.dose.cross import Unscalable, scaled
    from sim.dose.kernel import NoBeamData

    try:
        return scaled(course, document.model.metersets)
    except (Unscalable, NoBeamData) as problem:
        raise document.error(("metersets",), str(problem)) from None


def _regimens(document: Document[PlanDocument]) -> dict[str, Regimen]:
    """The regimens named in the plan, by target; the library is read only when there are any."""
    chosen: dict[str, Regimen] = {}
    problems = []
    for t, target in enumerate(document.model.targets):
        if target.regimen is None:
            continue
        known = regimens()
        if target.regimen in known:
            chosen[target.id] = known[target.regimen]
        else:
            message = f"there is no regimen {target.regimen!r}; `interlock plan regimens` lists them"
            help_text = did_you_mean(target.regimen, known)
            problems.append(document.problem(("targets", t, "regimen"), message, help_text))
    if problems:
        raise DocumentError(problems)
    return chosen


def _prescription(target: TargetEntry, regimen: Regimen | None) -> tuple[float | None, int, Spacing]:
    if regimen is not None:
        return regimen.dose_gy, regimen.fractions, regimen.spacing
    assert target.fractions is not None, "the model demands it where there is no regimen"
    spacing = target.spacing.spacing() if target.spacing else default_spacing(target.fractions)
    return target.prescription, target.fractions, spacing


def _overall(chosen: dict[str, Regimen]) -> tuple[OverallTime, ...]:
    """One limit for each study that has one, over the targets with its regimens."""
    by_study: dict[str, OverallTime] = {}
    for target, regimen in chosen.items():
        if regimen.overall_days is None:
            continue
        earlier = by_study[regimen.study].targets if regimen.study in by_study else ()
        by_study[regimen.study] = OverallTime(
            regimen.study_title, (*earlier, target), regimen.overall_days, str(regimen.rules_source)
        )
    return tuple(by_study.values())


class _Unusable(ValueError):
    """A written value that leads nowhere; ``path`` is its place in the document."""

    def __init__(self, path: _Path, message: str) -> None:
        super().__init__(message)
        self.path = path


def _numbers(plan: PlanDocument) -> dict[tuple[int, int], int]:
    """Beam numbers: as written, else the lowest free ones in order, from 1."""
    taken = {beam.number for target in plan.targets for beam in target.beams if beam.number is not None}
    free = (n for n in range(1, 100_000) if n not in taken)
    return {
        (t, b): next(free) if beam.number is None else beam.number
        for t, target in enumerate(plan.targets)
        for b, beam in enumerate(target.beams)
    }


def _beam(
    entry: BeamEntry, number: int, target: TargetEntry, isocentre: Point, machine: Machine, place: _Path
) -> Beam:
    quality = machine.beam_quality(entry.energy.mv, entry.energy.fluence_mode)
    assert quality is not None, "checked before any beam is built"
    stops = list(_stops(entry, place))
    points = _control_points(stops, entry, target.centre, isocentre, entry.dose_rate or quality.max_dose_rate)
    return Beam(
        number=number,
        name=entry.name,
        target=target.id,
        energy_mv=entry.energy.mv,
        fluence_mode=entry.energy.fluence_mode,
        technique=classify(points),
        isocentre=isocentre,
        control_points=points,
        leaf_boundaries=shapes.LEAF_BOUNDARIES if points[0].leaves else (),
    )


def _stops(entry: BeamEntry, place: _Path) -> Iterator[_Stop]:
    collimator = entry.collimator % TURN
    if entry.static is not None:
        yield from _static(entry.static, collimator, (*place, "static"))
    elif entry.step_and_shoot is not None:
        yield from _step_and_shoot(entry.step_and_shoot, collimator, (*place, "step_and_shoot"))
    elif entry.dynamic_mlc is not None:
        yield from _dynamic(entry.dynamic_mlc, collimator, (*place, "dynamic_mlc"))
    elif entry.arc is not None:
        yield from _arc(entry.arc, collimator, (*place, "arc"))


def _static(beam: Static, collimator: int, place: _Path) -> Iterator[_Stop]:
    for meterset in (0, beam.meterset):
        yield _Stop(meterset, beam.gantry % TURN, collimator, beam.aperture, (*place, "aperture"))


def _step_and_shoot(beam: StepAndShoot, collimator: int, place: _Path) -> Iterator[_Stop]:
    total = 0
    for index, segment in enumerate(beam.segments):
        path = (*place, "segments", index, "aperture")
        yield _Stop(total, beam.gantry % TURN, collimator, segment.aperture, path)
        total += segment.meterset
        yield _Stop(total, beam.gantry % TURN, collimator, segment.aperture, path)


def _dynamic(beam: DynamicMlc, collimator: int, place: _Path) -> Iterator[_Stop]:
    gantry, aperture = beam.gantry, beam.control_points[0].aperture
    path: _Path = (*place, "control_points", 0, "aperture")
    for index, point in enumerate(beam.control_points):
        gantry = point.gantry if point.gantry is not None else gantry
        collimator = point.collimator if point.collimator is not None else collimator
        if point.aperture is not None:
            aperture, path = point.aperture, (*place, "control_points", index, "aperture")
        assert aperture is not None, "the model demands it at the first control point"
        yield _Stop(point.at, gantry, collimator, aperture, path)


def _arc(beam: Arc, collimator: int, place: _Path) -> Iterator[_Stop]:
    start = beam.from_ % TURN
    span = (beam.to - start) % TURN
    span = span or TURN if beam.direction == "cw" else span - TURN
    for index in range(beam.control_points):
        part = Fraction(index, beam.control_points - 1)
        yield _Stop(
            _half_up(beam.meterset * _modulated(beam.modulation, part)),
            _half_up(start + span * part),
            collimator,
            beam.aperture,
            (*place, "aperture"),
        )


def _modulated(weights: list[float], part: Fraction) -> Fraction:
    """Share of the meterset given in the first ``part`` (0 to 1) of the arc."""
    exact = [Fraction(weight) for weight in weights]
    whole, rest = divmod(part * len(exact), 1)
    done = sum(exact[: int(whole)], Fraction(0))
    if rest:
        done += exact[int(whole)] * rest
    return done / sum(exact, Fraction(0))


def _control_points(
    stops: list[_Stop], entry: BeamEntry, centre: Point, isocentre: Point, dose_rate: int
) -> tuple[ControlPoint, ...]:
    couch = entry.couch % TURN
    with_jaws_only = [stop.aperture.jaws is not None for stop in stops]
    if any(with_jaws_only) and not all(with_jaws_only):
        raise _Unusable(
            stops[with_jaws_only.index(True)].path,
            "an opening by jaws alone cannot be mixed with leaf openings in one beam",
        )
    openings = [] if any(with_jaws_only) else [_opening(s, centre, isocentre, couch) for s in stops]
    margin = max(stop.aperture.jaw_margin for stop in stops)
    jaws = shapes.jaws_around(openings, margin) if openings else None
    points = []
    for index, stop in enumerate(stops):
        fixed = jaws if jaws is not None else stop.aperture.jaws
        assert fixed is not None
        points.append(
            ControlPoint(
                meterset=stop.meterset,
                gantry=stop.gantry,
                collimator=stop.collimator,
                couch_rotation=couch,
                jaws=fixed,
                leaves=openings[index].leaves if openings else (),
                dose_rate=dose_rate,
            )
        )
    return tuple(points)


def _opening(stop: _Stop, centre: Point, isocentre: Point, couch: int) -> shapes.Opening:
    offset = (centre[0] - isocentre[0], centre[1] - isocentre[1], centre[2] - isocentre[2])
    try:
        x, y = beams_eye_view(offset, stop.gantry, stop.collimator, couch)
    except ValueError as error:
        raise _Unusable(stop.path, f"the target cannot be hit from here: {error}") from None
    shape = stop.aperture
    seen = (x + shape.offset[0], y + shape.offset[1])
    if shape.circle is not None:
        opening = shapes.circle(shape.circle, seen)
    elif shape.rectangle is not None:
        opening = shapes.rectangle(*shape.rectangle, seen)
    else:
        rows = shape.leaf_pairs or []
        opening = shapes.single_pairs({row.pair - 1: row.tips for row in rows}, seen)
    if not opening.pairs:
        raise _Unusable(
            stop.path,
            f"opens no leaf pair: at gantry {stop.gantry % TURN / 100:g} deg it is centred "
            f"{seen[1] / 100:.1f} mm across the leaves; make it at least as large as one leaf (5 to 10 mm) "
            "and keep it within 200 mm of the isocentre",
        )
    return opening


def _half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))
