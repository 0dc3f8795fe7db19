"""Who may ask: good keys pass, bad ones don't, and sessions count for nothing."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from tests.api.callers import caller, key_of
from tests.people import account, person
from tests.web.visitors import visitor
from txt_dashboard.actions.accounts import set_active, set_roles
from txt_dashboard.actions.api_keys import actor_with_key, create_key, revoke_key
from txt_dashboard.actions.permissions import COMMAND_LINE, Invalid, NotFound, Role
from txt_dashboard.models import Activity, ApiKey

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def make(owner: str, *roles: Role, lifetime: timedelta = DAY, name: str = "ci") -> tuple[ApiKey, str]:
    return create_key(COMMAND_LINE, owner, name=name, roles=set(roles), lifetime=lifetime, now=timezone.now())


def test_a_key_acts_for_its_owner_with_the_roles_that_it_was_given():
    ann = person("ann", Role.OPERATOR, Role.ADMINISTRATOR)
    _, text = make("ann", Role.OPERATOR)
    actor = actor_with_key(text, now=timezone.now())
    assert (actor.name, actor.roles, actor.user, actor.is_person) == (
        "ann by key ci", frozenset({Role.OPERATOR}), ann.user, False,
    )  # fmt: skip


def test_a_secret_is_kept_nowhere():
    person("ann", Role.OPERATOR)
    key, text = make("ann", Role.OPERATOR)
    secret = text.split("_", 2)[2]
    assert secret not in str(vars(key)) + str(list(Activity.objects.values()))
    assert len(secret) >= 43


def test_a_key_loses_a_role_with_its_owner():
    person("ann", Role.OPERATOR)
    _, text = make("ann", Role.OPERATOR, Role.VIEWER)
    set_roles(COMMAND_LINE, "ann", [], now=timezone.now())
    assert actor_with_key(text, now=timezone.now()).roles == {Role.VIEWER}


def test_a_key_has_no_role_that_its_owner_does_not_have():
    person("ann", Role.OPERATOR)
    with pytest.raises(Invalid, match="approver"):
        make("ann", Role.APPROVER)


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(days=367)])
def test_a_key_ends_within_a_year(lifetime):
    person("ann", Role.OPERATOR)
    with pytest.raises(Invalid, match="366 days"):
        make("ann", Role.OPERATOR, lifetime=lifetime)


def test_a_key_is_refused_once_it_ran_out_was_revoked_or_its_owner_was_disabled():
    person("ann", Role.OPERATOR)
    key, text = make("ann", Role.OPERATOR)
    now = timezone.now()
    assert actor_with_key(text, now=now + DAY) is None
    assert actor_with_key(text, now=now) is not None
    set_active(COMMAND_LINE, "ann", active=False, now=now)
    assert actor_with_key(text, now=now) is None
    set_active(COMMAND_LINE, "ann", active=True, now=now)
    revoke_key(COMMAND_LINE, key.number, now=now)
    assert actor_with_key(text, now=now) is None


def test_a_key_with_another_secret_is_refused():
    person("ann", Role.OPERATOR)
    key, text = make("ann", Role.OPERATOR)
    for wrong in ("", "txt", f"txt_{key.number}", f"txt_{key.number}_", f"txt_{key.number}_x", text[:-1], f"x{text}"):
        assert actor_with_key(wrong, now=timezone.now()) is None


def test_use_is_noted_to_the_minute():
    person("ann", Role.OPERATOR)
    key, text = make("ann", Role.OPERATOR)
    now = timezone.now()
    for second in (0, 30, 61):
        actor_with_key(text, now=now + timedelta(seconds=second))
    key.refresh_from_db()
    assert key.used_at == now + timedelta(seconds=61)


def test_what_is_not_there_can_be_neither_owner_nor_revoked():
    with pytest.raises(NotFound):
        make("nobody", Role.VIEWER)
    with pytest.raises(NotFound):
        revoke_key(COMMAND_LINE, "0" * 16, now=timezone.now())


def test_the_command_prints_the_key_alone_and_once(capsys):
    person("ann", Role.OPERATOR)
    call_command("api_key", "create", "ann", "--name", "ci", "--role", "operator")
    text = capsys.readouterr().out.strip()
    assert actor_with_key(text, now=timezone.now()) is not None
    call_command("api_key", "list")
    listed = capsys.readouterr().out
    assert "ann, ci: operator" in listed
    assert text.split("_")[2] not in listed
    call_command("api_key", "revoke", ApiKey.objects.get().number)
    assert actor_with_key(text, now=timezone.now()) is None
    with pytest.raises(CommandError, match="There is no account named bob"):
        call_command("api_key", "create", "bob", "--name", "ci")


def test_who_sends_nothing_is_told_what_to_send():
    answer = Client().get("/v1/summary")
    assert answer.status_code == 401
    assert "X-Auth-Token" in answer.json()["detail"]
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_session_counts_for_nothing():
    assert visitor("administrator").get("/v1/summary").status_code == 401


def test_tokens_are_refused_where_no_cloud_is_named():
    answer = Client(headers={"X-Auth-Token": "a" * 32}).get("/v1/summary")
    assert (answer.status_code, "not taken here" in answer.json()["detail"]) == (401, True)


def test_a_key_and_a_token_at_once_are_refused():
    key = key_of(Role.VIEWER)
    answer = Client(headers={"X-Auth-Token": "a" * 32, "Authorization": f"Bearer {key}"}).get("/v1/summary")
    assert answer.status_code == 401


def test_guessing_is_slowed_down_and_good_keys_pass_all_the_same(settings):
    settings.TXT_API_FAILURES = 3
    good = caller(Role.VIEWER)
    bad = Client(headers={"Authorization": "Bearer txt_0000_x"})
    assert [bad.get("/v1/summary").status_code for _ in range(5)] == [401, 401, 401, 429, 429]
    assert bad.get("/v1/summary").headers["Retry-After"] == "60"
    assert good.get("/v1/summary").status_code == 200


def test_a_key_of_an_account_without_roles_sees_nothing():
    ann = person("ann", Role.OPERATOR)
    _, text = make("ann", Role.OPERATOR)
    account(ann).groups.clear()
    answer = Client(headers={"Authorization": f"Bearer {text}"}).get("/v1/summary")
    assert answer.status_code == 403
