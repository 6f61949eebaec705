"""A prediction that is one scan late on purpose is found by the same comparison."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, given, settings

from firmware_model import conditions
from firmware_model.controller import ModelController
from firmware_model.states import State

from .dice import REPRODUCIBLE, Dice, dice_of_a_seed
from .episodes import GOALS, episode
from .lockstep import Coverage, Difference
from .random_tables import KINDS, SMALL_PLANT, random_table
from .treatment_machine import TreatmentMachine

#: Cases within which the comparison must find it.
BOUND = 150

Patch = Callable[[pytest.MonkeyPatch], None]


def difference_is_found(*kinds: str) -> bool:
    """Whether random tables with rows of these kinds behave differently run and scanned."""

    @settings(REPRODUCIBLE, max_examples=BOUND, phases=[Phase.generate])
    @given(dice_of_a_seed)
    def compare(dice: Dice) -> None:
        machine = TreatmentMachine(random_table(dice, dice.pick(kinds), kinds), Coverage(), SMALL_PLANT)
        machine.reach(dice.pick([*GOALS, State.irradiation, State.irradiation]), patience=12)
        for _ in range(dice.number(2, 8)):
            episode(dice, machine)

    try:
        compare()
    except Difference:
        return True
    return False


def late(prediction: Callable[..., int]) -> Callable[..., int]:
    """The same prediction, one scan too long when it says anything at all."""

    def prolonged(*arguments: Any) -> int:
        ticks = prediction(*arguments)
        return ticks + 1 if 0 < ticks < conditions.FOREVER else ticks

    return prolonged


KINDS_OF: dict[type[conditions.Condition], list[str]] = {
    conditions.Comparison: [
        kind
        for kind in KINDS
        if kind not in ("rate", "per_travel", "stale", "timer", "moves", "grows", "flag")
    ],
    conditions.SlidingRate: ["rate"],
    conditions.PerTravel: ["per_travel"],
    conditions.Stale: ["stale"],
    conditions.Timer: ["timer"],
    conditions.Moves: ["moves", "grows"],
}


def test_every_condition_class_that_predicts_has_a_control() -> None:
    assert set(conditions.Condition.__subclasses__()) == {*KINDS_OF, conditions.Flag}


@pytest.mark.parametrize("condition", KINDS_OF, ids=lambda condition: condition.__name__)
def test_a_condition_that_predicts_one_scan_late_is_caught(
    condition: type[conditions.Condition], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(condition, "quiet", late(condition.quiet))
    assert difference_is_found(*KINDS_OF[condition])


@pytest.mark.parametrize("kind", [kind for kind in KINDS_OF[conditions.Comparison] if kind != "wrong_digest"])
def test_every_comparison_that_predicts_one_scan_late_is_caught(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conditions.Comparison, "quiet", late(conditions.Comparison.quiet))
    assert difference_is_found(kind)


@pytest.mark.parametrize("state", [State.self_test, State.check])
def test_a_phase_that_is_predicted_to_end_one_scan_late_is_caught(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = ModelController._quiet_phase

    def prolonged(controller: ModelController) -> int:
        return (late(exact) if controller._state is state else exact)(controller)

    monkeypatch.setattr(ModelController, "_quiet_phase", prolonged)
    assert difference_is_found("is_false", "above")


def test_a_debounce_that_is_predicted_to_end_one_scan_late_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = ModelController._quiet

    def prolonged(controller: ModelController) -> int:
        ticks = exact(controller)
        counting = (row.debounce - row.count - 1 for row in controller.rows if 0 < row.count < row.debounce)
        return ticks + 1 if ticks and ticks in counting else ticks

    monkeypatch.setattr(ModelController, "_quiet", prolonged)
    assert difference_is_found("is_true", "is_false")


def test_without_a_late_prediction_the_control_finds_nothing() -> None:
    assert not difference_is_found(*KINDS)
