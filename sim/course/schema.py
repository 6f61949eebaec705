"""What a course file may say: a plan given over days, what goes wrong on the way, and what must be so."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from firmware_model.diagnostics import RefusedValue
from firmware_model.key_rules import KeyRules
from sim.plan.yaml_model import Dose, Name
from sim.scenario.schema import Expectation, OperatorPolicy, Step

_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}"


def _parse_date(value: object) -> object:
    try:
        if isinstance(value, str) and re.fullmatch(_DATE, value):
            return date.fromisoformat(value)
    except ValueError:
        pass  # 30 February, say
    raise RefusedValue(f"{str(value)[:40]!r} is not a date", "write for example 2026-03-02")


def _parse_time(value: object) -> object:
    try:
        if isinstance(value, str) and re.fullmatch(_TIME, value):
            return time.fromisoformat(value)
    except ValueError:
        pass  # 25:00, say
    raise RefusedValue(f"{str(value)[:40]!r} is not a time of day", "write for example 09:00, in quotes")


Day = Annotated[
    date,
    BeforeValidator(_parse_date),
    WithJsonSchema({"type": "string", "pattern": f"^{_DATE}$", "examples": ["2026-03-02"]}),
]
Hour = Annotated[
    time,
    BeforeValidator(_parse_time),
    WithJsonSchema({"type": "string", "pattern": f"^{_TIME}$", "examples": ["09:00"]}),
]
Reason = Annotated[str, Field(min_length=10, description="who answers for it, and why")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
#: Refusals of the ledger that a person may set aside.
Overridable = Literal["shortest-interval", "rhythm", "longest-interval", "overall-time", "cross-dose"]
Refused = Literal[
    "known",
    "once",
    "order",
    "unsettled",
    "abandoned",
    "shortest-interval",
    "rhythm",
    "longest-interval",
    "overall-time",
    "cross-dose",
]


class _Strict(KeyRules, BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScheduleEntry(_Strict):
    """When the fractions are given; rules between fractions are those of the plan."""

    start: Annotated[Day, Field(description="first possible day")]
    order: Annotated[list[Name], Field(description="targets that go first")] = []
    arrangement: Annotated[
        Literal["free", "same_day", "alternate"],
        Field(description="whoever is due; all targets in each session; or taking turns"),
    ] = "free"
    targets_per_day: Annotated[int | None, Field(ge=1, description="default: all, or one by turns")] = None
    working_days: Annotated[
        list[Weekday], Field(min_length=1, description="days on which anybody is treated")
    ] = ["mon", "tue", "wed", "thu", "fri"]
    holidays: Annotated[list[Day], Field(description="no treatment")] = []
    finish_by: Annotated[Day | None, Field(description="last possible day")] = None
    first_hour: Annotated[Hour, Field(description="of a day")] = time(9)
    slot_minutes: Annotated[int, Field(ge=1, le=240, description="minutes a target")] = 30


class VisitName(_Strict):
    """One fraction of one target."""

    target: Name
    fraction: Annotated[int, Field(ge=1, le=60)]


class OverrideEntry(_Strict):
    """Somebody answers for going on in spite of a refusal."""

    target: Name
    refusal: Annotated[Overridable, Field(description="the rule that is set aside")]
    reason: Reason


class AbandonEntry(_Strict):
    """The rest of a target is given up after a session."""

    target: Name
    reason: Reason


class SessionEntry(_Strict):
    """A session that is not like the others: the one that gives a certain fraction."""

    giving: Annotated[VisitName, Field(description="the session that first gives this fraction")]
    timeline: Annotated[list[Step], Field(description="what happens on the way")] = []
    operator: Annotated[OperatorPolicy | None, Field(description="default: the course's")] = None
    days_early: Annotated[
        int, Field(ge=0, le=30, description="the patient comes so many days before the schedule")
    ] = 0
    overrides: Annotated[list[OverrideEntry], Field(description="refusals that are set aside")] = []
    remainder: Annotated[
        Literal["next_session", "same_day"],
        Field(description="when a fraction left unfinished is completed"),
    ] = "next_session"
    abandon: Annotated[list[AbandonEntry], Field(description="targets given up after it")] = []
    expect: Annotated[list[Expectation], Field(description="what must be so in this session")] = []


class RefusedEntry(VisitName):
    """A fraction that the ledger did not let begin."""

    rule: Annotated[Refused, Field(description="the rule it would have broken")]


class CourseExpectation(_Strict):
    """What must be so of the whole course: exactly one of the quantities."""

    one_of = ("completed", "incomplete", "refused", "sessions", "last_day", "short")
    needs: ClassVar = dict.fromkeys(("short_above", "short_below"), "short")

    completed: Annotated[Name | None, Field(description="every fraction of this target is complete")] = None
    incomplete: Annotated[Name | None, Field(description="some fraction of this target is not")] = None
    refused: Annotated[RefusedEntry | None, Field(description="the ledger did not let this begin")] = None
    sessions: Annotated[int | None, Field(ge=0, description="number of sessions")] = None
    last_day: Annotated[Day | None, Field(description="day of the last session")] = None
    short: Annotated[
        Name | None,
        Field(description="target or organ point that gets less dose over the course than planned"),
    ] = None
    short_above: Annotated[Dose | None, Field(description="with 'short': by more than this")] = None
    short_below: Annotated[Dose | None, Field(description="with 'short': by less than this")] = None


class CourseScenario(_Strict):
    """A whole course file."""

    title: Annotated[str, Field(min_length=3, description="also part of what the seed decides")]
    purpose: Annotated[str, Field(min_length=3, description="what the course shows")]
    requirements: Annotated[
        list[str], Field(description="requirements of the interlock table it is evidence for")
    ] = []
    seed: Annotated[int, Field(ge=0, description="decides every random number of the run")] = 1
    plan: Annotated[str, Field(description="plan file, relative to the course file")]
    machine: Annotated[str | None, Field(description="machine file, relative to the course file")] = None
    table: Annotated[str | None, Field(description="interlock table, relative to the course file")] = None
    schedule: Annotated[ScheduleEntry, Field(description="when the fractions are given")]
    operator: Annotated[OperatorPolicy, Field(description="how the person at the console behaves")] = (
        OperatorPolicy()
    )
    sessions: Annotated[list[SessionEntry], Field(description="sessions that are not like the others")] = []
    expect: Annotated[list[CourseExpectation], Field(min_length=1, description="what must be so")]
