"""What a scenario file may say.

Every quantity carries its unit. Names of steps, targets, signals and interlocks are checked by
:mod:`sim.scenario.loading` with the position they were written at.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from firmware_model.key_rules import KeyRules
from firmware_model.quantity import Angle, Duration, Meterset
from firmware_model.states import CommandName
from firmware_model.table import StateName
from sim.clinic.motion_schema import Breathing, Gating, IntrafractionDrift, Reimaging
from sim.faults.base import GradualFault
from sim.faults.catalogue import Fault
from sim.faults.signals import GradualSignalFault
from sim.plan.yaml_model import Dose

StepId = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9_]*$",
        json_schema_extra={
            "errorMessage": "the id of a step: a lower case letter, then letters, digits or _"
        },
    ),
]


class _Strict(KeyRules, BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


EventName = Literal["setup", "image", "shift", "select", "beam_start", "proof_test", "beam_end"]


class At(_Strict):
    """When a step happens: exactly one of time, event, state, meterset, control_point, gantry, after."""

    one_of = ("time", "event", "state", "meterset", "control_point", "gantry", "after")
    excludes: ClassVar = {"target": ("time", "after"), "beam": ("time", "after")}

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


class Repeat(_Strict):
    """A fault that sets in again and again."""

    every: Annotated[Duration, Field(gt=0, description="from one onset to the next; longer than 'lasts'")]
    times: Annotated[int, Field(ge=2, le=1000, description="how often in all")]


class Step(_Strict):
    """One thing that happens: a fault, something in the room, or an act at the console."""

    one_of = ("fault", "clear", "room", "console")
    needs: ClassVar = {"lasts": "fault", "ramp": "fault", "repeat": "lasts"}

    id: Annotated[StepId, Field(description="unique; expectations and other steps refer to it")]
    at: Annotated[At, Field(description="the moment")]
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
    room: Annotated[
        Literal[
            "open_door",
            "close_door",
            "press_last_person_out",
            "press_emergency_stop",
            "release_emergency_stop",
        ]
        | None,
        Field(description="something happens in the room"),
    ] = None
    console: Annotated[
        Literal[
            "power_on",
            "prepare",
            "stand_by",
            "begin_check",
            "stand_down",
            "interrupt",
            "resume",
            "terminate",
            "beam_on",
            "acknowledge",
            "restart",
            "reset_operator",
            "reset_physics",
            "reset_local",
            "change_parameter",
            "override_image_age",
        ]
        | None,
        Field(description="a button at the console, or an edit or override made there"),
    ] = None

    @model_validator(mode="after")
    def _times_fit(self) -> Step:
        if self.ramp is not None and not isinstance(self.fault, GradualFault | GradualSignalFault):
            raise ValueError(f"'ramp' needs a fault with a size; {self.fault.kind} is there or not")  # type: ignore[union-attr]
        if self.ramp is not None and self.lasts is not None and self.ramp > self.lasts:
            raise ValueError("'ramp' is longer than 'lasts': the fault would never have its full size")
        if self.repeat is not None and self.lasts is not None and self.lasts >= self.repeat.every:
            raise ValueError("'repeat' needs 'lasts', and it must be shorter than 'every'")
        return self


MEASURED_FROM_A_STEP = (
    "beam_off",
    "permit_withdrawn",
    "state",
    "beam_stays_on",
    "beam_stays_off",
    "accepted",
    "refused",
)


InvariantId = Literal[
    "no-beam-with-door-open",
    "no-beam-in-emergency-stop",
    "no-beam-without-permit",
    "no-beam-on-wrong-place",
    "no-beam-outside-gate",
    "no-beam-with-wrong-aperture",
    "no-beam-at-wrong-angle",
    "no-beam-with-wrong-energy",
    "no-beam-through-wrong-filter",
    "no-asymmetric-beam",
    "no-start-with-open-room",
    "no-beam-after-termination",
    "permit-only-in-irradiation",
    "no-permit-with-trip",
    "no-dose-beyond-preset",
    "no-runaway-rate",
    "dose-never-decreases",
    "records-agree",
]


class KnownGap(_Strict):
    """A hazard nothing in this table covers: the scenario shows that an invariant breaks."""

    invariant: Annotated[InvariantId, Field(description="its id; it must be violated for the run to pass")]
    because: Annotated[str, Field(min_length=10, description="why nothing notices it")]


class Expectation(_Strict):
    """One measured expectation: exactly one of the quantities, and its limits."""

    one_of = (
        "beam_off",
        "permit_withdrawn",
        "state",
        "first_up",
        "trips",
        "never_trips",
        "beam_stays_on",
        "delivered",
        "dose",
        "beams_completed",
        "beam_stays_off",
        "accepted",
        "refused",
        "latched",
        "holds",
        "final_state",
        "interruptions",
        "rig_error",
    )
    needs: ClassVar = {
        **dict.fromkeys(MEASURED_FROM_A_STEP, "after"),
        "by": "refused",
        **dict.fromkeys(("dose_tolerance", "dose_below", "dose_above"), "dose"),
    }
    excludes: ClassVar = {"dose_tolerance": ("dose_below", "dose_above")}

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
    dose: Annotated[
        str | None, Field(description="target or organ point whose dose is as planned for this session")
    ] = None
    dose_tolerance: Annotated[
        Dose | None, Field(description="with 'dose': largest difference from the plan; default 0.1 Gy")
    ] = None
    dose_below: Annotated[
        Dose | None, Field(description="with 'dose': less than this, instead of the plan")
    ] = None
    dose_above: Annotated[
        Dose | None, Field(description="with 'dose': more than this, instead of the plan")
    ] = None
    beam_stays_off: Annotated[
        Duration | None, Field(description="no beam for at least this long after the step")
    ] = None
    accepted: Annotated[CommandName | None, Field(description="the next such command after the step")] = None
    refused: Annotated[CommandName | None, Field(description="the next such command after the step")] = None
    by: Annotated[str | None, Field(description="with 'refused': the interlock in the way")] = None
    latched: Annotated[str | None, Field(description="this interlock is still latched at the end")] = None
    holds: Annotated[int | None, Field(ge=0, description="number of beam holds")] = None
    final_state: Annotated[StateName | None, Field(description="the controller is in it at the end")] = None
    interruptions: Annotated[int | None, Field(ge=0, description="number of interrupted states entered")] = (
        None
    )
    rig_error: Annotated[
        str | None, Field(description="the run ends with this error of the board or its wire, if it has one")
    ] = None


class OperatorPolicy(_Strict):
    """How the person at the console behaves."""

    after_interrupt: Annotated[
        Literal["resume", "terminate", "wait"],
        Field(description="clear the cause and resume; end the beam; or leave it to the timeline"),
    ] = "resume"
    after_terminate: Annotated[
        Literal["leave", "continue", "wait"],
        Field(
            description="leave the remainder for a new decision; go on with it; or leave all to the timeline"
        ),
    ] = "leave"
    resets_physics: Annotated[bool, Field(description="whether latches that need physics are reset")] = False
    reimaging: Annotated[Reimaging | None, Field(description="when another image is taken")] = None


class Scenario(_Strict):
    """A whole scenario file."""

    title: Annotated[str, Field(min_length=3, description="also part of what the seed decides")]
    purpose: Annotated[str, Field(min_length=3, description="what the scenario shows")]
    requirements: Annotated[
        list[str], Field(description="requirements of the interlock table it is evidence for")
    ] = []
    seed: Annotated[int, Field(ge=0, description="decides every random number of the run")] = 1
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
    fraction: Annotated[int, Field(ge=1, description="which fraction of every target is delivered")] = 1
    targets: Annotated[
        list[str] | None, Field(min_length=1, description="order of delivery; default: the plan's")
    ] = None
    breathing: Annotated[Breathing | None, Field(description="how the patient breathes")] = None
    gating: Annotated[Gating | None, Field(description="deliver with a breathing gate")] = None
    drift: Annotated[IntrafractionDrift | None, Field(description="the patient slides on the couch")] = None
    operator: Annotated[OperatorPolicy, Field(description="how the person at the console behaves")] = (
        OperatorPolicy()
    )
    time_limit: Annotated[
        Duration,
        Field(ge=1_000_000, le=86_400_000_000, description="simulated time at which the run ends"),
    ] = 10_800_000_000
    timeline: Annotated[list[Step], Field(description="what happens on the way")] = []
    known_gaps: Annotated[
        list[KnownGap], Field(description="invariants that this scenario shows to be broken")
    ] = []
    expect: Annotated[list[Expectation], Field(min_length=1, description="what must be so")]
