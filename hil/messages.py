"""The messages between a host and a board, as data.

This table is the only place that says what a message holds. The layouts in Python
(:mod:`hil.wire`), the C header and the page ``docs/wire.md`` (both by :mod:`hil.wire_text`) are made
from it. All numbers are little-endian; every field has a fixed size except masks, whose size
follows from the interlock table, and the changes at the end of a request.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

#: Raised with every change of a layout or of a meaning; host and board must agree.
PROTOCOL = 1

#: Field type to size in bytes. A mask has one bit per interlock: (rows + 7) // 8 bytes, bit 0 first.
SIZES = {
    "u8": 1,
    "bool": 1,
    "u16": 2,
    "i16": 2,
    "u32": 4,
    "i32": 4,
    "bytes8": 8,
    "text16": 16,
}
CHANGE_SIZE = 13  # signal u8, value i48, slope i48
HEADER_SIZE = 2  # sequence number, type
CRC_SIZE = 4
OVERHEAD = HEADER_SIZE + CRC_SIZE
#: Bytes that a board keeps of what arrives while it works on a frame, as they go over the wire: a greeting,
#: or a request without changes, with the zeros around it. Engineering default.
KEPT_WHILE_BUSY = 24


class ErrorCode(IntEnum):
    """Why a board did not do what it was asked."""

    damaged = 1
    unknown_type = 2
    bad_length = 3
    bad_sequence = 4
    not_greeted = 5
    wrong_tick = 6
    bad_value = 7
    refused = 8
    stale_reset = 9


#: What each code means and what `detail` then holds.
ERRORS = {
    ErrorCode.damaged: ("a frame was damaged; sequence number 0", "damaged frames since the reset"),
    ErrorCode.unknown_type: ("no such message", "its type"),
    ErrorCode.bad_length: ("the payload does not have the length its type asks for", "length received"),
    ErrorCode.bad_sequence: ("not the next sequence number, and not a repetition", "the next one"),
    ErrorCode.not_greeted: ("no HELLO since the last reset", "0"),
    ErrorCode.wrong_tick: ("`at` is not the number of scans run so far", "its low 16 bits"),
    ErrorCode.bad_value: ("a value that no board takes; nothing was done", "offset in the frame"),
    ErrorCode.refused: (
        "more than this build can hold; greet and reset to go on",
        "which change",
    ),
    ErrorCode.stale_reset: ("the boot count given is not the present one", "its low 16 bits"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message: name, type (a key of SIZES, `mask` or `changes`) and meaning."""

    name: str
    type: str
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Requests name the message that answers them ("" if none does)."""

    name: str
    number: int
    text: str
    fields: tuple[Field, ...] = ()
    reply: str = ""


_AT = Field("at", "u32", "scans run since the last reset")
_BOOTS = Field("boots", "u16", "boot count, low 16 bits")
_CHANGES = Field("changes", "changes", "lines of signals from the next scan on")

REQUESTS = (
    Message(
        "HELLO",
        0x01,
        "Opens a session. Its sequence number is the first; the next request has the next one.",
        (Field("nonce", "bytes8", "anything not used before"),),
        "WELCOME",
    ),
    Message("SET", 0x02, "Changes that do not fit into the RUN they belong to.", (_AT, _CHANGES), "SET_DONE"),
    Message(
        "RUN",
        0x03,
        "Takes the changes, then runs up to `ticks` scans and stops after the first that changed an output. "
        "The command is given in the first scan. The board may stop earlier; the host goes on.",
        (
            _AT,
            Field("ticks", "u32", "most scans to run, 1 to 2^31 - 1"),
            Field("command", "u8", "command in the first scan, 0: none"),
            _CHANGES,
        ),
        "OUTPUTS",
    ),
    Message(
        "RESET",
        0x04,
        "Restarts the board. There is no reply: the host greets until the boot count is one higher.",
        (
            Field("boots", "u16", "present boot count, low 16 bits; a late copy resets nothing"),
            Field("cause", "u8", "0 power, 1 watchdog, 2 external: what the board reports afterwards"),
            Field("forget", "bool", "retained memory starts empty; only the boot count goes on"),
        ),
    ),
    Message("READ_RETAINED", 0x05, "Asks for what a loss of power would leave.", (), "RETAINED"),
    Message("READ_OUTPUTS", 0x06, "Asks for the outputs as they are; runs nothing.", (), "OUTPUTS"),
)

REPLIES = (
    Message(
        "WELCOME",
        0x81,
        "Who the board is.",
        (
            _BOOTS,
            Field("nonce", "bytes8", "the one of the HELLO"),
            Field("protocol", "u8", f"version of this protocol: {PROTOCOL}"),
            Field("table", "bytes8", "first 8 bytes of the interlock table's digest"),
            Field("signals", "u8", "signals of the table"),
            Field("rows", "u8", "interlocks of the table"),
            Field("build", "text16", "firmware build; ASCII, zeros at the end"),
            Field("unique_id", "bytes8", "of this very board"),
            Field("boot_count", "u32", "starts since retained memory was lost"),
            Field("cause", "u8", "of the last reset: 0 power, 1 watchdog, 2 external"),
            _AT,
            Field("max_changes", "u8", "most changes in one RUN"),
            Field("receive_size", "u16", "longest frame the board takes, decoded, with CRC"),
            Field("damaged", "u16", "damaged frames received since the reset"),
        ),
    ),
    Message("SET_DONE", 0x82, "The changes are taken; nothing was run.", (_BOOTS, _AT)),
    Message(
        "OUTPUTS",
        0x83,
        "Everything the controller drives, as its last scan left it.",
        (
            _BOOTS,
            _AT,
            Field("state", "u8", "0 off … 10 emergency"),
            Field("permit", "bool", "beam permit"),
            Field("motion", "bool", "motors may be driven"),
            Field("power", "bool", "high voltage and motor supplies"),
            Field("test_line", "u8", "1 + interlock under proof test, 0: none"),
            Field("first_up", "i16", "interlock that caused the last stop, -1: none"),
            Field("reply_command", "u8", "last command"),
            Field("reply_accepted", "bool", "whether it was accepted"),
            Field("reply_blocked_by", "i16", "interlock that refused it, -1: the state"),
            Field("tripped", "mask", "interlocks tripped"),
            Field("latched", "mask", "interlocks latched"),
            Field("local_due", "mask", "latched, and still waiting for the reset at the place"),
        ),
    ),
    Message(
        "RETAINED",
        0x85,
        "What a loss of power would leave.",
        (
            _BOOTS,
            Field("boot_count", "u32", "starts since retained memory was lost"),
            Field("cause", "u8", "of the last reset"),
            Field("meterset", "i32", "last primary meterset seen in a beam, counts"),
            Field("first_up", "i16", "interlock that caused the last stop, -1: none"),
            Field("latched", "mask", "interlocks latched"),
            Field("local_due", "mask", "latched, and still waiting for the reset at the place"),
        ),
    ),
    Message(
        "ERROR",
        0xFF,
        "The request was not carried out.",
        (_BOOTS, Field("code", "u8", "see below"), Field("detail", "u16", "see below")),
    ),
)

MESSAGES = {message.name: message for message in (*REQUESTS, *REPLIES)}
BY_NUMBER = {message.number: message for message in MESSAGES.values()}


def offsets(message: Message) -> dict[str, int]:
    """Where each field of fixed place starts in the decoded frame; of masks, the first only."""
    found: dict[str, int] = {}
    place = HEADER_SIZE
    for field in message.fields:
        if field.type == "mask":
            found.setdefault("masks", place)
        elif field.type == "changes":
            found["changes"] = place  # their number, then the changes
        else:
            found[field.name] = place
            place += SIZES[field.type]
    return found


def fixed_size(message: Message) -> int:
    """Header and fields of fixed size; the number of changes counts, the changes do not."""
    sizes = (1 if f.type == "changes" else SIZES.get(f.type, 0) for f in message.fields)
    return HEADER_SIZE + sum(sizes)


def masks(message: Message) -> int:
    """How many masks the message ends in."""
    return sum(field.type == "mask" for field in message.fields)
