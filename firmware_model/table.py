"""The interlock table: signals, interlocks, requirements and hazards, as a reviewer reads them.

The YAML file is the single source of truth. Limits are written in the unit of their signal
("limit: 2.0" of a signal in MU) and must be a whole number of its least significant bits; all
arithmetic behind it is in integers. :func:`firmware_model.table_loading.load_table` refuses whatever does not
fit together and says where. Times inside conditions are counted in scans (ticks).
"""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from firmware_model.diagnostics import RefusedValue, did_you_mean
from firmware_model.key_rules import KeyRules
from firmware_model.quantity import Duration
from firmware_model.states import BEAM_IN_PROGRESS, Latch, State, Stop

StateName = Literal[
    "off",
    "self_test",
    "standby",
    "preparatory",
    "check",
    "ready",
    "irradiation",
    "hold",
    "interrupted",
    "terminated",
    "emergency",
]
StopName = Literal["complete", "hold", "interrupt", "terminate", "emergency"]
LatchName = Literal["none", "operator", "physics", "local"]
Number = int | float
SignalName = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9_]*$",
        json_schema_extra={
            "errorMessage": "the name of a signal: a lower case letter, then letters, digits or _"
        },
    ),
]
InterlockId = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
Percent = Annotated[Number, Field(ge=0, le=1000)]
Ticks = Annotated[int, Field(ge=1, le=60_000)]

#: DICOM PS3.16 context group 9568 "Radiotherapy Interlock", codes as published in the standard.
DICOM_INTERLOCK_CODES = {
    "130475": "Primary fluence monitoring interlock",
    "130476": "Secondary fluence monitoring interlock",
    "130477": "Timer interlock",
    "130478": "Door interlock",
    "130479": "Patient motion interlock",
    "130738": "Dose limit interlock",
    "130739": "Clearance interlock",
    "130740": "Machine clearance interlock",
    "130741": "Patient clearance interlock",
    "130742": "Accessory clearance interlock",
    "130743": "Out of tolerance interlock",
    "130828": "Radiation detected during beam hold",
    "130829": "MLC position interlock",
    "130830": "Meterset rate interlock",
    "130831": "Beam energy interlock",
}


def _known_code(code: str) -> str:
    if code not in DICOM_INTERLOCK_CODES:
        raise RefusedValue(
            f"{code!r} is not in DICOM context group 9568", did_you_mean(code, DICOM_INTERLOCK_CODES)
        )
    return code


DicomCode = Annotated[
    str,
    AfterValidator(_known_code),
    Field(
        json_schema_extra={
            "enum": list(DICOM_INTERLOCK_CODES),
            "enumDescriptions": list(DICOM_INTERLOCK_CODES.values()),
            "markdownEnumDescriptions": list(DICOM_INTERLOCK_CODES.values()),
        }
    ),
]


