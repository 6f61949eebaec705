"""Faults of the beam and of its measurement do to the plant what the scenario reference says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.faults.beam import ARC_VACUUM
from sim.linac.beam_line import SLOT_DISTANCE, mode_code
from sim.linac.utilities import HEALTHY
from tests.faults.plant_bench import BEAM_ON_US, MACHINE, QUALITY, Plant, exercises, fault, few

ON, OFF = BEAM_ON_US + 5_000_000, BEAM_ON_US + 7_000_000
DURING, RATE = ON + 1_000_000, QUALITY.max_dose_rate
PULSE = 649  # 1400 MU/min in 360 pulses a second, 0.0001 MU, rounded up
SLOT = 3 * SLOT_DISTANCE  # of the third beam of the machine


def approx(value: float, absolute: float = 0.01) -> object:
    return pytest.approx(value, rel=1e-5, abs=absolute)


def rates(plant: Plant) -> tuple[float, float, float]:
    """True dose rate, and what the two channels count, MU/min; the beam's noise is divided out."""
    dose = plant.linac.dose
    noise = [1 + channel.noise_ppm / 1e6 for channel in (dose.primary, dose.secondary)]
    read = [plant.slope(name) * 60 / 1000 for name in ("dose_primary", "dose_secondary")]
    return dose.delivered.slope * 60 / (1 << 16), read[0] / noise[0], read[1] / noise[1]


def healthy(plant: Plant, t_us: int = OFF) -> None:
    """At this instant nothing of the beam shows a fault."""
    plant.at(t_us)
    assert plant.channel("dose_rate") == approx(RATE)
    assert all(rate == approx(RATE) for rate in rates(plant))
    assert plant.line("pulse_dose") == PULSE
    assert plant.line("dose_supply") == 1
    assert (plant.line("beam_energy"), plant.line("bend_current")) == (600, 5200)
    assert [plant.line(f"carousel_{s}") for s in "abc"] == [SLOT] * 3
    assert (plant.line("target_position"), plant.line("accessory_sensed")) == (5000, 1)
    assert plant.line("mode_sensed") == mode_code(QUALITY)
    assert (plant.line("symmetry_radial"), plant.line("symmetry_transverse")) == (0, 0)
    assert plant.line("vacuum_current") == HEALTHY["vacuum_current"]
    for name in ("energy_error", "filter_error", "asymmetry"):
        assert plant.channel(name) == 0


percents = st.one_of(st.integers(0, 1000), st.floats(0, 1000).map(lambda p: round(p, 2)))


@exercises("dose_rate")
@few
@given(percents)
def test_the_dose_rate_is_this_percentage_of_what_is_asked_for(percent: float) -> None:
    plant = Plant(fault("dose_rate", ON, OFF - ON, percent=percent)).at(DURING)
    assert all(rate == approx(RATE * percent / 100) for rate in (plant.channel("dose_rate"), *rates(plant)))
    assert plant.line("pulse_dose") == PULSE
    healthy(plant)


@exercises("pulses_missing")
@few
@given(st.floats(0, 100).map(lambda p: round(p, 2)))
def test_missing_pulses_lower_the_rate_and_leave_the_pulses_as_they_are(percent: float) -> None:
    plant = Plant(fault("pulses_missing", ON, OFF - ON, percent=percent)).at(DURING)
    assert all(rate == approx(RATE * (1 - percent / 100)) for rate in rates(plant))
    assert plant.line("pulse_dose") == PULSE
    healthy(plant)


@exercises("pulse_dose")
@few
@given(st.integers(0, 200))  # more would end the beam before the fault
def test_pulses_carry_this_percentage_and_the_rate_follows(percent: int) -> None:
    plant = Plant(fault("pulse_dose", ON, OFF - ON, percent=percent)).at(DURING)
    assert plant.line("pulse_dose") == PULSE * percent // 100
    assert all(rate == approx(RATE * percent / 100) for rate in rates(plant))
    healthy(plant)


@exercises("energy")
@few
@given(st.integers(50, 150))
def test_magnet_and_energy_run_at_this_percentage(percent: int) -> None:
    plant = Plant(fault("energy", ON, OFF - ON, percent=percent)).at(DURING)
    assert (plant.line("beam_energy"), plant.line("bend_current")) == (6 * percent, 52 * percent)
    assert plant.channel("energy_error") == percent - 100
    healthy(plant)


hundredths = st.integers(-50_000, 50_000).map(lambda counts: counts / 100)


@exercises("carousel_off")
@few
@given(hundredths)
def test_the_carousel_stands_beside_its_slot(by: float) -> None:
    plant = Plant(fault("carousel_off", ON, OFF - ON, by=by)).at(DURING)
    assert [plant.line(f"carousel_{s}") for s in "abc"] == [max(0, SLOT + round(100 * by))] * 3
    assert plant.channel("filter_error") == approx(abs(by))
    healthy(plant)


