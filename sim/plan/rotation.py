"""Unwrapping rotations: from angles in 0 to 360 degrees plus a direction to one continuous axis.

DICOM PS3.3 C.8.8.14.8: a rotation is clockwise (CW), counter-clockwise (CC) or NONE; equal angles
with a direction are a full turn. The direction given at a control point belongs to the segment
that follows it. Angles here are 0.01 degree.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sim.plan.findings import Findings, Refused

Sense = Literal["CW", "CC"]
TURN = 36_000
JITTER = 100  # 1 degree: a step back this small inside a longer rotation is noise, not a turn


@dataclass(frozen=True, slots=True)
class AngleAt:
    """One control point of one rotation axis: angle (0.01 degree), direction of the next segment."""

    angle: int
    direction: str  # CW, CC, NONE or "" when the plan does not say
    stated: bool  # the angle is written at this control point, not inherited


def unwrap(
    points: Sequence[AngleAt], increasing: Sense, axis: str, where: str, findings: Findings
) -> list[int]:
    """Continuous angles (0.01 degree) of one axis along one beam, the first in 0 to 359.99 degrees.

    ``increasing`` is the direction in which the IEC 61217 angle grows: CW for the gantry (seen
    from the isocentre), CC for collimator (seen from the source) and couch (seen from above).

    Raises Refused when the direction of a half turn is not stated.
    """
    if not points:
        return []
    turning = sum(1 for a, b in itertools.pairwise(points) if (a.angle - b.angle) % TURN)
    result = [points[0].angle % TURN]
    for index, (start, end) in enumerate(itertools.pairwise(points)):
        place = f"{where}, control point {index}"
        forward = (end.angle - start.angle) % TURN
        result.append(result[-1] + _step(start, end, forward, increasing, turning, axis, place, findings))
    return result


def _step(
    start: AngleAt,
    end: AngleAt,
    forward: int,
    increasing: Sense,
    turning: int,
    axis: str,
    where: str,
    findings: Findings,
) -> int:
    if start.direction not in ("CW", "CC"):
        return _undirected(forward, axis, where, findings)
    sign = 1 if start.direction == increasing else -1
    if forward == 0:
        if not end.stated:
            return 0
        if turning:
            findings.warning(
                "rotation-without-motion",
                where,
                f"{axis} direction is {start.direction} but the angle does not change; taken "
                "as standing still, because the beam turns elsewhere",
            )
            return 0
        return sign * TURN
    directed = forward if sign > 0 else TURN - forward
    if directed >= TURN - JITTER and turning > 1:
        findings.warning(
            "rotation-against-direction",
            where,
            f"{axis} moves {(TURN - directed) / 100:.2f} degree against its direction "
            f"{start.direction}; taken as that small step and not as nearly a full turn",
        )
        return sign * (directed - TURN)
    return sign * directed


def _undirected(forward: int, axis: str, where: str, findings: Findings) -> int:
    if forward == 0:
        return 0
    if forward == TURN // 2:
        raise Refused(
            "rotation-ambiguous",
            where,
            f"{axis} turns by 180 degrees and the plan does not say in which direction; export "
            "the plan with a rotation direction (CW or CC)",
        )
    shortest = forward if forward < TURN // 2 else forward - TURN
    findings.warning(
        "rotation-direction-missing",
        where,
        f"{axis} turns by {shortest / 100:.2f} degree without a direction; taken the short way",
    )
    return shortest
