"""The repository itself: a complete lock file, clean sources, and packages that keep their distance.

The firmware model must run without the simulator around it, and a run must be reproducible. Both are
properties of what the modules import, so they are checked on the syntax trees; nothing is imported here.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PACKAGES = ("sim", "firmware_model", "hil", "cli")
LOCK = (ROOT / "requirements.lock").read_text()

# Not part of the sources; only consulted where git cannot tell (an unpacked archive).
GENERATED_DIRECTORIES = {
    ".git", ".venv", "runs", "build", "dist", "__pycache__",
    ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis",
}  # fmt: skip


# --- lock file --------------------------------------------------------------------------------


PLACE = re.compile(r"//|file:/|--(index|extra-index|find-links|trusted-host)|(^|\s)/\w")


def locked_versions(lock: str) -> dict[str, str]:
    return {canonicalize_name(n): v for n, v in re.findall(r"^([\w.\-]+)==([^\s;\\]+)", lock, re.MULTILINE)}


def lock_problems(lock: str, requirements: list[str]) -> list[str]:
    versions = locked_versions(lock)
    problems = []
    for requirement in map(Requirement, requirements):
        version = versions.get(canonicalize_name(requirement.name))
        if version is None:
            problems.append(f"{requirement.name} is not locked")
        elif not requirement.specifier.contains(version, prereleases=True):
            problems.append(f"{requirement} does not admit the locked {version}")
    # One entry is the pin, its hashes and its "# via" lines, up to the next line at the margin.
    for entry in re.findall(r"^\w[^\n]*(?:\n[ ]+[^\n]*)*", lock, re.MULTILINE):
        if "--hash=sha256:" not in entry:
            problems.append(f"no hash: {entry.splitlines()[0]}")
    # An index or a path works only on the machine where the file was written.
    problems += [f"names a place: {line}" for line in lock.splitlines() if PLACE.search(line)]
    return problems


def declared_requirements() -> list[str]:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = pyproject["project"]
    extras = [r for group in project["optional-dependencies"].values() for r in group]
    # editables is what hatchling asks for when the project is installed editable.
    return [*project["dependencies"], *extras, *pyproject["build-system"]["requires"], "editables"]


def test_lock_covers_every_dependency_and_names_no_place() -> None:
    assert lock_problems(LOCK, declared_requirements()) == []


@pytest.mark.parametrize(
    ("lock", "problem"),
    [
        ("click==8.1 \\\n    --hash=sha256:0\n", "rich is not locked"),
        (
            "click==8.1 \\\n    --hash=sha256:0\nrich==12.0 \\\n    --hash=sha256:0\n",
            "rich>=13 does not admit the locked 12.0",
        ),
        ("click==8.1 \\\n    --hash=sha256:0\nrich==13.0\n", "no hash: rich==13.0"),
        (
            "--find-links /x\nclick==8.1 \\\n    --hash=sha256:0\nrich==13.0 \\\n    --hash=sha256:0\n",
            "names a place: --find-links /x",
        ),
        (
            "click==8.1 \\\n    --hash=sha256:0\nrich @ https://x/r.whl \\\n    --hash=sha256:0\n",
            "names a place: rich @ https://x/r.whl \\",
        ),
    ],
)
def test_lock_check_can_fail(lock: str, problem: str) -> None:
    assert problem in lock_problems(lock, ["click>=8", "rich>=13"])


# --- tracked files ----------------------------------------------------------------------------


def tracked_files() -> list[str] | None:
    """Paths git knows, or None where there is no git or no checkout."""
    # safe.directory: in a container the checkout often belongs to another user.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.rstrip("\0").split("\0")


def source_files() -> Iterator[Path]:
    tracked = tracked_files()
    if tracked is not None:
        # A file deleted but not yet committed is still listed.
        yield from (path for name in tracked if (path := ROOT / name).is_file())
        return
    for directory, subdirectories, names in os.walk(ROOT):
        subdirectories[:] = [d for d in subdirectories if d not in GENERATED_DIRECTORIES]
        yield from (Path(directory, name) for name in names)


BUILD_PRODUCT = re.compile(
    r"(^|/)(__pycache__|build|dist|runs|htmlcov|\.venv|\.(pytest|mypy|ruff)_cache|\.hypothesis|[^/]*\.egg-info)/"
    r"|\.(pyc|pyo|whl|so|o|vcd|log)$|(^|/)\.coverage$"
)


def test_no_build_product_is_tracked() -> None:
    tracked = tracked_files()
    if tracked is None:
        pytest.skip("not a git checkout, or git is not installed")
    assert [name for name in tracked if BUILD_PRODUCT.search(name)] == []


@pytest.mark.parametrize(
    "name", ["sim/__pycache__/a.cpython-311.pyc", "dist/x.whl", "runs/a/report.html", "x.egg-info/PKG-INFO"]
)
def test_build_product_check_can_fail(name: str) -> None:
    assert BUILD_PRODUCT.search(name)


# Assembled, so that this file passes its own check.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME"]) + r")\b")
# Not preceded by more path: "https://example.org/work/" and "docs/work/" are no machine's paths.
MACHINE_PATH = re.compile(r"(?<![\w.\-~])/(work|root|home|Users)" + "/")


def text_problems(text: str) -> list[str]:
    return [
        f"line {number}: {match.group()}"
        for number, line in enumerate(text.splitlines(), 1)
        for needle in (UNFINISHED, MACHINE_PATH)
        if (match := needle.search(line))
    ]


def test_sources_are_finished_and_free_of_machine_paths() -> None:
    problems = []
    for path in source_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # an image, say
        problems += [f"{path.relative_to(ROOT)}, {problem}" for problem in text_problems(text)]
    assert problems == []


@pytest.mark.parametrize(
    "text",
    ["# TO" + "DO: later", "FIX" + "ME", 'open("/wo' + 'rk/x")', "cd /ro" + "ot/x", "see /ho" + "me/me/x"],
)
def test_text_check_can_fail(text: str) -> None:
    assert text_problems(text)


# --- imports ----------------------------------------------------------------------------------

FORBIDDEN_IMPORTS = {
    # What would run on the controller knows nothing of simulators, hosts or wires.
    "firmware_model": {"sim", "hil", "cli", "simpy", "serial"},
    "hil": {"sim", "cli"},
    "sim": {"hil", "cli", "serial"},
    "cli": set(),
}

WALL_CLOCK = re.compile(r"time(\..*)?|datetime\.(datetime\.(now|utcnow|today)|date\.today)")
# A random.Random made with a seed is reproducible; the module's own functions share a hidden one.
UNSEEDED_RANDOM = re.compile(r"random\.(?!Random\b).*")


def imported_names(tree: ast.AST, module: str) -> Iterator[tuple[str, str]]:
    """(name in this module, full dotted name) for every import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                # `import a.b` binds a.
                yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
                yield "", alias.name
        elif isinstance(node, ast.ImportFrom):
            package = module.split(".")[: -node.level] if node.level else []
            source = ".".join([*package, *([node.module] if node.module else [])])
            for alias in node.names:
                yield alias.asname or alias.name, f"{source}.{alias.name}" if source else alias.name