@exercises("target_off")
@few
@given(hundredths.map(lambda by: round(by / 10, 2)))
def test_the_target_stands_beside_the_beam(by: float) -> None:
    plant = Plant(fault("target_off", ON, OFF - ON, by=by)).at(DURING)
    assert plant.line("target_position") == 5000 + round(100 * by)
    assert plant.channel("filter_error") == approx(abs(by))
    healthy(plant)


@exercises("wrong_accessory")
@few
@given(st.integers(0, 2**31 - 1))
def test_the_tray_reads_another_code(code: int) -> None:
    plant = Plant(fault("wrong_accessory", ON, OFF - ON, code=code)).at(DURING)
    assert (plant.line("accessory_sensed"), plant.line("accessory_selected")) == (code, 1)
    healthy(plant)


@exercises("target_wear")
@few
@given(st.integers(0, 50))
def test_a_worn_target_gives_less_while_the_chambers_read_on(percent: int) -> None:
    plant = Plant(fault("target_wear", ON, OFF - ON, percent=percent)).at(DURING)
    true, *read = rates(plant)
    assert true == approx(RATE * (1 - percent / 100))
    assert all(rate == approx(RATE) for rate in read)
    assert plant.line("symmetry_radial") == 4 * percent
    assert plant.channel("asymmetry") == approx(0.4 * percent)
    healthy(plant)


@exercises("symmetry")
@few
@given(st.sampled_from(["radial", "transverse"]), st.integers(-1000, 1000))
def test_the_beam_is_asymmetric_in_one_plane(plane: str, tenths: int) -> None:
    plant = Plant(fault("symmetry", ON, OFF - ON, plane=plane, percent=tenths / 10)).at(DURING)
    seen = {p: plant.line(f"symmetry_{p}") for p in ("radial", "transverse")}
    assert seen == {"radial": 0, "transverse": 0} | {plane: tenths}
    assert plant.channel("asymmetry") == abs(tenths) / 10
    healthy(plant)


CHANNELS = {"primary": (True, False), "secondary": (False, True), "both": (True, True)}


@exercises("chamber_gain")
@few
@given(st.sampled_from([*CHANNELS]), percents)
def test_a_channel_reads_this_percentage_of_the_dose(channel: str, percent: float) -> None:
    plant = Plant(fault("chamber_gain", ON, OFF - ON, channel=channel, percent=percent)).at(DURING)
    true, *read = rates(plant)
    assert true == approx(RATE)
    for rate, meant in zip(read, CHANNELS[channel], strict=True):
        assert rate == approx(RATE * percent / 100 if meant else RATE)
    healthy(plant)


@exercises("chamber_saturation")
@few
@given(st.sampled_from([*CHANNELS]), st.integers(1, 6000))
def test_a_saturated_channel_reads_no_higher_rate(channel: str, at: int) -> None:
    plant = Plant(fault("chamber_saturation", ON, OFF - ON, channel=channel, at=at)).at(DURING)
    true, *read = rates(plant)
    assert true == approx(RATE)
    for rate, meant in zip(read, CHANNELS[channel], strict=True):
        assert rate == (pytest.approx(min(at, RATE), rel=4e-3) if meant else approx(RATE))
    healthy(plant)


@exercises("chamber_supply_lost")
def test_without_high_voltage_both_chambers_read_nothing_and_the_supply_line_says_so() -> None:
    plant = Plant(fault("chamber_supply_lost", ON, OFF - ON)).at(ON)
    stood = plant.line("dose_primary"), plant.line("dose_secondary")
    delivered = plant.channel("dose_delivered")
    plant.at(DURING)
    assert (plant.line("dose_primary"), plant.line("dose_secondary")) == stood
    assert plant.line("dose_supply") == 0
    assert plant.channel("dose_delivered") - delivered == approx(RATE / 60)
    healthy(plant)


@exercises("carousel_jammed")
def test_a_jammed_carousel_stays_in_its_slot_through_two_beam_qualities() -> None:
    plant = Plant(fault("carousel_jammed", ON, 40_000_000), beam_on=False).at(ON)
    other, selected = MACHINE.beams[3], plant.linac.beam_line
    for quality, error in ((other, SLOT_DISTANCE / 100), (QUALITY, 0), (other, SLOT_DISTANCE / 100)):
        plant.clock.process(selected.select(quality))
        plant.at(plant.clock.now + 9_000_000)
        assert plant.line("carousel_a") == SLOT
        assert plant.line("mode_sensed") == mode_code(QUALITY)
        assert plant.line("mode_selected") == mode_code(quality)
        assert plant.channel("filter_error") == error
    plant.at(ON + 40_000_000)
    assert plant.line("carousel_a") == SLOT + SLOT_DISTANCE
    assert plant.line("mode_sensed") == mode_code(other)
    assert plant.channel("filter_error") == 0


