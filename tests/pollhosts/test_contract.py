"""PollHosts by OpenAttestation's contract: who may ask, what is answered, and what is refused."""

import json
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError

from tests.factories import NOON
from tests.pollhosts.conftest import BLOB, PATHS
from tests.rows import count, make_server
from txt_dashboard.actions.clouds.asked import Asked
from txt_dashboard.models import SchedulerAsked
from txt_dashboard.pollhosts import wire
from txt_dashboard_nova import answers

NOW = NOON + timedelta(minutes=1)
PATH = PATHS[1]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at(monkeypatch):
    """Sets the moment of the answer."""

    def put(moment: datetime) -> None:
        monkeypatch.setattr("txt_dashboard.pollhosts.views.timezone.now", lambda: moment)

    put(NOW)
    return put


@pytest.fixture
def ask(client, blob):
    def ask(*hosts: str, path: str = PATH, **headers: str):
        body = json.dumps({"count": len(hosts), "hosts": list(hosts)})
        return client.post(path, body, content_type="application/json", headers={"x-auth-blob": blob, **headers})

    return ask


def levels(response) -> dict[str, str]:
    assert response.status_code == 200
    return {row["host_name"]: row["trust_lvl"] for row in response.json()["hosts"]}


@pytest.mark.parametrize("path", PATHS)
def test_every_host_that_is_asked_for_is_answered(ask, host, path):
    for name, state in (("hv1", "trusted"), ("hv2", "untrusted"), ("hv3", "stale"), ("hv4", "unknown")):
        host(name, state)
    found = levels(ask("hv1", "hv2", "hv3", "hv4", "nobody", path=path))
    assert found == {
        "hv1": "trusted",
        "hv2": "untrusted",
        "hv3": "unknown",
        "hv4": "unknown",
        "nobody": "unknown",
    }


def test_vtime_is_the_moment_of_the_answer_and_the_evidence_has_keys_of_its_own(ask, host):
    host("hv1")
    (row,) = ask("hv1").json()["hosts"]
    assert row == {
        "host_name": "hv1",
        "trust_lvl": "trusted",
        "vtime": "2026-11-23T12:01:00+00:00",
        "attested_at": "2026-11-23T12:00:00Z",
        "valid_until": "2026-11-23T12:05:00Z",
    }


def test_who_was_never_attested_has_a_vtime_all_the_same(ask):
    assert ask("nobody").json() == {
        "hosts": [{"host_name": "nobody", "trust_lvl": "unknown", "vtime": "2026-11-23T12:01:00+00:00"}]
    }


def test_our_own_filter_reads_until_when_it_counts(ask, host):
    host("hv1")
    verdict = answers.read(ask("hv1").content, ["hv1"], NOW)["hv1"]
    assert (verdict.trusted, verdict.seconds) == (True, 240)


def test_evidence_that_ran_out_counts_for_nothing_though_no_worker_lives(ask, host, at):
    host("hv1")
    at(NOW + timedelta(minutes=4, microseconds=-1))
    assert levels(ask("hv1")) == {"hv1": "trusted"}
    at(NOW + timedelta(minutes=4))
    assert levels(ask("hv1")) == {"hv1": "unknown"}


def test_evidence_from_the_future_counts_for_nothing(ask, host):
    host("hv1", counts_from=NOW + timedelta(seconds=61))
    assert levels(ask("hv1")) == {"hv1": "unknown"}


def test_evidence_recorded_while_this_was_asked_counts(ask, host):
    host("hv1", counts_from=NOW + timedelta(seconds=1))
    assert levels(ask("hv1")) == {"hv1": "trusted"}


def test_with_several_servers_the_weakest_evidence_decides(ask, host):
    other = make_server("oat-2")
    host("hv1")
    host("hv1", by=other, valid_until=NOW + timedelta(seconds=5), attested_at=NOW - timedelta(hours=1))
    (row,) = ask("hv1").json()["hosts"]
    assert row["trust_lvl"] == "trusted"
    assert (row["attested_at"], row["valid_until"]) == ("2026-11-23T11:01:00Z", "2026-11-23T12:01:05Z")
    host("hv1", by=other, valid_until=NOW)
    assert levels(ask("hv1")) == {"hv1": "unknown"}
    host("hv1", by=other, valid_until=None)
    assert levels(ask("hv1")) == {"hv1": "unknown"}


def test_a_server_that_is_only_observed_says_nothing_here(ask, host, server):
    host("hv1")
    count(server, counts=False)
    assert levels(ask("hv1")) == {"hv1": "unknown"}


def test_where_what_is_in_force_can_not_be_verified_no_host_is_trusted(ask, host, settings):
    host("hv1")
    settings.TXT_PUBLIC_KEYS_FILE.write_text("")
    assert levels(ask("hv1")) == {"hv1": "unknown"}


