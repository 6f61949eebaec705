"""Faults come on bit by bit, again and again, end at another step or never, and overlap without harm."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.faults.base import GradualFault
from sim.faults.catalogue import Fault
from sim.faults.signals import GradualSignalFault
from tests.faults.line_bench import step
from tests.faults.plant_bench import BEAM_ON_US, QUALITY, Plant, fault, few
from tests.test_docs import REFERENCE, rows

ON = BEAM_ON_US + 5_000_000
RATE = QUALITY.max_dose_rate

#: Of every fault that can come on with a ramp: keys, what shows its size, its size at rest and in full.
GRADUAL: dict[str, tuple[dict[str, Any], str, float, float]] = {
    "signal_offset": ({"signal": "water_flow", "by": 3}, "water_flow", 120, 150),
    "signal_gain": ({"signal": "water_flow", "percent": 50}, "water_flow", 120, 60),
    "dose_rate": ({"percent": 40}, "channel dose_rate", RATE, RATE * 0.4),
    "pulses_missing": ({"percent": 40}, "channel dose_rate", RATE, RATE * 0.6),
    "pulse_dose": ({"percent": 500}, "pulse_dose", 649, 3245),
    "energy": ({"percent": 110}, "bend_current", 5200, 5720),
    "carousel_off": ({"by": -20}, "carousel_b", 30_000, 28_000),
    "target_off": ({"by": 5}, "target_position", 5000, 5500),
    "target_wear": ({"percent": 20}, "symmetry_radial", 0, 80),
    "symmetry": ({"plane": "transverse", "percent": -12}, "symmetry_transverse", 0, -120),
    "chamber_gain": ({"channel": "secondary", "percent": 80}, "slope dose_secondary", 23_333, 18_667),
    "axis_slip": ({"axis": "couch_lateral", "by": -5}, "truth couch_lateral", 0, -500),
    "leaf_lag": ({"by": 4}, "mlc_error", 7, 407),
    "carriage_off": ({"by": -3}, "mlc_error", 7, 307),
    "target_shifted": ({"by": "5 mm"}, "moved 1", 0, 500),
    "patient_moves": ({"vertical": "-5 mm"}, "moved 2", 0, -500),
}


def ramped_kinds() -> set[str]:
    """Those that the scenario reference flags with ``ramp``; of noise and a speed none can be read off."""
    return {kind for kind, row in rows(REFERENCE, "Faults").items() if "`ramp`" in row}


def size(plant: Plant, what: str) -> float:
    how, _, name = what.rpartition(" ")
    if how == "truth":
        return plant.linac.axis(name).truth.at(plant.clock.now) / (1 << 16)
    if how == "moved":  # lateral, longitudinal, vertical
        return plant.world.patient.displacement(plant.clock.now)[int(name)] / (1 << 16)
    return {"channel": plant.channel, "slope": plant.slope, "": plant.line}[how](name)


def test_the_reference_flags_exactly_the_faults_that_have_a_size() -> None:
    classes = get_args(get_args(Fault)[0])
    gradual = {
        get_args(c.model_fields["kind"].annotation)[0]
        for c in classes
        if issubclass(c, GradualFault | GradualSignalFault)
    }
    assert ramped_kinds() == gradual == {*GRADUAL, "signal_noise", "baseline_drift"}


@pytest.mark.parametrize("kind", GRADUAL)
def test_a_ramp_grows_in_equal_parts_to_full_size_and_ends_at_once(kind: str) -> None:
    keys, what, rest, full = GRADUAL[kind]
    plant = Plant(fault(kind, ON, 3_000_000, ramp=1_000_000, **keys))
    tolerance = abs(full - rest) * 0.003 + 1.5 + (200 if kind == "chamber_gain" else 0)
    assert size(plant.at(ON - 1), what) == pytest.approx(rest, abs=tolerance)
    sizes = [size(plant.at(ON + ms * 1000), what) for ms in range(0, 1001, 10)]
    if kind != "chamber_gain":  # whose noise is drawn anew every second
        assert sizes == sorted(sizes, reverse=full < rest)
    for part, found in enumerate(sizes):
        assert found == pytest.approx(rest + (full - rest) * part / 100, abs=tolerance)
    assert size(plant.at(ON + 2_999_999), what) == pytest.approx(full, abs=tolerance)
    back = 100_000 if kind == "axis_slip" else 0  # the load comes back at full speed
    assert size(plant.at(ON + 3_000_000 + back), what) == pytest.approx(rest, abs=tolerance)


@few
@given(st.integers(1_000, 99_000))
def test_a_short_ramp_has_fewer_parts_of_a_millisecond_at_least(ramp: int) -> None:
    plant = Plant(fault("pulse_dose", ON, ramp=ramp, percent=1100)).at(ON + ramp - 1)
    assert plant.line("pulse_dose") < 649 * 11
    plant.at(ON + ramp)
    samples = [s for s in plant.trace.channels["pulse_dose"].samples if ON <= s.t_us <= ON + ramp]
    assert len({s.t_us for s in samples}) <= ramp // 1000 + 1
    assert plant.line("pulse_dose") == 649 * 11
    assert plant.at(ON + 2 * ramp).line("pulse_dose") == 649 * 11


@few
@given(st.integers(2, 9), st.integers(1_000, 400_000), st.integers(1, 400_000))
def test_a_repeated_fault_sets_in_so_often_at_these_intervals(times: int, lasts: int, pause: int) -> None:
    every = lasts + pause
    plant = Plant(
        fault("wrong_accessory", ON, lasts, code=9, repeat={"every": f"{every} us", "times": times})
    ).at(ON + (times + 2) * every)
    noted = [(e.t_us, e.fields["active"]) for e in plant.trace.events if e.kind == "fault"]
    due = [(ON + n * every + end * lasts, not end) for n in range(times) for end in (0, 1)]
    assert noted == due
    samples = [(s.t_us, s.value) for s in plant.trace.channels["accessory_sensed"].samples if s.t_us >= ON]
    assert samples == [(t, 9 if active else 1) for t, active in due]


def test_a_ramp_begins_anew_with_every_repetition() -> None:
    keys = {"ramp": 100_000, "repeat": {"every": "200 ms", "times": 3}, "percent": 200}
    plant = Plant(fault("pulse_dose", ON, 150_000, **keys))
    for n in range(3):
        seen = [plant.at(ON + n * 200_000 + t).line("pulse_dose") for t in (0, 50_000, 100_000, 150_000)]
        assert seen == [649, 973, 1298, 649]


def test_a_fault_is_cleared_by_another_step_and_clearing_it_again_does_no_harm() -> None:
    clears = [{"id": f"end_{n}", "at": {"time": f"{ON + n} us"}, "clear": "energy"} for n in (1000, 2000)]
    plant = Plant(fault("energy", ON, percent=103), *clears)
    assert plant.at(ON + 999).line("beam_energy") == 618
    assert plant.at(ON + 1000).line("beam_energy") == 600
    assert plant.at(ON + 3000).line("beam_energy") == 600
    assert [e.fields["active"] for e in plant.trace.events if e.kind == "fault"] == [True, False]


def test_a_fault_cleared_before_it_set_in_still_sets_in() -> None:
    plant = Plant(fault("energy", ON, percent=103), {"id": "early", "at": {"time": "1 s"}, "clear": "energy"})
    assert plant.at(ON + 1000).line("beam_energy") == 618


def test_a_ramp_that_is_cleared_stops_growing() -> None:
    clear = {"id": "end", "at": {"time": f"{ON + 500_000} us"}, "clear": "energy"}
    plant = Plant(fault("energy", ON, percent=110, ramp=1_000_000), clear)
    assert plant.at(ON + 499_999).line("beam_energy") > 620
    for t in (500_000, 700_000, 1_500_000):
        assert plant.at(ON + t).line("beam_energy") == 600


def test_a_fault_that_never_ends_is_still_in_force_at_the_end() -> None:
    plant = Plant(fault("energy", ON, percent=103)).at(ON + 3_600_000_000)
    assert plant.line("beam_energy") == 618


#: Two faults that set the same thing: what shows it, and its values at rest, with the first, with the second.
TWICE: dict[str, tuple[dict[str, Any], dict[str, Any], str, tuple[float, float, float]]] = {
    "dose_rate": ({"percent": 50}, {"percent": 80}, "channel dose_rate", (RATE, RATE / 2, RATE * 0.8)),
    "energy": ({"percent": 102}, {"percent": 98}, "beam_energy", (600, 612, 588)),
    "wrong_accessory": ({"code": 5}, {"code": 6}, "accessory_sensed", (1, 5, 6)),
    "leaf_lag": ({"by": 1}, {"by": 2}, "mlc_error", (7, 107, 207)),
    "utility": (
        {"signal": "air_pressure", "value": 100},
        {"signal": "air_pressure", "value": 200},
        "air_pressure",
        (4100, 1000, 2000),
    ),
    "chamber_saturation": (
        {"channel": "both", "at": 60},
        {"channel": "primary", "at": 600},
        "slope dose_primary",
        (23_333, 1000, 10_000),
    ),
    "axis_slip": (
        {"axis": "couch_lateral", "by": 3},
        {"axis": "couch_lateral", "by": 5},
        "truth couch_lateral",
        (0, 300, 500),
    ),
    "symmetry": (
        {"plane": "radial", "percent": 3},
        {"plane": "radial", "percent": 5},
        "symmetry_radial",
        (0, 30, 50),
    ),
    "chamber_supply_lost": ({}, {}, "dose_supply", (1, 0, 0)),
}


@pytest.mark.parametrize("kind", TWICE)
@pytest.mark.parametrize("first_ends_first", [True, False])
def test_of_two_faults_the_later_counts_and_after_it_the_earlier(kind: str, first_ends_first: bool) -> None:
    first, second, what, (rest, with_first, with_second) = TWICE[kind]
    ends = (2_000_000, 2_000_000) if first_ends_first else (4_000_000, 1_000_000)
    plant = Plant(
        fault(kind, ON, ends[0], id="first", **first),
        fault(kind, ON + 1_000_000, ends[1], id="second", **second),
    )
    tolerance = 100 if "slope" in what else 0.01
    then = with_second if first_ends_first else with_first
    for t, due in ((500_000, with_first), (1_500_000, with_second), (2_500_000, then), (5_500_000, rest)):
        assert size(plant.at(ON + t), what) == pytest.approx(due, abs=tolerance)


def test_a_worn_target_leaves_another_cause_of_asymmetry_as_it_is() -> None:
    plant = Plant(
        fault("symmetry", ON, plane="radial", percent=3), fault("target_wear", ON + 1000, 1000, percent=10)
    )
    assert [plant.at(ON + t).line("symmetry_radial") for t in (0, 1000, 2000)] == [30, 40, 30]


def test_a_ramp_is_refused_for_a_fault_without_a_size() -> None:
    with pytest.raises(ValueError, match="signal_intermittent is there or not"):
        step(
            id="contact",
            at={"time": "1 s"},
            ramp="1 s",
            fault={"kind": "signal_intermittent", "signal": "gantry", "every": "1 s", "lost_for": "1 ms"},
        )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": "signal_intermittent", "signal": "gantry", "every": "1 s", "lost_for": "1 s"}, "lost_for"),
        ({"kind": "arcing", "every": "20 ms", "outage": "30 ms"}, "outage"),
    ],
)
def test_a_loss_that_lasts_longer_than_from_one_to_the_next_is_refused(fields: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=f"'{reason}' must be shorter than 'every'"):
        step(id="fault", at={"time": "1 s"}, fault=fields)
