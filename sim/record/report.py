"""The report of one run: a single HTML file that needs nothing else, not even a network.

The script that draws the timeline is read out of the installed plotly package and written into the
file; plotly's Python side is never imported, because that alone would take longer than the report.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from sim.record.dose_rows import dose_rows, grown_words, planned_lines
from sim.record.figures import clock, duration, plain, quantity
from sim.record.narrative import Line, collapse, first_cause, tell
from sim.record.page import render_page, template_text, verdict_look
from sim.record.report_tables import (
    beam_rows,
    expectation_rows,
    interlock_rows,
    invariant_rows,
    tiles,
)
from sim.record.timeline import AROUND_US, timeline
from sim.record.trace import Trace

MAX_LINES = 1500  # of the story; a longer one loses details first

SCRIPTS = ("palette.js", "signals.js", "figure.js", "timeline.js", "gestures.js",
           "isodoses.js", "dose.js", "report.js")  # fmt: skip
MARK_GLYPHS = {"fault": "▼", "trip": "◆", "violation": "✖"}
MARK_TEXTS = {"fault": "fault sets in", "trip": "first interlock to trip", "violation": "invariant violated"}
TOPICS = [("delivery", "Delivery"), ("interlock", "Interlocks and beam"), ("fault", "Faults"),
          ("operator", "Operator"), ("machine", "Machine")]  # fmt: skip


def write_report(
    trace: Trace, run: dict[str, Any], path: Path | str, pictures: dict[str, Any] | None = None
) -> None:
    """Write the report of a run to ``path``; ``run`` is the content of run.json.

    ``pictures`` of the dose are those of :func:`sim.record.dose_pictures.dose_pictures`; None leaves
    them out.
    """
    Path(path).write_text(render(trace, run, pictures), encoding="utf-8", newline="\n")


def render(trace: Trace, run: dict[str, Any], pictures: dict[str, Any] | None = None) -> str:
    """The whole HTML document."""
    shown = timeline(trace, run)
    scenario = run.get("scenario") or {}
    story, story_cut = story_lines(trace, run)
    context: dict[str, Any] = {
        "timeline": shown,
        "title": str(scenario.get("title") or scenario.get("path") or "Session"),
        "verdict": verdict_look(str(run.get("verdict") or "UNKNOWN")),
        "cause": first_cause(trace, run),
        "purpose": scenario.get("purpose"),
        "facts": _facts(run),
        "tiles": tiles(run),
        "expectations": expectation_rows(run),
        "invariants": invariant_rows(trace, run),
        "targets": beam_rows(run),
        "doses": dose_rows(run),
        "pictures": pictures,
        "grown": grown_words(run),
        "no_dose": (run.get("dose") or {}).get("not_computed"),
        "interlocks": interlock_rows(run),
        "measurements": [
            (plain(entry.get("name")), quantity(entry.get("value"), entry.get("unit")))
            for entry in run.get("measurements") or []
        ],
        "story": story,
        "story_cut": story_cut,
        "topics": [topic for topic in TOPICS if any(line["topic"] == topic[0] for line in story)],
        "command": run.get("reproduce"),
        "identity": identity(run),
        "around": AROUND_US,
        "clock": clock,
        "mark_glyphs": MARK_GLYPHS,
        "mark_texts": MARK_TEXTS,
        "mark_kinds": {mark["kind"] for mark in shown["marks"]},
    }
    context["sections"] = [
        (anchor, name)
        for anchor, name, there in (
            ("timeline", "Timeline", True),
            ("expectations", "Expectations", context["expectations"]),
            ("invariants", "Invariants", context["invariants"]),
            ("metersets", "Planned and delivered", context["targets"]),
            ("dose", "Dose", context["doses"] or context["no_dose"]),
            ("interlocks", "Interlocks", context["interlocks"] or context["measurements"]),
            ("events-section", "What happened", story),
            ("reproduce", "How to reproduce", True),
        )
        if there
    ]
    return render_page(
        "report.html.j2",
        context,
        styles=("base.css", "report.css", "dose.css"),
        scripts=(plotly_script(), template_text(*SCRIPTS)),
        data=shown | {"dose": None if pictures is None else pictures | {"planned": planned_lines(run)}},
    )


def plotly_script() -> str:
    """plotly.js as text, from the installed package, without importing the package."""
    spec = importlib.util.find_spec("plotly")
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        script = Path(place) / "package_data" / "plotly.min.js"
        if script.is_file():
            return script.read_text(encoding="utf-8").replace("</script", "<\\/script")
    raise FileNotFoundError("plotly.min.js not found: install the package plotly, which brings it along")


def story_lines(trace: Trace, run: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """The story as rows of the event list, and a remark if it had to be cut."""
    told = tell(trace, run)
    key_lines = collapse([line for line in told if not line.detail])
    details = collapse([line for line in told if line.detail])
    missing = max(0, len(key_lines) + len(details) - MAX_LINES)
    lines = sorted(
        key_lines[:MAX_LINES] + details[: max(0, MAX_LINES - len(key_lines))], key=lambda line: line.t_us
    )
    cut = f"{missing} more lines are not listed here; events.jsonl has every event." if missing else ""
    return [_story_row(line) for line in lines], cut


def _story_row(line: Line) -> dict[str, Any]:
    classes: list[str] = [line.tone] if line.tone != "plain" else []
    if line.rank != "line":
        classes = ["heading", line.rank]
    return {"t": line.t_us, "clock": clock(line.t_us), "text": line.text, "topic": line.topic,
            "detail": line.detail, "classes": " ".join(classes)}  # fmt: skip


def _facts(run: dict[str, Any]) -> list[str]:
    scenario, board = run.get("scenario") or {}, run.get("board") or {}
    facts = [str(scenario["path"])] if scenario.get("path") else []
    if board.get("kind"):
        facts.append(f"board: {board['kind']}")
    if run.get("seed") is not None:
        facts.append(f"seed {plain(run['seed'])}")
    if run.get("sim_time_s") is not None:
        facts.append(f"{duration(run['sim_time_s'] * 1e6)} simulated")
    return [*facts, "simulation, not for clinical use"]


def identity(run: dict[str, Any]) -> list[tuple[str, str]]:
    """What a reader needs to be sure to run the same thing again."""
    scenario, board = run.get("scenario") or {}, run.get("board") or {}
    entries = [
        ("Scenario", scenario.get("path")),
        ("Scenario digest", scenario.get("digest")),
        ("Requirements", scenario.get("requirements") or None),
        ("Seed", run.get("seed")),
        ("Board", board.get("kind")),
        ("Board identity", board.get("identity")),
        ("Firmware", board.get("firmware")),
        ("Interlock table digest", board.get("table_digest")),
        ("Final state", run.get("final_state")),
        ("Exit code", run.get("exit_code")),
        ("Simulated time", None if run.get("sim_time_s") is None else f"{plain(run['sim_time_s'])} s"),
        ("Computing time", None if run.get("wall_time_s") is None else f"{plain(run['wall_time_s'])} s"),
        ("Record schema", run.get("schema_version")),
    ]
    return [(name, plain(value)) for name, value in entries if value is not None]
