"""Where a point of the patient appears in the beam's eye view at the isocentre plane.

IEC 61217 coordinates: gantry angles grow clockwise seen from the isocentre towards the gantry,
collimator angles counter-clockwise seen from the source, couch angles counter-clockwise seen from
above (DICOM PS3.3 C.8.8.14.8 names the same directions). The patient lies head first supine:
patient x (left), y (posterior), z (superior) are fixed x, minus z, and y.
"""

from __future__ import annotations

import math

from sim.plan.course import Point

SOURCE_AXIS_DISTANCE = 100_000  # 0.01 mm: 1 m, as in every plan read so far


def beams_eye_view(offset: Point, gantry: int, collimator: int, couch: int) -> tuple[float, float]:
    """Position (x, y) in 0.01 mm, in the collimator's axes, of a point ``offset`` from the isocentre.

    ``offset`` is in patient coordinates (0.01 mm), angles are 0.01 degree. The position is
    projected from the source onto the plane through the isocentre. Raises ValueError for a point
    that is not between the source and the floor side of the source plane.
    """
    x, y, z = float(offset[0]), float(offset[2]), -float(offset[1])
    x, y = _rotate(x, y, couch)  # the couch carries the patient
    x, height = _rotate(x, z, gantry)  # into the gantry's axes: height points to the source
    x, y = _rotate(x, y, -collimator)  # into the collimator's axes
    if height >= SOURCE_AXIS_DISTANCE:
        raise ValueError(f"a point {height / 100:.0f} mm above the isocentre is behind the source")
    scale = SOURCE_AXIS_DISTANCE / (SOURCE_AXIS_DISTANCE - height)
    return x * scale, y * scale


def _rotate(a: float, b: float, angle: int) -> tuple[float, float]:
    """Rotate (a, b) by ``angle`` (0.01 degree) from a towards b."""
    turn = math.radians(angle / 100)
    cos, sin = math.cos(turn), math.sin(turn)
    return a * cos - b * sin, a * sin + b * cos