class _Strict(KeyRules, BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Signal(_Strict):
    """One input of the controller."""

    title: Annotated[str, Field(description="what it is, in words")]
    kind: Annotated[
        Literal["bool", "counter", "integer", "token"],
        Field(description="true or false; a rising count; a value; a code that is only compared"),
    ]
    unit: Annotated[str, Field(description="of `lsb`, `range` and every limit")] = ""
    lsb: Annotated[Number, Field(gt=0, description="value of one count, in `unit`")] = 1
    range: Annotated[tuple[Number, Number], Field(description="smallest and largest value, in `unit`")] = (
        0,
        1,
    )
    safe: Annotated[Number | bool, Field(description="value when nothing is known; must not permit beam")]
    source: Annotated[
        Literal["plant", "prescription", "console"],
        Field(description="plant: sensors; prescription: set values of the selected beam; console: identity"),
    ]

    def counts(self, value: Number | bool) -> int:
        """``value`` (in ``unit``) as a whole number of LSBs. Raises ValueError when it is not one."""
        exact = Fraction(str(int(value) if isinstance(value, bool) else value)) / Fraction(str(self.lsb))
        if exact.denominator != 1:
            raise ValueError(f"{value} {self.unit} is not a whole number of LSBs of {self.lsb} {self.unit}")
        return int(exact)


def hundredths(percent: Number) -> int:
    """Percent as hundredths of a percent. Raises ValueError when it is not a whole number of them."""
    exact = Fraction(str(percent)) * 100
    if exact.denominator != 1:
        raise ValueError(f"{percent} % is finer than 0.01 %")
    return int(exact)


class IsFalse(_Strict):
    """Trips while any of the signals is false (fail-safe lines: true means healthy)."""

    kind: Literal["is_false"]
    signals: Annotated[list[SignalName], Field(min_length=1)]


class IsTrue(_Strict):
    """Trips while any of the signals is true."""

    kind: Literal["is_true"]
    signals: Annotated[list[SignalName], Field(min_length=1)]


class Disagree(_Strict):
    """Trips while two contacts of one thing disagree; the debounce says for how long they may."""

    kind: Literal["disagree"]
    signal: SignalName
    other: SignalName


class Above(_Strict):
    """Trips while the signal is above the limit."""

    kind: Literal["above"]
    signal: SignalName
    limit: Number


class Below(_Strict):
    """Trips while the signal is below the limit."""

    kind: Literal["below"]
    signal: SignalName
    limit: Number


class Outside(_Strict):
    """Trips while the signal is below `low` or above `high`."""

    kind: Literal["outside"]
    signal: SignalName
    low: Number
    high: Number


class Differs(_Strict):
    """Trips while |signal - from| exceeds a fixed amount, a percentage of `from`, or both/either."""

    kind: Literal["differs"]
    signal: SignalName
    from_: Annotated[SignalName, Field(alias="from")]
    any_of = ("by", "percent")

    by: Annotated[Number | None, Field(description="fixed amount, in the signal's unit")] = None
    percent: Annotated[Percent | None, Field(description="percent of `from`")] = None
    combine: Literal["min", "max"] = "max"


class Exceeds(_Strict):
    """Trips once the counter is above the preset by more than a percentage and/or a fixed amount."""

    kind: Literal["exceeds"]
    signal: SignalName
    preset: SignalName
    by: Number | None = None
    percent: Percent | None = None
    combine: Literal["min", "max"] = "min"


class Reaches(_Strict):
    """Trips once the counter has reached the preset (the normal end of a beam)."""

    kind: Literal["reaches"]
    signal: SignalName
    preset: SignalName


class Mismatch(_Strict):
    """Trips unless both identity tokens are known (not zero) and equal."""

    kind: Literal["mismatch"]
    signal: SignalName
    other: SignalName


class WrongDigest(_Strict):
    """Trips unless the signal holds the first 32 bits of this very table's digest."""

    kind: Literal["wrong_digest"]
    signal: SignalName


class Rate(_Strict):
    """Trips while counts gained over a sliding window are above/below a percentage of a set rate."""

    kind: Literal["rate"]
    signal: SignalName
    sense: Literal["above", "below"]
    set_rate: Annotated[SignalName, Field(description="set rate, in the counter's unit per minute")]
    percent: Percent
    window: Ticks
    step: Annotated[Ticks, Field(description="distance of samples; the window is a multiple of it")]


class PerTravel(_Strict):
    """Trips when a counter and its plan drift apart within a stretch of travel (MU per degree).

    Both are counted from the start of the stretch; the stretch starts anew every `over` units of
    the position, so a stall and a runaway both show.
    """

    kind: Literal["per_travel"]
    signal: SignalName
    planned: SignalName
    position: SignalName
    over: Number
    percent: Percent
    by: Annotated[Number, Field(description="amount always allowed, in the counter's unit")]


class Stale(_Strict):
    """Trips once a heartbeat counter has stood still for more than `ticks` scans."""

    kind: Literal["stale"]
    signal: SignalName
    ticks: Ticks


class Timer(_Strict):
    """Trips once the scans spent in the acting states exceed the set time: beam-on time only.

    Keeps its count through holds and interruptions and starts at zero with a new selection.
    """

    kind: Literal["timer"]
    limit: Annotated[SignalName, Field(description="set time, a signal in ms")]


class Moves(_Strict):
    """Trips when the signal leaves the value it had `after` scans into the acting states."""

    kind: Literal["moves"]
    signal: SignalName
    by: Number
    after: Annotated[int, Field(ge=0, le=60_000)] = 0


class Grows(_Strict):
    """Trips when a counter gains more than `by` once `after` scans of the acting states are over.

    A counter set back to a smaller value starts the comparison anew.
    """

    kind: Literal["grows"]
    signal: SignalName
    by: Number
    after: Annotated[int, Field(ge=0, le=60_000)] = 0


class Flag(_Strict):
    """Trips while the controller itself holds the flag."""

    kind: Literal["flag"]
    flag: Literal["proof_test_failed", "reset_in_beam"]


Condition = Annotated[
    IsFalse
    | IsTrue
    | Disagree
    | Above
    | Below
    | Outside
    | Differs
    | Exceeds
    | Reaches
    | Mismatch
    | WrongDigest
    | Rate
    | PerTravel
    | Stale
    | Timer
    | Moves
    | Grows
    | Flag,
    Field(discriminator="kind"),
]

#: Conditions that depend on the present inputs only; these can be exercised by the proof test.
MEMORYLESS = (
    IsFalse,
    IsTrue,
    Disagree,
    Above,
    Below,
    Outside,
    Differs,
    Exceeds,
    Reaches,
    Mismatch,
    WrongDigest,
)


class Interlock(_Strict):
    """One row of the table."""

    one_of = ("proof", "no_proof")
    excludes: ClassVar = {"only_if": ("unless",)}

    title: Annotated[str, Field(description="what an operator reads when it trips")]
    trips_when: Annotated[Condition, Field(description="the condition, by its `kind`")]
    only_if: Annotated[SignalName | None, Field(description="bool signal that enables this row")] = None
    unless: Annotated[SignalName | None, Field(description="bool signal that disables this row")] = None
    debounce: Annotated[Ticks, Field(description="scans in a row the condition must hold")] = 1
    stop: Annotated[StopName, Field(description="what a trip does to a beam")]
    latch: Annotated[LatchName, Field(description="who may clear it once its cause is gone")]
    acts_in: Annotated[list[StateName], Field(min_length=1, description="states in which it is watched")]
    latches_in: Annotated[
        list[StateName] | None,
        Field(
            description="states in which a trip latches; by default those of acts_in in which a beam "
            "is being proven or is in progress, so that setting up a patient latches nothing"
        ),
    ] = None
    stops_motion: Annotated[bool, Field(description="a trip also withdraws the motion permit")] = False
    respond_within: Annotated[Duration, Field(description="cause to permit withdrawn, debounce included")]
    dicom_code: Annotated[
        DicomCode | None,
        Field(
            description="DICOM PS3.16 context group 9568, in quotes",
        ),
    ] = None
    requirements: Annotated[list[str], Field(min_length=1, description="ids listed under `requirements`")]
    hazards: Annotated[list[str], Field(description="ids listed under `hazards`")] = []
    basis: Annotated[str, Field(description="where the limit comes from")]
    proof: Annotated[
        dict[SignalName, Number | bool] | None,
        Field(description="signals forced during the pre-beam proof test so that this row must trip"),
    ] = None
    no_proof: Annotated[str | None, Field(description="why this row is not exercised")] = None

    @property
    def stop_class(self) -> Stop:
        return Stop[self.stop]

    @property
    def latch_level(self) -> Latch:
        return Latch[self.latch]

    @property
    def states(self) -> frozenset[State]:
        return frozenset(State[name] for name in self.acts_in)

    @property
    def latching_states(self) -> frozenset[State]:
        if self.latch == "none":
            return frozenset()
        if self.latches_in is not None:
            return frozenset(State[name] for name in self.latches_in)
        return self.states & {State.check, *BEAM_IN_PROGRESS}

    @property
    def gate(self) -> str | None:
        """The signal that enables or disables this row, if there is one."""
        return self.only_if or self.unless

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of all signals this row reads, without repetition, in a fixed order."""
        names: list[str] = []
        for field in (
            "signals",
            "signal",
            "other",
            "from_",
            "preset",
            "set_rate",
            "planned",
            "position",
            "limit",
        ):
            value = getattr(self.trips_when, field, None)
            if isinstance(value, str):
                names.append(value)
            elif isinstance(value, list):
                names.extend(value)
        if self.gate is not None:
            names.append(self.gate)
        return tuple(dict.fromkeys(names))


class Table(_Strict):
    """A whole interlock table."""

    name: Annotated[str, Field(description="what records call the table")]
    version: Annotated[int, Field(ge=1, description="counts releases of the table")]
    scan_period: Annotated[Duration, Field(description="of the controller; whole milliseconds")]
    self_test_ticks: Annotated[Ticks, Field(description="scans the self test after power-on takes")]
    proof_timeout: Annotated[Ticks, Field(description="scans a line may take to answer the proof test")]
    requirements: Annotated[dict[str, str], Field(description="id and text of every requirement")]
    hazards: Annotated[dict[str, str], Field(description="id and text of every hazard")]
    signals: Annotated[
        dict[SignalName, Signal],
        Field(min_length=1, max_length=254, description="inputs of the controller, by name"),
    ]
    interlocks: Annotated[
        dict[InterlockId, Interlock],
        Field(min_length=1, max_length=254, description="by id; of equal causes the first is first up"),
    ]

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over the canonical JSON of everything that decides; titles included."""
        text = json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def token(self) -> int:
        """First 31 bits of the digest, never 0: what a board and a console compare."""
        return (int(self.digest[:8], 16) & 0x7FFFFFFF) or 1

    @cached_property
    def signal_index(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.signals)}

    @cached_property
    def interlock_ids(self) -> tuple[str, ...]:
        return tuple(self.interlocks)

    def counts(self, signal: str, value: Number | bool) -> int:
        """``value`` in the signal's unit as whole LSBs. Raises ValueError when it is not one."""
        return self.signals[signal].counts(value)

    def without(self, *ids: str) -> Table:
        """The same table with some interlocks removed. Raises KeyError for an unknown id."""
        for unknown in set(ids) - set(self.interlocks):
            raise KeyError(unknown)
        kept = {name: getattr(self, name) for name in type(self).model_fields}  # and nothing cached
        kept["interlocks"] = {key: row for key, row in self.interlocks.items() if key not in ids}
        return type(self).model_construct(**kept)
