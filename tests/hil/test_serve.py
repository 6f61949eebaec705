"""A board offered as a port by one program is used by another, and both end cleanly."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from firmware_model.table_loading import load_table
from hil.board import RemoteController
from hil.boards import process, start_board
from hil.errors import WrongTable
from hil.transport import transport_for
from tests.hil.carriers import children, nothing_left_behind

TABLE = load_table()
PROGRAM = Path(sys.executable).with_name("interlock")
SCENARIO = Path(__file__).parents[2] / "scenarios" / "faults" / "power_dip.yaml"


@contextmanager
def serving(*words: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The port that ``interlock board serve`` announces, and its process."""
    with subprocess.Popen(
        [PROGRAM, "board", "serve", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()  # ends at the latest when the server does
            found = re.match(r"board \w+ at (\S+); ctrl-c ends it", line)
            assert found, line
            yield found[1], server
        finally:
            server.kill()


@pytest.mark.parametrize(
    "words", [("virtual", "--socket", "0"), ("virtual", "--pty"), ("process", "--socket", "0")]
)
def test_a_served_board_is_a_port(words: tuple[str, ...]) -> None:
    if words[0] == "process" and process.missing():
        pytest.skip(process.missing())
    with nothing_left_behind(), serving(*words) as (port, server):
        for _ in range(2):  # hosts come and go
            with start_board(port, TABLE) as board:
                assert board.controller.scan is not None
                assert board.controller.retained.boot_count == 1
        server.send_signal(signal.SIGINT)
        output, _ = server.communicate(timeout=30)
        assert (server.returncode, output) == (0, "ended\n")


def test_a_scenario_and_the_conformance_tests_use_a_served_board(tmp_path: Path) -> None:
    with serving("virtual", "--socket", "0") as (port, _):
        run = subprocess.run(
            [PROGRAM, "run", SCENARIO, "--board", port, "--quiet", "--out", tmp_path],
            capture_output=True, text=True, timeout=100,
        )  # fmt: skip
        assert (run.returncode, run.stdout) == (0, "PASS\n"), run.stderr
        with transport_for(port) as transport, pytest.raises(WrongTable):
            RemoteController(transport, TABLE.without("DOOR_OPEN"))
    before = children()
    gone = subprocess.run([PROGRAM, "board", "conformance", port], capture_output=True, text=True, timeout=60)
    assert gone.returncode == 4
    assert "nobody listens there" in gone.stderr
    assert children() == before


@pytest.mark.skipif(bool(process.missing()), reason=process.missing())
def test_the_conformance_command_tells_test_by_test() -> None:
    done = subprocess.run(
        [PROGRAM, "board", "conformance", "process", "--steps", "5"],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *lines, last = done.stdout.splitlines()
    assert last == f"{len(lines)} tests passed, 0 failed"
    assert "passed  interlock DOOR_OPEN around its limit" in lines
    assert "passed  wire: repeated request" in lines


def test_what_has_no_wire_is_not_served() -> None:
    done = subprocess.run([PROGRAM, "board", "serve", "model"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "has no wire" in done.stderr
