"""How much room an expectation left: its margin in proportion to its limit.

Only proportions can be compared between a response time in ms and a meterset in MU. What the
proportion is of depends on what kind of limit it is, which the three numbers of an expectation tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sim.record.figures import is_number

Kind = Literal["most", "least", "around"]


@dataclass(frozen=True, slots=True)
class Margin:
    """``share`` is the margin as a part of ``of``: 1 all room left, 0 none, negative beyond the limit."""

    kind: Kind  # the limit is an upper one, a lower one, or the middle of a tolerance
    measured: float
    limit: float
    margin: float
    of: float  # the limit, or for a tolerance its half width; above 0

    @property
    def share(self) -> float:
        return self.margin / self.of


def margin_of(entry: dict[str, Any]) -> Margin | None:
    """The margin of one entry of ``expectations`` in run.json.

    None where there is none to compare: a word, a count without margin, nothing measured, a limit of zero.
    """
    measured, limit, margin = entry.get("measured"), entry.get("limit"), entry.get("margin")
    if measured is None or limit is None or margin is None:
        return None
    if not (is_number(measured) and is_number(limit) and is_number(margin)):
        return None
    rounding = 1e-6 * max(abs(measured), abs(limit)) + 2e-3  # run.json has three decimals
    if abs(margin - (limit - measured)) <= rounding:
        kind: Kind = "most"
    elif abs(margin - (measured - limit)) <= rounding:
        kind = "least"
    else:
        width = margin + abs(measured - limit)
        return Margin("around", measured, limit, margin, width) if width > 0 else None
    return Margin(kind, measured, limit, margin, limit) if limit > 0 else None
