"""Evidence that an agent pushed, read from the verifier: verified by us, and no fresher than the verifier says."""

import base64
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.servers.keylime_world import BOOTED, Agent, World
from txt_dashboard.attest.evidence import Evidence, NoEvidence, Verdict, Voucher
from txt_dashboard.attest.keys import load_key
from txt_dashboard.attest.material import Binding, Material, prove_relayed
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.attest.tpm_reader import FormatError
from txt_dashboard.servers.base import AnswerUnusable
from txt_dashboard.servers.keylime_push import read_latest
from txt_dashboard.servers.keylime_quotes import KeylimeQuotes
from txt_dashboard.servers.keylime_wire import called

SHARED = Path(os.environ.get("TXT_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "keylime"
SAID = Evidence(Verdict.TRUSTED, datetime(2026, 11, 23, 6, 0, tzinfo=UTC))


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    world = World(tmp_path / "keylime")
    made = world.add("agent-1", "hv1")
    made.world = world
    yield made
    world.close()


def body(attributes: object) -> bytes:
    return json.dumps({"data": {"attributes": attributes}}).encode()


def proven(material: Material | NoEvidence, key: bytes) -> Evidence:
    assert isinstance(material, Material), material
    return prove_relayed(SAID, material, Binding(load_key(key)), None).evidence


def test_pushed_evidence_comes_from_the_verifier_and_is_the_servers_word(agent: Agent) -> None:
    agent.push()
    quotes = KeylimeQuotes(agent.world.connection(), clock=lambda: datetime.now(UTC))
    hosts = {"hv1": called("agent-1", pushes=True)}
    batch = quotes.quote(hosts, b"a nonce of ours that is not used", {Bank.SHA256: frozenset({0})})
    evidence = proven(batch.answers["hv1"], agent.tpm.area)
    assert (evidence.voucher, evidence.finding) == (Voucher.RELAYED, None)
    assert evidence.registers == {Bank.SHA256: {index: BOOTED[index] for index in (*range(8), 17, 18)}}
    assert agent.asked == []


def test_a_key_that_nobody_approved_proves_nothing(agent: Agent) -> None:
    material = read_latest(body(agent.push()))
    approved = agent.tpm.area
    agent.restart()
    changed = read_latest(body(agent.push()))
    assert proven(material, approved).finding is None
    assert proven(changed, approved).finding.reason is Reason.TPM_IDENTITY_CHANGED
    unknown = prove_relayed(SAID, material, Binding(), None).evidence
    assert (unknown.registers, unknown.finding.reason) == ({}, Reason.TPM_KEY_MISSING)


def test_a_quote_of_another_challenge_or_with_other_values_is_refused(agent: Agent) -> None:
    other = agent.push(b"another challenge")["evidence"][0]["data"]
    attributes = agent.push()
    attributes["evidence"][0]["data"] = other
    assert "another nonce" in str(proven(read_latest(body(attributes)), agent.tpm.area).finding)
    attributes = agent.push()
    agent.values[17] = bytes(32)
    attributes["evidence"][0]["data"]["subject_data"] = agent.quote(b"x", 0x600FF, binding=0)["values"]
    assert "not those that the TPM signed" in str(proven(read_latest(body(attributes)), agent.tpm.area).finding)


def test_an_agent_that_has_not_answered_yet_is_still_being_attested(agent: Agent) -> None:
    for name in ("data", "chosen_parameters"):
        attributes = agent.push()
        attributes["evidence"][0][name] = None
        given = read_latest(body(attributes))
        assert isinstance(given, NoEvidence)
        assert given.finding.reason is Reason.ATTESTATION_PENDING
    assert isinstance(read_latest(body(agent.push(evidence_received_at=None))), NoEvidence)


@pytest.mark.parametrize("change", [{"evidence_received_at": "soon"}, {"evidence": []}])
def test_what_contradicts_itself_is_refused(agent: Agent, change: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        read_latest(body(agent.push(**change)))


def test_logs_that_were_pushed_with_the_quote_do_not_matter(agent: Agent) -> None:
    attributes = agent.push()
    for kind in ("uefi_log", "ima_log"):
        log = {"evidence_class": "log", "evidence_type": kind, "chosen_parameters": {"starting_offset": 0}}
        attributes["evidence"].append({**log, "data": {"entry_count": 2, "entries": "AAAA" * 100_000}})
    assert proven(read_latest(body(attributes)), agent.tpm.area).finding is None


def test_two_quotes_are_none(agent: Agent) -> None:
    attributes = agent.push()
    attributes["evidence"] *= 2
    with pytest.raises(FormatError, match="2 quotes"):
        read_latest(body(attributes))


@pytest.mark.parametrize("name", ["message", "signature", "subject_data"])
@pytest.mark.parametrize("text", ["", "no base64!", "\u00e9"])
def test_bytes_that_are_none_are_refused(agent: Agent, name: str, text: str) -> None:
    attributes = agent.push()
    attributes["evidence"][0]["data"][name] = text
    with pytest.raises(FormatError):
        read_latest(body(attributes))


@pytest.mark.parametrize("said", [b"", b"{}", b"[]", b'{"data": 7}', b"[" * 9999, b"\xff"])
def test_what_is_no_answer_is_refused(said: bytes) -> None:
    with pytest.raises(AnswerUnusable):
        read_latest(said)


@pytest.mark.shared
def test_all_that_differs_is_seen_where_keylime_names_nothing() -> None:
    rows = json.loads((SHARED / "push.json").read_text())
    bodies = [each["body"] for each in rows if each["request"].endswith("latest") and each["status"] == 201]
    good, bad = (read_latest(json.dumps(each).encode()) for each in bodies)
    key = base64.b64decode(
        bodies[0]["data"]["attributes"]["evidence"][0]["chosen_parameters"]["certification_key"]["public"]
    )
    before, after = (proven(each, key).registers[Bank.SHA256] for each in (good, bad))
    assert bodies[1]["data"]["attributes"]["evaluation"] == "fail"
    assert [index for index in before if before[index] != after[index]]
