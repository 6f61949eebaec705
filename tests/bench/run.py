"""Benchmarks: one JSON object a line, ``{"name", "value", "unit", "reference"}``.

Variants of one thing are measured in the same run, so that their ratio means something on any
computer. Run with ``make bench``.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import simpy

from cli.check import scenario_files
from firmware_model.contract import FRACTION_BITS, Change, Controller, Inputs, Segment
from firmware_model.controller import ModelController
from firmware_model.states import Command, State
from firmware_model.table import Table
from firmware_model.table_loading import load_table
from hil.boards import KINDS
from hil.boards.native import NativeController
from sim.course.loading import LoadedCourse, load_course
from sim.course.run import run_course
from sim.dose.delivered import delivered
from sim.dose.influence import influence
from sim.dose.session import SessionDose
from sim.dose.slices import slices
from sim.ledger.store import Ledger
from sim.scenario.loading import load_scenario
from sim.scenario.runner import BoardIdentity, run_scenario
from tests.bench import links

ROOT = Path(__file__).parents[2]
HEADLINE = ROOT / "scenarios" / "two_abdominal_metastases.yaml"
BEAM_S = 600
SEGMENTS = 120  # control points of the 600 s beam: one change of dose rate and gantry speed each
TICKED_S = 20  # the tick-by-tick variants run this much of the same beam


def emit(name: str, value: float, unit: str, reference: str) -> None:
    print(
        json.dumps({"name": name, "value": round(value, 4), "unit": unit, "reference": reference}), flush=True
    )


def missing(name: str, reason: str) -> None:
    """What cannot be measured here, and why."""
    print(
        json.dumps({"name": name, "value": None, "unit": "", "reference": f"not measured: {reason}"}),
        flush=True,
    )


def best(action: Callable[[], object], repeats: int = 5) -> float:
    """Shortest of several runs, seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


