"""The report: complete, well formed, self-contained, and safe with any text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.record.page import safe_json
from sim.record.report import MAX_LINES, plotly_script, render, story_lines, write_report
from sim.record.trace import Trace
from tests.record.hostile import EVIL, hostile, hostile_trace

VOID = {"meta", "input", "br", "hr", "img", "link", "source", "area", "base", "col", "embed", "wbr"}
URL_ATTRIBUTES = {"src", "href", "action", "data", "poster", "srcset", "formaction", "xlink:href"}


class Page(HTMLParser):
    """Reads a document strictly: every element closed, in order, no id twice."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        self.tags.append((tag, dict(attrs)))
        if dict(attrs).get("id"):
            self.ids.append(str(dict(attrs)["id"]))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data
        elif self.open and self.open[-1] != "style":
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())

    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.scripts[0])
        return found

    def with_class(self, name: str) -> list[dict[str, str | None]]:
        return [attrs for _, attrs in self.tags if name in (attrs.get("class") or "").split()]


@pytest.fixture(autouse=True)
def _small_plotly(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most tests need not carry five megabytes of plotly through a slow parser."""
    if "real_plotly" not in request.node.name:
        monkeypatch.setattr("sim.record.report.plotly_script", lambda: "window.Plotly = null;")


def page(trace: Trace, run: dict[str, Any]) -> Page:
    return Page(render(trace, run))


def test_all_sections(trace: Trace, run: dict[str, Any]) -> None:
    shown = page(trace, run)
    for anchor in (
        "timeline",
        "expectations",
        "invariants",
        "metersets",
        "interlocks",
        "events",
        "reproduce",
    ):
        assert anchor in shown.ids
    for text in (
        "PASS", "Two liver metastases: the door opens during the second",
        "Treatment room door open (DOOR) tripped first, at 11:38.548, 3 ms after the fault",
        "beam off after the door opens", "4.45 ms", "+5.55 ms", "44.5 % of the limit",
        "No beam without a permit", "Beam 2 “arc 2, gated”", "1600.00", "largest dose channel difference",
        "interlock run scenarios/faults/door_second_target.yaml --seed 42", "sha256:09ab77cd12ef", "seed 42",
        "Not for clinical use.",
    ):  # fmt: skip
        assert text in shown.words, text


def test_ids_and_anchors_are_sound(trace: Trace, failed_run: dict[str, Any]) -> None:
    shown = page(trace, failed_run)
    assert len(shown.ids) == len(set(shown.ids))
    for _, attrs in shown.tags:
        for name in ("href", "aria-labelledby"):
            target = attrs.get(name)
            if target:
                assert target.lstrip("#") in shown.ids


def test_nothing_is_loaded_from_anywhere(trace: Trace, run: dict[str, Any]) -> None:
    run["scenario"]["title"] = "see https://example.org/x"
    shown = page(trace, run)
    for tag, attrs in shown.tags:
        assert tag not in {"link", "iframe", "object", "embed", "base", "img"}
        for name, value in attrs.items():
            if name in URL_ATTRIBUTES and value:
                assert value.startswith("#"), (tag, name, value)
            assert not name.startswith("on"), (tag, name)
    text = render(trace, run)
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_only_the_scripts_written_here_may_run(trace: Trace, run: dict[str, Any]) -> None:
    shown = page(trace, run)
    policy = next(
        str(attrs["content"]) for tag, attrs in shown.tags
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    )  # fmt: skip
    assert "default-src 'none'" in policy
    allowed = set(re.findall(r"'sha256-([^']+)'", policy))
    assert len(shown.scripts) == 3
    assert {
        base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in shown.scripts[1:]
    } == allowed
    assert "unsafe-inline" not in policy[policy.index("script-src") : policy.index("style-src")]


def test_hostile_text_stays_text(trace: Trace, run: dict[str, Any]) -> None:
    clean, evil = page(trace, run), page(hostile_trace(trace), hostile(run))
    assert {tag for tag, _ in evil.tags} <= {tag for tag, _ in clean.tags}
    assert len(evil.scripts) == 3
    assert evil.scripts[1:] == clean.scripts[1:]
    assert "alert(1)" in evil.words
    assert "{{ 7 * 7 }}" in evil.words
    assert any(lane["title"] == EVIL for lane in evil.data()["lanes"])


@settings(max_examples=50)
@example(EVIL)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=10))
def test_embedded_json_reads_back(value: Any) -> None:
    text = safe_json(value)
    assert json.loads(text) == value
    assert not set(text) & set("<>&\u2028\u2029")


def test_expectation_bars(trace: Trace, failed_run: dict[str, Any]) -> None:
    shown = page(trace, failed_run)
    assert len(shown.with_class("gauge")) == 3
    (over,) = shown.with_class("over")
    scale = 4.45 * 1.08
    assert over["style"] == f"left:{4 / scale * 100:.2f}%;width:{0.45 / scale * 100:.2f}%"
    assert "111.2 % of the limit" in shown.words
    assert "100 % of the minimum" in shown.words


def test_far_beyond_the_limit_is_told_in_times(trace: Trace, run: dict[str, Any]) -> None:
    run["expectations"][0].update(status="fail", measured=40_550.301, limit=10.0, margin=-40_540.301)
    words = page(trace, run).words
    assert "4055 times the limit" in words
    assert "40.55 s" in words


def test_a_limit_of_zero_gets_no_bar(trace: Trace, run: dict[str, Any]) -> None:
    run["expectations"] = [
        {"text": "never", "status": "fail", "measured": 2, "limit": 0, "margin": -2, "unit": "trips"}
    ]
    assert page(trace, run).with_class("gauge") == []


def test_an_interlock_that_only_held_is_not_called_a_follow_on(trace: Trace, run: dict[str, Any]) -> None:
    run["interlocks"] = [{"id": "GATE", "title": "Gate", "first_up": False, "stop": "hold", "time_s": 2.0}]
    words = page(trace, run).words
    assert "hold only" in words
    assert "follow-on" not in words


def test_a_tolerance_gets_no_bar(trace: Trace, run: dict[str, Any]) -> None:
    exact = {"status": "pass", "measured": 2160.0, "limit": 2160.0, "unit": "MU"}
    run["expectations"] = [
        {"text": "as planned, within 0.1 MU", "margin": 0.1, **exact},
        {"text": "as planned", "margin": None, **exact},
    ]
    assert page(trace, run).with_class("gauge") == []


def test_a_failure_is_told_first(trace: Trace, failed_run: dict[str, Any]) -> None:
    shown = page(trace, failed_run)
    words = shown.words
    assert words.index("✗ fail") < words.index("? not evaluated") < words.index("✓ pass")
    assert words.index("✗ violated") < words.index("✓ held") < words.index("· not evaluated")
    assert "beam on for 0.45 ms beyond the deadline" in words
    assert "FAIL" in words
    assert "1 failed, 1 not evaluated" in words
    assert "1 violated, 1 had no occasion" in words
    assert "stopped before control point 1 of 1" in words
    assert "-465.50" in words


@pytest.mark.parametrize("verdict", ["RIG_ERROR", "INVALID", "SKIPPED", "PASS", "FAIL", "SOMETHING_NEW"])
def test_every_verdict_has_a_sign(trace: Trace, run: dict[str, Any], verdict: str) -> None:
    run["verdict"] = verdict
    shown = page(trace, run)
    assert verdict.replace("_", " ") in shown.words
    assert len(shown.with_class("glyph")) == 1


def test_dose_only_if_known(trace: Trace, run: dict[str, Any]) -> None:
    del run["dose"]
    assert "Gy" not in page(trace, run).words
    run["dose"] = {"not_computed": "no beam data for 15 MV"}
    assert "Not computed: no beam data for 15 MV" in page(trace, run).words
    centre = {"of": "liver-1", "kind": "centre", "prescribed_gy": 12.5, "planned_gy": 12.5}
    centre |= {"delivered_gy": 10.0, "difference_gy": -2.5, "own_gy": 9.5, "cross_gy": 0.5}
    rim = [{"of": "liver-1", "kind": "rim", "side": side, "delivered_gy": gy}
           for side, gy in (("left", 9.25), ("right", 9.75))]  # fmt: skip
    run["dose"] = {"points": [centre, *rim]}
    words = page(trace, run).words
    for shown in ("Other beams", "12.500", "-2.500", "9.250 to 9.750"):
        assert shown in words


def test_events_are_filterable_and_lead_to_the_timeline(trace: Trace, run: dict[str, Any]) -> None:
    shown = page(trace, run)
    rows = [attrs for tag, attrs in shown.tags if tag == "li" and "data-topic" in attrs]
    topics = {attrs["data-topic"] for tag, attrs in shown.tags if tag == "button" and "data-topic" in attrs}
    assert {row["data-topic"] for row in rows} == topics
    details = [row for row in rows if "data-detail" in row]
    assert details
    assert all("hidden" in row for row in details)
    jumps = [attrs["data-zoom"] for attrs in shown.with_class("jump")]
    assert "698495000,698595000" in jumps


def test_a_very_long_story_is_cut_and_says_so(run: dict[str, Any]) -> None:
    trace = Trace()
    for index in range(MAX_LINES + 300):
        trace.event(index, "operator", act=f"act {index}", detail="")
        trace.event(index, "step", step=f"step {index}")
    rows, remark = story_lines(trace, run)
    assert len(rows) == MAX_LINES
    assert not any(row["detail"] for row in rows)
    assert remark.startswith(f"{MAX_LINES + 600} more lines")
    assert "events.jsonl" in remark


def test_nothing_known_still_makes_a_page() -> None:
    shown = page(Trace(), {})
    assert "Session" in shown.words
    assert "UNKNOWN" in shown.words
    assert "expectations" not in shown.ids
    assert "dose" not in shown.ids


def test_a_half_known_run_still_makes_a_page(trace: Trace) -> None:
    run = {
        "verdict": "RIG_ERROR",
        "expectations": [{"text": "x", "status": "not_evaluated"}],
        "invariants": [{"id": "i", "status": "held"}],
        "interlocks": [{"id": "A", "first_up": True, "time_s": None}],
        "targets": [{"id": "t", "planned_mu": None, "delivered_mu": None}],
        "measurements": [{"name": "n", "value": None}],
    }
    assert "RIG ERROR" in page(trace, run).words


def test_same_run_same_bytes(trace: Trace, run: dict[str, Any], tmp_path: Path) -> None:
    write_report(trace, run, tmp_path / "a.html")
    write_report(trace, run, str(tmp_path / "b.html"))
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_real_plotly_is_inside(trace: Trace, run: dict[str, Any]) -> None:
    text = render(trace, run)
    script = plotly_script()
    assert len(script) > 1_000_000
    assert script in text
    assert text.count("</script>") == 3
    assert text.index('<meta charset="utf-8">') < 1024


def test_real_plotly_is_read_without_importing_it() -> None:
    program = (
        "import sys; from sim.record.report import plotly_script, render; from sim.record.trace import Trace;"
        "before = set(sys.modules); assert 'jinja2' not in before; render(Trace(), {});"
        "loaded = {name.split('.')[0] for name in sys.modules};"
        "assert not loaded & {'plotly', 'numpy', 'narwhals', 'pandas'}, loaded"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])


def test_a_missing_plotly_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match="install the package plotly"):
        plotly_script()
