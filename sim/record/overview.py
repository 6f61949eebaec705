"""The overview of many runs: one page over a folder, in the look of the report.

What it shows is taken from the run.json files alone; failed runs come first, then the order of paths.
Nothing in the page depends on when or where it was made, so the same folder gives the same bytes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from sim.record.figures import amount, duration, number, quantity
from sim.record.margins import margin_of
from sim.record.page import render_page, template_text, verdict_look
from sim.record.report_tables import KINDS, gauge
from sim.record.run_records import Run, Unusable

Row = dict[str, Any]

MATRIX_COLUMNS = 28  # scenarios side by side, as many as fit on a page without scrolling
ORDER = ["FAIL", "RIG_ERROR", "INVALID", "PASS", "SKIPPED"]  # of verdicts: what needs attention first


def write_overview(runs: Sequence[Run], unusable: Sequence[Unusable], folder: Path, path: Path) -> None:
    """Write the page about the runs below ``folder`` to ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_overview(runs, unusable, folder, path.parent), encoding="utf-8", newline="\n")


def render_overview(
    runs: Sequence[Run], unusable: Sequence[Unusable], folder: Path, page_folder: Path
) -> str:
    """The whole HTML document; its links are relative to ``page_folder``."""
    runs = sorted(runs, key=lambda run: _rank(run.record.verdict))
    scenarios = scenario_columns(runs)
    rows = [run_row(run, folder, page_folder) for run in runs]
    margins = margin_rows(runs, rows)
    context: dict[str, Any] = {
        "folder": folder.resolve().name,
        "overall": overall(runs),
        "facts": [amount(len(runs), "run"), amount(len(scenarios), "scenario"),
                  "simulation, not for clinical use"],
        "tiles": verdict_tiles(runs, unusable, margins),
        "runs": rows,
        "choices": [
            ("verdict", "Verdict", _choices([row["verdict"]["name"]] for row in rows)),
            ("board", "Board", _choices([row["board"]] for row in rows)),
            ("scenario", "Scenario", _choices([row["scenario"]] for row in rows)),
            ("requirement", "Requirement", _choices(row["requirements"] for row in rows)),
        ],
        "interlocks": blocks(interlock_matrix(runs, scenarios), scenarios),
        "requirements": blocks(requirement_matrix(runs, scenarios), scenarios),
        "margins": margins,
        "without_margin": sum(len(run.record.expectations) for run in runs) - len(margins),
        "unusable": [(_shown(problem.path, folder), problem.reason) for problem in unusable],
    }  # fmt: skip
    context["sections"] = [
        (anchor, name)
        for anchor, name, there in (
            ("unusable", "Unusable records", unusable),
            ("runs", "Runs", runs),
            ("interlocks", "Interlocks", context["interlocks"]),
            ("requirements", "Requirements", context["requirements"]),
            ("margins", "Margins", margins),
        )
        if there
    ]
    return render_page(
        "overview.html.j2",
        context,
        styles=("base.css", "overview.css"),
        scripts=(template_text("overview.js"),),
        data=[
            {key: row[key] for key in ("board", "scenario", "requirements", "title", "sim_time_s")}
            | {"verdict": row["verdict"]["name"], "rank": number_of, "violated": len(row["violated"]),
               "first_up": row["first_up"]["id"] if row["first_up"] else "",
               "margin": row["tightest"]["order"] if row["tightest"] else None}
            for number_of, row in enumerate(rows)
        ],
    )  # fmt: skip


def overall(runs: Sequence[Run]) -> Row:
    """One word over all runs: the worst verdict among them."""
    verdicts = [run.record.verdict for run in runs]
    return verdict_look(min(verdicts, key=_rank)) if verdicts else verdict_look("UNKNOWN")


def verdict_tiles(runs: Sequence[Run], unusable: Sequence[Unusable], margins: Sequence[Row]) -> list[Row]:
    """A tile per verdict that occurs, for violated invariants, unusable records and the least margin."""
    counts = Counter(run.record.verdict for run in runs)
    tiles: list[Row] = []
    for verdict in sorted(counts, key=_rank):
        look = verdict_look(verdict)
        tiles.append({"label": f"{look['glyph']} {look['word']}", "value": str(counts[verdict]),
                      "note": f"of {amount(len(runs), 'run')}", "kind": look["kind"]})  # fmt: skip
    violated = sum(entry.status == "violated" for run in runs for entry in run.record.invariants)
    if runs:
        tiles.append({"label": "Invariants violated", "value": str(violated), "note": "in all runs together",
                      "kind": "fail" if violated else "pass"})  # fmt: skip
    if unusable:
        tiles.append({"label": "Unusable records", "value": str(len(unusable)),
                      "note": "counted nowhere else", "kind": "unknown"})  # fmt: skip
    if margins:
        least = margins[0]
        tiles.append({"label": "Least margin", "value": least["share"], "note": f"{least['text']}: "
                      f"{least['measured']}, limit {least['limit']}", "kind": least["kind"]})  # fmt: skip
    return tiles


def scenario_columns(runs: Sequence[Run]) -> list[Row]:
    """The scenarios that were run, by path; ``name`` is the file's, longer where two would be the same."""
    titles = {run.record.scenario.path: run.record.scenario.title for run in runs}
    stems = Counter(PurePosixPath(path).stem for path in titles)
    found = []
    for path, title in sorted(titles.items()):
        stem = PurePosixPath(path).stem
        found.append({"path": path, "title": title, "name": stem if stems[stem] == 1 else path})
    return found


