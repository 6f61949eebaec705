"""What ``interlock plan regimens`` prints, and the table of ``docs/courses.md``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from firmware_model.quantity import format_duration
from sim.plan.biological_dose import TUMOUR_ALPHA_BETA, bed, eqd2
from sim.plan.regimen import Regimen

if TYPE_CHECKING:
    from rich.console import RenderableType


def render(chosen: Iterable[Regimen], alpha_beta: float = TUMOUR_ALPHA_BETA) -> RenderableType:
    """A table of regimens and a list of their studies, for a rich console. ``alpha_beta`` in Gy."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Regimens", title_justify="left")
    table.add_column("id, site", no_wrap=True)
    for name in ("Gy", "fractions", "BED", "EQD2"):
        table.add_column(name, justify="right")
    table.add_column("rhythm", no_wrap=True)
    studies: dict[str, Regimen] = {}
    for regimen in chosen:
        studies.setdefault(regimen.study, regimen)
        doses = [regimen.dose_per_fraction_gy] * regimen.fractions
        table.add_row(
            f"{regimen.id}\n  {regimen.site}",
            f"{regimen.dose_gy:g}",
            f"{regimen.fractions} x {regimen.dose_per_fraction_gy:g}",
            f"{bed(doses, alpha_beta):.1f}",
            f"{eqd2(doses, alpha_beta):.1f}",
            _rhythm(regimen),
        )
    foot = Text(f"BED and EQD2 in Gy for alpha/beta {alpha_beta:g} Gy. * rhythm is an engineering default.")
    return Group(table, foot, *(Text(_study(regimen)) for regimen in studies.values()))


def as_dict(regimen: Regimen) -> dict[str, Any]:
    """One regimen as JSON-able data. Units are in the names."""
    return {
        "id": regimen.id,
        "site": regimen.site,
        "dose_gy": regimen.dose_gy,
        "fractions": regimen.fractions,
        "dose_per_fraction_gy": regimen.dose_per_fraction_gy,
        "rhythm": regimen.spacing.rhythm,
        "rhythm_published": regimen.rhythm_published,
        "min_interval_us": regimen.spacing.min_interval,
        "max_days": regimen.spacing.max_days,
        "overall_days": regimen.overall_days,
        "source": str(regimen.source),
        "rules_source": str(regimen.rules_source),
        "note": regimen.note,
        "study": regimen.study_title,
        "study_note": regimen.study_note,
    }


def markdown(chosen: Iterable[Regimen]) -> str:
    """The same for the documentation: a Markdown table, then the studies as a list."""
    lines = [
        "| id | site | dose | fractions | rhythm | hours, days | note |",
        "|---|---|---|---|---|---|---|",
    ]
    studies: dict[str, Regimen] = {}
    for regimen in chosen:
        studies.setdefault(regimen.study, regimen)
        spacing = regimen.spacing
        lines.append(
            f"| `{regimen.id}` | {regimen.site} | {regimen.dose_gy:g} Gy "
            f"| {regimen.fractions} x {regimen.dose_per_fraction_gy:g} Gy | {_rhythm(regimen)} "
            f"| {format_duration(spacing.min_interval)}, {spacing.max_days} d | {regimen.note} |"
        )
    return "\n".join([*lines, "", *(f"* {_study(regimen)}" for regimen in studies.values())])


def _rhythm(regimen: Regimen) -> str:
    if regimen.fractions == 1:
        return "once"
    rhythm = "daily" if regimen.spacing.rhythm == "daily" else "every 2nd day"
    return rhythm + ("" if regimen.rhythm_published else " *")


def _study(regimen: Regimen) -> str:
    text = f"{regimen.study_title}: {regimen.source}."
    if regimen.rules_source != regimen.source:
        text += f" Rhythm and overall time: {regimen.rules_source}."
    if regimen.overall_days is not None:
        text += f" All targets within {regimen.overall_days} days of the first dose."
    return f"{text} {regimen.study_note}".rstrip()
