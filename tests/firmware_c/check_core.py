"""The controller beside its definition, the reference model: every tick, every output, retained memory."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from firmware_model.contract import ResetCause
from firmware_model.states import State
from hil.boards.native import NativeController
from hil.conformance import behaviour
from hil.twin import Twin
from tests.firmware.dice import Dice
from tests.firmware.episodes import GOALS, episode
from tests.firmware.lockstep import Coverage
from tests.firmware.random_tables import KINDS, SMALL_PLANT, random_table
from tests.firmware.treatment_machine import TreatmentMachine, reference_table

if TYPE_CHECKING:
    from tests.firmware_c.checks import Check, Core

#: Random tables of each kind of condition.
TABLES_A_KIND = 12


def reference(core: Core) -> None:
    """The reference table: every command in every state, every limit, resets, a random walk."""
    table = reference_table(9, 200)
    start = lambda: Twin(NativeController(table, core.library), table)  # noqa: E731
    for result in behaviour(start, table, walk_steps=100):
        assert result.passed, f"{result.name}: {result.detail}"


def random_tables(core: Core) -> None:
    """Small random tables; the core runs segments, the model scans every tick."""
    seen = Coverage()
    for kind in KINDS:
        for number in range(TABLES_A_KIND):
            dice = Dice(Random(f"{kind} {number}"))
            machine = TreatmentMachine(random_table(dice, kind), seen, SMALL_PLANT)
            machine.pair.fast = NativeController(machine.table, core.library)  # type: ignore[assignment]
            machine.pair.slow.reset(ResetCause.power)  # as often as the core
            machine.reach(dice.pick([*GOALS, State.irradiation, State.irradiation]), patience=12)
            for _ in range(dice.number(1, 8)):
                episode(dice, machine)
    assert {s.name for s in State} == set(seen.states), seen.states
    assert set(seen.kinds) >= {"rate", "per_travel", "stale", "timer", "moves", "grows"}, seen.kinds


CHECKS: dict[str, Check] = {"reference table": reference, "random tables": random_tables}
