"""What a scenario file may say.

Every quantity carries its unit. Names of steps, targets, signals and interlocks are checked by
:mod:`sim.scenario.loading` with the position they were written at.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from firmware_model.quantity import Angle, Duration, Meterset
from firmware_model.table import StateName
from sim.faults.base import GradualFault
from sim.faults.catalogue import Fault
from sim.faults.signals import GradualSignalFault

StepId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


EventName = Literal["setup", "image", "shift", "select", "beam_start", "proof_test", "beam_end"]


class At(_Strict):
    """When a step happens: exactly one of time, event, state, meterset, control_point, gantry, after."""

    time: Annotated[Duration | None, Field(description="since the start of the session")] = None
    event: Annotated[EventName | None, Field(description="when this happens in the session")] = None
    state: Annotated[StateName | None, Field(description="on entering this state")] = None
    meterset: Annotated[Meterset | None, Field(description="primary meterset of the beam")] = None
    control_point: Annotated[int | None, Field(ge=1, description="on reaching this control point")] = None
    gantry: Annotated[Angle | None, Field(description="gantry angle while beam is on, unwrapped")] = None
    after: Annotated[StepId | None, Field(description="another step")] = None
    delay: Annotated[Duration, Field(description="added to the moment given")] = 0
    target: Annotated[str | None, Field(description="only while this target is treated")] = None
    beam: Annotated[int | None, Field(description="only while this beam is delivered")] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> At:
        given = [
            n
            for n in ("time", "event", "state", "meterset", "control_point", "gantry", "after")
            if getattr(self, n) is not None
        ]
        if len(given) != 1:
            raise ValueError(
                "give exactly one of time, event, state, meterset, control_point, gantry, after"
                + (f"; here: {', '.join(given)}" if given else "")
            )
        if (self.target is not None or self.beam is not None) and given[0] in ("time", "after"):
            raise ValueError(f"'target' and 'beam' do not go with '{given[0]}'")
        return self


class Repeat(_Strict):
    """A fault that sets in again and again."""

    every: Annotated[Duration, Field(gt=0, description="from one onset to the next; longer than 'lasts'")]
    times: Annotated[int, Field(ge=2, le=1000, description="how often in all")]


class Step(_Strict):
    """One thing that happens: a fault, something in the room, or an act at the console."""

    id: StepId
    at: At
    fault: Annotated[Fault | None, Field(description="break something")] = None
    lasts: Annotated[Duration | None, Field(gt=0, description="a fault ends by itself after this time")] = (
        None
    )
    ramp: Annotated[
        Duration | None,
        Field(ge=1_000, description="the fault comes on bit by bit and has its full size after this time"),
    ] = None
    repeat: Annotated[Repeat | None, Field(description="the fault sets in again and again")] = None
    clear: Annotated[StepId | None, Field(description="end the fault of another step")] = None
    room: Literal["open_door", "close_door", "press_last_person_out", "press_emergency_stop"] | None = None
    console: (
        Literal[
            "interrupt",
            "resume",
            "terminate",
            "beam_on",
            "acknowledge",
            "reset_operator",
            "reset_physics",
            "reset_local",
            "change_parameter",
            "override_image_age",
        ]
        | None
    ) = None

    @model_validator(mode="after")
    def _one_act(self) -> Step:
        given = [n for n in ("fault", "clear", "room", "console") if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of fault, clear, room, console")
        for name in ("lasts", "ramp", "repeat"):
            if getattr(self, name) is not None and self.fault is None:
                raise ValueError(f"'{name}' goes with 'fault'")
        if self.ramp is not None and not isinstance(self.fault, GradualFault | GradualSignalFault):
            raise ValueError(f"'ramp' needs a fault with a size; {self.fault.kind} is there or not")  # type: ignore[union-attr]
        if self.ramp is not None and self.lasts is not None and self.ramp > self.lasts:
            raise ValueError("'ramp' is longer than 'lasts': the fault would never have its full size")
        if self.repeat is not None and (self.lasts is None or self.lasts >= self.repeat.every):
            raise ValueError("'repeat' needs 'lasts', and it must be shorter than 'every'")
        return self


CommandName = Literal[
    "power_on",
    "prepare",
    "stand_by",
    "begin_check",
    "beam_on",
    "interrupt",
    "resume",
    "terminate",
    "acknowledge",
    "stand_down",
    "restart",
    "reset_local",
    "reset_operator",
    "reset_physics",
]
MEASURED_FROM_A_STEP = (
    "beam_off",
    "permit_withdrawn",
    "state",
    "beam_stays_on",
    "beam_stays_off",
    "accepted",
    "refused",
)


class KnownGap(_Strict):
    """A hazard nothing in this table covers: the scenario shows that an invariant breaks."""

    invariant: Annotated[str, Field(description="its id; it must be violated, or the run does not pass")]
    because: Annotated[str, Field(min_length=10, description="why nothing notices it")]


class Expectation(_Strict):
    """One measured expectation: exactly one of the quantities, and its limits."""

    after: Annotated[StepId | None, Field(description="the step it is measured from")] = None
    beam_off: Annotated[Duration | None, Field(description="true beam off within this time of the step")] = (
        None
    )
    permit_withdrawn: Annotated[Duration | None, Field(description="permit withdrawn within this time")] = (
        None
    )
    state: Annotated[StateName | None, Field(description="this state is entered after the step")] = None
    within: Annotated[Duration | None, Field(description="limit for 'state'")] = None
    first_up: Annotated[str | None, Field(description="first cause of the stop")] = None
    trips: Annotated[str | None, Field(description="this interlock trips")] = None
    never_trips: Annotated[str | None, Field(description="this interlock never trips in the whole run")] = (
        None
    )
    beam_stays_on: Annotated[
        Duration | None, Field(description="no beam-off within this time of the step")
    ] = None
    delivered: Annotated[str | None, Field(description="target whose fraction is delivered as planned")] = (
        None
    )
    beams_completed: Annotated[int | None, Field(ge=0, description="number of beams that ended normally")] = (
        None
    )
    tolerance: Annotated[Meterset, Field(description="for 'delivered'")] = 100
    meterset_below: Annotated[Meterset | None, Field(description="with 'delivered': less than this")] = None
    beam_stays_off: Annotated[
        Duration | None, Field(description="no beam for at least this long after the step")
    ] = None
    accepted: Annotated[CommandName | None, Field(description="the next such command after the step")] = None
    refused: Annotated[CommandName | None, Field(description="the next such command after the step")] = None
    by: Annotated[str | None, Field(description="with 'refused': the interlock in the way")] = None
    latched: Annotated[str | None, Field(description="this interlock is still latched at the end")] = None
    holds: Annotated[int | None, Field(ge=0, description="number of beam holds")] = None
    final_state: StateName | None = None
    interruptions: Annotated[int | None, Field(ge=0, description="number of interrupted states entered")] = (
        None
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Expectation:
        kinds = (
            "beam_off",
            "permit_withdrawn",
            "state",
            "first_up",
            "trips",
            "never_trips",
            "beam_stays_on",
            "delivered",
            "beams_completed",
            "beam_stays_off",
            "accepted",
            "refused",
            "latched",
            "holds",
            "final_state",
            "interruptions",
        )
        given = [n for n in kinds if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(kinds)}")
        if given[0] in MEASURED_FROM_A_STEP and self.after is None:
            raise ValueError(f"'{given[0]}' is measured from a step: add 'after'")
        if self.by is not None and self.refused is None:
            raise ValueError("'by' goes with 'refused'")
        return self


class Gating(_Strict):
    """A regular breathing gate."""

    period: Annotated[Duration, Field(ge=1_000_000)]
    duty_percent: Annotated[int, Field(ge=10, le=90)] = 40


class OperatorPolicy(_Strict):
    """How the person at the console behaves."""

    after_interrupt: Literal["resume", "terminate", "wait"] = "resume"
    after_terminate: Literal["leave", "continue"] = "leave"
    resets_physics: bool = False


class Scenario(_Strict):
    """A whole scenario file."""

    title: Annotated[str, Field(min_length=3)]
    purpose: Annotated[str, Field(min_length=3)]
    requirements: list[str] = []
    seed: Annotated[int, Field(ge=0)] = 1
    plan: Annotated[
        str,
        Field(
            description="plan file, ours or DICOM, relative to the scenario; "
            "package:NAME/PATH reads one inside an installed Python package"
        ),
    ]
    fraction_group: Annotated[int | None, Field(ge=0, description="of a DICOM plan with several")] = None
    machine: Annotated[str | None, Field(description="machine file, relative to the scenario")] = None
    table: Annotated[str | None, Field(description="interlock table, relative to the scenario")] = None
    fraction: Annotated[int, Field(ge=1)] = 1
    targets: Annotated[
        list[str] | None, Field(min_length=1, description="order of delivery; default: the plan's")
    ] = None
    gating: Gating | None = None
    operator: OperatorPolicy = OperatorPolicy()
    time_limit: Annotated[
        Duration,
        Field(ge=1_000_000, le=86_400_000_000, description="simulated time at which the run ends"),
    ] = 10_800_000_000
    timeline: list[Step] = []
    known_gaps: Annotated[
        list[KnownGap], Field(description="invariants that this scenario shows to be broken")
    ] = []
    expect: Annotated[list[Expectation], Field(min_length=1)]
