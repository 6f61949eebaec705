"""Findings of cppcheck and its MISRA C:2012 add-on in the firmware core, and the justified deviations.

``make misra`` prints what is found and not justified::

    python -m tests.firmware_c.misra
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hil.boards.native import FIRMWARE

FILE = Path(__file__).with_name("deviations.yaml")
DEADLINE_S = 110
#: The board's own configuration, with the hooks for injected faults, which a release does not have.
DEFINES = ("-DIL_ONE_TABLE", "-DIL_INJECT")
CHECKS = "--enable=warning,style,performance,portability"


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a line does not keep."""

    rule: str  # "misra 10.4", "cppcheck zerodivcond"
    file: str
    line: int
    code: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.code}"


@dataclass(frozen=True, slots=True)
class Deviation:
    """Lines that may break a rule."""

    rule: str
    category: str  # of the rule: advisory, required; hint: of cppcheck
    title: str
    why: str
    where: dict[str, list[str]] | str

    def places(self) -> set[tuple[str, str]]:
        """(file, part of the line); ("", "") is everywhere."""
        if isinstance(self.where, str):
            return {("", "")}
        return {(file, part) for file, parts in self.where.items() for part in parts}


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return data


def deviations() -> list[Deviation]:
    return [Deviation(**entry) for entry in _data()["deviations"]]


def missing() -> str:
    """Why the core cannot be analysed here, "" when it can."""
    if shutil.which("cppcheck") is None:
        return "install cppcheck (Debian: apt-get install cppcheck)"
    said = subprocess.run(["cppcheck", "--version"], capture_output=True, text=True, timeout=60).stdout
    version = said.split()[-1]
    if version not in _data()["cppcheck"]:
        fitting = ", ".join(_data()["cppcheck"])
        return f"{FILE.name} is for cppcheck {fitting}, here is {version}, which finds other things"
    return ""


def findings(core: Path = FIRMWARE / "core") -> list[Finding]:
    """What cppcheck finds in every source of a folder. Raises RuntimeError when it cannot work."""
    sources = sorted(str(file) for file in core.glob("*.c"))
    includes = [f"-I{core}", f"-I{FIRMWARE / 'generated'}"]
    command = ["cppcheck", "--addon=misra", "--std=c99", CHECKS, "--quiet", *DEFINES, *includes]
    done = subprocess.run(
        [*command, "--template={file}:{line}:{id}:{message}", *sources],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    found = []
    for said in sorted(set(done.stderr.splitlines())):
        match = re.match(r"(.+?):(\d+):([\w.\-]+):", said)
        if match is None or match[3] in ("internalError", "syntaxError", "cppcheckError"):
            raise RuntimeError(f"cppcheck: {said}")
        path, line = Path(match[1]), int(match[2])
        code = path.read_text(encoding="utf-8").splitlines()[line - 1].strip()
        rule = match[3].replace("misra-c2012-", "misra ")
        found.append(Finding(rule if " " in rule else f"cppcheck {rule}", path.name, line, code))
    if done.returncode or done.stdout:
        raise RuntimeError(f"cppcheck: {done.stdout}{done.stderr}")
    return found


def not_justified(found: Iterable[Finding], allowed: Iterable[Deviation]) -> list[str]:
    """Findings without a deviation, and deviations without a finding."""
    wanted = {(deviation.rule, *place) for deviation in allowed for place in deviation.places()}
    used: set[tuple[str, str, str]] = set()
    problems = []
    for finding in found:
        fitting = {
            (rule, file, part)
            for rule, file, part in wanted
            if rule == finding.rule and (not file or (file == finding.file and part in finding.code))
        }
        used |= fitting
        if not fitting:
            problems.append(f"{finding}: not in {FILE.name}; change the line or justify it there")
    unused = [" ".join(place).rstrip() for place in sorted(wanted - used)]
    return problems + [f"{place}: in {FILE.name}, and not found any more; take it out" for place in unused]


def main() -> int:
    if missing():
        print(missing())
        return 1
    found = findings()
    problems = not_justified(found, deviations())
    print("\n".join([*problems, f"{len(found)} findings, {len(problems)} problems"]))
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
