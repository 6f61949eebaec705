"""The conformance tests pass on right boards, and name what is wrong with wrong ones."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import islice

import pytest

from firmware_model.contract import Advance, ResetCause, Segment
from firmware_model.controller import ModelController
from firmware_model.states import State
from firmware_model.table import Table
from firmware_model.table_loading import load_table
from hil.board import RemoteController
from hil.boards import process
from hil.conformance import NOT_TRIPPED, Result, behaviour, conformance, resets, rules_of_the_wire
from hil.conformance_wire import CHECKS
from hil.device import RECEIVE_SIZE, Device
from hil.errors import RigError
from hil.healthy import healthy_inputs
from hil.link import Patience
from hil.lockstep import Differs
from hil.messages import MESSAGES, ErrorCode
from hil.twin import Twin
from hil.wire import DELIMITER, Received, cobs_decode
from tests.firmware.dice import REPRODUCIBLE, Dice, dice_of_a_seed
from tests.firmware.random_tables import KINDS, random_table
from tests.hil.carriers import DirectTransport

TABLE = load_table()
PATIENCE = Patience(reply_s=0.02, retries=2, greeting_s=0.3, greet_again_s=0.01)
WIRE_TESTS, BEHAVIOUR_TESTS = len(CHECKS), 4 + len(TABLE.interlocks)


def twin_of(device: Device) -> Twin:
    return Twin(RemoteController(DirectTransport(device.take), TABLE, PATIENCE), TABLE)


def test_the_virtual_board_keeps_the_wire_and_takes_every_command() -> None:
    board = DirectTransport(Device(TABLE).take)
    found = list(islice(conformance(board, TABLE, patience=PATIENCE), WIRE_TESTS + 2))
    assert [r for r in found if not r.passed] == []
    assert found[-1].detail == "105 commands"


@pytest.mark.skipif(bool(process.missing()), reason=process.missing())
def test_the_firmware_conforms_and_every_interlock_trips() -> None:
    with ExitStack() as resources:
        transport = resources.enter_context(process.carrier(TABLE, resources))
        found = list(conformance(transport, TABLE))
    assert [r for r in found if not r.passed] == []
    assert len(found) == WIRE_TESTS + BEHAVIOUR_TESTS
    assert [r.name for r in found if r.detail == NOT_TRIPPED] == []


@pytest.mark.parametrize("kind", KINDS)
def test_any_table_can_be_tried(kind: str) -> None:
    from hypothesis import given, settings

    @settings(REPRODUCIBLE, max_examples=1)
    @given(dice_of_a_seed)
    def try_one(dice: Dice) -> None:
        table = random_table(dice, kind)
        assert all(r.passed for r in behaviour(lambda: Twin(ModelController(table), table), table, 5))
        assert len(healthy_inputs(table).values) == len(table.signals)

    try_one()


# ---- wrong boards: what each does, and the test that must notice -------------------------------------


class RunsRepetitions(Device):
    def _handle(self, body: bytes) -> bytes:
        if (body[0], body[1]) == (self._sequence, MESSAGES["RUN"].number):
            self._sequence = (self._sequence - 1) % 256
            body = body[:2] + self.at.to_bytes(4, "little") + body[6:]
        self._request_crc = 0
        return super()._handle(body)


class TakesAnySequence(Device):
    def _handle(self, body: bytes) -> bytes:
        if self._nonce is not None and zlib.crc32(body) != self._request_crc:
            self._sequence = (body[0] - 1) % 256
        return super()._handle(body)


class IgnoresCrc(Device):
    def take(self, data: bytes) -> bytes:
        answers = super().take(data)
        frame = cobs_decode(data.strip(b"\0")) if data.strip(b"\0") else None
        if frame and len(frame) > 6 and zlib.crc32(frame[:-4]).to_bytes(4, "little") != frame[-4:]:
            self.at += 1  # acted upon
        return answers


class AnswersLateGreetings(Device):
    def _hello(self, body: bytes, crc: int) -> bytes:
        self._nonce = b""
        return super()._hello(body, crc)


class IgnoresTick(Device):
    def _carry_out(self, body: bytes) -> bytes:
        if body[1] in (2, 3) and len(body) > 6:
            body = body[:2] + self.at.to_bytes(4, "little") + body[6:]
        return super()._carry_out(body)


class SilentOnUnknownTypes(Device):
    def _carry_out(self, body: bytes) -> bytes:
        answer = super()._carry_out(body)
        return b"" if body[1] not in (1, 2, 3, 4, 5, 6) else answer


class KeepsTheSession(Device):
    def _restart(self, cause: ResetCause) -> None:
        before = getattr(self, "_nonce", None)
        super()._restart(cause)
        self._nonce = before


class ForgetsLatches(Device):
    def _restart(self, cause: ResetCause) -> None:
        if hasattr(self, "at"):
            self._boots_before = self.boot_count
            self.controller = ModelController(self.table)
        super()._restart(cause)


class ReportsAnotherCause(Device):
    def _restart(self, cause: ResetCause) -> None:
        super()._restart(cause)
        self.cause = ResetCause.power


class ResetsOnStaleFrames(Device):
    def _reset(self, body: bytes) -> bytes:
        return super()._reset(body[:2] + (self.boot_count & 0xFFFF).to_bytes(2, "little") + body[4:])


class RestartsAtAGreeting(Device):
    def _hello(self, body: bytes, crc: int) -> bytes:
        damaged = self._damaged
        super()._restart(ResetCause.power)
        self._damaged = damaged
        return super()._hello(body, crc)


class RepeatsForTheNumberAlone(Device):
    def _handle(self, body: bytes) -> bytes:
        if self._nonce is not None and body[0] == self._sequence and body[1] != MESSAGES["HELLO"].number:
            return self._reply
        return super()._handle(body)


class TakesWhatIsTooLong(Device):
    def _carry_out(self, body: bytes) -> bytes:
        return super()._carry_out(body[:2] if body[1] in (5, 6) else body)


class SilentOnShortFrames(Device):
    """It takes a frame too short for a header for nothing at all."""

    def take(self, data: bytes) -> bytes:
        return super().take(b"" if 0 < len(data.strip(DELIMITER)) < 6 else data)


class TakesAnyValue(Device):
    def _run(self, request: Received) -> bytes:
        request.fields["command"] %= 15
        return super()._run(request)


class TakesWholeFramesOnly(Device):
    """It takes whatever arrives at once for a whole frame."""

    def take(self, data: bytes) -> bytes:
        self._frames.forget()
        return super().take(data)


class TakesOneFrameAtATime(Device):
    """What arrives with a frame, behind it, gets lost."""

    def take(self, data: bytes) -> bytes:
        frame, _, _ = data.lstrip(DELIMITER).partition(DELIMITER)
        return super().take(DELIMITER + frame + DELIMITER)


class DeafAfterTooMuch(Device):
    deaf = False

    def take(self, data: bytes) -> bytes:
        self.deaf = self.deaf or len(data) > RECEIVE_SIZE + 100
        return b"" if self.deaf else super().take(data)


class RunsAfterTooMuch(Device):
    def take(self, data: bytes) -> bytes:
        answers = super().take(data)
        self.at += len(data) > RECEIVE_SIZE + 100
        return answers


class OneTickLate(Device):
    """It notices a change of its outputs one scan late."""

    def _restart(self, cause: ResetCause) -> None:
        super()._restart(cause)
        inner = self.controller.run

        def run(segment: Segment) -> Advance:
            advance = inner(segment)
            if advance.ticks < segment.ticks:
                advance = Advance(advance.ticks + 1, inner(Segment(1)).outputs)
            return advance

        self.controller.run = run  # type: ignore[method-assign]


WRONG_ON_THE_WIRE = [
    (RunsRepetitions, "wire: repeated request"),
    (TakesAnySequence, "wire: sequence numbers"),
    (IgnoresCrc, "wire: damaged frames, every byte"),
    (AnswersLateGreetings, "wire: late copy of a greeting"),
    (IgnoresTick, "wire: wrong tick"),
    (SilentOnUnknownTypes, "wire: unknown types"),
    (KeepsTheSession, "wire: restart"),
    (ReportsAnotherCause, "wire: restart"),
    (ResetsOnStaleFrames, "wire: stale reset"),
    (RestartsAtAGreeting, "wire: handshake"),
    (RepeatsForTheNumberAlone, "wire: same number, other request"),
    (TakesWhatIsTooLong, "wire: wrong length"),
    (SilentOnShortFrames, "wire: too short and too long"),
    (TakesAnyValue, "wire: impossible values"),
    (TakesWholeFramesOnly, "wire: frame byte by byte"),
    (TakesOneFrameAtATime, "wire: merged frames and garbage"),
    (DeafAfterTooMuch, "wire: more than it can keep"),
    (RunsAfterTooMuch, "wire: more than it can keep"),
]


@pytest.mark.parametrize(("wrong", "test"), WRONG_ON_THE_WIRE)
def test_a_board_that_breaks_a_rule_of_the_wire_fails_that_test(wrong: type[Device], test: str) -> None:
    found = rules_of_the_wire(DirectTransport(wrong(TABLE).take), TABLE, PATIENCE)
    assert test in [r.name for r in found_until_it_fails_to_greet(found) if not r.passed]


def found_until_it_fails_to_greet(results: Iterator[Result]) -> Iterator[Result]:
    """A wrong board may be so wrong that the tests cannot go on."""
    with suppress(RigError):
        yield from results


def test_every_test_of_the_wire_can_fail() -> None:
    assert {test for _, test in WRONG_ON_THE_WIRE} == {f"wire: {name}" for name, _ in CHECKS}


def test_a_board_that_forgets_its_latches_differs_at_a_reset() -> None:
    with pytest.raises(Differs, match=r"^tick \d+: retained meterset is 0, the model has [1-9]"):
        resets(twin_of(ForgetsLatches(TABLE)))


def test_a_board_that_is_a_tick_late_differs_at_a_tick() -> None:
    with pytest.raises(Differs, match=r"^tick 500: state is self_test, the model has standby$"):
        twin_of(OneTickLate(TABLE)).reach(State.ready)


def changed(interlock: str, **update: object) -> Table:
    """The reference table with one row changed, under the digest of the right one."""
    row = TABLE.interlocks[interlock].model_copy(update=update)
    other = TABLE.model_copy(update={"interlocks": {**TABLE.interlocks, interlock: row}})
    other.__dict__["digest"] = TABLE.digest
    return other


@pytest.mark.parametrize(
    ("interlock", "update"),
    [
        ("WATER_FLOW", {"debounce": 101}),
        ("CLEARANCE", {"debounce": 4}),
        (
            "JAW_POSITION",
            {"trips_when": TABLE.interlocks["JAW_POSITION"].trips_when.model_copy(update={"limit": 2.01})},
        ),
        ("DOOR_OPEN", {"latch": "operator"}),
        ("HEARTBEAT_LINAC", {"stop": "interrupt"}),
    ],
)
def test_a_board_with_one_rule_changed_differs_at_that_interlock(
    interlock: str, update: dict[str, object]
) -> None:
    def start() -> Twin:
        return Twin(ModelController(changed(interlock, **update)), TABLE)

    failed = next(r for r in behaviour(start, TABLE, 30) if not r.passed)
    # The time a line takes to answer shows in the proof test already.
    assert failed.name in (
        f"interlock {interlock} around its limit",
        "reaches irradiation, with the proof test on the way",
    )
    assert re.match(r"tick \d+: \w+", failed.detail)


def test_error_codes_are_all_asked_for() -> None:
    seen: set[int] = set()
    device = Device(TABLE)
    error = device._error

    def noting(sequence: int, code: ErrorCode, detail: int) -> bytes:
        seen.add(code)
        return error(sequence, code, detail)

    device._error = noting  # type: ignore[method-assign]
    wire = rules_of_the_wire(DirectTransport(device.take), TABLE, PATIENCE)
    assert all(r.passed for r in wire)
    assert seen == set(ErrorCode) - {ErrorCode.refused}  # which the model never needs to say
