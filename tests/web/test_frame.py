"""What holds for every page: who may see it, what the browser may do, and how failures are told."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client

from tests.web.visitors import text, visitor

pytestmark = pytest.mark.django_db
PAGES = ("/", "/servers/", "/live/", "/fleet/map/", "/hosts/hv1/", "/activity/")
INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", re.IGNORECASE)


@pytest.mark.parametrize("address", PAGES)
def test_who_is_not_logged_in_is_asked_to(address) -> None:
    answer = Client().get(address)
    assert (answer.status_code, answer["Location"]) == (302, f"/login/?next={address}")


@pytest.mark.parametrize("address", PAGES)
def test_who_has_no_role_sees_nothing_but_what_to_do(fleet, address) -> None:
    fleet(hv1=None)
    answer = visitor().get(address)
    assert answer.status_code == 403
    assert "Ask an administrator" in text(answer)
    assert "hv1" not in text(answer)
    assert "Log out" in text(answer)


@pytest.mark.parametrize("address", PAGES)
def test_every_answer_sets_the_browsers_limits(fleet, address) -> None:
    fleet(hv1=None)
    answer = visitor("viewer").get(address)
    assert answer.status_code == 200
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert answer["Cross-Origin-Opener-Policy"] == answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Cache-Control"] in ("no-store", "private, no-cache")


def test_pages_are_kept_by_no_cache(fleet) -> None:
    fleet(hv1=None)
    assert visitor("viewer").get("/")["Cache-Control"] == "no-store"


def test_no_template_has_inline_scripts_or_styles() -> None:
    for template in Path(settings.TEMPLATES[0]["DIRS"][0]).rglob("*.html"):
        assert not INLINE.search(template.read_text()), template


@pytest.mark.parametrize("address", ["/", "/login/", "/servers/"])
def test_nothing_is_loaded_from_elsewhere(fleet, address) -> None:
    fleet(hv1=None)
    browser = visitor("viewer") if address != "/login/" else Client()
    sources = re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="([^"]*)"', text(browser.get(address)))
    assert sources
    assert all(source.startswith("/static/") for source in sources)


def test_a_part_of_a_page_is_never_replaced_by_the_log_in_page() -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/?state=stale"}
    answer = Client().get("/", headers=headers)
    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/login/?next=/%3Fstate%3Dstale")
    assert Client().get("/live/", headers={"Accept": "application/json"}).status_code == 401


def test_the_frame_names_the_account_its_roles_and_the_age_of_our_knowledge(fleet) -> None:
    fleet(hv1=None)
    page = text(visitor("viewer", "approver", name="Ada <b>").get("/"))
    assert "Ada <b> · approver" in page  # that everybody may look is not worth a word
    assert '<span data-server="oat-1">oat-1 answered <time datetime="' in page


def test_log_out_ends_the_session_and_is_no_link(db) -> None:
    browser = visitor("viewer")
    assert browser.get("/logout/").status_code == 405
    assert browser.post("/logout/")["Location"] == "/login/"
    assert browser.get("/").status_code == 302


def test_what_is_not_there_says_so(db) -> None:
    answer = visitor("viewer").get("/nothing-here/")
    assert answer.status_code == 404
    assert "There is nothing at this address." in text(answer)


def test_a_form_that_is_not_ours_is_refused_with_a_way_on(db) -> None:
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post("/login/", {"username": "x", "password": "y"})
    assert answer.status_code == 403
    assert "This form has expired" in text(answer)


@pytest.mark.parametrize("query", ["take_pulse", "actor_of"])
def test_a_database_that_cannot_be_used_is_told_without_it(monkeypatch, query) -> None:
    browser = visitor("viewer")

    def locked(*_):
        raise OperationalError("database is locked")

    monkeypatch.setattr(f"txt_dashboard.web.context.{query}", locked)
    answer = browser.get("/")
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert "can't say which hosts are trusted" in text(answer)
    assert "locked" in text(answer)


def test_an_error_of_ours_has_a_page_of_its_own(monkeypatch) -> None:
    browser = visitor("viewer")
    browser.raise_request_exception = False
    monkeypatch.setattr("txt_dashboard.web.fleet.pulse_of", lambda request: 1 / 0)
    answer = browser.get("/")
    assert answer.status_code == 500
    assert "Something broke" in text(answer)


def test_pages_speak_the_persons_language_code(db) -> None:
    assert '<html lang="en">' in text(visitor("viewer").get("/"))
