"""What an editor marks as wrong, and that it marks nothing in the files of the repository."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from tests.editor.files import FILES
from tests.editor.language_server import LanguageServer

SCENARIOS = Path(__file__).parents[2] / "scenarios"
HEAD = "title: abc\npurpose: abc\nplan: x.yaml\n"
STEP = HEAD + "timeline:\n  - id: a\n    at: {time: 1 s}\n"
EXPECT = "expect:\n  - {interruptions: 0}\n"
ROW = "interlocks:\n  A:\n"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (HEAD + "sed: 1\n" + EXPECT, 4, "Property sed is not allowed"),
        (HEAD, 1, 'Missing property "expect"'),
        (HEAD + "seed: x\n" + EXPECT, 4, 'Expected "integer"'),
        (HEAD + "time_limit: 10\n" + EXPECT, 4, "write a duration, a number and a unit (us, ms, s, min, h)"),
        (HEAD + "time_limit: 10 sec\n" + EXPECT, 4, "at least 1 s, at most 24 h, for example 10 ms"),
        (HEAD + "expect:\n  - {delivered: a, tolerance: 1 mm}\n", 5, "write a meterset"),
        (STEP + "    fault: {kind: leaf_stuk, leaf: 1}\n" + EXPECT, 7, '"leaf_stuck", "leaf_lag"'),
        (STEP + "    fault: {kind: leaf_stuck}\n" + EXPECT, 7, 'Missing property "leaf"'),
        (
            STEP + "    fault: {kind: leaf_stuck, leaf: 1, axis: x}\n" + EXPECT,
            7,
            "Property axis is not allowed",
        ),
        (STEP + "    fault: {leaf: 1}\n" + EXPECT, 7, 'Missing property "kind"'),
        (STEP + "    fault: leaf_stuck\n" + EXPECT, 7, 'Expected "fault"'),
        (STEP + "    room: open_doors\n" + EXPECT, 7, '"open_door", "close_door"'),
        (STEP + EXPECT, 5, "give exactly one of"),
        (STEP + "    room: open_door\n    lasts: 1 s\n" + EXPECT, 5, "missing property fault required by"),
        (HEAD + "expect:\n  - {beam_off: 10 ms}\n", 5, "missing property after required by"),
        (HEAD + "expect:\n  - {interruptions: 0, trips: X}\n", 5, "does not go with 'trips'"),
        (
            HEAD + "timeline:\n  - id: A\n    at: {state: hold}\n    room: open_door\n" + EXPECT,
            5,
            "the id of a step",
        ),
        (
            HEAD + "timeline:\n  - id: a\n    at: {state: beam}\n    room: open_door\n" + EXPECT,
            6,
            '"irradiation"',
        ),
    ],
)
def test_a_mistake_is_marked_where_it_is(server: LanguageServer, text: str, line: int, message: str) -> None:
    found = server.diagnose(text, "scenario")
    assert [m for at, m in found if at == line and message in m], found
    assert {at for at, _ in found} == {line}, found  # and nothing else


def test_a_mistake_is_told_once_and_not_for_every_kind_of_fault(server: LanguageServer) -> None:
    """No branch of the choice complains about what is not its kind."""
    for fault, count in (("leaf_stuck", 1), ("{kind: leaf_stuk}", 1), ("{kind: leaf_stuck, by: 1}", 2)):
        assert len(server.diagnose(STEP + f"    fault: {fault}\n" + EXPECT, "scenario")) == count


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (ROW + "    trips_when: {kind: above, signal: x, limt: 1}\n", 3, "Property limt is not allowed"),
        (ROW + "    trips_when: {kind: abov}\n", 3, '"above", "below"'),
        (ROW + "    respond_within: 10\n", 3, "write a duration"),
        (ROW + '    dicom_code: "1"\n', 3, '"130478"'),
        (ROW + "    proof: {a: 1}\n    no_proof: x\n", 4, "does not go with 'proof'"),
        ("interlocks:\n  door: {}\n", 2, "Property door is not allowed"),
    ],
)
def test_mistakes_in_a_table(server: LanguageServer, text: str, line: int, message: str) -> None:
    found = server.diagnose(text, "table")
    assert [m for at, m in found if at == line and message in m], found


def test_the_files_of_the_repository_are_clean(server: LanguageServer) -> None:
    assert len(FILES["scenario"]) > 20
    assert len(FILES["plan"]) > 3
    for kind, paths in FILES.items():
        found = server.diagnose_all([path.read_text(encoding="utf-8") for path in paths], kind)
        assert {path.name: marks for path, marks in zip(paths, found, strict=True) if marks} == {}


def test_a_modeline_names_the_schema(server: LanguageServer, tmp_path: Path) -> None:
    """As the documentation says: write the schema, name it in the first line."""
    schema = tmp_path / "scenario.schema.json"
    result = CliRunner().invoke(main, ["schema", "--out", str(schema)])
    assert result.exit_code == 0, result.output
    modeline = f"# yaml-language-server: $schema={schema.as_uri()}\n"
    plan = (SCENARIOS / "plans" / "single_lung_metastasis.yaml").read_text(encoding="utf-8")
    assert server.diagnose(modeline + HEAD + EXPECT, "any") == []
    assert [m for _, m in server.diagnose(modeline + plan, "any") if "Property targets" not in m]
    shutil.rmtree(tmp_path)
