"""The documentation is true: commands do what is shown, links resolve, references are complete."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from sim.clinic.motion_schema import (
    AmplitudeGating,
    BreathHold,
    IntrafractionDrift,
    IrregularBreathing,
    Latency,
    PhaseGating,
    RecordedBreathing,
    RegularBreathing,
    Reimaging,
    Surrogate,
)
from sim.faults.catalogue import Fault
from sim.scenario.schema import At, Expectation, KnownGap, OperatorPolicy, Scenario, Step

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
REFERENCE = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
HEADLINE = "scenarios/two_abdominal_metastases.yaml"


def console_blocks(text: str) -> list[str]:
    return re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(console_blocks(page.read_text(encoding="utf-8")), 1)
]


# --- commands ---------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a command finds in the checkout; what it writes stays out of it."""
    for name in ("scenarios", "firmware_model"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def interlock(words: list[str], folder: Path) -> tuple[int, str]:
    """Exit code and output of the installed command."""
    program = Path(sys.executable).with_name("interlock")
    done = subprocess.run(
        [program, *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60
    )
    return done.returncode, done.stdout.decode()


def numberless(line: str) -> str:
    """Figures and digests differ from table to table and computer to computer; words must not."""
    line = re.sub(r"\b[0-9a-f]{64}\b", "#", line)
    line = re.sub(r"(simulated in) .*", r"\1 #", line)  # the computer's time: a slow one needs another unit
    return " ".join(re.sub(r"[+-]?\d+(\.\d+)?", "#", line).split())


def shown_commands(block: str) -> Iterator[tuple[list[str], list[str], int]]:
    """(words, output shown, exit code shown) of every command; ``$ echo $?`` states the code, 0 otherwise."""
    for part in re.split(r"^\$ (?!echo \$\?)", block, flags=re.MULTILINE)[1:]:
        command, _, rest = part.partition("\n")
        output, _, code = rest.partition("$ echo $?\n")
        yield shlex.split(command), output.splitlines(), int(code or 0)


def block_problems(block: str, folder: Path) -> list[str]:
    problems = []
    for words, shown, code in shown_commands(block):
        if words[0] == "cp":
            shutil.copy(folder / words[1], folder / words[2])
            continue
        if words[0] != "interlock":
            problems.append(f"neither interlock nor cp: {words}")
            continue
        got, output = interlock(words[1:], folder)
        if got != code:
            problems.append(f"{words}: exit code {got}, shown {code}: {output[-500:]}")
        remaining = iter([numberless(line) for line in output.splitlines()])
        # Every line shown, in this order; an ellipsis or nothing may stand for any others.
        problems += [
            f"{words} does not print: {line}"
            for line in shown
            if line.strip() not in ("", "…") and numberless(line) not in remaining
        ]
    return problems


def test_the_documentation_shows_commands() -> None:
    assert len(BLOCKS) >= 6


@pytest.mark.parametrize("block", BLOCKS)
def test_commands_do_what_is_shown(block: str, folder: Path) -> None:
    assert block_problems(block, folder) == []


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("$ interlock check nothing.yaml\n", "exit code 3, shown 0"),
        ("$ interlock --help\n$ echo $?\n1\n", "exit code 0, shown 1"),
        ("$ interlock --help\nFor clinical use.\n", "does not print: For clinical use."),
        ("$ interlok check\n", "neither interlock nor cp"),
    ],
)
def test_command_check_can_fail(block: str, problem: str, folder: Path) -> None:
    assert [found for found in block_problems(block, folder) if problem in found]


# --- links ------------------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), re.M
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def link_problems(text: str, page: Path) -> list[str]:
    problems = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = page.parent / name if name else page
        if not path.exists():
            problems.append(f"no such file: {target}")
        elif anchor and anchor not in anchors(path.read_text(encoding="utf-8")):
            problems.append(f"no such heading: {target}")
    return problems


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    assert link_problems(page.read_text(encoding="utf-8"), page) == []


@pytest.mark.parametrize("link", ["[x](docs/nothing.md)", "[x](docs/timing.md#nothing)", "[x](#nothing)"])
def test_link_check_can_fail(link: str) -> None:
    assert link_problems(link, ROOT / "README.md")


# --- the scenario reference -------------------------------------------------------------------

#: The heading under which the keys of each model stand in tables.
SECTIONS: dict[str, type[BaseModel]] = {
    "The file": Scenario,
    "Breathing": RegularBreathing,
    "Surrogate": Surrogate,
    "Latency": Latency,
    "Drift": IntrafractionDrift,
    "Re-imaging": Reimaging,
    "Operator": OperatorPolicy,
    "Steps": Step,
    "When a step happens": At,
    "Expectations": Expectation,
    "Known gaps": KnownGap,
}


