"""Schema and loader agree: damaged copies of the repository's files are marked exactly when refused."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from firmware_model.strict_yaml import DocumentError, loads
from sim.editor_schemas import KINDS
from tests.editor.files import FILES
from tests.editor.language_server import LanguageServer

#: How many damaged documents of each kind are compared.
SAMPLE = 100

#: What only the loader can tell: limits and resolution of a quantity, and rules across a whole list.
LOADER_ONLY = re.compile(
    r"not a multiple of|the smallest accepted|the largest accepted|must be (less|more|greater)|is used twice"
    r"|'ramp' (needs|is longer)|shorter than 'every'|control point|delivers nothing|cumulative meterset"
    r"|is given twice"
)

Path_ = tuple[str | int, ...]


def places(value: Any, at: Path_ = ()) -> Iterator[Path_]:
    if at:
        yield at
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from places(part, (*at, key))


def damaged(document: Any, at: Path_) -> Iterator[Any]:
    """The document with one thing changed at a place: dropped, misspelt, doubled, of another kind."""

    def change(act: Any) -> Any:
        changed = copy.deepcopy(document)
        parent = changed
        for key in at[:-1]:
            parent = parent[key]
        act(parent, at[-1])
        return changed

    def put(value: Any) -> Any:
        return change(lambda parent, key: parent.__setitem__(key, value))

    here = document
    for key in at:
        here = here[key]
    yield change(lambda parent, key: parent.pop(key))
    if isinstance(at[-1], str):
        yield change(lambda parent, key: parent.__setitem__(f"{key}x", parent.pop(key)))
        yield change(lambda parent, key: parent.__setitem__("after", "somewhere"))
    for other in (7, 0.5, -3, True, "text", "0 MU", "3 s", "10 mm", [], {}, ["text"]):
        if other != here:
            yield put(other)
    if isinstance(here, str) and (number := re.match(r"-?[0-9.]+", here)):
        yield put(here.replace(" ", ""))
        yield put(f"-{here}")
        yield put(number[0])


def documents(kind: str) -> list[Any]:
    read = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in FILES[kind]]
    if kind == "table":  # one row of every kind of condition and a few signals, to be quick
        (table,) = read
        rows = {row["trips_when"]["kind"]: (name, row) for name, row in table["interlocks"].items()}
        table["interlocks"] = dict(rows.values())
        table["signals"] = dict(list(table["signals"].items())[::10])
    return read


def refusal(text: str, kind: str) -> str:
    """What the loader says, or nothing."""
    try:
        loads(text, "x", KINDS[kind][0])
    except DocumentError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", KINDS)
def test_the_editor_marks_what_the_loader_refuses(server: LanguageServer, kind: str) -> None:
    known = documents(kind)
    dice = random.Random(kind)
    texts = []
    while len(texts) < SAMPLE:
        document = dice.choice(known)
        change = dice.choice(list(damaged(document, dice.choice(list(places(document))))))
        texts.append(yaml.safe_dump(change, sort_keys=False))
    marks = server.diagnose_all(texts, kind)
    refused = [refusal(text, kind) for text in texts]
    differences = [
        f"{text}\neditor: {marked}\nloader: {said}"
        for text, marked, said in zip(texts, marks, refused, strict=True)
        if bool(marked) != bool(said) and not (said and LOADER_ONLY.search(said))
    ]
    assert differences == []
    # Both outcomes occurred, or nothing has been compared.
    assert sum(map(bool, refused)) > SAMPLE // 3
    assert [said for said, marked in zip(refused, marks, strict=True) if not said and not marked]
