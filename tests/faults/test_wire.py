"""Faults of the wire reach the rig, and nothing else: no event differs, with a wire or without."""

from __future__ import annotations

from typing import Any

import pytest

from firmware_model.contract import ControllerFailed, Segment
from firmware_model.controller import ModelController
from firmware_model.rig import LineFaults
from tests.faults.plant_bench import TABLE, Plant, exercises, fault


class Wired(ModelController):
    """The model behind a wire that notes what is done to it."""

    def __init__(self) -> None:
        super().__init__(TABLE)
        self.done: list[Any] = []

    def disturb(self, faults: LineFaults, seed: str) -> None:
        self.done.append((faults, seed))

    def restore(self) -> None:
        self.done.append("restored")

    def unplug(self) -> None:
        self.done.append("unplugged")

    def wire_report(self) -> dict[str, int]:
        return {"exchanges": 1}

    def run(self, segment: Segment) -> Any:
        if "unplugged" in self.done:
            raise ControllerFailed("gone")
        return super().run(segment)


def plant_with(controller: ModelController, *steps: dict[str, Any]) -> Plant:
    plant = Plant(*steps)
    plant.world.conductor.controller = controller
    return plant


BAD = fault("wire_disturbed", 1_000_000, 2_000_000, id="bad", drop=2.5, noise=50, baud=9600)
WORSE = fault("wire_disturbed", 1_500_000, 500_000, id="worse", corrupt=10)


@exercises("wire_disturbed")
def test_a_disturbed_wire_is_told_how_much_and_when_it_is_over() -> None:
    rig = Wired()
    plant_with(rig, BAD).at(4_000_000)
    assert rig.done == [(LineFaults(drop=0.025, noise=0.5, baud=9600), "plant/1/bad"), "restored"]


def test_of_two_disturbances_the_later_counts_and_the_earlier_goes_on_after_it() -> None:
    rig = Wired()
    plant_with(rig, BAD, WORSE).at(4_000_000)
    bad, worse = LineFaults(drop=0.025, noise=0.5, baud=9600), LineFaults(corrupt=0.1)
    assert [d if isinstance(d, str) else d[0] for d in rig.done] == [
        bad,
        worse,
        "restored",
        bad,
        "restored",
    ]


@exercises("wire_unplugged")
def test_unplugging_ends_the_run() -> None:
    rig = Wired()
    plant = plant_with(rig, fault("wire_unplugged", 1_000_500))
    with pytest.raises(ControllerFailed, match="gone"):
        plant.world.conductor.run(9_000_000, plant.clock.event())
    assert 1_000_500 <= plant.clock.now < 1_100_000


def test_without_a_wire_the_steps_are_named_and_nothing_happens() -> None:
    steps = [BAD, WORSE, fault("wire_unplugged", 2_000_000, id="out")]
    plant, healthy = Plant(*steps), Plant()
    assert plant.at(5_000_000).lines() == healthy.at(5_000_000).lines()
    assert plant.world.conductor.idle_steps == ["bad", "worse", "out"]
    assert healthy.world.conductor.idle_steps == []
