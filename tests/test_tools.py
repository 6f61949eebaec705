"""What `make test` does about programs that tests need: install them, or name them and go on."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from hil.boards import KINDS

SCRIPT = Path(__file__).parents[1] / "tools" / "test_packages.sh"
PROGRAMS = ("bash", "env", "dirname", "mktemp", "rm", "tail", "timeout", "cat", "chmod", "sleep")


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    """The only folder on the path: a few programs, a user who is root, and no apt-get yet."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in PROGRAMS:
        found = shutil.which(name)
        if found is None:
            pytest.skip(f"no {name!r} command here")
        (folder / name).symlink_to(found)
    program(folder, "id", "echo 0")
    return folder


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!{folder / 'bash'}\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def run(bin_folder: Path, needs: str, limit: str = "60", **more: str) -> tuple[int, str]:
    packages = bin_folder.parent / "packages.txt"
    packages.write_text(f"# command package purpose\n\n{needs}\n", encoding="utf-8")
    done = subprocess.run(
        [bin_folder / "bash", SCRIPT],
        env={"PATH": str(bin_folder), "TEST_PACKAGES": str(packages), "TEST_PACKAGES_LIMIT": limit, **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
    )
    return done.returncode, done.stdout.decode()


def test_nothing_is_said_when_everything_is_there(bin_folder: Path) -> None:
    program(bin_folder, "apt-get", "echo called >&2; exit 1")
    assert run(bin_folder, "env coreutils paths") == (0, "")


def test_what_is_missing_is_installed(bin_folder: Path) -> None:
    log = bin_folder.parent / "calls.txt"
    program(
        bin_folder,
        "apt-get",
        f'echo "$DEBIAN_FRONTEND $*" >> {log}\n'
        f"case $* in *install*) printf '#!/bin/sh\\n' > {bin_folder}/toaster; "
        f"chmod +x {bin_folder}/toaster;; esac",
    )
    code, said = run(bin_folder, "toaster toaster-cli making toast\nenv coreutils paths")
    assert code == 0
    assert said == "installing for the tests: toaster-cli (apt-get, once; at most 60 s) ...\n"
    update, install = log.read_text(encoding="utf-8").splitlines()
    assert update.endswith("update")
    assert install.startswith("noninteractive ")
    assert install.endswith("install -y --no-install-recommends toaster-cli")
    assert run(bin_folder, "toaster toaster-cli making toast") == (0, "")


@pytest.mark.parametrize(
    ("apt", "user", "limit", "reason"),
    [
        (None, "0", "60", "no apt-get here"),
        ("exit 0", "1000", "60", "installing packages needs root"),
        ("echo E: no such package; exit 100", "0", "60", "E: no such package"),
        ("exec sleep 50", "0", "1", "took longer than 1 s"),
        ("exit 0", "0", "60", "installed, yet not found on PATH"),
    ],
)
def test_what_stays_missing_is_named_and_not_fatal(
    bin_folder: Path, apt: str | None, user: str, limit: str, reason: str
) -> None:
    program(bin_folder, "id", f"echo {user}")
    if apt is not None:
        program(bin_folder, "apt-get", apt)
    code, said = run(bin_folder, "toaster toaster-cli making toast", limit)
    assert code == 0
    assert reason in said
    assert "  toaster (package toaster-cli): making toast\n" in said
    assert "sudo apt-get update && sudo apt-get install toaster-cli" in said


GROUPS = """
[@(native|simavr:*)]
toaster toaster-cli making toast
[qemu:*]
kettle kettle-cli boiling water
"""


@pytest.mark.parametrize(
    ("board", "needs", "not_needed"),
    [
        ("native", "toaster-cli", "kettle"),
        ("simavr:atmega328p", "toaster-cli", "kettle"),
        ("qemu:lm3s6965evb", "kettle-cli", "toaster"),
    ],
)
def test_only_what_a_board_needs_is_installed_for_it(
    bin_folder: Path, board: str, needs: str, not_needed: str
) -> None:
    code, said = run(bin_folder, GROUPS, TEST_PACKAGES_FOR=board)
    assert code == 0
    assert f"no apt-get here; the board {board} needs:" in said
    assert needs in said
    assert not_needed not in said


@pytest.mark.parametrize("board", ["model", "virtual", "/dev/ttyACM0"])
def test_a_board_that_needs_nothing_says_nothing(bin_folder: Path, board: str) -> None:
    assert run(bin_folder, GROUPS, TEST_PACKAGES_FOR=board) == (0, "")


def test_without_a_board_all_groups_are_meant(bin_folder: Path) -> None:
    said = run(bin_folder, GROUPS)[1]
    assert "toaster-cli" in said
    assert "kettle-cli" in said


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_list_knows_every_kind_of_board(bin_folder: Path, kind: str) -> None:
    """On a computer without anything, it names what the board itself says is missing."""
    needs = (SCRIPT.parent / "board_packages.txt").read_text(encoding="utf-8")
    said = run(bin_folder, needs, TEST_PACKAGES_FOR=kind)[1]
    wanted = {
        "native": ["gcc"],
        "process": ["gcc"],
        "qemu": ["make", "qemu-system-arm", "gcc-arm-none-eabi"],
        "simavr": ["make", "gcc", "gcc-avr"],
    }.get(kind.partition(":")[0], [])
    assert [package for package in wanted if f"package {package})" not in said] == []
    assert wanted or said == ""
