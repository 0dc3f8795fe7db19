"""Somebody logs in and watches what happens to the fleet. First of all files: the story must be young."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def test_a_stranger_is_asked_to_log_in_and_then_gets_where_they_wanted(screen, product):
    screen.open("/servers/")
    assert screen.path == "/login/?next=/servers/"
    screen.log_in("viewer", "not the password")
    screen.reads("#failed", "Name and password do not match an account.")
    screen.log_in("viewer", product.password)
    screen.reads("h1", "Attestation servers")
    assert screen.path == "/servers/"
    assert "viewer · viewer" in screen.text("header.top .end")


def test_a_host_turns_untrusted_before_their_eyes(enter, product):
    name = product.next_to_reboot()
    screen = enter("viewer")
    screen.open(f"/hosts/{name}/")
    screen.reads("#host .badge", "Trusted")
    screen.reads(".reason", "All required registers match approved baselines, and oat-1 agrees.")
    stayed = screen.stays()

    screen.reads("#host .badge", "Untrusted", seconds=60)
    screen.reads(".reason", "Differs from the closest approved baseline in PCR 18, 19.")
    assert [row.text for row in screen.all("table.registers:not(.values) th[scope=row]")] == ["18", "19"]
    assert screen.driver.title.startswith("(!) ")
    assert stayed()


def test_the_fleet_follows_without_a_reload(enter):
    screen = enter("viewer")
    screen.open("/")
    stayed = screen.stays()
    screen.one("#map .cells a")

    screen.reads("#tally-untrusted b", "15", seconds=60)
    screen.until(lambda: len(screen.all("#map a.untrusted")) == 15, "the map did not follow")
    screen.reads("#changes", "on 14 hosts in the same way")
    screen.reads("#activity", "became untrusted")
    assert stayed()
