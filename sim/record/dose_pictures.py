"""What the report's pictures of the dose show: slices through the targets, and dose over the session.

The result is plain JSON-able data with the words that say the same; the drawing is done in the browser.
Lengths are mm, whole where nothing is lost; doses on the grids whole 0.01 Gy. Outside the patient the
grid repeats the nearest value within, so that lines end at the skin; the drawing covers it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.dose.delivered import delivered
from sim.dose.fields import UnknownLeaves
from sim.dose.kernel import NoBeamData
from sim.dose.outline import Ellipse
from sim.dose.progress import progress
from sim.dose.session import per_fraction, planned_stretches
from sim.dose.slices import Slice, slices
from sim.plan.course import Course, Target
from sim.record.trace import Trace

Array = NDArray[np.float64]
Row = dict[str, Any]

#: Isodose lines, % of the prescription of a fraction, and those of the difference (engineering default).
LEVELS = (110, 95, 80, 50, 30, 10)
OFF_LEVELS = (-50, -20, -5, 5, 20, 50)
_LEAST_SPAN = 0.05  # of the prescription: a smaller difference is not magnified into a picture
_BESIDE_MM = 10.0  # an organ point so far from a plane is still marked in it
_AROUND_MM = 40.0  # shown around the rims of a view's targets, close up
_FINE_CM, _LESS_FINE_CM = 0.2, 0.3  # grid of one pair of planes, and of several
_SIDES = {"x": ("R", "L"), "y": ("A", "P"), "z": ("I", "S")}


def dose_pictures(
    course: Course,
    targets: Sequence[Target],
    trace: Trace,
    earlier: Mapping[tuple[str, int], int] | None = None,
) -> Row | None:
    """Pictures of a finished run that was to deliver one fraction of ``targets``.

    What ``earlier`` sessions delivered (mMU by target and beam) was not planned for this one. None when
    the model cannot compute the dose of this plan.
    """
    views = _views(targets)
    axial = list(dict.fromkeys(view["z"] for view in views))
    coronal = list(dict.fromkeys(view["y"] for view in views))
    try:
        found = slices(
            course,
            planned_stretches(targets, earlier),
            delivered(course, trace),
            axial=axial,
            coronal=coronal,
            spacing_cm=_FINE_CM if len(axial) == len(coronal) == 1 else _LESS_FINE_CM,
        )
        lines = progress(course, trace)
    except (NoBeamData, UnknownLeaves):
        return None
    top = max(float(part.max()) for cut in found for part in (cut.planned, cut.delivered))
    shown = []
    for view in views:
        cuts = [axial.index(view.pop("z")), len(axial) + coronal.index(view.pop("y"))]
        pair = [found[index] for index in cuts]
        reference, of = view["reference"], view.pop("of")
        if reference is None:
            reference, of = max(float(cut.planned.max()) for cut in pair), "the largest planned dose shown"
        if reference <= 0:  # nothing planned, nothing to compare with
            reference, of = 1.0, "1 Gy"
        reached = max(float(part.max()) for cut in pair for part in (cut.planned, cut.delivered))
        near = _close_up([t for t in targets if t.id in view["ids"]])
        view |= {
            "planes": cuts,
            "reference": round(reference, 4),
            "of": of,
            "levels": [p for p in LEVELS if p / 100 * reference < reached],
            "near": near,
            "words": [_words(cut, view["name"], near) for cut in pair],
        }
        shown.append(view)
    least = _LEAST_SPAN * max(view["reference"] for view in shown)
    return {
        "planes": [_plane(cut, course) for cut in found],
        "views": shown,
        "top": round(max(top, least), 2),
        "span": round(max([least, *(float(np.abs(cut.difference).max()) for cut in found)]), 2),
        "off_levels": list(OFF_LEVELS),
        "progress": {
            "t": lines.t_us,
            "mu": [round(mu, 2) for mu in lines.mu],
            "targets": [
                {
                    "name": name,
                    "own": [round(gy, 3) for gy in lines.own[name]],
                    "cross": [round(gy, 3) for gy in lines.cross[name]],
                }
                for name in lines.own
            ],
        },
    }


def _views(targets: Sequence[Target]) -> list[Row]:
    """Targets that share both planes and the prescription are looked at together."""
    found: dict[tuple[int, int, float | None], list[str]] = {}
    for target in targets:
        _, y, z = target.centre
        found.setdefault((z, y, per_fraction(target)), []).append(target.id)
    return [
        {
            "name": " and ".join(names),
            "ids": names,
            "y": y,
            "z": z,
            "reference": reference,
            "of": f"the prescription of a fraction of {' and '.join(names)}",
        }
        for (z, y, reference), names in found.items()
    ]


def _close_up(targets: Sequence[Target]) -> list[list[float]]:
    """From where to where along x, y and z targets and their surroundings reach, mm."""
    return [
        [
            min(t.centre[axis] - t.diameter / 2 for t in targets) / 100 - _AROUND_MM,
            max(t.centre[axis] + t.diameter / 2 for t in targets) / 100 + _AROUND_MM,
        ]
        for axis in range(3)
    ]


def _plane(cut: Slice, course: Course) -> Row:
    """One plane: its grid, and what of patient, targets and organ points is in it."""
    axial = cut.plane == "axial"
    body = Ellipse.of(course.body)
    x, down = np.meshgrid(cut.across, cut.down)
    inside = body.holds(np.stack([x.ravel(), (down if axial else np.full_like(x, cut.at)).ravel()], axis=-1))
    planned, off = (_to_the_edge(part, inside.reshape(x.shape)) for part in (cut.planned, cut.difference))
    at_mm, axis, other = cut.at * 10, (2 if axial else 1), (1 if axial else 2)
    circles, points = [], []
    for target in course.targets:
        far, radius = target.centre[axis] / 100 - at_mm, target.diameter / 200
        if abs(far) <= max(radius, 0.005):
            circles.append(
                {
                    "name": target.id,
                    "x": target.centre[0] / 100,
                    "down": target.centre[other] / 100,
                    "radius": round(math.sqrt(max(radius**2 - far**2, 0.0)), 2),
                }
            )
    for organ in course.organs:
        far = organ.at[axis] / 100 - at_mm
        if abs(far) <= _BESIDE_MM:
            side = f" ({_side('z' if axial else 'y', far)})" if abs(far) >= 0.5 else ""
            points.append({"name": organ.id + side, "x": organ.at[0] / 100, "down": organ.at[other] / 100})
    return {
        "plane": cut.plane,
        "at": round(at_mm, 2),
        "across": [round(float(v) * 10, 2) for v in cut.across],
        "down": [round(float(v) * 10, 2) for v in cut.down],
        "planned": _hundredths(planned),
        "off": _hundredths(off),
        "skin": _skin(body, cut),
        "targets": circles,
        "organs": points,
    }


def _skin(body: Ellipse, cut: Slice) -> Row:
    """The outline in a plane, mm: an ellipse, or in a coronal plane the half width of a strip."""
    if cut.plane == "axial":
        sizes = {"half_width": body.half_width, "half_depth": body.half_depth, "x": body.x, "down": body.y}
    else:
        share = 1 - ((cut.at - body.y) / body.half_depth) ** 2
        sizes = {"half_width": body.half_width * math.sqrt(max(share, 0.0)), "x": body.x}
    return {name: round(value * 10, 2) for name, value in sizes.items()}


def _to_the_edge(values: Array, inside: NDArray[np.bool_]) -> Array:
    """The nearest value within the patient, along the row, or else of the nearest row."""
    found, rows = values.copy(), np.flatnonzero(inside.any(axis=1))
    for row in rows:
        columns = np.flatnonzero(inside[row])
        found[row, : columns[0]] = values[row, columns[0]]
        found[row, columns[-1] :] = values[row, columns[-1]]
    if len(rows):
        found[: rows[0]], found[rows[-1] + 1 :] = found[rows[0]], found[rows[-1]]
    return found


def _hundredths(values: Array) -> list[list[int]]:
    result: list[list[int]] = np.rint(values * 100).astype(int).tolist()
    return result


def _words(cut: Slice, name: str, near: list[list[float]]) -> str:
    """What a figure of three panels shows, for those who do not see it.

    Largest doses are those close up, where they belong to the targets; the difference is told of all.
    """
    planned, given = _most(cut, cut.planned, near), _most(cut, cut.delivered, near)
    text = (
        f"{cut.plane.capitalize()} plane through {name}, {_place(cut)}. Close up planned: at most {planned}. "
        f"Delivered: at most {given}. "
    )
    off = cut.difference
    if float(np.abs(off).max()) < 0.005:
        return text + "Delivered as planned everywhere in this plane, to 0.01 Gy."
    less = _most(cut, -off, sign="\u2212") if off.min() < -0.005 else ""
    more = _most(cut, off, sign="+") if off.max() > 0.005 else ""
    return text + "Delivered less planned: " + " to ".join(part for part in (less, more) if part) + "."


def _place(cut: Slice) -> str:
    """Where a plane lies, of the origin of the patient coordinates."""
    name = "z" if cut.plane == "axial" else "y"
    return f"{_side(name, cut.at * 10)} of the origin of the plan" if abs(cut.at) >= 0.05 else (
        "through the origin of the plan"
    )  # fmt: skip


def _most(cut: Slice, values: Array, near: list[list[float]] | None = None, sign: str = "") -> str:
    """The largest value, of the plane or close up, and where it is."""
    if near is not None:
        columns, rows = (
            (lines * 10 >= low) & (lines * 10 <= high)
            for lines, (low, high) in (
                (cut.across, near[0]),
                (cut.down, near[1 if cut.plane == "axial" else 2]),
            )
        )
        values = np.where(rows[:, None] & columns[None, :], values, -np.inf)
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    x, down = float(cut.across[column]) * 10, float(cut.down[row]) * 10
    where = f"{_side('x', x)}, {_side('y' if cut.plane == 'axial' else 'z', down)}"
    return f"{sign}{float(values[row, column]):.2f} Gy at {where}"


def _side(axis: str, mm: float) -> str:
    """A coordinate as the field says it: ``L 25 mm``."""
    text = f"{abs(mm):.1f}".removesuffix(".0")
    return f"{_SIDES[axis][mm > 0]} {text} mm" if text != "0" else f"{_SIDES[axis][0]}/{_SIDES[axis][1]} 0"
