"""Which lines and branches of the firmware core the checks reach, counted by the compiler.

``make coverage`` prints the table::

    python -m tests.firmware_c.coverage

The core is built as library, bench and process with counters in it, driven by every check and over the
wire of the process, and read with ``gcov``. A line or branch counts when any of the three took it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from firmware_model.table_loading import load_table
from hil.boards.native import FIRMWARE, compiler_here
from hil.conformance import rules_of_the_wire
from hil.transport import ProcessTransport
from tests.firmware_c.build import build_program

ROOT = Path(__file__).parents[2]
OPTIONS = ("-O0", "--coverage")
DEADLINE_S = 100


class NotCounted(Exception):
    """The checks did not run to their end, or gcov does not read what they left."""


@dataclass
class File:
    """Counts of one source file; a branch is known by its line and its place in it."""

    lines: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    branches: dict[tuple[int, int, int], int] = field(default_factory=lambda: defaultdict(int))

    @property
    def missed(self) -> list[int]:
        return sorted(line for line, count in self.lines.items() if not count)

    @property
    def half_taken(self) -> list[int]:
        """Lines with a branch that was never taken."""
        return sorted({line for (line, *_), count in self.branches.items() if not count})


def missing() -> str:
    """What has to be installed, "" when coverage can be measured here."""
    compiler = compiler_here()
    if compiler is None:
        return "install a C compiler (Debian: apt-get install gcc libc6-dev)"
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, timeout=60).stdout
    if "Free Software Foundation" not in version:
        return f"coverage is counted by gcc and gcov; the compiler here is {version.splitlines()[0]}"
    return "" if shutil.which("gcov") else "install gcov, which comes with gcc"


def measure(*checks: str) -> dict[str, File]:
    """Coverage of every file of the core, by its name; of some checks only if they are named.

    Raises NotCounted.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # In a process of its own: the counts are written when it ends.
        done = subprocess.run(
            [sys.executable, "-m", "tests.firmware_c.coverage", "--drive", name, *checks],
            cwd=ROOT,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
        )
        if done.returncode:
            raise NotCounted(f"the checks did not run to their end:\n{done.stdout}{done.stderr}")
        return collect(folder)


def drive(folder: Path, names: list[str]) -> None:
    """Everything that is counted: the checks on library and bench, then the process over its wire."""
    from tests.firmware_c.checks import Core, all_checks

    core = Core(folder, OPTIONS)
    for name in names or all_checks():
        all_checks()[name](core)
    if names:
        return
    table = load_table()
    program = build_program(folder, table, (*OPTIONS, '-DIL_BUILD_ID="short"'))
    with ProcessTransport([str(program)], "counted firmware") as transport:
        for result in rules_of_the_wire(transport, table):
            if not result.passed:
                raise NotCounted(f"{result.name}: {result.detail}")


def collect(folder: Path) -> dict[str, File]:
    """Add up what every build has left in ``folder``."""
    found: dict[str, File] = defaultdict(File)
    counts = sorted(file.name for file in folder.glob("*.gcda"))
    done = subprocess.run(
        ["gcov", "--json-format", "--stdout", "--branch-probabilities", *counts],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    if done.returncode or not counts:
        raise NotCounted(f"gcov does not read the counts: {done.stderr or 'there are none'}")
    for report in done.stdout.splitlines():
        for file in json.loads(report)["files"]:
            path = Path(file["file"])
            if path.parent == FIRMWARE / "core":
                _add(found[path.name], file["lines"])
    return dict(sorted(found.items()))


def _add(file: File, lines: list[dict[str, object]]) -> None:
    for line in lines:
        number, branches = line["line_number"], line["branches"]
        assert isinstance(number, int)
        assert isinstance(branches, list)
        file.lines[number] += line["count"]  # type: ignore[operator]
        for place, branch in enumerate(branches):
            file.branches[number, len(branches), place] += branch["count"]


def table_of(files: dict[str, File]) -> Iterator[str]:
    """Lines of a table for people."""
    yield f"{'file':<20} {'lines':>11} {'branches':>13}   not reached"
    total_lines: list[int] = []
    total_branches: list[int] = []
    for name, file in files.items():
        lines, branches = list(file.lines.values()), list(file.branches.values())
        total_lines += lines
        total_branches += branches
        missed = [f"line {line}" for line in file.missed]
        missed += [f"branch of {line}" for line in file.half_taken if line not in file.missed]
        yield f"{name:<20} {_share(lines):>11} {_share(branches):>13}   {', '.join(missed)}".rstrip()
    yield f"{'all':<20} {_share(total_lines):>11} {_share(total_branches):>13}"


def _share(counts: list[int]) -> str:
    return f"{sum(map(bool, counts))} of {len(counts)}"


def main(words: list[str]) -> None:
    if words[:1] == ["--drive"]:
        drive(Path(words[1]), words[2:])
    elif missing():
        raise SystemExit(missing())
    else:
        print("\n".join(table_of(measure())))


if __name__ == "__main__":
    main(sys.argv[1:])
