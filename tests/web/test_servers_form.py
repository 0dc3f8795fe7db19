"""The form of an attestation server: a secret that never comes back, and errors beside their fields."""

import pytest
from django.db import connection
from django.test import Client

from tests.rows import count, make_server
from tests.servers.harness import Authority
from tests.web.visitors import text, visitor
from txt_dashboard import vault
from txt_dashboard.models import Activity, Proposal, Server

pytestmark = pytest.mark.django_db
SECRET = "correct horse battery staple"


def entered(**changes: object) -> dict[str, object]:
    """What a person enters for a server."""
    usual = {
        "name": "oat-1", "kind": "oat-1.6", "url": "https://127.0.0.1:8443", "ca_pem": "", "auth_blob": "",
        "enabled": "on", "interval_s": 60, "batch_size": 100, "parallel": 2, "deadline_s": 90,
        "quote_interval_s": 0, "version": 1,
    }  # fmt: skip
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


@pytest.fixture
def stored() -> Server:
    server = make_server(url="https://127.0.0.1:8443", counts=False)
    server.sealed_auth_blob = vault.seal(SECRET, server.endpoint_key)
    server.save()
    return server


def secret(server: Server) -> str:
    return vault.unseal(server.sealed_auth_blob, server.endpoint_key)


@pytest.fixture
def authority(tmp_path) -> str:
    return Authority(tmp_path).pem.strip()


def edit(server: Server, browser: Client | None = None, **changes: object):
    return (browser or visitor("administrator")).post(f"/servers/{server.pk}/", entered(**changes))


# --- Rights -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "adds", "edits", "tests"),
    [
        ("viewer", 403, 403, 403),
        ("approver", 403, 403, 403),
        ("operator", 403, 403, 302),
        ("administrator", 302, 302, 302),
    ],
)
def test_each_role_does_what_its_verbs_allow(stored, role, adds, edits, tests) -> None:
    browser = visitor(role)
    assert browser.post("/servers/add/", entered(name="oat-2")).status_code == adds
    assert edit(stored, browser).status_code == edits
    assert browser.post(f"/servers/{stored.pk}/test/").status_code == tests


@pytest.mark.parametrize("role", ["viewer", "operator", "approver", "administrator"])
def test_everybody_with_a_role_may_look(stored, role) -> None:
    browser = visitor(role)
    for path in ("/servers/", "/servers/add/", f"/servers/{stored.pk}/"):
        assert browser.get(path).status_code == 200


def test_whoever_may_not_change_a_server_is_told_why(stored) -> None:
    browser = visitor("viewer")
    assert "Only administrators add or change servers." in text(browser.get("/servers/"))
    assert "Only administrators change servers." in text(browser.get(f"/servers/{stored.pk}/"))
    assert "Only operators and administrators may test." in text(browser.get("/servers/"))


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_a_test_is_asked_for_by_post_only(stored, method) -> None:
    assert getattr(visitor("administrator"), method)(f"/servers/{stored.pk}/test/").status_code == 405


# --- The secret ---------------------------------------------------------------------------------


def test_a_secret_is_sealed_in_the_database_and_never_sent_back() -> None:
    browser = visitor("administrator")
    answer = browser.post("/servers/add/", entered(auth_blob=SECRET), follow=True)
    server = Server.objects.get()
    assert secret(server) == SECRET
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - our own tables
            assert SECRET not in str(cursor.fetchall()), table
    for page in (answer, browser.get("/servers/"), browser.get(f"/servers/{server.pk}/")):
        assert SECRET not in page.content.decode()
        assert server.sealed_auth_blob not in page.content.decode()
    assert "A secret is stored." in text(browser.get(f"/servers/{server.pk}/"))


def test_a_refused_form_does_not_send_the_secret_back(stored) -> None:
    answer = edit(stored, auth_blob=SECRET + "2", url="ftp://127.0.0.1")
    assert answer.status_code == 400
    assert SECRET not in answer.content.decode()


def test_an_empty_field_keeps_the_secret(stored) -> None:
    edit(stored, interval_s=30)
    stored.refresh_from_db()
    assert stored.interval_s == 30
    assert secret(stored) == SECRET


def test_the_secret_can_be_removed(stored) -> None:
    edit(stored, remove_secret="on")
    stored.refresh_from_db()
    assert stored.sealed_auth_blob == ""


@pytest.mark.parametrize("change", [{"url": "https://127.0.0.2:8443"}, {"kind": "oat-2.x"}])
def test_a_change_of_where_it_would_go_clears_it(stored, change) -> None:
    edit(stored, **change)
    stored.refresh_from_db()
    assert stored.sealed_auth_blob == ""


def test_another_address_with_the_secret_given_anew_keeps_the_new_one(stored) -> None:
    edit(stored, url="https://127.0.0.2:8443", auth_blob="another")
    stored.refresh_from_db()
    assert secret(stored) == "another"


def test_the_line_ends_that_browsers_send_are_no_change_of_the_certificates(stored, authority) -> None:
    stored.ca_pem = authority
    stored.sealed_auth_blob = vault.seal(SECRET, stored.endpoint_key)
    stored.save()
    answer = edit(stored, ca_pem=authority.replace("\n", "\r\n") + "\r\n")
    assert answer.status_code == 302
    stored.refresh_from_db()
    assert stored.ca_pem == authority
    assert secret(stored) == SECRET


def test_other_certificates_clear_it(stored, authority) -> None:
    assert edit(stored, ca_pem=authority).status_code == 302
    stored.refresh_from_db()
    assert stored.ca_pem == authority
    assert stored.sealed_auth_blob == ""


