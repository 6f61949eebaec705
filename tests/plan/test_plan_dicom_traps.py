"""What vendors write in RT Plans and must not be misread: one test for each habit."""

from __future__ import annotations

import logging

import pytest
from pydicom.dataset import Dataset
from rtplan_builder import (
    JAWS,
    beam,
    codes,
    device,
    encode,
    first_point,
    group,
    item,
    later_point,
    plan,
    read,
    read_beam,
    reference,
)

from sim.machine import Machine


def turning(*angles: float, direction: str = "CW", axis: str = "Gantry") -> Dataset:
    """A beam whose ``axis`` passes these angles, the direction NONE at the last control point."""
    keyword = {"Gantry": "Gantry", "Collimator": "BeamLimitingDevice", "Couch": "PatientSupport"}[axis]
    angle, sense = f"{keyword}Angle", f"{keyword}RotationDirection"
    last = len(angles) - 1
    points = [first_point(**{angle: angles[0], sense: direction})]
    for index in range(1, len(angles)):
        written = direction if index < last else "NONE"
        points.append(later_point(index, index / last, **{angle: angles[index], sense: written}))
    return beam(points=points, BeamType="DYNAMIC")


def leaves(pairs: int, gap: float) -> list[float]:
    return [-gap] * pairs + [gap] * pairs


def test_a_file_without_preamble_and_meta_information_is_read(machine: Machine) -> None:
    with_it, without = read(encode(plan()), machine), read(encode(plan(), preamble=False), machine)
    assert with_it.digest == without.digest


def test_a_dose_rate_of_zero_becomes_the_machine_maximum_with_a_finding(machine: Machine) -> None:
    course = read(plan([beam(points=[first_point(DoseRateSet=0), later_point(1, 1)])]), machine)
    assert [p.dose_rate for p in course.targets[0].beams[0].control_points] == [600, 600]
    assert "dose-rate-defaulted" in codes(course)


def test_an_absent_dose_rate_becomes_the_machine_maximum_of_the_fluence_mode(machine: Machine) -> None:
    mode = item(FluenceMode="NON_STANDARD", FluenceModeID="FFF")
    points = [first_point(DoseRateSet=None, NominalBeamEnergy=10), later_point(1, 1)]
    built = read_beam(beam(points=points, PrimaryFluenceModeSequence=[mode]), machine)
    assert (built.fluence_mode, built.control_points[0].dose_rate) == ("fff", 2_400)


def test_a_stated_dose_rate_is_kept_and_gives_no_finding(machine: Machine) -> None:
    course = read(plan([beam(points=[first_point(DoseRateSet=400), later_point(1, 1)])]), machine)
    assert [p.dose_rate for p in course.targets[0].beams[0].control_points] == [400, 400]
    assert "dose-rate-defaulted" not in codes(course)


def test_later_control_points_inherit_everything_they_do_not_write(machine: Machine) -> None:
    first = first_point(
        GantryAngle=40,
        BeamLimitingDeviceAngle=10,
        PatientSupportAngle=350,
        DoseRateSet=300,
        IsocenterPosition=[1, -2, 3],
        BeamLimitingDevicePositionSequence=[*JAWS, device("MLCX", leaves(60, 15))],
    )
    built = read_beam(beam(points=[first, later_point(1, 0.5), later_point(2, 1)]), machine)
    one, two, three = built.control_points
    assert (one.gantry, one.collimator, one.couch_rotation, one.dose_rate) == (4_000, 1_000, 35_000, 300)
    assert one.jaws == (-5_000, 5_000, -4_000, 4_000)
    assert len(one.leaves) == 120
    for later in (two, three):
        assert (later.gantry, later.collimator, later.couch_rotation) == (4_000, 1_000, 35_000)
        assert (later.jaws, later.leaves, later.dose_rate) == (one.jaws, one.leaves, one.dose_rate)
    assert built.isocentre == (100, -200, 300)


def test_a_device_that_does_not_move_is_inherited_when_only_another_one_moves(machine: Machine) -> None:
    first = first_point(BeamLimitingDevicePositionSequence=[*JAWS, device("MLCX", leaves(60, 15))])
    moved = later_point(1, 1, BeamLimitingDevicePositionSequence=[device("MLCX", leaves(60, 20))])
    start, end = read_beam(beam(points=[first, moved]), machine).control_points
    assert start.jaws == end.jaws == (-5_000, 5_000, -4_000, 4_000)
    assert (start.leaves[0], end.leaves[0]) == (-1_500, -2_000)


