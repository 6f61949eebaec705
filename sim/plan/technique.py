"""Which delivery technique a list of control points is, judged by what moves while dose is given.

DICOM calls arcs and intensity-modulated fields alike DYNAMIC, so the type attribute is no help.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from sim.plan.course import ControlPoint, Technique


def classify(points: Sequence[ControlPoint]) -> Technique:
    """arc: the gantry turns. dynamic_mlc: anything else moves while meterset is delivered.

    step_and_shoot: motion happens only in segments without meterset. static: nothing moves.
    """
    moves_with_beam = moves_without_beam = False
    for start, end in itertools.pairwise(points):
        if start.gantry != end.gantry:
            return "arc"
        if _position(start) != _position(end):
            if end.meterset > start.meterset:
                moves_with_beam = True
            else:
                moves_without_beam = True
    if moves_with_beam:
        return "dynamic_mlc"
    return "step_and_shoot" if moves_without_beam else "static"


def _position(point: ControlPoint) -> tuple[object, ...]:
    return (point.collimator, point.couch_rotation, point.jaws, point.leaves)
