"""Faults of axes, jaws and leaves do to the plant what the scenario reference says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.linac.collimation import HEALTHY_LEAF_ERROR
from tests.faults.plant_bench import ARC, BEAM_ON_US, CLOSED, MACHINE, OPENED, Plant, exercises, fault, few

ON, OFF = BEAM_ON_US + 5_000_000, BEAM_ON_US + 8_000_000
AXES = ("gantry", "collimator", "couch_rotation", "couch_lateral", "couch_longitudinal", "couch_vertical")
JAWS = ("jaw_x1", "jaw_x2", "jaw_y1", "jaw_y2")
FULL = {name: MACHINE.axes[name].max_speed for name in (*AXES, *JAWS)}  # type: ignore[index]

axes = st.sampled_from(AXES)
any_axis = st.sampled_from((*AXES, *JAWS))


def near(value: float, counts: float = 0.5) -> object:
    return pytest.approx(value, abs=counts)


def position(plant: Plant, axis: str) -> float:
    """Of the load, in counts of 0.01 deg or mm."""
    return plant.linac.axis(axis).truth.at(plant.clock.now) / (1 << 16)


def told(plant: Plant, axis: str) -> float:
    return plant.linac.axis(axis).set.at(plant.clock.now) / (1 << 16)


def settled(plant: Plant, axis: str, gap: float) -> None:
    """From now on the axis makes up for ``gap`` no faster than it can, and then is where it is told to be."""
    start, before = plant.clock.now, position(plant, axis)
    longest = round(abs(gap) / FULL[axis] * 1.4 * 1e6) + 20_000  # the arc itself takes less than 0.3 of it
    while abs(position(plant, axis) - told(plant, axis)) > 0.5:
        assert plant.clock.now - start <= longest, "it does not come back"
        plant.at(plant.clock.now + 5_000)
        now = position(plant, axis)
        assert abs(now - before) <= FULL[axis] * 0.005 + 0.5, "faster than the axis can move"
        before = now
    plant.at(plant.clock.now + 10_000)
    assert position(plant, axis) == told(plant, axis)
    if axis in AXES:
        assert plant.line(axis) == position(plant, axis)


@exercises("axis_stall")
@few
@given(any_axis, st.integers(1_000, 20_000_000))
def test_a_stalled_axis_stands_and_then_catches_up_at_full_speed(axis: str, lasts: int) -> None:
    plant = Plant(fault("axis_stall", ON, lasts, axis=axis)).at(ON)
    stood = position(plant, axis)
    plant.at(ON + lasts - 1)
    assert position(plant, axis) == stood
    gap = told(plant, axis) - stood
    if axis == "gantry":
        assert gap == near(80 * lasts / 1e6, 1)
        assert plant.line("gantry") == stood
        assert plant.channel("angle_error") == near(abs(gap) / 100, 0.01)
    if axis == "jaw_x1":
        assert plant.line("jaw_error") == near(abs(gap))
        assert plant.channel("aperture_error") == near(abs(gap) / 100, 0.1)
    settled(plant.at(ON + lasts), axis, gap)


@exercises("axis_runaway")
@few
@given(any_axis, st.integers(-20_000, 20_000).map(lambda counts: counts / 100))
def test_a_runaway_axis_moves_at_this_speed_to_the_end_of_its_range(axis: str, per_second: float) -> None:
    plant = Plant(fault("axis_runaway", ON, OFF - ON, axis=axis, per_second=per_second)).at(ON)
    limits = MACHINE.axes[axis]  # type: ignore[index]
    start = position(plant, axis)
    for t in (ON + 1_000, ON + 100_000, OFF - 1):
        plant.at(t)
        ran = start + 100 * per_second * (t - ON) / 1e6
        assert position(plant, axis) == near(min(max(ran, limits.minimum), limits.maximum), 0.6)
        if axis in AXES:
            assert plant.line(axis) == near(position(plant, axis), 0.001)
    settled(plant.at(OFF), axis, told(plant, axis) - position(plant, axis))


@exercises("axis_creep")
@few
@given(any_axis, st.integers(-2_000, 2_000).map(lambda counts: counts / 100))
def test_a_creeping_axis_moves_away_from_its_drive(axis: str, per_second: float) -> None:
    plant = Plant(fault("axis_creep", ON, OFF - ON, axis=axis, per_second=per_second))
    for t in (ON, ON + 1_000_000, OFF - 1):
        plant.at(t)
        assert position(plant, axis) - told(plant, axis) == near(100 * per_second * (t - ON) / 1e6, 0.6)
        if axis in AXES:
            assert plant.line(axis) == near(position(plant, axis), 0.001)
    settled(plant.at(OFF), axis, told(plant, axis) - position(plant, axis))


@exercises("axis_slip")
@few
@given(any_axis, st.integers(-20_000, 20_000))
def test_a_slipped_load_is_elsewhere_and_the_readback_shows_nothing(axis: str, counts: int) -> None:
    plant = Plant(fault("axis_slip", ON, OFF - ON, axis=axis, by=counts / 100))
    for t in (ON, ON + 1_000_000, OFF - 1):
        plant.at(t)
        assert position(plant, axis) - told(plant, axis) == near(counts, 0.01)
        if axis in AXES:
            assert plant.line(axis) == told(plant, axis)
        else:
            assert plant.line("jaw_error") == 0
            assert plant.channel("aperture_error") == near(max(7, abs(counts)) / 100, 0.01)
    settled(plant.at(OFF), axis, counts)


@pytest.mark.parametrize("axis", ["gantry", "jaw_x1"])
def test_an_axis_that_catches_up_does_not_jump_when_its_move_ends(axis: str) -> None:
    """It is still behind when the beam arrives at its last control point."""
    plant = Plant(fault("axis_stall", BEAM_ON_US, 59_900_000, axis=axis)).at(BEAM_ON_US + 59_900_000)
    gap = told(plant, axis) - position(plant, axis)
    assert abs(gap) / FULL[axis] > 0.3
    settled(plant, axis, gap)
    assert told(plant, axis) == {"gantry": 5800, "jaw_x1": -3000}[axis]


def test_an_axis_that_catches_up_comes_to_where_it_has_to_be_although_the_beam_is_stopped() -> None:
    plant = Plant(fault("axis_stall", ON, OFF - ON, axis="gantry")).at(OFF + 50_000)
    plant.linac.sequencer.set_motion(False)
    halted = told(plant, "gantry")
    plant.at(OFF + 3_000_000)
    assert position(plant, "gantry") == told(plant, "gantry") == halted


def test_the_end_of_one_fault_of_an_axis_leaves_the_others_in_force() -> None:
    slip = fault("axis_slip", ON, axis="gantry", by=3)
    creep = fault("axis_creep", ON, 20_000_000, axis="gantry", per_second=0.5)
    plant = Plant(slip, creep, fault("axis_stall", ON + 1_000_000, 2_000_000, axis="gantry"))
    plant.at(ON + 10_000_000)
    assert position(plant, "gantry") - plant.line("gantry") == near(300)
    assert plant.line("gantry") - told(plant, "gantry") == near(500, 1)
    settled_from = plant.at(ON + 20_000_000)
    settled_from.at(ON + 30_000_000)
    assert position(plant, "gantry") - told(plant, "gantry") == near(300)


def test_a_runaway_ends_at_the_end_of_the_range_although_the_angle_is_described_anew() -> None:
    plant = Plant(fault("axis_runaway", ON, axis="gantry", per_second=100), beam_on=False).at(ON + 1_000_000)
    plant.linac.axis("gantry").rewrap(1000 + 36_000)
    plant.at(ON + 30_000_000)
    assert position(plant, "gantry") == MACHINE.axes["gantry"].maximum


# --- leaves -----------------------------------------------------------------------------------------


def due(leaf: int, t_us: int) -> float:
    return CLOSED[leaf] + (OPENED[leaf] - CLOSED[leaf]) * (t_us - BEAM_ON_US) / 60e6


@exercises("leaf_stuck")
@few
@given(st.integers(0, 119))
def test_a_stuck_leaf_stays_and_its_deviation_grows(leaf: int) -> None:
    """As slowly as 0.1 mm/s: the deviation is seen from where it exceeds that of a healthy leaf."""
    plant = Plant(fault("leaf_stuck", ON, 20_000_000, leaf=leaf))
    for t in (*range(ON, ON + 2_000_000, 190_001), *range(ON + 2_000_000, ON + 20_000_000, 1_234_567)):
        plant.at(t)
        off = abs(due(leaf, t) - due(leaf, ON))
        assert plant.line("mlc_error") == near(max(off, HEALTHY_LEAF_ERROR), 1.5)
        assert plant.channel("aperture_error") == near(max(off, HEALTHY_LEAF_ERROR) / 100, 0.015)
    assert plant.at(ON + 20_000_000).line("mlc_error") == HEALTHY_LEAF_ERROR


def test_a_leaf_that_is_stuck_before_there_is_a_shape_stays_where_it_first_comes_to() -> None:
    plant = Plant(fault("leaf_stuck", 0, leaf=3)).at(BEAM_ON_US + 30_000_000)
    assert plant.line("mlc_error") == near(300, 3)


@exercises("leaf_lag", "carriage_off")
@few
@given(st.sampled_from(["leaf_lag", "carriage_off"]), st.integers(0, 10_000), st.booleans())
def test_leaves_late_or_carried_off_deviate_by_so_much(kind: str, counts: int, other_way: bool) -> None:
    by = -counts if other_way and kind == "carriage_off" else counts
    plant = Plant(fault(kind, ON, OFF - ON, by=by / 100)).at(ON + 1)
    assert plant.line("mlc_error") == HEALTHY_LEAF_ERROR + counts
    assert plant.channel("aperture_error") == near((HEALTHY_LEAF_ERROR + counts) / 100, 1e-6)
    plant.at(OFF)
    assert plant.line("mlc_error") == HEALTHY_LEAF_ERROR
    assert plant.channel("aperture_error") == HEALTHY_LEAF_ERROR / 100


def test_no_axis_moves_that_should_stand() -> None:
    plant: Any = Plant().at(OFF)
    assert [position(plant, axis) for axis in ("collimator", "couch_rotation")] == [0, 0]
    assert ARC.control_points[1].gantry == 5800
