"""Stimulus files: read back as written, refused with their place, played beside the model."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import get_args

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from cli.main import main
from firmware_model.contract import ONE, Advance, Change, ResetCause, Segment
from firmware_model.controller import ModelController
from firmware_model.diagnostics import DocumentError
from firmware_model.states import Command, CommandName
from firmware_model.stimulus import (
    HIGHEST,
    Act,
    CauseName,
    Line,
    Step,
    Stimulus,
    is_stimulus,
    load_stimulus,
    written,
)
from firmware_model.table import Table
from firmware_model.table_loading import load_table
from hil.lockstep import Lockstep, Scanned
from hil.shrink import Case, first_difference, shrink
from sim.explain.usage import runnable_files, scenario_files
from tests.firmware.dice import REPRODUCIBLE, Dice
from tests.firmware.random_tables import KINDS, random_table

SCENARIOS = Path(__file__).parents[2] / "scenarios"
TABLE = load_table()
_KEPT = load_stimulus(SCENARIOS / "differences" / "debounce_passed_over.yaml")
#: The trip comes in the third of many scans.
DEBOUNCED = replace(_KEPT, acts=(_KEPT.acts[0], Segment(9, (Change(0, 30 * ONE),))))
HEAD = "title: a\npurpose: b\nstimulus:\n"
LINES = st.builds(
    Change,
    st.integers(0, len(TABLE.signals) - 1),
    st.integers(-HIGHEST * ONE, HIGHEST * ONE - 1),
    st.integers(-(2**31), 2**31).filter(lambda slope: abs(slope) < 2**20),
)
SEGMENTS = st.builds(
    Segment,
    st.integers(1, 50),
    st.lists(LINES, max_size=4, unique_by=lambda line: line.signal).map(tuple),
    st.sampled_from(Command),
)


@REPRODUCIBLE
@given(st.lists(st.sampled_from(ResetCause) | SEGMENTS, min_size=1, max_size=5))
def test_what_is_written_is_read_back(acts: list[Act]) -> None:
    still = [
        act._replace(changes=tuple(c._replace(slope=0) if abs(c.value) > 2**45 else c for c in act.changes))
        if isinstance(act, Segment)
        else act
        for act in acts
    ]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "stimulus.yaml"
        file.write_text(written("a", "b", TABLE, still), encoding="utf-8")
        loaded = load_stimulus(file)
    assert (loaded.acts, loaded.table) == (tuple(still), TABLE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_is_written_into_the_file_unless_it_is_the_reference(kind: str, tmp_path: Path) -> None:
    table = random_table(Dice(Random(3)), kind, (kind,))
    file = tmp_path / "stimulus.yaml"
    file.write_text(written("a", "b", table, [Segment(1)]), encoding="utf-8")
    assert load_stimulus(file).table.digest == table.digest


@pytest.mark.parametrize(
    ("steps", "place", "words"),
    [
        ("  - {ticks: 0}", ":4:", "below the smallest accepted value 1"),
        ("  - {}", ":4:", "exactly one of ticks, reset"),
        ("  - {ticks: 1, reset: power}", ":4:", "exactly one of ticks, reset"),
        ("  - {reset: power, command: prepare}", ":4:", "'command' goes with 'ticks'"),
        ("  - {ticks: 1, command: prepar}", ":4:", "prepare"),
        ("  - {ticks: 1}\n  - {ticks: 1, change: {gantri: {value: 1}}}", ":5:", "did you mean 'gantry'"),
        ("  - {ticks: 1, change: {gantry: {value: 0.3}}}", ":4:", "multiple of 1/65536"),
        ("  - {ticks: 1, change: {gantry: {value: 2147483648}}}", ":4:", "beyond"),
        (
            "  - {ticks: 2000, change: {gantry: {value: 0, slope: 1000000}}}\n  - {ticks: 1000}",
            ":5:",
            "gantry",
        ),
    ],
)
def test_a_mistake_is_reported_with_its_place(tmp_path: Path, steps: str, place: str, words: str) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(f"{HEAD}{steps}\n", encoding="utf-8")
    with pytest.raises(DocumentError) as raised:
        load_stimulus(file)
    assert f"{file}{place}" in str(raised.value)
    assert words in str(raised.value)
    for command in ("run", "check"):
        assert CliRunner().invoke(main, [command, str(file)]).exit_code == 3


def test_a_finding_cannot_wait_for_a_reset_at_its_place(tmp_path: Path) -> None:
    """Found by tests/hil/test_differential.py: nothing could ever clear such a latch."""
    text = written("a", "b", TABLE.without("DOOR_OPEN"), [Segment(1)])
    at = text.index("latch: ", text.index("RESET_IN_BEAM:"))
    file = tmp_path / "local.yaml"
    file.write_text(text[:at] + "latch: local" + text[text.index("\n", at) :], encoding="utf-8")
    with pytest.raises(DocumentError, match="a finding of the controller and has no place"):
        load_stimulus(file)


def test_a_stimulus_is_no_scenario() -> None:
    stimuli = {file for file in runnable_files(SCENARIOS) if is_stimulus(file)}
    assert {file.parent.name for file in stimuli} == {"differences"}
    assert not stimuli & set(scenario_files(SCENARIOS))
    assert CliRunner().invoke(main, ["run", str(min(stimuli)), "--seed", "1"]).exit_code == 2
    assert CliRunner().invoke(main, ["run", str(min(stimuli)), "--out", "x"]).exit_code == 2


# ---- what differs ----------------------------------------------------------------------------------


class Late:
    """A board that does everything one scan too late when it is asked for many."""

    def __init__(self, table: Table) -> None:
        self._model = ModelController(table)
        self.reset = self._model.reset
        self.scan = self._model.scan

    @property
    def retained(self):  # type: ignore[no-untyped-def]
        return self._model.retained

    def run(self, segment: Segment) -> Advance:
        advance = self._model.run(segment)
        return advance._replace(ticks=advance.ticks + (1 < advance.ticks < segment.ticks))


def test_the_first_difference_is_named_with_its_tick_and_output() -> None:
    found = first_difference(DEBOUNCED.acts, Lockstep(Late(DEBOUNCED.table), DEBOUNCED.table))
    assert str(found) == "tick 3: tripped LEVEL_HIGH is False, the model has True"


def test_a_stimulus_is_made_as_small_as_it_gets() -> None:
    table = DEBOUNCED.table
    acts = (
        Segment(5, (Change(0, 5 * ONE, 7),)),
        ResetCause.external,
        Segment(3, (Change(0, ONE),), Command.power_on),
        Segment(2, (Change(0, 12345),)),
        Segment(2000, (Change(0, 31 * ONE + 99),)),
        ResetCause.watchdog,
    )

    def differs(case: Case) -> bool:
        return first_difference(case.acts, Lockstep(Late(case.table), case.table)) is not None

    small = shrink(Case(table, acts), differs)
    assert differs(small)
    assert small.acts == (Segment(11, (), Command.power_on),)  # the self test ends after ten
    with pytest.raises(ValueError, match="no difference"):
        shrink(Case(table, acts[:1]), differs)


def test_segments_of_the_model_are_compared_with_single_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    table, acts = DEBOUNCED.table, DEBOUNCED.acts
    assert first_difference(acts, Lockstep(ModelController(table), table, model=Scanned(table))) is None
    quiet = ModelController._quiet
    monkeypatch.setattr(ModelController, "_quiet", lambda controller: quiet(controller) + 1)
    found = first_difference(acts, Lockstep(ModelController(table), table, model=Scanned(table)))
    assert str(found) == "tick 3: tripped LEVEL_HIGH is False, the model has True"


# ---- its documentation -------------------------------------------------------------------------------


def undocumented(text: str) -> set[str]:
    """Keys that the page has and the schema has not, or the other way round."""
    found = set()
    for heading, model in (
        ("## A stimulus", Stimulus),
        ("### Steps of a stimulus", Step),
        ("### Lines of a stimulus", Line),
    ):
        part = text.partition(f"{heading}\n")[2].partition("\n#")[0]
        keys = set(re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE))
        found |= {f"{heading} {key}" for key in keys ^ set(model.model_fields)}
    return found


def test_every_key_is_in_the_documentation() -> None:
    text = (SCENARIOS.parent / "docs" / "hil.md").read_text(encoding="utf-8")
    assert undocumented(text) == set()
    assert undocumented(text.replace("| `slope` |", "| `slop` |")) == {
        "### Lines of a stimulus slop",
        "### Lines of a stimulus slope",
    }


def test_commands_and_causes_are_those_of_the_contract() -> None:
    assert get_args(CommandName) == tuple(command.name for command in Command if command)
    assert get_args(CauseName) == tuple(cause.name for cause in ResetCause)
