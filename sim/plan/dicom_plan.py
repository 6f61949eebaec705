"""Import of a DICOM RT Plan: what kind of plan it is, its fraction group, its beams.

Meterset and beams are found the way the standard links them: fraction group, referenced beam,
beam number. Every reason against delivering the plan is collected before it is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from sim.machine import Machine
from sim.plan.course import Course
from sim.plan.dicom_beam import PlannedBeam, read_beam
from sim.plan.dicom_file import Identity, open_dataset, quiet_pydicom
from sim.plan.dicom_targets import targets_of
from sim.plan.dicom_values import Values
from sim.plan.findings import Findings, Refused

_RT_PLAN = "1.2.840.10008.5.1.4.1.1.481.5"
_RT_ION_PLAN = "1.2.840.10008.5.1.4.1.1.481.8"


def read_dicom_plan(data: bytes, source: str, machine: Machine, fraction_group: int | None = None) -> Course:
    """The course in the bytes of a DICOM RT Plan file.

    Raises PlanError, and nothing else, whatever the bytes are.
    """
    return course_of(lambda: open_dataset(data), source, machine, fraction_group)


def course_of(
    opened: Callable[[], Values], source: str, machine: Machine, fraction_group: int | None
) -> Course:
    """The course in the dataset that ``opened`` returns; see :func:`read_dicom_plan`."""
    findings = Findings()
    identity = Identity()
    course: Course | None = None
    try:
        with quiet_pydicom(findings, identity):
            plan = opened()
            identity.learn(plan)
            _check_kind(plan)
            course = _course(plan, source, machine, fraction_group, identity, findings)
    except Refused as refused:
        findings.add(refused.finding)
    findings.raise_errors(source)
    assert course is not None, "no course without an error"
    return Course(
        id=course.id,
        title=course.title,
        patient=course.patient,
        targets=course.targets,
        source=source,
        findings=findings.ordered(),
    )


def _check_kind(plan: Values) -> None:
    """Raise Refused unless this is an RT Plan for external photon beams."""
    sop_class = plan.text("SOPClassUID")
    modality = plan.text("Modality")
    if sop_class == _RT_ION_PLAN or plan.has("IonBeamSequence"):
        raise Refused(
            "ion-plan",
            "plan",
            "this is an RT Ion Plan (protons or ions); only photon beams are simulated, give an RT Plan",
        )
    if sop_class != _RT_PLAN or modality != "RTPLAN":
        raise Refused(
            "not-an-rt-plan",
            "plan",
            f"SOP class {_shown(sop_class)} with modality {_shown(modality)} is not an RT Plan "
            f"({_RT_PLAN}, RTPLAN); give the plan and not an image, a dose or a structure set",
        )
    if plan.has("ApplicationSetupSequence") or plan.has("BrachyTreatmentType"):
        raise Refused(
            "brachy-plan",
            "plan",
            "this is a brachytherapy plan (application setups); only external photon beams are simulated",
        )
    if not plan.items("BeamSequence", "beam"):
        raise Refused(
            "no-beams",
            "plan",
            "the plan has no BeamSequence or an empty one; the file is truncated or no beam plan",
        )


def _shown(value: str | None) -> str:
    """A code of the file for a message; only what looks like a code is repeated."""
    if value is None:
        return "missing"
    return value[:64] if all(c.isascii() and (c.isalnum() or c in "._") for c in value) else "unreadable"


def _course(
    plan: Values,
    source: str,
    machine: Machine,
    fraction_group: int | None,
    identity: Identity,
    findings: Findings,
) -> Course | None:
    group = _fraction_group(plan, fraction_group)
    fractions = _fractions(group, findings)
    if plan.text("ApprovalStatus") in ("UNAPPROVED", "REJECTED"):
        findings.warning("not-approved", "plan", f"ApprovalStatus is {plan.text('ApprovalStatus')}")
    if plan.text("RTPlanGeometry") == "TREATMENT_DEVICE":
        findings.note(
            "no-patient-geometry",
            "plan",
            "RTPlanGeometry is TREATMENT_DEVICE; no structure set belongs to it",
        )
    beams = _beams(plan, group, machine, identity, findings)
    if findings.has_errors:
        return None
    if not beams:
        raise Refused(
            "no-beams", group.where, "the fraction group has no treatment beam; nothing can be delivered"
        )
    targets = targets_of(plan, group, beams, fractions, identity, findings)
    label = identity.clean(plan.text("RTPlanLabel") or plan.text("RTPlanName") or "")
    unique = plan.text("SOPInstanceUID") or source
    return Course(
        id=f"rtplan-{hashlib.sha256(unique.encode('utf-8', 'replace')).hexdigest()[:12]}",
        title=label or "RT Plan without label",
        patient=identity.token,
        targets=targets,
        source=source,
    )


def _fraction_group(plan: Values, wanted: int | None) -> Values:
    """The fraction group to deliver; the caller's choice is needed when there are several."""
    groups: dict[int, Values] = {}
    for index, item in enumerate(plan.items("FractionGroupSequence", "fraction group")):
        stated = item.whole("FractionGroupNumber")
        number = index + 1 if stated is None else stated
        if number in groups:
            raise Refused("fraction-group-number", item.where, f"FractionGroupNumber {number} is used twice")
        groups[number] = item.at(f"fraction group {number}")
    if not groups:
        raise Refused(
            "fraction-group-missing",
            "plan",
            "FractionGroupSequence is missing or empty, so no meterset is known; some de-identification "
            "tools remove it, export the plan with it",
        )
    known = ", ".join(f"{number} ({_summary(item)})" for number, item in groups.items())
    if wanted is not None:
        if wanted not in groups:
            raise Refused(
                "fraction-group-unknown", "plan", f"there is no fraction group {wanted}; the plan has {known}"
            )
        return groups[wanted]
    if len(groups) > 1:
        raise Refused(
            "fraction-group-choice", "plan", f"the plan has several fraction groups, choose one: {known}"
        )
    return next(iter(groups.values()))


