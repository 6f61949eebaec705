"""The page of a course: the numbers of course.json and the ledger, safe with any text, legible everywhere."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.main import main
from sim.ledger.show import as_dict
from sim.ledger.view import LedgerView
from sim.record.course_page import dose_rows, render_course_page
from tests.record.browser import Browser, needs_browser, started
from tests.record.hostile import EVIL, hostile
from tests.record.test_report import Page

ABANDONED = Path(__file__).parents[2] / "scenarios" / "courses" / "partner_abandoned.yaml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("course")
    done = CliRunner().invoke(main, ["course", str(ABANDONED), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert f"records: {out / 'course.html'}" in done.output
    return out


@pytest.fixture(scope="module")
def record(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "course.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def ledger(folder: Path) -> dict[str, Any]:
    with LedgerView.read(folder / "ledger.sqlite") as view:
        return as_dict(view)


def test_the_page_has_the_sessions_with_verdicts_and_refusals(folder: Path, record: dict[str, Any]) -> None:
    page = Page((folder / "course.html").read_text(encoding="utf-8"))
    for session in record["sessions"]:
        assert session["at"] in page.words
        for entry in session["refused"]:
            assert f"{entry['target']} {entry['rule']} {entry['message']}" in page.words
        for trip in session["interlocks"]:
            assert not trip["first_up"] or trip["id"] in page.words
    assert "0 of 2 targets received all fractions; 1 refusal." in page.words
    links = [str(attrs["href"]) for tag, attrs in page.tags if tag == "a" and "#" not in str(attrs["href"])]
    assert links == ["session_1/run.json", "session_2/run.json"]
    assert all((folder / link).is_file() for link in links)


def test_doses_and_bars_are_those_of_the_record(folder: Path, record: dict[str, Any]) -> None:
    page = Page((folder / "course.html").read_text(encoding="utf-8"))
    points = record["dose"]["points"]
    rows = dose_rows(record["dose"])
    assert [row["name"] for row in rows] == [point["of"] for point in points]
    most = max(max(point["planned_gy"], point["expected_gy"]) for point in points)
    for row, point in zip(rows, points, strict=True):
        for key in ("planned_gy", "given_gy", "expected_gy"):
            assert f"{point[key]:.3f}" == row[key.removesuffix("_gy")]
            assert f"{point[key]:.3f}" in page.words
        assert row["label"] in [attrs.get("aria-label") for attrs in page.with_class("stack")]
        widths = sum(float(width) for _, width in row["parts"])
        assert widths == pytest.approx(100 * max(point["expected_gy"], point["given_gy"]) / most, abs=0.03)
        assert float(row["plan_width"]) == pytest.approx(100 * point["planned_gy"] / most, abs=0.01)
    adrenal = rows[0]
    assert [kind for kind, _ in adrenal["parts"]] == ["own", "cross"]
    assert adrenal["own"] == f"{points[0]['own_given_gy']:.3f}"


def test_what_is_still_to_come_is_a_part_of_the_bar() -> None:
    point = {"of": "a", "kind": "centre", "planned_gy": 40.0, "given_gy": 15.0, "expected_gy": 30.0}
    (row,) = dose_rows({"points": [point | {"own_given_gy": 12.0}]})
    assert row["parts"] == [("own", "30.00"), ("cross", "7.50"), ("to-come", "37.50")]
    assert (row["to_come"], row["difference"], row["off"]) == ("15.000", "-10.000", True)


def test_the_ledger_is_excerpted(folder: Path, ledger: dict[str, Any]) -> None:
    page = Page((folder / "course.html").read_text(encoding="utf-8"))
    for entry in ledger["deliveries"]:
        assert (
            f"{entry['start_mu']:.3f} {entry['end_mu']:.3f} {entry['first_up'] or entry['cause']}"
            in page.words
        )
    assert "node was abandoned: progression elsewhere, decided by the tumour board" in page.words
    assert ledger["plan"] in page.words


def test_an_end_that_nobody_wrote_and_overrides_are_told(
    record: dict[str, Any], ledger: dict[str, Any]
) -> None:
    changed = copy.deepcopy(ledger)
    changed["deliveries"][-1] |= {"end_mu": None, "cause": None, "first_up": None}
    override = {
        "session": 2,
        "target": "adrenal",
        "fraction": 2,
        "refusal": "cross-dose",
        "reason": "planned anew",
    }
    changed["overrides"] = [override]
    words = Page(render_course_page(record, changed)).words
    assert f"Delivery {changed['deliveries'][-1]['number']} has no end" in words
    assert "session 2: cross-dose overridden for adrenal, fraction 2: planned anew" in words


def test_without_a_dose_the_page_says_why(record: dict[str, Any], ledger: dict[str, Any]) -> None:
    page = Page(render_course_page(record | {"dose": {"not_computed": "no such beam"}}, ledger))
    assert "Not computed: no such beam" in page.words
    assert page.with_class("stack") == []


def test_hostile_text_stays_text(record: dict[str, Any], ledger: dict[str, Any]) -> None:
    clean, evil = Page(render_course_page(record, ledger)), Page(page_of_hostile(record, ledger))
    assert {tag for tag, _ in evil.tags} <= {tag for tag, _ in clean.tags} | {"br"}
    assert evil.scripts == clean.scripts == []
    assert "alert(1)" in evil.words
    assert "{{ 7 * 7 }}" in evil.words
    for page in (clean, evil):
        assert len(page.ids) == len(set(page.ids))
        assert not any(name.startswith("on") or name == "src" for _, attrs in page.tags for name in attrs)


def page_of_hostile(record: dict[str, Any], ledger: dict[str, Any]) -> str:
    evil = hostile(record)
    evil["blocked"] = {EVIL: EVIL}
    return render_course_page(evil, hostile(ledger))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    yield from started(tmp_path_factory.mktemp("profile"))


@needs_browser
def test_a_reader_can_read_it(
    browser: Browser, folder: Path, record: dict[str, Any], ledger: dict[str, Any], tmp_path: Path
) -> None:
    evil = tmp_path / "evil.html"
    evil.write_text(page_of_hostile(record, ledger), encoding="utf-8")
    for page in (folder / "course.html", evil):
        browser.open(page, 390)
        assert browser.complaints() == []
        assert browser.requests() == [page.as_uri()]
        for width in (390, 900, 1400):
            browser.resize(width)
            browser.wait(f"return window.innerWidth === {width};")
            assert browser.too_wide() <= 0, (page, width)
            assert page == evil or browser.table_too_wide() <= 0, width
        for media, scheme in (("screen", "light"), ("screen", "dark"), ("print", "light")):
            browser.media(media, scheme)
            *least, (count, _, _) = browser.least_contrast()
            assert count > 60
            assert least[0][0] >= 4.5, (media, scheme, least)
    assert browser.js("return document.querySelectorAll('img').length;") == 0