def test_a_changed_attribute_is_inherited_from_the_last_point_that_wrote_it(machine: Machine) -> None:
    points = [
        first_point(DoseRateSet=100),
        later_point(1, 0.3, DoseRateSet=200),
        later_point(2, 0.6),
        later_point(3, 1),
    ]
    assert [p.dose_rate for p in read_beam(beam(points=points), machine).control_points] == [
        100,
        200,
        200,
        200,
    ]


def test_beam_numbers_may_have_gaps_any_order_and_be_zero(machine: Machine) -> None:
    built = plan(
        [beam(7), beam(0), beam(3)],
        [group([reference(0, 10), reference(3, 30), reference(7, 70)])],
    )
    found = {b.number: b.meterset for b in read(built, machine).targets[0].beams}
    assert found == {0: 10_000, 3: 30_000, 7: 70_000}


def test_a_setup_beam_is_left_out_with_a_note(machine: Machine) -> None:
    setup = beam(2, points=[first_point(IsocenterPosition=[9, 9, 9])], TreatmentDeliveryType="SETUP")
    built = plan([beam(1), setup], [group([reference(1), reference(2, None)])])
    course = read(built, machine)
    assert [b.number for t in course.targets for b in t.beams] == [1]
    assert "beam-skipped" in codes(course)


def test_a_beam_of_another_phase_is_left_out_with_a_note(machine: Machine) -> None:
    course = read(plan([beam(1), beam(2)], [group([reference(2)])]), machine)
    assert [b.number for t in course.targets for b in t.beams] == [2]
    assert "beam-not-referenced" in codes(course)


def test_the_meterset_comes_from_the_fraction_group_and_not_from_the_weights(machine: Machine) -> None:
    points = [first_point(), later_point(1, 50), later_point(2, 200)]
    built = read_beam(beam(points=points, FinalCumulativeMetersetWeight=200), machine, meterset=400)
    assert [p.meterset for p in built.control_points] == [0, 100_000, 400_000]


def test_metersets_are_rounded_half_up(machine: Machine) -> None:
    points = [first_point(), later_point(1, 0.5), later_point(2, 1)]
    built = read_beam(beam(points=points), machine, meterset=0.005)
    assert [p.meterset for p in built.control_points] == [0, 3, 5]


def test_a_weight_cut_to_few_digits_still_delivers_the_whole_meterset(machine: Machine) -> None:
    points = [first_point(), later_point(1, 0.999999)]
    built = read_beam(beam(points=points), machine, meterset=1000)
    assert built.meterset == 1_000_000


def test_a_missing_final_weight_is_taken_from_the_last_control_point(machine: Machine) -> None:
    points = [first_point(), later_point(1, 2)]
    course = read(plan([beam(points=points, FinalCumulativeMetersetWeight=None)]), machine)
    assert course.targets[0].meterset == 100_000
    assert "meterset-weight-final" in codes(course)


def test_a_missing_first_weight_is_zero_with_a_warning(machine: Machine) -> None:
    course = read(
        plan([beam(points=[first_point(CumulativeMetersetWeight=None), later_point(1, 1)])]), machine
    )
    assert "meterset-weight-missing" in codes(course)


def test_one_of_several_fraction_groups_is_delivered_when_it_is_named(machine: Machine) -> None:
    phases = [
        group([reference(1, 111)], 1, NumberOfFractionsPlanned=5),
        group([reference(2, 222)], 2, NumberOfFractionsPlanned=3),
    ]
    course = read(plan([beam(1), beam(2)], phases), machine, fraction_group=2)
    assert (course.targets[0].fractions, course.targets[0].meterset) == (3, 222_000)


def test_a_missing_number_of_fractions_is_a_warning(machine: Machine) -> None:
    course = read(plan(groups=[group([reference(1)], NumberOfFractionsPlanned=None)]), machine)
    assert course.targets[0].fractions == 1
    assert [f.severity for f in course.findings if f.code == "fractions-missing"] == ["warning"]


def test_a_missing_dosimeter_unit_is_a_warning(machine: Machine) -> None:
    assert "dosimeter-unit-missing" in codes(read(plan([beam(PrimaryDosimeterUnit=None)]), machine))