def _summary(group: Values) -> str:
    fractions = group.whole("NumberOfFractionsPlanned")
    beams = len(group.items("ReferencedBeamSequence", "referenced beam"))
    return f"{'?' if fractions is None else fractions} fractions, {beams} beams"


def _fractions(group: Values, findings: Findings) -> int:
    fractions = group.whole("NumberOfFractionsPlanned")
    if fractions is None:
        findings.warning("fractions-missing", group.where, "NumberOfFractionsPlanned is missing; taken as 1")
        return 1
    if fractions < 1:
        raise Refused(
            "fractions", group.where, f"NumberOfFractionsPlanned is {fractions}; it must be at least 1"
        )
    return fractions


def _beams(
    plan: Values, group: Values, machine: Machine, identity: Identity, findings: Findings
) -> list[PlannedBeam]:
    """The treatment beams of the group, in its order; errors are left in ``findings``."""
    if (setups := group.whole("NumberOfBrachyApplicationSetups")) is not None and setups > 0:
        raise Refused(
            "brachy-plan",
            group.where,
            f"{setups} brachytherapy application setups; only photon beams are simulated",
        )
    by_number: dict[int, Values] = {}
    for index, item in enumerate(plan.items("BeamSequence", "beam")):
        number = item.whole("BeamNumber")
        if number is None:
            raise Refused(
                "beam-number", f"beam item {index}", "BeamNumber is missing; no meterset can be assigned"
            )
        if number in by_number:
            raise Refused(
                "beam-number", f"beam {number}", "BeamNumber is used twice; no meterset can be assigned"
            )
        by_number[number] = item.at(f"beam {number}")
    references = group.items("ReferencedBeamSequence", "referenced beam")
    stated = group.whole("NumberOfBeams")
    if stated is not None and stated != len(references):
        findings.error(
            "beam-count",
            group.where,
            f"NumberOfBeams is {stated} but {len(references)} are referenced; the file is truncated or "
            "damaged",
        )
    beams: list[PlannedBeam] = []
    done: set[int] = set()
    for reference in references:
        try:
            number = reference.whole("ReferencedBeamNumber")
            if number is None or number not in by_number:
                raise Refused(
                    "beam-not-found",
                    reference.where,
                    f"ReferencedBeamNumber is {'missing' if number is None else number}; the plan has beams "
                    f"{', '.join(str(n) for n in by_number)}",
                )
            if number in done:
                raise Refused(
                    "beam-number", reference.where, f"beam {number} is referenced twice in this group"
                )
            done.add(number)
            item = by_number[number]
            if _is_treatment(item, findings):
                name = identity.clean(item.text("BeamName") or "") or f"beam {number}"
                beams.append(read_beam(item, reference, machine, name, findings))
        except Refused as refused:
            findings.add(refused.finding)
    for number, item in by_number.items():
        if number not in done:
            kind = item.text("TreatmentDeliveryType") or "TREATMENT"
            findings.note(
                "beam-not-referenced", item.where, f"a {kind[:16]} beam outside of {group.where}; left out"
            )
    return beams


def _is_treatment(item: Values, findings: Findings) -> bool:
    kind = item.text("TreatmentDeliveryType")
    if kind is None:
        findings.note(
            "delivery-type-missing", item.where, "TreatmentDeliveryType is missing; taken as TREATMENT"
        )
        return True
    if kind == "TREATMENT":
        return True
    if kind == "CONTINUATION":
        raise Refused(
            "continuation-beam",
            item.where,
            "TreatmentDeliveryType is CONTINUATION; give the plan as it was before the interruption",
        )
    findings.note(
        "beam-skipped", item.where, f"TreatmentDeliveryType is {_shown(kind)[:16]}; no treatment, left out"
    )
    return False
