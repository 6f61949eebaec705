"""A scenario disturbs the wire of a real board: what happens is the same, and what was damaged is dropped."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from cli.main import main
from firmware_model.contract import ONE, Change, ResetCause, Segment
from firmware_model.controller import ModelController
from firmware_model.rig import LineFaults
from firmware_model.states import Command
from firmware_model.table_loading import load_table
from hil.board import RemoteController
from hil.boards import KINDS, start_board
from hil.device import Device
from hil.errors import Silent, Unplugged
from hil.link import Patience
from tests.hil.carriers import DirectTransport

TABLE = load_table()
FAULTS = Path(__file__).parents[2] / "scenarios" / "faults"
CORRUPTED = 2000
#: Many repetitions, each soon: half of what is damaged here are answers, which only time tells.
RESTLESS = Patience(reply_s=0.004, retries=200)
WIRED = [
    pytest.param(kind, marks=pytest.mark.skipif(bool(KINDS[kind].missing()), reason=KINDS[kind].missing()))
    for kind in ("virtual", "process")
]


def some_segment(dice: Random) -> Segment:
    changes = tuple(
        Change(dice.randrange(len(TABLE.signals)), dice.randrange(-2 * ONE, 2 * ONE), dice.choice((0, 7)))
        for _ in range(dice.randrange(4))
    )
    return Segment(dice.choice((1, 5, 50)), changes, dice.choice(list(Command)))


@pytest.mark.parametrize("board", WIRED)
def test_of_thousands_of_corrupted_frames_none_is_believed(board: str) -> None:
    dice, model = Random(board), ModelController(TABLE)
    model.reset(ResetCause.power)
    with start_board(board, TABLE) as started:
        controller = started.controller
        assert isinstance(controller, RemoteController)
        controller.link.patience = RESTLESS
        controller.disturb(LineFaults(corrupt=0.5), "corrupt")
        while controller.wire_report().get("frames_corrupt", 0) < CORRUPTED:
            segment = some_segment(dice)
            assert controller.run(segment) == model.run(segment)
        controller.restore()
        assert controller.retained == model.retained
        found = controller.link.greet().damaged + controller.statistics.damaged
        # Some flips hit a delimiter: one in front does no harm, one at the end joins two frames.
        assert found >= 0.8 * CORRUPTED
        assert controller.statistics.retries >= CORRUPTED / 2


@pytest.mark.parametrize(
    "faults", [LineFaults(drop=0.2), LineFaults(duplicate=0.5), LineFaults(delay=0.2)], ids=repr
)
def test_what_is_lost_doubled_or_late_changes_nothing(faults: LineFaults) -> None:
    dice, model = Random(3), ModelController(TABLE)
    model.reset(ResetCause.power)
    controller = RemoteController(DirectTransport(Device(TABLE).take), TABLE, RESTLESS)
    controller.disturb(faults, "x")
    for _ in range(150):
        segment = some_segment(dice)
        assert controller.run(segment) == model.run(segment)
    (name,) = (key for key in controller.wire_report() if key.startswith("frames_"))
    assert controller.wire_report()[name] > 30
    assert getattr(faults, name.removeprefix("frames_")) > 0


def test_a_slow_wire_carries_every_byte_at_its_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("hil.faulty.time", SimpleNamespace(sleep=slept.append))
    controller = RemoteController(DirectTransport(Device(TABLE).take), TABLE)
    before = controller.statistics.bytes_sent + controller.statistics.bytes_received
    controller.disturb(LineFaults(baud=9600), "x")
    controller.run(Segment(5))
    carried = controller.statistics.bytes_sent + controller.statistics.bytes_received - before
    assert sum(slept) == pytest.approx(carried * 10 / 9600)


def test_the_first_wait_follows_what_answers_take_and_the_last_is_the_longest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = count()  # a millisecond every time it is looked at
    monkeypatch.setattr("hil.link.time", SimpleNamespace(monotonic=lambda: next(clock) / 1000))
    device, answers = Device(TABLE), [True]
    transport = DirectTransport(lambda data: device.take(data) if answers[0] else b"")
    controller = RemoteController(transport, TABLE, Patience(reply_s=8.0, retries=1))
    link, waits = controller.link, []
    for _ in range(60):
        controller.run(Segment(1))
    assert 0.001 < link._usual_s < 0.01

    def noted(expected: str, deadline: float) -> None:
        waits.append(round(deadline - next(clock) / 1000, 1))

    link._reply_to = noted  # type: ignore[method-assign]
    with pytest.raises(Silent, match=r"after 8 attempts, the last ones of 8\.0 s each"):
        controller.run(Segment(1))
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 8.0, 8.0]
    link._usual_s, waits[:] = 1.1, []  # a slow link
    with pytest.raises(Silent, match="after 3 attempts"):
        controller.run(Segment(1))
    assert waits == [4.4, 8.0, 8.0]


def test_unplugging_is_an_error_that_says_what_to_do() -> None:
    controller = RemoteController(DirectTransport(Device(TABLE).take), TABLE)
    controller.unplug()
    with pytest.raises(Unplugged, match="plug the board in and start again"):
        controller.run(Segment(1))


def run(scenario: Path, board: str, out: Path) -> tuple[int, str, dict[str, object]]:
    result = CliRunner().invoke(main, ["run", str(scenario), "--board", board, "--quiet", "--out", str(out)])
    return result.exit_code, result.output, json.loads((out / "run.json").read_text())


def test_a_rig_error_can_be_expected(tmp_path: Path) -> None:
    code, output, record = run(FAULTS / "wire_unplugged.yaml", "virtual", tmp_path)
    assert (code, record["verdict"]) == (0, "PASS"), output
    assert record["rig_error"]["error"] == "Unplugged"  # type: ignore[index]
    assert "wire" in record["board"]  # type: ignore[operator]


@pytest.mark.parametrize("name", ["Silent", ""])
def test_another_rig_error_or_one_not_expected_ends_the_run_as_such(tmp_path: Path, name: str) -> None:
    text = (FAULTS / "wire_unplugged.yaml").read_text()
    expected = "rig_error: Silent, after: unplugged" if name else "final_state: irradiation"
    scenario = tmp_path / "s.yaml"
    scenario.write_text(
        text.replace("rig_error: Unplugged, after: unplugged", expected).replace(
            "../plans", str(FAULTS.parent / "plans")
        )
    )
    code, output, record = run(scenario, "virtual", tmp_path)
    assert (code, record["verdict"]) == (4, "RIG_ERROR")
    assert "plug the board in" in output
    statuses = [e["status"] for e in record["expectations"]]  # type: ignore[attr-defined]
    assert statuses == ["fail" if name else "pass"]


@pytest.mark.parametrize("step", ["disturbed", "unplugged"])
def test_without_a_wire_the_run_says_that_there_was_nothing_to_disturb(tmp_path: Path, step: str) -> None:
    code, output, record = run(FAULTS / f"wire_{step}.yaml", "model", tmp_path)
    assert (code, record["verdict"]) == (0, "PASS")
    assert "nothing to disturb on board model, which has no wire" in output
    assert record["board"]["nothing_to_disturb"]  # type: ignore[index]
    assert "rig_error" not in record
