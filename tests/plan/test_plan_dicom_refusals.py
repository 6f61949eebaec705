"""Plans that must be refused, each for its own named reason; and what a refusal must not say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from rtplan_builder import (
    ID,
    JAWS,
    beam,
    codes,
    device,
    encode,
    error_codes,
    first_point,
    group,
    item,
    later_point,
    plan,
    read,
    reference,
    refusal,
)

from sim.machine import Machine
from sim.plan.course import Finding, PlanError
from sim.plan.loading import load_plan


def with_points(*points: Dataset, **changes: object) -> Dataset:
    return plan([beam(points=list(points), **changes)])


def with_field(*devices: Dataset, **changes: object) -> Dataset:
    first = first_point(BeamLimitingDevicePositionSequence=list(devices))
    return with_points(first, later_point(1, 1), **changes)


def with_last(**changes: object) -> Dataset:
    return with_points(first_point(), later_point(1, 1, **changes))


def replaced(old: bytes, new: bytes, ds: Dataset) -> bytes:
    data = encode(ds)
    assert data.count(old) == 1, "the value to damage must occur exactly once"
    assert len(old) == len(new)
    return data.replace(old, new)


ODD_RATE = {"DoseRateSet": "123.4567"}

REFUSALS: dict[str, tuple[str, Callable[[], Dataset | bytes]]] = {
    "an ion plan": ("ion-plan", lambda: plan(SOPClassUID="1.2.840.10008.5.1.4.1.1.481.8")),
    "ion beams in a photon plan": ("ion-plan", lambda: plan(IonBeamSequence=[item(BeamNumber=1)])),
    "a brachy plan of the photon class": (
        "brachy-plan",
        lambda: plan(
            [], [group([])], BeamSequence=None, ApplicationSetupSequence=[item(ApplicationSetupNumber=1)]
        ),
    ),
    "brachy setups in the fraction group": (
        "brachy-plan",
        lambda: plan(groups=[group([reference(1)], NumberOfBrachyApplicationSetups=1)]),
    ),
    "an electron beam": ("electron-beam", lambda: plan([beam(RadiationType="ELECTRON")])),
    "a proton beam": ("ion-beam", lambda: plan([beam(RadiationType="PROTON")])),
    "an unknown radiation": ("radiation-type", lambda: plan([beam(RadiationType=None)])),
    "a structure set": ("not-an-rt-plan", lambda: plan(Modality="RTSTRUCT")),
    "no SOP class": ("not-an-rt-plan", lambda: encode(plan(SOPClassUID=None), preamble=False)),
    "no beam sequence": ("no-beams", lambda: plan(BeamSequence=None)),
    "setup beams only": ("no-beams", lambda: plan([beam(TreatmentDeliveryType="SETUP")])),
    "a continuation": ("continuation-beam", lambda: plan([beam(TreatmentDeliveryType="CONTINUATION")])),
    "no fraction group": ("fraction-group-missing", lambda: plan(FractionGroupSequence=None)),
    "several fraction groups": (
        "fraction-group-choice",
        lambda: plan(groups=[group([reference(1)], 1), group([reference(1)], 2)]),
    ),
    "a fraction group number twice": (
        "fraction-group-number",
        lambda: plan(groups=[group([reference(1)]), group([reference(1)])]),
    ),
    "zero fractions": ("fractions", lambda: plan(groups=[group([reference(1)], NumberOfFractionsPlanned=0)])),
    "a beam that is not there": ("beam-not-found", lambda: plan(groups=[group([reference(9)])])),
    "a beam number twice": ("beam-number", lambda: plan([beam(1), beam(1)])),
    "a beam without number": (
        "beam-number",
        lambda: plan([beam(BeamNumber=None)], [group([reference(1)])]),
    ),
    "a beam referenced twice": ("beam-number", lambda: plan(groups=[group([reference(1), reference(1)])])),
    "a wrong number of beams": ("beam-count", lambda: plan(groups=[group([reference(1)], NumberOfBeams=2)])),
    "no beam meterset": ("beam-meterset-missing", lambda: plan(groups=[group([reference(1, None)])])),
    "a beam meterset of zero": ("beam-meterset-missing", lambda: plan(groups=[group([reference(1, 0)])])),
    "minutes instead of MU": ("dosimeter-unit", lambda: plan([beam(PrimaryDosimeterUnit="MINUTE")])),
    "too few control points": ("control-point-count", lambda: plan([beam(NumberOfControlPoints=3)])),
    "one control point": ("control-point-count", lambda: with_points(first_point())),
    "control points out of order": (
        "control-point-order",
        lambda: with_points(first_point(), later_point(2, 0.5), later_point(1, 1)),
    ),
    "a missing weight": ("meterset-weight-missing", lambda: with_points(first_point(), later_point(1, None))),
    "a first weight above zero": (
        "meterset-weight-first",
        lambda: with_points(first_point(CumulativeMetersetWeight=0.1), later_point(1, 1)),
    ),
    "a falling weight": (
        "meterset-weight-decreases",
        lambda: with_points(first_point(), later_point(1, 0.6), later_point(2, 0.5), later_point(3, 1)),
    ),
    "weights that stay zero": (
        "meterset-weight-final",
        lambda: with_points(first_point(), later_point(1, 0), FinalCumulativeMetersetWeight=0),
    ),
    "a final weight that is not the last": (
        "meterset-weight-final",
        lambda: plan([beam(FinalCumulativeMetersetWeight=2)]),
    ),
    "no energy": (
        "energy-missing",
        lambda: with_points(first_point(NominalBeamEnergy=None), later_point(1, 1)),
    ),
    "an energy that changes": ("energy-changes", lambda: with_last(NominalBeamEnergy=10)),
    "an energy the machine lacks": (
        "energy-not-available",
        lambda: with_points(first_point(NominalBeamEnergy=15), later_point(1, 1)),
    ),
    "a fractional energy": (
        "energy-not-available",
        lambda: with_points(first_point(NominalBeamEnergy=6.5), later_point(1, 1)),
    ),
    "an unknown fluence mode": (
        "fluence-mode",
        lambda: plan(
            [beam(PrimaryFluenceModeSequence=[item(FluenceMode="NON_STANDARD", FluenceModeID="SRS")])]
        ),
    ),
    "no gantry angle": (
        "gantry-missing",
        lambda: with_points(first_point(GantryAngle=None), later_point(1, 1)),
    ),
    "half a turn without direction": ("rotation-ambiguous", lambda: with_last(GantryAngle=180)),
    "no isocentre": (
        "isocentre-missing",
        lambda: with_points(first_point(IsocenterPosition=None), later_point(1, 1)),
    ),
    "a truncated isocentre": (
        "isocentre-truncated",
        lambda: with_points(first_point(IsocenterPosition=[1, 2]), later_point(1, 1)),
    ),
    "an isocentre that moves": ("isocentre-moves", lambda: with_last(IsocenterPosition=[0, 0, 5])),
    "a couch that moves": (
        "couch-moves",
        lambda: with_points(
            first_point(TableTopLateralPosition=0), later_point(1, 1, TableTopLateralPosition=5)
        ),
    ),
    "a negative dose rate": (
        "dose-rate-negative",
        lambda: with_points(first_point(DoseRateSet=-5), later_point(1, 1)),
    ),
    "no field at all": (
        "collimator-missing",
        lambda: with_points(first_point(BeamLimitingDevicePositionSequence=None), later_point(1, 1)),
    ),
    "an unknown field shaper": ("collimator-type", lambda: with_field(*JAWS, device("MLCX1", [-1, 1]))),
    "two directions of leaves": (
        "collimator-type",
        lambda: with_field(*JAWS, device("MLCX", [-1, 1]), device("MLCY", [-1, 1])),
    ),
    "a device without positions": (
        "collimator-incomplete",
        lambda: with_field(JAWS[0], item(RTBeamLimitingDeviceType="ASYMY")),
    ),
    "a device that appears later": (
        "collimator-incomplete",
        lambda: with_last(BeamLimitingDevicePositionSequence=[device("MLCX", [-1, 1])]),
    ),
    "a device twice": ("collimator-twice", lambda: with_field(*JAWS, device("ASYMX", [-1, 1]))),
    "a jaw alone": ("jaw-count", lambda: with_field(device("ASYMX", [50]), JAWS[1])),
    "a leaf missing": ("leaf-count", lambda: with_field(*JAWS, device("MLCX", [-1.0] * 60 + [1.0] * 59))),
    "fewer leaves than the beam has": (
        "leaf-count",
        lambda: with_field(
            *JAWS,
            device("MLCX", [-1.0] * 40 + [1.0] * 40),
            BeamLimitingDeviceSequence=[item(RTBeamLimitingDeviceType="MLCX", NumberOfLeafJawPairs=60)],
        ),
    ),
    "not a number": (
        "not-a-number",
        lambda: replaced(b"123.4567", b"NaN     ", with_points(first_point(**ODD_RATE), later_point(1, 1))),
    ),
    "an infinite number": (
        "not-a-number",
        lambda: replaced(b"123.4567", b"-inf    ", with_points(first_point(**ODD_RATE), later_point(1, 1))),
    ),
    "a huge number": (
        "implausible-value",
        lambda: replaced(b"123.4567", b"1e300   ", with_points(first_point(**ODD_RATE), later_point(1, 1))),
    ),
    "text instead of a number": (
        "unreadable-element",
        lambda: replaced(b"123.4567", b"fast    ", with_points(first_point(**ODD_RATE), later_point(1, 1))),
    ),
    "two numbers instead of one": (
        "unreadable-element",
        lambda: replaced(b"123.4567", b"123\\4567", with_points(first_point(**ODD_RATE), later_point(1, 1))),
    ),
    "half a control point count": (
        "unreadable-element",
        lambda: replaced(b"54321 ", b"2.5   ", plan([beam(NumberOfControlPoints=54321)])),
    ),
    "bytes that are no DICOM": ("not-dicom", lambda: b"\0\1\2\3"),
    "nothing": ("not-dicom", lambda: b""),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_plan_is_refused_for_exactly_one_named_reason(what: str, machine: Machine) -> None:
    code, build = REFUSALS[what]
    error = refusal(build(), machine)
    assert error_codes(error) == [code]
    first = error.findings[0]
    assert first.severity == "error", "errors come first"
    assert first.where
    assert str(error).startswith("plan.dcm: this plan cannot be delivered")


def test_several_fraction_groups_are_listed_so_that_one_can_be_chosen(machine: Machine) -> None:
    phases = [group([reference(1)], 1, NumberOfFractionsPlanned=5), group([reference(1)], 4)]
    message = str(refusal(plan(groups=phases), machine))
    assert "1 (5 fractions, 1 beams), 4 (3 fractions, 1 beams)" in message


def test_a_fraction_group_that_is_not_there_is_refused_with_the_known_ones(machine: Machine) -> None:
    error = refusal(plan(), machine, fraction_group=2)
    assert error_codes(error) == ["fraction-group-unknown"]
    assert "the plan has 1 (3 fractions, 1 beams)" in str(error)


def test_every_broken_beam_is_reported_not_only_the_first(machine: Machine) -> None:
    beams = [beam(1, RadiationType="ELECTRON"), beam(2), beam(3, PrimaryDosimeterUnit="MINUTE")]
    error = refusal(plan(beams), machine)
    assert [(f.where, f.code) for f in error.findings if f.severity == "error"] == [
        ("beam 1", "electron-beam"),
        ("beam 3", "dosimeter-unit"),
    ]


def test_a_refusal_names_control_point_value_and_limit(machine: Machine) -> None:
    error = refusal(
        with_points(first_point(), later_point(1, 0.6), later_point(2, 0.5), later_point(3, 1)), machine
    )
    assert error.findings[0].where == "beam 1, control point 2"
    assert "from 0.6 to 0.5" in error.findings[0].message


def said(findings: list[Finding]) -> str:
    return " ".join(f"{f.code} {f.where} {f.message}" for f in findings).lower()


def test_name_and_id_of_the_patient_appear_nowhere(machine: Machine) -> None:
    built = plan(
        [beam(BeamName="Erika boost")],
        RTPlanLabel=f"{ID} SBRT",
        DoseReferenceSequence=[
            item(
                DoseReferenceNumber=1,
                DoseReferenceStructureType="SITE",
                DoseReferenceType="TARGET",
                DoseReferenceDescription="GTV MUSTERMANN",
            )
        ],
    )
    course = read(built, machine)
    everything = repr(course).lower()
    assert "erika" not in everything
    assert "mustermann" not in everything
    assert ID.lower() not in everything
    assert course.title == "[removed] SBRT"
    assert course.targets[0].site == "GTV [removed]"


def test_the_patient_token_is_the_same_for_two_plans_of_one_patient(machine: Machine) -> None:
    one = read(plan(SOPInstanceUID="1.2.3.5"), machine)
    two = read(plan(SOPInstanceUID="1.2.3.6"), machine)
    other = read(plan(PatientID="HOSP-4712"), machine)
    assert one.patient == two.patient != other.patient
    assert one.id != two.id
    assert one.patient.startswith("P-")


def test_a_refusal_does_not_name_the_patient(machine: Machine) -> None:
    error = refusal(plan([beam(BeamName="Erika", RadiationType="ELECTRON")]), machine)
    assert "erika" not in said(error.findings)
    assert "erika" not in str(error).lower()


def test_a_missing_file_is_refused_with_advice(tmp_path: Path, machine: Machine) -> None:
    with pytest.raises(PlanError) as caught:
        load_plan(tmp_path / "absent.dcm", machine)
    assert error_codes(caught.value) == ["file-not-readable"]
    assert "check the path" in str(caught.value)


def test_a_directory_is_refused(tmp_path: Path, machine: Machine) -> None:
    with pytest.raises(PlanError) as caught:
        load_plan(tmp_path, machine)
    assert error_codes(caught.value) == ["file-not-readable"]


def test_an_unapproved_plan_is_only_a_warning(machine: Machine) -> None:
    assert "not-approved" in codes(read(plan(ApprovalStatus="UNAPPROVED"), machine))
