"""Quick checks of the firmware core, whatever it was built from and with: what verification drives it with.

Coverage, sanitizers and the planted faults all use these same checks; ``test_checks.py`` runs them on the
core as it is. One by one, on other sources or with other options::

    python -m tests.firmware_c.checks --firmware hil/firmware --options="-O1" framing seal
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from firmware_model.table_loading import load_table
from hil.boards.native import FIRMWARE, Library
from tests.firmware_c.bench import Bench
from tests.firmware_c.build import DoesNotBuild, build_bench, build_library

ROOT = Path(__file__).parents[2]
#: Of the slow library.
PIECES_A_SCAN = 8


@dataclass
class Core:
    """One build of the core, compiled where it is needed first."""

    folder: Path
    options: Sequence[str] = ("-O1",)
    firmware: Path = FIRMWARE

    @cached_property
    def library_path(self) -> Path:
        return build_library(self.folder, self.options, self.firmware)

    @cached_property
    def library(self) -> Library:
        return Library(self.library_path)

    @cached_property
    def slow_library(self) -> Library:
        """With a few pieces of the table checked before a scan, as on an 8-bit chip."""
        options = [*self.options, f"-DIL_PIECES_A_SCAN={PIECES_A_SCAN}u"]
        return Library(build_library(self.folder, options, self.firmware, name="slow.so"))

    @cached_property
    def bench(self) -> Bench:
        """With the reference table."""
        return self._bench(packed=False)

    @cached_property
    def packed_bench(self) -> Bench:
        """The same with structures without gaps."""
        return self._bench(packed=True)

    def _bench(self, packed: bool) -> Bench:
        table = load_table()
        path = build_bench(self.folder, table, self.options, self.firmware, packed)
        return Bench(path, len(table.interlocks), packed)


Check = Callable[[Core], None]


def all_checks() -> dict[str, Check]:
    """Every check by its name; each raises an exception that says what is wrong."""
    from tests.firmware_c import (
        check_board,
        check_core,
        check_memory,
        check_sequences,
        check_table,
        check_wire,
    )

    modules = (check_wire, check_board, check_memory, check_table, check_core, check_sequences)
    return {name: check for module in modules for name, check in module.CHECKS.items()}


def main(words: Sequence[str]) -> int:
    """Exit code 0: all passed. 1: one did not, and what it found is printed. 2: it does not build."""
    parser = argparse.ArgumentParser(prog="tests.firmware_c.checks")
    parser.add_argument("names", nargs="*", choices=[[], *all_checks()], help="all when none is given")
    parser.add_argument("--firmware", type=Path, default=FIRMWARE)
    parser.add_argument("--options", default="-O1", help="of the compiler, separated by blanks")
    parser.add_argument("--into", type=Path, help="folder for what is built")
    wanted = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        core = Core(wanted.into or Path(folder), wanted.options.split(), wanted.firmware)
        for name in wanted.names or all_checks():
            try:
                all_checks()[name](core)
            except DoesNotBuild as problem:
                print(f"does not build: {problem}")
                return 2
            except Exception as problem:  # noqa: BLE001 - whatever a check raises is what it found
                print(f"{name}: {type(problem).__name__}: {problem}")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
