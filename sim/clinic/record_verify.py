"""Record and verify: which beam may be treated, what the controller is told, what was delivered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from sim.clinic.identity import token
from sim.clock import US_PER_MS, US_PER_S
from sim.linac.lines import Lines
from sim.machine import Machine
from sim.plan.course import Beam, Course, Target
from sim.plan.partial import delivered
from sim.plan.timing import beam_duration_us


class RefusedDelivery(ValueError):
    """Record and verify will not hand this beam to the machine; the message says why."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One uninterrupted or resumed stretch of a beam, ended once; metersets in mMU."""

    target: str
    fraction: int
    beam: int
    start: int
    end: int
    cause: str  # normal, interlock, operator, power
    secondary: int  # what the secondary channel said at the end
    first_up: str | None = None


class NotRecorded(ValueError):
    """The book did not take what it was told; the message says why."""


class Book(Protocol):
    """Where every delivery is written down when it happens (:mod:`sim.ledger`). Raises NotRecorded."""

    def begin(self, target: str, fraction: int, beam: int, start: int) -> None: ...
    def passed(self, control_point: int, meterset: int) -> None: ...
    def end(self, delivery: Delivery) -> None: ...


@dataclass(frozen=True, slots=True)
class Orders:
    """What record and verify is told for one session.

    ``fractions`` names the fraction of each target to give and ``earlier`` what of it earlier sessions
    delivered, mMU by target and beam; ``refused`` says of a target why it must not be treated now.
    ``cross_dose`` is the change of its cross dose (0.1 % of its planned dose) where there is one, and
    ``cross_dose_accepted`` the change that somebody answers for.
    """

    fractions: Mapping[str, int] = field(default_factory=dict)
    earlier: Mapping[tuple[str, int], int] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    cross_dose: Mapping[str, int] = field(default_factory=dict)
    cross_dose_accepted: Mapping[str, int] = field(default_factory=dict)
    book: Book | None = None


