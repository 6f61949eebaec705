"""The repository's own files of every kind."""

from __future__ import annotations

from pathlib import Path

from firmware_model.stimulus import is_stimulus
from firmware_model.table_loading import REFERENCE_TABLE
from sim.explain.usage import runnable_files, scenario_files
from sim.machine import REFERENCE_MACHINE

SCENARIOS = Path(__file__).parents[2] / "scenarios"
FILES = {
    "scenario": scenario_files(SCENARIOS),
    "stimulus": [path for path in runnable_files(SCENARIOS) if is_stimulus(path)],
    "course": sorted((SCENARIOS / "courses").glob("*.yaml")),
    "plan": sorted((SCENARIOS / "plans").glob("*.yaml")),
    "table": [REFERENCE_TABLE],
    "machine": [REFERENCE_MACHINE],
}