class Bench:
    """A controller brought to irradiation with healthy inputs, and a beam of 120 segments."""

    def __init__(self, table: Table, controller: Controller | None = None) -> None:
        self.table = table
        self.index = table.signal_index
        self.controller: Controller = controller or ModelController(table)
        self.values = dict.fromkeys(table.signals, 0)
        self._healthy()
        self._to_irradiation()

    def _healthy(self) -> None:
        v = self.values
        for name, signal in self.table.signals.items():
            if signal.kind == "bool":
                v[name] = 1
            elif signal.kind == "token":
                v[name] = 7
        v.update(sequence_hold=0, image_age_override=0, gating_enabled=0, free_breathing=0,
                 static_beam=0, arc_beam=1, clearance=300, preset_meterset=100_000_000, time_set=100_000_000,
                 dose_rate_set=600, dose_rate_max=600,
                 pulse_dose_set=278, pulse_dose=278, energy_set=600, beam_energy=600, bend_current=5200,
                 bend_current_set=5200, water_flow=120, water_temperature=400, gas_pressure=2300,
                 vacuum_current=50, air_pressure=4100, console_table_digest=self.table.token)  # fmt: skip

    def _changes(self, *names: str) -> tuple[Change, ...]:
        return tuple(Change(self.index[n], self.values[n] << FRACTION_BITS) for n in names or self.values)

    def _to_irradiation(self) -> None:
        run = self.controller.run
        beats = tuple(
            Change(self.index[n], 0, 6554) for n in ("heartbeat_linac", "heartbeat_console", "gate_heartbeat")
        )
        run(Segment(1, (*self._changes(), *beats), Command.power_on))
        while self.controller.outputs.state is State.self_test:
            run(Segment(1000))
        run(Segment(1, (), Command.prepare))
        run(Segment(1, (), Command.begin_check))
        while self.controller.outputs.state is State.check:
            line = self.controller.outputs.test_line
            proof = list(self.table.interlocks.values())[line - 1].proof if line else None
            forced = tuple(
                Change(self.index[n], self.table.counts(n, value) << FRACTION_BITS)
                for n, value in (proof or {}).items()
            )
            run(Segment(1, forced or self._changes(*_not_beating(self.values))))
        run(Segment(1, (), Command.beam_on))
        assert self.controller.outputs.state is State.irradiation, self.controller.outputs

    def segments(self, seconds: int) -> list[Segment]:
        """Dose and gantry ramps that change every 5 s, as control points make them."""
        result = []
        dose = gantry = 0
        ticks = BEAM_S * 1000 // SEGMENTS
        for number in range(seconds * 1000 // ticks):
            slope = (655_360, 622_592)[number % 2]  # 600 and 570 MU/min in mMU per ms
            turn = 65_536 * 300 // 1000  # 3 deg/s
            result.append(
                Segment(
                    ticks,
                    (
                        Change(self.index["dose_primary"], dose, slope),
                        Change(self.index["dose_secondary"], dose, slope),
                        Change(self.index["dose_planned_at_gantry"], dose, slope),
                        Change(self.index["gantry"], gantry, turn),
                        Change(self.index["gantry_set"], gantry, turn),
                    ),
                )
            )
            dose += slope * ticks
            gantry = (gantry + turn * ticks) % (360 * 100 << FRACTION_BITS)
        return result


def _not_beating(values: dict[str, int]) -> list[str]:
    return [n for n in values if "heartbeat" not in n]


def skipping(bench: Bench) -> None:
    """The 600 s beam by segments."""
    for segment in bench.segments(BEAM_S):
        left = segment
        while True:
            advance = bench.controller.run(left)
            if advance.ticks >= left.ticks:
                break
            left = Segment(left.ticks - advance.ticks)
    assert bench.controller.outputs.permit, "the benchmark's beam must stay on"


def ticking(bench: Bench) -> None:
    """The same inputs, one scan after the other."""
    values = [bench.values[n] for n in bench.table.signals]
    beat = bench.index["heartbeat_linac"]
    console = bench.index["heartbeat_console"]
    tick = 0
    for segment in bench.segments(TICKED_S):
        for k in range(segment.ticks):
            for signal, value, slope in segment.changes:
                values[signal] = (value + slope * k) >> FRACTION_BITS
            values[beat] = values[console] = tick // 10
            bench.controller.scan(Inputs(tuple(values)))
            tick += 1
    assert bench.controller.outputs.permit, "the benchmark's beam must stay on"


def bare_simpy(seconds: int) -> None:
    """A SimPy process that only waits 1 ms, again and again: what an event a scan would cost at least."""
    env = simpy.Environment()

    def scan_timer() -> object:
        for _ in range(seconds * 1000):
            yield env.timeout(1000)

    env.process(scan_timer())  # type: ignore[arg-type]
    env.run()


def controller_speed() -> None:
    table = load_table()
    benches = [Bench(table) for _ in range(5)]
    skipped = best(lambda: skipping(benches.pop()))
    benches = [Bench(table) for _ in range(2)]
    ticked = best(lambda: ticking(benches.pop()), 2) * BEAM_S / TICKED_S
    bare = best(lambda: bare_simpy(60), 3) * BEAM_S / 60
    emit("beam_600s_skipping", BEAM_S / skipped, "simulated s / s", ">= 20000")
    emit("beam_600s_tick_by_tick", BEAM_S / ticked, "simulated s / s", "same table, every scan evaluated")
    emit("simpy_bare_1ms_timeouts", BEAM_S / bare, "simulated s / s", "an event a scan and nothing else")
    emit("skipping_over_tick_by_tick", ticked / skipped, "times", "same run")
    if KINDS["native"].missing():
        missing("beam_600s_native", KINDS["native"].missing())
        return
    benches = [Bench(table, NativeController(table)) for _ in range(5)]
    native = best(lambda: skipping(benches.pop()))
    emit("beam_600s_native", BEAM_S / native, "simulated s / s", ">= 40000")


def session_speed() -> None:
    loaded = load_scenario(HEADLINE)
    board = BoardIdentity("model", "reference model", "")
    seconds = best(lambda: run_scenario(loaded, ModelController(loaded.table), board), 3)
    emit("headline_session_in_process", seconds, "s", "25 min of session, without records")
    long = load_scenario(ROOT / "scenarios" / "nominal" / "forty_minutes.yaml")
    seconds = best(lambda: run_scenario(long, ModelController(long.table), board), 3)
    emit("forty_minute_session_in_process", seconds, "s", "<= 0.3")
    start = time.perf_counter()
    files = [f for f in scenario_files(ROOT / "scenarios") if "package:" not in f.read_text(encoding="utf-8")]
    for file in files:
        loaded = load_scenario(file)
        run_scenario(loaded, ModelController(loaded.table), board)
    seconds = time.perf_counter() - start
    emit(
        "every_scenario_in_one_process",
        seconds,
        "s",
        f"{len(files)} files, loaded and run in turn",
    )


def dose_speed() -> None:
    """What the dose of the headline costs: once for the plan, and for what a session delivered."""
    loaded = load_scenario(HEADLINE)
    outcome = run_scenario(
        loaded, ModelController(loaded.table), BoardIdentity("model", "reference model", "")
    )
    course, trace = loaded.course, outcome.world.trace

    def plan() -> None:
        influence.cache_clear()
        influence(course)

    def pair() -> None:
        given = list(delivered(course, trace))
        slices(course, given, given, axial=[0], coronal=[0])

    board = BoardIdentity("model", "reference model", "")

    def session() -> None:
        run_scenario(loaded, ModelController(loaded.table), board)

    once, whole = best(plan), best(session)
    with (
        patch("sim.dose.watch.watch_dose"),
        patch("sim.dose.session.session_dose", return_value=SessionDose((), {}, {}, "not computed")),
    ):
        bare = best(session)
    emit("dose_influence_of_headline", once, "s", "once for a plan")
    share = 100 * (once + whole - bare) / bare
    emit("dose_share_of_headline_session", share, "%", "<= 30 % on top of the session, plan included")
    emit("dose_slices_of_headline", best(pair, 3), "s", "<= 1.0, axial and coronal, 2 mm")


def course_speed() -> None:
    """Three targets on the same days, with a ledger in a file and without pictures."""
    path = ROOT / "scenarios" / "courses" / "three_targets.yaml"
    for fractions in (3, 5):
        loaded = load_course(path)
        targets = tuple(replace(target, fractions=fractions) for target in loaded.course.targets)
        loaded = replace(loaded, course=replace(loaded.course, targets=targets))

        def give(loaded: LoadedCourse = loaded) -> None:
            board = BoardIdentity("model", "reference model", "")
            with (
                tempfile.TemporaryDirectory() as folder,
                Ledger(Path(folder) / "ledger.sqlite", loaded.course) as ledger,
            ):
                run_course(loaded, ModelController(loaded.table), board, ledger)

        emit(f"course_of_3_targets_{fractions}_fractions", best(give, 3), "s", "<= 1.0, no pictures")


def command(*words: str) -> float:
    """Median wall time of an ``interlock`` command over five runs."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "cli.main", *words], cwd=ROOT, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def command_speed() -> None:
    emit("help", command("--help"), "s", "<= 0.35")
    with tempfile.TemporaryDirectory() as folder:
        emit("run_headline_with_report", command("run", str(HEADLINE), "--out", folder), "s", "<= 2.0")


def main() -> None:
    controller_speed()
    session_speed()
    dose_speed()
    course_speed()
    command_speed()
    links.measure(emit, missing)


if __name__ == "__main__":
    main()
