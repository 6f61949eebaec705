"""Shared by the plan tests: the reference machine."""

from __future__ import annotations

import pytest
import yaml

from sim.machine import REFERENCE_MACHINE, Machine


@pytest.fixture(scope="session")
def machine() -> Machine:
    return Machine.model_validate(yaml.safe_load(REFERENCE_MACHINE.read_text(encoding="utf-8")))
