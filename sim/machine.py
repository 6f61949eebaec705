"""What one linac can do: energies, speeds, ranges, latencies and sensor noise.

A machine file (YAML) is read into :class:`Machine`. Plans are checked against it before
anything moves, and the plant in :mod:`sim.linac` takes all its constants from it, so a second
machine is a second file and no code.

Integer units everywhere: angles 0.01 degree, lengths 0.01 mm, meterset 0.001 MU (mMU), time
microseconds. The numbers of the reference machine carry their sources in its YAML file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

FluenceMode = Literal["flattened", "fff"]
AxisName = Literal[
    "gantry",
    "collimator",
    "couch_vertical",
    "couch_longitudinal",
    "couch_lateral",
    "couch_rotation",
    "jaw_x1",
    "jaw_x2",
    "jaw_y1",
    "jaw_y2",
]

REFERENCE_MACHINE = Path(__file__).parent / "machines" / "reference_linac.yaml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BeamQuality(_Strict):
    """One photon beam the machine can produce."""

    energy_mv: Annotated[int, Field(ge=4, le=25, description="nominal accelerating potential, MV")]
    fluence_mode: Annotated[FluenceMode, Field(description="flattened, or fff: without flattening filter")]
    max_dose_rate: Annotated[int, Field(gt=0, le=3000, description="MU/min")]
    bend_current: Annotated[int, Field(gt=0, description="bending magnet set value, 0.01 A")]
    on_latency_us: Annotated[int, Field(ge=0, le=500_000, description="permit given to first pulse")]
    off_latency_us: Annotated[int, Field(ge=0, le=500_000, description="permit withdrawn to last pulse")]


class AxisLimits(_Strict):
    """Range and speed of one mechanical axis (0.01 degree or 0.01 mm; per second)."""

    minimum: Annotated[int, Field(description="lowest position, 0.01 degree or 0.01 mm")]
    maximum: Annotated[int, Field(description="highest position, 0.01 degree or 0.01 mm")]
    max_speed: Annotated[int, Field(gt=0, description="0.01 degree or 0.01 mm a second")]


class MlcLimits(_Strict):
    """Multileaf collimator; lengths projected to the isocentre plane."""

    name: Annotated[str, Field(description="what the collimator is called")]
    leaf_pairs: Annotated[list[int], Field(min_length=1, description="accepted numbers of leaf pairs")]
    max_speed: Annotated[int, Field(gt=0, description="0.01 mm/s")]
    reach: Annotated[int, Field(gt=0, description="largest distance of a leaf tip from the axis, 0.01 mm")]


class Noise(_Strict):
    """Seeded sensor noise, drawn once a period, never once a tick."""

    period_us: Annotated[int, Field(ge=10_000, description="time between two draws, us")]
    dose_channel_ppm: Annotated[int, Field(ge=0, le=20_000, description="one sigma of chamber gain, 1e-6")]


class Machine(_Strict):
    """A linac as the plant models it."""

    name: Annotated[str, Field(description="what records call the machine")]
    beams: Annotated[list[BeamQuality], Field(min_length=1, description="photon beams it can produce")]
    pulse_rate_hz: Annotated[int, Field(gt=0, le=1000, description="beam pulses a second, Hz")]
    axes: Annotated[dict[AxisName, AxisLimits], Field(description="range and speed of every axis")]
    mlc: Annotated[MlcLimits, Field(description="multileaf collimator")]
    min_dose_rate: Annotated[int, Field(gt=0, description="MU/min, slowest servo-controlled rate")]
    max_beam_meterset: Annotated[int, Field(gt=0, description="mMU a single beam may be preset to")]
    noise: Annotated[Noise, Field(description="seeded sensor noise")]

    def beam_quality(self, energy_mv: int, fluence_mode: FluenceMode) -> BeamQuality | None:
        """The matching beam, or None when this machine does not have it."""
        for beam in self.beams:
            if beam.energy_mv == energy_mv and beam.fluence_mode == fluence_mode:
                return beam
        return None
