"""What ``interlock plan show FILE`` prints: targets, beams and findings, as text or as data."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from sim.machine import Machine
from sim.plan.course import Beam, Course, Finding, Target
from sim.plan.regimen import regimens
from sim.plan.timing import beam_duration_us

if TYPE_CHECKING:
    from rich.console import RenderableType

_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}


def render(course: Course, machine: Machine) -> RenderableType:
    """Tables of targets, beams and findings, to be printed with a rich console."""
    from rich.console import Group  # only the plan listing pays for rich
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    targets = Table(title="Targets", title_justify="left")
    for name in ("id", "site", "prescription", "fractions", "centre mm", "size mm", "MU"):
        right = name in ("prescription", "fractions", "size mm", "MU")
        targets.add_column(name, justify="right" if right else "left")
    beams = Table(title="Beams, in the order of delivery", title_justify="left")
    for name in (
        "target",
        "no",
        "name",
        "technique",
        "energy",
        "MU",
        "points",
        "gantry deg",
        "isocentre mm",
        "s",
    ):
        beams.add_column(name, justify="right" if name in ("no", "MU", "points", "s") else "left")
    for target in course.targets:
        gy = target.prescription_gy
        targets.add_row(
            escape(target.id),
            escape(target.site),
            "not known" if gy is None else f"{gy:g} Gy",
            str(target.fractions),
            _point(target.centre),
            f"{target.diameter / 100:g}" if target.diameter else "not known",
            f"{target.meterset / 1000:.3f}",
        )
        for beam in target.beams:
            beams.add_row(
                escape(target.id),
                str(beam.number),
                escape(beam.name),
                beam.technique.replace("_", " "),
                _energy(beam),
                f"{beam.meterset / 1000:.3f}",
                str(len(beam.control_points)),
                _gantry(beam),
                _point(beam.isocentre),
                f"{beam_duration_us(machine, beam) / 1e6:.1f}",
            )
    head = Text()
    head.append(course.title, style="bold")
    head.append(
        f"\n{course.source}\ncourse {course.id}, patient {course.patient}, digest {course.digest[:16]}"
    )
    total = sum(beam_duration_us(machine, beam) for target in course.targets for beam in target.beams)
    foot = Text(
        f"Shortest delivery on {machine.name}: {total / 1e6:.1f} s of beam time, without setup between beams."
    )
    return Group(head, targets, *map(Text, _rules(course)), beams, foot, *_finding_lines(course.findings))


def _rules(course: Course) -> list[str]:
    """Where each target's prescription is from, and how its fractions are spaced."""
    lines = []
    for target in course.targets:
        origin = "prescribed in the plan"
        if target.regimen is not None:
            regimen = regimens()[target.regimen]
            origin = f"regimen {regimen.id} ({regimen.study_title}; {regimen.source})"
        lines.append(f"{target.id}: {origin}; {target.spacing}")
    lines += [
        f"{', '.join(limit.targets)}: within {limit.days} days of the first dose ({limit.source})"
        for limit in course.overall
    ]
    return lines


def findings_text(findings: tuple[Finding, ...] | list[Finding]) -> RenderableType:
    """One line per finding; for the findings of a PlanError too."""
    from rich.console import Group

    return Group(*_finding_lines(findings))


def as_dict(course: Course, machine: Machine) -> dict[str, Any]:
    """The same as JSON-able data. Units are in the names: mm, deg, mu, gy, us."""
    return {
        "id": course.id,
        "title": course.title,
        "patient": course.patient,
        "source": course.source,
        "digest": course.digest,
        "machine": machine.name,
        "targets": [_target(target, machine) for target in course.targets],
        "overall": [
            {"study": o.study, "targets": list(o.targets), "days": o.days, "source": o.source}
            for o in course.overall
        ],
        "findings": [
            {"severity": f.severity, "code": f.code, "where": f.where, "message": f.message}
            for f in course.findings
        ],
    }


def _target(target: Target, machine: Machine) -> dict[str, Any]:
    return {
        "id": target.id,
        "site": target.site,
        "centre_mm": _mm(target.centre),
        "diameter_mm": target.diameter / 100,
        "prescription_gy": target.prescription_gy,
        "fractions": target.fractions,
        "regimen": target.regimen,
        "source": str(regimens()[target.regimen].source) if target.regimen is not None else None,
        "rhythm": target.spacing.rhythm,
        "min_interval_us": target.spacing.min_interval,
        "max_days": target.spacing.max_days,
        "planned_mu": target.meterset / 1000,
        "beams": [_beam(beam, machine) for beam in target.beams],
    }


def _beam(beam: Beam, machine: Machine) -> dict[str, Any]:
    gantry = [point.gantry for point in beam.control_points]
    return {
        "number": beam.number,
        "name": beam.name,
        "technique": beam.technique,
        "energy_mv": beam.energy_mv,
        "fluence_mode": beam.fluence_mode,
        "planned_mu": beam.meterset / 1000,
        "control_points": len(beam.control_points),
        "gantry_start_deg": gantry[0] / 100,
        "gantry_stop_deg": gantry[-1] / 100,
        "gantry_travel_deg": sum(abs(b - a) for a, b in itertools.pairwise(gantry)) / 100,
        "isocentre_mm": _mm(beam.isocentre),
        "delivery_us": beam_duration_us(machine, beam),
        "duration_limit_s": beam.duration_limit_s,
    }


def _finding_lines(findings: tuple[Finding, ...] | list[Finding]) -> list[Any]:
    from rich.text import Text

    return [Text(str(finding), style=_STYLES[finding.severity]) for finding in findings]


def _energy(beam: Beam) -> str:
    return f"{beam.energy_mv} MV{' FFF' if beam.fluence_mode == 'fff' else ''}"


def _gantry(beam: Beam) -> str:
    """Angles as on the machine's display, with the direction; 181 to 179 clockwise, not 181 to 539."""
    first, last = beam.control_points[0].gantry, beam.control_points[-1].gantry
    if beam.technique != "arc":
        return f"{first % 36_000 / 100:g}"
    direction = "cw" if last > first else "ccw" if last < first else "to and fro"
    return f"{first % 36_000 / 100:g} to {last % 36_000 / 100:g} {direction}"


def _point(point: tuple[int, int, int]) -> str:
    return ", ".join(f"{value / 100:g}" for value in point)


def _mm(point: tuple[int, int, int]) -> list[float]:
    return [value / 100 for value in point]
