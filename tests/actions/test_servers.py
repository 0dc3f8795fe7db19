"""Adding, editing and testing attestation servers."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.factories import NOON
from tests.rows import count, make_host, put_set
from txt_dashboard import vault
from txt_dashboard.actions.connect import SecretUnavailable, connect
from txt_dashboard.actions.governance.apply import apply_servers
from txt_dashboard.actions.permissions import Actor, Conflict, Invalid, NotAllowed, NotFound, Role
from txt_dashboard.actions.servers import ServerSettings, add_server, edit_server, propose_counting, request_test
from txt_dashboard.models import Activity, Attestation, Host, Proposal, Server
from txt_dashboard.queries.reference import current_reference

pytestmark = pytest.mark.django_db

ADMIN = Actor("ada", frozenset({Role.ADMINISTRATOR}))
GIVEN = ServerSettings(name="oat-1", kind="oat-1.6", url="https://oat-1.example:8443", auth_blob="the blob")


def edit(settings: ServerSettings, version: int = 1, **more: str) -> Server:
    edit_server(ADMIN, Server.objects.get().id, settings, version=version, now=NOON, **more)
    return Server.objects.get()


def secret(server: Server) -> str:
    return vault.unseal(server.sealed_auth_blob, server.endpoint_key)


def test_the_secret_is_sealed_and_never_in_the_log() -> None:
    server = add_server(ADMIN, GIVEN, now=NOON)
    assert secret(server) == "the blob"
    assert "the blob" not in server.sealed_auth_blob
    assert "the blob" not in repr(GIVEN) + str(list(Activity.objects.values()))


def test_an_edit_keeps_the_secret_unless_told_otherwise() -> None:
    add_server(ADMIN, GIVEN, now=NOON)
    server = edit(replace(GIVEN, auth_blob=None, interval_s=30))
    assert (server.interval_s, secret(server)) == (30, "the blob")
    assert edit(replace(GIVEN, auth_blob=""), version=2).sealed_auth_blob == ""


@pytest.mark.parametrize("change", [{"url": "https://other.example:8443"}, {"kind": "oat-2.x"}])
def test_another_address_clears_the_secret(change) -> None:
    add_server(ADMIN, GIVEN, now=NOON)
    assert edit(replace(GIVEN, auth_blob=None, **change)).sealed_auth_blob == ""


def test_another_address_with_a_new_secret_keeps_that() -> None:
    add_server(ADMIN, GIVEN, now=NOON)
    server = edit(replace(GIVEN, url="https://other.example:8443", auth_blob="another"))
    assert secret(server) == "another"


def test_a_secret_opens_for_the_address_only_that_it_was_entered_for() -> None:
    server = add_server(ADMIN, GIVEN, now=NOON)
    Server.objects.update(url="https://elsewhere.example:8443")
    with pytest.raises(SecretUnavailable, match="another address"):
        connect(Server.objects.get(), lambda: NOON)
    assert secret(server) == "the blob"


def test_an_address_that_nobody_approved_changes_at_once_and_what_was_heard_there_is_forgotten() -> None:
    server = add_server(ADMIN, GIVEN, now=NOON)
    host = make_host("hv1", server)
    Attestation.objects.update(counts_from=NOON, valid_until=NOON + timedelta(minutes=5), registers_key="x")
    assert edit(replace(GIVEN, url="https://other.example:8443")).url == "https://other.example:8443"
    heard = Attestation.objects.get(host=host)
    assert (heard.counts_from, heard.valid_until, heard.registers_key) == (None, None, "")


def test_an_approved_address_changes_by_a_proposal_only() -> None:
    server = add_server(ADMIN, GIVEN, now=NOON)
    count(server)
    moved = replace(GIVEN, url="https://other.example:8443", auth_blob="another", interval_s=30)
    with pytest.raises(Invalid) as refused:
        edit(moved)
    assert set(refused.value.errors) == {"reason"}
    after = edit(moved, reason="The old machine is retired.")
    assert (after.url, secret(after), after.interval_s) == (GIVEN.url, "the blob", 30)
    proposal = Proposal.objects.get()
    assert proposal.patch["changes"]["server:oat-1"]["after"]["url"] == "https://other.example:8443"


def test_an_approved_move_brings_its_secret_along() -> None:
    server = add_server(ADMIN, GIVEN, now=NOON)
    count(server)
    edit(replace(GIVEN, url="https://other.example:8443", auth_blob="another"), reason="It moved.")
    put_set({"server:oat-1": Proposal.objects.get().patch["changes"]["server:oat-1"]["after"]})
    apply_servers(current_reference(), now=NOON)
    after = Server.objects.get()
    assert (after.url, secret(after), after.sealed_next_auth_blob) == ("https://other.example:8443", "another", "")


def test_the_address_that_was_approved_is_asked_whatever_the_row_says() -> None:
    server = add_server(ADMIN, replace(GIVEN, auth_blob=None), now=NOON)
    count(server)
    Server.objects.update(url="https://10.0.0.1:1")  # outside the networks that the settings allow
    adapter = connect(Server.objects.get(), lambda: NOON)
    adapter.close()
    assert apply_servers(current_reference(), now=NOON) == []
    assert Server.objects.get().url == GIVEN.url


def test_a_server_counts_once_that_is_in_force_and_not_before() -> None:
    server = add_server(ADMIN, GIVEN, now=NOON)
    proposal = propose_counting(ADMIN, server.pk, counts=True, reason="Its hosts shall be trusted.", now=NOON)
    assert not Server.objects.get().counts
    put_set({id_: change["after"] for id_, change in proposal.patch["changes"].items()})
    apply_servers(current_reference(), now=NOON)
    assert Server.objects.get().counts


def test_a_row_that_says_it_counts_is_put_right() -> None:
    add_server(ADMIN, GIVEN, now=NOON)
    Server.objects.update(counts=True)
    apply_servers(current_reference(), now=NOON)
    assert not Server.objects.get().counts


def test_a_host_that_is_stored_as_trusted_by_nobody_who_counts_is_not() -> None:
    server = add_server(ADMIN, GIVEN, now=NOON)
    make_host("hv1", server)
    Host.objects.update(state="trusted", reason="matches")
    [change] = apply_servers(current_reference(), now=NOON)
    assert (change.previous, change.state) == ("trusted", "unknown")
    assert Host.objects.get().reason == "server_observed"


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
