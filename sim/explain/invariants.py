"""The invariants by id, with their titles."""

from __future__ import annotations

from functools import cache

from firmware_model.controller import ModelController
from firmware_model.strict_yaml import load
from firmware_model.table_loading import load_table
from sim.clinic.policy import Policy
from sim.clinic.record_verify import Orders
from sim.explain.explanation import Explanation
from sim.explain.usage import Usage
from sim.machine import REFERENCE_MACHINE, Machine
from sim.plan.loading import load_plan
from sim.scenario.invariants import judge_all
from sim.starter.scenario import STARTER_PLAN
from sim.world import build_world


@cache
def known_invariants() -> dict[str, str]:
    """Id and title of every invariant: they name themselves when they judge, here a session not begun."""
    machine, table = load(REFERENCE_MACHINE, Machine), load_table()
    course = load_plan(STARTER_PLAN, machine, None)
    world = build_world(course, machine, table, ModelController(table), Orders(), Policy(), "names")
    return {verdict.id: verdict.title for verdict in judge_all(world)}


def explain_invariant(name: str, usage: Usage) -> Explanation:
    result = Explanation("invariant", name, known_invariants()[name])
    result.add("judged", "in every run without being asked for, on what really happened")
    result.add("limit", "fixed in the code, not in the table: a table that loses an interlock must fail")
    return result
