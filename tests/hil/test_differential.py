"""Firmware and model never differ: random inputs and commands, our table and any other, all outputs compared.

``INTERLOCK_DIFFERENTIAL=1000000`` compares at that many stops, ``make test`` at a sample of them.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from firmware_model.contract import ResetCause
from firmware_model.states import Command, State
from firmware_model.stimulus import load_stimulus, written
from firmware_model.table import Table
from hil.boards import native
from hil.boards.native import FIRMWARE, Library, NativeController, build_library
from hil.shrink import shrink
from tests.firmware.random_tables import KINDS
from tests.hil.differential import TABLES, Found, Search, differs_on, small

pytestmark = pytest.mark.skipif(bool(native.missing()), reason=native.missing())

STOPS = int(os.environ.get("INTERLOCK_DIFFERENTIAL", "12000"))
THOROUGH = STOPS >= 100_000
SHARDS = 2 if THOROUGH else 1
#: Parts of the stops; the wider a table, the longer the model takes for one.
SHARES = {"ours": 8, "small": 3, "wide": 1}
DIFFERENCES = Path(__file__).parents[2] / "scenarios" / "differences"
KEPT = Path(__file__).parents[2] / "build" / "differences"


@dataclass(frozen=True)
class Bug:
    """Something wrong in the C of the core, and the kind of condition it shows with."""

    file: str
    right: str
    wrong: str
    kind: str


#: By the file below scenarios/differences that shows it.
BUGS = {
    "debounce_passed_over": Bug(
        "il_core.c",
        "core->count[row->counter] - 1, least)",
        "core->count[row->counter], least)",
        "above",
    ),
    "meterset_of_the_last_scan": Bug(
        "il_core.c",
        "il_in_beam(before) || il_in_beam(core->state)",
        "il_in_beam(core->state)",
        "reaches",
    ),
    "heartbeat_passed_over": Bug(
        "il_conditions.c",
        "(int32_t)((int64_t)ticks - stale_next_change(before, value, slope))",
        "(int32_t)((int64_t)ticks - stale_next_change(before, value, slope)) + 1",
        "stale",
    ),
    "local_latch": Bug(
        "il_machine.c",
        "if (row->latch == (uint8_t)IL_LATCH_LOCAL) {",
        "if ((row->latch == (uint8_t)IL_LATCH_LOCAL) && !il_has(&retained->latched, i)) {",
        "is_false",
    ),
}

#: Kinds of rows that trip in the short search; there is time for few wide tables.
LEAST_KINDS = {"small": 14, "wide": 10}


@pytest.mark.timeout(7200 if THOROUGH else 120)
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("tables", TABLES)
def test_firmware_and_model_never_differ(tables: str, shard: int) -> None:
    library = Library(build_library())

    def start(table: Table) -> NativeController:
        return NativeController(table, library)

    try:
        stops = STOPS * SHARES[tables] // (sum(SHARES.values()) * SHARDS)
        seen = Search(start, stops, TABLES[tables], shard).run()
    except Found as found:
        least = shrink(found.case, differs_on(start))
        KEPT.mkdir(parents=True, exist_ok=True)
        file = KEPT / f"native_{tables}_{shard}.yaml"
        file.write_text(written(f"{tables} tables", str(found), least.table, least.acts), encoding="utf-8")
        raise AssertionError(f"{found}; repeat it with: interlock run {file} --board native") from None
    print(f"{tables}: {seen.cases} machines, {seen.segments} stops, {seen.ticks} scans, none differs")
    assert seen.segments >= stops
    assert len(seen.states) >= (len(State) if THOROUGH else 9), seen.states
    assert len({*seen.accepted, *seen.refused}) >= (len(Command) - 1 if THOROUGH else 12)
    assert len(seen.resets) >= (len(ResetCause) if THOROUGH else 2)
    assert seen.permitted >= stops / 200
    assert seen.ticks >= 20 * seen.segments
    if tables == "ours":
        assert len(seen.tripped) >= (60 if THOROUGH else 25), seen.tripped
    else:
        assert len(seen.kinds) >= (len(KINDS) if THOROUGH else LEAST_KINDS[tables]), seen.kinds


def library_with(bug: Bug, folder: Path) -> Path:
    """The core with a bug in it."""
    sources = copytree(FIRMWARE, folder / "firmware")
    file = sources / "core" / bug.file
    text = file.read_text(encoding="utf-8")
    assert text.count(bug.right) == 1
    file.write_text(text.replace(bug.right, bug.wrong), encoding="utf-8")
    return build_library(("-O0",), sources)


def verdicts(file: Path, broken: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Result, Result]:
    """What the command says of a file on the core, and on a broken one."""
    command = ["run", str(file), "--board", "native"]
    right = CliRunner().invoke(main, command)
    monkeypatch.setattr(native, "build_library", lambda: broken)
    return right, CliRunner().invoke(main, command)


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_is_found_made_small_and_repeated_by_the_command(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bug = BUGS[name]
    path = library_with(bug, tmp_path)
    library = Library(path)

    def start(table: Table) -> NativeController:
        return NativeController(table, library)

    with pytest.raises(Found) as found:
        Search(start, 20_000, lambda dice: small(dice, bug.kind), 0).run()
    least = shrink(found.value.case, differs_on(start))
    assert len(least.acts) <= 12
    assert len(least.table.interlocks) <= 2
    file = tmp_path / "difference.yaml"
    file.write_text(written("a bug", str(found.value), least.table, least.acts), encoding="utf-8")
    assert load_stimulus(file).acts == least.acts
    for kept in (file, DIFFERENCES / f"{name}.yaml"):
        with monkeypatch.context() as patched:
            right, wrong = verdicts(kept, path, patched)
        assert (right.exit_code, "PASS" in right.output) == (0, True), right.output
        assert wrong.exit_code == 1, wrong.output
        assert re.search(r"FAIL  tick \d+: .* is .*, the model has ", wrong.output), wrong.output
