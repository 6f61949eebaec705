"""How much dose an organ point may get over a course, however it is spread over the days.

The limits are Table III of AAPM TG-101 for 1, 3 and 5 fractions (``organ_limits.yaml``). A course whose
targets have different numbers of fractions gives an organ many unequal doses, so both are compared as
biologically effective dose: that of the doses of every fraction event against that of the limit given in
equal fractions. Of the schedules of a course's targets the tighter limit counts (engineering default).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from firmware_model.strict_yaml import load
from sim.plan.biological_dose import bed
from sim.plan.yaml_model import Name, Text

LIBRARY = Path(__file__).with_name("organ_limits.yaml")
SCHEDULES = (1, 3, 5)  # fractions the limits are given for

Gy = Annotated[float, Field(gt=0, le=200)]


class Tissue(BaseModel):
    """A tissue at risk; ``limits`` are largest point doses in Gy for 1, 3 and 5 fractions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Text
    alpha_beta: Gy
    limits: tuple[Gy, Gy, Gy]

    def limit_bed(self, schedules: Iterable[int]) -> float:
        """Limit for targets with these numbers of fractions, as BED in Gy: the tightest of them.

        For numbers in between that of the next smaller schedule counts, which is the lower one.
        """
        found = []
        for fractions in schedules:
            place = max(i for i, known in enumerate(SCHEDULES) if known <= max(1, fractions))
            dose, known = self.limits[place], SCHEDULES[place]
            found.append(bed([dose / known] * known, self.alpha_beta))
        return min(found)


class _Library(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    tissues: dict[Name, Tissue]


@cache
def tissues() -> dict[str, Tissue]:
    """All tissues with a limit, by the name a plan calls them."""
    return dict(load(LIBRARY, _Library).tissues)