def test_no_browser_is_asked_to_remember_the_secret(stored) -> None:
    page = visitor("administrator").get(f"/servers/{stored.pk}/").content.decode()
    field = page[page.index('name="auth_blob"') - 60 : page.index('name="auth_blob"') + 200]
    assert 'type="password"' in field
    assert 'autocomplete="off"' in field
    assert "value=" not in field


# --- The form -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("name", "Not A Name"),
        ("name", ""),
        ("kind", "hvs-9"),
        ("url", "https://user:pw@127.0.0.1"),
        ("url", "https://10.9.9.9:8443"),
        ("ca_pem", "no certificate"),
        ("interval_s", 1),
        ("interval_s", "often"),
        ("batch_size", 100_000),
        ("parallel", 0),
        ("deadline_s", 10_000),
        ("quote_interval_s", 100_000),
    ],
)
def test_what_cannot_be_used_is_refused_beside_its_field_and_nothing_is_saved(stored, field, wrong) -> None:
    answer = edit(stored, **{"interval_s": 33, field: wrong})
    assert answer.status_code == 400
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert "Nothing was saved." in text(answer)
    stored.refresh_from_db()
    assert (stored.interval_s, stored.version) == (60, 1)


def test_all_that_is_wrong_is_said_at_once(stored) -> None:
    page = edit(stored, url="ftp://127.0.0.1", interval_s=1, parallel=99).content.decode()
    assert all(f'id="id_{field}_error"' in page for field in ("url", "interval_s", "parallel"))


def test_a_name_can_be_taken_once(stored) -> None:
    answer = visitor("administrator").post("/servers/add/", entered())
    assert answer.status_code == 400
    assert Server.objects.count() == 1


def test_an_edit_of_settings_that_somebody_changed_meanwhile_shows_theirs_and_asks_again(stored) -> None:
    browser = visitor("administrator")
    edit(stored, browser, interval_s=30)
    answer = edit(stored, browser, interval_s=45, version=1)
    assert answer.status_code == 409
    page = text(answer)
    assert "Somebody else changed oat-1 meanwhile." in page
    assert "Now stored: 30" in page
    assert 'value="45"' in page
    assert Server.objects.get().interval_s == 30
    assert edit(stored, browser, interval_s=45, version=2).status_code == 302
    assert Server.objects.get().interval_s == 45


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30])
def test_an_edit_without_the_version_it_saw_changes_nothing(stored, version) -> None:
    assert edit(stored, interval_s=30, version=version).status_code in (400, 409)
    assert Server.objects.get().interval_s == 60


def test_the_networks_that_the_settings_allow_are_named(stored) -> None:
    page = text(visitor("administrator").get("/servers/add/"))
    assert "TXT_SERVER_NETWORKS" in page
    assert "127.0.0.0/8" in page


def test_without_allowed_networks_the_form_says_that_no_server_can_be_asked(settings) -> None:
    settings.TXT_SERVER_NETWORKS = ()
    assert "allows no network yet" in text(visitor("administrator").get("/servers/add/"))


def test_an_address_without_tls_is_warned_of(stored) -> None:
    Server.objects.update(url="http://127.0.0.1:8080")
    browser = visitor("administrator")
    assert "without TLS" in text(browser.get("/servers/"))
    assert "anybody on the way can read and change" in text(browser.get(f"/servers/{stored.pk}/"))


def test_an_unknown_server_is_a_404_that_says_what_to_do() -> None:
    answer = visitor("administrator").get("/servers/4711/")
    assert answer.status_code == 404
    assert "The page Servers lists those that are." in text(answer)


def test_every_change_is_in_the_activity_log_without_the_secret(stored) -> None:
    edit(stored, auth_blob="a new one")
    entry = Activity.objects.get()
    assert (entry.verb, entry.target) == ("edit server", "oat-1")
    assert "a new one" not in str(entry.detail)


# --- A server that people approved --------------------------------------------------------------


@pytest.fixture
def approved(stored) -> Server:
    count(stored)
    return stored


def test_moving_an_approved_server_needs_a_reason_and_makes_a_proposal(approved) -> None:
    browser = visitor("administrator")
    assert 'name="reason"' in text(browser.get(f"/servers/{approved.pk}/"))
    answer = edit(approved, browser, url="https://127.0.0.2:8443")
    assert answer.status_code == 400
    assert "Say why" in text(answer)
    answer = browser.post(
        f"/servers/{approved.pk}/", entered(url="https://127.0.0.2:8443", reason="New machine."), follow=True
    )
    made = Proposal.objects.get()
    assert answer.redirect_chain == [(f"/proposals/{made.pk}/", 302)]
    assert "The move waits for approval. Until it is in force, oat-1 is asked where it was." in text(answer)
    assert "− https://127.0.0.1:8443" in text(answer)
    assert "Whoever runs this address is believed from then on." in text(answer)
    approved.refresh_from_db()
    assert approved.url == "https://127.0.0.1:8443"
    assert secret(approved) == SECRET


def test_other_settings_of_an_approved_server_need_none(approved) -> None:
    assert edit(approved, interval_s=30).status_code == 302
    assert not Proposal.objects.exists()


def test_no_reason_is_asked_for_where_nobody_approved_the_address(stored) -> None:
    assert 'name="reason"' not in text(visitor("administrator").get(f"/servers/{stored.pk}/"))


def test_switching_off_a_server_that_many_are_trusted_by_asks_again(fleet) -> None:
    fleet(hv1=None)
    server, browser = Server.objects.get(), visitor("administrator")
    again = edit(server, browser, url=server.url, enabled=None)
    assert again.status_code == 409
    assert "This takes trust from 1 of 1 hosts." in text(again)
    assert "Yes, 1 host loses its trust" in text(again)
    assert Server.objects.get().enabled
    assert edit(server, browser, url=server.url, enabled=None, confirmed_losses="1").status_code == 302
    assert not Server.objects.get().enabled
