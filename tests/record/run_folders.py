"""Folders of run records to make overviews of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def record(name: str = "door", verdict: str = "PASS", measured: float = 2.0, **more: Any) -> dict[str, Any]:
    """A run.json as the program writes it, with one response time judged against 10 ms."""
    first_up = more.pop("first_up", "DOOR_OPEN")
    failed = verdict != "PASS"
    return {
        "schema_version": 1,
        "verdict": verdict,
        "scenario": {
            "path": f"scenarios/{name}.yaml", "title": f"The {name} scenario", "digest": "ab12",
            "purpose": "shows something", "requirements": more.pop("requirements", ["REQ-ROOM-01"]),
        },
        "board": {"kind": more.pop("board", "model"), "identity": "i", "firmware": "f", "table_digest": "cd"},
        "seed": 1, "sim_time_s": 120.5, "wall_time_s": 0.1,
        "expectations": [
            {"text": "beam off within 10 ms after step", "status": "fail" if measured > 10 else "pass",
             "measured": measured, "limit": 10.0, "unit": "ms", "margin": round(10 - measured, 3),
             "trigger_t_us": 1_000_000, "measured_t_us": 1_002_000},
            {"text": f"first cause is {first_up}", "status": "pass", "measured": first_up, "limit": first_up,
             "unit": ""},
        ],
        "invariants": [
            {"id": "no-beam-with-door-open", "title": "No beam with the door open", "evaluated": 2,
             "status": "violated" if failed else "held"},
        ],
        "measurements": [{"name": "beam-on time", "value": 60.0, "unit": "s"}],
        "interlocks": [
            {"id": first_up, "title": f"Title of {first_up}", "first_up": True, "time_s": 1.001,
             "latched": False, "stop": "interrupt"},
            {"id": "LAST_PERSON_OUT", "title": "Room not searched", "first_up": False, "time_s": 1.002,
             "latched": False, "stop": "interrupt"},
        ],
        "targets": [], "final_state": "standby", "exit_code": 1 if failed else 0,
        "reproduce": f"interlock run scenarios/{name}.yaml --board model",
        **more,
    }  # fmt: skip


def put(folder: Path, name: str, content: Any, *, report: bool = True) -> Path:
    """Write a run.json (a text as it is, anything else as JSON) and a stand-in for its report."""
    place = folder / name
    place.mkdir(parents=True)
    text = content if isinstance(content, str) else json.dumps(content)
    (place / "run.json").write_text(text, encoding="utf-8")
    if report:
        (place / "report.html").write_text("<!DOCTYPE html><title>r</title>", encoding="utf-8")
    return place / "run.json"


def several(folder: Path) -> Path:
    """Five runs of four scenarios on two boards, one failed, and one record that is damaged."""
    put(folder, "a/door", record("door", measured=2.0))
    put(folder, "b/door #2", record("door", "FAIL", measured=40550.301))
    put(folder, "a/gantry", record("gantry", measured=9.5, first_up="DOSE_PER_DEGREE",
                                   requirements=["REQ-MOTN-01", "REQ-DOSE-03"]))  # fmt: skip
    put(folder, "a/water", record("water", measured=5.0, first_up="WATER_FLOW", board="serial",
                                  requirements=[]), report=False)  # fmt: skip
    put(folder, "a/quiet", record("quiet", measured=1.0, requirements=["REQ-ROOM-01"]) | {"interlocks": []})
    put(folder, "damaged", '{"verdict": "PASS"', report=False)
    return folder
