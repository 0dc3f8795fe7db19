"""Leaving, being shown out, and guessing."""

import pytest

pytestmark = pytest.mark.browser


def test_after_log_out_the_way_back_shows_nothing(settled, enter, sessions):
    screen = enter("approver")
    screen.open("/")
    screen.click("header form button")
    screen.one("#id_username")
    del sessions["approver"]
    screen.driver.back()
    screen.one("#id_username")
    assert screen.path.startswith("/login/")


def test_a_page_whose_session_ended_asks_to_log_in_and_comes_back(settled, enter, sessions):
    screen = enter("operator2")
    screen.open("/hosts/az1-001/")
    del sessions["operator2"]
    settled.command("account", "set-password", "operator2", typed=settled.password)

    screen.forgive("status of 401")
    screen.one("#id_username", seconds=30)
    assert screen.path == "/login/?next=/hosts/az1-001/"
    screen.log_in("operator2", settled.password)
    screen.reads("h1", "az1-001")


def test_a_form_that_is_older_than_the_log_in_says_so(settled, enter):
    screen = enter("approver2")
    screen.forgive("status of 403")
    screen.open("/")
    screen.driver.delete_cookie("csrf")
    screen.click("header form button")
    screen.reads("h1", "This form has expired")


def test_guessing_is_stopped(settled, screen):
    screen.forgive("status of 429")
    screen.open("/login/")
    try:
        for _ in range(5):
            screen.log_in("admin", "a guess")
            screen.one("main")
        screen.reads("h1", "Too many attempts")
        screen.reads("main", "Wait 15 minutes, then try again.")
    finally:
        settled.command("axes_reset")
