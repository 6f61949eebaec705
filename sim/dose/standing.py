"""How a course stands before a session, in Gy: what was given, what is due, and what is still to come.

Doses are those of the metersets that were recorded; what of a fraction came out wrongly without any
record of it is not in them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.dose.delivered import place_of
from sim.dose.influence import Influence, Stretch, influence
from sim.plan.biological_dose import bed
from sim.plan.course import Beam, Course
from sim.plan.organ_limits import tissues

Array = NDArray[np.float64]


def stretches(beam: Beam, start: int, end: int) -> Iterator[Stretch]:
    """A part of a beam from one meterset to another (mMU) as the plan has it, segment by segment."""
    points = beam.control_points
    for index in range(len(points) - 1):
        low = max(start, points[index].meterset)
        high = min(end, points[index + 1].meterset)
        if high > low:
            first = place_of(beam, low / 1000) if low > points[index].meterset else float(index)
            last = place_of(beam, high / 1000) if high < points[index + 1].meterset else index + 1.0
            yield Stretch(beam.number, first, last, (high - low) / 1000)


@dataclass(frozen=True, slots=True)
class Given:
    """One stretch of a beam that was delivered; metersets in mMU. ``event`` tells sessions apart."""

    event: int
    target: str
    fraction: int
    beam: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Organ:
    """An organ point with a limit. Effects are biologically effective doses, Gy."""

    id: str
    point: int  # its place among the points
    alpha_beta: float  # Gy
    limit: float
    had: float  # of earlier sessions

    def share(self, session_gy: float) -> float:
        """Effect of all sessions and one more of this dose, of the limit."""
        return (self.had + session_gy * (1 + session_gy / self.alpha_beta)) / self.limit


@dataclass(frozen=True, slots=True)
class Standing:
    """Gy at every point of the plan (:func:`sim.dose.points.dose_points`), by target that gave it.

    ``events`` are the doses of earlier sessions from all targets together, which decide the biological
    effect; ``per_fraction`` is what one whole fraction of each target gives.
    """

    known: Influence
    course: Course
    given: Mapping[str, Array]
    events: tuple[Array, ...]
    per_fraction: Mapping[str, Array]
    fractions_given: Mapping[str, int]  # highest number begun

    @property
    def total(self) -> Array:
        """Gy given so far, from all targets."""
        result: Array = np.sum(list(self.given.values()), axis=0)
        return result

    def planned(self) -> Mapping[str, Array]:
        """Gy of the whole course as planned, by target that gives it."""
        return {t.id: t.fractions * self.per_fraction[t.id] for t in self.course.targets}

    def due(self, fractions: Mapping[str, int]) -> Array:
        """Gy planned up to the end of these fractions, of every target the furthest begun or asked for.

        For a target without a number here, as many fractions as the furthest of the others has, since
        courses go on side by side.
        """
        furthest = max([*fractions.values(), *self.fractions_given.values(), 1])
        numbers = {
            t.id: min(t.fractions, max(fractions.get(t.id, furthest), self.fractions_given.get(t.id, 0)))
            for t in self.course.targets
        }
        result: Array = np.sum([n * self.per_fraction[name] for name, n in numbers.items()], axis=0)
        return result

    def to_come(self, given_up: Collection[str]) -> Mapping[str, Array]:
        """Gy still to be expected from every target; nothing from those given up."""
        planned = self.planned()
        return {
            name: np.zeros_like(dose) if name in given_up else np.maximum(dose - self.given[name], 0.0)
            for name, dose in planned.items()
        }

    def cross_dose_change(self, target: str, given_up: Collection[str]) -> float:
        """By how much the dose of all other targets' beams will differ from the plan's at the centre of
        a target, as a share of all that is planned there."""
        point = self.centre(target)
        planned, to_come = self.planned(), self.to_come(given_up)
        others = [t.id for t in self.course.targets if t.id != target]
        expected = sum(float(self.given[name][point] + to_come[name][point]) for name in others)
        counted_on = sum(float(planned[name][point]) for name in others)
        everything = counted_on + float(planned[target][point])
        return (expected - counted_on) / everything if everything else 0.0

    def centre(self, target: str) -> int:
        """Place of a target's centre among the points."""
        return next(i for i, p in enumerate(self.known.points) if p.kind == "centre" and p.owner == target)

    def organs(self) -> tuple[Organ, ...]:
        """Every organ with a limit, and what it has had."""
        schedules = [target.fractions for target in self.course.targets]
        found = []
        for organ in self.course.organs:
            if organ.tissue is None:
                continue
            tissue = tissues()[organ.tissue]
            point = next(i for i, p in enumerate(self.known.points) if p.owner == organ.id)
            had = bed([float(event[point]) for event in self.events], tissue.alpha_beta)
            found.append(Organ(organ.id, point, tissue.alpha_beta, tissue.limit_bed(schedules), had))
        return tuple(found)


def standing(course: Course, given: Iterable[Given]) -> Standing:
    """How a course stands after these deliveries. Raises as :func:`sim.dose.influence.influence`."""
    known = influence(course)
    beams = {beam.number: beam for target in course.targets for beam in target.beams}
    by_event: dict[int, list[Stretch]] = {}
    furthest: dict[str, int] = {}
    for part in given:
        by_event.setdefault(part.event, []).extend(stretches(beams[part.beam], part.start, part.end))
        furthest[part.target] = max(furthest.get(part.target, 0), part.fraction)
    totals = {target.id: np.zeros(len(known.points)) for target in course.targets}
    events = []
    for parts in by_event.values():
        doses = known.dose(parts)
        events.append(np.sum(list(doses.values()), axis=0))
        for name, dose in doses.items():
            totals[name] += dose
    per_fraction = {t.id: known.dose(known.planned(t.id))[t.id] for t in course.targets}
    return Standing(known, course, totals, tuple(events), per_fraction, furthest)


def as_planned(course: Course, fraction: int) -> Standing:
    """A course in which every fraction before this number was given to every target as planned, all of
    one number in one session: what a single session is judged by when nothing is known of earlier ones."""
    return standing(
        course,
        (
            Given(number, target.id, number, beam.number, 0, beam.meterset)
            for target in course.targets
            for number in range(1, min(fraction - 1, target.fractions) + 1)
            for beam in target.beams
        ),
    )
