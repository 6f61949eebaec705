"""Each condition by itself: what it means, what it predicts, and what it remembers after a skip."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings

from firmware_model import table as t
from firmware_model.conditions import FOREVER, Condition, compile_condition
from hil.near_limits import boundaries

from .dice import ONE, REPRODUCIBLE, Dice, dice_of_a_seed
from .random_tables import KINDS, SMALL_PLANT, random_table

REMEMBERING = ("rate", "per_travel", "stale", "timer", "moves", "grows")
MEMORYLESS = [kind for kind in KINDS if kind not in REMEMBERING and kind != "flag"]


class Lines:
    """Fixed-point values and slopes of all signals of a table."""

    def __init__(self, table: t.Table) -> None:
        self.v = [
            round(SMALL_PLANT.values.get(name, table.token) / signal.lsb) * ONE
            for name, signal in table.signals.items()
        ]
        self.s = [0] * len(self.v)

    @property
    def x(self) -> list[int]:
        return [value // ONE for value in self.v]

    def after(self, ticks: int) -> list[int]:
        return [(value + slope * ticks) // ONE for value, slope in zip(self.v, self.s, strict=True)]

    def advance(self, ticks: int) -> None:
        self.v = [value + slope * ticks for value, slope in zip(self.v, self.s, strict=True)]


def compiled(table: t.Table) -> Condition:
    return compile_condition(table, table.interlocks["ROW_0"], lambda flag: False)


def memory(condition: Condition) -> dict[str, Any]:
    return {name: value for name, value in vars(condition).items() if name not in ("alternatives", "sums")}


def steer(dice: Dice, table: t.Table, lines: Lines, ticks: int) -> None:
    """Give up to two of the condition's signals new lines near where it changes its mind."""
    for _ in range(dice.number(1, 2)):
        signal, at = dice.pick(boundaries(table, "ROW_0", lines.v.__getitem__))
        lines.s[signal] = dice.slope()
        lines.v[signal] = at + dice.offset() - lines.s[signal] * dice.number(0, ticks)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "flag"])
def test_a_condition_that_skips_answers_and_remembers_like_one_evaluated_every_tick(kind: str) -> None:
    answers: dict[bool, int] = {True: 0, False: 0}
    predicted = 0

    @settings(REPRODUCIBLE, max_examples=80)
    @given(dice_of_a_seed)
    def compare(dice: Dice) -> None:
        nonlocal predicted
        table = random_table(dice, kind, [kind])
        skipping, ticking, lines = compiled(table), compiled(table), Lines(table)
        for _ in range(dice.number(1, 8)):
            left = dice.number(1, dice.pick([5, 30, 120]))
            steer(dice, table, lines, left)
            if dice.chance(6):
                for condition in (skipping, ticking):
                    condition.leave()
                    condition.select()
            while left > 0:
                now = ticking.evaluate(lines.x)
                assert skipping.evaluate(lines.x) is now
                left -= 1
                answers[now] += 1
                quiet = min(left, skipping.quiet(lines.x, lines.v, lines.s))
                assert all(ticking.evaluate(lines.after(tick)) is now for tick in range(1, quiet + 1))
                skipping.skip(lines.v, lines.s, quiet)
                assert memory(skipping) == memory(ticking)
                lines.advance(quiet + 1)
                left -= quiet
                predicted += quiet

    compare()
    assert min(answers.values()) >= 20, answers
    assert predicted >= 500


@pytest.mark.parametrize("kind", ["is_false", "is_true", "above", "below"])
def test_a_prediction_about_a_single_signal_is_exact(kind: str) -> None:
    finite = 0

    @settings(REPRODUCIBLE, max_examples=80)
    @given(dice_of_a_seed)
    def compare(dice: Dice) -> None:
        nonlocal finite
        table = random_table(dice, kind, [kind])
        condition, lines = compiled(table), Lines(table)
        if condition_reads_two(table):
            return
        steer(dice, table, lines, 30)
        quiet = condition.quiet(lines.x, lines.v, lines.s)
        if quiet < FOREVER:
            finite += 1
            assert condition.evaluate(lines.after(quiet)) is condition.evaluate(lines.x)
            assert condition.evaluate(lines.after(quiet + 1)) is not condition.evaluate(lines.x)

    compare()
    assert finite >= 10


def condition_reads_two(table: t.Table) -> bool:
    return len(table.interlocks["ROW_0"].signals) - (table.interlocks["ROW_0"].gate is not None) > 1


def means(table: t.Table, x: list[int]) -> bool:
    """The condition of ROW_0 as its description reads, in fractions of the unit."""
    value = {
        name: x[table.signal_index[name]] * Fraction(str(signal.lsb))
        for name, signal in table.signals.items()
    }

    def margin(c: t.Differs | t.Exceeds, base: Fraction) -> Fraction:
        parts = [Fraction(c.by)] if c.by is not None else []
        parts += [base * Fraction(str(c.percent)) / 100] if c.percent is not None else []
        return min(parts) if c.combine == "min" else max(parts)

    match table.interlocks["ROW_0"].trips_when:
        case t.IsFalse(signals=names):
            return any(value[name] == 0 for name in names)
        case t.IsTrue(signals=names):
            return any(value[name] != 0 for name in names)
        case t.Disagree(signal=a, other=b):
            return value[a] != value[b]
        case t.Above(signal=a, limit=limit):
            return value[a] > limit
        case t.Below(signal=a, limit=limit):
            return value[a] < limit
        case t.Outside(signal=a, low=low, high=high):
            return value[a] < low or value[a] > high
        case t.Differs(signal=a, from_=b) as c:
            return abs(value[a] - value[b]) > margin(c, value[b])
        case t.Exceeds(signal=a, preset=b) as c:
            return value[a] - value[b] > margin(c, value[b])
        case t.Reaches(signal=a, preset=b):
            return value[a] >= value[b]
        case t.Mismatch(signal=a, other=b):
            return value[a] != value[b] or value[a] == 0
        case t.WrongDigest(signal=a):
            return value[a] != table.token
    raise AssertionError("a condition with a memory")


@pytest.mark.parametrize("kind", MEMORYLESS)
def test_a_condition_without_memory_means_what_its_description_says(kind: str) -> None:
    answers: dict[bool, int] = {True: 0, False: 0}
    bools = ("line_a", "line_b", "alarm", "enable")

    @settings(REPRODUCIBLE, max_examples=150)
    @given(dice_of_a_seed)
    def compare(dice: Dice) -> None:
        table = random_table(dice, kind, [kind])
        condition, lines = compiled(table), Lines(table)
        for _ in range(dice.number(1, 3)):
            steer(dice, table, lines, 0)
            inside = [
                min(
                    max(value, 0 if signal.kind != "integer" else -(10**6)), 1 if name in bools else 2**31 - 1
                )
                for value, (name, signal) in zip(lines.x, table.signals.items(), strict=True)
            ]
            assert condition.evaluate(inside) is means(table, inside)
            answers[means(table, inside)] += 1

    compare()
    assert min(answers.values()) >= 10, answers
