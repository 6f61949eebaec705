"""How far apart the fractions of one target are given: a rule in hours and calendar days.

No protocol that could be read in full gives these numbers, so the hours and the longest pause are
engineering defaults, stated once below; a regimen or a plan may replace each of them. They are
chosen so that a session can move within a working day without breaking its own rhythm: 40 h lie
between an evening and the morning after next, 18 h between an evening and the next noon.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from firmware_model.diagnostics import RefusedValue
from firmware_model.quantity import Duration, format_duration

Rhythm = Literal["daily", "every_second_day"]

HOUR = 3_600_000_000  # us
DAY = 24 * HOUR
_MIN_DAYS: dict[Rhythm, int] = {"daily": 1, "every_second_day": 2}


@dataclass(frozen=True, slots=True)
class Spacing:
    """When the next fraction of a target may be given, counted from the start of the one before."""

    rhythm: Rhythm
    min_interval: int  # us, start to start
    max_days: int  # calendar days

    def __post_init__(self) -> None:
        if self.shortest_days > self.max_days:
            raise ValueError(
                f"the next fraction is due at most {self.max_days} days after the one before, but not before "
                f"{format_duration(self.min_interval)} and {self.min_days} days have passed; allow at least "
                f"{self.shortest_days} days"
            )

    @property
    def min_days(self) -> int:
        """Calendar days the rhythm asks for: 1 daily, 2 every second day."""
        return _MIN_DAYS[self.rhythm]

    @property
    def shortest_days(self) -> int:
        """Calendar days between two fractions given at the same hour."""
        return max(self.min_days, -(-self.min_interval // DAY))

    def __str__(self) -> str:
        rhythm = self.rhythm.replace("_", " ")
        return f"{rhythm}, at least {format_duration(self.min_interval)}, at most {self.max_days} days apart"


EVERY_SECOND_DAY = Spacing("every_second_day", 40 * HOUR, 8)
"""Engineering default for SBRT."""
DAILY = Spacing("daily", 18 * HOUR, 4)
"""Engineering default; four days bridge a weekend and one holiday."""
SBRT_FRACTIONS = 8
"""Up to so many fractions a plan is taken for SBRT (engineering default)."""


def default_spacing(fractions: int) -> Spacing:
    """For plans that state no rule: every second day up to 8 fractions, daily above."""
    return EVERY_SECOND_DAY if fractions <= SBRT_FRACTIONS else DAILY


class SpacingEntry(BaseModel):
    """A spacing rule as a file states it; what is left out is the default of the rhythm."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rhythm: Annotated[Rhythm, Field(description="days of treatment")]
    min_interval: Annotated[Duration | None, Field(gt=0, description="start to start")] = None
    max_days: Annotated[int | None, Field(ge=1, le=60, description="calendar days")] = None

    @model_validator(mode="after")
    def _possible(self) -> SpacingEntry:
        try:
            self.spacing()
        except ValueError as error:
            raise RefusedValue(str(error)) from None
        return self

    def spacing(self) -> Spacing:
        """The rule with all defaults filled in."""
        default = DAILY if self.rhythm == "daily" else EVERY_SECOND_DAY
        return Spacing(
            self.rhythm,
            default.min_interval if self.min_interval is None else self.min_interval,
            default.max_days if self.max_days is None else self.max_days,
        )
