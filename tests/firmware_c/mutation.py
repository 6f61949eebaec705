"""Mistakes planted in the firmware core, and whether the checks notice them.

``make mutations`` plants all of them and prints a table::

    python -m tests.firmware_c.mutation [NAME ...]

Which mistakes there are stands in ``mutations.yaml``. Each is planted in a copy of the sources, which is
built and given to the one check that is to notice it, in a process of its own: it may crash or hang.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from hil.boards.native import FIRMWARE

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILE = HERE / "mutations.yaml"
#: A check takes seconds; one that takes longer hangs in what was planted.
DEADLINE_S = 100


class NotPlanted(Exception):
    """The source is not what the mistake was written for, or does not build with it."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A mistake: ``old`` in ``file`` becomes ``new``."""

    name: str
    why: str
    file: str
    old: str
    new: str
    caught_by: str


def mutations() -> dict[str, Mutation]:
    found = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {name: Mutation(name, **fields) for name, fields in found.items()}


def plant(mutation: Mutation, firmware: Path) -> None:
    """Make the mistake in a copy of the firmware. Raises NotPlanted."""
    path = firmware / "core" / mutation.file
    text = path.read_text(encoding="utf-8")
    # Indentation does not count.
    pattern = r"\n *".join(re.escape(line.strip()) for line in mutation.old.splitlines())
    times = len(re.findall(pattern, text))
    if times != 1:
        raise NotPlanted(
            f"{mutation.name}: its old text stands {times} times in {mutation.file}, expected once; bring "
            f"{FILE.name} up to date:\n{mutation.old}"
        )
    path.write_text(re.sub(pattern, lambda _: mutation.new, text), encoding="utf-8")


def noticed(mutation: Mutation) -> str:
    """What the check says about the mistake, "" when it passes. Raises NotPlanted."""
    with tempfile.TemporaryDirectory() as folder:
        firmware = Path(folder) / "firmware"
        for part in ("core", "generated", "ports/native"):
            shutil.copytree(FIRMWARE / part, firmware / part)
        plant(mutation, firmware)
        command = [sys.executable, "-m", "tests.firmware_c.checks", "--firmware", str(firmware)]
        command.append("--options=-O1 -Wno-error")  # a warning may be what a mistake leaves behind
        try:
            done = subprocess.run(
                [*command, mutation.caught_by], cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_S
            )
        except subprocess.TimeoutExpired:
            return f"{mutation.caught_by}: does not come to its end within {DEADLINE_S} s"
    if done.returncode < 0:
        return f"{mutation.caught_by}: ends by {signal.Signals(-done.returncode).name}"
    if done.returncode == 0:
        return ""
    if done.returncode != 1 or not done.stdout:
        raise NotPlanted(f"{mutation.name}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


def table_of(wanted: list[Mutation]) -> Iterator[str]:
    """A line a mistake as it is tried."""
    for mutation in wanted:
        said = noticed(mutation).splitlines()
        yield f"{mutation.name:<36} {said[0][:150] if said else 'NOT NOTICED by ' + mutation.caught_by}"


def main(words: list[str]) -> int:
    """Exit code 1: one was not noticed."""
    known = mutations()
    missed = tried = 0
    for line in table_of([known[word] for word in words or known]):
        print(line, flush=True)
        tried += 1
        missed += "NOT NOTICED" in line
    print(f"{tried} mistakes planted, {tried - missed} noticed")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
