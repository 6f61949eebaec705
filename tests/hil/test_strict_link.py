"""``interlock run --strict-link``: a lost reply ends the run instead of being asked for again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from firmware_model.table_loading import load_table
from hil.boards import virtual
from hil.device import Device
from hil.link import Patience
from hil.messages import MESSAGES

SCENARIO = Path(__file__).parents[2] / "scenarios" / "faults" / "power_dip.yaml"

if virtual.missing():
    pytest.skip(virtual.missing(), allow_module_level=True)


class LosesOneReply(Device):
    """The reply to one RUN in the middle of the session never leaves the board."""

    runs = 0

    def _handle(self, body: bytes) -> bytes:
        answer = super()._handle(body)
        self.runs += body[1] == MESSAGES["RUN"].number
        return b"" if self.runs == 40 else answer


@pytest.fixture
def ports() -> Iterator[dict[str, str]]:
    with ExitStack() as resources:
        boards = {"good": Device, "bad": LosesOneReply}
        yield {
            name: virtual.on_socket(kind(load_table()).take, resources).name for name, kind in boards.items()
        }


def run(out: Path, board: str, *more: str) -> Result:
    return CliRunner().invoke(
        main, ["run", str(SCENARIO), "--board", board, "--out", str(out), "--quiet", *more]
    )


def test_a_lost_reply_is_asked_for_again_unless_the_link_is_strict(
    ports: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Patience.__init__, "__defaults__", (0.3, 4, 6.0, 0.25))  # the loss costs one wait
    tolerant = run(tmp_path, ports["bad"])
    assert tolerant.exit_code == 0, tolerant.output
    assert "sent again" in tolerant.output


def test_a_lost_reply_ends_a_strict_run(
    ports: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Patience.__init__, "__defaults__", (0.3, 4, 6.0, 0.25))
    strict = run(tmp_path, ports["bad"], "--strict-link")
    assert strict.exit_code == 4
    assert "no answer to RUN after 1 attempts" in strict.output
    assert json.loads((tmp_path / "run.json").read_text())["verdict"] == "RIG_ERROR"


def test_a_line_that_loses_nothing_passes_strictly(ports: dict[str, str], tmp_path: Path) -> None:
    assert run(tmp_path, ports["good"], "--strict-link").exit_code == 0
    assert "--strict-link" in json.loads((tmp_path / "run.json").read_text())["reproduce"]


def test_a_board_without_a_wire_cannot_be_strict(tmp_path: Path) -> None:
    refused = run(tmp_path, "model", "--strict-link")
    assert refused.exit_code == 2
    assert "has no wire" in refused.output
