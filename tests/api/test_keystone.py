"""Keystone's tokens: asked for once in a while, never believed for longer than they live, mapped to our roles."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from tests.cloud.fake import PASSWORD, Cloud, answer, serve
from txt_dashboard.actions import keystone
from txt_dashboard.actions.accounts import set_active
from txt_dashboard.actions.governance.accounts import approver
from txt_dashboard.actions.permissions import COMMAND_LINE, Role
from txt_dashboard.cloud.tokens import Holder
from txt_dashboard.models import Account

pytestmark = pytest.mark.django_db
PROJECT = "p" * 32
VALIDATE = "GET /v3/auth/tokens"
TOKEN = "gAAAAA" + "x" * 40


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with serve() as served:
        yield served


@pytest.fixture
def cloud_named(cloud: Cloud, settings, tmp_path) -> Cloud:
    auth = (
        f"{{auth_url: '{cloud.url}/v3', username: trust, password: {PASSWORD}, project_name: service,"
        " user_domain_id: default, project_domain_id: default}"
    )
    file = tmp_path / "clouds.yaml"
    file.write_text(f"clouds:\n  east:\n    region_name: RegionOne\n    auth: {auth}\n")
    settings.TXT_KEYSTONE_CONFIG = str(file)
    settings.TXT_KEYSTONE_CLOUD = "east"
    settings.TXT_KEYSTONE_PROJECT = PROJECT
    settings.TXT_KEYSTONE_ROLES = ["admin=administrator", "admin=operator", "trust_approver=approver"]
    return cloud


def token(*roles: str, user: str = "ada", project: str = PROJECT, lives_s: float = 3600, **more: object) -> object:
    ends = datetime.now(UTC) + timedelta(seconds=lives_s)
    domain = {"id": "default", "name": "Default"}
    told = {
        "methods": ["password"],
        "user": {"id": user * 4, "name": user, "domain": domain},
        "project": {"id": project, "name": "admin", "domain": domain},
        "roles": [{"id": role, "name": role} for role in roles],
        "issued_at": "2020-01-01T00:00:00.000000Z",
        "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        **more,
    }
    return answer({"token": told})


def status(path: str = "/v1/summary", value: str = TOKEN) -> int:
    return Client(headers={"X-Auth-Token": value}).get(path).status_code


def asked(served: Cloud) -> int:
    return len(served.requests(VALIDATE))


def holder(*roles: str, user: str = "ada", project: str = PROJECT, in_person: bool = True) -> Holder:
    ends = timezone.now() + timedelta(hours=1)
    return Holder("east", user * 4, user, "Default", project, frozenset(roles), ends, in_person)


def test_a_token_is_validated_with_our_own_account_and_its_roles_are_mapped(cloud_named):
    cloud_named.on(VALIDATE, token("admin"))
    assert status() == 200
    (sent,) = cloud_named.requests(VALIDATE)
    assert sent.headers["x-subject-token"] == TOKEN
    assert sent.headers["x-auth-token"] != TOKEN
    groups = set(Account.objects.get().user.groups.values_list("name", flat=True))
    assert groups == {"viewer", "operator", "administrator"}


def test_a_token_without_a_mapped_role_or_for_another_project_sees_nothing(cloud_named):
    cloud_named.on(VALIDATE, token("member"), token("admin", project="q" * 32))
    assert status() == 403
    assert status(value=TOKEN + "y") == 403


def test_a_token_is_asked_for_once_and_again_after_a_minute(cloud_named, monkeypatch):
    cloud_named.on(VALIDATE, token("admin"))
    kept = []
    real = caches["api"].set
    monkeypatch.setattr(
        type(caches["api"]), "set", lambda _self, name, value, timeout=None: kept.append(timeout) or real(name, value)
    )
    assert (status(), status(), asked(cloud_named)) == (200, 200, 1)
    assert max(kept) <= 60


def test_a_token_that_ends_soon_is_not_remembered_beyond_its_end(cloud_named):
    cloud_named.on(VALIDATE, token("admin", lives_s=1.0), answer({}, 404))
    assert status() == 200
    with pytest.MonkeyPatch.context() as patch:
        real = time.time
        patch.setattr(time, "time", lambda: real() + 2)
        assert status() == 401


@pytest.mark.parametrize("told", [answer({}, 404), token("admin", lives_s=-1)])
def test_a_token_that_is_no_good_is_refused_and_not_asked_for_again(cloud_named, told):
    cloud_named.on(VALIDATE, told)
    assert (status(), status(), asked(cloud_named)) == (401, 401, 1)


@pytest.mark.parametrize(
    "told", [answer({}, 500), answer({}, 401), answer({}, 403), answer({"token": {}}), answer(b"<html>")]
)
def test_a_keystone_that_cannot_be_asked_lets_nobody_in(cloud_named, told):
    cloud_named.on(VALIDATE, told)
    assert status() == 503


def test_what_cannot_be_a_token_is_not_asked_for(cloud_named):
    assert status(value="a b") == 401
    assert asked(cloud_named) == 0


def test_too_many_bad_tokens_are_not_asked_for_any_more(cloud_named, settings):
    settings.TXT_API_FAILURES = 2
    cloud_named.on(VALIDATE, token("admin"), answer({}, 404))
    assert status() == 200
    assert [status(value=f"{TOKEN}{number}") for number in range(3)] == [401, 401, 429]
    assert asked(cloud_named) == 3
    assert status() == 200


@pytest.mark.parametrize(
    "more",
    [
        {"methods": ["application_credential"]},
        {"methods": ["token"]},
        {"methods": ["password", "something_new"]},
        {"OS-TRUST:trust": {"id": "t"}},
        {"application_credential": {"id": "a"}},
    ],
)
def test_what_nobody_sits_behind_is_a_key(cloud_named, more):
    cloud_named.on(VALIDATE, token("admin", "trust_approver", **more))
    holder_of = keystone.validate_token(TOKEN)
    assert not holder_of.in_person
    actor = keystone.admit(holder_of, now=timezone.now())
    assert (actor.by_key, actor.is_person) == (True, False)
    assert not actor.user or approver(Account.objects.get()).since is None


def test_a_person_keeps_one_account_without_a_password_whose_role_ages():
    first, later = timezone.now(), timezone.now() + timedelta(days=2)
    actor = keystone.admit(holder("trust_approver"), now=first)
    again = keystone.admit(holder("trust_approver"), now=later)
    account = Account.objects.get()
    assert (actor.user, again.user, account.approver_since) == (account.user.pk, account.user.pk, first)
    assert actor.is_person
    assert not account.user.has_usable_password()


def test_a_token_without_the_role_takes_it_away_and_one_for_another_project_does_not():
    now = timezone.now()
    keystone.admit(holder("trust_approver"), now=now)
    keystone.admit(holder("trust_approver", project="q" * 32), now=now)
    assert approver(Account.objects.get()).since == now
    keystone.admit(holder("member"), now=now)
    assert approver(Account.objects.get()).since is None


@pytest.fixture(autouse=True)
def mapped(settings):
    settings.TXT_KEYSTONE_PROJECT = PROJECT
    settings.TXT_KEYSTONE_ROLES = ["admin=administrator", "admin=operator", "trust_approver=approver", "x=emperor"]


def test_another_user_of_the_same_name_is_another_account():
    one = keystone.admit(holder("admin"), now=timezone.now())
    other = Holder(**{**{name: getattr(holder("admin"), name) for name in Holder.__slots__}, "user_id": "another"})
    two = keystone.admit(other, now=timezone.now())
    assert one.user != two.user
    assert one.name != two.name


def test_a_disabled_account_is_refused_at_once(cloud_named):
    cloud_named.on(VALIDATE, token("admin"))
    assert status() == 200
    set_active(COMMAND_LINE, "ada (Default at east)", active=False, now=timezone.now())
    assert status() == 401
    caches["api"].clear()
    assert status() == 401


def test_a_role_that_is_none_of_ours_brings_nothing():
    assert keystone.roles_of(holder("x")) == frozenset()
    assert keystone.roles_of(holder("trust_approver")) == {Role.APPROVER, Role.VIEWER}


def test_the_service_is_registered_once(cloud_named, capsys):
    url = "https://trust.example.org/v1"
    endpoint = {"id": "e1", "interface": "public", "url": url}
    cloud_named.on("GET /v3/services", answer({"services": []}), answer({"services": [{"id": "s1"}]}))
    cloud_named.on("POST /v3/services", answer({"service": {"id": "s1"}}, 201))
    cloud_named.on("GET /v3/endpoints", answer({"endpoints": []}), answer({"endpoints": [endpoint]}))
    cloud_named.on("POST /v3/endpoints", answer({"endpoint": endpoint}, 201))
    cloud_named.on("PATCH /v3/endpoints/e1", answer({"endpoint": endpoint}))
    call_command("register_service", url)
    call_command("register_service", url)
    told = capsys.readouterr().out
    assert "Made the service trusted-compute." in told
    assert "registered like that already" in told
    assert len(cloud_named.requests("POST /v3/endpoints")) == 1
    call_command("register_service", "https://elsewhere.example.org/v1")
    assert "Moved" in capsys.readouterr().out


def test_registering_needs_a_cloud(settings):
    with pytest.raises(CommandError, match="TXT_KEYSTONE_CLOUD"):
        call_command("register_service", "https://trust.example.org/v1")
