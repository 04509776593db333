"""A visitor with a real browser, and what happens to browser journeys where there is none.

A pytest plugin: tests/conftest.py registers it with ``pytest_plugins = ["browser"]``. Tests marked ``browser`` ask for
the fixture ``visit`` and call ``visit(base_url, PHONE)`` or ``visit(base_url, DESKTOP)``. Every page a visitor comes to
is checked: the answer's status, no accessibility violation (axe-core, WCAG 2.2 A and AA), nothing on the browser's
console (a breach of the content security policy appears there), and no sideways scrolling.

Where Chromium is missing, journeys are left out with one message at the end of the run; ``PORTAL_BROWSER=required``
makes that a failure instead.
"""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

ROOT = Path(__file__).resolve().parent.parent
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PATIENCE_SECONDS = 15
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)
REMEDY = "`apt-get install chromium chromium-driver` gives it."

# Runs axe and answers with its violations; the last argument is where WebDriver waits for the answer.
RUN_AXE = """
const [tags, done] = arguments;
axe.run(document, {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"]})
  .then((result) => done(result.violations), (error) => done([{id: "axe", help: String(error), nodes: []}]));
"""
# Elements that stick out to the right; those inside a frame of their own that scrolls do not move the page.
STICKING_OUT = """
const wide = document.documentElement.clientWidth;
const scrolls = (element) => element && element !== document.documentElement &&
  (["auto", "scroll", "hidden"].includes(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
return document.documentElement.scrollWidth <= wide ? [] : [...document.body.querySelectorAll("*")]
  .filter((each) => each.getBoundingClientRect().right > wide + 1 && !scrolls(each.parentElement))
  .map((each) => each.outerHTML.slice(0, 120));
"""


@dataclass(frozen=True, slots=True)
class Screen:
    """The size of a window in CSS pixels; a phone also reports touch and a denser display."""

    name: str
    width: int
    height: int
    phone: bool = False


PHONE = Screen("phone", 360, 740, phone=True)
DESKTOP = Screen("desktop", 1280, 900)


