"""The firmware core neither reads or writes beside its memory nor does what C leaves undefined.

As a process with both sanitizers, over its wire, and as library and bench with the one for undefined
behaviour, which needs no start of its own. What a sanitizer finds ends the program. It sees the ends of
objects, not those of arrays within a structure: for these there are the checks of framing.

``INTERLOCK_SANITIZERS=all`` walks longer and tries a table of every kind of condition.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from random import Random

import pytest

from firmware_model.contract import ONE, Change, ResetCause, Segment
from firmware_model.states import Command
from firmware_model.table_loading import load_table
from hil.board import RemoteController
from hil.boards import process
from hil.boards.model import start as start_model
from hil.boards.native import FIRMWARE
from hil.conformance import resets, walk
from hil.errors import RigError
from hil.messages import MESSAGES
from hil.transport import ProcessTransport, Transport
from hil.twin import Twin
from hil.wire import enframe
from sim.scenario.loading import load_scenario
from sim.scenario.runner import BoardIdentity, run_scenario
from tests.firmware.dice import Dice
from tests.firmware.random_tables import KINDS, random_table
from tests.firmware_c.build import build_program
from tests.firmware_c.mutation import Mutation, plant

ROOT = Path(__file__).parents[2]
OPTIONS = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", '-DIL_BUILD_ID="short"')
UNDEFINED = "-O1 -fsanitize=undefined -fno-sanitize-recover=all"
ALL = os.environ.get("INTERLOCK_SANITIZERS") == "all"
STEPS = 4000 if ALL else 150
FRAMES = 20_000 if ALL else 1500
TABLES = list(KINDS) if ALL else ["per_travel"]
WIDEST = ["rate at its limit", "travel at its widest"]
#: All of them, or those that reach the ends of what is computed.
CHECKS = [] if ALL else ["framing", "answers", "extreme values", "refusals", "travel", "long times", *WIDEST]
TABLE = load_table()


@cache
def missing() -> str:
    """What has to be installed, "" when the sanitizers are here."""
    if process.missing():
        return process.missing()
    compiler = process.compiler_here()
    assert compiler is not None
    flags = [option for option in OPTIONS if option.startswith("-f")]
    done = subprocess.run(
        [compiler, *flags, "-x", "c", "-", "-o", os.devnull],
        input="int main(void) { return 0; }",
        capture_output=True,
        text=True,
        timeout=60,
    )
    return (
        f"the sanitizers of {compiler} are not here: {done.stderr.strip()[-200:]}" if done.returncode else ""
    )


pytestmark = [
    pytest.mark.skipif(bool(missing()), reason=missing()),
    pytest.mark.timeout(3600 if ALL else 120),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_program(tmp_path_factory.mktemp("sanitized"), TABLE, OPTIONS)


@contextmanager
def running(program: Path) -> Iterator[Transport]:
    with ProcessTransport([str(program)], "sanitized firmware") as transport:
        yield transport


def test_a_random_walk_and_restarts(program: Path) -> None:
    with running(program) as transport:
        twin = Twin(RemoteController(transport, TABLE), TABLE)
        resets(twin)
        walk(twin, STEPS, Random(14))
        assert len(twin.seen) > 20


@pytest.mark.parametrize(
    "scenario",
    [
        "two_abdominal_metastases.yaml",
        "faults/controller_hang.yaml",
        "faults/power_dip.yaml",
        "limits/imaging/gate_stale_trips.yaml",
    ],
)
def test_a_scenario_gives_the_events_of_the_model(scenario: str, program: Path) -> None:
    def run(controller: object) -> tuple[str, str]:
        loaded = load_scenario(ROOT / "scenarios" / scenario)
        outcome = run_scenario(loaded, controller, BoardIdentity("sanitized", "a test", ""))  # type: ignore[arg-type]
        return outcome.verdict, outcome.world.trace.events_jsonl()

    with running(program) as transport:
        assert run(RemoteController(transport, TABLE)) == run(start_model(TABLE).controller)


@pytest.mark.parametrize("kind", TABLES)
def test_random_tables(kind: str, tmp_path: Path) -> None:
    table = random_table(Dice(Random(kind)), kind)
    with running(build_program(tmp_path, table, OPTIONS)) as transport:
        twin = Twin(RemoteController(transport, table), table)
        walk(twin, STEPS, Random(kind))
        resets(twin)


def test_frames_that_are_whole_and_senseless(program: Path) -> None:
    """Right sequence and right CRC, so that everything behind them is reached; and plain garbage."""
    dice = Random(12)
    requests = [message.number for message in MESSAGES.values() if message.reply or message.name == "RESET"]
    with running(program) as transport:
        controller = RemoteController(transport, TABLE)
        for number in range(FRAMES):
            link = controller.link
            link.sequence = (link.sequence + 1) % 256
            kind = dice.choice(requests) if dice.random() < 0.9 else dice.randrange(256)
            size = dice.choice((0, 2, 4, 5, 8, 9, 10, 22, 23, 35, dice.randrange(1015)))
            payload = bytearray(dice.randbytes(size))
            if kind == MESSAGES["RUN"].number and size >= 9:
                payload[0:4] = controller.link.layout.pack("SET", 0, at=0)[2:6]  # often the tick is right
                payload[8] %= 16
                payload[4:8] = (dice.randrange(1, 5000)).to_bytes(4, "little")
            transport.write(enframe(bytes((link.sequence, kind)) + payload))
            if number % 3 == 0:
                transport.write(dice.randbytes(dice.randrange(40)) + b"\0")
            if number % 10 == 0:
                while transport.read(0.002):
                    continue
            if number % 50 == 0:
                controller.identity = link.greet()
        assert controller.link.greet().damaged > 0
        controller.reset(ResetCause.power)
        assert controller.run(Segment(5, (), Command.power_on)).ticks >= 1


def test_library_and_bench_do_nothing_undefined() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.firmware_c.checks", f"--options={UNDEFINED}", *CHECKS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=3600 if ALL else 110,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# ---- what is wrong is found ---------------------------------------------------------------------------

PLANTED = [
    (
        Mutation(
            "one_row_too_many",
            "a row beyond the table is read",
            "il_machine.c",
            "il_clear(&core->tripped);\nfor (uint8_t i = 0; i < core->table->rows; i++) {",
            "il_clear(&core->tripped);\nfor (uint8_t i = 0; i <= core->table->rows; i++) {",
            "",
        ),
        "global-buffer-overflow",
    ),
    (
        Mutation(
            "name_without_its_end",
            "the build's name is read beyond its end",
            "il_link.c",
            "(i < 16u) && (identity->build[i] != '\\0')",
            "(i < 16u)",
            "",
        ),
        "global-buffer-overflow",
    ),
    (
        Mutation(
            "product_of_int",
            "a product is computed in 32 bits",
            "il_lines.h",
            "return ((int64_t)lines->whole[lines->signal[slot]] * IL_ONE) + (int64_t)lines->part[slot];",
            "return (int64_t)(lines->whole[lines->signal[slot]] * 65536) + (int64_t)lines->part[slot];",
            "",
        ),
        "signed integer overflow",
    ),
]


@pytest.mark.parametrize(("planted", "named"), PLANTED, ids=[planted.name for planted, _ in PLANTED])
def test_a_planted_overflow_ends_the_firmware(
    planted: Mutation, named: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    firmware = tmp_path / "firmware"
    for part in ("core", "generated", "ports/posix"):
        shutil.copytree(FIRMWARE / part, firmware / part)
    plant(planted, firmware)

    def use(transport: Transport) -> None:
        controller = RemoteController(transport, TABLE)
        controller.run(Segment(10, (Change(0, 100_000 * ONE, ONE),), Command.power_on))
        controller.run(Segment(1000))

    program = build_program(tmp_path, TABLE, OPTIONS, firmware)
    with running(program) as transport, pytest.raises(RigError, match="gone"):
        use(transport)
    assert named in capfd.readouterr().err
