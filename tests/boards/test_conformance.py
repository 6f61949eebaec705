"""The emulated boards pass the conformance tests.

Whole conformance takes half an hour on the ATmega328P, so a normal run does the wire and the proof test.
INTERLOCK_CONFORMANCE=whole goes on with commands, every interlock, resets and the random walk.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from itertools import islice

import pytest

from firmware_model.table import Table
from hil.boards import KINDS
from hil.conformance import NOT_TRIPPED, conformance
from hil.conformance_wire import CHECKS
from tests.boards.emulated import Emulated

WHOLE = os.environ.get("INTERLOCK_CONFORMANCE") == "whole"
#: The rules of the wire, then "reaches irradiation".
SHORT = len(CHECKS) + 1

pytestmark = pytest.mark.timeout(3600 if WHOLE else 300)


def test_conforms(emulated: Emulated, table: Table) -> None:
    carrier = KINDS[emulated.kind].carrier
    assert carrier is not None
    with ExitStack() as resources:
        transport = resources.enter_context(carrier(table, resources))
        found = list(islice(conformance(transport, table), None if WHOLE else SHORT))
    assert [r for r in found if not r.passed] == []
    assert [r.name for r in found if r.detail == NOT_TRIPPED] == []
    assert len(found) == (SHORT + 3 + len(table.interlocks) if WHOLE else SHORT)
