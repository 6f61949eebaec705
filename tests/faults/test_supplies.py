"""Faults of media, nodes, power and controller do to the plant what the scenario reference says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_model.contract import ResetCause
from sim.conductor import RESTART_US, WATCHDOG_US
from sim.linac.utilities import HEALTHY, HEARTBEAT_HZ
from tests.faults.plant_bench import BEAM_ON_US, TABLE, Plant, exercises, fault, few

ON, OFF = 5_000_000, 9_000_000
NODES = tuple(HEARTBEAT_HZ)


@exercises("utility")
@few
@given(st.sampled_from([*HEALTHY]), st.integers(0, 60), st.floats(-0.5, 0.5).map(lambda v: round(v, 4)))
def test_a_utility_really_has_this_value_and_trend(signal: str, value: int, per_second: float) -> None:
    plant = Plant(fault("utility", ON, 60_000_000, signal=signal, value=value, per_second=per_second))
    low, high = (TABLE.counts(signal, end) for end in TABLE.signals[signal].range)
    for t in range(ON, ON + 60_000_000, 7_000_003):
        due = 10 * (value + per_second * (t - ON) / 1e6)
        assert plant.at(t).line(signal) == pytest.approx(min(max(due, low), high), abs=0.02)
    assert plant.at(ON + 60_000_000).line(signal) == HEALTHY[signal]


def test_the_later_of_two_values_counts_and_the_trend_of_the_earlier_goes_on_behind() -> None:
    trend = fault("utility", ON, id="trend", signal="water_temperature", value=40, per_second=1)
    other = fault("utility", ON + 2_500_000, 5_000_000, id="other", signal="water_temperature", value=20)
    plant = Plant(trend, other)
    assert plant.at(ON + 7_000_000).line("water_temperature") == 200
    assert plant.at(ON + 8_000_000).line("water_temperature") == pytest.approx(480, abs=0.02)


@exercises("node_silent")
@few
@given(st.sampled_from(NODES), st.integers(1_000, 3_000_000))
def test_a_silent_node_stands_still_and_then_counts_on(node: str, lasts: int) -> None:
    plant, healthy = Plant(fault("node_silent", ON, lasts, node=node)), Plant()
    stood = plant.at(ON).line(node)
    assert plant.at(ON + lasts - 1).line(node) == stood == healthy.at(ON).line(node)
    plant.at(OFF), healthy.at(OFF)
    assert healthy.line(node) - plant.line(node) == pytest.approx(HEARTBEAT_HZ[node] * lasts / 1e6, abs=0.1)
    assert plant.slope(node) == healthy.slope(node) > 0


@exercises("node_late")
@few
@given(st.sampled_from(NODES), st.integers(1_000, 3_000_000))
def test_a_late_node_stands_still_and_then_has_sent_everything(node: str, lasts: int) -> None:
    plant, healthy = Plant(fault("node_late", ON, lasts, node=node)), Plant()
    stood = plant.at(ON).line(node)
    assert plant.at(ON + lasts - 1).line(node) == stood
    plant.at(ON + lasts), healthy.at(ON + lasts)
    assert plant.line(node) == pytest.approx(healthy.line(node), abs=0.001)
    assert plant.slope(node) == healthy.slope(node)


def test_a_node_is_heard_again_when_the_last_of_two_faults_is_over() -> None:
    silent = fault("node_silent", ON, 2_000_000, node="heartbeat_linac")
    late = fault("node_late", ON + 1_000_000, 2_000_000, node="heartbeat_linac")
    plant = Plant(silent, late)
    stood = plant.at(ON).line("heartbeat_linac")
    assert plant.at(ON + 2_999_999).line("heartbeat_linac") == stood
    plant.at(ON + 3_000_000)
    assert plant.slope("heartbeat_linac") > 0
    assert plant.at(ON + 4_000_000).line("heartbeat_linac") == pytest.approx(stood + 100, abs=0.1)


# --- power and controller -------------------------------------------------------------------------


class Watched:
    """A plant whose conductor is run, with every restart of its controller and when it scans."""

    def __init__(self, *steps: dict[str, Any]) -> None:
        self.plant = Plant(*steps)
        conductor, controller = self.plant.world.conductor, self.plant.world.conductor.controller
        self.resets: list[tuple[int, ResetCause]] = []
        self.upsets: list[tuple[int, str]] = []
        self.scans: list[int] = []
        reset, run, upset = controller.reset, controller.run, controller.upset

        def noted_reset(cause: ResetCause) -> Any:
            self.resets.append((self.plant.clock.now, cause))
            return reset(cause)

        def noted_upset(flip: Any) -> Any:
            self.upsets.append((self.plant.clock.now, flip.region))
            return upset(flip)

        def noted_run(segment: Any) -> Any:
            start = conductor.tick * conductor.scan_us
            advance = run(segment)
            self.scans += range(start, start + advance.ticks * conductor.scan_us, conductor.scan_us)
            return advance

        controller.reset, controller.run = noted_reset, noted_run  # type: ignore[method-assign]
        controller.upset = noted_upset  # type: ignore[method-assign]
        conductor.run(BEAM_ON_US // 3, self.plant.clock.event())

    def silence(self) -> list[tuple[int, int]]:
        """Between which instants no scan was run."""
        pairs = zip(self.scans, self.scans[1:], strict=False)
        return [(a, b) for a, b in pairs if b - a > 1_000]


MS = 1_000
T = ON // MS  # ms


def dip(at_ms: int, lasts_ms: int, **more: Any) -> dict[str, Any]:
    return fault("power_dip", at_ms * MS, lasts_ms * MS, id=f"dip_{at_ms}", **more)


def hang(at_ms: int, lasts_ms: int = 1000, **more: Any) -> dict[str, Any]:
    return fault("controller_hang", at_ms * MS, lasts_ms * MS, id=f"hang_{at_ms}", **more)


WATCHDOG, RESTART = WATCHDOG_US // MS, RESTART_US // MS


@exercises("power_dip", "controller_hang")
@pytest.mark.parametrize(
    ("steps", "silences", "resets"),
    [
        pytest.param([dip(T, 30)], [(0, 30)], [(0, "power")], id="one dip"),
        pytest.param([hang(T)], [(0, 250)], [(50, "watchdog")], id="one hang"),
        pytest.param([hang(T, 51)], [(0, 250)], [(50, "watchdog")], id="whenever the fault ends then"),
        pytest.param([hang(T, 40)], [(0, 40)], [], id="a hang too short for the watchdog"),
        pytest.param([hang(T, 40), hang(T + 10, 10)], [(0, 40)], [], id="a hang within a hang"),
        pytest.param(
            [hang(T, 40), hang(T + 30, 40)],
            [(0, 250)],
            [(50, "watchdog")],
            id="two short hangs that overlap are a long one",
        ),
        pytest.param(
            [hang(T, 2000), hang(T + 500, 20)],
            [(0, 250), (500, 520)],
            [(50, "watchdog")],
            id="the cause of an earlier hang does not keep a later one",
        ),
        pytest.param(
            [dip(T, 30, repeat={"every": "100 ms", "times": 3})],
            [(0, 30), (100, 130), (200, 230)],
            [(0, "power"), (100, "power"), (200, "power")],
            id="dips again and again",
        ),
        pytest.param([dip(T, 100), dip(T + 50, 100)], [(0, 150)], [(0, "power")], id="dips overlap"),
        pytest.param([dip(T, 100), dip(T + 20, 30)], [(0, 100)], [(0, "power")], id="a dip within a dip"),
        pytest.param(
            [hang(T, 200), *(hang(T + ms, 20) for ms in (20, 45))],
            [(0, 250)],
            [(50, "watchdog")],
            id="hanging again does not put the watchdog off",
        ),
        pytest.param([hang(T), dip(T + 20, 10)], [(0, 30)], [(20, "power")], id="a dip ends a hang"),
        pytest.param([dip(T, 100), hang(T + 20)], [(0, 100)], [(0, "power")], id="no hang without power"),
        pytest.param(
            [hang(T), dip(T + 100, 1000)],
            [(0, 1100)],
            [(50, "watchdog"), (100, "power")],
            id="no restart without power",
        ),
        pytest.param(
            [hang(T), dip(T + 100, 50), hang(T + 200)],
            [(0, 150), (200, 450)],
            [(50, "watchdog"), (100, "power"), (250, "watchdog")],
            id="a restart that power has overtaken is void",
        ),
    ],
)
def test_the_controller_scans_whenever_it_has_power_and_does_not_hang(
    steps: Sequence[dict[str, Any]], silences: Sequence[tuple[int, int]], resets: Sequence[tuple[int, str]]
) -> None:
    watched = Watched(*steps)
    expected = [((T + a) * MS - MS, (T + b) * MS) for a, b in silences]
    assert watched.silence() == expected
    assert watched.resets == [((T + t) * MS, ResetCause[cause]) for t, cause in resets]
    assert watched.scans[-1] == BEAM_ON_US // 3 - MS


def test_a_dip_takes_the_power_of_the_machine_too() -> None:
    watched = Watched(dip(T, 30))
    generator = watched.plant.linac.generator
    assert not generator._power, "after a loss of power the machine is off until someone switches it on"
    assert not watched.plant.world.conductor.outputs.permit


def flip(at_us: int, region: str = "state", **more: Any) -> dict[str, Any]:
    return fault("memory_flip", at_us, id=f"flip_{at_us}_{region}", region=region, **more)


@exercises("memory_flip")
@pytest.mark.parametrize("after_us", [-999, -1, 0])
def test_a_flipped_bit_is_found_by_the_next_scan_which_restarts_the_controller(after_us: int) -> None:
    watched = Watched(flip(ON + after_us))
    assert watched.upsets == [(ON, "state")]
    # The scan that finds it is none.
    assert watched.silence() == [((T - 1) * MS, (T + RESTART) * MS)]
    assert [t for t, _ in watched.resets] == [ON]


@pytest.mark.parametrize(
    ("steps", "upsets"),
    [
        pytest.param([flip(ON, "seal"), flip(ON, "latches")], [(ON, "latches")], id="the worse counts"),
        pytest.param([flip(ON), flip(ON + 100_000)], [(ON, "state")], id="none while it restarts"),
        pytest.param([dip(T, 100), flip(ON + 50_000)], [], id="none without power"),
        pytest.param([hang(T), flip(ON + 20_000)], [], id="none while it hangs"),
        pytest.param([flip(ON - 500), hang(T)], [], id="a hang keeps it from being found"),
        pytest.param(
            [flip(ON - 500), hang(T, 20)], [(ON + 20_000, "state")], id="a short one only for a while"
        ),
    ],
)
def test_a_flip_is_found_once_by_a_controller_that_scans(
    steps: Sequence[dict[str, Any]], upsets: Sequence[tuple[int, str]]
) -> None:
    assert Watched(*steps).upsets == upsets


def test_region_and_bit_are_drawn_when_not_given_and_the_same_every_time() -> None:
    steps = [fault("memory_flip", ON + n * 1_000_000, id=f"flip_{n}") for n in range(12)]
    first, again = Watched(*steps).upsets, Watched(*steps).upsets
    assert first == again
    assert len({region for _, region in first}) > 3


def test_a_flip_in_retained_memory_leaves_no_latch_and_a_beam_that_was_cut() -> None:
    kept, lost = Watched(flip(ON)), Watched(flip(ON, "retained"))
    assert kept.plant.world.conductor.controller.retained.boot_count == 2
    retained = lost.plant.world.conductor.controller.retained
    assert retained == (1, ResetCause.watchdog, 0, 0, 0, -1)
