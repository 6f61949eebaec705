"""Which beams belong to which target, and its prescription."""

from __future__ import annotations

from pydicom.dataset import Dataset
from rtplan_builder import beam, codes, first_point, group, item, later_point, plan, read, reference

from sim.machine import Machine


def target_reference(number: int, dose: float | None, **changes: object) -> Dataset:
    elements: dict[str, object] = {
        "DoseReferenceNumber": number,
        "DoseReferenceUID": f"1.2.9.{number}",
        "DoseReferenceStructureType": "SITE",
        "DoseReferenceDescription": f"PTV {number}",
        "DoseReferenceType": "TARGET",
        "TargetPrescriptionDose": dose,
    }
    return item(**(elements | changes))


def beam_at(number: int, x: float, **changes: object) -> Dataset:
    return beam(number, points=[first_point(IsocenterPosition=[x, 0, 0]), later_point(1, 1, **changes)])


def test_every_isocentre_becomes_a_target_when_the_plan_says_no_more(machine: Machine) -> None:
    course = read(plan([beam_at(1, 0), beam_at(2, 50), beam_at(3, 0)]), machine)
    assert [(t.id, [b.number for b in t.beams]) for t in course.targets] == [("T1", [1, 3]), ("T2", [2])]
    assert [b.target for t in course.targets for b in t.beams] == ["T1", "T1", "T2"]
    assert [t.centre for t in course.targets] == [(0, 0, 0), (5_000, 0, 0)]
    assert "targets-by-isocentre" in codes(course)


def test_one_prescription_is_not_shared_out_to_two_isocentres(machine: Machine) -> None:
    course = read(plan([beam_at(1, 0), beam_at(2, 50)]), machine)
    assert [t.prescription_gy for t in course.targets] == [None, None]
    assert codes(course).count("prescription-unknown") == 2


def test_isocentres_that_differ_by_noise_are_still_one_target(machine: Machine) -> None:
    course = read(plan([beam_at(1, 0), beam_at(2, 0.006)]), machine)
    assert len(course.targets) == 1
    assert course.targets[0].prescription_gy == 45.0


def test_dose_references_of_the_beams_decide_even_with_one_isocentre(machine: Machine) -> None:
    refs = [
        reference(n, 100, ReferencedDoseReferenceUID=f"1.2.9.{uid}") for n, uid in ((1, 2), (2, 1), (3, 2))
    ]
    built = plan(
        [beam(1), beam(2), beam(3)],
        [group(refs)],
        DoseReferenceSequence=[target_reference(1, 50), target_reference(2, 30)],
    )
    course = read(built, machine)
    assert [(t.site, t.prescription_gy, [b.number for b in t.beams]) for t in course.targets] == [
        ("PTV 2", 30.0, [1, 3]),
        ("PTV 1", 50.0, [2]),
    ]
    assert "targets-by-isocentre" not in codes(course)


def test_a_beam_without_dose_reference_sends_all_beams_back_to_their_isocentres(machine: Machine) -> None:
    refs = [reference(1, 100, ReferencedDoseReferenceUID="1.2.9.1"), reference(2)]
    built = plan([beam(1), beam(2)], [group(refs)], DoseReferenceSequence=[target_reference(1, 50)])
    course = read(built, machine)
    assert [[b.number for b in t.beams] for t in course.targets] == [[1, 2]]
    assert "targets-by-isocentre" in codes(course)


def test_control_points_that_name_a_dose_reference_give_each_isocentre_its_prescription(
    machine: Machine,
) -> None:
    def named(number: int) -> dict[str, object]:
        return {"ReferencedDoseReferenceSequence": [item(ReferencedDoseReferenceNumber=number)]}

    built = plan(
        [beam_at(1, 0, **named(2)), beam_at(2, 50, **named(1))],
        DoseReferenceSequence=[target_reference(1, 50), target_reference(2, 30)],
    )
    assert [t.prescription_gy for t in read(built, machine).targets] == [30.0, 50.0]


def test_an_organ_at_risk_is_no_target(machine: Machine) -> None:
    organ = target_reference(1, None, DoseReferenceType="ORGAN_AT_RISK")
    course = read(plan(DoseReferenceSequence=[organ, target_reference(2, 40)]), machine)
    assert [(t.site, t.prescription_gy) for t in course.targets] == [("PTV 2", 40.0)]


def test_the_prescription_of_the_fraction_group_replaces_that_of_the_plan(machine: Machine) -> None:
    own = item(ReferencedDoseReferenceNumber=1, TargetPrescriptionDose=20)
    built = plan(
        groups=[group([reference(1)], ReferencedDoseReferenceSequence=[own])],
        DoseReferenceSequence=[target_reference(1, 50)],
    )
    assert read(built, machine).targets[0].prescription_gy == 20.0


def test_a_plan_without_dose_references_has_an_unknown_prescription(machine: Machine) -> None:
    course = read(plan(DoseReferenceSequence=None), machine)
    assert course.targets[0].prescription_gy is None
    assert "prescription-unknown" in codes(course)


def test_the_coordinates_of_a_dose_reference_are_the_centre_of_the_target(machine: Machine) -> None:
    built = plan(
        DoseReferenceSequence=[
            target_reference(
                1, 50, DoseReferenceStructureType="COORDINATES", DoseReferencePointCoordinates=[1.5, -2, 3.25]
            )
        ]
    )
    course = read(built, machine)
    assert course.targets[0].centre == (150, -200, 325)
    assert "target-centre-assumed" not in codes(course)
