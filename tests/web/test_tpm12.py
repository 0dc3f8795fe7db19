"""A host with a TPM 1.2, from its quote to the page: its key is approved as such a one, and proves the bank SHA-1."""

import base64

import pytest

from tests.quoted_fleet import Fleet
from tests.rows import make_host, put_set
from tests.web.visitors import text, visitor
from txt_dashboard.actions.attestation_keys import first_keys, listed_keys, new_key
from txt_dashboard.attest.__main__ import main
from txt_dashboard.attest.entries import key_id, read_key
from txt_dashboard.models import Attestation, Quoted, Server
from txt_dashboard.simulator.fleet import SR630
from txt_dashboard.simulator.startkit import SERVER

pytestmark = pytest.mark.django_db


@pytest.fixture
def sim(sim: Fleet) -> Fleet:
    """Its hosts have shown their keys."""
    sim.poll()
    return sim


@pytest.fixture
def host(sim) -> str:
    """The one host with a TPM 1.2, whose key was shown."""
    name = next(each.name for each in sim.served.fleet.hosts if each.hardware == SR630)
    make_host(name, sim.server, "edge")
    sim.poll()
    return name


def voucher(host: str) -> str:
    return str(Attestation.objects.get(host__name=host).voucher)


def test_its_quotes_prove_its_registers_once_its_key_is_approved(sim, host) -> None:
    (entry,) = new_key(SERVER, host).values()
    assert entry is not None
    assert entry["tpm"] == "1.2"
    put_set(new_key(SERVER, host))
    sim.poll()
    sim.poll()
    assert (sim.state(host), voucher(host)) == (("trusted", "matches"), "quote")
    row = Quoted.objects.get(attestation__host__name=host)
    assert row.counters is None
    assert row.log is not None


def test_a_composite_with_another_value_is_refused(sim, host) -> None:
    put_set(new_key(SERVER, host))

    def spoil(answer) -> None:
        for row in answer["quotes"]:
            if "composite" in row:
                data = bytearray(base64.b64decode(row["composite"]))
                data[-1] ^= 1
                row["composite"] = base64.b64encode(bytes(data)).decode()

    sim.tamper = spoil
    sim.poll()
    sim.poll()
    assert sim.state(host) == ("unknown", "quote_rejected")


def test_a_key_that_was_approved_for_a_tpm20_proves_nothing_by_it(sim, host) -> None:
    """Whoever has a TPM 2.0 lets it sign what looks like a quote of a TPM 1.2: the approval says which it is."""
    entries = {
        id_: {key: value for key, value in entry.items() if key != "tpm"}
        for id_, entry in new_key(SERVER, host).items()
    }
    put_set(entries)
    sim.poll()
    sim.poll()
    assert sim.state(host) == ("unknown", "quote_rejected")
    page = text(visitor("viewer").get(f"/hosts/{host}/evidence/"))
    assert "in the form of another TPM's" in page


def test_its_evidence_is_told_and_can_be_checked_offline(sim, host, tmp_path, monkeypatch, capsys) -> None:
    put_set(new_key(SERVER, host))
    sim.poll()
    sim.poll()
    viewer = visitor("viewer")
    page = text(viewer.get(f"/hosts/{host}/evidence/"))
    assert "with SHA-1: a TPM 1.2 has no other hash" in page
    assert "A TPM 1.2 signs no counters." in page
    server = Server.objects.get().pk
    for which in ("ak", "msg", "sig", "pcrs.json", "composite"):
        content = viewer.get(f"/hosts/{host}/quote/{server}/{which}").content
        (tmp_path / f"{host}.{which}").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    command = page.split("python -m txt_dashboard.attest ", 1)[1].split("</code>")[0]
    assert main(command.split()) == 0
    assert "accepted" in capsys.readouterr().out


def test_a_list_says_which_keys_are_of_a_tpm12(sim, host) -> None:
    public = base64.b64encode(bytes(Quoted.objects.get(attestation__host__name=host).public)).decode()
    for line, tpm12 in ((f"host,key,tpm\n{host},{public},1.2", True), (f"host,key\n{host},{public}", False)):
        wanted = listed_keys(SERVER, line.encode())
        id_ = key_id(SERVER, host)
        assert read_key(id_, wanted[id_] or {}).tpm12 is tpm12
    assert key_id(SERVER, host) in first_keys(SERVER, pools=["edge"])


def test_what_a_registrar_says_of_the_endorsement_key_is_shown_as_its_word(sim, host) -> None:
    def vouch(answer) -> None:
        for row in answer["quotes"]:
            row["registrar"] = {"endorsement key": "certified by <b>ACME</b>"}

    sim.tamper = vouch
    put_set(new_key(SERVER, host))
    sim.poll()
    sim.poll()
    page = visitor("viewer").get(f"/hosts/{host}/evidence/").content.decode()
    assert "certified by &lt;b&gt;ACME&lt;/b&gt;" in page
    assert "the registrar's word on the endorsement key" in text(visitor("operator").get(f"/hosts/{host}/evidence/"))