def test_a_bare_text_stands_for_one_host(client, blob, host):
    host("hv1")
    body = json.dumps({"hosts": "hv1"})
    response = client.post(PATH, body, content_type="application/json", headers={"x-auth-blob": blob})
    assert levels(response) == {"hv1": "trusted"}


def test_nobody_asked_for_is_nobody_answered_and_never_204(ask):
    response = ask()
    assert (response.status_code, response.json()) == (200, {"hosts": []})


def test_a_name_asked_for_twice_is_answered_once(ask):
    assert len(ask("hv1", "hv1").json()["hosts"]) == 1


def test_many_hosts_cost_as_many_queries_as_one(ask, host, django_assert_num_queries):
    host("hv1")
    ask("hv1")
    for names in (["hv1"], ["hv1", *(f"no-{number}" for number in range(2000))]):
        with django_assert_num_queries(4):
            assert levels(ask(*names))["hv1"] == "trusted"


# Who may ask.


def test_it_is_off_until_something_is_configured(client, host):
    host("hv1")
    for path in PATHS:
        assert client.post(path, "{}", content_type="application/json").status_code == 404


@pytest.mark.parametrize("sent", [{}, {"x-auth-blob": ""}, {"x-auth-blob": "wrong"}, {"x-auth-blob": BLOB + "x"}])
def test_without_the_blob_nothing_is_said(client, blob, sent):
    response = client.post(PATH, '{"hosts": ["hv1"]}', content_type="application/json", headers=sent)
    assert response.status_code == 401
    assert b"hv1" not in response.content


def test_a_certificate_counts_only_by_the_header_that_the_setting_names(client, settings):
    settings.TXT_POLLHOSTS_HEADER, settings.TXT_POLLHOSTS_CLIENTS = "X-Client-Fingerprint", ["ab12", "cd34"]

    def status(**headers: str) -> int:
        return client.post(PATH, '{"hosts": []}', content_type="application/json", headers=headers).status_code

    assert status(x_client_fingerprint="cd34") == 200
    assert status(x_client_fingerprint="ef56") == 401
    assert status(x_client_subject="cd34") == 401
    assert status(x_auth_blob="") == 401
    settings.TXT_POLLHOSTS_CLIENTS = []
    assert status(x_client_fingerprint="") == 404


def test_a_session_is_neither_needed_nor_enough(client, blob, django_user_model):
    client.force_login(django_user_model.objects.create_user("alice"))
    assert client.post(PATH, '{"hosts": []}', content_type="application/json").status_code == 401


# What is refused.


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"hosts": null}',
        b'{"hosts": [1]}',
        b'{"hosts": [null]}',
        b'{"hosts": {"hv1": 1}}',
        b'{"hosts": [""]}',
        b'{"hosts": ["\xff"]}',
        b'{"hosts": ["\\ud800"]}',
        b'{"hosts": ["hv1"]',
        b'{"hosts": ' + b"[" * 100_000,
        b'{"hosts": "' + b"x" * 256 + b'"}',
        b'{"hosts": [' + b",".join([b'"x"'] * (wire.MOST + 1)) + b"]}",
        b'{"hosts": []}' + b" " * wire.LARGEST,
    ],
)
def test_a_question_that_is_none_is_refused(client, blob, body):
    response = client.post(PATH, body, content_type="application/json", headers={"x-auth-blob": blob})
    assert response.status_code == 400
    assert response.json()["error"].endswith(".")


@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_it_is_only_posted_to(client, blob, method):
    assert getattr(client, method)(PATH, headers={"x-auth-blob": blob}).status_code == 405


def test_names_come_back_as_they_were_sent(ask):
    strange = 'a"b\\c<script>\u2028é'
    assert levels(ask(strange)) == {strange: "unknown"}


def test_when_somebody_who_may_asked_last_is_kept_to_the_minute(ask, host, at, monkeypatch):
    monkeypatch.setattr("txt_dashboard.pollhosts.views.asked", Asked())
    host("hv1")
    assert ask("hv1", **{"x-auth-blob": "x" * 30}).status_code == 401
    assert not SchedulerAsked.objects.exists()
    for seconds, kept in ((0, 0), (59, 0), (61, 61)):
        at(NOW + timedelta(seconds=seconds))
        assert ask("hv1").status_code == 200
        assert SchedulerAsked.objects.get().at == NOW + timedelta(seconds=kept)


def test_who_asks_is_answered_also_where_that_cannot_be_kept(ask, host, monkeypatch):
    monkeypatch.setattr("txt_dashboard.pollhosts.views.asked", Asked())
    host("hv1")

    def locked(**_):
        raise OperationalError("database is locked")

    monkeypatch.setattr(SchedulerAsked.objects, "update_or_create", locked)
    assert levels(ask("hv1")) == {"hv1": "trusted"}
