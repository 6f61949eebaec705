"""The seal over the core, and the memory that no reset clears."""

from __future__ import annotations

import ctypes as c
from random import Random
from typing import TYPE_CHECKING

from firmware_model.contract import MEMORY_REGIONS, ONE, Change, ResetCause, Segment
from firmware_model.states import Command, State
from hil.boards.native import BrokenBoard, NativeController
from hil.twin import Twin
from hil.wire import enframe
from tests.firmware_c.bench import Bench
from tests.firmware_c.check_board import TABLE, Host, Pinned

if TYPE_CHECKING:
    from tests.firmware_c.checks import Check, Core

PROOF_TEST_FAILED, RESET_IN_BEAM = 1, 2
ASKED = 0x80


def in_beam(bench: Bench) -> Twin:
    """A board in irradiation, with dose counted."""
    bench.forget()
    twin = Twin(Pinned(bench), TABLE)
    assert twin.reach(State.irradiation)
    twin.run(100)
    assert bench.state.permit
    return twin


def give_run(bench: Bench, twin: Twin, ticks: int = 1) -> str:
    """One RUN and one poll; what the board did."""
    assert isinstance(twin.pair.board, Pinned)
    link = twin.pair.board.link
    link.sequence = (link.sequence + 1) % 256
    body = link.layout.pack("RUN", link.sequence, at=twin.tick, ticks=ticks, command=0)
    bench.said()
    bench.events()
    bench.give(enframe(body))
    bench.poll()
    return bench.events()


def made_safe(events: str, what: str) -> None:
    """The pin, then the restart; no word about it and no permit in between."""
    assert "r" in events, f"{what}: the board goes on: {events}"
    assert "p" in events[: events.index("r")], f"{what}: restarts with the permit pin on: {events}"
    assert "w" not in events, f"{what}: the request is answered: {events}"
    assert "P" not in events, f"{what}: the permit is given: {events}"


def seal(core: Core) -> None:
    """A bit that flips in any byte of the core between two scans is found before the next scan."""
    seal_of(core.bench)


def seal_of(bench: Bench) -> None:
    dice = Random(2)
    loop = TABLE.signal_index["emergency_loop"]
    for offset in range(bench.core_size):
        bench.forget()
        host = Host(bench)
        host.run(1, Change(loop, ONE), command=Command.power_on)
        host.run(1, Change(loop, ONE + 200, -1))
        bench.events()
        # The line falls below its limit after 200 scans that are passed over: one full scan between.
        bench.injection.offset, bench.injection.mask = offset, 1 << dice.randrange(8)
        bench.injection.scans = 1
        body = host.layout.pack("RUN", (host.sequence + 1) % 256, at=host.at, ticks=400, command=0)
        bench.give(enframe(body))
        bench.poll()
        assert bench.injection.scans == 0, "there was no scan to flip a bit before"
        made_safe(bench.events(), f"bit of byte {offset} of the core")


def damaged_retained(core: Core) -> None:
    """A bit that flips in any byte of retained memory during a beam: safe, and a beam that was cut."""
    bench, dice = core.bench, Random(3)
    size = c.sizeof(bench.retained)
    used = [o for name, kind in bench.retained._fields_ for o in _bytes_of(bench, name, kind)]
    assert len(used) >= size - 3  # but for the gap before the CRC
    for offset in used:
        twin = in_beam(bench)
        bench.flip(offset, 1 << dice.randrange(8))
        made_safe(give_run(bench, twin), f"bit of byte {offset} of retained memory")
        bench.power_on(cause=int(ResetCause.watchdog))
        kept = bench.retained
        assert kept.findings & RESET_IN_BEAM, f"byte {offset}: the beam that was cut is forgotten"
        assert (kept.boots, kept.meterset, kept.first_up) == (1, 0, -1), f"byte {offset} is partly believed"
        assert bytes(kept.latched) == bytes(len(kept.latched))

    for mask in (0x03, 0x81):  # of the mark the next start may tolerate one bit, not two
        twin = in_beam(bench)
        bench.flip(type(bench.retained).magic.offset, mask)
        made_safe(give_run(bench, twin), f"bits {mask:#x} of the mark")
        bench.power_on(cause=int(ResetCause.watchdog))
        assert bench.retained.findings & RESET_IN_BEAM, "without its mark the beam that was cut is forgotten"


