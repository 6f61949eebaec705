"""A stimulus: what goes into a controller, step by step, without a plant around it.

It is how a difference between a board and the model is kept: a file with a table and the few inputs that
show it. Running one compares the board with the model; there is nothing to expect besides.

In memory a stimulus is a list of what the controller contract takes, resets and segments. The file says the
same in names and counts. Values are those of the contract, 32.16 fixed point, written as counts with up to
16 binary places: every one of them has an exact decimal form, so reading gives back what was written.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from firmware_model.contract import FRACTION_BITS, ONE, Change, ResetCause, Segment
from firmware_model.diagnostics import did_you_mean
from firmware_model.key_rules import KeyRules
from firmware_model.quantity import format_duration
from firmware_model.states import Command, CommandName
from firmware_model.strict_yaml import Document, load_document
from firmware_model.table import Number, SignalName, Table
from firmware_model.table_loading import REFERENCE_TABLE, check_table, load_table

#: Lines stay within 48 bits (docs/wire.md): counts below this in size.
HIGHEST = 1 << (47 - FRACTION_BITS)
LONGEST = 2**31 - 1

CauseName = Literal["power", "watchdog", "external"]


class _Strict(KeyRules, BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(_Strict):
    """A signal is `value + slope x scans` from the first scan of the step on."""

    value: Annotated[Number, Field(description="counts (LSBs) of the signal, in steps of 1/65536")]
    slope: Annotated[Number, Field(description="counts a scan, in steps of 1/65536")] = 0


class Step(_Strict):
    """Some scans, or a restart of the controller."""

    one_of = ("ticks", "reset")
    needs: ClassVar = {"command": "ticks", "change": "ticks"}

    ticks: Annotated[int | None, Field(ge=1, le=LONGEST, description="scans to run")] = None
    command: Annotated[CommandName | None, Field(description="given in the first of them")] = None
    change: Annotated[
        dict[SignalName, Line] | None,
        Field(description="signals that change in the first of them; all others go on as they were"),
    ] = None
    reset: Annotated[
        CauseName | None, Field(description="restart by this cause; signals fall back to their safe values")
    ] = None


class Stimulus(_Strict):
    """Inputs of a controller, for boards that must do what the model does."""

    excludes: ClassVar = {"table": ("inline_table",)}

    title: Annotated[str, Field(description="what it is, in one line")]
    purpose: Annotated[str, Field(description="what it showed, and when it was found")]
    table: Annotated[
        str | None, Field(description="file of the interlock table; by default the reference table")
    ] = None
    inline_table: Annotated[Table | None, Field(description="the interlock table itself, if it is small")] = (
        None
    )
    stimulus: Annotated[list[Step], Field(min_length=1, description="the steps, after a start by power")]


#: One step as the controller contract takes it.
Act = ResetCause | Segment


@dataclass(frozen=True, slots=True)
class LoadedStimulus:
    """A stimulus with its table, checked against each other."""

    path: Path
    title: str
    purpose: str
    table: Table
    acts: tuple[Act, ...]
    digest: str

    def with_table(self, table: Table) -> LoadedStimulus:
        """The same inputs under another table. Its signals must be the same."""
        if list(table.signals) != list(self.table.signals):
            raise ValueError(f"{table.name!r} has other signals than {self.table.name!r}")
        return replace(self, table=table)


_KEY = re.compile(rb"^stimulus *:", re.MULTILINE)


def is_stimulus(path: Path) -> bool:
    """Whether a file is a stimulus rather than a scenario: it has the key ``stimulus`` at its margin."""
    try:
        return path.is_file() and _KEY.search(path.read_bytes()) is not None
    except OSError:
        return False  # whoever reads it says why it cannot be read


def load_stimulus(path: Path, table_path: Path | None = None) -> LoadedStimulus:
    """Read and check a stimulus; ``table_path`` replaces its table. Raises DocumentError."""
    document = load_document(path, Stimulus)
    stimulus = document.model
    if table_path is not None:
        table = load_table(table_path)
    elif stimulus.inline_table is not None:
        inside = document.root.find(("inline_table",))
        table = check_table(Document(stimulus.inline_table, document.source, inside))
    else:
        table = load_table(path.parent / stimulus.table if stimulus.table else REFERENCE_TABLE)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return LoadedStimulus(path, stimulus.title, stimulus.purpose, table, _acts(document, table), digest)


def _acts(document: Document[Stimulus], table: Table) -> tuple[Act, ...]:
    acts: list[Act] = []
    moving: dict[int, tuple[int, int]] = {}  # signals with a slope: value at the coming scan, slope
    for index, step in enumerate(document.model.stimulus):
        if step.ticks is None:
            assert step.reset is not None
            acts.append(ResetCause[step.reset])
            moving.clear()
            continue
        changes = []
        for name, line in (step.change or {}).items():
            at = ("stimulus", index, "change", name)
            if name not in table.signals:
                raise document.error(
                    at, f"no signal {name!r} in table {table.name!r}", did_you_mean(name, table.signals)
                )
            value = _fixed(document, (*at, "value"), line.value)
            slope = _fixed(document, (*at, "slope"), line.slope)
            signal = table.signal_index[name]
            changes.append(Change(signal, value, slope))
            moving.pop(signal, None)
            if slope:
                moving[signal] = (value, slope)
        for signal, (value, slope) in moving.items():
            moving[signal] = (value + slope * step.ticks, slope)
            if not -HIGHEST * ONE <= value + slope * step.ticks < HIGHEST * ONE:
                name = list(table.signals)[signal]
                raise document.error(
                    ("stimulus", index, "ticks"),
                    f"after {step.ticks} scans {name} would be beyond ±{HIGHEST} counts",
                    "stop or turn that line earlier",
                )
        command = Command[step.command] if step.command else Command.none
        acts.append(Segment(step.ticks, tuple(changes), command))
    return tuple(acts)


def _fixed(document: Document[Stimulus], at: tuple[str | int, ...], value: Number) -> int:
    exact = value * ONE
    if exact != int(exact):
        raise document.error(at, f"{value} is not a multiple of 1/65536 count")
    if not -HIGHEST <= value < HIGHEST:
        raise document.error(at, f"{value} is beyond ±{HIGHEST} counts, what a line can hold")
    return int(exact)


# ---- writing -------------------------------------------------------------------------------------


def written(title: str, purpose: str, table: Table, acts: Sequence[Act]) -> str:
    """The file of a stimulus. The reference table is left out, any other is written into the file."""
    parts = [yaml.safe_dump({"title": title, "purpose": purpose}, sort_keys=False, width=100)]
    if table.digest != load_table().digest:
        inner = yaml.safe_dump(_table_keys(table), default_flow_style=None, sort_keys=False, width=100)
        parts.append("inline_table:\n" + "".join(f"  {line}\n" for line in inner.splitlines()))
    parts.append("stimulus:\n" + "".join(f"  - {_flow(_step_keys(table, act))}\n" for act in acts))
    return "".join(parts)


def _flow(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=2**31).strip()


def _step_keys(table: Table, act: Act) -> dict[str, Any]:
    if isinstance(act, ResetCause):
        return {"reset": act.name}
    keys: dict[str, Any] = {"ticks": act.ticks}
    if act.command:
        keys["command"] = act.command.name
    if act.changes:
        names = list(table.signals)
        keys["change"] = {names[change.signal]: _line_keys(change) for change in act.changes}
    return keys


def _line_keys(change: Change) -> dict[str, Number]:
    line = {"value": _counts(change.value)}
    return line | {"slope": _counts(change.slope)} if change.slope else line


def _counts(fixed: int) -> Number:
    whole, rest = divmod(fixed, ONE)
    return fixed / ONE if rest else whole


def _table_keys(table: Table) -> dict[str, Any]:
    """A table as a file has it: only what was given, durations with their unit."""
    keys = table.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    keys["scan_period"] = format_duration(table.scan_period)
    for name, row in table.interlocks.items():
        keys["interlocks"][name]["respond_within"] = format_duration(row.respond_within)
    return keys
