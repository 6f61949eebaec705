"""Accidents whose trigger is a moment, a size or a count: every value is tried, not one example.

What a single scenario shows is in test_accidents.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import groupby
from math import nan
from pathlib import Path

import pytest

from firmware_model.controller import ModelController
from firmware_model.states import Command, State
from firmware_model.table import Table
from sim.clinic.identity import token
from sim.plan.course import Course
from sim.record.trace import Trace
from sim.scenario.loading import load_scenario
from sim.scenario.runner import BoardIdentity, Outcome, run_scenario
from sim.scenario.schema import Step
from tests.firmware.treatment_machine import TreatmentMachine, reference_table
from tests.sim.short_session import TABLE, arc, course, run, step

ROOT = Path(__file__).parents[2]
SCAN_US = 1_000


def short(*timeline: Step, table: Table = TABLE) -> Outcome:
    """One arc of 100 MU with 6 MV FFF."""
    return run(list(timeline), (arc(),), table=table)


def broken(outcome: Outcome) -> set[str]:
    return {i["id"] for i in outcome.run["invariants"] if i["status"] == "violated"}


def value(trace: Trace, name: str, t_us: int) -> float:
    """A signal or a truth at an instant; not a number before it was there."""
    sample = next((s for s in reversed(trace.channels[name].samples) if s.t_us <= t_us), None)
    if sample is None:
        return nan
    return float(sample.value) + sample.slope * (t_us - sample.t_us) / 1e6


def checks(outcome: Outcome) -> Iterator[tuple[int, bool]]:
    """When the check was asked for, and whether it was begun."""
    for event in outcome.world.trace.events:
        if event.kind == "command" and event.fields["command"] == "begin_check":
            yield event.t_us, event.fields["accepted"]


# --- an edit at any moment of the settling ----------------------------------------------------------

#: A quarter of a second apart over the 8 s a magnet takes to settle.
EDITS_MS = range(0, 8_001, 250)
#: Rows that know whether the beam quality selected has been reached.
WATCHED = ("BEND_MAGNET", "MODE_MISMATCH", "CAROUSEL_POSITION")
#: Others that stand in the way of a hurry, because nothing has arrived yet.
ON_THE_WAY = (
    *("CAROUSEL_SPREAD_AB", "CAROUSEL_SPREAD_AC", "TARGET_POSITION", "ACCESSORY"),
    *("GANTRY_POSITION", "COLLIMATOR_POSITION", "COUCH_ROTATION_POSITION", "JAW_POSITION"),
)


def edited(after_ms: int, hurry: bool, table: Table = TABLE) -> Outcome:
    steps = [
        step(
            id="edit",
            at={"time": "1 s"},
            fault={
                "kind": "edit_in_settling",
                "energy_mv": 10,
                "fluence_mode": "fff",
                "noticed_after": f"{after_ms} ms",
            },
        )
    ]
    if hurry:
        steps.append(step(id="hurry", at={"time": "1 s"}, fault={"kind": "hurry"}))
    return short(*steps, table=table)


def disagreement(trace: Trace, t_us: int) -> list[str]:
    """What is not as selected: energy by more than 1 %, filter, or the code of the mode."""
    off = [name for name, limit in (("energy_error", 1.0), ("filter_error", 0.5)) if not (
        abs(value(trace, name, t_us)) <= limit)]  # fmt: skip
    if value(trace, "mode_sensed", t_us) != value(trace, "mode_selected", t_us):
        off.append("mode")
    return off


@pytest.mark.parametrize("hurry", [False, True], ids=["settled", "hurry"])
def test_an_edit_at_any_moment_restarts_settling_and_checking(hurry: bool) -> None:
    refused = 0
    for after_ms in EDITS_MS:
        outcome = edited(after_ms, hurry)
        trace = outcome.world.trace
        assert outcome.verdict == "PASS", after_ms
        asked = list(checks(outcome))
        for t_us, accepted in asked:
            off = disagreement(trace, t_us - SCAN_US)
            assert not (accepted and off), (after_ms, t_us, off)
        assert asked[-1][1], after_ms
        refused += len(asked) - 1
        assert value(trace, "mode_selected", trace.end_us) == 62  # 6 MV, without flattening filter
    assert refused >= (len(EDITS_MS) if hurry else 0)


def test_without_the_rows_that_watch_the_settling_the_check_begins_on_a_mixture() -> None:
    """The sweep above can fail: the same hurry, and nobody looks."""
    outcome = edited(2_000, hurry=True, table=TABLE.without(*WATCHED, *ON_THE_WAY))
    t_us, accepted = next((t, accepted) for t, accepted in checks(outcome) if accepted)
    assert accepted
    assert disagreement(outcome.world.trace, t_us) == ["energy_error", "filter_error", "mode"]


@pytest.mark.parametrize("after_ms", [2, 40, 88, 89, 90, 500, 1_500, 3_000, 5_000, 6_500])
def test_a_change_at_any_moment_from_the_check_to_the_beam_ends_it(after_ms: int) -> None:
    """The proof test takes 0.1 s; then the machine is ready, and some seconds later the beam is on.

    The fingerprint is taken in the first scan of the check, so that a change is one from the second on.
    """
    outcome = short(
        step(id="edit", at={"state": "check", "delay": f"{after_ms} ms"}, console="change_parameter")
    )
    changed = next(e.t_us for e in outcome.world.trace.events if e.kind == "step")
    trip = next(e for e in outcome.world.trace.events if e.kind == "trip")
    assert (trip.fields["interlock"], trip.fields["first_up"]) == ("PARAMETERS_CHANGED", True)
    assert trip.t_us - changed <= SCAN_US
    assert outcome.verdict == "FAIL"  # the beam is not given as planned
    assert broken(outcome) == set()


# --- a check cannot be skipped by counting ------------------------------------------------------------


def test_the_check_is_refused_the_1024th_time_as_it_was_the_first() -> None:
    """Set-up goes round and round with a filter out of place; a byte would be zero four times."""
    table = reference_table(20)
    machine = TreatmentMachine(table).reach(State.preparatory)
    machine.set(carousel_a=500)
    machine.run(10)
    accepted = 0
    for _ in range(1024):
        machine.order(Command.begin_check)
        accepted += machine.outputs.reply.accepted
        assert machine.refused_by == "CAROUSEL_POSITION"
        machine.order(Command.stand_by)
        machine.order(Command.prepare)
        machine.run(5)
    assert accepted == 0
    machine.heal("carousel_a")
    machine.run(10)
    assert machine.order(Command.begin_check).reply.accepted  # nothing else was in the way


def test_every_line_is_proven_every_time() -> None:
    """A line that stays dead is found by each of 300 proof tests, at the same place."""
    machine = TreatmentMachine(reference_table(20)).reach(State.preparatory)
    machine.answers = False
    lengths = set()
    for _ in range(300):
        machine.reach(State.check)
        ticks = 0
        while machine.state is State.check:
            machine.run()
            ticks += 1
        lengths.add(ticks)
        assert machine.state is State.preparatory
        machine.run(2)
        assert "SELF_TEST" in machine.latched
    assert lengths == {machine.table.proof_timeout}


# --- a worn target of any size ------------------------------------------------------------------------

SIZES = range(1, 31)


def worn(percent: int, *, before: bool) -> Outcome:
    at = {"time": "1 s"} if before else {"meterset": "10 MU"}
    return short(step(id="worn", at=at, fault={"kind": "target_wear", "percent": percent}))


def found_by(outcome: Outcome) -> str:
    """The first cause of a stop or of a refused check, as the documentation writes it."""
    for event in outcome.world.trace.events:
        if event.kind == "trip" and event.fields["first_up"]:
            return f"`{event.fields['interlock']}`"
        if event.kind == "command" and not event.fields["accepted"]:
            return f"`{event.fields['reason']}`"
    return "nothing"


@cache
def wear() -> tuple[tuple[int, str, str], ...]:
    """(size, found before the beam by, found in beam by) of every size."""
    found = []
    for percent in SIZES:
        outcomes = [worn(percent, before=before) for before in (True, False)]
        for outcome in outcomes:
            # Whatever is not found is recorded as dose given; what is found before it did harm is not.
            assert ("records-agree" in broken(outcome)) is (found_by(outcome) == "nothing"), percent
        found.append((percent, *map(found_by, outcomes)))
    return tuple(found)  # type: ignore[arg-type]


def test_the_page_shows_which_check_finds_which_wear() -> None:
    lines = []
    for (before, during), group in groupby(wear(), key=lambda row: row[1:]):
        sizes = [row[0] for row in group]
        lines.append(f"| {sizes[0]} to {sizes[-1]} % | {before} | {during} |")
    page = (ROOT / "docs" / "accidents.md").read_text(encoding="utf-8")
    table = page[page.index("| yield lost |") :].split("\n\n")[0].splitlines()
    assert table[2:] == lines


# --- a channel that drifts ------------------------------------------------------------------------------


def time_to_divergence(mu_per_s: float) -> float:
    """Seconds until the channels differ by more than 2 % or 1 MU, the larger; the gain loses 1 % a second.

    After t seconds they differ by rate x 0.005 t^2, against max(0.02 x rate x t, 1 MU).
    """
    return max(4.0, (1 / (0.005 * mu_per_s)) ** 0.5)


def test_a_drifting_channel_trips_when_the_formula_says_so() -> None:
    """The fault drifts in steps of 0.1 s and is half a step behind, 0.05 % of gain: 0.1 s later in all.

    Then come the debounce of 3 scans and the scan itself.
    """
    loaded = load_scenario(ROOT / "scenarios" / "accidents" / "r14_secondary_drifts.yaml")
    noise = loaded.machine.noise.model_copy(update={"dose_channel_ppm": 0})
    quiet = replace(loaded, machine=loaded.machine.model_copy(update={"noise": noise}))
    outcome = run_scenario(quiet, ModelController(quiet.table), BoardIdentity("model", "test", ""))
    trip = next(e for e in outcome.world.trace.events if e.kind == "trip")
    start = next(e.t_us for e in outcome.world.trace.events if e.kind == "step")
    assert trip.fields["interlock"] == "DOSE_DIVERGENCE"
    assert (trip.t_us - start) / 1e6 == pytest.approx(time_to_divergence(1400 / 60) + 0.1 + 0.003, abs=0.005)


# --- a door that opens for a moment --------------------------------------------------------------------


@pytest.mark.parametrize("open_us", [100, 500, 900, 999, 1_000, 1_001, 1_500, 2_000, 5_000])
def test_an_opening_of_one_scan_or_more_never_passes_unseen(open_us: int) -> None:
    """One scan apart at the latest; below that it depends on whether a scan falls into it."""
    for phase_us in (0, 1, 100, 400, 700, 999):
        outcome = short(
            step(id="begin", at={"meterset": "30 MU"}, room="press_last_person_out"),
            step(id="open", at={"after": "begin", "delay": f"{10_000 + phase_us} us"}, room="open_door"),
            step(id="close", at={"after": "open", "delay": f"{open_us} us"}, room="close_door"),
        )
        events = outcome.world.trace.events
        opened = next(e.t_us for e in events if e.kind == "step" and e.fields["step"] == "open")
        seen = -(-opened // SCAN_US) * SCAN_US < opened + open_us
        trips = [e for e in events if e.kind == "trip" and e.fields["interlock"] == "DOOR_OPEN"]
        assert bool(trips) is seen, (open_us, phase_us)
        assert seen or open_us < SCAN_US
        if seen:
            assert trips[0].fields["first_up"]
            assert trips[0].t_us - opened < SCAN_US
        assert outcome.verdict == "PASS"


# --- a plan that lost a part ----------------------------------------------------------------------------


def test_a_plan_without_one_of_its_control_points_is_another_plan() -> None:
    whole = course()
    tokens = {token("plan", whole.digest)}
    (target,) = whole.targets
    for number, beam in enumerate(target.beams):
        for lost in range(len(beam.control_points)):
            points = beam.control_points[:lost] + beam.control_points[lost + 1 :]
            beams = (
                *target.beams[:number],
                replace(beam, control_points=points),
                *target.beams[number + 1 :],
            )
            damaged: Course = replace(whole, targets=(replace(target, beams=beams),))
            tokens.add(token("plan", damaged.digest))
    assert len(tokens) == 1 + sum(len(beam.control_points) for beam in target.beams)
