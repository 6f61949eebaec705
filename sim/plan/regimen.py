"""The library of published regimens: what one target gets, in how many fractions, how far apart.

The data are in ``regimens.yaml`` beside this module, with the source of every number. Dose per
fraction is written there as well as total dose and fractions, so that a slip of the pen is noticed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from firmware_model.diagnostics import RefusedValue
from firmware_model.strict_yaml import load
from sim.plan.spacing import Spacing, SpacingEntry
from sim.plan.yaml_model import Dose, Name, Text

LIBRARY = Path(__file__).parent / "regimens.yaml"

Site = Literal[
    "lung-peripheral",
    "lung-chest-wall",
    "lung-central",
    "node-mediastinal-cervical",
    "liver",
    "adrenal",
    "abdominal-pelvic",
    "bone",
    "spine",
    "brain",
    "any",
]
SITES: tuple[str, ...] = get_args(Site)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """Where a number is from; ``identifier`` finds the document."""

    authors: Text
    journal: Text
    year: Annotated[int, Field(ge=1950, le=2100)]
    place: Annotated[Text | None, Field(description="volume:page")] = None
    identifier: Text

    def __str__(self) -> str:
        place = f";{self.place}" if self.place else ""
        return f"{self.authors}, {self.journal} {self.year}{place}, {self.identifier}"


class RegimenEntry(SpacingEntry):
    """One regimen as the file states it, its spacing rule among the keys."""

    site: Site
    dose: Annotated[Dose, Field(description="whole course")]
    fractions: Annotated[int, Field(ge=1, le=60)]
    dose_per_fraction: Dose
    rhythm_from: Literal["published", "engineering_default"]
    note: Text | None = None

    @model_validator(mode="after")
    def _adds_up(self) -> RegimenEntry:
        if round(self.dose * 1000) != round(self.dose_per_fraction * 1000) * self.fractions:
            raise RefusedValue(
                f"{self.fractions} fractions of {self.dose_per_fraction:g} Gy are "
                f"{self.fractions * self.dose_per_fraction:g} Gy, not {self.dose:g} Gy",
                at=("dose_per_fraction",),
            )
        return self


class StudyEntry(_Strict):
    """One publication, what holds for all of its regimens, and these."""

    title: Text
    source: Source
    rules_source: Annotated[Source | None, Field(description="of rhythm and overall time")] = None
    overall_days: Annotated[
        int | None, Field(ge=1, le=120, description="from the first dose to the last, all targets")
    ] = None
    note: Text | None = None
    regimens: Annotated[dict[Name, RegimenEntry], Field(min_length=1)]


class LibraryDocument(_Strict):
    """The whole file. A regimen's id is unique over all studies."""

    studies: Annotated[dict[Name, StudyEntry], Field(min_length=1)]

    @model_validator(mode="after")
    def _unique(self) -> LibraryDocument:
        owner: dict[str, str] = {}
        for study, entry in self.studies.items():
            for name in entry.regimens:
                if name in owner:
                    raise RefusedValue(
                        f"regimen {name!r} is already one of {owner[name]}",
                        at=("studies", study, "regimens", name),
                    )
                owner[name] = study
        return self


@dataclass(frozen=True, slots=True)
class Regimen:
    """One regimen with everything its study says about it."""

    id: str
    study: str  # id of the study
    study_title: str
    site: str  # one of SITES
    dose_gy: float  # whole course
    fractions: int
    spacing: Spacing
    rhythm_published: bool  # else the rhythm is an engineering default; hours and longest pause always are
    source: Source  # of the doses
    rules_source: Source  # of overall time and, if published, rhythm
    overall_days: int | None  # of all targets of the study, first to last dose
    note: str  # of this regimen; may be empty
    study_note: str  # of the whole study; may be empty

    @property
    def dose_per_fraction_gy(self) -> float:
        return self.dose_gy / self.fractions


@cache
def regimens(path: Path = LIBRARY) -> dict[str, Regimen]:
    """All regimens by id, in the order of the file. Raises DocumentError, with the place."""
    found = {}
    for study_id, study in load(path, LibraryDocument).studies.items():
        for name, entry in study.regimens.items():
            found[name] = Regimen(
                id=name,
                study=study_id,
                study_title=study.title,
                site=entry.site,
                dose_gy=entry.dose,
                fractions=entry.fractions,
                spacing=entry.spacing(),
                rhythm_published=entry.rhythm_from == "published",
                source=study.source,
                rules_source=study.rules_source or study.source,
                overall_days=study.overall_days,
                note=entry.note or "",
                study_note=study.note or "",
            )
    return found


def regimens_for(site: str) -> list[Regimen]:
    """Regimens for one of SITES, those for any site included."""
    return [regimen for regimen in regimens().values() if regimen.site in (site, "any")]
