"""The reference model, in this process."""

from __future__ import annotations

from firmware_model.controller import ModelController
from firmware_model.table import Table
from hil.boards import Board


def missing() -> str:
    return ""


def start(table: Table) -> Board:
    return Board("model", "reference model", f"model, table {table.digest[:12]}", ModelController(table))
