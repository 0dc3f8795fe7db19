"""What Keystone's own tokens of every kind are worth at the API."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.horizon.e2e.people import ADMINISTRATOR, FIRST, MEMBER, OPERATOR

pytestmark = [pytest.mark.horizon, pytest.mark.timeout(900)]


@pytest.fixture
def propose(ask) -> Iterator[Callable[[str], dict[str, Any]]]:
    """Proposes, by whoever holds a token, to take a baseline out of force; afterwards they withdraw it."""
    made: list[tuple[str, dict[str, Any]]] = []

    def retiring(token: str) -> dict[str, Any]:
        baseline = ask(token, "/v1/baselines?limit=1").json()["items"][0]
        body = {"reason": "To see who may decide on it.", "content_hash": baseline["content_hash"]}
        answered = ask(token, f"/v1/baselines/{baseline['id']}/retire", "POST", body)
        assert answered.status_code == 201, answered.text
        made.append((token, answered.json()))
        return answered.json()

    yield retiring
    for token, proposal in made:
        body = {"reason": "It was seen.", "content_hash": proposal["content_hash"]}
        assert ask(token, f"/v1/baselines/{proposal['id']}/withdraw", "POST", body).status_code == 200


def test_the_api_is_in_the_catalog_once_however_often_it_is_registered(product, keystone):
    product.command("register_service", f"{product.address}/v1")
    assert keystone.catalog("trusted-compute") == [f"{product.address}/v1"]


def test_roles_are_mapped(ask, keystone):
    assert ask(keystone.token(ADMINISTRATOR), "/v1/polls", "POST", {}).status_code == 202
    assert ask(keystone.token(OPERATOR), "/v1/polls", "POST", {}).status_code == 202
    assert ask(keystone.token(OPERATOR), "/v1/summary").json()["total"] > 0


def test_a_token_of_horizon_is_a_persons(ask, keystone, propose):
    number = propose(keystone.token(ADMINISTRATOR))["id"]
    seen = ask(keystone.token_as_horizon(FIRST), f"/v1/baselines/{number}").json()
    assert seen["why_not"] is None


def test_whoever_proposed_by_a_token_may_not_approve_by_another(ask, keystone, propose):
    number = propose(keystone.token(FIRST))["id"]
    assert "proposed" in ask(keystone.token_as_horizon(FIRST), f"/v1/baselines/{number}").json()["why_not"]


def test_a_member_of_another_project_sees_nothing_of_the_fleet(ask, keystone):
    for path in ("/v1/summary", "/v1/hosts", "/v1/baselines", "/v1/activity"):
        answered = ask(keystone.token(MEMBER, "demo"), path)
        assert answered.status_code == 403, answered.text


def test_a_token_for_no_project_brings_no_role(ask, keystone):
    assert ask(keystone.token_without_project(ADMINISTRATOR), "/v1/summary").status_code == 403


def test_an_application_credential_is_a_key_and_never_approves(ask, keystone, propose):
    token = keystone.token_of_credential(FIRST)
    assert ask(token, "/v1/summary").status_code == 200
    wanted = propose(keystone.token(ADMINISTRATOR))
    impact = ask(token, f"/v1/baselines/{wanted['id']}/impact").json()
    decision = {"reason": "By a program.", **{name: impact[name] for name in ("content_hash", "impact_hash")}}
    refused = ask(token, f"/v1/baselines/{wanted['id']}/approve", "POST", decision)
    assert refused.status_code == 403, refused.text
    assert ask(keystone.token(FIRST), f"/v1/baselines/{wanted['id']}/approve", "POST", decision).status_code == 200


def test_a_revoked_token_is_refused_and_one_that_was_used_lives_for_a_minute_at_most(ask, keystone):
    used, fresh = keystone.token(ADMINISTRATOR), keystone.token(ADMINISTRATOR)
    assert ask(used, "/v1/summary").status_code == 200
    keystone.revoke(fresh)
    assert ask(fresh, "/v1/summary").status_code == 401
    keystone.revoke(used)
    revoked = time.monotonic()
    while ask(used, "/v1/summary").status_code == 200:
        assert time.monotonic() - revoked < 62, "A revoked token was still taken after a minute."
        time.sleep(1)


def test_an_invented_token_is_refused_with_a_sentence(ask):
    refused = ask("gAAAAA" + "x" * 180, "/v1/summary")
    assert refused.status_code == 401
    assert "Log in again" in refused.json()["detail"]
