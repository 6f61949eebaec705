"""A model with a field of every kind, and what is said about a document that does not fit it."""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel

from firmware_model.diagnostics import DocumentError, Problem
from firmware_model.quantity import Duration, Length
from firmware_model.strict_yaml import DEFAULT_LIMITS, Limits, loads


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Side(Enum):
    LEFT = "left"
    RIGHT = "right"


class Class(StrEnum):
    A = "immediate"
    B = "end_of_beam"


class Door(Strict):
    kind: Literal["door"]
    side: Side = Side.LEFT


class Gas(Strict):
    kind: Literal["gas"]
    pressure: Annotated[int, Field(ge=10, le=50)]


class BeamOn(Strict):
    beam_on: Literal["arc", "static"]
    at: Duration = 0


class Wait(Strict):
    wait: Annotated[Duration, Field(gt=0, le=5_000_000)]
    at: Duration = 0


class Expect(Strict):
    expect: dict[Literal["door", "gas"], int]


class Scenario(Strict):
    """What happens in a run."""

    name: Annotated[str, Field(max_length=20, pattern="^[a-z ]+$", description="short title")]
    seed: int = 0
    gain: float = 1.0
    active: bool = True
    energy: Literal[6, 10] = 6
    reaction: Class = Class.A
    jaws: tuple[Length, Length] = (0, 0)
    counts: Annotated[list[int], Field(max_length=3)] = []
    limit: int | None = None
    sensors: list[Annotated[Door | Gas, Field(discriminator="kind")]] = []
    steps: list[BeamOn | Wait | Expect] = []
    end: Duration | Literal["never"] = "never"
    mixed: int | list[int] | bool = 0


class Anything(RootModel[Any]):
    pass


# A scenario that gives every key.
EVERY_KEY = """\
name: a run
seed: 7
gain: 2.5
active: false
energy: 10
reaction: end_of_beam
jaws: [-1.5 mm, 2 cm]
counts: [1, 2]
limit: null
sensors:
  - {kind: door, side: right}
  - kind: gas
    pressure: 20
steps:
  - beam_on: arc
  - wait: 2 s
    at: 1 ms
  - expect: {door: 1, "gas": 2}
end: 2 h
mixed: [1]
"""


def read(text: str, limits: Limits = DEFAULT_LIMITS) -> Any:
    """What a text holds, whatever that is."""
    return loads(text, "f.yaml", Anything, limits).root


def refused(
    text: str,
    model: type[BaseModel] = Scenario,
    source: str = "f.yaml",
    limits: Limits = DEFAULT_LIMITS,
) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        loads(text, source, model, limits)
    assert str(caught.value)
    return caught.value


def problems(text: str, model: type[BaseModel] = Scenario) -> list[Problem]:
    return refused(text, model).problems


def problem(text: str, model: type[BaseModel] = Scenario) -> Problem:
    """The only problem of a text."""
    found = problems(text, model)
    assert len(found) == 1, found
    return found[0]


def marked(problem: Problem) -> str:
    """The underlined part of the source line."""
    assert problem.snippet is not None
    line, carets = problem.snippet.split("\n")
    start = carets.index("^")
    return line[start : start + carets.count("^")]
