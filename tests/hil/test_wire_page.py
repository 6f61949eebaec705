"""The page of the wire is true: its tables are those of the code, and its example is a real conversation."""

from __future__ import annotations

import importlib.util
import re
import time
from pathlib import Path
from types import ModuleType

import pytest

from hil.boards import process
from hil.device import Device
from hil.messages import ErrorCode
from hil.transport import ProcessTransport
from hil.wire import Frames, Layout

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "wire.md").read_text(encoding="utf-8")
OWN = ("build", "unique_id", "max_changes")  # what another board may say


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("wire_page", ROOT / "tools" / "wire_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shown() -> list[tuple[str, str, bytes]]:
    """(who, what is explained, bytes) of every frame of the example."""
    block = re.search(r"^```wire\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert block
    found = re.findall(r"^(host|board)  (.*)\n    ([0-9a-f ]+)$", block[1], re.MULTILINE)
    return [(who, text, bytes.fromhex(data)) for who, text, data in found]


def test_the_generated_parts_are_fresh() -> None:
    assert tool().page_as_it_should_be(PAGE) == PAGE, "stale: run `python tools/wire_page.py`"


def test_a_page_without_its_marks_is_not_taken_for_fresh() -> None:
    with pytest.raises(ValueError, match="has no part"):
        tool().page_as_it_should_be(PAGE.replace("<!-- generated: example -->", ""))


def test_the_conversation_shown_is_what_the_board_says() -> None:
    device = Device(tool().example_table(), unique_id=bytes.fromhex("0011223344556677"))
    answers, frames = b"", shown()
    assert len(frames) >= 20
    for who, text, data in frames:
        if who == "host":
            assert answers == b"", f"not shown, before {text}"
            answers = device.take(data)
        else:
            assert answers == data, text
            answers = b""


@pytest.mark.skipif(bool(process.missing()), reason=process.missing())
def test_the_firmware_says_the_same() -> None:
    layout = Layout.of_rows(1)
    program = process.build_program(tool().example_table())
    with ProcessTransport([str(program)], "example") as transport:
        frames = Frames()
        sent = b""
        for who, text, data in shown():
            if who == "host":
                sent = data
                transport.write(data)
                continue
            expected = layout.unpack(*Frames().take(data))
            answers = []
            deadline = time.monotonic() + 20
            while not answers:
                assert time.monotonic() < deadline, f"no answer: {text}"
                answers = [layout.unpack(body) for body in frames.take(transport.read(1.0))]
                if expected.fields.get("code") == ErrorCode.not_greeted:
                    # It came during the restart, and was lost in whole or in part.
                    answers = [a for a in answers if a.fields.get("code") != ErrorCode.damaged]
                    if not answers:
                        transport.write(sent)
            [answer] = answers
            for name in OWN:
                expected.fields.pop(name, None)
                answer.fields.pop(name, None)
            answer.fields.pop("receive_size", None)
            expected.fields.pop("receive_size", None)
            assert answer == expected, text


def test_the_check_value_of_the_crc_is_the_published_one() -> None:
    import zlib

    assert f"0x{zlib.crc32(b'123456789'):X}" in PAGE
