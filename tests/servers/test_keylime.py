"""The Keylime adapter against a verifier over real TLS: what its states and events mean to us."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.servers.keylime_world import World
from txt_dashboard.attest.evidence import Evidence, NoEvidence, Verdict
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.servers.base import AccessDenied, AnswerUnusable, CertificateRefused, ServerUnreachable
from txt_dashboard.servers.keylime import Keylime
from txt_dashboard.servers.keylime_wire import read_answers, read_called, read_roll

ID = "d432fbb3-d2f1-4a97-9ef7-75bd81c00000"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ROW = {
    "operational_state": 3,
    "attestation_status": "PASS",
    "attestation_count": 23,
    "last_received_quote": int(NOW.timestamp()),
    "last_successful_attestation": int(NOW.timestamp()) - 2,
    "last_event_id": None,
    "maximum_attestation_interval": "10s",
    "meta_data": "{}",
    "tpm_policy": '{"mask": "0x0"}',
}


def body(*rows: dict[str, object]) -> bytes:
    return json.dumps({"results": {f"{ID[:-1]}{number}": row for number, row in enumerate(rows)}}).encode()


def judged(**changes: object) -> Evidence | NoEvidence:
    return read_answers(read_roll(body({**ROW, **changes})), [ID], NOW)[ID]


def reason(**changes: object) -> Reason:
    found = judged(**changes)
    assert isinstance(found, NoEvidence), found
    return found.finding.reason


def test_an_agent_that_passed_lately_is_trusted_on_the_verifiers_word() -> None:
    found = judged()
    assert isinstance(found, Evidence)
    assert (found.verdict, found.attested_at) == (Verdict.TRUSTED, NOW - timedelta(seconds=2))
    assert (found.registers, found.server_id) == ({}, ID)
    assert found.finding.reason is Reason.REPORT_UNAVAILABLE
    assert found.details == {"agent": ID, "state": "get quote"}


@pytest.mark.parametrize("state", [3, 4, 5, 6])
def test_healthy_agents_go_round_in_several_states(state: int) -> None:
    assert judged(operational_state=state).verdict is Verdict.TRUSTED


@pytest.mark.parametrize(
    "changes",
    [
        {"attestation_count": 0},
        {"attestation_count": None},
        {"last_successful_attestation": None},
        {"attestation_status": "PENDING"},
        *({"operational_state": state} for state in (0, 1, 2)),
    ],
)
def test_passed_before_any_quote_is_not_yet_known(changes: dict[str, object]) -> None:
    assert reason(**changes) is Reason.ATTESTATION_PENDING


@pytest.mark.parametrize(
    ("interval", "age", "old"),
    [("10s", 60, False), ("10s", 61, True), ("100s", 200, False), ("100s", 201, True), (None, 301, True),
     ("a while", 300, False), ("9999999s", 301, True), ("1.5", 61, True)],
)  # fmt: skip
def test_an_attestation_older_than_the_verifier_lets_pass_is_none(interval: object, age: int, old: bool) -> None:
    found = judged(maximum_attestation_interval=interval, last_successful_attestation=int(NOW.timestamp()) - age)
    assert isinstance(found, NoEvidence) is old
    if old:
        assert found.finding.reason is Reason.ATTESTATION_OLD
        assert f"{age} s ago" in str(found.finding)


def test_an_agent_out_of_reach_and_one_given_up_leave_no_evidence() -> None:
    failing = {"attestation_status": "FAIL", "last_event_id": "internal.verifier.not_reachable"}
    assert reason(operational_state=7, **failing) is Reason.HOST_TIMEOUT
    assert reason(operational_state=8) is Reason.NOT_KNOWN_TO_SERVER


def test_an_agent_that_pushes_may_have_no_state_and_is_out_of_reach_once_it_fell_silent() -> None:
    found = judged(operational_state=None)
    assert (found.verdict, found.details["state"]) == (Verdict.TRUSTED, "pushes")
    assert judged(operational_state=None, attestation_status="FAIL").verdict is Verdict.UNKNOWN
    assert reason(operational_state=None, attestation_status="PENDING") is Reason.ATTESTATION_PENDING
    for state in (None, 3):
        assert reason(operational_state=state, attestation_status="TIMEOUT") is Reason.HOST_TIMEOUT


@pytest.mark.parametrize(
    ("event", "verdict"),
    [
        ("pcr_validation.invalid_pcr_4", Verdict.UNTRUSTED),
        ("measured_boot.invalid_pcr_7", Verdict.UNTRUSTED),
        ("ima.validation.ima-ng.not_in_allowlist", Verdict.UNTRUSTED),
        ("qoute_validation.quote_validation", Verdict.UNKNOWN),
        ("internal.verifier.not_reachable", Verdict.UNKNOWN),
        ("pcr_validationx.y", Verdict.UNKNOWN),
        (None, Verdict.UNKNOWN),
        ("", Verdict.UNKNOWN),
    ],
)
@pytest.mark.parametrize("state", [9, 10, 3])
def test_a_failure_is_a_mismatch_only_where_its_event_says_so(event: str, verdict: Verdict, state: int) -> None:
    found = judged(operational_state=state, attestation_status="FAIL", last_event_id=event)
    assert (found.verdict, found.attested_at) == (verdict, NOW)
    assert found.details.get("event", "") == (event or "")


@pytest.mark.parametrize("pushing", [{"operational_state": None}, {"ip": None, "port": None}])
def test_an_agent_that_pushes_is_told_by_the_verifier(pushing: dict[str, object]) -> None:
    found = judged(**pushing)
    assert (found.verdict, read_called(found.server_id)) == (Verdict.TRUSTED, (ID, True))
    assert found.details == {"agent": ID, "state": "pushes"}
    assert read_called(judged(**pushing, attestation_status="FAIL").server_id) == (ID, True)


@pytest.mark.parametrize("address", [{"ip": None, "port": 9002}, {"ip": "10.0.0.1", "port": None}, {}])
def test_an_agent_with_half_an_address_is_asked(address: dict[str, object]) -> None:
    assert read_called(judged(**address).server_id) == (ID, False)


def test_an_invalid_quote_is_never_taken_for_passed() -> None:
    assert judged(operational_state=9).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("date", [None, -1, 0, 10**15])
def test_a_failure_counts_whatever_its_date(date: object) -> None:
    found = judged(attestation_status="FAIL", last_received_quote=date, last_event_id="pcr_validation.invalid_pcr_0")
    assert (found.verdict, found.attested_at) == (Verdict.UNTRUSTED, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"operational_state": 11},
        {"operational_state": []},
        {"ip": 7},
        {"operational_state": "3"},
        {"attestation_status": "pass"},
        {"attestation_status": None},
        {"attestation_count": "many"},
        {"last_successful_attestation": 10**15},
        {"last_successful_attestation": 1.5},
        {"last_successful_attestation": True},
    ],
)
def test_a_row_that_says_something_else_is_no_evidence(changes: dict[str, object]) -> None:
    assert reason(**changes) is Reason.ANSWER_MALFORMED


def test_one_bad_row_costs_that_row() -> None:
    roll = read_roll(body({"operational_state": []}, ROW))
    answers = read_answers(roll, roll.rows, NOW)
    assert [type(each) for each in answers.values()] == [NoEvidence, Evidence]


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"results": []}', b'{"results": {"a": ', b"\xff", b"[" * 9999, b'{"results": {"a": NaN}}'],
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(AnswerUnusable):
        read_roll(data)


def test_more_agents_than_anybody_has_are_not_read() -> None:
    with pytest.raises(AnswerUnusable, match="more than"):
        read_roll(json.dumps({"results": {f"a{number}": {} for number in range(20_001)}}).encode())


@pytest.mark.parametrize(
    ("meta_data", "name"),
    [
        ('{"name": "hv1.example.org"}', "hv1.example.org"),
        ('{"name": "bad name"}', ID),
        ('{"name": 7}', ID),
        ('{"name": ""}', ID),
        ("no JSON", ID),
        (None, ID),
        (7, ID),
        ("[" * 9999, ID),
    ],
)
def test_a_host_is_called_by_the_name_that_its_meta_data_give(meta_data: object, name: str) -> None:
    assert list(read_roll(body({**ROW, "meta_data": meta_data})).rows) == [name]


def test_a_name_that_two_agents_claim_is_nobodys() -> None:
    named = {**ROW, "meta_data": '{"name": "hv1"}'}
    roll = read_roll(body(named, named, ROW))
    assert read_answers(roll, ["hv1"], NOW)["hv1"].finding.reason is Reason.ANSWER_MALFORMED
    assert list(roll.rows) == [f"{ID[:-1]}2"]
    assert roll.remarks == ("several agents have the same name, so none of them is believed: hv1",)


def test_ids_that_lead_elsewhere_are_ignored() -> None:
    roll = read_roll(json.dumps({"results": {"../x": ROW, "a b": ROW, "": ROW, ID: ROW}}).encode())
    assert list(roll.rows) == [ID]
    assert roll.remarks == ("3 agents have ids that no agent can have and were ignored",)


# --- Over TLS -----------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    running = World(tmp_path / "keylime")
    yield running
    running.close()


def adapter(world: World, **changes: object) -> Keylime:
    return Keylime(world.connection(**changes), clock=lambda: datetime.now(UTC))


def test_one_request_brings_all_agents_and_a_certificate_of_ours_opens_it(world: World) -> None:
    world.add("agent-1", "hv1")
    world.add("agent-2").says |= {"attestation_status": "FAIL", "last_event_id": "pcr_validation.invalid_pcr_4"}
    batch = adapter(world).attest(["hv1", "agent-2", "hv1", "nobody"])
    assert list(batch.answers) == ["hv1", "agent-2", "nobody"]
    assert batch.answers["hv1"].verdict is Verdict.TRUSTED
    assert batch.answers["agent-2"].verdict is Verdict.UNTRUSTED
    assert batch.answers["nobody"].finding.reason is Reason.NOT_KNOWN_TO_SERVER
    assert world.asked == ["/v2.6/agents/?bulk=true"]
    assert adapter(world).hosts() == ("hv1", "agent-2")


def test_its_test_needs_the_certificate(world: World) -> None:
    world.add("agent-1")
    assert adapter(world).test() == "A Keylime verifier answered and takes our certificate. Agents: 1."
    with pytest.raises(AccessDenied):
        adapter(world, client_pem=None).test()


def test_a_certificate_that_others_can_read_is_not_used(world: World, tmp_path: Path) -> None:
    world.client_pem.chmod(0o640)
    with pytest.raises(CertificateRefused, match="chmod 600"):
        adapter(world)
    for content in (b"", b"-----BEGIN", world.authority.pem.encode()):
        path = tmp_path / "bad.pem"
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(CertificateRefused, match="no certificate in PEM form"):
            adapter(world, client_pem=path)
    with pytest.raises(CertificateRefused, match="can't be read"):
        adapter(world, client_pem=tmp_path / "missing.pem")
    with pytest.raises(CertificateRefused, match="others can read"):
        adapter(world, client_pem=tmp_path)


def test_another_version_says_what_it_may_be(world: World) -> None:
    with pytest.raises(AnswerUnusable, match="404"):
        adapter(world, url=f"{world.url}/elsewhere").attest(["hv1"])


def test_a_verifier_that_hangs_ends_with_the_deadline(world: World) -> None:
    world.bulk = lambda: time.sleep(2) or b"{}"
    began = time.monotonic()
    with pytest.raises(ServerUnreachable):
        adapter(world, deadline=0.3).attest(["hv1"])
    assert time.monotonic() - began < 1.5
