"""Mistakes planted in the firmware core are noticed.

``make test`` plants a few, which need the quickest checks; ``INTERLOCK_MUTATIONS=all`` plants every one.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from hil.boards import native
from hil.boards.native import FIRMWARE
from tests.firmware_c.checks import all_checks
from tests.firmware_c.mutation import NotPlanted, mutations, noticed, plant

MUTATIONS = mutations()
#: Of the wire, the state machine, retained memory, and predictions.
FEW = ["cobs_run_of_255", "resume_with_a_latch", "reset_seals_damage", "travel_answer_repeated"]
ALL = os.environ.get("INTERLOCK_MUTATIONS") == "all"

needs_compiler = pytest.mark.skipif(bool(native.missing()), reason=native.missing())


@needs_compiler
@pytest.mark.parametrize("name", MUTATIONS if ALL else FEW)
def test_a_planted_mistake_is_noticed(name: str) -> None:
    mutation = MUTATIONS[name]
    assert noticed(mutation), f"{mutation.caught_by} does not notice that {mutation.why}"


@needs_compiler
def test_what_is_no_mistake_is_not_noticed() -> None:
    harmless = replace(MUTATIONS["cobs_run_of_255"], new="#define LONGEST_BLOCK 0xFEu")
    assert noticed(harmless) == ""


@needs_compiler
def test_what_does_not_build_is_not_taken_for_noticed() -> None:
    broken = replace(MUTATIONS["cobs_run_of_255"], new="#define LONGEST_BLOCK this is no C")
    with pytest.raises(NotPlanted, match="does not build"):
        noticed(broken)


def test_every_mistake_fits_the_sources_and_names_a_check(tmp_path: Path) -> None:
    assert len(MUTATIONS) >= 24
    checks = all_checks()
    for mutation in MUTATIONS.values():
        firmware = tmp_path / mutation.name
        shutil.copytree(FIRMWARE / "core", firmware / "core")
        plant(mutation, firmware)
        assert mutation.caught_by in checks, f"{mutation.name}: there is no check {mutation.caught_by!r}"
        assert mutation.why


def test_a_mistake_that_fits_no_longer_is_an_error(tmp_path: Path) -> None:
    shutil.copytree(FIRMWARE / "core", tmp_path / "core")
    gone = replace(MUTATIONS["cobs_run_of_255"], old="#define LONGEST_BLOCK 253u")
    with pytest.raises(NotPlanted, match=r"stands 0 times in il_cobs\.c"):
        plant(gone, tmp_path)
    with pytest.raises(NotPlanted, match=r"stands \d+ times"):
        plant(replace(gone, old="cobs->"), tmp_path)


def test_every_check_is_needed_by_a_mistake() -> None:
    """A check that no mistake is given to has not been seen to notice anything."""
    idle = set(all_checks()) - {mutation.caught_by for mutation in MUTATIONS.values()}
    assert idle == set()