def test_couch_noise_is_no_motion(machine: Machine) -> None:
    first = first_point(TableTopVerticalPosition=-120.5, PatientSupportAngle=359.9999999)
    noisy = later_point(
        1,
        1,
        TableTopVerticalPosition="-120.500000001",
        PatientSupportAngle="1e-9",
        IsocenterPosition=["1e-9", 0, "-1e-9"],
    )
    built = read_beam(beam(points=[first, noisy]), machine)
    assert {p.couch_rotation for p in built.control_points} == {0}
    assert built.technique == "static"


def test_an_arc_through_180_degrees_has_no_jump(machine: Machine) -> None:
    built = read_beam(turning(181, 180, 179, direction="CC"), machine)
    assert [p.gantry for p in built.control_points] == [18_100, 18_000, 17_900]


def test_a_clockwise_arc_over_zero_counts_on_beyond_360_degrees(machine: Machine) -> None:
    built = read_beam(turning(181, 270, 0, 90, 179), machine)
    assert [p.gantry for p in built.control_points] == [18_100, 27_000, 36_000, 45_000, 53_900]


@pytest.mark.parametrize(("direction", "end"), [("CW", 54_000), ("CC", -18_000)])
def test_equal_angles_with_a_direction_are_a_full_turn(direction: str, end: int, machine: Machine) -> None:
    built = read_beam(turning(180, 180, direction=direction), machine)
    assert [p.gantry for p in built.control_points] == [18_000, end]
    assert built.technique == "arc"


def test_a_direction_without_a_new_gantry_angle_is_no_full_turn(machine: Machine) -> None:
    points = [first_point(GantryRotationDirection="CW"), later_point(1, 1)]
    built = read_beam(beam(points=points), machine)
    assert [p.gantry for p in built.control_points] == [0, 0]


def test_standing_still_inside_an_arc_is_no_full_turn(machine: Machine) -> None:
    course = read(plan([turning(10, 20, 20, 30)]), machine)
    assert [p.gantry for p in course.targets[0].beams[0].control_points] == [1_000, 2_000, 2_000, 3_000]
    assert "rotation-without-motion" in codes(course)


def test_a_small_step_back_inside_an_arc_is_no_full_turn(machine: Machine) -> None:
    course = read(plan([turning(10, 20, 19.9, 30)]), machine)
    assert [p.gantry for p in course.targets[0].beams[0].control_points] == [1_000, 2_000, 1_990, 3_000]
    assert "rotation-against-direction" in codes(course)


def test_a_nearly_full_arc_of_two_control_points_stays_one(machine: Machine) -> None:
    built = read_beam(turning(180.1, 179.9), machine)
    assert [p.gantry for p in built.control_points] == [18_010, 53_990]


def test_a_turn_without_direction_goes_the_short_way_with_a_warning(machine: Machine) -> None:
    course = read(plan([turning(350, 10, direction="NONE")]), machine)
    assert [p.gantry for p in course.targets[0].beams[0].control_points] == [35_000, 37_000]
    assert "rotation-direction-missing" in codes(course)


@pytest.mark.parametrize("axis", ["Collimator", "Couch"])
def test_collimator_and_couch_angles_grow_counter_clockwise(axis: str, machine: Machine) -> None:
    built = read_beam(turning(350, 10, direction="CC", axis=axis), machine)
    points = built.control_points
    values = [p.collimator if axis == "Collimator" else p.couch_rotation for p in points]
    assert values == [35_000, 37_000]
    assert built.technique == "dynamic_mlc"


def moving_leaves(*steps: tuple[float, float]) -> Dataset:
    """A DYNAMIC beam of (cumulative weight, leaf gap) steps."""
    points = []
    for index, (weight, gap) in enumerate(steps):
        field = [*JAWS, device("MLCX", leaves(60, gap))] if index == 0 else [device("MLCX", leaves(60, gap))]
        if index == 0:
            points.append(first_point(BeamLimitingDevicePositionSequence=field))
        else:
            points.append(later_point(index, weight, BeamLimitingDevicePositionSequence=field))
    return beam(points=points, BeamType="DYNAMIC")


@pytest.mark.parametrize(
    ("steps", "technique"),
    [
        (((0, 10), (1, 10)), "static"),
        (((0, 10), (0.5, 10), (0.5, 20), (1, 20)), "step_and_shoot"),
        (((0, 10), (0.5, 15), (1, 20)), "dynamic_mlc"),
    ],
)
def test_the_technique_is_judged_by_what_moves_with_the_beam_on(
    steps: tuple[tuple[float, float], ...], technique: str, machine: Machine
) -> None:
    assert read_beam(moving_leaves(*steps), machine).technique == technique


