"""Real RT Plans, compared with what pydicom reads from them by a second, shorter way."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

import pydicom
import pytest
from bundled_plans import pydicom_file, pymedphys_file
from rtplan_builder import error_codes

from sim.machine import BeamQuality, Machine
from sim.plan.course import Beam, Course, PlanError
from sim.plan.loading import load_plan

PYMEDPHYS = ["vmat_example.dcm", "06MV_plan.dcm", "FFF_example.dcm", "24mm_x_20mm_rectangle.dcm"]


def raw(path: Path) -> Any:
    return pydicom.dcmread(path, force=True)


def all_beams(course: Course) -> list[Beam]:
    return [beam for target in course.targets for beam in target.beams]


def hundredths(value: Any) -> int:
    return int((Decimal(str(value)) * 100 + Decimal("0.5")).to_integral_value(ROUND_FLOOR))


def planned_mmu(meterset: Any, weight: Any, final: Any) -> int:
    exact = Decimal(str(meterset)) * Decimal(str(weight)) / Decimal(str(final)) * 1000
    return int((exact + Decimal("0.5")).to_integral_value(ROUND_FLOOR))


@pytest.fixture(scope="module")
def rtplan_machine(machine: Machine) -> Machine:
    """The plan of pydicom wants 650 MU/min, which the reference machine does not have."""
    fast = BeamQuality(
        energy_mv=6,
        fluence_mode="flattened",
        max_dose_rate=650,
        bend_current=5200,
        on_latency_us=3370,
        off_latency_us=1450,
    )
    return machine.model_copy(update={"beams": [fast]})


@pytest.mark.parametrize("name", PYMEDPHYS)
def test_every_control_point_is_what_bare_pydicom_reads(name: str, machine: Machine) -> None:
    path = pymedphys_file(name)
    dataset = raw(path)
    course = load_plan(path, machine)
    metersets = {
        r.ReferencedBeamNumber: r.BeamMeterset
        for r in dataset.FractionGroupSequence[0].ReferencedBeamSequence
    }
    assert [b.number for b in all_beams(course)] == list(metersets)
    for beam in all_beams(course):
        source = next(b for b in dataset.BeamSequence if b.BeamNumber == beam.number)
        assert len(beam.control_points) == len(source.ControlPointSequence) == source.NumberOfControlPoints
        gantry, leaves, y_jaws = None, None, None
        for point, written in zip(beam.control_points, source.ControlPointSequence, strict=True):
            weight = written.CumulativeMetersetWeight
            final = source.FinalCumulativeMetersetWeight
            assert point.meterset == planned_mmu(metersets[beam.number], weight, final)
            gantry = written.get("GantryAngle", gantry)
            for moved in written.get("BeamLimitingDevicePositionSequence", []):
                if moved.RTBeamLimitingDeviceType == "MLCX":
                    leaves = moved.LeafJawPositions
                else:
                    y_jaws = moved.LeafJawPositions
            assert leaves is not None
            assert y_jaws is not None
            assert point.gantry % 36000 == hundredths(gantry) % 36000
            assert point.leaves == tuple(hundredths(v) for v in leaves)
            assert point.jaws[2:] == tuple(hundredths(v) for v in y_jaws)


def test_the_arcs_of_the_vmat_example_have_their_golden_values(machine: Machine) -> None:
    course = load_plan(pymedphys_file("vmat_example.dcm"), machine)
    (target,) = course.targets
    first, second = target.beams
    assert (target.prescription_gy, target.fractions, target.meterset) == (1.0, 2, 157_239 + 158_782)
    assert (first.technique, len(first.control_points), first.meterset) == ("arc", 32, 157_239)
    assert (first.control_points[0].gantry, first.control_points[-1].gantry) == (9_000, 15_000)
    assert (second.technique, len(second.control_points), second.meterset) == ("arc", 31, 158_782)
    assert (second.control_points[0].gantry, second.control_points[-1].gantry) == (27_000, 21_000)
    assert len(first.leaf_boundaries) == 81
    assert {point.dose_rate for point in first.control_points} == {600}
    noticed = {finding.code for finding in course.findings}
    assert {"dose-rate-defaulted", "jaw-missing", "targets-by-isocentre"} <= noticed


def test_the_ten_fields_of_the_commissioning_plan_have_their_golden_values(machine: Machine) -> None:
    course = load_plan(pymedphys_file("06MV_plan.dcm"), machine)
    (target,) = course.targets
    assert [beam.number for beam in target.beams] == list(range(1, 11))
    assert {beam.meterset for beam in target.beams} == {1_000_000}
    assert {beam.technique for beam in target.beams} == {"static"}
    assert {beam.isocentre for beam in target.beams} == {(0, -20_000, 0)}
    assert [beam.control_points[0].jaws[3] for beam in target.beams] == [
        1_000, 1_500, 2_000, 2_500, 3_500, 5_000, 7_500, 10_000, 15_000, 20_000,
    ]  # fmt: skip
    assert target.prescription_gy == 2.0


def test_a_beam_without_flattening_filter_is_told_apart_by_its_fluence_mode(machine: Machine) -> None:
    fff = load_plan(pymedphys_file("FFF_example.dcm"), machine)
    flat = load_plan(pymedphys_file("24mm_x_20mm_rectangle.dcm"), machine)
    assert [(b.energy_mv, b.fluence_mode, b.meterset) for b in all_beams(fff)] == [(6, "fff", 301_938)]
    assert [(b.energy_mv, b.fluence_mode, b.meterset) for b in all_beams(flat)] == [(6, "flattened", 301_938)]
    assert all_beams(fff)[0].control_points[0].dose_rate == 1_400


def test_pydicoms_own_plan_has_its_golden_values(rtplan_machine: Machine) -> None:
    course = load_plan(pydicom_file("rtplan.dcm"), rtplan_machine)
    (target,) = course.targets
    (beam,) = target.beams
    dataset = raw(pydicom_file("rtplan.dcm"))
    assert beam.isocentre == tuple(
        hundredths(v) for v in dataset.BeamSequence[0].ControlPointSequence[0].IsocenterPosition
    )
    assert (target.site, target.prescription_gy, target.fractions) == ("PTV", 30.826203, 30)
    assert target.centre == (23_953, 23_953, -75_187)
    assert (beam.number, beam.energy_mv, beam.technique, beam.meterset) == (1, 6, "static", 116_004)
    assert [p.meterset for p in beam.control_points] == [0, 116_004]
    assert beam.control_points[0].jaws == (-10_000, 10_000, -10_000, 10_000)
    assert beam.control_points[1].leaves == ()


def test_a_planned_rate_the_machine_does_not_have_is_refused_with_both_numbers(machine: Machine) -> None:
    with pytest.raises(PlanError) as caught:
        load_plan(pydicom_file("rtplan.dcm"), machine)
    assert error_codes(caught.value) == ["dose-rate-too-high"]
    assert "650 MU/min" in str(caught.value)
    assert "600 MU/min" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("rtplan_truncated.dcm", "control-point-count"),
        ("ExplVR_LitEndNoMeta.dcm", "ion-plan"),
        ("ExplVR_BigEndNoMeta.dcm", "ion-plan"),
        ("rtdose.dcm", "not-an-rt-plan"),
        ("rtstruct.dcm", "not-an-rt-plan"),
        ("CT_small.dcm", "not-an-rt-plan"),
    ],
)
def test_what_is_no_complete_photon_plan_is_refused_by_name(name: str, code: str, machine: Machine) -> None:
    with pytest.raises(PlanError) as caught:
        load_plan(pydicom_file(name), machine)
    assert error_codes(caught.value) == [code]
