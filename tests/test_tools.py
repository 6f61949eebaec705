"""What `make test` does about programs that tests need: install them, or name them and go on."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

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


def run(bin_folder: Path, needs: str, limit: str = "60") -> tuple[int, str]:
    packages = bin_folder.parent / "packages.txt"
    packages.write_text(f"# command package purpose\n\n{needs}\n", encoding="utf-8")
    done = subprocess.run(
        [bin_folder / "bash", SCRIPT],
        env={"PATH": str(bin_folder), "TEST_PACKAGES": str(packages), "TEST_PACKAGES_LIMIT": limit},
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
