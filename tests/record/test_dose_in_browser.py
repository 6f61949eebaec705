"""The pictures of the dose as a reader has them: drawn, legible everywhere, and in reach of keys."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from sim.record.dose_pictures import dose_pictures
from sim.record.report import write_report
from tests.dose.test_consequence import plan
from tests.record.browser import Browser, needs_browser, started
from tests.record.dose_runs import given_up
from tests.record.hostile import EVIL
from tests.record.test_dose_pictures import still

pytestmark = needs_browser

DRAWN = "return document.querySelectorAll('#slice-0-0 .main-svg').length > 0;"
PLOT = "const plot = document.getElementById(arguments[0]);"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    yield from started(tmp_path_factory.mktemp("profile"))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    trace, run, pictures = given_up()
    five = plan("five_metastases")
    several = dose_pictures(five, five.targets, still())
    evil: dict[str, Any] = copy.deepcopy(pictures)
    for plane in evil["planes"]:
        for entry in plane["targets"] + plane["organs"]:
            entry["name"] = EVIL
    for target in evil["progress"]["targets"]:
        target["name"] = EVIL
    for name, shown in (("one", pictures), ("several", several), ("hostile", evil)):
        write_report(trace, run, folder / f"{name}.html", shown)
    return {name: folder / f"{name}.html" for name in ("one", "several", "hostile")}


def expected(plane: dict[str, Any], view: dict[str, Any], off_levels: list[int]) -> list[list[str]]:
    """Which isodose lines each panel has to have: those with values on both sides."""
    delivered = [
        [p + o for p, o in zip(*rows, strict=True)]
        for rows in zip(plane["planned"], plane["off"], strict=True)
    ]

    def crossed(grid: list[list[int]], levels: list[int]) -> list[str]:
        low, high = min(map(min, grid)), max(map(max, grid))
        return [f"{level} %" for level in levels if low < level * view["reference"] <= high]

    return [crossed(plane["planned"], view["levels"]), crossed(delivered, view["levels"]),
            crossed(plane["off"], off_levels)]  # fmt: skip


def lines(browser: Browser, plot: str) -> list[list[str]]:
    """The isodose lines of each panel, those that have a path on the page."""
    found: list[list[str]] = browser.js(
        PLOT
        + """
        const drawn = Array.from(plot.querySelectorAll('.contourlayer > .contour'))
          .filter((group) => group.querySelector('.contourlines path[d]') !== null)
          .map((group) => group.__data__[0].trace);
        return ['x', 'x2', 'x3'].map((axis) => drawn.filter((t) => t.xaxis === axis).map((t) => t.name));""",
        plot,
    )
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_isodose_line_is_drawn_and_nothing_goes_wrong(
    browser: Browser, pages: dict[str, Path], scheme: str
) -> None:
    pictures = given_up()[2]
    (view,) = pictures["views"]
    browser.open(pages["one"], scheme=scheme)
    browser.wait(DRAWN)
    for number, index in enumerate(view["planes"]):
        plot = f"slice-0-{number}"
        wanted = expected(pictures["planes"][index], view, pictures["off_levels"])
        assert [len(panel) > 1 for panel in wanted] == [True] * 3
        assert lines(browser, plot) == wanted
        assert browser.js(PLOT + "return plot.querySelectorAll('.heatmaplayer image').length;", plot) == 3
        outlines = browser.js(PLOT + "return plot.layout.shapes.map((shape) => shape.name || '');", plot)
        assert (outlines.count("skin"), outlines.count("target")) == (3, 6)
    ink = {"light": "#17212b", "dark": "#e6ebf0"}[scheme]
    assert browser.js("return document.getElementById('slice-0-0').layout.font.color;") == ink
    assert len(browser.shown("#isodose-key li")) == len(view["levels"]) + 2
    assert browser.complaints() == []
    fetched = [address for address in browser.requests() if not address.startswith("data:")]
    assert fetched == [pages["one"].as_uri()]  # heat maps are pictures in the page itself


def test_planned_and_delivered_have_one_scale_and_the_difference_is_centred(
    browser: Browser, pages: dict[str, Path]
) -> None:
    browser.open(pages["one"])
    browser.wait(DRAWN)
    scales = browser.js("""
        return [0, 1].flatMap((n) => document.getElementById('slice-0-' + n).data
          .filter((t) => t.type === 'heatmap').map((t) => [t.zmin, t.zmax]));""")
    assert scales[0] == scales[1] == scales[3] == scales[4]
    assert scales[2] == scales[5]
    assert scales[2][0] == -scales[2][1]


def test_the_growth_can_be_seen_against_time_and_mu(browser: Browser, pages: dict[str, Path]) -> None:
    pictures = given_up()[2]
    browser.open(pages["one"])
    browser.wait(DRAWN)
    ends = """return document.getElementById('grown-plot').data
        .map((t) => [t.x[t.x.length - 1], t.y[t.y.length - 1]]);"""
    last = [(t["own"][-1], t["own"][-1] + t["cross"][-1]) for t in pictures["progress"]["targets"]]
    flat = [gy for pair in last for gy in pair]
    found = browser.js(ends)
    assert [y for _, y in found] == pytest.approx(flat)
    assert found[0][0] == pytest.approx(pictures["progress"]["t"][-1] / 1e6)
    browser.js("document.querySelector('[data-against=mu]').focus();")
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert browser.js(ends)[0][0] == pytest.approx(pictures["progress"]["mu"][-1])
    assert browser.shown("#dose-pictures [data-against][aria-pressed=true]") == ["against MU"]
    planned = browser.js(
        """return document.getElementById('grown-plot').layout.shapes
            .filter((s) => s.name === 'planned').map((s) => s.y0);"""
    )
    centres = [p for p in given_up()[1]["dose"]["points"] if p["kind"] == "centre"]
    assert planned[::2] == [p["planned_gy"] for p in centres]


def test_keys_choose_a_view_and_how_much_of_it(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["several"])
    browser.wait(DRAWN)
    assert len(browser.shown(".picture figcaption")) == 3
    browser.js("document.querySelector('[data-show=\"2\"]').focus();")
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    browser.wait(DRAWN.replace("slice-0-0", "slice-2-0"))
    assert browser.shown("[data-view] figcaption")[0].startswith("Axial plane through liver")
    wide = "const [a, b] = document.getElementById('slice-2-0').layout.xaxis.range; return b - a;"
    near = browser.js(wide)
    assert near == pytest.approx(40 + 2 * 40)
    browser.js("document.querySelector('[data-reach=whole]').focus();")
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert browser.js(wide) == pytest.approx(360 + 12)


def test_nothing_sticks_out_and_every_text_stands_out(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["several"], 390)
    browser.wait(DRAWN)
    for width in (390, 900):
        browser.resize(width)
        browser.wait("""return document.querySelector('#slice-0-0 svg').clientWidth
            === document.getElementById('dose-pictures').clientWidth;""")
        assert browser.too_wide() <= 0, width
    for media, scheme in (("screen", "light"), ("screen", "dark"), ("print", "light")):
        browser.media(media, scheme)
        dark = "true" if scheme == "dark" else "false"
        browser.wait(
            f"return document.getElementById('slice-0-0').layout.font.color === colours({dark}).ink;"
        )
        if media == "print":
            browser.js("window.dispatchEvent(new Event('beforeprint'));")
        *least, _ = browser.least_contrast()
        assert least[0][0] >= 4.5, (media, scheme, least)
    # Lines and names lie on colours: the ink must stand out from both ends of every scale.
    worst = browser.js("""
        const light = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16) / 255)
          .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
          .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
        const all = ['light', 'dark'].flatMap((scheme) => [...WASH[scheme], ...OFF[scheme]]
          .map((colour) => [scheme, colour]));
        return Math.min(...all.map(([scheme, colour]) => {
          const pair = [light(colours(scheme === 'dark').ink), light(colour)].sort((a, b) => a - b);
          return (pair[1] + 0.05) / (pair[0] + 0.05);
        }));""")
    assert worst >= 3  # WCAG 2.2, success criterion 1.4.11, of graphical objects


def test_hostile_names_are_shown_as_they_are(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["hostile"])
    browser.wait(DRAWN)
    assert browser.js("return document.querySelectorAll('img').length;") == 0
    assert "<b>x</b>" in browser.js("return document.getElementById('slice-0-0').textContent;")
    assert browser.complaints() == []


def test_without_scripts_the_words_remain_of_every_view(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["several"], scripts=False)
    words = browser.shown(".picture figcaption")
    assert len(words) == 5 * 2 + 1
    assert browser.shown("#dose-pictures button") == []
    browser.open(pages["several"])