def test_a_beam_that_calls_itself_static_but_moves_is_a_warning(machine: Machine) -> None:
    moving = moving_leaves((0, 10), (1, 20))
    moving.BeamType = "STATIC"
    assert "beam-type-mismatch" in codes(read(plan([moving]), machine))


@pytest.mark.parametrize(("x", "y"), [("X", "Y"), ("ASYMX", "ASYMY"), ("X", "ASYMY"), ("ASYMX", "Y")])
def test_every_kind_of_jaws_is_read(x: str, y: str, machine: Machine) -> None:
    field = [device(x, [-30, 20]), device(y, [-10, 40])]
    built = read_beam(
        beam(points=[first_point(BeamLimitingDevicePositionSequence=field), later_point(1, 1)]), machine
    )
    assert built.control_points[0].jaws == (-3_000, 2_000, -1_000, 4_000)
    assert built.control_points[0].leaves == ()


@pytest.mark.parametrize("pairs", [40, 60, 80])
def test_leaves_without_x_jaws_leave_x_open_and_say_so(pairs: int, machine: Machine) -> None:
    edges = [float(edge) for edge in range(-pairs // 2, pairs // 2 + 1)]
    kind = item(RTBeamLimitingDeviceType="MLCX", NumberOfLeafJawPairs=pairs, LeafPositionBoundaries=edges)
    field = [device("ASYMY", [-40, 40]), device("MLCX", leaves(pairs, 15))]
    points = [first_point(BeamLimitingDevicePositionSequence=field), later_point(1, 1)]
    course = read(plan([beam(points=points, BeamLimitingDeviceSequence=[kind])]), machine)
    (built,) = course.targets[0].beams
    assert built.control_points[0].jaws == (-20_000, 20_000, -4_000, 4_000)
    assert built.control_points[0].leaves == tuple([-1_500] * pairs + [1_500] * pairs)
    assert built.leaf_boundaries == tuple(round(edge * 100) for edge in edges)
    assert "jaw-missing" in codes(course)
    assert "leaf-boundaries-missing" not in codes(course)


def test_leaves_that_move_along_y_are_kept_apart(machine: Machine) -> None:
    field = [*JAWS, device("MLCY", leaves(40, 15))]
    points = [first_point(BeamLimitingDevicePositionSequence=field), later_point(1, 1)]
    course = read(plan([beam(points=points)]), machine)
    assert course.targets[0].beams[0].leaf_travel == "y"
    assert "leaf-boundaries-missing" in codes(course)


def test_two_jaw_pairs_on_one_axis_leave_open_what_both_leave_open(machine: Machine) -> None:
    field = [device("X", [-30, 30]), device("ASYMX", [-50, 20]), device("Y", [-10, 10])]
    points = [first_point(BeamLimitingDevicePositionSequence=field), later_point(1, 1)]
    assert read_beam(beam(points=points), machine).control_points[0].jaws == (-3_000, 2_000, -1_000, 1_000)


def test_a_duration_limit_is_kept_when_there_is_one(machine: Machine) -> None:
    assert read_beam(beam(), machine, BeamDeliveryDurationLimit=90.0).duration_limit_s == 90.0
    assert read_beam(beam(), machine).duration_limit_s is None


def test_a_wedge_is_reported_because_it_is_not_simulated(machine: Machine) -> None:
    assert "modifier-ignored" in codes(read(plan([beam(NumberOfWedges=1)]), machine))


def test_private_elements_change_nothing(machine: Machine) -> None:
    built = plan()
    before = read(built, machine).digest
    block = built.BeamSequence[0].private_block(0x3241, "SOME VENDOR", create=True)
    block.add_new(0x01, "LO", "vendor text")
    built.add_new(0x00091001, "UN", b"\x00\xff")
    assert read(built, machine).digest == before


def test_warnings_of_pydicom_become_notes_without_the_values_they_quote(
    machine: Machine, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    data = encode(plan(), preamble=False).replace(b"1.2.3.4", b"Erika.4")
    with caplog.at_level(logging.DEBUG):
        course = read(data, machine)
    notes = [finding.message for finding in course.findings if finding.code == "not-conformant"]
    assert any("VR UI" in note for note in notes)
    assert "Erika" not in repr(course)
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
