"""Rewrites the generated parts of docs/wire.md: the message tables and the example session.

    .venv/bin/python tools/wire_page.py

The example is a real conversation with the board's side in Python; a test holds the same
conversation with what the page shows, and compares every byte.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from firmware_model.contract import ONE, Change  # noqa: E402 - the path has to be set first
from firmware_model.table import Table  # noqa: E402
from hil.device import Device  # noqa: E402
from hil.messages import BY_NUMBER  # noqa: E402
from hil.wire import Frames, Layout, enframe  # noqa: E402
from hil.wire_text import page_tables  # noqa: E402
from tools.generated_parts import with_generated_parts  # noqa: E402

PAGE = ROOT / "docs" / "wire.md"


def example_table() -> Table:
    """The table of the example: one door, one interlock. Its digest is made up, to be recognised."""
    row = {
        "title": "Door open",
        "trips_when": {"kind": "is_false", "signals": ["door_closed"]},
        "stop": "interrupt",
        "latch": "none",
        "acts_in": ["preparatory", "irradiation"],
        "respond_within": "10 ms",
        "requirements": ["REQ-1"],
        "basis": "an example",
        "no_proof": "an example",
    }
    signals = {
        name: {"title": name, "kind": "bool", "safe": False, "source": "plant"}
        for name in ("door_closed", "key_switch")
    }
    table = Table.model_validate(
        {
            "name": "example",
            "version": 1,
            "scan_period": "1 ms",
            "self_test_ticks": 3,
            "proof_timeout": 20,
            "requirements": {"REQ-1": "an example"},
            "hazards": {},
            "signals": signals,
            "interlocks": {"DOOR_OPEN": row},
        }
    )
    table.__dict__["digest"] = "0123456789abcdef" * 4
    return table


def conversation() -> list[tuple[str, bytes]]:
    """What is explained, and the bytes the host sends for it."""
    layout = Layout.of_rows(1)
    run = layout.pack("RUN", 19, (Change(0, ONE), Change(1, ONE)), at=0, ticks=1, command=1)
    more = layout.pack("RUN", 20, (Change(0, 0),), at=1, ticks=1000, command=0)
    hello = layout.pack("HELLO", 17, nonce=bytes.fromhex("a1a2a3a4a5a6a7a8"))
    damaged = bytearray(enframe(layout.pack("READ_OUTPUTS", 21)))
    damaged[2] ^= 0x10
    return [
        ("The host opens a session.", enframe(hello)),
        ("It asks for the outputs.", enframe(layout.pack("READ_OUTPUTS", 18))),
        ("Door and key switch become true; one scan with the command power_on (1).", enframe(run)),
        ("The door opens; up to 1000 scans. The self test ends in the third of them.", enframe(more)),
        ("The same again, as if the reply had been lost: the same reply, nothing is run.", enframe(more)),
        ("A frame with one bit flipped.", bytes(damaged)),
        ("A tick that is not the present one.", enframe(layout.pack("RUN", 21, at=1, ticks=1, command=0))),
        ("What a loss of power would leave.", enframe(layout.pack("READ_RETAINED", 22))),
        (
            "A restart; there is no answer.",
            enframe(layout.pack("RESET", 23, boots=1, cause=2, forget=False)),
        ),
        ("A request before a greeting is refused.", enframe(layout.pack("READ_OUTPUTS", 24))),
        ("The next session.", enframe(layout.pack("HELLO", 200, nonce=bytes.fromhex("b1b2b3b4b5b6b7b8")))),
    ]


def example() -> str:
    """The conversation as a page shows it: a line a frame, then its bytes as they go over the wire."""
    device = Device(example_table(), unique_id=bytes.fromhex("0011223344556677"), clock=lambda: 0.0)
    layout, lines = Layout.of_rows(1), []
    for text, sent in conversation():
        lines += ["", f"# {text}", *_shown("host", sent, layout)]
        answer = device.take(sent)
        lines += _shown("board", answer, layout) if answer else ["# (nothing)"]
    return "```wire\n" + "\n".join(lines[1:]) + "\n```\n"


def _shown(who: str, data: bytes, layout: Layout) -> list[str]:
    bodies = Frames().take(data)
    if not bodies:
        return [f"{who}  (damaged)", f"    {data.hex(' ')}"]
    [body] = bodies
    received = layout.unpack(body)
    assert BY_NUMBER[body[1]] is received.message
    values = " ".join(f"{name}={_value(value)}" for name, value in received.fields.items())
    return [f"{who}  {received.message.name} {received.sequence} {values}".rstrip(), f"    {data.hex(' ')}"]


def _value(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, tuple):
        return "[" + ";".join(f"{c.signal}:{c.value}:{c.slope}" for c in value) + "]"
    return str(value)


PARTS = {"messages": page_tables, "example": example}


def page_as_it_should_be(page: str) -> str:
    """The page with its generated parts. Raises ValueError when a mark is missing."""
    return with_generated_parts(page, PAGE.name, PARTS)


if __name__ == "__main__":
    PAGE.write_text(page_as_it_should_be(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    print(f"wrote docs/{PAGE.name}")
