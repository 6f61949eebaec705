"""Single bits flipped anywhere in the RAM of an emulated board: none gives a permit the model has not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from click.testing import CliRunner

from cli.main import main
from firmware_model.table import Table
from hil.boards.qemu import LM3S6965EVB
from hil.errors import RigError
from hil.flips import Campaign, Outcome, Tally, Trial
from tests.boards.emulated import BOARDS

COUNT = int(os.environ.get("INTERLOCK_FLIPS", "40"))
SEED = 7


@pytest.fixture
def campaign(table: Table) -> Iterator[Campaign]:
    BOARDS[0].skip_if_missing()
    with ExitStack() as resources:
        yield Campaign(LM3S6965EVB, table, SEED, resources)


@pytest.mark.timeout(120 + 2 * COUNT)
def test_no_flipped_bit_is_unsafe(campaign: Campaign) -> None:
    tally = Tally(sizes=campaign.sizes())
    for trial in campaign.run(COUNT):
        tally.add(trial)
    assert not tally.unsafe, "\n".join(map(str, tally.unsafe))
    assert tally.counts.total() == COUNT
    assert sum(n for (_, outcome), n in tally.counts.items() if outcome is Outcome.detected) > 0


def test_a_permit_too_much_is_seen(campaign: Campaign) -> None:
    """A board that takes the trip back: the second bit undoes the door contact in what the board was told."""
    expected = campaign.steps[campaign.beam_steps - 1]
    campaign.steps[campaign.beam_steps - 1] = expected.__class__(
        expected.segment._replace(changes=()), expected.expected
    )
    region, (start, _) = "receiver", campaign.regions["receiver"]
    trial = campaign._trial(1, region, start + 1000, 0)
    assert trial.outcome is Outcome.unsafe
    assert "the board permits, the model does not" in trial.detail


def test_a_permit_that_stays_on_is_seen(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "_permit", lambda: True)
    monkeypatch.setattr("hil.flips.PERMIT_GONE_S", 0.1)
    trial = campaign._trial(1, "core", campaign.regions["core"][0] + 100, 0)
    assert (trial.outcome, trial.region) == (Outcome.unsafe, "core")


def test_a_board_that_stays_silent_is_named_with_the_flip_before(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent() -> None:
        raise RigError("no answer")

    monkeypatch.setattr(campaign._link, "greet", silent)
    with pytest.raises(RigError, match=r"trial 1: bit 0 of .* the reset button does not help"):
        campaign._trial(1, "stack", campaign.regions["stack"][0], 0)


def test_a_campaign_that_ends_early_shows_what_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    BOARDS[0].skip_if_missing()

    def run(self: Campaign, count: int) -> Iterator[Trial]:
        yield Trial(1, "core", 0x20000000, 3, 2, True, Outcome.hang, "after 1000 ms")
        raise RigError("it ended by itself")

    monkeypatch.setattr(Campaign, "run", run)
    result = CliRunner().invoke(main, ["board", "flips", LM3S6965EVB.kind, "--count", "9"])
    assert result.exit_code == 4
    assert "ended after 1 flips:\n| memory |" in result.stdout
    assert "RIG_ERROR: it ended by itself" in result.stderr


def test_trials_are_told_and_counted() -> None:
    tally = Tally(sizes={"core": 8, "stack": 4})
    tally.add(Trial(1, "core", 0x20000000, 3, 2, True, Outcome.hang, "after 500 ms"))
    tally.add(Trial(2, "stack", 0x20000100, 0, 0, False, Outcome.unsafe))
    assert str(tally.unsafe[0]) == "trial 2: bit 0 of 0x20000100 (stack) before step 0: UNSAFE"
    assert tally.table().splitlines()[2:] == [
        "| core | 8 | 1 | 0 | 0 | 0 | 1 | 0 | 0 | 0 |",
        "| stack | 4 | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 1 |",
        "| all | 12 | 2 | 0 | 0 | 0 | 1 | 0 | 0 | 1 |",
    ]


def test_a_machine_whose_pin_cannot_be_read_is_refused(table: Table) -> None:
    BOARDS[1].skip_if_missing()
    from hil.boards.qemu import MPS2_AN385

    with ExitStack() as resources, pytest.raises(RigError, match="its permit pin cannot be read"):
        Campaign(MPS2_AN385, table, 1, resources)
