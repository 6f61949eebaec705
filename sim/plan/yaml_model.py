"""What may stand in a plan file (YAML): targets, and beams written the way one speaks of them.

Lengths, angles, metersets and dose rates carry their unit in the file and are integers here
(0.01 mm, 0.01 degree, 0.001 MU, MU/min). Angles follow IEC 61217; positions are patient
coordinates (x left, y posterior, z superior), the patient lies head first supine.
"""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from firmware_model.diagnostics import RefusedValue
from firmware_model.key_rules import KeyRules
from firmware_model.quantity import Angle, DoseRate, Length, Meterset
from sim.machine import FluenceMode
from sim.plan.spacing import SpacingEntry

_ENERGY = re.compile(r"([0-9]{1,2}) ?MV( FFF)?")
_DOSE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3})?) ?Gy")
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$"


class BeamEnergy(BaseModel):
    """Nominal accelerating potential (MV) and whether the beam passes a flattening filter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mv: int
    fluence_mode: FluenceMode


def _parse_energy(value: object) -> object:
    match = _ENERGY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise RefusedValue(
            f"{str(value)[:40]!r} is not a beam energy", "write for example 6 MV, or 10 MV FFF without filter"
        )
    return {"mv": int(match[1]), "fluence_mode": "fff" if match[2] else "flattened"}


def _parse_dose(value: object) -> object:
    match = _DOSE.fullmatch(value) if isinstance(value, str) else None
    if match is None or float(match[1]) == 0:
        raise RefusedValue(f"{str(value)[:40]!r} is not a dose in Gy", "write for example 45 Gy")
    return float(match[1])


Energy = Annotated[
    BeamEnergy,
    BeforeValidator(_parse_energy),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^{_ENERGY.pattern}$",
            "errorMessage": "write a beam energy, for example 6 MV, or 10 MV FFF without filter",
            "examples": ["6 MV", "10 MV FFF"],
        }
    ),
]
"""Written "6 MV" or "10 MV FFF"."""
Dose = Annotated[
    float,
    BeforeValidator(_parse_dose),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^{_DOSE.pattern}$",
            "errorMessage": "write a dose in Gy, for example 45 Gy",
            "examples": ["45 Gy"],
        }
    ),
]
"""Gy, above 0; written "45 Gy"."""
Name = Annotated[
    str,
    Field(
        pattern=_NAME,
        json_schema_extra={"errorMessage": "a name of letters, digits, _ and -, at most 40 characters"},
    ),
]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Position = tuple[Length, Length, Length]
Size = Annotated[Length, Field(gt=0, le=40_000)]


class _Strict(KeyRules, BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LeafPair(_Strict):
    """One open leaf pair; number 1 is the one at the y1 side."""

    pair: Annotated[int, Field(ge=1, le=60, description="number of the leaf pair")]
    tips: Annotated[tuple[Length, Length], Field(description="x1 side, x2 side")]


class Aperture(_Strict):
    """An opening, centred where the target is seen from the source at each gantry angle.

    ``jaws`` is an open field without multileaf collimator, in absolute positions.
    """

    one_of = ("circle", "rectangle", "leaf_pairs", "jaws")

    circle: Annotated[Size | None, Field(description="diameter")] = None
    rectangle: Annotated[tuple[Size, Size] | None, Field(description="full width x, y")] = None
    leaf_pairs: Annotated[
        list[LeafPair] | None,
        Field(min_length=1, max_length=60, description="the open leaf pairs, one by one"),
    ] = None
    jaws: Annotated[tuple[Length, Length, Length, Length] | None, Field(description="x1, x2, y1, y2")] = None
    offset: Annotated[tuple[Length, Length], Field(description="x, y away from the target")] = (0, 0)
    jaw_margin: Annotated[
        Length, Field(ge=0, le=5_000, description="from the opening of the leaves to the jaws")
    ] = 500

    @model_validator(mode="after")
    def _pairs_once(self) -> Aperture:
        seen: set[int] = set()
        for index, row in enumerate(self.leaf_pairs or []):
            if row.pair in seen:
                raise RefusedValue(f"leaf pair {row.pair} is given twice", at=("leaf_pairs", index, "pair"))
            seen.add(row.pair)
        return self


class Static(_Strict):
    """Nothing moves while the beam is on."""

    gantry: Annotated[Angle, Field(description="IEC 61217 gantry angle")]
    aperture: Annotated[Aperture, Field(description="the opening")]
    meterset: Annotated[Meterset, Field(gt=0, description="of the whole beam")]


class Segment(_Strict):
    """One opening of a step-and-shoot beam and what it gets."""

    aperture: Annotated[Aperture, Field(description="the opening")]
    meterset: Annotated[Meterset, Field(gt=0, description="of this opening alone")]


class StepAndShoot(_Strict):
    """One opening after the other, the beam off in between."""

    gantry: Annotated[Angle, Field(description="IEC 61217 gantry angle")]
    segments: Annotated[
        list[Segment], Field(min_length=1, max_length=500, description="openings in the order of delivery")
    ]


class Point(_Strict):
    """One control point; what is left out stays as it was. Angles are continuous, not wrapped."""

    at: Annotated[Meterset, Field(description="cumulative within the beam")]
    aperture: Annotated[Aperture | None, Field(description="the opening; default: as before")] = None
    gantry: Annotated[Angle | None, Field(description="gantry angle; default: as before")] = None
    collimator: Annotated[Angle | None, Field(description="collimator angle; default: as before")] = None


class DynamicMlc(_Strict):
    """Explicit control points; everything moves evenly between them while the beam is on."""

    gantry: Annotated[Angle, Field(description="gantry angle at beam on")]
    control_points: Annotated[
        list[Point], Field(min_length=2, max_length=2_000, description="first at 0 MU, never falling")
    ]

    @model_validator(mode="after")
    def _rising(self) -> DynamicMlc:
        points = self.control_points
        if points[0].at != 0:
            raise RefusedValue("the first control point is at 0 MU", at=("control_points", 0, "at"))
        if points[0].aperture is None:
            raise RefusedValue("the first control point needs an aperture", at=("control_points", 0))
        for index in range(1, len(points)):
            if points[index].at < points[index - 1].at:
                raise RefusedValue(
                    f"cumulative meterset falls from {points[index - 1].at / 1000:g} MU to "
                    f"{points[index].at / 1000:g} MU",
                    at=("control_points", index, "at"),
                )
        if points[-1].at == 0:
            raise RefusedValue("the beam delivers nothing", at=("control_points", len(points) - 1, "at"))
        return self


class Arc(_Strict):
    """The gantry turns evenly through control points; the opening follows the target."""

    from_: Annotated[Angle, Field(alias="from", description="gantry angle at beam on")]
    to: Annotated[Angle, Field(description="gantry angle at the end; equal to from: a full turn")]
    direction: Annotated[Literal["cw", "ccw"], Field(description="seen when facing the gantry")]
    control_points: Annotated[int, Field(ge=2, le=2_000, description="number of control points")]
    meterset: Annotated[Meterset, Field(gt=0, description="of the whole arc")]
    aperture: Annotated[Aperture, Field(description="the opening, which follows the target")]
    modulation: Annotated[
        list[Annotated[float, Field(ge=0, le=1_000)]],
        Field(min_length=1, max_length=2_000, description="relative MU per degree in equal parts of the arc"),
    ] = [1.0]

    @model_validator(mode="after")
    def _delivers(self) -> Arc:
        if not any(self.modulation):
            raise RefusedValue("every weight is 0, so the arc delivers nothing", at=("modulation",))
        return self


class BeamEntry(_Strict):
    """One beam: exactly one of static, step_and_shoot, dynamic_mlc and arc."""

    one_of = ("static", "step_and_shoot", "dynamic_mlc", "arc")

    name: Annotated[Text, Field(description="what the beam is called")]
    number: Annotated[int | None, Field(ge=0, le=9_999, description="default: counted through")] = None
    energy: Annotated[Energy, Field(description="accelerating potential; FFF: without flattening filter")]
    dose_rate: Annotated[
        DoseRate | None, Field(gt=0, description="upper limit; default: the machine's maximum")
    ] = None
    collimator: Annotated[Angle, Field(description="IEC 61217 collimator angle")] = 0
    couch: Annotated[Angle, Field(description="IEC 61217 couch rotation")] = 0
    static: Annotated[Static | None, Field(description="nothing moves while the beam is on")] = None
    step_and_shoot: Annotated[StepAndShoot | None, Field(description="one opening after the other")] = None
    dynamic_mlc: Annotated[DynamicMlc | None, Field(description="explicit control points")] = None
    arc: Annotated[Arc | None, Field(description="the gantry turns while the beam is on")] = None


class TargetEntry(_Strict):
    """One metastasis and the beams aimed at it, in the order of delivery.

    Dose and fractions are those of a ``regimen`` of the library, or written here; never both.
    """

    one_of = ("regimen", "fractions")
    excludes: ClassVar = {"regimen": ("prescription", "spacing")}

    id: Annotated[Name, Field(description="unique; scenarios refer to it")]
    site: Annotated[Text, Field(description="where the metastasis is, in words")]
    centre: Annotated[Position, Field(description="x left, y posterior, z superior")]
    diameter: Annotated[Size, Field(description="of the target")]
    regimen: Annotated[Name | None, Field(description="id of a published regimen")] = None
    prescription: Annotated[Dose | None, Field(description="whole course")] = None
    fractions: Annotated[int | None, Field(ge=1, le=60, description="number of the whole course")] = None
    spacing: Annotated[
        SpacingEntry | None, Field(description="between fractions; default: by their number")
    ] = None
    isocentre: Annotated[Position | None, Field(description="default: the plan's, else the centre")] = None
    beams: Annotated[
        list[BeamEntry], Field(min_length=1, max_length=100, description="in the order of delivery")
    ]


class OutlineEntry(_Strict):
    """The patient's surface for the dose model: an ellipse in every axial plane, filled with water."""

    width: Annotated[Length, Field(ge=5_000, le=80_000, description="right to left")]
    depth: Annotated[Length, Field(ge=5_000, le=80_000, description="anterior to posterior")]
    centre: Annotated[tuple[Length, Length], Field(description="x left, y posterior")] = (0, 0)


