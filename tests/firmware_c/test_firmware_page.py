"""The page about the firmware is true: its tables are those of the checks, its commands exist."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "firmware.md").read_text(encoding="utf-8")
CORE = ROOT / "hil" / "firmware" / "core"


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("firmware_page", ROOT / "tools" / "firmware_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_parts_are_fresh() -> None:
    assert tool().page_as_it_should_be(PAGE) == PAGE, "stale: run `python tools/firmware_page.py`"


def test_a_page_without_its_marks_is_not_taken_for_fresh() -> None:
    with pytest.raises(ValueError, match=r"firmware\.md has no part"):
        tool().page_as_it_should_be(PAGE.replace("<!-- generated: checks -->", ""))


def test_every_file_of_the_core_is_in_the_table_and_nothing_else() -> None:
    structure = PAGE.partition("## Structure")[2].partition("## Memory")[0]
    named = {
        name for row in re.findall(r"^\| (`il_.*?) \|", structure, re.M) for name in re.findall(r"\w+", row)
    }
    files = {file.stem for file in CORE.glob("*.[ch]")} | {"il_wire"}
    assert named == files


def test_what_is_said_about_the_language_is_true() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in CORE.glob("*.[ch]"))
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    assert re.findall(r"\b(malloc|calloc|free|goto|float|double|setjmp|longjmp)\b", code) == []


def test_its_commands_are_targets() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^(\w+):", makefile, re.M))
    assert set(re.findall(r"`make (\w+)`", PAGE)) <= targets
