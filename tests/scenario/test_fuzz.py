"""Damaged scenario files: each is refused with its place, or it runs. Nothing crashes, hangs or leaks.

Files are made from the valid ones by a seeded mutator. ``INTERLOCK_FUZZ=20000`` runs the whole
campaign, ``make test`` a sample of it.
"""

from __future__ import annotations

import gc
import os
import re
import resource
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from cli.check import scenario_files
from firmware_model.controller import ModelController
from firmware_model.diagnostics import DocumentError
from sim.plan.course import PlanError
from sim.scenario.loading import load_scenario
from sim.scenario.runner import BoardIdentity, run_scenario

ROOT = Path(__file__).parents[2] / "scenarios"
FILES = int(os.environ.get("INTERLOCK_FUZZ", "600"))
SHARDS = 8
RUNS = 1000 if FILES >= 20_000 else 60

WORDS = [
    "", "null", "true", "-1", "0", "1", "9" * 30, "1e9", "0.0001", ".nan", "text", "[]", "{}", "{a: 1}",
    "10 ms", "-5 ms", "10 MS", "10", "3 parsecs", "1000000 h", "400 MU", "-400 MU", "720 deg", "DOOR_OPEN",
    "irradiation", "lung", "&a b", "*a", "!!python/object:os.system x", "<<: *a", "'", '"', "|", "\t",
    "\u202e", "é", "🩻", "../plans/none.yaml", "/dev/null", ".", "plans", "%TAG", "---", "...", "# x",
]  # fmt: skip


def lines_of(text: str) -> list[str]:
    return text.split("\n")


def change_character(text: str, d: Random) -> str:
    at = d.randrange(len(text))
    return (
        text[:at]
        + d.choice(["", "x", ":", " ", "\n", "{", "]", "\x00", "-", "#", "\u2028", text[at] * 3])
        + text[at + 1 :]
    )


def cut(text: str, d: Random) -> str:
    return text[: d.randrange(len(text))]


def drop_line(text: str, d: Random) -> str:
    lines = lines_of(text)
    del lines[d.randrange(len(lines))]
    return "\n".join(lines)


def repeat_line(text: str, d: Random) -> str:
    lines = lines_of(text)
    at = d.randrange(len(lines))
    return "\n".join([*lines[:at], *[lines[at]] * d.choice([2, 2, 50]), *lines[at + 1 :]])


def swap_lines(text: str, d: Random) -> str:
    lines = lines_of(text)
    a, b = d.randrange(len(lines)), d.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return "\n".join(lines)


def indent_line(text: str, d: Random) -> str:
    lines = lines_of(text)
    at = d.randrange(len(lines))
    lines[at] = d.choice(["  ", "\t", " ", "- "]) + lines[at]
    return "\n".join(lines)


def change_value(text: str, d: Random) -> str:
    """Another word in the place of a value."""
    places = list(re.finditer(r"(?<=: )[^,{}\[\]\n]+|(?<=\[)[^,\]\n]+", text))
    if not places:
        return cut(text, d)
    place = d.choice(places)
    return text[: place.start()] + d.choice(WORDS) + text[place.end() :]


def change_number(text: str, d: Random) -> str:
    places = list(re.finditer(r"\d+", text))
    if not places:
        return cut(text, d)
    place = d.choice(places)
    value = d.choice(["0", "1", "7", "12", "99", "1000", "54321", "0.5", "-3", place[0] + "0"])
    return text[: place.start()] + value + text[place.end() :]


def misspell(text: str, d: Random) -> str:
    """A name with a letter missing, doubled or in the other case."""
    place = d.choice(list(re.finditer(r"[A-Za-z_]{3,}", text)) or [None])
    if place is None:
        return cut(text, d)
    word, at = place[0], d.randrange(len(place[0]))
    other = d.choice([word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:], word.swapcase()])
    return text[: place.start()] + other + text[place.end() :]


def change_key(text: str, d: Random) -> str:
    places = list(re.finditer(r"[a-z_]+(?=:)", text))
    if not places:
        return cut(text, d)
    place = d.choice(places)
    other = d.choice([d.choice(places)[0], place[0][:-1], place[0] + "s", "kind", "fault"])
    return text[: place.start()] + other + text[place.end() :]


def deepen(text: str, d: Random) -> str:
    depth = d.choice([5, 25, 500, 5000])
    return text + f"\nx: {'[' * depth}{']' * d.choice([depth, 0])}\n"


MUTATORS: list[Callable[[str, Random], str]] = [
    *[change_value, change_number, misspell] * 3,
    *[change_key, change_character] * 2,
    *[cut, drop_line, repeat_line, swap_lines, indent_line, deepen],
]


def sources(folder: Path) -> list[tuple[Path, str]]:
    files = [file for file in scenario_files(folder) if "package:" not in file.read_text(encoding="utf-8")]
    return [(file, file.read_text(encoding="utf-8")) for file in files]


def damaged(number: int, files: list[tuple[Path, str]]) -> tuple[Path, str]:
    d = Random(number)
    file, text = files[d.randrange(len(files))]
    for _ in range(d.choice([1, 1, 1, 2, 5])):
        if text:
            text = d.choice(MUTATORS)(text, d)
    return file, text


def outcome_of(path: Path) -> str:
    """``refused`` or the verdict; anything else that happens is the failure looked for."""
    try:
        loaded = load_scenario(path)
    except DocumentError as error:
        # A file as a whole has no line: one that it names is missing, or it is empty itself.
        placeless = [p for p in error.problems if p.line == 0 and p.source == str(path)]
        if placeless and path.read_bytes().strip():
            raise
        return "refused"
    except PlanError as error:
        return "refused plan" if error.findings else "refused without a reason"
    outcome = run_scenario(loaded, ModelController(loaded.table), BoardIdentity("model", "fuzz", ""))
    return outcome.verdict


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_damaged_file_is_refused_with_its_place_or_runs(shard: int, tmp_path: Path) -> None:
    folder = tmp_path / "scenarios"
    shutil.copytree(ROOT, folder)  # a scenario names its plan relative to itself
    files, seen = sources(folder), Counter[str]()
    for number in range(shard, FILES, SHARDS):
        source, text = damaged(number, files)
        file = source.with_name("damaged.yaml")
        try:
            file.write_bytes(text.encode("utf-8", "surrogatepass"))
            seen[outcome_of(file)] += 1
        except Exception as error:
            raise AssertionError(f"case {number}, made from {source.name}:\n{text}") from error
    assert seen["refused without a reason"] == 0
    assert seen["refused"] > 0.3 * FILES / SHARDS, seen
    assert seen["PASS"] + seen["FAIL"] > 0.02 * FILES / SHARDS, seen


def resident_kib() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() // 1024


@pytest.mark.timeout(600)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_memory_stays_flat_over_many_runs() -> None:
    loaded = load_scenario(ROOT / "faults" / "pulse_spike.yaml")

    def run(times: int) -> None:
        for _ in range(times):
            run_scenario(loaded, ModelController(loaded.table), BoardIdentity("model", "memory", ""))

    run(20)
    before = resident_kib()
    run(RUNS)
    assert resident_kib() - before < 4096, "KiB more than after the first 20 runs"
