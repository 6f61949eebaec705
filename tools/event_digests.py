"""Prints the SHA-256 of every scenario's events.jsonl, to compare two computers or two Pythons.

Needs nothing but the project and its dependencies: ``python tools/event_digests.py``.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from cli.check import scenario_files  # noqa: E402 - the path has to be set first
from firmware_model.controller import ModelController  # noqa: E402
from sim.scenario.loading import load_scenario  # noqa: E402
from sim.scenario.runner import BoardIdentity, run_scenario  # noqa: E402


def main() -> None:
    for file in scenario_files(ROOT / "scenarios"):
        if "package:" in file.read_text(encoding="utf-8"):
            continue  # its plan lies in a package that not every Python has
        loaded = load_scenario(file)
        outcome = run_scenario(loaded, ModelController(loaded.table), BoardIdentity("model", "digest", ""))
        events = outcome.world.trace.events_jsonl().encode()
        print(hashlib.sha256(events).hexdigest(), file.relative_to(ROOT))


if __name__ == "__main__":
    main()
