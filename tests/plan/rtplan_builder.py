"""Small synthetic DICOM RT Plans, correct unless a test breaks them; all identities are invented."""

from __future__ import annotations

from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import ImplicitVRLittleEndian

from sim.machine import Machine
from sim.plan.course import Beam, Course, PlanError
from sim.plan.dicom_plan import read_dicom_plan

RT_PLAN = "1.2.840.10008.5.1.4.1.1.481.5"
NAME, ID = "Mustermann^Erika", "HOSP-4711"


def item(**elements: Any) -> Dataset:
    """A dataset with these elements; None leaves an element out."""
    ds = Dataset()
    for keyword, value in elements.items():
        if value is not None:
            setattr(ds, keyword, value)
    return ds


def device(kind: str, positions: list[float]) -> Dataset:
    return item(RTBeamLimitingDeviceType=kind, LeafJawPositions=positions)


JAWS = (device("ASYMX", [-50, 50]), device("ASYMY", [-40, 40]))


def first_point(**changes: Any) -> Dataset:
    elements: dict[str, Any] = {
        "ControlPointIndex": 0,
        "NominalBeamEnergy": 6,
        "DoseRateSet": 600,
        "BeamLimitingDevicePositionSequence": list(JAWS),
        "GantryAngle": 0,
        "GantryRotationDirection": "NONE",
        "BeamLimitingDeviceAngle": 0,
        "BeamLimitingDeviceRotationDirection": "NONE",
        "PatientSupportAngle": 0,
        "PatientSupportRotationDirection": "NONE",
        "IsocenterPosition": [0, 0, 0],
        "CumulativeMetersetWeight": 0,
    }
    return item(**(elements | changes))


def later_point(index: int, weight: float | None, **changes: Any) -> Dataset:
    return item(ControlPointIndex=index, CumulativeMetersetWeight=weight, **changes)


def beam(number: int = 1, points: list[Dataset] | None = None, **changes: Any) -> Dataset:
    points = [first_point(), later_point(1, 1)] if points is None else points
    elements: dict[str, Any] = {
        "BeamNumber": number,
        "BeamName": f"Field {number}",
        "BeamType": "STATIC",
        "RadiationType": "PHOTON",
        "TreatmentDeliveryType": "TREATMENT",
        "PrimaryDosimeterUnit": "MU",
        "FinalCumulativeMetersetWeight": 1,
        "NumberOfControlPoints": len(points),
        "ControlPointSequence": points,
    }
    return item(**(elements | changes))


def reference(number: int, meterset: float | None = 100, **changes: Any) -> Dataset:
    return item(ReferencedBeamNumber=number, BeamMeterset=meterset, **changes)


def group(references: list[Dataset], number: int = 1, **changes: Any) -> Dataset:
    elements: dict[str, Any] = {
        "FractionGroupNumber": number,
        "NumberOfFractionsPlanned": 3,
        "NumberOfBeams": len(references),
        "NumberOfBrachyApplicationSetups": 0,
        "ReferencedBeamSequence": references,
    }
    return item(**(elements | changes))


def plan(beams: list[Dataset] | None = None, groups: list[Dataset] | None = None, **changes: Any) -> Dataset:
    beams = [beam()] if beams is None else beams
    groups = [group([reference(b.BeamNumber) for b in beams])] if groups is None else groups
    elements: dict[str, Any] = {
        "SOPClassUID": RT_PLAN,
        "SOPInstanceUID": "1.2.3.4",
        "Modality": "RTPLAN",
        "PatientName": NAME,
        "PatientID": ID,
        "RTPlanLabel": "two targets",
        "RTPlanGeometry": "PATIENT",
        "DoseReferenceSequence": [
            item(
                DoseReferenceNumber=1,
                DoseReferenceStructureType="SITE",
                DoseReferenceType="TARGET",
                TargetPrescriptionDose=45,
            )
        ],
        "FractionGroupSequence": groups,
        "BeamSequence": beams,
    }
    return item(**(elements | changes))


def encode(ds: Dataset, *, preamble: bool = True) -> bytes:
    """The bytes of a Part 10 file, or of a bare dataset without preamble and meta information."""
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, True
    if preamble:
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = RT_PLAN
        meta.MediaStorageSOPInstanceUID = "1.2.3.4"
        meta.TransferSyntaxUID = ImplicitVRLittleEndian
        stream.write(b"\0" * 128 + b"DICM")
        write_file_meta_info(stream, meta, enforce_standard=False)
    stream.is_little_endian, stream.is_implicit_VR = True, True
    write_dataset(stream, ds)
    return bytes(stream.getvalue())


def read(ds: Dataset | bytes, machine: Machine, fraction_group: int | None = None) -> Course:
    data = ds if isinstance(ds, bytes) else encode(ds)
    return read_dicom_plan(data, "plan.dcm", machine, fraction_group)


def read_beam(built: Dataset, machine: Machine, meterset: float = 100, **changes: Any) -> Beam:
    """The only beam of a plan with only this beam."""
    refs = [reference(built.BeamNumber, meterset, **changes)]
    return read(plan([built], [group(refs)]), machine).targets[0].beams[0]


def refusal(ds: Dataset | bytes, machine: Machine, fraction_group: int | None = None) -> PlanError:
    """The PlanError of a plan that must be refused."""
    try:
        read(ds, machine, fraction_group)
    except PlanError as error:
        return error
    raise AssertionError("the plan was accepted")


def error_codes(error: PlanError) -> list[str]:
    return [finding.code for finding in error.findings if finding.severity == "error"]


def codes(course: Course) -> list[str]:
    return [finding.code for finding in course.findings]
