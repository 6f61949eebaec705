"""A board that is a process does not outlive who started it, not even when that is killed outright."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hil.boards import KINDS

STARTED_S, GONE_S = 60.0, 20.0
OWNER = """
import sys, time
from firmware_model.table_loading import load_table
from hil.boards import start_board
board = start_board(sys.argv[1], load_table())
transport = board.controller.link.transport
print(getattr(transport, "emulator", transport).pid, flush=True)
sys.stdin.read()
"""


def is_running(pid: int) -> bool:
    """Linux keeps a process nobody waits for; a zombie has ended all the same."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc of Linux")
@pytest.mark.parametrize("kind", ["process", "qemu:lm3s6965evb", "qemu:mps2-an385", "simavr:atmega328p"])
def test_it_ends_with_its_owner(kind: str) -> None:
    lacking = KINDS[kind].missing()
    if lacking or (kind.startswith("qemu") and shutil.which("setpriv") is None):
        pytest.skip(f"{kind}: {lacking or 'no setpriv here (Debian: util-linux)'}")
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        assert select.select([owner.stdout], [], [], STARTED_S)[0], f"{kind} has not started"
        pid = int(owner.stdout.readline())
        assert is_running(pid)
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait(GONE_S)
        deadline = time.monotonic() + GONE_S
        while is_running(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        survived = is_running(pid)
        if survived:
            os.kill(pid, signal.SIGKILL)
        assert not survived, f"{kind} outlives its owner"