# --- a modulator that ignores its permit --------------------------------------------------------


@exercises("beam_stays_on")
def test_the_beam_stays_on_without_permit_until_the_power_goes() -> None:
    plant = Plant(fault("beam_stays_on", ON)).at(DURING)
    plant.linac.generator.set_permit(False)
    plant.at(DURING + 1_000_000)
    assert plant.channel("beam_on") == 1
    plant.linac.generator.set_power(False)
    assert plant.channel("beam_on") == 0
    plant.linac.generator.set_power(True)
    assert plant.at(DURING + 2_000_000).channel("beam_on") == 0, "it came on again by itself"


def test_when_the_modulator_heeds_its_permit_again_the_beam_ends_with_the_usual_latency() -> None:
    plant = Plant(fault("beam_stays_on", ON, OFF - ON)).at(DURING)
    plant.linac.generator.set_permit(False)
    latency = QUALITY.off_latency_us
    assert plant.at(OFF + latency - 1).channel("beam_on") == 1
    assert plant.at(OFF + latency).channel("beam_on") == 0


def test_a_beam_that_stays_on_goes_on_at_the_rate_last_asked_for() -> None:
    plant = Plant(fault("beam_stays_on", ON), fault("dose_rate", DURING + 3_000_000, percent=50)).at(DURING)
    plant.linac.sequencer.abandon(plant.delivery)
    assert plant.at(DURING + 1_000_000).channel("dose_rate") == approx(RATE)
    plant.linac.generator.refresh()
    assert plant.channel("dose_rate") == approx(RATE)
    assert plant.at(DURING + 4_000_000).channel("dose_rate") == approx(RATE / 2)


def test_no_dose_comes_from_a_beam_that_stays_on_without_pulses() -> None:
    plant = Plant(fault("beam_stays_on", ON), fault("pulses_missing", DURING, percent=100)).at(DURING)
    assert plant.channel("dose_rate") == 0


def test_a_growing_fault_does_not_put_off_the_end_of_the_beam() -> None:
    plant = Plant(fault("dose_rate", ON, percent=150, ramp=100_000)).at(ON + 10_000)
    plant.linac.generator.set_permit(False)
    plant.at(ON + 10_000 + QUALITY.off_latency_us)
    assert plant.channel("beam_on") == 0


# --- arcs -----------------------------------------------------------------------------------------


def arcs(plant: Plant, end_us: int) -> list[tuple[int, int]]:
    """Stretches without dose rate while the beam is on."""
    samples = [s for s in plant.trace.channels["dose_rate"].samples if ON <= s.t_us <= end_us]
    edges: list[list[int]] = []
    for sample in samples:
        if not sample.value and (not edges or len(edges[-1]) == 2):
            edges.append([sample.t_us])
        elif sample.value and edges and len(edges[-1]) == 1:
            edges[-1].append(sample.t_us)
    return [(a, b) for a, b in edges]


@exercises("arcing")
@few
@given(st.integers(20, 400), st.integers(1, 15))
def test_arcs_take_the_dose_away_for_a_moment_and_raise_the_pump_current(every: int, outage: int) -> None:
    end = ON + 20_000_000
    plant = Plant(fault("arcing", ON, end - ON, every=f"{every} ms", outage=f"{outage} ms")).at(ON)
    assert plant.line("vacuum_current") == HEALTHY["vacuum_current"] + ARC_VACUUM
    assert plant.line("pulse_dose") == 0
    healthy(plant, end)
    found = arcs(plant, end)
    assert found[0][0] == ON
    assert all(b - a == outage * 1000 for a, b in found[:-1])
    expected = (end - ON) / (every * 1000)
    assert abs(len(found) - expected) < 6 + 5 * expected**0.5
    vacuum = {s.value for s in plant.trace.channels["vacuum_current"].samples if s.t_us >= ON}
    assert vacuum == {5.0, 15.0}


def test_arcs_leave_a_degraded_vacuum_as_it_is() -> None:
    bad = fault("utility", ON, signal="vacuum_current", value=12)
    plant = Plant(bad, fault("arcing", ON + 500_000, 5_000_000, every="100 ms", outage="10 ms"))
    seen = set()
    for t in range(ON + 600_000, ON + 3_000_000, 5_000):
        seen.add(plant.at(t).line("vacuum_current"))
    assert seen == {120, 120 + ARC_VACUUM}
    assert plant.at(ON + 6_000_000).line("vacuum_current") == 120


def test_two_arcing_faults_draw_arcs_of_their_own() -> None:
    one = fault("arcing", ON, 9_000_000, id="one", every="100 ms", outage="10 ms")
    two = {**one, "id": "two"}
    alone, both = Plant(one).at(OFF), Plant(one, two).at(OFF)
    assert len(arcs(both, OFF)) > 1.5 * len(arcs(alone, OFF))
    healthy(both, ON + 9_000_000)
