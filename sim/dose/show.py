"""What ``interlock plan dose FILE`` prints: planned dose by target, own and cross, as text or as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.dose.cross import Metersets, Unscalable, factors
from sim.dose.influence import influence
from sim.dose.session import per_fraction
from sim.plan.course import Course

if TYPE_CHECKING:
    from rich.console import RenderableType

_WAYS: tuple[Metersets, ...] = ("independent", "joint")


def as_dict(course: Course) -> dict[str, Any]:
    """The plan's dose as JSON-able data, Gy; ``from`` has one fraction of each target.

    Raises NoBeamData or UnknownLeaves when it cannot be computed.
    """
    known = influence(course)
    given = {target.id: known.dose(known.planned(target.id))[target.id] for target in course.targets}
    fractions = {target.id: target.fractions for target in course.targets}
    prescribed = {target.id: target for target in course.targets}
    points = []
    for index, point in enumerate(known.points):
        by = {name: float(gy[index]) for name, gy in given.items()}
        target = prescribed.get(point.owner) if point.kind == "centre" else None
        entry: dict[str, Any] = {"of": point.owner, "kind": point.kind, "side": point.side}
        entry["from"] = {name: round(gy, 4) for name, gy in by.items()}
        entry["total_gy"] = round(sum(by.values()), 4)
        entry["course_gy"] = round(sum(gy * fractions[name] for name, gy in by.items()), 4)
        if target is not None:
            gy = per_fraction(target)
            entry["prescribed_gy"] = gy if gy is None else round(gy, 4)
            entry["prescribed_course_gy"] = target.prescription_gy
        points.append(entry)
    body = course.body
    outline = {"width_mm": body.width / 100, "depth_mm": body.depth / 100}
    outline |= {"x_mm": body.centre[0] / 100, "y_mm": body.centre[1] / 100}
    return {"id": course.id, "outline": outline, "points": points, "scale": _scales(course)}


def _scales(course: Course) -> dict[str, Any]:
    """Factors on the metersets by way of planning, or why there are none."""
    result: dict[str, Any] = {}
    for way in _WAYS:
        try:
            result[way] = {name: round(factor, 4) for name, factor in factors(course, way).items()}
        except Unscalable as problem:
            result[way] = str(problem)
    return result


def render(course: Course) -> RenderableType:
    """Tables to be printed with a rich console; raises as :func:`as_dict`."""
    from rich.console import Group
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    data = as_dict(course)
    ids = [target.id for target in course.targets]
    table = Table(title="Planned dose of one fraction of each target, Gy", title_justify="left")
    table.add_column("at")
    for name in (*(f"from {escape(name)}" for name in ids), "total", "prescribed"):
        table.add_column(name, justify="right")
    for entry in data["points"]:
        if entry["kind"] == "rim":
            continue
        cells = [f"{gy:.3f}" for gy in entry["from"].values()]
        wanted = entry.get("prescribed_gy")
        table.add_row(
            escape(entry["of"]), *cells, f"{entry['total_gy']:.3f}", "" if wanted is None else f"{wanted:.3f}"
        )
    lines = [_course_line(entry) for entry in data["points"] if entry["kind"] == "centre"]
    lines += [_rim_line(data["points"], name) for name in ids if _rim(data["points"], name)]
    lines += [_scale_line(way, data["scale"][way]) for way in _WAYS]
    outline = data["outline"]
    assumed = "" if course.outline is not None else ", assumed"
    where = f"centred on ({outline['x_mm']:g}, {outline['y_mm']:g}) mm"
    head = Text()
    head.append(course.title, style="bold")
    head.append(f"\nwater, {outline['width_mm']:g} mm x {outline['depth_mm']:g} mm {where}{assumed}")
    return Group(head, table, *map(Text, lines))


def _course_line(entry: dict[str, Any]) -> str:
    wanted = entry["prescribed_course_gy"]
    line = f"{entry['of']}: {entry['course_gy']:.2f} Gy over the course"
    if wanted is None:
        return line + ", no prescription"
    share = 100 * (entry["course_gy"] / wanted - 1)
    return f"{line}, {share:+.1f} % of the {wanted:g} Gy prescribed"


def _rim(points: list[dict[str, Any]], name: str) -> list[float]:
    return [entry["total_gy"] for entry in points if entry["of"] == name and entry["kind"] == "rim"]


def _rim_line(points: list[dict[str, Any]], name: str) -> str:
    rim = _rim(points, name)
    return f"{name}: {min(rim):.3f} to {max(rim):.3f} Gy a fraction on its rim"


def _scale_line(way: Metersets, scale: dict[str, float] | str) -> str:
    if isinstance(scale, str):
        return f"metersets {way}: {scale}"
    return f"metersets {way}: " + ", ".join(f"{name} x {factor:.4f}" for name, factor in scale.items())
