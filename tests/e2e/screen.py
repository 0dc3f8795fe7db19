"""A person's browser: what it shows, what it complains of, and how it is used."""

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from selenium.common.exceptions import (
    NoSuchElementException,
    StaleElementReferenceException,
    TimeoutException,
    WebDriverException,
)
from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
PICTURES = Path(__file__).parent / "screenshots"
PATIENCE_S = 20
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
)
T = TypeVar("T")


class Screen:
    """One browser with a profile of its own, at the product's address."""

    def __init__(self, profile: Path, address: str) -> None:
        for path, package in ((CHROMIUM, "chromium"), (DRIVER, "chromium-driver")):
            if not path.exists():
                pytest.fail(f"{path} is missing: the browser tests need Debian's package {package}.", pytrace=False)
        options = ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.address = address
        self.driver = Chrome(options=options, service=Service(str(DRIVER)))
        self._forgiven: list[str] = []

    def close(self) -> None:
        """Ends the browser."""
        self.driver.quit()

    # Where it is.

    def open(self, path: str) -> None:
        """Goes to a page of the product."""
        self.driver.get(self.address + path)

    @property
    def path(self) -> str:
        """Path and query of the page that is shown."""
        parts = urlsplit(self.driver.current_url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def stays(self) -> Callable[[], bool]:
        """A function that says whether the page is still the same one, never loaded anew since now."""
        self.run("window.stayed = true")
        return lambda: self.run("return window.stayed === true")

    # What it shows.

    def until(self, found: Callable[[], T], why: str, seconds: float = PATIENCE_S) -> T:
        """What `found` returns once that is something; parts of a page may be replaced meanwhile."""
        ignored = (StaleElementReferenceException, NoSuchElementException)
        wait = WebDriverWait(self.driver, seconds, poll_frequency=0.1, ignored_exceptions=ignored)
        try:
            return wait.until(lambda _: _unless_replaced(found))
        except TimeoutException:
            text = self.driver.find_element(By.TAG_NAME, "body").text
            pytest.fail(f"Waited {seconds:.0f} s in vain: {why}. {self.path} shows:\n{text[:1500]}")

    def all(self, css: str) -> list[WebElement]:
        """All elements of the page like that, now."""
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css: str, seconds: float = PATIENCE_S) -> WebElement:
        """The first element like that, once it can be seen."""
        return self.until(lambda: next((each for each in self.all(css) if each.is_displayed()), None), css, seconds)

    def text(self, css: str) -> str:
        """What a person reads in the first element like that: one line, single spaces."""
        return self.until(lambda: [" ".join(self.driver.find_element(By.CSS_SELECTOR, css).text.split())], css)[0]

    def reads(self, css: str, text: str, seconds: float = PATIENCE_S) -> None:
        """Waits until the element says this."""
        self.until(lambda: text in self.text(css), f"{css} never said “{text}”", seconds)

    def gone(self, css: str, seconds: float = PATIENCE_S) -> None:
        """Waits until nothing like that can be seen."""
        self.until(lambda: not any(each.is_displayed() for each in self.all(css)), f"{css} stayed", seconds)

    # How it is used.

    def click(self, css: str) -> None:
        """Clicks on the first element like that; where the page replaced it just then, on its successor."""

        def clicked() -> bool:
            element = next((each for each in self.all(css) if each.is_displayed()), None)
            if element is None:
                return False
            self.run("arguments[0].scrollIntoView({block: 'center'})", element)
            element.click()
            return True

        self.until(clicked, f"{css} could not be clicked")

    def fill(self, css: str, text: str) -> None:
        """Types over what the field holds."""
        field = self.one(css)
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text or Keys.DELETE)

    def press(self, *keys: str) -> None:
        """Types where the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def run(self, script: str, *arguments: object) -> Any:
        """What the script returns."""
        return self.driver.execute_script(script, *arguments)

    # Who looks, and how.

    def log_in(self, name: str, password: str) -> None:
        """Fills in the log-in page that is shown."""
        self.fill("#id_username", name)
        self.fill("#id_password", password)
        self.click("main button")

    def resize(self, width: int = 1280, height: int = 900) -> None:
        """Gives the page this many CSS pixels; a window can't be as narrow as a telephone."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, scheme: str) -> None:
        """Asks for a light or a dark page."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def photograph(self, name: str) -> None:
        """Keeps a picture of the whole page, from its top to its end."""
        width, height = self.run("return [innerWidth, innerHeight]")
        size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        self.resize(width, size["height"])  # as a window that needs no scrolling: what is out of sight is not drawn
        picture = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
        self.resize(width, height)
        PICTURES.mkdir(exist_ok=True)
        (PICTURES / f"{name}.png").write_bytes(base64.b64decode(picture))

    # What it complains of.

    def forgive(self, *parts: str) -> None:
        """The console may speak of this until the test ends: the test brings it about."""
        self._forgiven += parts

    def complaints(self) -> list[str]:
        """Errors and warnings in the console that nobody expected, since the last look."""
        said = [each for each in self.driver.get_log("browser") if each["level"] in ("SEVERE", "WARNING")]
        forgiven, self._forgiven = self._forgiven, []
        return [each["message"] for each in said if not any(re.search(part, each["message"]) for part in forgiven)]


def _unless_replaced(found: Callable[[], T]) -> T | None:
    """Nothing where the page went away meanwhile, for which chromedriver has another word than stale, too."""
    try:
        return found()
    except WebDriverException as error:
        if "does not belong to the document" in str(error):
            return None
        raise
