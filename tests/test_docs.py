"""The documentation says what the program does: commands run, links resolve, references are complete."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner

from cli.main import main
from sim import faults
from sim.scenario import schema
from sim.scenario.invariants import judge_all
from tests.sim.short_session import arc, run

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = sorted(
    {
        line.removeprefix("$ ").strip()
        for page in PAGES
        for block in re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL)
        for line in block.splitlines()
        if line.startswith("$ interlock")
    }
)


def test_the_readme_shows_commands() -> None:
    assert len(COMMANDS) >= 3


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_documentation_runs(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, _, comment = command.partition("#")
    expected = int(found.group(1)) if (found := re.search(r"exit code (\d)", comment)) else 0
    arguments = shlex.split(words)[1:]
    if arguments[0] == "run":
        arguments += ["--out", str(tmp_path)]
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == expected, result.output


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_scenario_reference_is_complete() -> None:
    text = (ROOT / "docs" / "scenarios.md").read_text()
    names = {n for m in (schema.Scenario, schema.Step, schema.At, schema.Expectation) for n in m.model_fields}
    for fault in get_args(get_args(faults.Fault)[0]):
        names |= {get_args(fault.model_fields["kind"].annotation)[0], *fault.model_fields} - {"kind"}
    names |= {verdict.id for verdict in judge_all(run(beams=(arc(),)).world)}
    assert sorted(name for name in names if f"`{name}`" not in text) == []
