"""Adding, editing and testing attestation servers."""

from dataclasses import replace

import pytest

from tests.factories import NOON
from txt_dashboard import vault
from txt_dashboard.actions.permissions import Actor, Conflict, Invalid, NotAllowed, NotFound, Role
from txt_dashboard.actions.servers import ServerSettings, add_server, edit_server, request_test
from txt_dashboard.models import Activity, Server

pytestmark = pytest.mark.django_db

ADMIN = Actor("ada", frozenset({Role.ADMINISTRATOR}))
GIVEN = ServerSettings(name="oat-1", kind="oat-1.6", url="https://oat-1.example:8443", auth_blob="the blob")


def edit(settings: ServerSettings, version: int = 1) -> Server:
    return edit_server(ADMIN, Server.objects.get().id, settings, version=version, now=NOON)


def test_the_secret_is_sealed_and_never_in_the_log() -> None:
    server = add_server(ADMIN, GIVEN, now=NOON)
    assert vault.unseal(server.sealed_auth_blob) == "the blob"
    assert "the blob" not in server.sealed_auth_blob
    assert "the blob" not in repr(GIVEN) + str(list(Activity.objects.values()))


def test_an_edit_keeps_the_secret_unless_told_otherwise() -> None:
    add_server(ADMIN, GIVEN, now=NOON)
    server = edit(replace(GIVEN, auth_blob=None, interval_s=30))
    assert (server.interval_s, vault.unseal(server.sealed_auth_blob)) == (30, "the blob")
    assert edit(replace(GIVEN, auth_blob=""), version=2).sealed_auth_blob == ""


@pytest.mark.parametrize("change", [{"url": "https://other.example:8443"}, {"kind": "oat-2.x"}])
def test_another_address_clears_the_secret(change) -> None:
    add_server(ADMIN, GIVEN, now=NOON)
    assert edit(replace(GIVEN, auth_blob=None, **change)).sealed_auth_blob == ""


def test_another_address_with_a_new_secret_keeps_that() -> None:
    add_server(ADMIN, GIVEN, now=NOON)
    server = edit(replace(GIVEN, url="https://other.example:8443", auth_blob="another"))
    assert vault.unseal(server.sealed_auth_blob) == "another"


def test_an_edit_of_what_somebody_else_changed_is_refused() -> None:
    add_server(ADMIN, GIVEN, now=NOON)
    edit(replace(GIVEN, interval_s=30))
    with pytest.raises(Conflict):
        edit(replace(GIVEN, interval_s=90), version=1)
    assert Server.objects.get().interval_s == 30


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Oat One"),
        ("name", ""),
        ("kind", "oat-9"),
        ("url", "oat-1"),
        ("url", "ftp://oat-1"),
        ("url", "https://user:password@oat-1"),
        ("url", "https://10.0.0.1:8443"),
        ("ca_pem", "not a certificate"),
        ("interval_s", 1),
        ("batch_size", 501),
        ("deadline_s", 0),
    ],
)
def test_settings_that_cant_be_used_are_refused_by_field(field, value) -> None:
    with pytest.raises(Invalid) as refused:
        add_server(ADMIN, replace(GIVEN, **{field: value}), now=NOON)
    assert set(refused.value.errors) == {field}
    assert not Server.objects.exists()


def test_a_name_is_taken_once() -> None:
    add_server(ADMIN, GIVEN, now=NOON)
    with pytest.raises(Invalid) as refused:
        add_server(ADMIN, GIVEN, now=NOON)
    assert "name" in refused.value.errors


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.APPROVER])
def test_only_administrators_add_and_edit(role) -> None:
    add_server(ADMIN, GIVEN, now=NOON)
    actor = Actor("eve", frozenset({role}))
    with pytest.raises(NotAllowed, match="eve may not add server"):
        add_server(actor, replace(GIVEN, name="oat-2"), now=NOON)
    with pytest.raises(NotAllowed):
        edit_server(actor, Server.objects.get().id, GIVEN, version=1, now=NOON)
    assert Server.objects.get().version == 1


def test_a_test_is_a_row_that_a_worker_takes() -> None:
    server = add_server(ADMIN, GIVEN, now=NOON)
    request_test(Actor("olga", frozenset({Role.OPERATOR})), server.id, now=NOON)
    assert Server.objects.get().test_requested_at == NOON
    with pytest.raises(NotFound):
        request_test(ADMIN, server.id + 1, now=NOON)
    with pytest.raises(NotAllowed):
        request_test(Actor("vera", frozenset({Role.VIEWER})), server.id, now=NOON)
