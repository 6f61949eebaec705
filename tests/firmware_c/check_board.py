"""What a board does with its pins, its watchdog and its clock, and what it refuses."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from firmware_model.contract import ONE, Advance, Change, Outputs, ResetCause, Segment
from firmware_model.states import Command, State
from firmware_model.table_loading import load_table
from hil.board import RemoteController
from hil.conformance import walk
from hil.messages import ErrorCode
from hil.twin import Twin
from hil.wire import Frames, Layout, Received, enframe
from tests.firmware_c.bench import Bench
from tests.hil.carriers import QUICK

if TYPE_CHECKING:
    from tests.firmware_c.checks import Check, Core

TABLE = load_table()
SIGNALS, ROWS = list(TABLE.signals), len(TABLE.interlocks)
#: What the bench is built with; see BENCH_DEFINES.
MOST_MOVING, FULL_SCANS, BUILD = 40, 16, "0123456789abcdef"
#: Of il_board.c, engineering default.
PERMIT_WITHOUT_SCAN_US = 1_000_000


class Host:
    """Right requests to a bench, one after the other, and its answers."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.layout = bench, Layout.of_rows(ROWS)
        self.at = 0
        self._greetings = 0
        self.welcome = self.greet()

    def greet(self) -> dict[str, object]:
        self._greetings += 1
        self.sequence = 20
        [reply] = self.send(self.layout.pack("HELLO", 20, nonce=self._greetings.to_bytes(8, "big")))
        assert reply.message.name == "WELCOME", f"a greeting is answered with {reply}"
        self.at = reply.fields["at"]
        return reply.fields

    def send(self, body: bytes) -> list[Received]:
        frames = Frames()
        found = [self.layout.unpack(answer) for answer in frames.take(self.bench.take(enframe(body)))]
        assert not frames.damaged, "an answer is damaged"
        return found

    def request(self, name: str, changes: tuple[Change, ...] = (), **values: object) -> list[Received]:
        self.sequence = (self.sequence + 1) % 256
        found = self.send(self.layout.pack(name, self.sequence, changes, **values))
        for reply in found:
            assert reply.sequence == self.sequence, f"{name} {self.sequence} is answered with {reply}"
            if reply.message.name == "OUTPUTS":
                self.at = reply.fields["at"]
        return found

    def run(self, ticks: int, *changes: Change, command: Command = Command.none) -> list[Received]:
        return self.request("RUN", changes, at=self.at, ticks=ticks, command=int(command))


class Pinned(RemoteController):
    """A board whose permit pin is compared with its outputs after every answer."""

    def __init__(self, bench: Bench) -> None:
        self.pins = bench
        super().__init__(bench.transport(), TABLE, QUICK)

    def run(self, segment: Segment) -> Advance:
        before = self.outputs.permit
        self.pins.events()
        advance = super().run(segment)
        self._compare(advance.outputs)
        if before and not advance.outputs.permit:
            events = self.pins.events()
            # The pin first, then the words about it.
            assert "p" in events, f"the permit is withdrawn and its pin is not touched: {events}"
            assert "w" in events[events.index("p") :], f"it says so before it does so: {events}"
        return advance

    def reset(self, cause: ResetCause) -> Outputs:
        outputs = super().reset(cause)
        assert not self.pins.state.permit, "the permit pin is on after a reset"
        return outputs

    def _compare(self, outputs: Outputs) -> None:
        pin = bool(self.pins.state.permit)
        assert pin == outputs.permit, f"the permit pin is {pin}, the outputs say {outputs.permit}"


def permit_pin(core: Core) -> None:
    """A walk beside the model over the wire; the pin follows the permit and falls before it is told."""
    core.bench.forget()
    twin = Twin(Pinned(core.bench), TABLE)
    twin.reset(ResetCause.power)
    assert twin.reach(State.irradiation)
    twin.run(50)
    assert core.bench.state.permit, "the permit pin is off in irradiation"
    twin.change(Change(TABLE.signal_index["door_contact_a"], 0))
    twin.run(1)
    assert not core.bench.state.permit, "the permit pin is on in the scan in which the door opens"
    walk(twin, 60, Random(3))
    assert twin.seen


