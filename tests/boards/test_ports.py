"""What a port of the firmware offers, tried on the emulated board with the check program.

Nothing here judges how long something took on this computer; times are the board's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from firmware_model.table import Table
from tests.boards.emulated import Emulated, Emulator, Terminal, echo_of

pytestmark = pytest.mark.timeout(300)  # the first test of a board compiles its firmware

POWER, WATCHDOG, EXTERNAL = "00", "01", "02"


@pytest.fixture
def started(emulated: Emulated, table: Table) -> Iterator[tuple[Emulator, Terminal]]:
    with ExitStack() as resources:
        emulator, transport = emulated.start(emulated.check_program(table), resources)
        resources.enter_context(transport)
        yield emulator, Terminal(transport)


def boot(emulated: Emulated, boots: int, cause: str) -> str:
    return f"boot {boots:08X} {cause} {emulated.unique_id.hex().upper()}"


def test_starts_and_says_who_it_is(emulated: Emulated, started: tuple[Emulator, Terminal]) -> None:
    assert started[1].line() == boot(emulated, 1, POWER)


def test_echoes_what_it_receives_unharmed(started: tuple[Emulator, Terminal]) -> None:
    terminal = started[1]
    terminal.line()
    for length in (0, 1, 63, 64):
        text = "".join(chr(ord(" ") + (7 * i + length) % 90 + 1) for i in range(length))
        assert terminal.ask(text) == echo_of(text)


def test_takes_many_lines_sent_at_once(started: tuple[Emulator, Terminal], emulated: Emulated) -> None:
    """The receive interrupt runs while the main loop answers. The ATmega's ring holds 32 bytes of it."""
    terminal = started[1]
    terminal.line()
    lines = [f"{i:02}" for i in range(8 if emulated.port == "atmega328p" else 100)]
    terminal.transport.write("".join(line + "\n" for line in lines).encode())
    assert [terminal.line() for _ in lines] == [echo_of(line) for line in lines]


def test_clock_never_goes_back_and_counts_every_microsecond(started: tuple[Emulator, Terminal]) -> None:
    terminal = started[1]
    terminal.line()
    times = [terminal.micros() for _ in range(200)]
    assert times == sorted(times)
    # Over many ticks of 1 ms, every part of a millisecond comes up; a clock without its fine part shows few.
    assert len({time % 1000 // 100 for time in times}) == 10


def test_restarts_itself_and_keeps_retained_memory(
    emulated: Emulated, started: tuple[Emulator, Terminal]
) -> None:
    terminal = started[1]
    assert terminal.line() == boot(emulated, 1, POWER)
    for boots in (2, 3):
        assert terminal.ask("!restart") == boot(emulated, boots, WATCHDOG)
    assert terminal.ask("still here") == echo_of("still here")


def test_reset_button_restarts_it_and_keeps_retained_memory(
    emulated: Emulated, started: tuple[Emulator, Terminal]
) -> None:
    emulator, terminal = started
    assert terminal.line() == boot(emulated, 1, POWER)
    before = terminal.micros()
    emulator.reset()
    assert terminal.line() == boot(emulated, 2, EXTERNAL)
    assert terminal.ask("again") == echo_of("again")
    assert before > 0


def test_watchdog_restarts_a_program_that_hangs(
    emulated: Emulated, started: tuple[Emulator, Terminal]
) -> None:
    if not emulated.has_watchdog:
        pytest.skip(f"{emulated.kind}: the emulator has no watchdog")
    terminal = started[1]
    assert terminal.line() == boot(emulated, 1, POWER)
    assert terminal.ask("!hang") == boot(emulated, 2, WATCHDOG)
