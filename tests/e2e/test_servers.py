"""Attestation servers: added, tested and changed in the browser."""

import pytest

pytestmark = pytest.mark.browser


def fill_in(screen, name: str, url: str) -> None:
    """A server that is not asked: the fleet of the other tests stays as it is."""
    screen.fill("#id_name", name)
    screen.fill("#id_url", url)
    if screen.one("#id_enabled").is_selected():
        screen.click("#id_enabled")


def test_an_address_outside_the_allowed_networks_is_refused_and_nothing_is_lost(admin):
    admin.forgive("status of 400")
    admin.open("/servers/add/")
    fill_in(admin, "outside", "https://10.9.8.7:8443")
    admin.click("main footer button")
    admin.reads(".error-summary", "Nothing was saved. See the marked fields.")
    admin.reads("main", "10.9.8.7 lies outside the networks that the settings allow")
    assert admin.one("#id_name").get_attribute("value") == "outside"
    assert admin.one("#id_url").get_attribute("value") == "https://10.9.8.7:8443"


def test_a_new_server_is_tested_by_a_worker_while_one_looks(admin, product):
    admin.open("/servers/")
    admin.click("a[href='/servers/add/']")
    fill_in(admin, "oat-9", product.simulator)
    admin.click("main footer button")
    admin.reads("h1", "Attestation servers")
    server = admin.until(lambda: [each for each in admin.all(".server") if "oat-9" in each.text], "it is not there")[
        0
    ]
    card = f"#{server.get_attribute('id')}"
    assert "Switched off" in admin.text(card)

    before = admin.stays()
    admin.click(f"{card} form button")
    admin.until(lambda: not before(), "the page never came back")
    stayed = admin.stays()
    admin.reads(card, "An OpenAttestation server (1.6) answered and takes our requests.", seconds=30)
    assert stayed()


def test_a_server_that_is_not_there_fails_the_test_with_a_reason(admin):
    admin.open("/servers/add/")
    fill_in(admin, "nobody", "http://127.0.0.1:9")
    admin.click("main footer button")
    admin.reads("main", "http://127.0.0.1:9")
    card = next(f"#{each.get_attribute('id')}" for each in admin.all(".server") if "127.0.0.1:9" in each.text)
    admin.click(f"{card} form button")
    admin.reads(card, "nothing listens on port 9, so the server seems not to run", seconds=30)


def test_whoever_was_slower_sees_both_and_decides(admin):
    admin.open("/servers/1/")
    first = admin.driver.current_window_handle
    admin.fill("#id_interval_s", "21")

    admin.driver.switch_to.new_window("tab")
    try:
        admin.open("/servers/1/")
        admin.fill("#id_parallel", "3")
        admin.click("main footer button")
        admin.reads("h1", "Attestation servers")
    finally:
        admin.driver.close()
        admin.driver.switch_to.window(first)

    admin.forgive("status of 409")
    admin.click("main footer button")
    admin.reads(".notice[role=alert]:not(#alert)", "Somebody else changed oat-1 meanwhile.")
    assert admin.one("#id_interval_s").get_attribute("value") == "21"
    admin.reads("main", "Now stored: 3")
    admin.click("main footer button")
    admin.reads("h1", "Attestation servers")
    admin.open("/servers/1/")
    assert admin.one("#id_interval_s").get_attribute("value") == "21"
    assert admin.one("#id_parallel").get_attribute("value") == "2"