def _bytes_of(bench: Bench, name: str, kind: type) -> range:
    at = getattr(type(bench.retained), name).offset
    return range(at, at + c.sizeof(kind))


def damaged_while_off(core: Core) -> None:
    """The same while the board has no power: what was kept is not believed, and a beam counts as cut."""
    bench = core.bench
    for name in ("magic", "boots", "meterset", "latched", "first_up", "findings", "in_beam", "crc"):
        twin = in_beam(bench)
        twin.reset(ResetCause.power)
        bench.flip(getattr(type(bench.retained), name).offset, 0x10)
        bench.power_on()
        assert bench.retained.findings == RESET_IN_BEAM, f"{name}: damage is not noticed"
        assert bench.retained.boots == 1
    # Without its mark it was never written: a board that is new, and no beam was cut.
    bench.forget()
    assert bench.retained.findings == 0
    assert bench.retained.boots == 1


def cut_beam(core: Core) -> None:
    """A reset in a beam is a finding that the model has as well; the meterset is that of the last scan."""
    bench = core.bench
    for cause in ResetCause:
        twin = in_beam(bench)
        wanted = twin.pair.model.retained.meterset
        assert wanted > 0
        assert bench.retained.meterset == wanted, f"kept {bench.retained.meterset}, the model {wanted}"
        twin.reset(cause)
        assert bench.retained.findings == RESET_IN_BEAM
        assert bench.retained.meterset == wanted
        twin.run(600, Command.power_on)
        assert twin.state is State.terminated
        assert twin.reach(State.irradiation)
        twin.compare_retained()
    for state, signal, command in (
        (State.ready, "", Command.none),
        (State.hold, "sequence_hold", Command.none),
        (State.interrupted, "", Command.interrupt),
    ):
        bench.forget()
        twin = Twin(Pinned(bench), TABLE)
        assert twin.reach(State.ready if state is State.ready else State.irradiation)
        if signal:
            twin.change(Change(TABLE.signal_index[signal], ONE))
        twin.run(1, command)
        twin.run(3)
        assert twin.state is state
        twin.reset(ResetCause.power)
        assert bench.retained.findings == RESET_IN_BEAM, f"a reset in {state.name} goes unnoticed"


def meterset(core: Core) -> None:
    """Kept after every scan of a beam, skipped ones and the one that ends it included."""
    twin = in_beam(core.bench)
    for ticks in (1, 2, 7, 100, 1, 900):
        twin.run(ticks)
        twin.compare_retained()
    twin.change(Change(TABLE.signal_index["key_switch"], 0))
    twin.run(1)
    assert twin.state is State.interrupted
    twin.compare_retained()


def asked_cause(core: Core) -> None:
    """The cause kept for a restart is used when it is whole, asked for and exists; else the hardware's."""
    bench = core.bench
    for kept, sound, mark, wanted in (
        (ASKED | 0, True, True, 0),
        (ASKED | 2, True, True, 2),
        (ASKED | 3, True, True, 1),
        (2, True, True, 1),
        (ASKED | 2, False, True, 1),
        (ASKED | 2, True, False, 1),
    ):
        bench.forget()
        bench.retained.cause = kept
        bench.retained.magic ^= 0 if mark else 4
        bench.seal_retained()
        bench.retained.crc ^= 0 if sound else 1
        bench.power_on(cause=int(ResetCause.watchdog))
        case = f"kept {kept:#x}, {'whole' if sound else 'damaged'}, {'marked' if mark else 'not marked'}"
        assert bench.retained.cause == wanted, f"{case}: cause {bench.retained.cause}, expected {wanted}"


def forgetting(core: Core) -> None:
    """RESET with ``forget`` leaves nothing but the boot count; without it everything stays."""
    bench = core.bench
    for forget in (False, True):
        twin = in_beam(bench)
        jaws = TABLE.counts("jaw_error", 9) * ONE  # latched, without a reset due at its place
        twin.change(Change(TABLE.signal_index["jaw_error"], jaws))
        twin.change(*(Change(TABLE.signal_index[f"door_contact_{which}"], 0) for which in "ab"))
        twin.run(300)
        assert twin.state is State.interrupted
        assert twin.outputs.latched
        assert twin.outputs.local_reset_due not in (0, twin.outputs.latched)
        kept = bench.retained
        before = (bytes(kept.latched), bytes(kept.local_due), kept.meterset, kept.first_up)
        boots = kept.boots
        assert isinstance(twin.pair.board, Pinned)
        twin.pair.board.link.post("RESET", boots=boots & 0xFFFF, cause=0, forget=forget)
        after = (bytes(kept.latched), bytes(kept.local_due), kept.meterset, kept.first_up)
        zeros = bytes(len(kept.latched))
        assert after == ((zeros, zeros, 0, -1) if forget else before), f"forget={forget}: kept {after}"
        assert kept.boots == boots + 1
        assert kept.findings == (0 if forget else RESET_IN_BEAM)
        [reply] = Host(bench).run(1)
        assert reply.message.name == "OUTPUTS", f"forget={forget}: a scan is answered with {reply}"


