"""Every failure is a problem document with a sentence and an id; nothing is kept by caches."""

import pytest
from django.db import OperationalError
from django.test import Client

from tests.api.callers import caller, post
from txt_dashboard.actions.permissions import Role

pytestmark = pytest.mark.django_db


def is_problem(answer, status: int) -> dict:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    assert told["detail"]
    assert told["request_id"] == answer.headers["X-OpenStack-Request-Id"]
    return told


@pytest.mark.parametrize("path", ["/v1/", "/v1/nothing", "/v1/hosts/", "/v1/hosts/a/b/c", "/v1/hosts/%00"])
def test_an_unknown_address(path):
    told = is_problem(Client().get(path), 404 if path != "/v1/hosts/%00" else 401)
    assert told["title"]


def test_a_method_that_an_address_does_not_take():
    answer = Client().delete("/v1/hosts")
    is_problem(answer, 405)
    assert answer.headers["Allow"] == "GET"


def test_a_host_name_that_is_none_is_no_crash(db):
    is_problem(caller(Role.VIEWER).get("/v1/hosts/%00"), 400)


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"a": NaN}', b'"\\u0000"', b"[" * 100_000, b"null", b"[]"])
def test_a_body_that_is_no_json(body):
    program = caller(Role.OPERATOR)
    is_problem(program.post("/v1/polls", body, content_type="application/json"), 400)


def test_a_body_with_more_than_is_described():
    told = is_problem(post(caller(Role.OPERATOR), "/v1/polls", {"hosts": "all"}), 400)
    assert "body.wanted.hosts" in told["errors"]


def test_what_a_role_does_not_include():
    told = is_problem(post(caller(Role.VIEWER), "/v1/polls", {}), 403)
    assert "operator" in told["detail"]


def test_a_crash_tells_nothing_of_itself(monkeypatch):
    def crash(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("txt_dashboard.api.fleet.take_pulse", crash)
    told = is_problem(caller(Role.VIEWER).get("/v1/summary"), 500)
    assert "secret" not in str(told)


def test_a_database_that_is_away(monkeypatch):
    def away(*_: object) -> None:
        raise OperationalError("locked")

    monkeypatch.setattr("txt_dashboard.api.fleet.take_pulse", away)
    answer = caller(Role.VIEWER).get("/v1/summary")
    is_problem(answer, 503)
    assert answer.headers["Retry-After"]


def test_nothing_is_kept_by_caches():
    program = caller(Role.VIEWER)
    for path in ("/v1/summary", "/v1/nothing", "/v1/hosts"):
        assert program.get(path).headers["Cache-Control"] == "no-store"


def test_pages_keep_their_own_failures():
    assert "html" in Client().get("/nothing/").headers["Content-Type"]


def test_the_description_is_for_everybody_and_its_page_has_no_script():
    assert Client().get("/v1/openapi.json").json()["openapi"] == "3.1.0"
    page = Client().get("/v1/docs")
    assert b"/v1/hosts/{name}/diff" in page.content
    assert b"<script" not in page.content