def run_row(run: Run, folder: Path, page_folder: Path) -> Row:
    """One run as a line of the table, with what it is sorted and filtered by."""
    record = run.record
    first = next((entry for entry in record.interlocks if entry.first_up), None)
    violated = [entry for entry in record.invariants if entry.status == "violated"]
    report = run.path.with_name("report.html")
    return {
        "verdict": {**verdict_look(record.verdict), "name": record.verdict},
        "title": record.scenario.title,
        "scenario": record.scenario.path,
        "where": _shown(run.path.parent, folder),
        "report": _link(report, page_folder) if report.is_file() else None,
        "board": record.board.kind,
        "seed": record.seed,
        "requirements": record.scenario.requirements,
        "first_up": None if first is None else {"id": first.id, "title": first.title, "stop": first.stop},
        "met": sum(entry.status == "pass" for entry in record.expectations),
        "asked": len(record.expectations),
        "tightest": _tightest(record.expectations),
        "violated": [{"id": entry.id, "title": entry.title} for entry in violated],
        "sim_time": duration(record.sim_time_s * 1e6),
        "sim_time_s": record.sim_time_s,
        "reproduce": record.reproduce,
    }


def _tightest(expectations: Iterable[Any]) -> Row | None:
    rows = [row for entry in expectations if (row := _margin_row(entry.model_dump())) is not None]
    return min(rows, key=lambda row: row["order"]) if rows else None


def margin_rows(runs: Sequence[Run], rows: Sequence[Row]) -> list[Row]:
    """Every margin that can be compared, the tightest first; equal ones in the order of the runs."""
    found = [
        {**margin, "run": row, "index": index}
        for index, (run, row) in enumerate(zip(runs, rows, strict=True))
        for entry in run.record.expectations
        if (margin := _margin_row(entry.model_dump())) is not None
    ]
    return sorted(found, key=lambda margin: margin["order"])


def _margin_row(entry: Row) -> Row | None:
    margin = margin_of(entry)
    if margin is None:
        return None
    unit = entry["unit"]
    of = {"most": "limit", "least": "minimum", "around": "tolerance"}[margin.kind]
    limit = quantity(margin.limit, unit)
    if of == "tolerance":
        limit += f" ± {quantity(margin.of, unit)}"
    return {
        "order": margin.share,
        "share": _share(margin.share),
        "of": of,
        "text": entry["text"],
        "measured": quantity(margin.measured, unit),
        "limit": limit,
        "margin": quantity(margin.margin, unit, signed=True),
        "kind": KINDS.get(entry["status"], "unknown"),
        "bar": gauge(entry),
    }


def _share(share: float) -> str:
    """A share in percent; far beyond the limit as a multiple, which needs fewer digits."""
    return f"{number(round(100 * share, 1))} %" if share > -10 else f"{number(round(share))} times"


def interlock_matrix(runs: Sequence[Run], scenarios: Sequence[Row]) -> list[Row]:
    """Which interlock tripped in which scenario, and whether it was first up in any of its runs."""
    titles: dict[str, str] = {}
    cells: dict[tuple[str, str], str] = {}
    for run in runs:
        for entry in run.record.interlocks:
            titles[entry.id] = entry.title or titles.get(entry.id, "")
            key = (entry.id, run.record.scenario.path)
            seen = "first" if entry.first_up else "hold" if entry.stop == "hold" else "follow"
            cells[key] = min(cells.get(key, seen), seen, key=["first", "follow", "hold"].index)
    return [
        {
            "id": interlock,
            "title": title,
            "cells": [cells.get((interlock, column["path"]), "") for column in scenarios],
            "count": sum((interlock, column["path"]) in cells for column in scenarios),
        }
        for interlock, title in sorted(titles.items())
    ]


def requirement_matrix(runs: Sequence[Run], scenarios: Sequence[Row]) -> list[Row]:
    """Which scenario is evidence for which requirement, and the worst verdict of its runs."""
    cells: dict[tuple[str, str], str] = {}
    for run in runs:
        for requirement in run.record.scenario.requirements:
            key = (requirement, run.record.scenario.path)
            cells[key] = min(cells.get(key, run.record.verdict), run.record.verdict, key=_rank)
    found = []
    for requirement in sorted({requirement for requirement, _ in cells}):
        verdicts = [cells.get((requirement, column["path"])) for column in scenarios]
        found.append({
            "id": requirement,
            "cells": [None if verdict is None else verdict_look(verdict) for verdict in verdicts],
            "count": sum(verdict is not None for verdict in verdicts),
            "passed": sum(verdict == "PASS" for verdict in verdicts),
        })  # fmt: skip
    return found


def blocks(matrix: Sequence[Row], scenarios: Sequence[Row]) -> list[Row]:
    """A matrix cut into pieces that fit a page, each with the rows that have something in it."""
    found = []
    for start in range(0, len(scenarios), MATRIX_COLUMNS):
        part = slice(start, start + MATRIX_COLUMNS)
        rows = [{**row, "cells": row["cells"][part]} for row in matrix if any(row["cells"][part])]
        if rows:
            found.append({"scenarios": scenarios[part], "rows": rows})
    return found


def _rank(verdict: str) -> tuple[int, str]:
    return (ORDER.index(verdict) if verdict in ORDER else ORDER.index("PASS"), verdict)


def _choices(values: Iterable[Iterable[str]]) -> list[str]:
    return sorted({value for several in values for value in several})


def _shown(path: Path, folder: Path) -> str:
    """A path as it is named on the page: below the folder, never with what lies above it."""
    shown = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
    return shown.encode("utf-8", "replace").decode("utf-8")  # a name on disk need not be text


def _link(target: Path, page_folder: Path) -> str:
    return quote(os.fsencode(Path(os.path.relpath(target, page_folder)).as_posix()))
