"""Every kind of fault is exercised here.

A test says with ``exercises`` which kinds it is about; a new kind needs one before this passes.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import get_args

import tests.faults
from sim.faults.catalogue import Fault
from tests.faults.plant_bench import KINDS


def kinds() -> set[str]:
    return {get_args(f.model_fields["kind"].annotation)[0] for f in get_args(get_args(Fault)[0])}


def test_every_kind_of_the_catalogue_is_exercised_and_no_other() -> None:
    for module in pkgutil.iter_modules(tests.faults.__path__):
        import_module(f"tests.faults.{module.name}")
    assert kinds() == KINDS
