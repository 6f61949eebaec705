"""The overview in a real browser: filters, sorting, links, and legible everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from sim.record.overview import write_overview
from sim.record.run_records import find_runs
from tests.record.browser import Browser, needs_browser, started
from tests.record.hostile import EVIL, hostile
from tests.record.run_folders import put, record, several

pytestmark = needs_browser

EVERYTHING = ["b/door #2", "a/door", "a/gantry", "a/quiet", "a/water"]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    yield from started(tmp_path_factory.mktemp("profile"))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = several(tmp_path_factory.mktemp("runs"))
    write_overview(*find_runs(folder), folder, folder / "index.html")
    return folder / "index.html"


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    evil = hostile(record()) | {"schema_version": 1}
    evil["scenario"]["title"] = f"{EVIL} {'Endlosbestrahlungsraumtuer' * 12}"
    put(folder, "x" * 200, evil)
    put(folder, "damaged", "{")
    write_overview(*find_runs(folder), folder, folder / "index.html")
    return folder / "index.html"


def listed(browser: Browser, table: str = "run-table") -> list[str]:
    """The folders of the runs that are displayed, in the order in which they are."""
    where = browser.shown(f"#{table} tbody th .where:last-of-type")
    return [text.split(" · ")[0].removesuffix(" (no report.html)") for text in where]


def choose(browser: Browser, name: str, value: str) -> None:
    Select(browser.driver.find_element(By.CSS_SELECTOR, f"[data-filter={name}]")).select_by_visible_text(
        value
    )


def test_nothing_goes_wrong_and_nothing_is_fetched(browser: Browser, page: Path, hostile_page: Path) -> None:
    for shown in (page, hostile_page):
        browser.open(shown)
        assert browser.complaints() == []
        assert browser.requests() == [shown.as_uri()]


def test_filters_narrow_runs_and_margins_and_show_all_returns(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert listed(browser) == EVERYTHING
    assert listed(browser, "margin-table") == ["b/door #2", "a/gantry", "a/water", "a/door", "a/quiet"]
    for name, value, expected in (
        ("verdict", "FAIL", ["b/door #2"]),
        ("board", "serial", ["a/water"]),
        ("scenario", "scenarios/door.yaml", ["b/door #2", "a/door"]),
        ("requirement", "REQ-DOSE-03", ["a/gantry"]),
    ):
        choose(browser, name, value)
        assert listed(browser) == expected
        assert sorted(listed(browser, "margin-table")) == sorted(expected)
        assert browser.shown("#count") == [f"{len(expected)} of 5 runs shown"]
        choose(browser, name, "all")
    search = browser.driver.find_element(By.ID, "search")
    search.send_keys("DOSE_per gantry")
    assert listed(browser) == ["a/gantry"]
    choose(browser, "verdict", "FAIL")
    assert listed(browser) == []
    assert browser.shown("#nothing") == ["No run fits these filters."]
    browser.driver.find_element(By.ID, "reset").click()
    assert listed(browser) == EVERYTHING
    assert browser.shown("#nothing") == []


def test_columns_sort_both_ways_and_what_is_missing_comes_last(browser: Browser, page: Path) -> None:
    browser.open(page)

    def sort(key: str) -> list[str]:
        browser.driver.find_element(By.CSS_SELECTOR, f"[data-sort={key}] button").click()
        return listed(browser)

    assert sort("margin") == ["b/door #2", "a/gantry", "a/water", "a/door", "a/quiet"]
    assert browser.shown("[aria-sort=ascending]") == ["Tightest margin"]
    assert sort("margin") == ["a/quiet", "a/door", "a/water", "a/gantry", "b/door #2"]
    assert sort("first_up") == ["b/door #2", "a/door", "a/gantry", "a/water", "a/quiet"]
    assert sort("first_up") == ["a/water", "a/gantry", "b/door #2", "a/door", "a/quiet"]
    assert sort("rank") == EVERYTHING


def test_a_title_leads_to_the_report(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.driver.find_element(By.CSS_SELECTOR, "#run-table a").click()
    browser.wait("return document.title === 'r';")
    assert browser.driver.current_url.endswith("/b/door%20%232/report.html")


def test_nothing_sticks_out(browser: Browser, page: Path, hostile_page: Path) -> None:
    for shown in (page, hostile_page):
        browser.open(shown)
        for width in (390, 900, 1400):
            browser.resize(width)
            browser.wait(f"return window.innerWidth === {width};")
            assert browser.too_wide() <= 0, (shown, width)
            if shown == page:  # a name of 300 letters may be scrolled to
                assert browser.table_too_wide() <= 0, width


def test_every_text_stands_out(browser: Browser, page: Path) -> None:
    browser.open(page)
    for media, scheme in (("screen", "light"), ("screen", "dark"), ("print", "light")):
        browser.media(media, scheme)
        *least, (count, _, _) = browser.least_contrast()
        assert count > 100
        assert least[0][0] >= 4.5, (media, scheme, least)


def test_hostile_names_are_shown(browser: Browser, hostile_page: Path) -> None:
    browser.open(hostile_page)
    assert browser.js("return document.querySelectorAll('img').length;") == 0
    assert any("</script>" in text for text in browser.shown("#run-table th a"))


def test_without_scripts_the_tables_can_be_read(browser: Browser, page: Path) -> None:
    browser.open(page, scripts=False)
    text = browser.driver.find_element(By.TAG_NAME, "body").text
    for part in ("FAIL", "The gantry scenario", "DOSE_PER_DEGREE", "no-beam-with-door-open", "-4054 times",
                 "damaged/run.json", "REQ-MOTN-01", "2 min"):  # fmt: skip
        assert part in text
    assert browser.shown("input, select") == []
    browser.open(page)
    assert len(browser.shown("input, select")) == 5
