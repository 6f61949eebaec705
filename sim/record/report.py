"""The report of one run: a single HTML file that needs nothing else, not even a network.

The script that draws the timeline is read out of the installed plotly package and written into the
file; plotly's Python side is never imported, because that alone would take longer than the report.
All text from scenarios, plans and boards is escaped, and a content security policy admits no script
but the three written here.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any

from sim.record.figures import clock, duration, plain, quantity
from sim.record.narrative import Line, collapse, first_cause, tell
from sim.record.report_tables import (
    beam_rows,
    expectation_rows,
    gray_columns,
    interlock_rows,
    invariant_rows,
    tiles,
)
from sim.record.timeline import AROUND_US, timeline
from sim.record.trace import Trace

TEMPLATES = Path(__file__).parent / "templates"
MAX_LINES = 1500  # of the story; a longer one loses details first

VERDICTS = {  # kind for the colours, glyph
    "PASS": ("pass", "✓"),
    "FAIL": ("fail", "✗"),
    "RIG_ERROR": ("fail", "⚠"),
    "INVALID": ("unknown", "⚠"),
    "SKIPPED": ("unknown", "»"),
}
TOPICS = [("delivery", "Delivery"), ("interlock", "Interlocks and beam"), ("fault", "Faults"),
          ("operator", "Operator"), ("machine", "Machine")]  # fmt: skip


def write_report(trace: Trace, run: dict[str, Any], path: Path | str) -> None:
    """Write the report of a run to ``path``; ``run`` is the content of run.json."""
    Path(path).write_text(render(trace, run), encoding="utf-8", newline="\n")


def render(trace: Trace, run: dict[str, Any]) -> str:
    """The whole HTML document."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    plotly, scripts = plotly_script(), page_scripts()
    shown = timeline(trace, run)
    scenario = run.get("scenario") or {}
    story, story_cut = story_lines(trace, run)
    verdict = str(run.get("verdict") or "UNKNOWN")
    kind, glyph = VERDICTS.get(verdict, ("unknown", "?"))
    context: dict[str, Any] = {
        "policy": security_policy(plotly, scripts),
        "style": Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
        "plotly": Markup(plotly),
        "scripts": Markup(scripts),
        "data": Markup(safe_json(shown)),
        "timeline": shown,
        "title": str(scenario.get("title") or scenario.get("path") or "Session"),
        "verdict": {"word": verdict.replace("_", " "), "kind": kind, "glyph": glyph},
        "cause": first_cause(trace, run),
        "purpose": scenario.get("purpose"),
        "facts": _facts(run),
        "tiles": tiles(run),
        "expectations": expectation_rows(run),
        "invariants": invariant_rows(trace, run),
        "targets": beam_rows(run),
        "gray_columns": [name for _, name in gray_columns(run)],
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
        "glyphs": {"pass": "✓", "fail": "✗", "unknown": "?", "idle": "·"},
        "mark_glyphs": {"fault": "▼", "trip": "◆", "violation": "✖"},
    }
    context["sections"] = [
        (anchor, name)
        for anchor, name, there in (
            ("timeline", "Timeline", True),
            ("expectations", "Expectations", context["expectations"]),
            ("invariants", "Invariants", context["invariants"]),
            ("dose", "Planned and delivered", context["targets"]),
            ("interlocks", "Interlocks", context["interlocks"] or context["measurements"]),
            ("events-section", "What happened", story),
            ("reproduce", "How to reproduce", True),
        )
        if there
    ]
    return environment.get_template("report.html.j2").render(context)


def plotly_script() -> str:
    """plotly.js as text, from the installed package, without importing the package."""
    spec = importlib.util.find_spec("plotly")
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        script = Path(place) / "package_data" / "plotly.min.js"
        if script.is_file():
            return script.read_text(encoding="utf-8").replace("</script", "<\\/script")
    raise FileNotFoundError("plotly.min.js not found: install the package plotly, which brings it along")


def page_scripts() -> str:
    """The scripts of this page, in the order they need each other."""
    names = ("palette.js", "signals.js", "timeline.js", "page.js")
    return "\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in names)


def security_policy(*scripts: str) -> str:
    """Nothing is loaded from anywhere, and only exactly these scripts run."""
    allowed = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def safe_json(value: Any) -> str:
    """JSON that cannot end the script element it stands in, whatever the text inside."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


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
