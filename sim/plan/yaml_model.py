"""What may stand in a plan file (YAML): targets, and beams written the way one speaks of them.

Lengths, angles, metersets and dose rates carry their unit in the file and are integers here
(0.01 mm, 0.01 degree, 0.001 MU, MU/min). Angles follow IEC 61217; positions are patient
coordinates (x left, y posterior, z superior), the patient lies head first supine.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from firmware_model.diagnostics import RefusedValue
from firmware_model.quantity import Angle, DoseRate, Length, Meterset
from sim.machine import FluenceMode

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
    WithJsonSchema({"type": "string", "pattern": f"^{_ENERGY.pattern}$", "examples": ["6 MV", "10 MV FFF"]}),
]
"""Written "6 MV" or "10 MV FFF"."""
Dose = Annotated[
    float,
    BeforeValidator(_parse_dose),
    WithJsonSchema({"type": "string", "pattern": f"^{_DOSE.pattern}$", "examples": ["45 Gy"]}),
]
"""Gy, above 0; written "45 Gy"."""
Name = Annotated[str, Field(pattern=_NAME)]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Position = tuple[Length, Length, Length]
Size = Annotated[Length, Field(gt=0, le=40_000)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _exactly_one(data: Any, keys: tuple[str, ...], what: str) -> None:
    given = [key for key in keys if getattr(data, key) is not None]
    if len(given) != 1:
        found = f"has {' and '.join(given)}" if given else "has none"
        raise RefusedValue(f"{what} needs exactly one of {', '.join(keys)}; this one {found}")


class LeafPair(_Strict):
    """One open leaf pair; number 1 is the one at the y1 side."""

    pair: Annotated[int, Field(ge=1, le=60)]
    tips: Annotated[tuple[Length, Length], Field(description="x1 side, x2 side")]


class Aperture(_Strict):
    """An opening, centred where the target is seen from the source at each gantry angle.

    ``jaws`` is an open field without multileaf collimator, in absolute positions.
    """

    circle: Annotated[Size | None, Field(description="diameter")] = None
    rectangle: Annotated[tuple[Size, Size] | None, Field(description="full width x, y")] = None
    leaf_pairs: Annotated[list[LeafPair] | None, Field(min_length=1, max_length=60)] = None
    jaws: Annotated[tuple[Length, Length, Length, Length] | None, Field(description="x1, x2, y1, y2")] = None
    offset: Annotated[tuple[Length, Length], Field(description="x, y away from the target")] = (0, 0)
    jaw_margin: Annotated[Length, Field(ge=0, le=5_000)] = 500

    @model_validator(mode="after")
    def _one_shape(self) -> Aperture:
        _exactly_one(self, ("circle", "rectangle", "leaf_pairs", "jaws"), "an aperture")
        seen: set[int] = set()
        for index, row in enumerate(self.leaf_pairs or []):
            if row.pair in seen:
                raise RefusedValue(f"leaf pair {row.pair} is given twice", at=("leaf_pairs", index, "pair"))
            seen.add(row.pair)
        return self


class Static(_Strict):
    """Nothing moves while the beam is on."""

    gantry: Angle
    aperture: Aperture
    meterset: Annotated[Meterset, Field(gt=0)]


class Segment(_Strict):
    """One opening of a step-and-shoot beam and what it gets."""

    aperture: Aperture
    meterset: Annotated[Meterset, Field(gt=0)]


class StepAndShoot(_Strict):
    """One opening after the other, the beam off in between."""

    gantry: Angle
    segments: Annotated[list[Segment], Field(min_length=1, max_length=500)]


class Point(_Strict):
    """One control point; what is left out stays as it was. Angles are continuous, not wrapped."""

    at: Annotated[Meterset, Field(description="cumulative within the beam")]
    aperture: Aperture | None = None
    gantry: Angle | None = None
    collimator: Angle | None = None


class DynamicMlc(_Strict):
    """Explicit control points; everything moves evenly between them while the beam is on."""

    gantry: Angle
    control_points: Annotated[list[Point], Field(min_length=2, max_length=2_000)]

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
    control_points: Annotated[int, Field(ge=2, le=2_000)]
    meterset: Annotated[Meterset, Field(gt=0)]
    aperture: Aperture
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

    name: Text
    number: Annotated[int | None, Field(ge=0, le=9_999, description="default: counted through")] = None
    energy: Energy
    dose_rate: Annotated[
        DoseRate | None, Field(gt=0, description="upper limit; default: the machine's maximum")
    ] = None
    collimator: Angle = 0
    couch: Angle = 0
    static: Static | None = None
    step_and_shoot: StepAndShoot | None = None
    dynamic_mlc: DynamicMlc | None = None
    arc: Arc | None = None

    @model_validator(mode="after")
    def _one_technique(self) -> BeamEntry:
        _exactly_one(self, ("static", "step_and_shoot", "dynamic_mlc", "arc"), "a beam")
        return self


class TargetEntry(_Strict):
    """One metastasis and the beams aimed at it, in the order of delivery."""

    id: Name
    site: Text
    centre: Position
    diameter: Size
    prescription: Annotated[Dose | None, Field(description="whole course")] = None
    fractions: Annotated[int, Field(ge=1, le=60)]
    isocentre: Annotated[Position | None, Field(description="default: the plan's, else the centre")] = None
    beams: Annotated[list[BeamEntry], Field(min_length=1, max_length=100)]


class PlanDocument(_Strict):
    """A course for one patient. ``patient`` is an invented token, never a name or a hospital ID."""

    id: Name
    title: Text
    patient: Name
    isocentre: Annotated[Position | None, Field(description="shared by targets without their own")] = None
    targets: Annotated[list[TargetEntry], Field(min_length=1, max_length=20)]

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
        return self
