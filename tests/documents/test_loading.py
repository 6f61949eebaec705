"""Loading a document: whatever the file holds, the answer is a model or a DocumentError."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from firmware_model import strict_yaml
from firmware_model.diagnostics import DocumentError
from firmware_model.strict_yaml import load, loads

from .toy_scenario import EVERY_KEY, Anything, Class, Door, Scenario, Side, Wait, read


def test_a_valid_document() -> None:
    text = EVERY_KEY.replace("gain: 2.5", "gain: 2  # an integer for a float")
    scenario = loads(text, "f.yaml", Scenario)
    assert scenario.gain == 2.0
    assert scenario.reaction is Class.B
    assert scenario.jaws == (-150, 2000)
    assert isinstance(scenario.sensors[0], Door)
    assert scenario.sensors[0].side is Side.RIGHT
    assert scenario.steps[1] == Wait.model_construct(wait=2_000_000, at=1_000)
    assert scenario.end == 7_200_000_000


def test_importing_loads_neither_the_simulator_nor_its_libraries() -> None:
    code = "import sys, firmware_model.strict_yaml, firmware_model.quantity; print(*sys.modules)"
    root = Path(strict_yaml.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert not {"sim", "simpy", "pydicom", "transitions", "numpy", "rich"} & set(done.stdout.split())


# -- files ----------------------------------------------------------------------------------


def test_load_reads_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes("\ufeffname: x\r\nseed: 3\r\n".encode())
    assert load(path, Scenario).seed == 3


@pytest.mark.parametrize(
    ("content", "line", "column", "message"),
    [
        (b"name: x\nseed: \xff3\n", 2, 7, "byte 0xff is not UTF-8"),
        (b"\xff\xfen\x00", 1, 1, "byte 0xff is not UTF-8"),
        (b"a: \xc3", 1, 4, "byte 0xc3 is not UTF-8"),
        ("é: 1\r\né\0: 2".encode(), 2, 2, "U+0000"),
        (b"a: 1\n\tb: 2", 2, 1, "tab"),
        (b"", 0, 0, "the document is empty"),
        pytest.param(
            b"a: 1 #" + b"x" * 2**20, 0, 0, "larger than the limit of 1048576 bytes", id="too large"
        ),
    ],
)
def test_unreadable_content_is_placed(
    tmp_path: Path, content: bytes, line: int, column: int, message: str
) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(DocumentError) as caught:
        load(path, Scenario)
    [found] = caught.value.problems
    assert (found.source, found.line, found.column) == (str(path), line, column)
    assert message in found.message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (".", "it is a directory"),
        ("none.yaml", "there is no such file"),
        ("none.yaml/below", "there is no such file"),
        ("pipe", "no regular file"),
        ("loop", "cannot be read"),
        ("a\0b", "a\0b: "),
        pytest.param("x" * 300, "cannot be read", id="long name"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, message: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(DocumentError, match=message):
        load(tmp_path / name, Scenario)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("name: x")
    path.chmod(0)
    with pytest.raises(DocumentError, match="Permission denied"):
        load(path, Scenario)


# -- generated documents --------------------------------------------------------------------

_PIECES = st.sampled_from(
    ["\n", "  ", "- ", ": ", "{", "}", "[", "]", "&a ", "*a", "!!str ", "<<: ", "'", '"', "|\n", "? ", "~",
     "null", "true", "1e999", ".nan", "0x1", "\t", "\0", "#", "---\n", "...\n", "%YAML 1.1\n", "é", "\ud800",
     "\\", ",", "9" * 30, "wait", "kind: gas", "3 msec", "{}", "[]", "at: 1 s"]
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = EVERY_KEY
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        text = text[:start] + draw(_PIECES | st.text(max_size=4)) + text[end:]
    return text


def refusal_or_none(text: str, model: type[BaseModel]) -> DocumentError | None:
    """The refusal of a text, None when it is read; any other exception fails the test."""
    try:
        loads(text, "f.yaml", model)
    except DocumentError as error:
        return error
    return None


def _reads_or_refuses(text: str) -> None:
    error = refusal_or_none(text, Scenario)
    if error is not None:
        assert 1 <= len(error.problems) <= 20
        str(error).encode("utf-8")
        assert all(found.message and found.line <= text.count("\n") + 1 for found in error.problems)


@given(mutated())
def test_a_mutated_document_is_read_or_refused(text: str) -> None:
    _reads_or_refuses(text)


@given(mutated() | st.text(max_size=60))
def test_the_python_parser_does_not_leak_either(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strict_yaml, "_LOADER", yaml.SafeLoader)
        _reads_or_refuses(text)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)
    with contextlib.suppress(DocumentError):
        load(path, Anything)


_PLAIN_DATA = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.text(max_size=5)
    | st.sampled_from(["door", "gas", "arc", "2 s", "never", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["kind", "side", "pressure", "beam_on", "wait", "at", "expect", "door", "Wait", "[key]"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@given(
    st.sampled_from(sorted(Scenario.model_fields)),
    _PLAIN_DATA,
    st.booleans(),
)
def test_any_data_gives_few_problems_below_its_key(key: str, value: object, listed: bool) -> None:
    text = json.dumps({"name": "x", key: [value] if listed else value})
    error = refusal_or_none(text, Scenario)
    if error is not None:
        assert all("nput" not in found.message for found in error.problems), str(error)


@given(_PLAIN_DATA)
def test_json_is_read_as_json_reads_it(value: object) -> None:
    text = json.dumps({"a": value}, ensure_ascii=True)
    if refusal_or_none(text, Anything) is None:
        assert read(text) == json.loads(text)
    else:
        assert "\\" in text or "\x7f" in text, "only escapes may be refused"
