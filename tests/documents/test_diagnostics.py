"""What a refusal looks like: its form, the place it points at and what it suggests."""

from __future__ import annotations

import pickle
from pathlib import Path

from firmware_model.diagnostics import DocumentError, Problem, closest, did_you_mean
from firmware_model.strict_yaml import load_document, loads_document

from .toy_scenario import Scenario, marked, problem, problems, refused

# -- form -----------------------------------------------------------------------------------


def test_a_problem_is_printed_like_a_compiler_does() -> None:
    text = "name: x\nsteps:\n  - expct: {door: 3}\n"
    assert str(refused(text, source="scenarios/x.yaml")) == (
        "scenarios/x.yaml:3:5: unknown key 'expct'\n"
        "    3 |   - expct: {door: 3}\n"
        "      |     ^^^^^\n"
        "      = help: did you mean 'expect'?"
    )


def test_problems_come_in_reading_order() -> None:
    text = "zzz: 1\nseed: x\nname: x\ngain: y\n"
    assert [(p.line, p.column) for p in problems(text)] == [(1, 1), (2, 7), (4, 7)]


def test_at_most_twenty_problems_are_given() -> None:
    error = refused("name: x\nsensors: [" + "a, " * 50 + "]\n")
    assert "only the first 20 problems are shown" in str(error)
    assert len(error.problems) == 20
    error = refused("a: 1\n" * 50)
    assert len(error.problems) == 20
    assert len(error.args[0]) == 21, "reading goes on after the last problem that is shown"
    assert len(problems("".join(f"{'abc'[i % 3]}: &x{i} 1\n" for i in range(20_000)))) == 20


def test_exactly_twenty_problems_are_not_called_the_first() -> None:
    error = refused("name: x\nsensors: [" + "a, " * 20 + "]\n")
    assert len(error.problems) == 20
    assert "only the first" not in str(error)


def test_a_document_error_survives_pickling() -> None:
    error = DocumentError([Problem("f", 1, 2, "m", "s", "x")])
    again = pickle.loads(pickle.dumps(error))
    assert (again.problems, str(again)) == (error.problems, str(error))


def test_long_lines_are_cut_around_the_place() -> None:
    found = problem(f"name: x\nsensors: [{' ' * 5000}, {{kind: dor}}, {' ' * 5000}]".replace(" ,", " "))
    assert marked(found) == "dor"
    assert found.snippet is not None
    assert max(map(len, found.snippet.split("\n"))) < 120


def test_a_snippet_cannot_steer_the_terminal() -> None:
    found = problem("name: \x1b[31mred")
    assert (found.line, found.column) == (1, 7)
    assert "\x1b" not in str(found)


def test_columns_count_characters_not_bytes() -> None:
    found = problems("name: x\ncounts: [1, 'é€𝄞', q]")[1]
    assert (found.line, found.column, marked(found)) == (2, 20, "q")


def test_a_file_name_that_is_not_utf8_can_be_printed() -> None:
    str(refused("", source="caf\udce9.yaml")).encode("utf-8")


# -- positions ------------------------------------------------------------------------------


def test_positions() -> None:
    text = "name: x\nsteps:\n  - wait: 2 s\n  - {beam_on: arc}\ncounts:\n  - 3\n"
    document = loads_document(text, "f.yaml", Scenario)
    assert document.model.name == "x"
    positions = {
        (): (1, 1),
        ("name",): (1, 7),
        ("steps",): (2, 1),
        ("steps", 0): (3, 5),
        ("steps", 0, "wait"): (3, 11),
        ("steps", 0, "at"): (3, 5),
        ("steps", 1, "beam_on"): (4, 15),
        ("steps", 9, "wait"): (2, 1),
        ("seed",): (1, 1),
        ("counts", 0): (6, 5),
        ("name", "deeper", 3): (1, 7),
    }
    assert {path: document.position(path) for path in positions} == positions


def test_errors_found_after_reading(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("name: x\nsteps:\n  - expect: {door: 3}\n")
    document = load_document(path, Scenario)
    error = document.error(("name",), "no interlock 'x'", did_you_mean("DOR_OPEN", ["DOOR_OPEN", "GAS"]))
    assert str(error) == (
        f"{path}:1:7: no interlock 'x'\n    1 | name: x\n      |       ^\n"
        "      = help: did you mean 'DOOR_OPEN'?"
    )
    at_key = document.problem(("steps", 0, "expect", "door"), "m", at_key=True)
    assert (at_key.column, marked(at_key)) == (14, "door")
    both = DocumentError([at_key, *error.problems])
    assert [p.line for p in both.problems] == [1, 3]


# -- suggestions ----------------------------------------------------------------------------


def test_suggestions() -> None:
    assert closest("DOR_OPEN", ["GAS", "DOOR_OPEN"]) == "DOOR_OPEN"
    assert closest("door-open", ["GAS", "DOOR_OPEN"]) == "DOOR_OPEN"
    assert closest("zzz", ["GAS"]) is None
    assert did_you_mean("zzz", ["GAS", "DOOR"]) == "known here: GAS, DOOR"
    assert did_you_mean("zzz", []) is None
    many = did_you_mean("zzz", [f"n{i}" for i in range(40)]) or ""
    assert many.endswith("n11, ... (40 in all)")
    assert did_you_mean("x" * 10**6, ["GAS"]) == "known here: GAS"
