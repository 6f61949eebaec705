"""One treatment beam of a DICOM RT Plan: what is radiated, how much, with which energy.

The meterset of a beam is Beam Meterset in the fraction group, in MU. Final Cumulative Meterset
Weight in the beam is another quantity and often another number.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from sim.machine import FluenceMode, Machine
from sim.plan import dicom_points as at_points
from sim.plan.course import Beam, ControlPoint
from sim.plan.dicom_collimator import Collimator, LeafBank
from sim.plan.dicom_values import Values
from sim.plan.findings import Findings, Refused
from sim.plan.limits import quality_finding
from sim.plan.technique import classify

_MODIFIERS = {
    "NumberOfWedges": "wedge",
    "NumberOfCompensators": "compensator",
    "NumberOfBoli": "bolus",
    "NumberOfBlocks": "block",
}


@dataclass(frozen=True, slots=True)
class PlannedBeam:
    """A beam before it is known which target it is aimed at, and what it says about that."""

    beam: Beam
    dose_reference_uid: str | None
    dose_reference_numbers: frozenset[int]


def read_beam(
    item: Values, reference: Values, machine: Machine, name: str, findings: Findings
) -> PlannedBeam:
    """The beam in ``item`` of the Beam Sequence, with its item of the Referenced Beam Sequence.

    Findings of severity error in ``findings`` make the result worthless; the caller raises them.
    Raises Refused when nothing can be made of the beam.
    """
    number = item.whole("BeamNumber")
    assert number is not None, "the caller found the beam by its number"
    _check_radiation(item, findings)
    meterset = _meterset(item, reference)
    points = item.items("ControlPointSequence", "control point")
    at_points.check_count(item, points)
    energy, mode = _energy(item, points), _fluence_mode(item)
    missing = quality_finding(machine, energy, mode, item.where)
    if missing is not None:
        raise Refused(missing.code, missing.where, missing.message)
    quality = machine.beam_quality(energy, mode)
    assert quality is not None
    metersets = at_points.metersets(item, points, meterset, findings)
    gantry = at_points.rotation(item, points, "gantry", findings)
    collimator = at_points.rotation(item, points, "collimator", findings)
    couch = at_points.rotation(item, points, "couch", findings)
    isocentre = at_points.isocentre(item, points)
    at_points.check_still(item, points, findings)
    rates = at_points.dose_rates(item, points, quality.max_dose_rate, findings)
    field = Collimator(item.where, machine, LeafBank.of_beam(item, findings))
    control_points = []
    for index, point in enumerate(points):
        field.update(point)
        control_points.append(
            ControlPoint(
                meterset=metersets[index],
                gantry=gantry[index],
                collimator=collimator[index],
                couch_rotation=couch[index],
                jaws=field.jaws(findings),
                leaves=field.leaves(),
                dose_rate=rates[index],
            )
        )
    if control_points[0].leaves and not field.leaf_boundaries():
        findings.warning(
            "leaf-boundaries-missing",
            item.where,
            "no LeafPositionBoundaries for its leaves; leaf widths are unknown",
        )
    technique = classify(control_points)
    if item.text("BeamType") == "STATIC" and technique != "static":
        findings.warning(
            "beam-type-mismatch", item.where, f"BeamType is STATIC but the beam moves; read as {technique}"
        )
    limit = reference.number("BeamDeliveryDurationLimit")
    beam = Beam(
        number=number,
        name=name,
        target="",
        energy_mv=energy,
        fluence_mode=mode,
        technique=technique,
        isocentre=isocentre,
        control_points=tuple(control_points),
        duration_limit_s=float(limit) if limit is not None and limit > 0 else None,
        leaf_boundaries=field.leaf_boundaries(),
        leaf_travel=field.leaf_travel,
    )
    numbers = set()
    for point in points:
        for dose in point.items("ReferencedDoseReferenceSequence", "dose reference"):
            referenced = dose.whole("ReferencedDoseReferenceNumber")
            if referenced is not None:
                numbers.add(referenced)
    return PlannedBeam(beam, reference.text("ReferencedDoseReferenceUID"), frozenset(numbers))


def _check_radiation(item: Values, findings: Findings) -> None:
    radiation = item.text("RadiationType")
    if radiation == "ELECTRON":
        raise Refused(
            "electron-beam",
            item.where,
            "RadiationType is ELECTRON; only photon beams are simulated, leave it out",
        )
    if radiation in ("PROTON", "ION", "NEUTRON"):
        raise Refused(
            "ion-beam",
            item.where,
            f"RadiationType is {radiation}; only photon beams are simulated, leave it out",
        )
    if radiation != "PHOTON":
        said = "missing" if radiation is None else f"{radiation[:16]!r}"
        raise Refused(
            "radiation-type", item.where, f"RadiationType is {said}; it must be PHOTON, export the plan again"
        )
    unit = item.text("PrimaryDosimeterUnit")
    if unit is None:
        findings.warning("dosimeter-unit-missing", item.where, "PrimaryDosimeterUnit is missing; taken as MU")
    elif unit != "MU":
        raise Refused(
            "dosimeter-unit",
            item.where,
            f"PrimaryDosimeterUnit is {unit[:16]!r}; only MU can be delivered, export the plan in MU",
        )
    for keyword, name in _MODIFIERS.items():
        if (count := item.whole(keyword)) is not None and count > 0:
            findings.warning(
                "modifier-ignored",
                item.where,
                f"{keyword} is {count}; a {name} is not simulated and left out",
            )


def _meterset(item: Values, reference: Values) -> Fraction:
    meterset = reference.number("BeamMeterset")
    if meterset is None:
        raise Refused(
            "beam-meterset-missing",
            item.where,
            "the fraction group gives no BeamMeterset for this treatment beam; export the plan after its "
            "dose was calculated",
        )
    if meterset <= 0:
        raise Refused(
            "beam-meterset-missing", item.where, f"BeamMeterset is {meterset} MU; it must be above 0"
        )
    return Fraction(meterset)


def _energy(item: Values, points: list[Values]) -> int:
    energy: Decimal | None = None
    for point in points:
        stated = point.number("NominalBeamEnergy")
        if stated is None:
            continue
        if energy is not None and stated != energy:
            raise Refused(
                "energy-changes",
                point.where,
                f"NominalBeamEnergy changes from {energy} to {stated} MV; one beam has one energy, split it",
            )
        energy = stated
    if energy is None:
        raise Refused("energy-missing", item.where, "NominalBeamEnergy is missing; export the plan again")
    if energy != energy.to_integral_value():
        raise Refused(
            "energy-not-available",
            item.where,
            f"NominalBeamEnergy is {energy} MV; machines have whole MV beams only",
        )
    return int(energy)


def _fluence_mode(item: Values) -> FluenceMode:
    modes = item.items("PrimaryFluenceModeSequence", "fluence mode")
    if not modes:
        return "flattened"
    mode, ident = modes[0].text("FluenceMode"), modes[0].text("FluenceModeID") or ""
    if mode == "STANDARD":
        return "flattened"
    if mode == "NON_STANDARD" and "FFF" in ident.upper():
        return "fff"
    raise Refused(
        "fluence-mode",
        item.where,
        f"fluence mode {(mode or 'missing')[:16]!r} with ID {ident[:16]!r} is neither STANDARD nor an FFF "
        "beam; only these two are simulated",
    )
