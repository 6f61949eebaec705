"""The run.json files below a folder, read back strictly enough that a page can be made of them.

A record that cannot be used is not an error of the whole folder: it is listed with its reason.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from sim.record.figures import is_number

SCHEMA_VERSION = 1  # of run.json, the one this program writes


def _encodable(text: str) -> str:
    """JSON can hold halves of characters, which no page can."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as problem:
        raise ValueError(f"half a character at position {problem.start}") from None
    return text


Text = Annotated[str, AfterValidator(_encodable)]


class _Part(BaseModel):
    """Of a record only what the overview shows is checked; anything else in it is left alone."""

    model_config = ConfigDict(extra="ignore", strict=True)


class ScenarioPart(_Part):
    path: Text
    title: Text
    digest: Text
    requirements: list[Text] = []


class BoardPart(_Part):
    kind: Text


class ExpectationPart(_Part):
    text: Text
    status: Text
    measured: FiniteFloat | Text | bool | None = None
    limit: FiniteFloat | Text | bool | None = None
    unit: Text | None = None
    margin: FiniteFloat | None = None


class InvariantPart(_Part):
    id: Text
    title: Text = ""
    status: Text


class InterlockPart(_Part):
    id: Text
    title: Text = ""
    first_up: bool
    time_s: FiniteFloat | None = None
    stop: Text = ""


class RunRecord(_Part):
    """What an overview needs of one run.json; times in s."""

    schema_version: int
    verdict: Text = Field(min_length=1)
    scenario: ScenarioPart
    board: BoardPart
    seed: int
    sim_time_s: FiniteFloat
    expectations: list[ExpectationPart]
    invariants: list[InvariantPart]
    interlocks: list[InterlockPart]
    reproduce: Text = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One record and where it was found."""

    path: Path
    record: RunRecord


@dataclass(frozen=True, slots=True)
class Unusable:
    """A run.json that is damaged, or the record of something else."""

    path: Path
    reason: str


def find_runs(folder: Path) -> tuple[list[Run], list[Unusable]]:
    """Every run.json below ``folder``, in the order of their paths; links to folders are not followed."""
    runs: list[Run] = []
    unusable: list[Unusable] = []
    for path in sorted(folder.rglob("run.json"), key=lambda path: path.relative_to(folder).parts):
        found = read_run(path)
        if isinstance(found, Run):
            runs.append(found)
        else:
            unusable.append(found)
    return runs, unusable


def read_run(path: Path) -> Run | Unusable:
    """One run.json, or why it cannot be used."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except OSError as problem:
        return Unusable(path, f"cannot be read: {problem.strerror or problem}")
    except UnicodeDecodeError as problem:
        return Unusable(path, f"is not UTF-8 text: {problem.reason} at byte {problem.start}")
    except json.JSONDecodeError as problem:
        return Unusable(path, f"is not JSON: line {problem.lineno}, column {problem.colno}: {problem.msg}")
    except (ValueError, RecursionError) as problem:
        return Unusable(path, f"is not JSON: {problem}")
    version = content.get("schema_version") if isinstance(content, dict) else None
    if not is_number(version):
        return Unusable(path, "is not the record of a run: it has no schema_version")
    if version != SCHEMA_VERSION:
        return Unusable(path, f"has schema_version {version}; this program reads {SCHEMA_VERSION}")
    try:
        return Run(path, RunRecord.model_validate(content))
    except ValidationError as problem:
        return Unusable(path, f"is not the record of a run: {_first_problem(problem)}")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")


def _first_problem(problem: ValidationError) -> str:
    errors: list[Any] = problem.errors(include_url=False)
    first = errors[0]
    place = ".".join(str(part) for part in first["loc"])
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{place}: {first['msg']}{more}"
