"""What a scenario may say about the patient's motion and how it is managed.

Lengths are along the dominant axis of breathing (superior-inferior, the couch's longitudinal axis),
positive towards inhalation, and counted from the end-exhale position of the reference breath.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from firmware_model.quantity import Duration, Length

Percentage = Annotated[int, Field(ge=0, le=100)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


# ---- breathing --------------------------------------------------------------------------------------


class Surrogate(_Strict):
    """The external marker: how it differs from the target it stands for."""

    lag: Annotated[Duration, Field(le=1_000_000, description="the marker follows this much later")] = 0
    gain: Annotated[int, Field(ge=20, le=500, description="percent of the target's movement")] = 100
    noise: Annotated[Length, Field(ge=0, le=500, description="one sigma of the error drawn each breath")] = 0


class _Breathing(_Strict):
    surrogate: Annotated[Surrogate, Field(description="how the marker follows the target")] = Surrogate()


class RegularBreathing(_Breathing):
    """Every breath is the same: amplitude times cos^2n after Lujan et al. 1999 (Med Phys 26, 715)."""

    kind: Literal["regular"]
    period: Annotated[Duration, Field(ge=1_000_000, le=20_000_000, description="one breath")]
    amplitude: Annotated[Length, Field(gt=0, le=5_000, description="end exhale to end inhale")]
    exponent: Annotated[int, Field(ge=1, le=6, description="n; larger: longer pause at exhale")] = 3


class IrregularBreathing(RegularBreathing):
    """Breaths that vary, drawn from the seed and bounded at two sigma (spreads: engineering defaults)."""

    kind: Literal["irregular"]  # type: ignore[assignment]
    period_spread: Annotated[Percentage, Field(le=40, description="one sigma, percent")] = 10
    amplitude_spread: Annotated[Percentage, Field(le=45, description="one sigma, percent")] = 15
    baseline_spread: Annotated[Length, Field(ge=0, le=1_000, description="one sigma of end exhale")] = 50


class RecordedBreathing(_Breathing):
    """Breaths as they were measured, repeated from the start when the record is over."""

    kind: Literal["recorded"]
    file: Annotated[str, Field(description="CSV file time_s,position_mm, relative to the scenario")]


Breathing = Annotated[RegularBreathing | IrregularBreathing | RecordedBreathing, Field(discriminator="kind")]


# ---- gating ------------------------------------------------------------------------------------------


class Latency(_Strict):
    """From a true position of the marker to the gate line.

    The sum stands for published end-to-end hold latencies of surface-guided systems, 131 to 149 ms
    (Naylor 2025); how it divides into parts is an engineering default.
    """

    sensor: Annotated[Duration, Field(le=1_000_000, description="exposure and read-out")] = 60_000
    processing: Annotated[Duration, Field(le=1_000_000, description="finding the marker")] = 50_000
    relay: Annotated[Duration, Field(le=1_000_000, description="the decision on its way to the linac")] = (
        20_000
    )

    @property
    def total_us(self) -> int:
        return self.sensor + self.processing + self.relay


class _Gating(_Strict):
    latency: Annotated[Latency, Field(description="sensor, processing and relay")] = Latency()
    credible: Annotated[
        Length, Field(gt=0, le=5_000, description="marker this far beyond any planned position: not believed")
    ] = 1_000


class AmplitudeGating(_Gating):
    """Open while the marker is between two positions."""

    mode: Literal["amplitude"]
    around: Annotated[Literal["exhale", "inhale"] | None, Field(description="middle of the window")] = None
    within: Annotated[Length | None, Field(gt=0, le=5_000, description="half the window, with 'around'")] = (
        None
    )
    low: Annotated[Length | None, Field(description="fixed lower limit, with 'high'")] = None
    high: Annotated[Length | None, Field(description="fixed upper limit, with 'low'")] = None

    @model_validator(mode="after")
    def _one_window(self) -> AmplitudeGating:
        around, fixed = (self.around, self.within), (self.low, self.high)
        if not (None not in around and fixed == (None, None)) and not (
            None not in fixed and around == (None, None)
        ):
            raise ValueError("give the window as 'around' and 'within', or as 'low' and 'high'")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low {self.low / 100:g} mm is not below high {self.high / 100:g} mm")
        return self


class PhaseGating(_Gating):
    """Open for a part of every breath, counted from end inhale (0 %) to end inhale (100 %)."""

    mode: Literal["phase"]
    opens: Annotated[int, Field(ge=1, le=99, description="percent of the breath")] = 30
    closes: Annotated[int, Field(ge=1, le=99, description="percent of the breath")] = 70

    @model_validator(mode="after")
    def _in_order(self) -> PhaseGating:
        if self.opens >= self.closes:
            raise ValueError(f"opens at {self.opens} % is not before closes at {self.closes} %")
        return self


class BreathHold(_Gating):
    """The patient is coached to hold the breath at a level; the gate is open while it is held.

    Times, level and spread are engineering defaults; a window of 1 mm is published practice for lung.
    """

    mode: Literal["breath_hold"]
    level: Annotated[Length, Field(gt=0, le=5_000, description="coached level above end exhale")] = 1_500
    within: Annotated[Length, Field(gt=0, le=1_000, description="half the window")] = 100
    level_spread: Annotated[Length, Field(ge=0, le=500, description="one sigma of the level reached")] = 30
    hold: Annotated[Duration, Field(ge=1_000_000, le=60_000_000, description="how long it is held")] = (
        20_000_000
    )
    rest: Annotated[Duration, Field(ge=1_000_000, le=60_000_000, description="breathing between holds")] = (
        12_000_000
    )
    spread: Annotated[Percentage, Field(le=40, description="one sigma of hold and rest, percent")] = 15


Gating = Annotated[AmplitudeGating | PhaseGating | BreathHold, Field(discriminator="mode")]


# ---- the patient as a whole ----------------------------------------------------------------------------


class IntrafractionDrift(_Strict):
    """The patient slides on the couch, slowly and steadily, from the end of set-up on."""

    per_minute: Annotated[Length, Field(gt=0, le=1_000, description="speed, along the direction")]
    spread: Annotated[Percentage, Field(le=45, description="one sigma of the speed, percent")] = 0
    direction: Annotated[
        Literal["drawn", "lateral", "longitudinal", "vertical"],
        Field(description="drawn: any direction, from the seed"),
    ] = "drawn"


class Reimaging(_Strict):
    """When the operator takes another image, and what shift is worth applying."""

    older_than: Annotated[Duration, Field(ge=1_000_000, description="before a beam: age of the image")] = (
        600_000_000
    )
    interrupted_for: Annotated[Duration, Field(ge=1_000_000, description="after such an interruption")] = (
        120_000_000
    )
    # 1 mm: the published couch shift tolerance for stereotactic treatment; beyond it the table blocks.
    shift_above: Annotated[Length, Field(ge=0, le=100, description="smaller shifts are not applied")] = 100
