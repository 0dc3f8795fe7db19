"""Quotes and event logs in the pages: who vouches, what was found, and files that anybody can check."""

import hashlib
import json
import re
import shlex
import zlib

import pytest

from tests.quoted_fleet import HOSTS, ODD
from tests.web.visitors import visitor
from txt_dashboard.attest.__main__ import main
from txt_dashboard.models import EventLog, MeasuredLog, Quoted, Server

pytestmark = pytest.mark.django_db

HOST = HOSTS[0]


@pytest.fixture
def viewer(db):
    return visitor("viewer")


def text_of(response) -> str:
    assert response.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def download(client, name: str, which: str) -> bytes:
    server = Server.objects.get()
    response = client.get(f"/hosts/{name}/quote/{server.pk}/{which}")
    assert response.status_code == 200
    assert response["Content-Disposition"] == f'attachment; filename="{name}.{which}"'
    return response.content


def test_the_page_says_whose_word_it_is_while_no_key_is_approved(viewer, sim) -> None:
    sim.poll()
    page = text_of(viewer.get(f"/hosts/{HOST}/evidence/"))
    assert "no key is approved for this host" in page
    assert "No key is approved for this host." in page


def test_every_step_of_a_proven_host_is_shown_with_its_outcome(viewer, sim) -> None:
    sim.proven()
    page = text_of(viewer.get(f"/hosts/{HOST}/evidence/"))
    assert "it signed them in answer to our nonce" in page
    for step in ("Key", "Signature", "Structure", "Nonce", "Selection", "Digest", "Counters", "Log", "Reference"):
        assert re.search(rf"{step} pass", page), step
    assert "Result pass Trusted" in page


def test_a_refused_quote_says_at_which_step_and_why(viewer, sim) -> None:
    sim.proven()
    sim.tamper = lambda answer: answer["quotes"][0]["pcrs"]["sha1"].update({"0": "ab" * 20})
    sim.poll()
    page = text_of(viewer.get(f"/hosts/{HOST}/evidence/"))
    assert "Signature pass" in page
    assert "Digest fail The reported values are not those that the TPM signed." in page


@pytest.mark.parametrize("tampered", [False, True])
def test_the_command_that_is_shown_takes_the_files_and_finds_the_same(
    viewer, sim, tmp_path, monkeypatch, capsys, tampered
) -> None:
    sim.proven()
    if tampered:
        sim.tamper = lambda answer: answer["quotes"][0]["pcrs"]["sha1"].update({"0": "ab" * 20})
        sim.poll()
    page = viewer.get(f"/hosts/{HOST}/evidence/").content.decode()
    command = re.search(r'<pre class="command"[^>]*><code>(.*?)</code>', page, re.DOTALL)[1]
    for which in ("ak", "msg", "sig", "pcrs.json"):
        (tmp_path / f"{HOST}.{which}").write_bytes(download(viewer, HOST, which))
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "txt_dashboard.attest"]
    assert main([*words[3:], "--json"]) == int(tampered)
    assert json.loads(capsys.readouterr().out)["accepted"] is not tampered


def test_the_downloaded_log_replays_to_the_registers(viewer, sim, tmp_path, capsys) -> None:
    sim.proven()
    file = tmp_path / "log"
    file.write_bytes(download(viewer, HOST, "log"))
    assert main(["replay", str(file), "--bank", "sha1", "--json"]) == 0
    replayed = json.loads(capsys.readouterr().out)["banks"]["sha1"]
    reported = json.loads(download(viewer, HOST, "pcrs.json"))["sha1"]
    assert {index: reported[index] for index in replayed if index in reported} == {
        index: value for index, value in replayed.items() if index in reported
    }


def test_other_files_are_not_there(viewer, sim) -> None:
    sim.proven()
    server = Server.objects.get()
    for address in (
        f"/hosts/{HOST}/quote/{server.pk}/passwd",
        f"/hosts/{HOST}/quote/{server.pk + 1}/ak",
        f"/hosts/nobody/quote/{server.pk}/ak",
    ):
        assert viewer.get(address).status_code == 404


def test_files_and_logs_need_a_login(client, sim) -> None:
    sim.proven()
    for address in (f"/hosts/{HOST}/log/", f"/hosts/{HOST}/quote/{Server.objects.get().pk}/ak"):
        assert client.get(address).status_code == 302


def test_a_register_that_differs_says_what_the_logs_say(viewer, sim) -> None:
    sim.drifted()
    page = text_of(viewer.get(f"/hosts/{ODD}/"))
    assert "The log says: grubx64.efi was replaced." in page
    assert "What the logs say differently" in page
    assert "General knowledge" not in page
    assert "The log says: grubx64.efi was replaced." in text_of(viewer.get("/"))


def test_without_a_golden_log_it_says_what_commonly_changes_the_register(viewer, sim) -> None:
    sim.drifted()
    MeasuredLog.objects.all().delete()
    page = text_of(viewer.get(f"/hosts/{ODD}/"))
    assert "The log says" not in page
    assert "General knowledge, not what happened here." in page


def test_the_log_can_be_searched_by_text_register_and_difference(viewer, sim) -> None:
    sim.drifted()
    address = f"/hosts/{ODD}/log/"
    counts = [
        int(re.search(r"(\d+) of \d+ events", text_of(viewer.get(address + query)))[1])
        for query in ("", "?register=4", "?q=grub", "?differing=on", "?q=there-is-no-such-thing")
    ]
    whole, register, text, differing, none = counts
    assert whole > register > 0
    assert whole > text > 0
    assert whole > differing > 0
    assert none == 0
    for odd in ("?register=99", "?register=x", "?register=-1", "?register=²"):
        assert f"{whole} of {whole} events" in text_of(viewer.get(address + odd))


def test_text_of_a_hostile_log_is_shown_escaped(viewer, sim) -> None:
    sim.proven()
    row = Quoted.objects.select_related("log").get(attestation__host__name=HOST)
    data = zlib.decompress(bytes(row.log.packed))
    hostile = data.replace(b"set root=hd0", b"<b>\xe2\x80\xaeevil!!", 1)
    assert len(hostile) == len(data)
    assert hostile != data
    digest = hashlib.sha256(hostile).hexdigest()
    EventLog.objects.create(
        digest=digest, packed=zlib.compress(hostile), size=len(hostile), first_seen_at=sim.clock()
    )
    Quoted.objects.filter(pk=row.pk).update(log_id=digest)
    page = viewer.get(f"/hosts/{HOST}/log/").content.decode()
    assert "\u202e" not in page
    assert "&lt;b&gt;" in page


def test_a_log_that_is_not_what_its_digest_names_is_not_shown(viewer, sim) -> None:
    sim.proven()
    EventLog.objects.update(packed=zlib.compress(b"something else"))
    assert "No event log of these values" in text_of(viewer.get(f"/hosts/{HOST}/log/"))
