"""The dose model beside what others found: rows for the table of docs/dose.md and for the tests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from sim.dose.kernel import Kernel, kernel
from sim.machine import FluenceMode
from tests.dose.phantoms import Array, crossfire, dose_at

GOLDEN: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "golden.yaml").read_text(encoding="utf-8"))

_BEAMS: dict[str, tuple[int, FluenceMode]] = {
    "6 MV": (6, "flattened"), "10 MV": (10, "flattened"), "6 MV FFF": (6, "fff"), "10 MV FFF": (10, "fff"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison; ``limit`` in the unit of the values, or in percent of ``theirs`` if relative."""

    what: str
    ours: float
    theirs: float
    limit: float
    relative: bool
    source: str

    @property
    def off(self) -> float:
        """Difference in the unit of the limit."""
        difference = self.ours - self.theirs
        return 100 * difference / self.theirs if self.relative else difference

    def line(self) -> str:
        """The row of the table."""
        unit = " %" if self.relative else ""
        values = f"{self.ours:.3g} | {self.theirs:.3g} | {self.off:+.2g}{unit} | {self.limit:g}{unit}"
        return f"| {self.what} | {values} | {self.source} |"


def all_rows() -> list[Row]:
    """Every comparison, in the order of the page."""
    return [*depth_rows(), *tmr_rows(), *output_rows(), *cross_rows()]


def beam(name: str) -> Kernel:
    """The kernel of a beam by the name it has in the golden file."""
    return kernel(*_BEAMS[name])


def depth_rows() -> list[Row]:
    """PDD10 and TPR20,10 of the four beams."""
    rows = []
    for name, golden in GOLDEN["beams"].items():
        found = beam(name)
        deepest = np.array([found.depth_of_maximum, 10.0])
        curve = found.depth_dose(deepest, 10.0, 100.0)
        tpr = found.on_axis(np.array([20.0]), 10.0) / found.on_axis(np.array([10.0]), 10.0)
        pdd = 100 * float(curve[1] / curve[0])
        rows.append(Row(f"PDD10, {name}, %", pdd, golden["pdd10"], 1.0, False, golden["pdd10_source"]))
        rows.append(
            Row(f"TPR20,10, {name}", float(tpr[0]), golden["tpr"], 0.006, False, golden["tpr_source"])
        )
    return rows


def tmr_rows() -> list[Row]:
    """Tissue maximum ratios in percentage points."""
    rows = []
    for name in ("6 MV", "10 MV"):
        for side, curve in GOLDEN["tmr"][name].items():
            most = float(np.max(beam(name).on_axis(np.arange(0.5, 6, 0.05), side)))
            for depth, theirs in curve.items():
                ours = float(beam(name).on_axis(np.array([float(depth)]), side)[0]) / most
                what = f"TMR, {name}, {side} cm, depth {depth} cm, %"
                rows.append(Row(what, 100 * ours, 100 * theirs, 2.0, False, GOLDEN["tmr"]["source"]))
    return rows


def output_rows() -> list[Row]:
    """MU for one Gy, with output factors and inverse square law."""
    rows = []
    for name in ("6 MV", "10 MV"):
        found = beam(name)
        for depth, sides in GOLDEN["mu_per_gy"][name].items():
            for side, theirs in sides.items():
                per_mu = found.on_axis(np.array([float(depth)]), side)[0] * found.gy_per_mu
                ours = 1 / float(per_mu * found.head_scatter(np.array(float(side))))
                what = f"MU per Gy, {name}, {side} cm, depth {depth} cm"
                rows.append(Row(what, ours, theirs, 3.0, True, GOLDEN["mu_per_gy"]["source"]))
    return rows


def cross_rows() -> list[Row]:
    """Dose beside the target, in percent of the dose in it."""
    source = GOLDEN["cross_dose"]["source"]
    in_plane, axial = cross_dose(6, "flattened")
    rows = []
    for r, theirs in GOLDEN["cross_dose"]["in_plane"].items():
        rows.append(
            Row(
                f"dose at {r} cm in the plane of the beams, %",
                100 * in_plane[r],
                100 * theirs,
                5.0,
                True,
                source,
            )
        )
    for z, theirs in GOLDEN["cross_dose"]["axial"].items():
        limit = 1.5 if z == 2 else 1.0  # 2 cm along the body is in the penumbra
        rows.append(
            Row(f"dose at {z} cm along the body, %", 100 * axial[z], 100 * theirs, limit, False, source)
        )
    return rows


@lru_cache(maxsize=4)
def cross_dose(energy: int, mode: FluenceMode) -> tuple[dict[int, float], dict[int, float]]:
    """Dose over target dose by distance, in the plane and along the body, averaged as the golden one."""
    course = crossfire(energy, mode)
    step = np.arange(-1, 2) * 0.5
    target = float(dose_at(course, _grid(step, step, step)).mean())
    flat = np.arange(-26, 27) * 0.5
    plane = _grid(flat, flat, step)
    radius = np.hypot(plane[:, 0], plane[:, 1])
    in_plane = {
        r: float(dose_at(course, plane[np.abs(radius - r) <= 0.3]).mean()) / target
        for r in GOLDEN["cross_dose"]["in_plane"]
    }
    narrow = np.arange(-2, 3) * 0.5
    axial = {}
    for z in GOLDEN["cross_dose"]["axial"]:
        column = _grid(narrow, narrow, np.array([-float(z), float(z)]))
        column = column[np.hypot(column[:, 0], column[:, 1]) <= 1.2]
        axial[z] = float(dose_at(course, column).mean()) / target
    return in_plane, axial


def _grid(x: Array, y: Array, z: Array) -> Array:
    return np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1).reshape(-1, 3)


if __name__ == "__main__":  # the table of docs/dose.md
    print("\n".join(row.line() for row in all_rows()))
