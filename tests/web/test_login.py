"""Log-in with local accounts: simple for people, slow for guessers."""

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from tests.web.visitors import text

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough pass phrase"


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", password=PASSWORD)


def log_in(browser: Client, password: str = PASSWORD, name: str = "ada", **more):
    return browser.post("/login/", {"username": name, "password": password, **more})


def test_it_leads_to_the_page_that_was_asked_for(ada) -> None:
    assert log_in(Client(), next="/servers/")["Location"] == "/servers/"
    assert log_in(Client())["Location"] == "/"


def test_it_leads_to_no_other_site(ada) -> None:
    assert log_in(Client(), next="https://elsewhere.example/")["Location"] == "/"


def test_who_is_logged_in_already_goes_on(ada) -> None:
    browser = Client()
    log_in(browser)
    assert browser.get("/login/")["Location"] == "/"


def test_a_wrong_password_and_an_unknown_name_sound_the_same(ada) -> None:
    wrong, unknown = log_in(Client(), "guess"), log_in(Client(), name="eve")
    for answer in (wrong, unknown):
        assert answer.status_code == 200
        assert "Name and password do not match an account." in text(answer)


def test_who_has_no_role_can_leave(ada) -> None:
    browser = Client()
    log_in(browser)
    assert browser.get("/servers/").status_code == 403
    assert browser.post("/logout/")["Location"] == "/login/"
    assert browser.get("/servers/").status_code == 302


def test_what_was_entered_as_a_name_is_shown_as_text_and_the_password_never(ada) -> None:
    page = log_in(Client(), "my secret", name='"><script>').content.decode()
    assert "<script>" not in page
    assert "my secret" not in page


def test_guessing_is_throttled_and_the_wait_is_told(ada) -> None:
    browser = Client()
    for _ in range(settings.AXES_FAILURE_LIMIT - 1):
        assert log_in(browser, "guess").status_code == 200
    answer = log_in(browser, "guess")
    assert answer.status_code == 429
    assert "Wait 15 minutes, then try again." in text(answer)
    assert log_in(browser).status_code == 429, "the right password too must wait"


def test_a_guesser_elsewhere_does_not_lock_a_person_out(ada) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT):
        log_in(Client(REMOTE_ADDR="192.0.2.1"), "guess")
    assert log_in(Client()).status_code == 302


def test_many_names_from_one_address_are_throttled_too(ada) -> None:
    for number in range(settings.AXES_FAILURE_LIMIT):
        log_in(Client(), "guess", name=f"name{number}")
    assert log_in(Client()).status_code == 429


def test_behind_a_proxy_it_is_the_guesser_who_waits(ada, settings) -> None:
    settings.TXT_PROXY_COUNT = 1
    for number in range(settings.AXES_FAILURE_LIMIT):
        # The proxy appends whom it saw; what the guesser claims to be before that counts for nothing.
        log_in(Client(headers={"X-Forwarded-For": f"198.51.100.{number}, 192.0.2.1"}), "guess")
    assert log_in(Client(headers={"X-Forwarded-For": "192.0.2.1"})).status_code == 429
    assert log_in(Client(headers={"X-Forwarded-For": "192.0.2.2"})).status_code == 302


def test_without_a_proxy_nobody_chooses_their_own_address(ada) -> None:
    for number in range(settings.AXES_FAILURE_LIMIT):
        log_in(Client(headers={"X-Forwarded-For": f"198.51.100.{number}"}), "guess")
    assert log_in(Client()).status_code == 429
