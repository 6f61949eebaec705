"""Running a segment gives at every tick what scanning every tick gives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from firmware_model.controller import ModelController
from firmware_model.states import Command, State
from firmware_model.table import Interlock

from .dice import REPRODUCIBLE, Dice, dice_of_a_seed, shrinking_dice
from .episodes import GOALS, episode, near_a_limit
from .lockstep import Coverage
from .random_tables import KINDS, SMALL_PLANT, random_table
from .treatment_machine import ENABLED_BY, TreatmentMachine, reference_table

#: Gate rows count tens of seconds; a count of two seconds is the same counter, and quicker to compare.
DEBOUNCE = 2_000
ROWS = reference_table(9, DEBOUNCE).interlocks
COMMANDS = {command.name for command in Command if command}


def well_visited(seen: Coverage, ticks: int) -> set[str]:
    return {state for state, spent in seen.states.items() if spent >= ticks}


def start_of(name: str, interlock: Interlock) -> State:
    """The state in which a row of the reference table can be made to trip."""
    if name == "HOLD_DOSE":
        return State.hold
    if name == "RESET_IN_BEAM" or State.irradiation in interlock.states:
        return State.irradiation
    return State.preparatory


@pytest.mark.parametrize("name", ROWS)
def test_around_every_limit_of_the_reference_table_segments_equal_scans(name: str) -> None:
    seen = Coverage()
    row = ROWS[name]

    @settings(REPRODUCIBLE, max_examples=6)
    @given(shrinking_dice)
    def compare(dice: Dice) -> None:
        enabled = ENABLED_BY[row.only_if] if row.only_if else {}
        machine = TreatmentMachine(reference_table(9, DEBOUNCE), seen, **enabled)
        if dice.chance():
            machine.reach(dice.pick([s for s in State if s in row.states and s in GOALS] or GOALS))
            for _ in range(dice.number(1, 3)):
                ticks = dice.number(1, min(2 * row.debounce, 90) + 20)
                machine.change(near_a_limit(dice, machine, name, ticks))
                machine.run(ticks)
            machine.heal()
        if start_of(name, row) is State.hold:
            machine.set(sequence_hold=1)
        machine.reach(start_of(name, row))
        machine.provoke(name)
        machine.run(min(row.respond_within // 1000, DEBOUNCE + 200) + dice.number(1, 50))

    compare()
    assert seen.cases >= 6
    assert seen.tripped[name] >= 1


@pytest.mark.timeout(90)
def test_a_day_of_faults_commands_and_resets_run_in_segments_equals_it_scanned_tick_by_tick() -> None:
    seen = Coverage()

    @settings(REPRODUCIBLE, max_examples=320)
    @given(dice_of_a_seed)
    def compare(dice: Dice) -> None:
        machine = TreatmentMachine(
            reference_table(dice.pick([1, 2, 9])),
            seen,
            preset_meterset=dice.pick([0.3, 1.2, 900]),
            time_set=dice.pick([40, 300, 99_000_000]),
            **dice.pick(list(ENABLED_BY.values())),
        )
        machine.reach(dice.pick([*GOALS, State.irradiation, State.irradiation]), patience=12)
        for _ in range(dice.number(1, 10)):
            episode(dice, machine)

    compare()
    assert seen.cases >= 320
    assert {s.name for s in State} == well_visited(seen, ticks=50)
    assert len(seen.tripped) >= 25, seen.tripped
    assert set(seen.accepted) == COMMANDS, seen.accepted
    assert set(seen.refused) == COMMANDS, seen.refused
    assert seen.permitted >= 150
    assert seen.lines_proven >= 1500
    assert seen.ticks >= 2 * seen.segments  # the proof test answers every other tick


@pytest.mark.parametrize("kind", KINDS)
def test_random_tables_run_in_segments_equal_the_same_tables_scanned_tick_by_tick(kind: str) -> None:
    seen = Coverage()

    # Findings of the controller itself come up least often.
    @settings(REPRODUCIBLE, max_examples=120 if kind == "flag" else 40)
    @given(dice_of_a_seed)
    def compare(dice: Dice) -> None:
        machine = TreatmentMachine(random_table(dice, kind), seen, SMALL_PLANT)
        machine.reach(dice.pick([*GOALS, State.irradiation, State.irradiation]), patience=12)
        for _ in range(dice.number(1, 8)):
            episode(dice, machine)

    compare()
    assert seen.cases >= 40
    assert seen.kinds[kind] >= 3, seen.kinds
    assert len(well_visited(seen, ticks=5)) >= 8, seen.states


def test_a_beam_of_ten_thousand_scans_costs_a_handful_of_evaluations(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = TreatmentMachine(reference_table(9)).reach(State.irradiation)
    machine.run(300)
    scans = 0
    scan = ModelController._scan

    def counted(controller: ModelController, *arguments: Any) -> Any:
        nonlocal scans
        scans += controller is machine.pair.fast
        return scan(controller, *arguments)

    monkeypatch.setattr(ModelController, "_scan", counted)
    machine.run(10_000)
    assert machine.state is State.irradiation
    assert scans <= 5
