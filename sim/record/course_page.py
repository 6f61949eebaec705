"""The page of a course: its sessions, the dose over the course, and what its ledger says.

Everything on it comes from the content of course.json and of the ledger; the look is that of the report.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sim.record.dose_rows import POINTED_OUT, gray
from sim.record.figures import MISSING, amount, duration, is_number, monitor_units, number, plain
from sim.record.page import render_page, verdict_look
from sim.record.report_tables import KINDS

Row = dict[str, Any]


def write_course_page(record: Row, ledger: Row, path: Path) -> None:
    """Write the page; ``record`` is course.json, ``ledger`` that of :func:`sim.ledger.show.as_dict`."""
    path.write_text(render_course_page(record, ledger), encoding="utf-8", newline="\n")


def render_course_page(record: Row, ledger: Row) -> str:
    """The whole HTML document."""
    course, board, dose = record["course"], record["board"], record["dose"]
    context: Row = {
        "title": course["title"],
        "purpose": course.get("purpose"),
        "verdict": verdict_look(record["verdict"]),
        "cause": _cause(record),
        "facts": [
            course["path"], f"board: {board['kind']}", f"seed {record['seed']}",
            amount(len(record["sessions"]), "session"), "simulation, not for clinical use",
        ],
        "targets": [_target(target, record) for target in record["targets"]],
        "sessions": [_session(session) for session in record["sessions"]],
        "expectations": [_expectation(entry) for entry in record["expectations"]],
        "doses": dose_rows(dose),
        "no_dose": dose.get("not_computed"),
        "fractions": _fractions(ledger),
        "deliveries": [_delivery(entry) for entry in ledger["deliveries"]],
        "decisions": _decisions(ledger),
        "open": [entry["number"] for entry in ledger["deliveries"] if entry["end_mu"] is None],
        "identity": [
            (name, plain(value))
            for name, value in (
                ("Course", course["path"]), ("Course digest", course["digest"]),
                ("Requirements", course.get("requirements") or None), ("Plan digest", ledger["plan"]),
                ("Ledger", record["ledger"]), ("Board identity", board["identity"] or None),
                ("Firmware", board["firmware"] or None), ("Interlock table digest", board["table_digest"]),
                ("Record schema", record["schema_version"]),
            )
            if value is not None
        ],
    }  # fmt: skip
    context["sections"] = [
        (anchor, name)
        for anchor, name, there in (
            ("sessions", "Sessions", True),
            ("dose", "Dose over the course", True),
            ("expectations", "Expectations", context["expectations"]),
            ("ledger", "Ledger", True),
        )
        if there
    ]
    return render_page("course.html.j2", context, styles=("base.css", "course.css"), scripts=())


def dose_rows(dose: Row) -> list[Row]:
    """One row for every target centre and organ point, with its bars; all on one scale.

    The first bar is what was planned, the second what was given, by a target's own beams and by others,
    and what is still to come. An organ has no own beams.
    """
    points = dose.get("points") or []
    scale = max((max(p["planned_gy"], p["expected_gy"]) for p in points), default=0.0) or 1.0
    rows = []
    for point in points:
        planned, given, expected = (point[name] for name in ("planned_gy", "given_gy", "expected_gy"))
        own = point.get("own_given_gy", 0.0)
        organ = point["kind"] == "organ"
        to_come = max(expected - given, 0.0)
        parts = [("own", own), ("cross", given - own), ("to-come", to_come)]
        row = {
            "name": point["of"],
            "note": "organ point" if organ else "",
            "prescribed": gray(point.get("prescribed_gy")),
            "planned": gray(planned),
            "own": MISSING if organ else gray(own),
            "cross": gray(given - own),
            "given": gray(given),
            "to_come": gray(to_come),
            "expected": gray(expected),
            "difference": gray(expected - planned, signed=True),
            "off": abs(expected - planned) > max(POINTED_OUT * planned, 0.01),
            "plan_width": f"{100 * planned / scale:.2f}",
            "parts": [(kind, f"{100 * gy / scale:.2f}") for kind, gy in parts if gy > 0],
            "label": f"{point['of']}: planned {gray(planned)} Gy; given {gray(given)} Gy, "
            + ("" if organ else f"{gray(own)} by its own beams and ")
            + f"{gray(given - own)} by other beams; {gray(to_come)} Gy to come",
        }
        share = point.get("share_of_limit")
        row["share"] = f"{number(round(100 * share, 1))} % of the limit" if is_number(share) else ""
        rows.append(row)
    return rows


def _cause(record: Row) -> str:
    """One sentence: how far the course got."""
    complete = sum(len(target["completed"]) == target["fractions"] for target in record["targets"])
    text = f"{complete} of {amount(len(record['targets']), 'target')} received all fractions"
    refused = sum(len(session["refused"]) for session in record["sessions"])
    text += f"; {amount(refused, 'refusal')}" if refused else ""
    failed = sum(entry["status"] != "pass" for entry in record["expectations"])
    text += f"; {amount(failed, 'expectation')} not met" if failed else ""
    return f"{text}." + (f" Ended early: {record['ended_by']}" if record["ended_by"] else "")


def _target(target: Row, record: Row) -> Row:
    done, all_ = len(target["completed"]), target["fractions"]
    note = record["blocked"].get(target["id"]) or ""
    if target["abandoned"]:
        note = f"abandoned: {target['abandoned']}"
    return {
        "label": target["id"],
        "value": f"{done} of {amount(all_, 'fraction')}",
        "note": note or ("complete" if done == all_ else "incomplete"),
        "kind": "pass" if done == all_ else "unknown",
    }


def _session(session: Row) -> Row:
    look = verdict_look(session["verdict"])
    folder = f"session_{session['number']}"
    return {
        "number": session["number"],
        "at": session["at"],
        "verdict": look,
        "visits": [f"{visit['target']}, fraction {visit['fraction']}" for visit in session["visits"]],
        "refused": [(entry["target"], entry["rule"], entry["message"]) for entry in session["refused"]],
        "interlocks": [
            (entry["id"], f"{entry['title']}, after {number(entry['time_s'])} s")
            for entry in session["interlocks"]
            if entry["first_up"]
        ],
        "unrecorded": session["unrecorded"],
        "sim_time": duration(session["sim_time_s"] * 1e6),
        "record": f"{folder}/run.json",
    }


def _expectation(entry: Row) -> Row:
    kind = KINDS.get(entry["status"], "unknown")
    return {
        "kind": kind,
        "word": entry["status"].replace("_", " "),
        "text": entry["text"],
        "measured": plain(entry["measured"]),
        "limit": plain(entry["limit"]),
    }


def _fractions(ledger: Row) -> list[Row]:
    """Meterset of every fraction of which something was delivered."""
    return [
        {
            "target": target["id"],
            "fraction": fraction["number"],
            "planned": monitor_units(fraction["planned_mu"]),
            "delivered": monitor_units(fraction["delivered_mu"]),
            "short": fraction["delivered_mu"] < fraction["planned_mu"],
        }
        for target in ledger["targets"]
        for fraction in target["fractions"]
        if fraction["delivered_mu"] > 0
    ]


def _delivery(entry: Row) -> Row:
    normal = entry["cause"] == "normal"
    return {
        "number": entry["number"],
        "session": entry["session"],
        "target": entry["target"],
        "fraction": entry["fraction"],
        "beam": entry["beam"],
        "start": f"{entry['start_mu']:.3f}",
        "end": MISSING if entry["end_mu"] is None else f"{entry['end_mu']:.3f}",
        "cause": entry["first_up"] or entry["cause"] or "nobody wrote it",
        "note": entry["note"] or "",
        "normal": normal,
    }


def _decisions(ledger: Row) -> list[str]:
    """What somebody decided: targets given up, refusals set aside."""
    found = [f"{t['id']} was abandoned: {t['abandoned']}" for t in ledger["targets"] if t["abandoned"]]
    return found + [
        f"session {o['session']}: {o['refusal']} overridden for {o['target']}, fraction {o['fraction']}: "
        f"{o['reason']}"
        for o in ledger["overrides"]
    ]
