"""The dose of a course from its ledger: given, still to come, and what will be missing at the end."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sim.dose.fields import UnknownLeaves
from sim.dose.kernel import NoBeamData
from sim.dose.standing import Given, Standing, standing
from sim.ledger.view import LedgerView
from sim.plan.course import Course


def standing_of(course: Course, ledger: LedgerView) -> Standing | None:
    """How the course stands; None when the model cannot compute its dose."""
    try:
        return standing(
            course,
            (
                Given(kept.session, kept.target, kept.fraction, kept.beam, kept.start, kept.reached)
                for kept in ledger.deliveries()
            ),
        )
    except (NoBeamData, UnknownLeaves):
        return None


def dose_record(course: Course, ledger: LedgerView, given_up: Collection[str]) -> dict[str, Any]:
    """The entry "dose" of course.json: every target centre and organ, Gy over the course.

    ``expected_gy`` is what was given and is still to come when targets ``given_up`` get nothing more.
    """
    now = standing_of(course, ledger)
    if now is None:
        return {"not_computed": "the model does not have a beam of this plan"}
    planned, to_come = now.planned(), now.to_come(given_up)
    shares = {organ.id: organ.share(0.0) for organ in now.organs()}
    points = []
    for index, point in enumerate(now.known.points):
        if point.kind == "rim":
            continue
        own = point.owner if point.kind == "centre" else None
        parts = {
            "planned": {name: float(dose[index]) for name, dose in planned.items()},
            "given": {name: float(dose[index]) for name, dose in now.given.items()},
            "to_come": {name: float(dose[index]) for name, dose in to_come.items()},
        }
        sums = {name: sum(part.values()) for name, part in parts.items()}
        expected = sums["given"] + sums["to_come"]
        entry: dict[str, Any] = {"of": point.owner, "kind": point.kind}
        if own is not None:
            entry["prescribed_gy"] = course.target(own).prescription_gy
            entry["own_given_gy"] = round(parts["given"][own], 3)
        entry |= {
            "planned_gy": round(sums["planned"], 3),
            "given_gy": round(sums["given"], 3),
            "expected_gy": round(expected, 3),
            "short_gy": round(sums["planned"] - expected, 3),
            "given_by_gy": {name: round(gy, 3) for name, gy in parts["given"].items()},
        }
        if point.owner in shares:
            entry["share_of_limit"] = round(shares[point.owner], 4)
        points.append(entry)
    return {"points": points}