#: Models that share keys with another; the heading has only those of their own.
EXTENSIONS: dict[str, tuple[type[BaseModel], str]] = {
    "Irregular breathing": (IrregularBreathing, "Breathing"),
    "Recorded breathing": (RecordedBreathing, "Breathing"),
    "Amplitude gating": (AmplitudeGating, "Gating"),
    "Phase gating": (PhaseGating, "Gating"),
    "Breath-hold": (BreathHold, "Gating"),
}


def rows(text: str, heading: str) -> dict[str, str]:
    """First column (a name in backticks) and the rest of every table row under a heading."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.DOTALL | re.MULTILINE)
    return dict(re.findall(r"^\| `([^`]+)` \|(.*)$", found[1], re.MULTILINE)) if found else {}


def choices(schema: Any) -> Iterator[str]:
    """Every word a JSON Schema lets one choose."""
    if isinstance(schema, dict):
        yield from (value for value in schema.get("enum", ()) if isinstance(value, str))
        yield from (choice for value in schema.values() for choice in choices(value))
    elif isinstance(schema, list):
        yield from (choice for value in schema for choice in choices(value))


def all_keys(value: Any) -> set[str]:
    """Every key in a JSON document, at any depth."""
    if isinstance(value, dict):
        return set(value).union(*map(all_keys, value.values()))
    return set().union(*map(all_keys, value)) if isinstance(value, list) else set()


def fault_keys() -> dict[str, set[str]]:
    """Kind of every fault and its own keys."""
    faults = get_args(get_args(Fault)[0])
    return {get_args(f.model_fields["kind"].annotation)[0]: {*f.model_fields} - {"kind"} for f in faults}


def reference_problems(text: str) -> list[str]:
    """Where the reference and the schema differ, in either direction."""
    problems = []
    for heading, model in SECTIONS.items():
        for key in {*model.model_fields} ^ {*rows(text, heading)}:
            problems.append(f"{heading}: {key}")
    for heading, (model, shared) in EXTENSIONS.items():
        own = {*model.model_fields} - {*rows(text, shared)}
        problems += [f"{heading}: {key}" for key in own ^ {*rows(text, heading)}]
    kinds, described = fault_keys(), rows(text, "Faults")
    for kind in {*kinds} ^ {*described}:
        problems.append(f"Faults: {kind}")
    for kind in {*kinds} & {*described}:
        if {*re.findall(r"`([^`]+)`", described[kind].split("|")[0])} != kinds[kind]:
            problems.append(f"keys of {kind}")
    names = {*re.findall(r"`([^`\n]+)`", text)}
    problems += [f"choice {c}" for c in choices(Scenario.model_json_schema()) if c not in names]
    return problems


def test_the_scenario_reference_is_complete() -> None:
    assert reference_problems(REFERENCE) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("| `time_limit` |", "| `time_limits` |", "The file: time_limit"),
        ("| `gain` |", "| gain in |", "Surrogate: gain"),
        ("| `closes` |", "| closed |", "Phase gating: closes"),
        ("| `after` | id of a step | the step it", "| after | id | the step it", "Expectations: after"),
        ("| `gate_lost` |", "| gate |", "Faults: gate_lost"),
        ("| `axis`, `per_second` |", "| `axis` |", "keys of axis_creep"),
        ("`press_emergency_stop`", "the stop", "choice press_emergency_stop"),
    ],
)
def test_reference_check_can_fail(old: str, new: str, problem: str) -> None:
    assert old in REFERENCE
    assert problem in reference_problems(REFERENCE.replace(old, new))


def result_problems(text: str, result: dict[str, Any]) -> list[str]:
    """Invariants and keys of a run.json that the reference does not describe, and the other way round."""
    problems = [
        f"invariant {i}" for i in {i["id"] for i in result["invariants"]} ^ {*rows(text, "Invariants")}
    ]
    described = rows(text, "run.json")
    problems += [f"run.json: {key}" for key in {*result} ^ {*described}]
    inner = {*described, *re.findall(r"`([^`]+)`", " ".join(described.values()))}
    return problems + [f"within run.json: {key}" for key in all_keys(result) - inner]


def test_invariants_and_results_are_described(folder: Path) -> None:
    interlock(["run", HEADLINE, "--out", "out"], folder)
    result = json.loads((folder / "out" / "run.json").read_text(encoding="utf-8"))
    assert len(result["invariants"]) > 10
    assert result_problems(REFERENCE, result) == []
    for old, problem in (
        ("| `records-agree` |", "invariant records-agree"),
        ("| `reproduce` |", "run.json: reproduce"),
        ("`table_digest`", "within run.json: table_digest"),
    ):
        assert problem in result_problems(REFERENCE.replace(old, "| other |"), result)
