"""The firmware core keeps the rules of MISRA C:2012 that cppcheck knows, but for what is justified."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from hil.boards.native import FIRMWARE
from tests.firmware_c.misra import Finding, deviations, findings, missing, not_justified

needs_cppcheck = pytest.mark.skipif(bool(missing()), reason=missing())


@needs_cppcheck
def test_every_finding_is_justified_and_every_justification_is_needed() -> None:
    assert not_justified(findings(), deviations()) == []


@needs_cppcheck
def test_a_new_violation_is_found(tmp_path: Path) -> None:
    core = tmp_path / "core"
    core.mkdir()
    for name in ("il_crc.c", "il_crc.h", "il_types.h"):
        shutil.copy(FIRMWARE / "core" / name, core)
    source = core / "il_crc.c"
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("uint32_t sum = crc;", "uint32_t sum = crc; sum = sum++ + 1;"))
    problems = not_justified(findings(core), deviations())
    assert any(problem.startswith("il_crc.c:") and "misra 13" in problem for problem in problems), problems


def test_both_directions_are_compared() -> None:
    entry = next(d for d in deviations() if d.rule == "misra 11.8")
    line = Finding("misra 11.8", "il_machine.c", 3, "view.memory = (int32_t *)core->memory;")
    assert not_justified([line], [entry]) == []
    assert "take it out" in not_justified([], [entry])[0]
    for other in (replace(line, file="il_core.c"), replace(line, code="x = (int *)y;")):
        problems = not_justified([line, other], [entry])
        assert [problem for problem in problems if "justify" in problem] == problems
        assert len(problems) == 1


def test_every_deviation_has_a_reason_and_none_is_of_a_mandatory_rule() -> None:
    for deviation in deviations():
        assert deviation.category in ("advisory", "required", "hint"), deviation
        assert len(deviation.why) > 30, deviation
    rules = [deviation.rule for deviation in deviations()]
    assert len(rules) == len(set(rules))