def chromium() -> str | None:
    """Where Chromium is, if it is here together with its driver."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    return found if found and shutil.which("chromedriver") else None


def browser_required() -> bool:
    """Whether this run must not do without the browser."""
    return os.environ.get("PORTAL_BROWSER", "") == "required"


class Visitor:
    """Somebody at a browser. Closes it when leaving the ``with`` block."""

    def __init__(self, base_url: str, screen: Screen) -> None:
        self.base_url = base_url.rstrip("/")
        self.screen = screen
        self._profile = TemporaryDirectory(prefix="visitor-")
        self.driver = webdriver.Chrome(
            options=self._options(), service=Service(executable_path=shutil.which("chromedriver"))
        )
        self._axe = AXE.read_text(encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Shut the browser and forget its profile."""
        self.driver.quit()
        self._profile.cleanup()

    # Going places ----------------------------------------------------------------------------------------------------

    def goto(self, path: str, status: int = 200) -> None:
        """Open ``path`` of the portal and check the page."""
        self.driver.get(self.base_url + path)
        self._arrive(status)

    def follow(self, text: str, status: int = 200) -> None:
        """Follow the link ``text`` and check the page it leads to."""
        self._leave_by(self._named("a[href]", text), status)

    def press(self, text: str, status: int = 200) -> None:
        """Press the button ``text`` and check the page that follows; a refused form answers 422."""
        self._leave_by(self._named("button, input[type=submit], a[role=button]", text), status)

    def tap(self, text: str) -> None:
        """Press a button that changes the page it is on, such as the menu; the page is checked again."""
        self._named("button", text).click()
        self.check_page()

    def unfold(self, text: str) -> None:
        """Open what is folded away under the summary ``text``; the page is checked again."""
        self._named("summary", text).click()
        self.check_page()

    # Filling in ------------------------------------------------------------------------------------------------------

    def fill(self, label: str, value: str | Path, within: str = "") -> None:
        """Enter ``value`` in the field labelled ``label``: text, an option of a select, or a file's path.

        ``within`` names the fieldset where a page has several fields of that label.
        """
        control = self._labelled(label, within)
        if control.tag_name == "select":
            Select(control).select_by_visible_text(str(value))
            return
        if control.get_attribute("type") != "file":
            control.clear()
        control.send_keys(str(value))

    def choose(self, label: str, within: str = "") -> None:
        """Choose the radio or tick the checkbox labelled ``label``, in the fieldset ``within`` where that is needed."""
        control = self._labelled(label, within)
        if not control.is_selected():
            self.driver.execute_script("arguments[0].click()", control)

    # Looking ---------------------------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """What can be read in the main part of the page, white space squeezed."""
        return " ".join(self.driver.find_element(By.TAG_NAME, "main").text.split())

    @property
    def heading(self) -> str:
        """The page's main heading."""
        return " ".join(self.driver.find_element(By.TAG_NAME, "h1").text.split())

    @property
    def path(self) -> str:
        """Where the visitor is, without the portal's own address."""
        return self.driver.current_url.removeprefix(self.base_url)

    def screenshot(self, path: Path) -> Path:
        """Keep a picture (PNG) of the whole page, also of what lies below the window."""
        size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        taken = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(taken["data"]))
        return path

    def check_page(self) -> None:
        """Fail, saying why, unless the page is accessible, quiet on the console and no wider than the screen."""
        where = f"{self.path} on a {self.screen.name}"
        self.driver.execute_script(self._axe)
        violations = self.driver.execute_async_script(RUN_AXE, STANDARDS)
        assert not violations, f"{where} is not accessible:\n" + "\n".join(described(each) for each in violations)
        wide = self.driver.execute_script(STICKING_OUT)
        assert not wide, f"{where} scrolls sideways because of:\n" + "\n".join(wide)
        errors = [entry["message"] for entry in self.driver.get_log("browser") if self._matters(entry)]
        assert not errors, f"{where} left errors on the console:\n" + "\n".join(errors)

    # How -------------------------------------------------------------------------------------------------------------

    def _options(self) -> webdriver.ChromeOptions:
        options = webdriver.ChromeOptions()
        options.binary_location = chromium() or ""
        for flag in (*FLAGS, f"--user-data-dir={self._profile.name}", "--lang=en-GB"):
            options.add_argument(flag)
        if self.screen.phone:
            metrics = {"width": self.screen.width, "height": self.screen.height, "pixelRatio": 2.0, "touch": True}
            options.add_experimental_option("mobileEmulation", {"deviceMetrics": metrics})
        else:
            options.add_argument(f"--window-size={self.screen.width},{self.screen.height}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        return options

    def _leave_by(self, element: WebElement, status: int) -> None:
        # A mark on the page that is left: while browsers change pages they cannot be asked for elements.
        self.driver.execute_script("window.beforeTheClick = true")
        came_from = self.path
        element.click()
        WebDriverWait(self.driver, PATIENCE_SECONDS, ignored_exceptions=[WebDriverException]).until(
            lambda driver: driver.execute_script("return window.beforeTheClick !== true"),
            f"nothing happened on {came_from} after the click",
        )
        self._arrive(status)

    def _arrive(self, status: int) -> None:
        WebDriverWait(self.driver, PATIENCE_SECONDS).until(
            lambda driver: driver.execute_script("return document.readyState") == "complete", "the page never loaded"
        )
        answered = self.driver.execute_script("return performance.getEntriesByType('navigation')[0].responseStatus")
        assert answered == status, f"{self.path} answered {answered} instead of {status}: {self.text[:500]}"
        self.check_page()

    def _matters(self, entry: dict[str, Any]) -> bool:
        """Whether a console entry is a fault. The status of the page itself is checked elsewhere."""
        own_status = entry["source"] == "network" and entry["message"].startswith(f"{self.driver.current_url} - ")
        return entry["level"] == "SEVERE" and not own_status

    def _named(self, selector: str, text: str) -> WebElement:
        """The visible element whose text, value or label is ``text``, or else the first that contains it."""
        shown = [each for each in self.driver.find_elements(By.CSS_SELECTOR, selector) if each.is_displayed()]
        names = [
            " ".join((each.text or each.get_attribute("value") or each.get_attribute("aria-label") or "").split())
            for each in shown
        ]
        exact = [each for each, name in zip(shown, names, strict=True) if name == text]
        close = [each for each, name in zip(shown, names, strict=True) if text in name]
        assert exact or close, f"{self.path} shows nothing called {text!r} to press or follow; it shows {names}"
        return (exact or close)[0]

    def _fieldset(self, legend: str) -> WebElement:
        fieldsets = self.driver.find_elements(By.TAG_NAME, "fieldset")
        names = [
            " ".join(str(each.find_element(By.TAG_NAME, "legend").get_attribute("textContent")).split())
            for each in fieldsets
        ]
        assert legend in names, f"{self.path} has no group called {legend!r}; it has {names}"
        return fieldsets[names.index(legend)]

    def _labelled(self, label: str, within: str = "") -> WebElement:
        place = self._fieldset(within) if within else self.driver
        labels = place.find_elements(By.TAG_NAME, "label")
        names = [" ".join(str(each.get_attribute("textContent")).split()) for each in labels]
        if label in names:
            field = str(labels[names.index(label)].get_attribute("for"))
            return self.driver.find_element(By.ID, field)
        # A field in a table takes its name from there.
        fields = place.find_elements(By.CSS_SELECTOR, "input[aria-label], select[aria-label]")
        spoken = [str(each.get_attribute("aria-label")) for each in fields]
        assert label in spoken, f"{self.path} has no field labelled {label!r}; it has {names + spoken}"
        return fields[spoken.index(label)]


def described(violation: dict[str, Any]) -> str:
    """One axe violation as a person can act on it."""
    nodes = "".join(
        f"\n    {node['html'][:200]}\n      {' '.join(str(node.get('failureSummary', '')).split())}"
        for node in violation["nodes"][:5]
    )
    return f"- {violation['id']}: {violation['help']} ({len(violation['nodes'])} times){nodes}"


# The plugin ----------------------------------------------------------------------------------------------------------

LEFT_OUT = pytest.StashKey[int]()


@pytest.fixture
def visit() -> Iterator[Callable[[str, Screen], Visitor]]:
    """Opens browsers, each with a profile of its own: ``visit(base_url, PHONE)``. All are closed after the test."""
    opened: list[Visitor] = []

    def open_browser(base_url: str, screen: Screen = DESKTOP) -> Visitor:
        opened.append(Visitor(base_url, screen))
        return opened[-1]

    yield open_browser
    for visitor in opened:
        visitor.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave journeys out where there is no browser, or refuse to run when it is required."""
    journeys = [item for item in items if item.get_closest_marker("browser")]
    if not journeys or chromium():
        return
    if browser_required():
        raise pytest.UsageError(f"PORTAL_BROWSER=required, but Chromium or its driver is missing. {REMEDY}")
    config.stash[LEFT_OUT] = len(journeys)
    items[:] = [item for item in items if item not in journeys]
    config.hook.pytest_deselected(items=journeys)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say once what was left out, and how to have it."""
    if left_out := config.stash.get(LEFT_OUT, 0):
        terminalreporter.section("browser journeys skipped", yellow=True)
        terminalreporter.line(f"{left_out} browser journeys were skipped: Chromium or its driver is missing. {REMEDY}")
