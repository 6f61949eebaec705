"""A language server with the project's schemas, installed on first use from the lock file beside this."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_model.table_loading import load_table
from sim.editor_schemas import KINDS, editor_schema
from tests.editor.language_server import LanguageServer

HERE = Path(__file__).parent
INSTALLED = HERE.parents[1] / "build" / "editor-tests"
INSTALL_DEADLINE_S = 100

# What npm calls it when the registry cannot be reached; anything else is a fault of the lock file.
NO_CONNECTION = re.compile(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH")


def install() -> Path:
    """The server's program, installed once for all test processes. Skips where that is impossible."""
    for command in ("node", "npm"):
        if shutil.which(command) is None:
            pytest.skip(f"no {command!r} command: the editor's language server runs on Node.js")
    wanted = (HERE / "package-lock.json").read_text(encoding="utf-8")
    stamp = INSTALLED / "installed-from.json"
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with (INSTALLED / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # freed by the holder's end at the latest; npm has a deadline
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
            stamp.unlink(missing_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, INSTALLED / name)
            try:
                done = subprocess.run(
                    ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                    cwd=INSTALLED,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    timeout=INSTALL_DEADLINE_S,
                )
            except subprocess.TimeoutExpired:
                pytest.skip(f"npm did not install the language server within {INSTALL_DEADLINE_S} s")
            said = done.stdout.decode("utf-8", "replace")
            if done.returncode and (reason := NO_CONNECTION.search(said)):
                pytest.skip(f"npm cannot reach its registry ({reason[0]}): no language server to test with")
            assert done.returncode == 0, f"npm ci failed:\n{said}"
            stamp.write_text(wanted, encoding="utf-8")
    return INSTALLED / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    program = install()
    folder = tmp_path_factory.mktemp("editor")
    schemas = {}
    for kind in KINDS:
        schemas[kind] = folder / f"{kind}.schema.json"
        schemas[kind].write_text(json.dumps(editor_schema(kind, load_table())), encoding="utf-8")
    with LanguageServer(program, folder, schemas) as started:
        yield started
