"""Flavors in the browser, and what Nova has of it afterwards."""

from collections.abc import Callable, Iterator, Mapping

import pytest
from selenium.webdriver.common.keys import Keys

from tests.e2e.screen import Screen
from txt_dashboard.cloud import compute
from txt_dashboard.cloud.connection import Connection
from txt_dashboard.cloud.login import read_clouds
from txt_dashboard.conf import SIMULATED_CLOUD

pytestmark = pytest.mark.browser
REQUIRED = {"trait:CUSTOM_TRUSTED_HOST": "required"}


@pytest.fixture
def specs(settled) -> Iterator[Callable[[str], Mapping[str, str]]]:
    """What Nova says of a flavor's extra specs."""
    connection = Connection(read_clouds(settled.folder / "clouds.yaml")[SIMULATED_CLOUD])
    yield lambda flavor: compute.get_extra_specs(connection, flavor)
    connection.close()


def row(screen: Screen, name: str) -> str:
    """The row of a flavor, as CSS."""
    found = screen.until(
        lambda: [each for each in screen.all("tr[id]") if f"{name}\n" in f"{each.text}\n"], f"{name} is not listed"
    )
    return f"#{found[0].get_attribute('id')}"


def is_on(screen: Screen, name: str) -> bool:
    return screen.one(f"{row(screen, name)} .switch").get_attribute("aria-checked") == "true"


def test_a_flavor_is_switched_on_with_a_reason_and_seen_in_nova(admin, specs):
    admin.open("/flavors/")
    assert not is_on(admin, "m1.medium")
    admin.click(f"{row(admin, 'm1.medium')} .switch")
    admin.reads("h1", "m1.medium")
    assert admin.one("#to-trait").is_selected()
    admin.reads("#does-trait", "sets trait:CUSTOM_TRUSTED_HOST=required")

    admin.forgive("status of 400")
    admin.click("main form[method=post] .btn")
    admin.reads(".errorlist", "Say why")
    assert specs("2") == {}

    admin.fill("#id_reason", "Its tenants hold secrets.")
    admin.click("main form[method=post] .btn")
    admin.reads("main .notice.plain", "m1.medium asks for trusted hosts now.")
    assert is_on(admin, "m1.medium")
    assert specs("2") == REQUIRED
    admin.reads(f"{row(admin, 'm1.medium')} .runs", "1 keeps an old demand")
    admin.open("/activity/")
    admin.reads("#entries", "Its tenants hold secrets.")
    admin.reads("#entries", "made the flavor m1.medium a trusted one")


def test_it_is_switched_off_without_a_mouse(admin, specs):
    admin.open("/flavors/")
    admin.run("document.querySelector(arguments[0]).focus()", f"{row(admin, 'm1.medium')} .switch")
    admin.press(Keys.SPACE)
    admin.reads("h1", "m1.medium")
    assert admin.one("#to-none").is_selected()
    admin.run("document.querySelector('#to-none').focus()")
    admin.press(Keys.TAB, "The contract ended.", Keys.TAB, Keys.ENTER)
    admin.reads("main .notice.plain", "m1.medium asks for any host.")
    assert not is_on(admin, "m1.medium")
    assert specs("2") == {}


def test_whoever_was_slower_sees_how_it_is_now(admin, specs):
    admin.open("/flavors/3/")
    admin.fill("#id_reason", "One of two.")
    first = admin.driver.current_window_handle
    admin.driver.switch_to.new_window("tab")
    try:
        admin.open("/flavors/3/")
        admin.click("#to-both")
        admin.fill("#id_reason", "The other one.")
        admin.click("main form[method=post] .btn")
        admin.reads("main .notice.plain", "m1.large asks for trusted hosts now.")
    finally:
        admin.driver.close()
        admin.driver.switch_to.window(first)
    admin.forgive("status of 409")
    admin.click("main form[method=post] .btn")
    admin.reads("#conflict", "were changed since you saw them")
    admin.reads("main", "trust:trusted_host=trusted")
    assert admin.one("#id_reason").get_attribute("value") == "One of two."
    assert specs("3") == REQUIRED | {"trust:trusted_host": "trusted"}
    admin.click("#to-none")
    admin.click("main form[method=post] .btn")
    admin.reads("main .notice.plain", "m1.large asks for any host.")
    assert specs("3") == {}


def test_room_is_told_once_hosts_are_trusted_and_pitfalls_by_name(admin):
    def told() -> str:
        admin.open("/flavors/")
        return admin.text(f"{row(admin, 'trusted.medium')} .room")

    admin.until(lambda: "hosts" in told(), "no host was ever said to have room", seconds=60)
    admin.reads(row(admin, "secure.large"), "trusted_host without “trust:” before it enforces nothing")


def test_whoever_may_not_switch_is_told_why(viewer):
    viewer.open("/flavors/")
    switch = viewer.one(f"{row(viewer, 'm1.small')} .switch")
    assert not switch.is_enabled()
    assert viewer.one(f"#{switch.get_attribute('aria-describedby')}").text == (
        "Only administrators change what flavors ask for."
    )
    viewer.open("/flavors/1/")
    assert not viewer.one("main form[method=post] .btn").is_enabled()
