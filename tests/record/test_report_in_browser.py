"""The report as a reader has it before them: in a real browser, offline, wide and narrow, and on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from sim.record.report import write_report
from sim.record.trace import Trace
from tests.record.browser import CTRL, Browser, needs_browser, started
from tests.record.conftest import fail, session_run, session_trace
from tests.record.hostile import EVIL, hostile, hostile_trace

pytestmark = needs_browser

RANGE = "return document.getElementById('timeline-plot').layout.xaxis.range;"
DRAWN_TO_SIZE = """document.querySelector('#timeline-plot svg').clientWidth
    === document.getElementById('timeline-box').clientWidth"""
DARK = "window.matchMedia('(prefers-color-scheme: dark)').matches"
WIDTH = "document.getElementById('timeline-plot').layout.xaxis.range.reduce((from, to) => to - from)"
HELD = "return document.activeElement.id;"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    yield from started(tmp_path_factory.mktemp("profile"))


@pytest.fixture(scope="module")
def session() -> Trace:
    return session_trace()


@pytest.fixture(scope="module")
def pages(session: Trace, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    run = session_run(session)
    evil: dict[str, Any] = hostile(run)
    evil["scenario"]["title"] = f"{EVIL} {'Endlosbestrahlungsraumtuer' * 12}"
    kinds = {
        "passed": (session, run),
        "failed": (session, fail(session_run(session))),
        "hostile": (hostile_trace(session), evil),
        "empty": (Trace(), {}),
    }
    for name, (trace, record) in kinds.items():
        write_report(trace, record, folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in kinds}


def view(browser: Browser) -> tuple[float, float]:
    """What is in view, in s."""
    low, high = browser.js(RANGE)
    return low, high


def middle(browser: Browser, part: float = 0.5) -> tuple[float, float]:
    """A point in the plot: so far from left to right, in the upper half."""
    browser.js(
        "document.getElementById('timeline-box').scrollIntoView({block: 'start', behavior: 'instant'});"
    )
    area = browser.js("""
        const plot = document.querySelector('#timeline-plot .nsewdrag').getBoundingClientRect();
        return [plot.left, plot.top, plot.width, plot.height];""")
    return area[0] + area[2] * part, area[1] + 60


def readout(browser: Browser) -> dict[str, str]:
    items = browser.js("""
        return Array.from(document.querySelectorAll('#readout > span'),
                          (item) => ['.name', 'b'].map((part) => item.querySelector(part).textContent));""")
    return dict(items)


@pytest.mark.parametrize("name", ["passed", "failed", "hostile", "empty"])
def test_nothing_goes_wrong_and_nothing_is_fetched(
    browser: Browser, pages: dict[str, Path], name: str
) -> None:
    browser.open(pages[name])
    browser.wait("return document.querySelector('#timeline-plot svg') !== null;")
    assert browser.complaints() == []
    assert browser.requests() == [pages[name].as_uri()]


# --- the timeline -----------------------------------------------------------------------------


def test_the_wheel_zooms_around_the_pointer_and_home_returns(
    browser: Browser, pages: dict[str, Path]
) -> None:
    browser.open(pages["passed"])
    whole = view(browser)
    x, y = middle(browser, 0.25)
    browser.wheel(x, y, -200, CTRL)
    browser.wait(f"return {WIDTH} < {0.6 * (whole[1] - whole[0])};")
    low, high = view(browser)
    assert high - low == pytest.approx((whole[1] - whole[0]) / 2)
    under = whole[0] + 0.25 * (whole[1] - whole[0])
    assert low + 0.25 * (high - low) == pytest.approx(under, abs=0.01 * (high - low))
    browser.wheel(x, y, 200, CTRL)
    browser.wait(f"return {WIDTH} > {0.9 * (whole[1] - whole[0])};")
    browser.click_at(x, y)
    browser.driver.switch_to.active_element.send_keys("++")
    assert view(browser) != pytest.approx(whole)
    browser.driver.switch_to.active_element.send_keys(Keys.HOME)
    assert view(browser) == pytest.approx(whole)


def test_a_plain_wheel_scrolls_the_page_until_the_timeline_is_held(
    browser: Browser, pages: dict[str, Path]
) -> None:
    browser.open(pages["passed"])
    whole = view(browser)
    x, y = middle(browser)
    before = browser.js("return window.scrollY;")
    browser.wheel(x, y, 120)
    browser.wait(f"return window.scrollY > {before};")
    assert view(browser) == pytest.approx(whole)
    x, y = middle(browser)
    browser.click_at(x, y)
    assert browser.js(HELD) == "timeline-box"
    browser.wheel(x, y, -200)
    browser.wait(f"return {WIDTH} < {0.6 * (whole[1] - whole[0])};")
    browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert browser.js(HELD) != "timeline-box"


def test_buttons_zoom_move_and_return(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["passed"])
    whole = view(browser)

    def press(selector: str) -> tuple[float, float]:
        browser.driver.find_element(By.CSS_SELECTOR, selector).click()
        return view(browser)

    low, high = press("[data-move=in]")
    assert high - low == pytest.approx((whole[1] - whole[0]) / 2)
    assert press("[data-move=left]")[0] == pytest.approx(low - (high - low) / 4)
    assert press("[data-move=right]") == pytest.approx((low, high))
    assert press("[data-move=out]") == pytest.approx(whole)
    stop = press("#presets button:last-child")
    assert stop == pytest.approx((698.495, 698.605))
    (pressed,) = browser.shown("#presets [aria-pressed=true]")
    assert " ".join(pressed.split()) == "▼ door open then ◆ DOOR 11:38.545"
    shown = browser.driver.find_element(By.ID, "view-span").text
    assert shown == "11:38.495 to 11:38.605 min:s, 110.0 ms shown"
    assert press("#presets [data-kind=whole]") == pytest.approx(whole)


def test_dragging_zooms_and_a_double_click_returns(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["passed"])
    whole = view(browser)
    (x, y), (to, _) = middle(browser, 0.4), middle(browser, 0.6)
    browser.mouse("mouseMoved", x, y)
    browser.mouse("mousePressed", x, y, button="left", clickCount=1)
    for part in (0.3, 0.7, 1.0):
        browser.mouse("mouseMoved", x + part * (to - x), y, button="left", buttons=1)
    browser.mouse("mouseReleased", to, y, button="left", clickCount=1)
    browser.wait(f"return {WIDTH} < {0.3 * (whole[1] - whole[0])};")
    low, high = view(browser)
    assert high - low == pytest.approx(0.2 * (whole[1] - whole[0]), rel=0.02)
    for count in (1, 2):
        browser.mouse("mousePressed", x, y, button="left", clickCount=count)
        browser.mouse("mouseReleased", x, y, button="left", clickCount=count)
    browser.wait(f"return {WIDTH} > {0.9 * (whole[1] - whole[0])};")


def test_pointing_reads_the_recorded_values(browser: Browser, pages: dict[str, Path], session: Trace) -> None:
    browser.open(pages["passed"])
    browser.driver.find_element(By.CSS_SELECTOR, "#presets button:last-child").click()
    for part in (0.2, 0.8):  # before and after the stop
        x, y = middle(browser, part)
        browser.mouse("mouseMoved", x, y)
        browser.wait("return document.getElementById('readout').textContent !== '';")
        values = readout(browser)
        t_us = round(float(values["time"].removesuffix(" s")) * 1e6)
        assert t_us == pytest.approx((698.495 + part * 0.110) * 1e6, abs=500)
        channel = session.channels
        assert values["controller"] == channel["state"].at(t_us)
        assert values["beam on"] == ("yes" if channel["beam_on"].at(t_us) else "no")
        assert float(values["meterset"].removesuffix(" MU")) == pytest.approx(
            channel["dose_primary"].at(t_us), abs=1e-3
        )
    assert values["controller"] == "interrupted"


def test_keys_alone_are_enough(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["passed"])
    body = browser.driver.find_element(By.TAG_NAME, "body")
    for _ in range(60):
        body = browser.driver.switch_to.active_element
        if body.get_attribute("id") == "timeline-box":
            break
        body.send_keys(Keys.TAB)
    assert browser.js(HELD) == "timeline-box"
    start = readout(browser)["time"]
    assert start == f"{session_end(browser) / 2e6:.3f} s"
    body.send_keys(Keys.ARROW_RIGHT, "r", Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    values = readout(browser)
    assert float(values["time"].split()[0]) > float(start.split()[0])
    assert values["from reference"].startswith("+")
    spoken = browser.driver.find_element(By.ID, "spoken").get_attribute("textContent")
    assert spoken is not None
    assert f"min:s {values['min:s']}" in spoken
    assert f"meterset {values['meterset']}" in spoken


def session_end(browser: Browser) -> int:
    return int(browser.js("return JSON.parse(document.getElementById('page-data').textContent).end;"))


def test_an_event_leads_to_its_place(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["passed"])
    for at, t_us in (("00:00.000", 0), ("11:38.548", 698_548_000)):
        browser.js(
            """Array.from(document.querySelectorAll('#events .jump'))
                    .find((button) => button.textContent === arguments[0]).click();""",
            at,
        )
        low, high = view(browser)
        assert low * 1e6 <= t_us <= high * 1e6
        assert high - low == pytest.approx(0.1)
        assert browser.js(HELD) == "timeline-box"
        assert readout(browser)["min:s"] == f"{at}000"


def test_the_events_can_be_filtered(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["passed"])

    def shown() -> list[str]:
        return browser.shown("#events li")

    everything = shown()
    browser.driver.find_element(By.ID, "event-search").send_keys("door")
    found = shown()
    assert 0 < len(found) < len(everything)
    assert all("door" in line.lower() for line in found)
    browser.driver.find_element(By.ID, "event-search").clear()
    browser.driver.find_element(By.ID, "event-search").send_keys(" ", Keys.BACKSPACE)
    assert shown() == everything
    browser.driver.find_element(By.ID, "event-details").click()
    assert len(shown()) > len(everything)


def test_touching_with_two_fingers_zooms(browser: Browser, pages: dict[str, Path]) -> None:
    browser.cdp("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=2)
    try:
        browser.open(pages["passed"], 390)
        whole = view(browser)
        x, y = middle(browser, 0.5)

        def touch(kind: str, *places: float) -> None:
            points = [{"x": at, "y": y, "id": number} for number, at in enumerate(places)]
            browser.cdp("Input.dispatchTouchEvent", type=kind, touchPoints=points)

        touch("touchStart", x - 40, x + 40)
        touch("touchMove", x - 60, x + 60)
        touch("touchMove", x - 80, x + 80)
        touch("touchEnd")
        low, high = view(browser)
        assert high - low == pytest.approx((whole[1] - whole[0]) / 2, rel=0.05)
        touch("touchStart", x - 40, x + 40)  # and on at once: no double click
        touch("touchMove", x - 60, x + 60)
        touch("touchMove", x - 80, x + 80)
        touch("touchEnd")
        low, high = view(browser)
        assert high - low == pytest.approx((whole[1] - whole[0]) / 4, rel=0.05)
        assert (low + high) / 2 == pytest.approx(sum(whole) / 2, rel=0.05)
    finally:
        browser.cdp("Emulation.setTouchEmulationEnabled", enabled=False)


# --- legible everywhere -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["failed", "hostile"])
def test_nothing_sticks_out(browser: Browser, pages: dict[str, Path], name: str) -> None:
    browser.open(pages[name], 390)
    for width in (390, 900, 1400):
        browser.resize(width)
        browser.wait(f"return window.innerWidth === {width} && {DRAWN_TO_SIZE};")
        assert browser.too_wide() <= 0, width
        if name == "failed":  # a name of 300 letters may be scrolled to
            assert browser.table_too_wide() <= 0, width


@pytest.mark.parametrize("name", ["passed", "failed"])
def test_every_text_stands_out(browser: Browser, pages: dict[str, Path], name: str) -> None:
    browser.open(pages[name])
    browser.js("for (const d of document.querySelectorAll('details')) d.open = true;")
    browser.driver.find_element(By.CSS_SELECTOR, "#presets button:last-child").click()
    browser.driver.find_element(By.ID, "timeline-box").send_keys(Keys.ARROW_RIGHT)
    for media, scheme in (("screen", "light"), ("screen", "dark"), ("print", "light")):
        browser.media(media, scheme)
        browser.wait(
            f"return document.getElementById('timeline-plot').layout.font.color === colours({DARK}).ink;"
        )
        if media == "print":
            browser.js("window.dispatchEvent(new Event('beforeprint'));")
        *least, (count, _, _) = browser.least_contrast()
        assert count > 150
        assert least[0][0] >= 4.5, (media, scheme, least)


def test_the_lanes_of_hostile_names_show_them(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["hostile"])
    assert browser.js("return document.querySelectorAll('img, body script:not([type])').length;") == 2
    assert EVIL.split("\u2028")[0].strip() in browser.driver.find_element(By.TAG_NAME, "h1").text
    assert "<b>x</b>" in browser.driver.find_element(By.ID, "timeline-plot").text  # plotly knows <b>
    assert browser.complaints() == []


def test_without_scripts_the_results_can_be_read(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["failed"], scripts=False)
    text = browser.driver.find_element(By.TAG_NAME, "body").text
    for part in (
        "FAIL", "4.45 ms", "-0.45 ms", "111.2 % of the limit", "beam on for 0.45 ms beyond the deadline",
        "734.50", "interlock run scenarios/faults/door_second_target.yaml", "needs JavaScript",
        "beam permit withdrawn",  # a detail, which only a script could uncover
    ):  # fmt: skip
        assert part in text
    assert "Earlier" not in text
    visible = browser.shown("button, input")
    assert all(re.fullmatch(r"\d\d:\d\d\.\d{3}", text) for text in visible), visible
    browser.open(pages["failed"])
    assert "needs JavaScript" not in browser.driver.find_element(By.TAG_NAME, "body").text


def test_paper_has_the_figure_and_the_stop_close_up(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["passed"])
    browser.driver.find_element(By.CSS_SELECTOR, "[data-move=in]").click()
    zoomed = view(browser)
    browser.js("""
        window.seen = {};
        window.addEventListener('beforeprint', () => {
          const width = (id) => (document.querySelector('#' + id + ' svg') || {clientWidth: 0}).clientWidth;
          window.seen = {plot: width('timeline-plot'), detail: width('detail-plot'),
            range: document.getElementById('timeline-plot').layout.xaxis.range,
            close: document.getElementById('detail-plot').layout.xaxis.range};
        });""")
    pdf = browser.pdf()
    seen = browser.js("return window.seen;")
    assert seen["plot"] == 690
    assert seen["range"] != pytest.approx(zoomed)
    assert seen["close"][1] - seen["close"][0] < 1
    assert view(browser) == pytest.approx(zoomed)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 5
    browser.media("print")
    browser.cdp(
        "Emulation.setDeviceMetricsOverride", width=703, height=980, deviceScaleFactor=1, mobile=False
    )
    browser.js("window.dispatchEvent(new Event('beforeprint'));")
    assert browser.too_wide() <= 0
    boxes = browser.js("""
        return ['timeline-plot', 'detail-plot', 'presets', 'overview', 'readout', 'event-search'].map(
          (id) => document.getElementById(id).getBoundingClientRect().height);""")
    assert min(boxes[:2]) > 250
    assert boxes[2:] == [0, 0, 0, 0]