def used_names(tree: ast.AST, module: str) -> Iterator[str]:
    """Full dotted names of everything imported and of every attribute reached from an import."""
    bound = {}
    for local, full in imported_names(tree, module):
        yield full
        if local:
            bound[local] = full
    for node in ast.walk(tree):
        parts = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if parts and isinstance(node, ast.Name) and node.id in bound:
            yield ".".join([bound[node.id], *reversed(parts)])


def unseeded_generators(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not node.args and not node.keywords:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name == "Random":
                yield node.lineno


def import_problems(path: str, source: str) -> list[str]:
    """What the module at `path`, relative to the repository, may not import or call."""
    tree = ast.parse(source)
    parts = Path(path).with_suffix("").parts
    package = parts[0]
    names = set(used_names(tree, ".".join(parts)))
    problems = [
        f"{package} may not import {name}"
        for name in names
        if name.split(".")[0] in FORBIDDEN_IMPORTS.get(package, set())
    ]
    if package in PACKAGES and package != "hil" and path != "sim/clock.py":
        problems += [f"wall clock: {name}" for name in names if WALL_CLOCK.fullmatch(name)]
    problems += [f"shared random generator: {name}" for name in names if UNSEEDED_RANDOM.fullmatch(name)]
    problems += [f"random.Random without a seed, line {line}" for line in unseeded_generators(tree)]
    return [f"{path}: {problem}" for problem in sorted(problems)]


def test_imports_keep_direction_clock_and_seed() -> None:
    problems = []
    for directory in (*PACKAGES, "tests"):
        for path in sorted((ROOT / directory).rglob("*.py")):
            problems += import_problems(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    assert problems == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("firmware_model/a.py", "from sim.clock import Clock"),
        ("firmware_model/a.py", "import simpy"),
        ("firmware_model/a.py", "def f():\n    import serial.tools"),
        ("firmware_model/b/a.py", "from ...hil import link"),
        ("hil/a.py", "import sim.machine as machine"),
        ("hil/a.py", "from cli import main"),
        ("sim/a.py", "import hil"),
        ("sim/a/b.py", "from serial import Serial"),
        ("sim/a.py", "import time"),
        ("sim/a.py", "from time import sleep"),
        ("cli/a.py", "import time as clock"),
        ("sim/a.py", "import datetime\ndatetime.datetime.now(datetime.UTC)"),
        ("sim/a.py", "from datetime import datetime as dt\ndt.utcnow()"),
        ("sim/a.py", "from datetime import date\ndate.today()"),
        ("sim/a.py", "import random\nrandom.random()"),
        ("hil/a.py", "from random import choice"),
        ("tests/a.py", "import random as r\nr.seed(1)"),
        ("sim/a.py", "import random\nrandom.Random()"),
        ("sim/a.py", "from random import Random\nRandom()"),
    ],
)
def test_import_check_can_fail(path: str, source: str) -> None:
    assert import_problems(path, source)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("sim/clock.py", "import time"),
        ("hil/a.py", "import time, serial\nfrom datetime import datetime\ndatetime.now()"),
        ("sim/a.py", "import random\nrandom.Random(1).random()"),
        ("sim/a.py", "from datetime import datetime\ndatetime.fromisoformat('2025-01-01').time()"),
        ("sim/a/b.py", "from . import c\nfrom ..machine import Machine\nfrom firmware_model import table"),
        ("cli/a.py", "import sim, hil, firmware_model"),
    ],
)
def test_import_check_admits(path: str, source: str) -> None:
    assert import_problems(path, source) == []


def test_every_package_is_checked() -> None:
    """A renamed or new package must not slip out of the rules above."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    shipped: list[str] = pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert set(shipped) == set(PACKAGES) == set(FORBIDDEN_IMPORTS)