def damage_is_not_sealed(core: Core) -> None:
    """SET and RESET on damaged memory must not close the damage with a seal of its own."""
    bench = core.bench
    bodies: tuple[tuple[str, tuple[Change, ...], dict[str, object]], ...] = (
        ("SET", (Change(0, ONE),), {"at": 0}),
        ("RESET", (), {"boots": 1, "cause": 0, "forget": False}),
    )
    for name, changes, values in bodies:
        bench.forget()
        host = Host(bench)
        bench.flip(type(bench.retained).latched.offset, 1)
        bench.events()
        bench.give(enframe(host.layout.pack(name, (host.sequence + 1) % 256, changes, **values)))
        bench.poll()
        made_safe(bench.events(), f"{name} on damaged memory")
        bench.power_on()
        assert bench.retained.findings == RESET_IN_BEAM, f"{name} closed the damage with a new CRC"
        assert not any(bench.retained.latched)


def damage_during_a_run(core: Core) -> None:
    """Memory that is damaged between two pieces of a long RUN ends it at the next piece."""
    bench = core.bench
    bench.forget()
    twin = Twin(Pinned(bench), TABLE)
    assert twin.reach(State.preparatory)
    # A gate that moves makes every scan a full one, so that a RUN has many pieces.
    twin.change(Change(TABLE.signal_index["image_age_override"], 0, 1))
    twin.run(1)
    bench.state.flip_at_look = 3
    made_safe(give_run(bench, twin, 10_000), "damage while a RUN goes on")


def flips_within_a_scan(core: Core) -> None:
    """State, latches and permit that flip while a scan works, and are sealed with the rest, still show."""
    masks = core.library.mask_bytes
    for region, byte, what in (
        *(("pointers", byte, "a pointer") for byte in range(4 * c.sizeof(c.c_void_p))),
        ("state", masks, "the state"),
        ("state", masks + 1, "the complement of the state"),
        ("outputs", 0, "the state in the outputs"),
        ("outputs", 1, "the permit"),
        *(("latches", byte, "a latch") for byte in range((len(TABLE.interlocks) + 7) // 8)),
        *(("latches", masks + byte, "a local reset due") for byte in range((len(TABLE.interlocks) + 7) // 8)),
    ):
        for bit in range(1 if what == "the permit" else 8):
            if what in ("a latch", "a local reset due") and 8 * (byte % masks) + bit >= len(TABLE.interlocks):
                continue
            board = NativeController(TABLE, core.library)
            board.run(Segment(10, (), Command.power_on))
            board._dll.native_flip(board._board, MEMORY_REGIONS.index(region), 8 * byte + bit)
            board._dll.native_seal(board._board)
            try:
                board.run(Segment(1))
            except BrokenBoard as problem:
                assert "damaged" in str(problem)  # noqa: PT017 - each of several must be found
            else:
                raise AssertionError(f"bit {bit} of {what} flips within a scan, and the next one is run")


def nothing_aligned(core: Core) -> None:
    """The seal holds as well where the compiler leaves no gaps, as on an 8-bit chip."""
    assert core.packed_bench.core_size % 4, "the seal happens to be aligned: nothing is tried here"
    seal_of(core.packed_bench)


CHECKS: dict[str, Check] = {
    "seal": seal,
    "damaged retained memory": damaged_retained,
    "damaged while off": damaged_while_off,
    "cut beam": cut_beam,
    "meterset": meterset,
    "asked cause": asked_cause,
    "forgetting": forgetting,
    "damage is not sealed": damage_is_not_sealed,
    "damage during a run": damage_during_a_run,
    "flips within a scan": flips_within_a_scan,
    "nothing aligned": nothing_aligned,
}
