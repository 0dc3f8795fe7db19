"""IMA's lists in the pages: what leads to register 10, what is ahead of it, and what was no measurement."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.quoted_fleet import HOSTS, Fleet
from tests.web.visitors import text, visitor
from txt_dashboard.attest.__main__ import main
from txt_dashboard.models import ImaList, Quoted, Server
from txt_dashboard.simulator.wire import ATTESTATION, Reply, Request

pytestmark = pytest.mark.django_db

HOST = HOSTS[0]
ROUTE = "GET", f"{ATTESTATION}/imalist"


@pytest.fixture
def sim(sim: Fleet) -> Fleet:
    """Late enough in its story that some files were measured."""
    sim.story = 50.0
    return sim


def tamper(sim: Fleet, change: Callable[[bytes], bytes]) -> None:
    routes = sim.served.server.dialect.routes
    honest = routes[ROUTE]

    def answer(request: Request) -> Reply:
        reply = honest(request)
        document = json.loads(reply.body)
        changed = base64.b64encode(change(base64.b64decode(document["imalist"]))).decode()
        return replace(reply, body=json.dumps({**document, "imalist": changed}).encode())

    routes[ROUTE] = answer


def page(browser, query: str = "") -> str:
    response = browser.get(f"/hosts/{HOST}/files/{query}")
    assert response.status_code == 200
    return text(response)


@pytest.fixture
def viewer(db):
    return visitor("viewer")


def test_a_list_that_leads_to_the_quoted_register_is_told_with_its_violations(viewer, sim) -> None:
    sim.proven()
    shown = page(viewer)
    assert "entries of 8 lead exactly to register 10." in shown
    assert "The first 8" in shown
    assert "1 file could not be measured" in shown
    assert "/var/log/measured.log" in shown
    assert "violation" in shown
    assert 'href="/hosts/az2-001/files/"' in text(viewer.get(f"/hosts/{HOST}/"))


def test_entries_behind_the_quote_are_not_borne_out(viewer, sim) -> None:
    tamper(sim, lambda data: data + _last_record(data))
    sim.proven()
    shown = page(viewer)
    assert "The first 8 entries of 9 lead exactly" in shown
    assert "1 more was measured after the quote: nothing bears it out." in shown
    assert "not borne out" in shown


def _last_record(data: bytes) -> bytes:
    return data[data.rindex(b"\x0a\0\0\0", 0, data.rindex(b"ima-ng")) :]


def test_a_list_that_leads_elsewhere_is_said_to_and_turns_no_verdict(viewer, sim) -> None:
    tamper(sim, lambda data: data.replace(b"/usr/lib/measured-2", b"/usr/lib/harmless-2"))
    sim.proven()
    shown = page(viewer)
    assert "No beginning of this list leads to register 10" in shown
    assert "the logged digest is not that of the entry" in shown
    assert sim.state() == ("trusted", "matches")


@pytest.mark.parametrize("data", [b"x" * 40, b"\x0a\0\0\0"])
def test_a_list_that_can_not_be_read_says_where(viewer, sim, data: bytes) -> None:
    tamper(sim, lambda _: data)
    sim.proven()
    assert "The list can't be read: byte " in page(viewer)


def test_what_it_says_is_shown_as_text(viewer, sim) -> None:
    tamper(sim, lambda data: data.replace(b"/usr/lib/measured-2", b"<script>\x1b\xe2\x80\xaexyzabcd"))
    sim.proven()
    raw = viewer.get(f"/hosts/{HOST}/files/").content.decode()
    assert "&lt;script&gt;\\x1b\\u202exyzabcd" in raw


def test_it_is_asked_for_once_an_hour_and_not_without_proof(viewer, sim) -> None:
    sim.poll()
    assert not ImaList.objects.exists()
    assert "No list of measured files is there." in page(viewer)
    sim.proven()
    first = ImaList.objects.get(attestation__host__name=HOST).at
    sim.poll()
    assert ImaList.objects.get(attestation__host__name=HOST).at == first
    sim.poll(seconds=3700)
    sim.poll()
    assert ImaList.objects.get(attestation__host__name=HOST).at > first


def test_register_10_is_proven_and_is_no_evidence(viewer, sim) -> None:
    sim.proven()
    row = Quoted.objects.select_related("attestation").get(attestation__host__name=HOST)
    assert "10" in row.reported["sha1"]
    assert "10" not in row.attestation.others["sha1"]


def test_it_is_searched_downloaded_and_checked_offline(viewer, sim, tmp_path, monkeypatch, capsys) -> None:
    sim.proven()
    assert "1 entry." in page(viewer, "?q=MEASURED-2")
    assert "No entry is like that." in page(viewer, "?q=nothing")
    server = Server.objects.get().pk
    response = viewer.get(f"/hosts/{HOST}/files/{server}/")
    assert response["Content-Disposition"] == f'attachment; filename="{HOST}.ima"'
    (tmp_path / f"{HOST}.ima").write_bytes(response.content)
    monkeypatch.chdir(tmp_path)
    command = page(viewer).split("python -m txt_dashboard.attest ", 1)[1].split("</code>")[0]
    assert main(command.split()) == 0
    assert "matched: 8" in capsys.readouterr().out
    assert viewer.get(f"/hosts/{HOST}/files/{server + 1}/").status_code == 404
