"""Which beams of a DICOM RT Plan belong to which target, and what the target is prescribed.

An RT Plan has no list of targets with beams. Two sources are used, in this order: the Referenced
Dose Reference UID of every beam in the fraction group (the dose reference its Beam Dose counts
for), when each beam names one of type TARGET; otherwise one target per isocentre.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from sim.plan.course import Point, Target
from sim.plan.dicom_beam import PlannedBeam
from sim.plan.dicom_file import Identity
from sim.plan.dicom_values import Values, half_up
from sim.plan.findings import Findings
from sim.plan.spacing import default_spacing

_SAME = 10  # 0.01 mm; isocentres closer than this differ by export noise only


@dataclass(frozen=True, slots=True)
class DoseReference:
    """One item of type TARGET of the Dose Reference Sequence."""

    number: int | None
    uid: str | None
    site: str
    centre: Point | None
    prescription: Decimal | None


def targets_of(
    plan: Values,
    group: Values,
    beams: list[PlannedBeam],
    fractions: int,
    identity: Identity,
    findings: Findings,
) -> tuple[Target, ...]:
    """All targets in the order in which their first beam is delivered."""
    references = _dose_references(plan, group, identity)
    by_uid = {reference.uid: reference for reference in references if reference.uid is not None}
    targets: list[Target] = []
    if all(beam.dose_reference_uid in by_uid for beam in beams):
        for members in _grouped([(beam.dose_reference_uid, beam) for beam in beams]):
            named = by_uid[members[0].dose_reference_uid or ""]
            targets.append(_target(len(targets) + 1, members, named, fractions, findings))
        return tuple(targets)
    groups = _grouped(_by_isocentre(beams))
    for members in groups:
        reference = _only_reference(references, members, len(groups))
        targets.append(_target(len(targets) + 1, members, reference, fractions, findings))
    findings.note(
        "targets-by-isocentre",
        "plan",
        f"the plan does not say which beam treats which target; {len(targets)} taken, one per isocentre",
    )
    return tuple(targets)


def _by_isocentre(beams: list[PlannedBeam]) -> list[tuple[object, PlannedBeam]]:
    """Each beam with the first isocentre of the plan that is within the tolerance of its own."""
    known: list[Point] = []
    keyed: list[tuple[object, PlannedBeam]] = []
    for beam in beams:
        own = beam.beam.isocentre
        near = (point for point in known if max(abs(a - b) for a, b in zip(point, own, strict=True)) <= _SAME)
        key = next(near, None)
        if key is None:
            known.append(own)
            key = own
        keyed.append((key, beam))
    return keyed


def _grouped(keyed: list[tuple[object, PlannedBeam]]) -> list[list[PlannedBeam]]:
    groups: dict[object, list[PlannedBeam]] = {}
    for key, beam in keyed:
        groups.setdefault(key, []).append(beam)
    return list(groups.values())


def _only_reference(
    references: list[DoseReference], members: list[PlannedBeam], groups: int
) -> DoseReference | None:
    """The dose reference of the beams of one isocentre, when there is no doubt about it."""
    numbers = frozenset().union(*(beam.dose_reference_numbers for beam in members))
    mentioned = [reference for reference in references if reference.number in numbers]
    candidates = references if groups == 1 else mentioned
    prescribed = [reference for reference in candidates if reference.prescription is not None]
    if len(candidates) == 1:
        # With several isocentres one shared dose reference says nothing about each of them.
        return candidates[0] if groups == 1 or len(references) >= groups else None
    return prescribed[0] if len(prescribed) == 1 and groups == 1 else None


def _target(
    index: int,
    members: list[PlannedBeam],
    reference: DoseReference | None,
    fractions: int,
    findings: Findings,
) -> Target:
    ident = f"T{index}"
    where = f"target {ident}"
    isocentre = members[0].beam.isocentre
    centre = reference.centre if reference is not None else None
    if centre is None:
        findings.note("target-centre-assumed", where, "the plan gives no centre; its isocentre is taken")
    findings.note("target-size-unknown", where, "an RT Plan gives no target size; the diameter is 0")
    prescription = reference.prescription if reference is not None else None
    if prescription is None:
        findings.warning(
            "prescription-unknown",
            where,
            "no TargetPrescriptionDose can be assigned; doses have no reference",
        )
    return Target(
        id=ident,
        site=reference.site if reference is not None else "not stated",
        centre=centre or isocentre,
        diameter=0,
        prescription_gy=float(prescription) if prescription is not None else None,
        fractions=fractions,
        beams=tuple(replace(member.beam, target=ident) for member in members),
        spacing=default_spacing(fractions),
    )


def _dose_references(plan: Values, group: Values, identity: Identity) -> list[DoseReference]:
    """Dose references of type TARGET; a prescription in the fraction group replaces the plan's."""
    own: dict[int | None, Decimal | None] = {
        item.whole("ReferencedDoseReferenceNumber"): item.number("TargetPrescriptionDose")
        for item in group.items("ReferencedDoseReferenceSequence", "dose reference")
    }
    references = []
    for item in plan.items("DoseReferenceSequence", "dose reference"):
        if item.text("DoseReferenceType") != "TARGET":
            continue
        number = item.whole("DoseReferenceNumber")
        coordinates = item.numbers("DoseReferencePointCoordinates")
        centre = None
        if coordinates is not None and len(coordinates) == 3:
            x, y, z = (half_up(value, 100) for value in coordinates)
            centre = (x, y, z)
        prescription = own.get(number) or item.number("TargetPrescriptionDose")
        references.append(
            DoseReference(
                number=number,
                uid=item.text("DoseReferenceUID"),
                site=identity.clean(item.text("DoseReferenceDescription") or "") or "not stated",
                centre=centre,
                prescription=prescription if prescription is not None and prescription > 0 else None,
            )
        )
    return references
