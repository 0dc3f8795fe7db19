"""The product beside the cloud, for the tests of this folder: it goes on from one to the next, file by file."""

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.conftest import enter_as
from tests.e2e.screen import Screen
from tests.measuring import measured, pytest_terminal_summary  # noqa: F401 - pytest finds them here by name
from tests.openstack.accounts import Accounts
from tests.openstack.minicloud import MiniCloud
from tests.openstack.stage import TRAIT, Stage
from txt_dashboard.cloud import placement
from txt_dashboard.cloud.connection import Connection
from txt_dashboard.deadman.rounds import take_all


@pytest.fixture(scope="package")
def stage(mini: MiniCloud, admin: Connection, accounts: dict[str, Connection], tmp_path_factory) -> Iterator[Stage]:
    """Started once, as a person would; the scheduler's filter asks it."""
    take_all(accounts["service"], TRAIT)
    made = Stage(tmp_path_factory.mktemp("stage"), mini, admin, accounts["service"])
    try:
        made.start()
        with mini.polling(made.product.address, made.blob):
            yield made
    finally:
        made.product.stop()
        take_all(accounts["service"], TRAIT)


@pytest.fixture(scope="package")
def browser(stage: Stage, tmp_path_factory) -> Iterator[Screen]:
    """Chromium with an empty profile, at the stage's product."""
    screen = Screen(tmp_path_factory.mktemp("profile"), stage.product.address)
    try:
        yield screen
    finally:
        screen.close()


@pytest.fixture(scope="package")
def sessions() -> dict[str, dict[str, object]]:
    """The session cookies of those who logged in before."""
    return {}


@pytest.fixture
def visit(stage: Stage, browser: Screen, sessions) -> Iterator[Callable[[str], Screen]]:
    """Makes the browser that of somebody with an account; it complained of nothing in the end."""
    browser.resize()
    browser.driver.get_log("browser")
    yield lambda name: enter_as(browser, stage.product, sessions, name)
    assert browser.complaints() == []


@pytest.fixture
def administrators(admin: Connection, connect: Callable[..., Connection]) -> list[str]:
    """Tokens of two, good from now on."""
    Accounts(admin).create("other-admin", "admin", "admin")
    return [str(each.session.get_token()) for each in (connect(), connect("other-admin", "admin"))]


@pytest.fixture
def provider_of(accounts: dict[str, Connection]) -> Callable[[str], str]:
    """The UUID of a hypervisor's provider, by its name."""
    return lambda name: {each.name: each.uuid for each in placement.list_providers(accounts["service"])}[name]
