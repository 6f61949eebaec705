"""The patient as water: an ellipse in every axial plane, endless along the body.

The depth of a point is the way its ray goes through the ellipse. Lungs and bones are not modelled.
Patient coordinates in cm: x left, y posterior, z superior.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.plan.course import Outline

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An outline in cm."""

    x: float
    y: float
    half_width: float
    half_depth: float

    @classmethod
    def of(cls, outline: Outline) -> Ellipse:
        """From the integers of a plan."""
        return cls(
            outline.centre[0] / 1000, outline.centre[1] / 1000, outline.width / 2000, outline.depth / 2000
        )

    def holds(self, points: Array) -> NDArray[np.bool_]:
        """Which points (points, 3) are within the patient."""
        across = (points[:, 0] - self.x) / self.half_width
        deep = (points[:, 1] - self.y) / self.half_depth
        result: NDArray[np.bool_] = across**2 + deep**2 <= 1
        return result

    def depth(self, source: Array, points: Array) -> Array:
        """Way from the surface to every point on its ray from every source, cm; 0 outside.

        ``source`` is (sources, 3), ``points`` (points, 3); the result (sources, points).
        """
        scale = np.array([1 / self.half_width, 1 / self.half_depth])
        centre = np.array([self.x, self.y])
        p = (points[:, :2] - centre) * scale
        ray = points[None, :, :] - source[:, None, :]
        d = ray[:, :, :2] * scale  # from the point towards the source it is p - t d
        square = np.einsum("spk,spk->sp", d, d)
        along = np.einsum("pk,spk->sp", p, d)
        outside = np.einsum("pk,pk->p", p, p) - 1
        inside = outside[None, :] <= 0
        root = np.sqrt(np.maximum(along * along - square * outside[None, :], 0))
        share = np.where(inside, (along + root) / np.maximum(square, 1e-30), 0)
        length = np.sqrt(np.einsum("spk,spk->sp", ray, ray))
        result: Array = share * length
        return result
