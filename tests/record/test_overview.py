"""The overview of many runs: what it counts, what it links, and what it does with damaged records."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.main import main
from sim.record.overview import (
    MATRIX_COLUMNS,
    blocks,
    interlock_matrix,
    margin_rows,
    overall,
    render_overview,
    requirement_matrix,
    run_row,
    scenario_columns,
)
from sim.record.run_records import Run, Unusable, find_runs, read_run
from tests.record.hostile import EVIL, hostile
from tests.record.run_folders import put, record, several
from tests.record.test_report import Page


def overview(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["overview", *map(str, words)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return several(tmp_path / "runs")


def test_the_command_writes_the_page_and_names_what_it_left_out(folder: Path) -> None:
    done = overview(folder)
    assert done.exit_code == 3
    assert f"{folder / 'damaged' / 'run.json'}: is not JSON: line 1, column 19" in done.output
    assert done.output.endswith(f"{folder / 'index.html'}: 5 runs, 1 unusable\n")
    words = Page((folder / "index.html").read_text(encoding="utf-8")).words
    assert "damaged/run.json is not JSON: line 1, column 19" in words
    assert "The worst verdict of 5 runs; 1 more could not be read." in words


def test_a_sound_folder_exits_with_zero_whatever_the_verdicts(tmp_path: Path) -> None:
    put(tmp_path, "x", record(verdict="FAIL", measured=11.0))
    done = overview(tmp_path)
    assert (done.exit_code, done.output) == (0, f"{tmp_path / 'index.html'}: 1 run\n")


def test_a_folder_without_runs_is_wrong_usage_and_leaves_nothing(tmp_path: Path) -> None:
    done = overview(tmp_path)
    assert done.exit_code == 2
    assert "no run.json in this folder or below" in done.output
    assert list(tmp_path.iterdir()) == []
    assert overview(tmp_path / "nowhere").exit_code == 2


def test_a_page_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    put(tmp_path, "x", record())
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = overview(tmp_path, "--out", tmp_path / "file" / "page.html")
    assert done.exit_code == 2
    assert "file/page.html: cannot be written" in done.output


@pytest.mark.parametrize("page", ["runs/index.html", "elsewhere/deep/page.html"])
def test_links_lead_to_the_reports(folder: Path, tmp_path: Path, page: str) -> None:
    out = tmp_path / page
    overview(folder, "--out", out)
    shown = Page(out.read_text(encoding="utf-8"))
    links = {str(attrs["href"]) for tag, attrs in shown.tags if tag == "a" and attrs.get("href")}
    reports = {unquote(link) for link in links if not link.startswith("#")}
    found = {(out.parent / link).resolve() for link in reports}
    assert found == {path.resolve() for path in folder.rglob("report.html")}
    assert len(found) == 4
    assert "(no report.html)" in shown.words


def test_same_folder_same_bytes(folder: Path, tmp_path: Path) -> None:
    overview(folder)
    first = (folder / "index.html").read_bytes()
    overview(folder)
    assert (folder / "index.html").read_bytes() == first
    moved = tmp_path / "other" / "runs"
    moved.parent.mkdir()
    folder.rename(moved)
    overview(moved)
    assert (moved / "index.html").read_bytes() == first


def test_the_page_is_sound_and_loads_nothing(folder: Path) -> None:
    runs, unusable = find_runs(folder)
    shown = Page(render_overview(runs, unusable, folder, folder))
    assert len(shown.ids) == len(set(shown.ids))
    for tag, attrs in shown.tags:
        for name in ("href", "aria-labelledby"):
            target = str(attrs.get(name) or "")
            if target and (name != "href" or target.startswith("#")):
                assert target.lstrip("#") in shown.ids, (tag, target)
        assert not {"src", "action", "srcset"} & set(attrs)
        assert not any(name.startswith("on") for name in attrs)
    (policy,) = [attrs["content"] for _, attrs in shown.tags if attrs.get("http-equiv")]
    assert str(policy).startswith("default-src 'none'; script-src 'sha256-")


def test_failed_runs_come_first_and_decide_the_word_at_the_top(folder: Path) -> None:
    runs, unusable = find_runs(folder)
    shown = Page(render_overview(runs, unusable, folder, folder))
    data: list[dict[str, Any]] = json.loads(shown.scripts[0])
    assert [run["verdict"] for run in data] == ["FAIL", "PASS", "PASS", "PASS", "PASS"]
    assert [run["title"] for run in data][1:] == [
        "The door scenario", "The gantry scenario", "The quiet scenario", "The water scenario",
    ]  # fmt: skip
    assert overall(runs)["word"] == "FAIL"
    assert overall([run for run in runs if run.record.verdict == "PASS"])["word"] == "PASS"
    assert "✗ FAIL 1 of 5 runs ✓ PASS 4 of 5 runs Invariants violated 1" in shown.words


def test_a_row_holds_what_it_says(folder: Path) -> None:
    runs, _ = find_runs(folder)
    failed = next(run for run in runs if run.record.verdict == "FAIL")
    row = run_row(failed, folder, folder)
    assert row["where"] == "b/door #2"
    assert row["report"] == "b/door%20%232/report.html"
    assert row["first_up"] == {"id": "DOOR_OPEN", "title": "Title of DOOR_OPEN", "stop": "interrupt"}
    assert [entry["id"] for entry in row["violated"]] == ["no-beam-with-door-open"]
    assert (row["met"], row["asked"], row["sim_time"]) == (1, 2, "2 min")
    tightest = row["tightest"]
    assert (tightest["measured"], tightest["limit"], tightest["margin"], tightest["share"]) == (
        "40.55 s", "10 ms", "-40.54 s", "-4054 times",
    )  # fmt: skip


def test_margins_are_listed_from_the_tightest(folder: Path) -> None:
    runs, _ = find_runs(folder)
    rows = [run_row(run, folder, folder) for run in runs]
    listed = margin_rows(runs, rows)
    assert [margin["share"] for margin in listed] == ["-4054 times", "5 %", "50 %", "80 %", "90 %"]
    assert [margin["run"]["where"] for margin in listed][:2] == ["b/door #2", "a/gantry"]


def test_interlocks_by_scenario(folder: Path) -> None:
    runs, _ = find_runs(folder)
    columns = scenario_columns(runs)
    assert [column["name"] for column in columns] == ["door", "gantry", "quiet", "water"]
    matrix = {row["id"]: row for row in interlock_matrix(runs, columns)}
    assert matrix["DOOR_OPEN"]["cells"] == ["first", "", "", ""]
    assert matrix["LAST_PERSON_OUT"]["cells"] == ["follow", "follow", "", "follow"]
    assert matrix["LAST_PERSON_OUT"]["count"] == 3
    held = record("gated") | {"interlocks": [{"id": "GATE", "first_up": False, "stop": "hold"}]}
    gated = read_run(put(folder, "gated", held))
    assert isinstance(gated, Run)
    assert interlock_matrix([gated], scenario_columns([gated]))[0]["cells"] == ["hold"]


def test_requirements_by_scenario_show_the_worst_verdict(folder: Path) -> None:
    runs, _ = find_runs(folder)
    matrix = {row["id"]: row for row in requirement_matrix(runs, scenario_columns(runs))}
    room = matrix["REQ-ROOM-01"]
    assert [cell and cell["word"] for cell in room["cells"]] == ["FAIL", None, "PASS", None]
    assert (room["count"], room["passed"]) == (2, 1)
    assert set(matrix) == {"REQ-ROOM-01", "REQ-MOTN-01", "REQ-DOSE-03"}


def test_a_wide_matrix_is_cut_into_pieces_and_loses_nothing() -> None:
    columns = [{"name": f"s{n}"} for n in range(2 * MATRIX_COLUMNS + 1)]
    matrix = [
        {"id": "A", "cells": ["first"] + [""] * 2 * MATRIX_COLUMNS},
        {"id": "B", "cells": ["follow"] * MATRIX_COLUMNS + [""] * MATRIX_COLUMNS + ["hold"]},
    ]
    cut = blocks(matrix, columns)
    assert [[row["id"] for row in block["rows"]] for block in cut] == [["A", "B"], ["B"]]
    assert [column["name"] for column in cut[1]["scenarios"]] == [f"s{2 * MATRIX_COLUMNS}"]
    assert cut[1]["rows"][0]["cells"] == ["hold"]


def test_scenarios_of_one_name_are_told_apart(tmp_path: Path) -> None:
    one, other = record("faults/door"), record("nominal/door")
    put(tmp_path, "1", one)
    put(tmp_path, "2", other)
    runs, _ = find_runs(tmp_path)
    names = [column["name"] for column in scenario_columns(runs)]
    assert names == ["scenarios/faults/door.yaml", "scenarios/nominal/door.yaml"]


# --- damaged and foreign records --------------------------------------------------------------


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in record().items() if name != key}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is not JSON: line 1, column 1"),
        ('{"verdict": "PA', "is not JSON: line 1, column 13"),
        ("[" * 100_000, "is not JSON: "),
        ('{"schema_version": NaN}', "is not JSON: NaN is not a number in JSON"),
        ("[1, 2]", "is not the record of a run: it has no schema_version"),
        ({"name": "someone else's"}, "is not the record of a run: it has no schema_version"),
        (record() | {"schema_version": 2}, "has schema_version 2; this program reads 1"),
        (record() | {"schema_version": True}, "it has no schema_version"),
        (without("verdict"), "verdict: Field required"),
        (record() | {"verdict": ""}, "verdict: String should have at least 1 character"),
        (record() | {"sim_time_s": "long"}, "sim_time_s: Input should be a valid number"),
        (record() | {"sim_time_s": 10**400}, "sim_time_s: "),
        (record() | {"scenario": None}, "scenario: Input should be"),
        (record() | {"invariants": [{"id": 3}]}, "invariants.0.id: Input should be a valid string (and"),
        (json.dumps(record()).replace("The door", "\\ud800"), "scenario.title: "),
    ],
)  # fmt: skip
def test_damage_is_named(tmp_path: Path, content: Any, reason: str) -> None:
    found = read_run(put(tmp_path, "x", content))
    assert isinstance(found, Unusable)
    assert reason in found.reason


def test_a_record_that_is_no_text_or_no_file_is_named(tmp_path: Path) -> None:
    path = put(tmp_path, "x", "")
    path.write_bytes(b'{"verdict": "\xff"}')
    (tmp_path / "y" / "run.json").mkdir(parents=True)
    runs, unusable = find_runs(tmp_path)
    assert runs == []
    assert [problem.reason for problem in unusable] == [
        "is not UTF-8 text: invalid start byte at byte 13", "cannot be read: Is a directory",
    ]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to every value inside a JSON document."""
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [path, *(place for key, item in entries for place in places(item, (*path, key)))]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_one_value_is_replaced_by_there_is_a_page(tmp_path: Path, data: st.DataObject) -> None:
    """Either the record is refused with a reason, or everything the page needs of it is sound."""
    content: Any = copy.deepcopy(record())
    *parents, last = data.draw(st.sampled_from([place for place in places(content) if place]))
    inner = content
    for key in parents:
        inner = inner[key]
    inner[last] = data.draw(anything)
    path = tmp_path / "run.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    found = read_run(path)
    runs, unusable = ([found], []) if isinstance(found, Run) else ([], [found])
    text = render_overview(runs, unusable, tmp_path, tmp_path)
    text.encode("utf-8")
    Page(text)


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    evil = hostile(record()) | {"schema_version": 1}
    put(tmp_path, "clean", record())
    runs, _ = find_runs(tmp_path)
    clean = Page(render_overview(runs, [], tmp_path, tmp_path))
    path = put(tmp_path, "evil <img src=x onerror=alert(3)>", evil)
    found = read_run(path)
    assert isinstance(found, Run), found
    shown = Page(render_overview([found], [Unusable(path, EVIL)], tmp_path, tmp_path))
    assert {tag for tag, _ in shown.tags} <= {tag for tag, _ in clean.tags}
    assert len(shown.scripts) == 2
    assert shown.scripts[1] == clean.scripts[1]
    assert "alert(1)" in shown.words
    links = [str(attrs["href"]) for tag, attrs in shown.tags if tag == "a" and attrs.get("href")]
    assert any(re.fullmatch(r"evil%20%3Cimg.*report\.html", link) for link in links)
