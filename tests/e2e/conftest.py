"""One product and one browser for all browser tests. They run in the order of their files' names.

`product` begins the fleet's story; `settled` is the same product at the story's end, where nothing
moves any more. `admin`, `operator` and `viewer` are the browser, logged in as one of them.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.e2e import axe
from tests.e2e.product import Product
from tests.e2e.screen import Screen

SPEED = 4.0  # hosts reboot from 15 s to 38 s after the start
AT_ITS_END = 1000.0


@pytest.fixture(scope="session")
def product(tmp_path_factory) -> Iterator[Product]:
    """Started once, as a person would."""
    product = Product(tmp_path_factory.mktemp("product") / "data")
    try:
        product.start(SPEED)
        yield product
    finally:
        product.stop()


@pytest.fixture(scope="session")
def browser(product, tmp_path_factory) -> Iterator[Screen]:
    """Chromium with an empty profile."""
    screen = Screen(tmp_path_factory.mktemp("profile"), product.address)
    try:
        yield screen
    finally:
        screen.close()


@pytest.fixture
def screen(browser) -> Iterator[Screen]:
    """The browser as nobody in particular; each test ends with a clean console."""
    browser.driver.delete_all_cookies()
    browser.resize()
    browser.prefer("light")
    browser.driver.get_log("browser")
    yield browser
    assert browser.complaints() == []


@pytest.fixture(scope="session")
def sessions() -> dict[str, dict[str, object]]:
    """The session cookies of those who logged in before: each log-in costs a slow hash."""
    return {}


@pytest.fixture
def enter(product, screen, sessions) -> Callable[[str], Screen]:
    """Makes the browser that of somebody with an account."""
    return partial(enter_as, screen, product, sessions)


@pytest.fixture(scope="session")
def settled(product, browser, sessions) -> Product:
    """The product where its story is over, started again on the same data.

    14 hosts booted the new kernel, one the odd loader, three are not enrolled and one is silent.
    """
    product.stop()
    product.start(AT_ITS_END)
    enter_as(browser, product, sessions, "viewer")
    browser.open("/")
    browser.reads("#tally-untrusted b", "15", seconds=60)
    browser.until(lambda: browser.text("#tally-unknown b") in ("3", "4"), "unknown hosts were never told")
    return product


@pytest.fixture
def viewer(settled, enter) -> Screen:
    """Somebody who may look."""
    return enter("viewer")


@pytest.fixture
def operator(settled, enter) -> Screen:
    """Somebody who may poll and test."""
    return enter("operator")


@pytest.fixture
def admin(settled, enter) -> Screen:
    """Somebody who may do all that the pages offer."""
    return enter("admin")


@pytest.fixture(scope="session")
def proposed(settled) -> None:
    """Proposals 4 to 6 of the settled product: one approved once, one that weakens a policy, one rejected."""
    settled.command("shell", typed=(Path(__file__).parent / "proposals.py").read_text())


@pytest.fixture
def approver(settled, enter) -> Screen:
    """Somebody who decides."""
    return enter("approver")


@pytest.fixture
def visiting(screen) -> Iterator[Callable[[Product], Callable[[str], Screen]]]:
    """Makes the browser that of somebody with an account of another product than `product`."""
    address = screen.address
    known: dict[str, dict[str, object]] = {}

    def of(product: Product) -> Callable[[str], Screen]:
        def enter(name: str) -> Screen:
            screen.address = product.address
            return enter_as(screen, product, known, name)

        return enter

    yield of
    screen.address = address


@pytest.fixture(scope="session")
def axe_source() -> str:
    """axe-core."""
    return axe.source()


def enter_as(screen: Screen, product: Product, sessions: dict[str, dict[str, object]], name: str) -> Screen:
    """The browser as that of somebody, logged in; by the session that they had, where it still holds."""
    screen.driver.delete_all_cookies()
    screen.open("/login/")
    if name in sessions:
        screen.driver.add_cookie(sessions[name])
        screen.open("/servers/")
        if screen.path == "/servers/":
            return screen
    screen.log_in(name, product.password)
    screen.one("nav")
    sessions[name] = screen.driver.get_cookie("session")
    return screen
