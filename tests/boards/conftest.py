"""The reference table, and one test for each emulated board."""

from __future__ import annotations

import pytest

from firmware_model.table import Table
from firmware_model.table_loading import REFERENCE_TABLE, load_table
from tests.boards.emulated import BOARDS, Emulated


@pytest.fixture(scope="session")
def table() -> Table:
    return load_table(REFERENCE_TABLE)


@pytest.fixture(params=BOARDS, ids=lambda board: board.kind)
def emulated(request: pytest.FixtureRequest) -> Emulated:
    board: Emulated = request.param
    board.skip_if_missing()
    return board
