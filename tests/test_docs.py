"""The documentation says what the program does: commands run, links resolve, references are complete."""

from __future__ import annotations

import re
import shlex
import shutil
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
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL), 1)
]


def test_the_documentation_shows_commands() -> None:
    assert len(BLOCKS) >= 3


@pytest.mark.parametrize("block", BLOCKS)
def test_the_commands_of_a_block_run_and_exit_as_shown(
    block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``$ echo $?`` and the line below it state the exit code of the command before; 0 otherwise."""
    for folder in ("scenarios", "firmware_model"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path)
    lines = block.splitlines()
    codes: list[int] = []
    shown: list[int] = []
    for number, line in enumerate(lines):
        if not line.startswith("$ "):
            continue
        words = shlex.split(line[2:], comments=True)
        if words == ["echo", "$?"]:
            shown[-1] = int(lines[number + 1])
        elif words[0] == "cp":
            shutil.copy(words[1], words[2])
        else:
            assert words[0] == "interlock", line
            codes.append(CliRunner().invoke(main, words[1:]).exit_code)
            shown.append(0)
    assert codes
    assert codes == shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_scenario_reference_is_complete() -> None:
    text = (ROOT / "docs" / "scenarios.md").read_text()
    models = (schema.Scenario, schema.Step, schema.At, schema.Expectation)
    names = {name for model in models for name in model.model_fields}
    for fault in get_args(get_args(faults.Fault)[0]):
        names |= {get_args(fault.model_fields["kind"].annotation)[0], *fault.model_fields} - {"kind"}
    names |= {verdict.id for verdict in judge_all(run(beams=(arc(),)).world)}
    assert sorted(name for name in names if f"`{name}`" not in text) == []