@dataclass(slots=True)
class RecordVerify:
    """The course of one session and its deliveries."""

    course: Course
    machine: Machine
    orders: Orders
    lines: Lines
    gated: bool = False
    in_free_breathing: bool = False  # gated, and not in breath-hold
    deliveries: list[Delivery] = field(default_factory=list)
    plan_token: int = field(init=False)  # changes when any control point of the course changes
    mistaken: set[str] = field(default_factory=set)  # fault: identities the console confirms wrongly
    unrecorded: str = ""  # why the book no longer takes what is delivered
    certain: int = 0  # meterset of the last control point reached, or where the beam went on, mMU
    _confirmed: Target | None = None

    def __post_init__(self) -> None:
        self.plan_token = token("plan", self.course.digest)
        self.lines.drive("override_plan", 0)
        self.lines.drive("fraction_cleared", True)  # until a fraction is selected there is none to refuse
        self.lines.drive("cross_dose_change", 0)
        self.lines.drive("cross_dose_accepted", 0)
        self.lines.drive("target_dose", 0)
        self.lines.drive("organ_dose", 0)
        self.end_override()

    def delivered(self, target: Target, beam: Beam) -> int:
        """Meterset up to which the beam has been delivered in this fraction, mMU."""
        ends = [
            d.end
            for d in self.deliveries
            if (d.target, d.fraction, d.beam) == (target.id, self.fraction(target), beam.number)
        ]
        return max(ends, default=self.orders.earlier.get((target.id, beam.number), 0))

    def fraction(self, target: Target) -> int:
        """Which fraction of the target this session gives."""
        return self.orders.fractions[target.id]

    def refusal(self, target: Target) -> str | None:
        """Why the target must not be treated in this session; None: it may."""
        return self.unrecorded or self.orders.refused.get(target.id)

    def select(self, target: Target, beam: Beam) -> int:
        """Hand the beam to the controller; returns the meterset it starts from.

        Raises RefusedDelivery for a beam that is complete or a fraction the target does not have.
        """
        start, fraction = self.delivered(target, beam), self.fraction(target)
        if start >= beam.meterset:
            raise RefusedDelivery(f"beam {beam.number} of {target.id} is complete in fraction {fraction}")
        if not 1 <= fraction <= target.fractions:
            raise RefusedDelivery(f"{target.id} has {target.fractions} fractions, not a number {fraction}")
        expected_us = beam_duration_us(self.machine, beam) * (beam.meterset - start) // beam.meterset
        drive = self.lines.drive
        drive("preset_meterset", beam.meterset)
        # 1.1 x expected + 2 s: engineering default; beam-on time only, so gating does not count.
        drive("time_set", (expected_us * 11 // 10 + 2 * US_PER_S) // US_PER_MS)
        drive("gating_enabled", self.gated)
        drive("free_breathing", self.in_free_breathing)
        drive("patient_selected", token("patient", self.course.patient))
        drive("plan_selected", self.plan_token)
        drive("target_selected", token("target", target.id))
        drive("fraction_cleared", self.refusal(target) is None)
        drive("cross_dose_change", self.orders.cross_dose.get(target.id, 0))
        drive("cross_dose_accepted", self.orders.cross_dose_accepted.get(target.id, 0))
        drive("fraction_selected", token("fraction", fraction))
        drive(
            "parameters_token",
            token("parameters", self.plan_token, target.id, beam.number, start, fraction),
        )
        return start

    def confirm(self, target: Target) -> None:
        """What was verified at the couch and the console before a target is set up.

        The target itself is confirmed by the match of its image (:mod:`sim.clinic.imaging`).
        """
        self._confirmed = target
        right = {
            "patient": token("patient", self.course.patient),
            "plan": self.plan_token,
            "fraction": token("fraction", self.fraction(target)),
        }
        for what, value in right.items():
            wrong = token("another", what)
            self.lines.drive(f"{what}_confirmed", wrong if what in self.mistaken else value)

    def refresh(self) -> None:
        """A fault changed what the console confirms."""
        if self._confirmed is not None:
            self.confirm(self._confirmed)

    def override_image_age(self, given_for: int | None = None) -> None:
        """Accept an older image for the present plan, or (fault) for the plan with another token."""
        self.lines.drive("override_plan", self.plan_token if given_for is None else given_for)
        self.lines.drive("image_age_override", True)

    def end_override(self) -> None:
        """No older image is accepted any more."""
        self.lines.drive("image_age_override", False)

    def begin(self, target: Target, beam: Beam, start: int) -> None:
        """The beam is about to go on."""
        self.certain = start
        with self._writing():
            if self.orders.book is not None:
                self.orders.book.begin(target.id, self.fraction(target), beam.number, start)

    def passed(self, beam: Beam, control_point: int) -> None:
        """A control point was reached."""
        self.certain = beam.control_points[control_point].meterset
        with self._writing():
            if self.orders.book is not None and not self.unrecorded:
                self.orders.book.passed(control_point, self.certain)

    def record(self, delivery: Delivery) -> None:
        """Keep a delivery. Raises RefusedDelivery if it overlaps one already kept."""
        for kept in self.deliveries:
            same = (kept.target, kept.fraction, kept.beam) == (
                delivery.target,
                delivery.fraction,
                delivery.beam,
            )
            if same and delivery.start < kept.end:
                raise RefusedDelivery(
                    f"beam {delivery.beam} of {delivery.target}: meterset {delivery.start / 1000:.3f} to "
                    f"{kept.end / 1000:.3f} MU would be delivered twice"
                )
        self.deliveries.append(delivery)
        with self._writing():
            if self.orders.book is not None and not self.unrecorded:
                self.orders.book.end(delivery)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """What the book does not take ends the beam, and nothing more is given in this session."""
        try:
            yield
        except NotRecorded as problem:
            self.unrecorded = str(problem)
            self.lines.drive("fraction_cleared", False)

    def control_point_metersets(self, target: Target, beam: Beam) -> list[int]:
        """Delivered meterset of each control point over all deliveries of this fraction, mMU."""
        specified = [point.meterset for point in beam.control_points]
        own = (target.id, self.fraction(target), beam.number)
        stretches = [(d.start, d.end) for d in self.deliveries if (d.target, d.fraction, d.beam) == own]
        stretches.append((0, self.orders.earlier.get((target.id, beam.number), 0)))
        return [sum(points) for points in zip(*(delivered(specified, *s) for s in stretches), strict=True)]
