"""A real session with doses, run once: two targets, the second given up, so that a difference is seen."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from firmware_model.controller import ModelController
from sim.record.dose_pictures import dose_pictures
from sim.record.trace import Trace
from sim.scenario.loading import load_scenario
from sim.scenario.runner import BoardIdentity, run_scenario

GIVEN_UP = Path(__file__).parents[2] / "scenarios" / "faults" / "second_target_given_up.yaml"


@lru_cache(maxsize=1)
def given_up() -> tuple[Trace, dict[str, Any], dict[str, Any]]:
    """Trace, run.json and pictures; do not change them."""
    loaded = load_scenario(GIVEN_UP)
    outcome = run_scenario(loaded, ModelController(loaded.table), BoardIdentity("model", "test", ""))
    pictures = dose_pictures(loaded.course, loaded.targets, outcome.world.trace)
    assert pictures is not None
    return outcome.world.trace, outcome.run, pictures