def restarts(core: Core) -> None:
    """A restart drops the pin first, and its cause is the one asked for, once."""
    bench = core.bench
    bench.forget()
    host = Host(bench)
    for cause in ResetCause:
        boots = bench.retained.boots
        for other in (1, 255, 256, 257):  # a late copy, of a boot long ago
            found = host.request("RESET", boots=(boots + other) & 0xFFFF, cause=0, forget=False)
            assert found, f"a RESET of another boot ({other} later) is carried out"
            assert found[0].fields.get("code") == ErrorCode.stale_reset, f"{other} boots later: {found[0]}"
        bench.events()
        host.sequence = (host.sequence + 1) % 256
        body = host.layout.pack("RESET", host.sequence, boots=boots & 0xFFFF, cause=int(cause), forget=False)
        bench.give(enframe(body))
        bench.poll()
        events = bench.events()
        assert "r" in events, f"RESET does not restart: {events}"
        assert "p" in events[: events.index("r")], f"restarts with its permit pin as it was: {events}"
        assert "w" not in events, "RESET is answered"
        bench.power_on(cause=int(ResetCause.watchdog))  # which is what the hardware says
        assert bench.events().startswith("p"), "the pin is not driven off before all else"
        welcome = host.greet()
        assert welcome["cause"] == int(cause), f"asked for {cause}, reported {welcome['cause']}"
        assert welcome["boot_count"] == boots + 1
    bench.power_on(cause=int(ResetCause.watchdog))
    assert host.greet()["cause"] == int(ResetCause.watchdog), "a cause that was asked for is reported twice"


def watchdog_and_clock(core: Core) -> None:
    """A long RUN kicks the watchdog and is answered after 0.1 s; where it is cut changes nothing."""
    bench = core.bench
    bench.forget()
    twin = Twin(Pinned(bench), TABLE)
    assert twin.reach(State.preparatory)
    bench.poll()
    bench.events()
    bench.poll()
    assert bench.events() == "k", "a poll with nothing to do kicks the watchdog and does nothing else"
    # A gate that moves cannot be predicted: every scan is a full one.
    gate = Change(TABLE.signal_index["image_age_override"], 0, 1)
    controller = twin.pair.board
    assert isinstance(controller, Pinned)
    bench.state.micros, bench.state.micros_a_look = 2**32 - 60_000, 15_000  # the clock wraps on the way
    reply = controller.link.exchange("RUN", (gate,), at=twin.tick, ticks=50_000, command=0)
    # It looks at the clock twice a piece, at last 30, 60, 90 and 120 ms after the start.
    ran = reply["at"] - twin.tick
    assert ran == 4 * FULL_SCANS, f"answered after {ran} scans, expected {4 * FULL_SCANS}"
    assert bench.events().count("k") >= 4 + 1, "the watchdog is not kicked between the pieces"
    bench.state.micros_a_look = 0
    for wanted in (1, 2, FULL_SCANS - 1, FULL_SCANS, FULL_SCANS + 1, 3 * FULL_SCANS + 1):
        at = reply["at"]
        reply = controller.link.exchange("RUN", at=at, ticks=wanted, command=0)
        assert reply["at"] - at == wanted, f"{reply['at'] - at} scans run, {wanted} asked for"


