"""A real Keylime with three agents on software TPMs, and the product beside it.

    TXT_TEST_KEYLIME_CACHE   where Keylime's software is kept between runs (~/.cache/txt-dashboard/keylime)
    TXT_TEST_KEYLIME_PORT    the first of about 120 ports (the first that is free from 18700 on)

What is missing fails the tests: who runs them wants to know.
"""

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.conftest import enter_as
from tests.e2e.screen import Screen
from tests.keylime import arrival
from tests.keylime.lab import KeylimeLab, running
from tests.keylime.stage import HOSTS, Stage
from tests.measuring import measured, pytest_terminal_summary  # noqa: F401 - pytest finds them here by name


@pytest.fixture(scope="session")
def lab() -> Iterator[KeylimeLab]:
    """Running, and three agents attest."""
    with running(HOSTS) as made:
        yield made


@pytest.fixture(scope="session")
def stage(lab: KeylimeLab, tmp_path_factory) -> Iterator[Stage]:
    """The product, started once as a person would; it knows nothing of the Keylime yet."""
    made = Stage(tmp_path_factory.mktemp("stage"), lab)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def browser(stage: Stage, tmp_path_factory) -> Iterator[Screen]:
    """Chromium with an empty profile, at the stage's product."""
    screen = Screen(tmp_path_factory.mktemp("profile"), stage.product.address)
    try:
        yield screen
    finally:
        screen.close()


@pytest.fixture(scope="session")
def enter(stage: Stage, browser: Screen) -> Callable[[str], Screen]:
    """Makes the browser that of somebody with an account."""
    sessions: dict[str, dict[str, object]] = {}
    return lambda name: enter_as(browser, stage.product, sessions, name)


@pytest.fixture(scope="session")
def connected(stage: Stage, enter: Callable[[str], Screen]) -> Stage:
    """The Keylime was added, and people approved all that makes its three hosts trusted."""
    arrival.connect(stage, enter)
    return stage


@pytest.fixture
def visit(connected: Stage, browser: Screen, enter: Callable[[str], Screen]) -> Iterator[Callable[[str], Screen]]:
    """The same while all three hosts are trusted; the browser complained of nothing in the end."""
    connected.all_trusted("the three hosts were not all trusted before the test")
    browser.resize()
    browser.driver.get_log("browser")
    yield enter
    assert browser.complaints() == []
