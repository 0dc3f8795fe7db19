"""Keylime's notices: hostile input that can do one thing only, which is to bring a poll forward."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.rows import make_host, make_server
from txt_dashboard.models import Activity, Attestation
from txt_dashboard.servers.keylime_notice import BadNotice, read_notice
from txt_dashboard.web import hooks

pytestmark = pytest.mark.django_db
SECRET = "a secret that nobody can guess"
PATH = f"/hooks/keylime/{SECRET}"
AGENT = "d432fbb3-d2f1-4a97-9ef7-75bd81c00000"


def notice(**changes: object) -> dict[str, str]:
    said = {"type": "revocation", "agent_id": AGENT, "event_id": "pcr_validation.invalid_pcr_4", "ip": "10.0.0.1"}
    return {"msg": json.dumps({**said, **changes}), "signature": ""}


def send(said: object = None, path: str = PATH) -> int:
    body = said if isinstance(said, bytes) else json.dumps(notice() if said is None else said)
    return Client().post(path, body, content_type="application/json").status_code


@pytest.fixture(autouse=True)
def rung(settings, monkeypatch) -> list[str]:
    """How often a worker was called."""
    calls: list[str] = []
    monkeypatch.setattr(hooks, "ring", lambda: calls.append("ring"))
    settings.TXT_KEYLIME_HOOKS = [f"keylime={SECRET}", "other=another secret that nobody guesses"]
    return calls


@pytest.fixture
def of() -> Attestation:
    """An attestation that was asked for half a minute ago, and is due in another half."""
    make_host("hv1", make_server("keylime", kind="keylime", counts=False))
    return asked(seconds=30)


def asked(seconds: float) -> Attestation:
    now = timezone.now()
    Attestation.objects.update(
        asked_at=now - timedelta(seconds=seconds), due_at=now + timedelta(seconds=30), details={"agent": AGENT}
    )
    return Attestation.objects.get()


def due_in() -> float:
    return (Attestation.objects.get().due_at - timezone.now()).total_seconds()


@pytest.mark.parametrize("kind", ["revocation", "comm_error"])
def test_a_notice_has_its_host_asked_for_now(of: Attestation, kind: str) -> None:
    assert send(notice(type=kind)) == 202
    assert due_in() <= 0


def test_nothing_else_changes(of: Attestation) -> None:
    before = {**of.__dict__, "_state": None, "due_at": None, "noticed_at": None}
    entries = Activity.objects.count()
    send()
    assert {**Attestation.objects.get().__dict__, "_state": None, "due_at": None, "noticed_at": None} == before
    assert Activity.objects.count() == entries


def test_a_worker_is_called_for_it(of: Attestation, rung: list[str]) -> None:
    send(notice(agent_id="nobody"))
    assert rung == []
    send()
    assert rung == ["ring"]


def test_a_notice_never_puts_a_poll_off(of: Attestation) -> None:
    Attestation.objects.update(due_at=timezone.now() - timedelta(seconds=5))
    send()
    assert due_in() < -4


def test_a_host_that_was_never_appraised_is_found_by_its_name(of: Attestation) -> None:
    Attestation.objects.update(details={}, asked_at=None)
    assert send(notice(agent_id="hv1")) == 202
    assert due_in() <= 0


def test_whether_there_is_such_a_host_is_not_told(of: Attestation) -> None:
    assert send(notice(agent_id="nobody")) == 202
    assert due_in() > 20


def test_a_notice_is_about_hosts_of_its_own_server(of: Attestation) -> None:
    assert send(path="/hooks/keylime/another secret that nobody guesses") == 202
    assert due_in() > 20


def test_a_server_that_is_switched_off_is_not_asked(of: Attestation) -> None:
    of.server.enabled = False
    of.server.save()
    send()
    assert due_in() > 20


@pytest.mark.parametrize("secret", ["x", SECRET[:-1], SECRET + "x", "a%00b", "é", "keylime"])
def test_without_the_secret_there_is_no_such_page(of: Attestation, secret: str) -> None:
    assert send(path=f"/hooks/keylime/{secret}") == 404
    assert due_in() > 20


def test_no_secret_is_set_so_nobody_gets_in(of: Attestation, settings) -> None:
    for none in ([], ["keylime="], ["keylime"]):
        settings.TXT_KEYLIME_HOOKS = none
        assert send() == 404


def test_only_post_is_taken() -> None:
    assert [getattr(Client(), method)(PATH).status_code for method in ("get", "put", "delete")] == [405] * 3


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"msg": "{}"}' + b" " * (256 * 1024),
        {},
        [],
        {"msg": 7},
        {"msg": "no JSON"},
        {"msg": "[" * 100_000},
        {"msg": "{}"},
        notice(type="hello"),
        notice(agent_id=7),
        notice(agent_id=""),
        notice(agent_id="a/b"),
        notice(agent_id="x" * 1000),
        notice(agent_id=None),
    ],
)
def test_what_is_no_notice_is_refused(of: Attestation, said: object) -> None:
    assert send(said) == 400
    assert due_in() > 20


def test_a_notice_says_which_agent() -> None:
    assert read_notice(json.dumps(notice()).encode()) == AGENT
    with pytest.raises(BadNotice, match="larger"):
        read_notice(b" " * (256 * 1024 + 1))