def permit_without_scans(core: Core) -> None:
    """Without a scan for more than a second the pin falls, whatever else arrives; the next scan gives it."""
    bench = core.bench
    for start in (0, 2**32 - PERMIT_WITHOUT_SCAN_US // 2):  # the clock wraps on the way
        bench.forget()
        twin = Twin(Pinned(bench), TABLE)
        assert twin.reach(State.irradiation)
        bench.state.micros = start
        for _ in range(2):
            twin.run(5)
            assert bench.state.permit, "the permit pin is off after a scan in irradiation"
            bench.state.micros = (bench.state.micros + PERMIT_WITHOUT_SCAN_US) % 2**32
            bench.poll()
            assert bench.state.permit, "the permit falls before a second is over"
            bench.state.micros = (bench.state.micros + 1) % 2**32
            bench.take(enframe(b"\1\2\3"))  # a frame that is refused is no scan
            assert not bench.state.permit, "the permit stays although nothing is scanned"


def pieces(core: Core) -> None:
    """A board that looks at its clock often gives what the model gives, and gives a command once."""
    bench, signal = core.bench, TABLE.signal_index
    bench.forget()
    twin = Twin(Pinned(bench), TABLE)
    bench.state.micros_a_look = 20_000  # two looks a piece, three pieces a request
    twin.reach(State.irradiation)
    jaws, limit = signal["jaw_error"], TABLE.counts("jaw_error", 2)
    twin.change(Change(jaws, (limit + 9) * ONE))
    twin.run(25)
    assert twin.outputs.latched
    twin.heal()
    twin.run(5)
    # For some scans the jaws are off again: too short to trip, long enough to refuse the reset of the first
    # scan. The gate that moves makes every scan a full one, so that more pieces follow; the reset was refused
    # before, so that its reply is no change that would end the run.
    twin.change(Change(jaws, (limit + 14) * ONE, -ONE), Change(signal["image_age_override"], 0, 1))
    twin.run(1, Command.reset_operator)
    twin.run(48, Command.reset_operator)
    assert twin.outputs.latched, "a command is given again with the next piece"
    walk(twin, 30, Random(5))


def bounded_poll(core: Core) -> None:
    """One poll takes at most a frame's worth of bytes, and handles at most one frame."""
    bench = core.bench
    bench.forget()
    host = Host(bench)
    assert host.welcome["receive_size"] == 256
    bench.give(b"\1" * 1000)
    bench.poll()
    assert bench.state.in_taken == 256, f"one poll takes {bench.state.in_taken} bytes"
    bench.take(b"\0")
    bench.give(2 * enframe(host.layout.pack("HELLO", 1, nonce=b"\7" * 8)))
    bench.poll()
    assert not bench.idle, "one poll handles two frames"


def refusals(core: Core) -> None:
    """What cannot be held is refused, ends the session, and is not run."""
    for name, changes, detail in (
        ("leaves 48 bits upwards", (Change(0, 2**47 - 2**40, 2**40),), 0),
        ("leaves 48 bits downwards", (Change(0, 2**40 - 2**47, -(2**40)),), 0),
        ("creeps out of 48 bits upwards", (Change(0, 2**47 - 1 - 99 * 2**30, 2**30),), 0),
        ("creeps out of 48 bits downwards", (Change(0, 99 * 2**30 - 2**47, -(2**30)),), 0),
        ("too many move", tuple(Change(s, 0, ONE) for s in range(MOST_MOVING + 1)), None),
    ):
        core.bench.forget()
        host = Host(core.bench)
        most = host.welcome["max_changes"]
        assert most == (256 - 4 - 11) // 13
        while len(changes) > most:
            [reply] = host.request("SET", changes[:most], at=0)
            assert reply.message.name == "SET_DONE", f"{name}: {reply}"
            changes = changes[most:]
        [reply] = host.run(100, *changes)
        assert reply.fields.get("code") == ErrorCode.refused, f"{name}: answered with {reply}"
        assert detail is None or reply.fields["detail"] == detail
        [reply] = host.request("READ_OUTPUTS")
        assert reply.fields.get("code") == ErrorCode.not_greeted, f"{name}: the session goes on: {reply}"
        assert host.greet()["at"] == 0, f"{name}: scans were run"
    core.bench.forget()
    host = Host(core.bench)
    for start in range(0, 2 * MOST_MOVING, 10):
        changes = tuple(Change(s, 0, ONE) for s in range(start, min(start + 10, len(SIGNALS))))
        [reply] = host.request("SET", changes, at=0)
        if start + 10 > MOST_MOVING:
            break
        assert reply.message.name == "SET_DONE", f"{start + 10} moving lines are answered with {reply}"
    assert reply.fields.get("code") == ErrorCode.refused, f"SET takes too many moving lines: {reply}"
    assert reply.fields["detail"] == 0
    # One scan less, and one line less, is taken.
    for line in ((2**47 - 1 - 100 * 2**30, 2**30), (100 * 2**30 - 2**47, -(2**30))):
        core.bench.forget()
        [reply] = Host(core.bench).run(100, Change(0, *line))
        assert reply.message.name == "OUTPUTS", f"a line that just fits is answered with {reply}"
    core.bench.forget()
    host = Host(core.bench)
    [reply] = host.run(1, Change(0, 2**47 - 1 - 2**40, 2**40))
    assert reply.message.name == "OUTPUTS", f"a line that just fits is answered with {reply}"
    [reply] = host.run(1, Change(0, 2**40 - 2**47, -(2**40)))
    assert reply.message.name == "OUTPUTS", f"a line that just fits is answered with {reply}"
    [reply] = host.request("SET", (Change(0, 0, 0),), at=host.at)
    for start in range(0, MOST_MOVING, 10):
        changes = tuple(Change(s, 0, ONE) for s in range(start, start + 10))
        [reply] = host.request("SET", changes, at=host.at)
        assert reply.message.name == "SET_DONE", f"{start + 10} moving lines are answered with {reply}"
    # A line that stops makes room for another; one that moves already needs none.
    [reply] = host.run(5, Change(3, 0, 0), Change(70, 0, ONE), Change(5, 0, 2 * ONE))
    assert reply.message.name == "OUTPUTS", reply


def identity(core: Core) -> None:
    """Who the board is: the table's digest, a build name cut to its field, the damaged frames counted."""
    bench = core.bench
    bench.forget()
    host = Host(bench)
    assert host.welcome["build"] == BUILD.encode()
    assert host.welcome["table"].hex() == TABLE.digest[:16]
    assert host.welcome["unique_id"] == bytes(range(8))
    for _ in range(7):
        bench.take(b"\1\1\1\1\0" * 10_000)
        assert host.greet()["damaged"] == min(65_535, 10_000 * (_ + 1)), "damaged frames are not counted"


CHECKS: dict[str, Check] = {
    "permit pin": permit_pin,
    "restarts": restarts,
    "watchdog and clock": watchdog_and_clock,
    "permit without scans": permit_without_scans,
    "pieces": pieces,
    "bounded poll": bounded_poll,
    "refusals": refusals,
    "identity": identity,
}
