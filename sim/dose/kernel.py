"""The pencil kernel of one beam: dose in water from a narrow beam, and its closed forms.

Around a pencil the dose at depth d and distance r is (A exp(-a r) + B exp(-b r)) / r: a narrow part
for what the primary photons set in motion, a wide one for scattered photons (Nyholm et al. 2006).
A, B, a and b depend on the depth and, through TPR20,10, on the beam. One form so gives depth dose,
phantom scatter, penumbra and the tail outside the field.

Depths and distances in cm. The kernel is for water; below 0.5 cm of depth it is not to be relied on.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.dose.beam_data import BEAMS, GY_PER_MU, NYHOLM, BeamData
from sim.machine import FluenceMode

Array = NDArray[np.float64]

SOURCE_AXIS_CM = 100.0
DEEPEST_CM = 40.0  # beyond this the polynomials turn back up; nobody is thicker along a useful ray
_SQUARE = 0.561  # radius of the disc that scatters like a square, in sides (Day and Aird 1983)


class NoBeamData(ValueError):
    """The dose model does not have this beam."""


class Parameters(NamedTuple):
    """The kernel at some depths: weights of both parts (already divided by a and b), and a and b (1/cm)."""

    narrow: Array  # A/a
    wide: Array  # B/b
    a: Array
    b: Array


class Kernel:
    """The kernel of one beam, calibrated: dose is in Gy per MU where fluence is 1."""

    def __init__(self, data: BeamData) -> None:
        self.data = data
        self._p = {
            name: sum(c * data.input_tpr**power for power, c in enumerate(coefficients))
            for name, coefficients in NYHOLM.items()
        }
        depths = np.arange(0.5, 5.0, 0.05)
        curve = self.depth_dose(depths, 10.0, 100.0)
        self.depth_of_maximum = float(depths[int(np.argmax(curve))])
        self.gy_per_mu = GY_PER_MU / float(np.max(curve))
        """Factor from the kernel's own unit to Gy per MU at unit fluence."""
        self._profile_r, self._profile_f = np.array(data.profile).T
        self._head = self._head_scatter()

    def parameters(self, depth: Array) -> Parameters:
        """The kernel at these depths."""
        p, d = self._p, np.minimum(np.asarray(depth, dtype=np.float64), DEEPEST_CM)
        square = d * d
        narrow = p["A1"] * -np.expm1(p["A2"] * np.sqrt(square + p["A5"] ** 2))
        narrow *= np.exp(p["A3"] * d + p["A4"] * square)
        wide = p["B1"] * -np.expm1(p["B2"] * np.sqrt(square + p["B5"] ** 2))
        wide *= np.exp(p["B3"] * d + p["B4"] * square)
        b = p["b1"] * -np.expm1(p["b2"] * np.sqrt(square + p["b5"] ** 2))
        b *= np.exp(p["b3"] * d + p["b4"] * square)
        return Parameters(narrow, wide, p["a2"] + p["a1"] * d, b)

    def on_axis(self, depth: Array, side: float) -> Array:
        """Dose on the axis of a square field of this side at the point, in the kernel's own unit.

        No inverse square law: the field is as large as said at the point, the fluence there is 1.
        """
        k, radius = self.parameters(depth), _SQUARE * side
        narrow = k.narrow * -np.expm1(-k.a * radius)
        result: Array = 2 * math.pi * (narrow + k.wide * -np.expm1(-k.b * radius))
        return result

    def depth_dose(self, depth: Array, side: float, surface: float) -> Array:
        """The same along the axis behind a surface at ``surface`` cm from the source, fluence 1 at 100 cm.

        ``side`` is that of the field at the surface.
        """
        t = surface + depth
        scaled = np.array([self.on_axis(d, side * x / surface) for d, x in zip(depth, t, strict=True)])
        result: Array = scaled * (SOURCE_AXIS_CM / t) ** 2
        return result

    def fluence(self, radius: Array) -> Array:
        """Relative fluence at this distance from the axis at the isocentre plane; 1 on the axis."""
        result: Array = np.interp(radius, self._profile_r, self._profile_f)
        return result

    def head_scatter(self, side: Array) -> Array:
        """Output of the head for an opening of this equivalent square, against 10 cm x 10 cm."""
        result: Array = np.interp(side, *self._head)
        return result

    def _head_scatter(self) -> tuple[Array, Array]:
        """What the published output factors hold beyond the kernel's phantom scatter."""
        if self.data.output is None:
            return np.array([10.0]), np.array([1.0])
        sides, outputs = np.array(self.data.output).T
        depth = np.array([self.depth_of_maximum])
        phantom = np.array([self.on_axis(depth, side)[0] for side in (*sides, 10.0)])
        factors = outputs / (phantom[:-1] / phantom[-1])
        return sides, factors / np.interp(10.0, sides, factors)


@lru_cache(maxsize=16)
def kernel(energy_mv: int, fluence_mode: FluenceMode) -> Kernel:
    """The kernel of a beam. Raises NoBeamData for a beam the model does not have."""
    for data in BEAMS:
        if (data.energy_mv, data.fluence_mode) == (energy_mv, fluence_mode):
            return Kernel(data)
    known = ", ".join(f"{data.energy_mv} MV {data.fluence_mode}" for data in BEAMS)
    raise NoBeamData(f"no beam data for {energy_mv} MV {fluence_mode}; the dose model has {known}")
