"""A real browser that looks at the pages: offline, headless, and with a deadline on every wait."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
needs_browser = pytest.mark.skipif(
    not (CHROMIUM.exists() and DRIVER.exists()),
    reason="no browser to look at the pages: install the packages chromium and chromium-driver",
)
SWITCHES = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip
DEADLINE_S = 20
CTRL = 2  # of the modifiers of an input event

#: The texts with the least contrast to what is behind them, and last how many there are. WCAG 2.2,
#: success criterion 1.4.3, asks for 4.5 : 1; luminance as defined there.
CONTRAST = """
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
function rgba(colour) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
}
const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
function background(element) {
  const layers = [];
  for (let e = element; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
  return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
}
const linear = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
function contrast(u, v) {
  const [low, high] = [luminance(u), luminance(v)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}
const found = [];
for (const element of document.body.querySelectorAll('*')) {
  const own = Array.from(element.childNodes).filter((n) => n.nodeType === 3);
  const text = own.map((n) => n.data.trim()).join(' ').trim();
  if (!text || element.closest('script, option, .scatterlayer')) continue;  // names in bands: below
  if (!element.checkVisibility({visibilityProperty: true})) continue;
  const style = getComputedStyle(element), drawn = element instanceof SVGElement;
  const behind = background(drawn ? element.closest('div') : element);
  const ink = over(rgba(drawn ? style.fill : style.color), behind);
  found.push([contrast(ink, behind), text.slice(0, 60), style.color]);
}
if (typeof FILL !== 'undefined') {
  for (const [state, fill] of Object.entries(FILL)) {
    found.push([contrast(rgba(inkOn(fill)), rgba(fill)), 'state ' + state, fill]);
  }
}
return found.sort((u, v) => u[0] - v[0]).slice(0, 3).concat([[found.length, 'texts', '']]);
"""


class Browser:
    """What the tests ask of the browser, in the words of this project."""

    def __init__(self, profile: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for switch in (*SWITCHES, f"--user-data-dir={profile}"):
            options.add_argument(switch)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
        self.driver.set_page_load_timeout(DEADLINE_S)
        self.driver.set_script_timeout(DEADLINE_S)

    def close(self) -> None:
        self.driver.quit()

    def open(self, page: Path, width: int = 1200, scheme: str = "light", *, scripts: bool = True) -> None:
        """Load a page in a window so wide, with a colour scheme, as if for the first time."""
        self.cdp("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.media("screen", scheme)
        self.resize(width)
        self.driver.get("about:blank")
        for log in ("browser", "performance"):
            self.driver.get_log(log)
        self.driver.get(page.as_uri())

    def resize(self, width: int) -> None:
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=width < 500,
        )  # fmt: skip

    def media(self, media: str, scheme: str = "light") -> None:
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},  # or a click meets what scrolls away
        ]
        self.cdp("Emulation.setEmulatedMedia", media=media, features=features)

    def cdp(self, command: str, **parameters: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, parameters)

    def js(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str) -> Any:
        """Wait until a script returns something true, and return that."""
        return WebDriverWait(self.driver, DEADLINE_S, 0.05).until(
            lambda _: self.js(script), f"never true: {script}"
        )

    def complaints(self) -> list[str]:
        """What the console says: errors of scripts, refused and failed requests."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Addresses of everything the page asked for."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        self.cdp("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click_at(self, x: float, y: float) -> None:
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="none" if kind == "mouseMoved" else "left", clickCount=1)

    def wheel(self, x: float, y: float, down: float, modifiers: int = 0) -> None:
        self.mouse("mouseWheel", x, y, deltaX=0, deltaY=down, modifiers=modifiers)

    def too_wide(self) -> int:
        """By how many px the page is wider than its window."""
        return int(self.js("const e = document.documentElement; return e.scrollWidth - e.clientWidth;"))

    def table_too_wide(self) -> int:
        """By how many px the widest table, matrices apart, is wider than there is room for."""
        script = """return Math.max(...Array.from(document.querySelectorAll('.scroll:has(.cards)'),
                                                 (box) => box.scrollWidth - box.clientWidth));"""
        return int(self.js(script))

    def shown(self, selector: str) -> list[str]:
        """The text of every element that is displayed."""
        found: list[str] = self.js(
            """return Array.from(document.querySelectorAll(arguments[0])).filter((e) => e.checkVisibility())
                           .map((e) => e.innerText);""",
            selector,
        )
        return found

    def least_contrast(self) -> list[tuple[float, str, str]]:
        """The three texts with the least contrast, and last how many were looked at."""
        return [tuple(entry) for entry in self.js(CONTRAST)]

    def pdf(self) -> bytes:
        printed = self.cdp("Page.printToPDF", preferCSSPageSize=True, printBackground=False)
        return base64.b64decode(printed["data"])


def started(profile: Path) -> Iterator[Browser]:
    """A browser for as long as a module needs it."""
    browser = Browser(profile)
    try:
        yield browser
    finally:
        browser.close()
