"""The text of a first scenario: commented, complete, and to be changed."""

from __future__ import annotations

from pathlib import Path

from firmware_model.quantity import format_duration
from firmware_model.table import Interlock, Table
from sim.explain.conditions import condition_words
from sim.plan.course import Course
from sim.starter.derive import Provocation

STARTER_PLAN = Path(__file__).parent / "plan.yaml"

_HEAD = """\
# A scenario for the linac interlock simulator: what is treated, what happens on the way, what must
# be so. Quantities carry their unit. interlock explain NAME tells about every name used here.
title: {title}
purpose: {purpose}
{requirements}# The seed decides every random number: the same seed gives the same run.
seed: 1
# YAML or DICOM RT Plan, relative to this file.
plan: {plan}
{gating}
"""

_GATED = """\
# Deliver with a breathing gate.
breathing: {kind: regular, period: 4 s, amplitude: 10 mm}
gating: {mode: amplitude, around: exhale, within: 3 mm}
"""

_NO_STEP = """\
# What happens on the way. Nothing yet; take the marks off these lines to open the door in mid-beam.
# The session is then interrupted once and DOOR_OPEN trips: 'expect' below no longer holds.
# timeline:
#   - id: door
#     at: {{meterset: {middle:g} MU, beam: {beam}}}
#     room: open_door
"""

_STEP = """\
# What happens on the way: a fault, so that {words}.
timeline:
  - id: fault
    at: {at}
    fault: {fault}
"""

_EXPECT = """\

# What must be so. Every entry is measured, with its limit and margin in the report.
expect:
"""


def undisturbed(course: Course, plan: str) -> str:
    """A session in which nothing happens and everything is delivered."""
    beams = [beam for target in course.targets for beam in target.beams]
    head = _HEAD.format(
        title="My first scenario",
        purpose="Everything is delivered as planned and nothing stops the beam.",
        requirements="",
        plan=plan,
        gating="",
    )
    lines = [f"  - {{delivered: {target.id}}}" for target in course.targets]
    lines += [
        f"  - {{beams_completed: {len(beams)}}}",
        "  - {interruptions: 0}",
        "  - {never_trips: DOOR_OPEN}",
        "  - {final_state: standby}",
    ]
    step = _NO_STEP.format(middle=beams[0].meterset // 2 / 1000, beam=beams[0].number)
    return head + step + _EXPECT + "\n".join(lines) + "\n"


def provoked(table: Table, name: str, plan: str, way: Provocation, strict: bool) -> str:
    """A session in which an interlock trips; ``strict`` also asks for its deadline."""
    row: Interlock = table.interlocks[name]
    head = _HEAD.format(
        title=f"{row.title}, made to trip",
        purpose=f"{name} trips{' and the beam stops in time' if strict else ''}.",
        requirements=f"requirements: [{', '.join(row.requirements)}]\n",
        plan=plan,
        gating=_GATED if way.gated else "",
    )
    step = _STEP.format(words=condition_words(table, row), at=way.at, fault=way.fault)
    if way.lasts:
        step += f"    # It ends by itself after this time; without it, it stays.\n    lasts: {way.lasts}\n"
    lines = [f"  - {{trips: {name}, after: fault}}"]
    if strict:
        within = format_duration(row.respond_within)
        lines += [
            f"  # {within}: the deadline of the table.",
            f"  - {{permit_withdrawn: {within}, after: fault}}",
            f"  - {{first_up: {name}, after: fault}}",
        ]
    return head + step + _EXPECT + "\n".join(lines) + "\n"