class OrganEntry(_Strict):
    """A point at risk at which dose is told."""

    id: Annotated[Name, Field(description="unique; scenarios refer to it")]
    site: Annotated[Text, Field(description="what is there, in words")]
    at: Annotated[Position, Field(description="x left, y posterior, z superior")]
    tissue: Annotated[
        Name | None, Field(description="kind of tissue, for its limit over the course; default: no limit")
    ] = None


class PlanDocument(_Strict):
    """A course for one patient. ``patient`` is an invented token, never a name or a hospital ID."""

    id: Annotated[Name, Field(description="what records call the plan")]
    title: Annotated[Text, Field(description="the plan in words")]
    patient: Annotated[Name, Field(description="an invented token, never a name or a hospital ID")]
    isocentre: Annotated[Position | None, Field(description="shared by targets without their own")] = None
    metersets: Annotated[
        Literal["as_written", "independent", "joint"],
        Field(
            description="as written; or scaled so that each target's own beams alone, or all beams "
            "together (joint), give its centre the prescribed dose"
        ),
    ] = "as_written"
    outline: Annotated[
        OutlineEntry | None, Field(description="of the patient; default: an ellipse of 360 mm x 240 mm")
    ] = None
    organs: Annotated[
        list[OrganEntry], Field(max_length=50, description="points at risk at which dose is told")
    ] = []
    targets: Annotated[
        list[TargetEntry], Field(min_length=1, max_length=20, description="in the order of delivery")
    ]

    @model_validator(mode="after")
    def _unique(self) -> PlanDocument:
        ids: set[str] = set()
        numbers: set[int] = set()
        for t, target in enumerate(self.targets):
            if target.id in ids:
                raise RefusedValue(f"target id {target.id!r} is used twice", at=("targets", t, "id"))
            ids.add(target.id)
            for b, beam in enumerate(target.beams):
                if beam.number is None:
                    continue
                if beam.number in numbers:
                    place = ("targets", t, "beams", b, "number")
                    raise RefusedValue(f"beam number {beam.number} is used twice", at=place)
                numbers.add(beam.number)
        for index, organ in enumerate(self.organs):
            if organ.id in ids:
                raise RefusedValue(
                    f"id {organ.id!r} is used twice; targets and organs share their names",
                    at=("organs", index, "id"),
                )
            ids.add(organ.id)
        return self
