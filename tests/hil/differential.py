"""Random treatment machines on a board and the model at once, until they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from hypothesis import Phase, given, seed, settings

from firmware_model.contract import ONE, Change, Controller, ResetCause, Segment
from firmware_model.states import Command, State
from firmware_model.stimulus import HIGHEST
from firmware_model.table import Table
from hil.lockstep import Differs, Lockstep
from hil.shrink import Case, first_difference, recorded
from tests.firmware.dice import REPRODUCIBLE, Dice, dice_of_a_seed
from tests.firmware.episodes import GOALS, SHORT, episode
from tests.firmware.lockstep import Coverage, React
from tests.firmware.random_tables import KINDS, SMALL_PLANT, random_table
from tests.firmware.treatment_machine import (
    ENABLED_BY,
    REFERENCE_PLANT,
    Plant,
    TreatmentMachine,
    reference_table,
)
from tests.firmware.wide_tables import wide_plant, wide_table

Start = Callable[[Table], Controller]

#: Nothing scans every tick here, so an episode may outlast the longest debounce.
LONGEST = (*SHORT, *SHORT, 700, 130_000)
#: A row that trips and clears by turns would stop a long episode at every tick.
MOST_STOPS = 300
#: Episodes of one machine; a machine that is on for longer has more to remember.
EPISODES = 12


class Found(AssertionError):
    """Board and model differ; ``case`` repeats it."""

    def __init__(self, case: Case, difference: Differs) -> None:
        super().__init__(str(difference))
        self.case, self.difference = case, difference


class Lines:
    """What signals are now, between segments."""

    def __init__(self, table: Table) -> None:
        self._safe = [signal.counts(signal.safe) * ONE for signal in table.signals.values()]
        self.forget()

    def forget(self) -> None:
        self._lines = [(value, 0) for value in self._safe]  # at the coming scan, slope
        self.moving: set[int] = set()

    def now(self, signal: int) -> int:
        return self._lines[signal][0]

    def change(self, changes: tuple[Change, ...]) -> None:
        for signal, value, slope in changes:
            self._lines[signal] = (value, slope)
            (self.moving.add if slope else self.moving.discard)(signal)

    def advance(self, ticks: int) -> None:
        for signal in self.moving:
            value, slope = self._lines[signal]
            self._lines[signal] = (value + slope * ticks, slope)

    def held(self, ticks: int) -> tuple[Change, ...]:
        """Changes that stop every line that would leave 48 bits within so many scans."""
        ends = {signal: self._lines[signal] for signal in self.moving}
        return tuple(
            Change(signal, within(value))
            for signal, (value, slope) in ends.items()
            if within(value + slope * ticks) != value + slope * ticks
        )


def within(value: int) -> int:
    """A fixed-point value that a line can hold."""
    return max(-HIGHEST * ONE, min(HIGHEST * ONE - 1, value))


class BoardPair:
    """Board and model as a treatment machine drives them. Raises Found."""

    def __init__(self, table: Table, board: Controller, coverage: Coverage) -> None:
        self.table, self.coverage = table, coverage
        self.both = Lockstep(board, table, thorough=True)
        self.ramps = Lines(table)
        with self._compared():
            self.outputs = self.both.reset(ResetCause.power)
        coverage.cases += 1

    def reset(self, cause: ResetCause) -> None:
        with self._compared():
            self.outputs = self.both.reset(cause)
        self.coverage.resets[cause.name] += 1
        self.ramps.forget()

    def run(self, ticks: int, changes: tuple[Change, ...], command: Command, react: React) -> None:
        for _ in range(MOST_STOPS):
            ticks -= self._advance(ticks, changes, command)
            if ticks <= 0:
                break
            changes, command = react(self.outputs), Command.none

    def _advance(self, ticks: int, changes: tuple[Change, ...], command: Command) -> int:
        before = self.outputs
        held = tuple(change._replace(value=within(change.value)) for change in changes)
        self.ramps.change(held)
        stopped = self.ramps.held(ticks)
        self.ramps.change(stopped)
        with self._compared():
            advance = self.both.run(Segment(ticks, held + stopped, command))
        self.ramps.advance(advance.ticks)
        self.outputs = advance.outputs
        self.coverage.note(self.table, self.outputs, advance.ticks, before)
        return advance.ticks

    @contextmanager
    def _compared(self) -> Iterator[None]:
        try:
            yield
        except Differs as difference:
            raise Found(recorded(self.both), difference) from None


class Setting(NamedTuple):
    """A table, a plant that is healthy under it, and what is selected in it."""

    table: Table
    plant: Plant
    selected: dict[str, float]


def ours(dice: Dice) -> Setting:
    """The reference table; with a self test of 9 scans there is more time for the rest."""
    selected = {
        "preset_meterset": dice.pick([0.3, 1.2, 900]),
        "time_set": dice.pick([40, 300, 99_000_000]),
        **dice.pick(list(ENABLED_BY.values())),
    }
    return Setting(reference_table(dice.pick([1, 9, 9, 500])), REFERENCE_PLANT, selected)


def small(dice: Dice, kind: str = "") -> Setting:
    """A few rows, one of them of this kind."""
    return Setting(random_table(dice, kind or dice.pick(list(KINDS))), SMALL_PLANT, {})


def wide(dice: Dice) -> Setting:
    """Tables at the limits of what the firmware holds."""
    table = wide_table(dice)
    return Setting(table, wide_plant(table), {})


TABLES: dict[str, Callable[[Dice], Setting]] = {"ours": ours, "small": small, "wide": wide}


@dataclass
class Search:
    """Machines one after the other until board and model were compared at ``stops`` stops."""

    start: Start
    stops: int
    tables: Callable[[Dice], Setting]
    number: int  # of this search: another number, other machines

    def run(self) -> Coverage:
        """What was visited. Raises Found."""
        seen = Coverage()
        round_ = 0
        while seen.segments < self.stops:
            # Hypothesis remembers all it has drawn, so that not one round can be as long as wanted.
            compare = seed(self.number * 1_000_000 + round_)(
                settings(REPRODUCIBLE, derandomize=False, max_examples=50, phases=[Phase.generate])(
                    given(dice_of_a_seed)(lambda dice: self._machine(dice, seen))
                )
            )
            compare()
            round_ += 1
        return seen

    def _machine(self, dice: Dice, seen: Coverage) -> None:
        if seen.segments >= self.stops:
            return
        table, plant, selected = self.tables(dice)
        pair = BoardPair(table, self.start(table), seen)
        machine = TreatmentMachine(table, seen, plant, pair, **selected)
        machine.reach(dice.pick([*GOALS, State.irradiation, State.irradiation]), patience=12)
        for _ in range(dice.number(1, EPISODES)):
            episode(dice, machine, LONGEST)
            if dice.chance(3):
                machine.heal()
                machine.answers = True
                machine.reach(State.irradiation, patience=12)
            if dice.chance(6):
                anything(dice, machine)


def anything(dice: Dice, machine: TreatmentMachine) -> None:
    """Any lines on any signals with any command: what no plant would do."""
    for _ in range(dice.number(0, 12)):
        signal = dice.number(0, len(machine.table.signals) - 1)
        size = dice.pick([1, 3, 300, 2**20, 2**31 - 1])
        value = dice.number(-size, size) * ONE + dice.pick([0, 0, 1, ONE - 1])
        machine.change(Change(signal, within(value), dice.slope()))
    machine.run(dice.number(1, dice.pick([1, 3, 40, 2000])), dice.pick(list(Command)))


def differs_on(start: Start) -> Callable[[Case], bool]:
    """Whether a case still shows a difference."""
    return lambda case: first_difference(case.acts, Lockstep(start(case.table), case.table)) is not None
