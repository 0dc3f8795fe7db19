"""Every adapter keeps the same promises: no server, whatever it does, makes a host look better than it said."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.servers.conformance import KNOWN, Rig
from tests.servers.rigs import KeylimeRig, OatRig
from txt_dashboard.attest.evidence import Evidence, NoEvidence, Verdict, Voucher, judge_times
from txt_dashboard.attest.keys import load_key
from txt_dashboard.attest.material import Binding, Material, prove
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.quote import Demand
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.servers import KINDS
from txt_dashboard.servers.base import AccessDenied, ServerError, ServerUnreachable

RIGS = {"oat-1.6": OatRig, "oat-2.x": OatRig, "keylime": KeylimeRig}
SELECTION = {Bank.SHA256: frozenset({0, 7})}
NONCE = b"0123456789abcdef0123456789abcdef"
LIMIT = timedelta(seconds=60)
HOSTILE = [
    b"", b"null", b"[]", b"{}", b"7", b'"hosts"', b"{" * 9999, b"[" * 9999, b"\xff\xfe", b"<html>SECRET</html>",
    b'{"hosts": 7, "results": 7}', b'{"hosts": [', b'{"results": {"a":', b'{"results": {"a": NaN}}', b"\0" * 100,
]  # fmt: skip


def test_each_kind_of_server_has_a_rig() -> None:
    assert set(RIGS) == set(KINDS)


@pytest.fixture(params=sorted(RIGS))
def rig(request, tmp_path: Path) -> Iterator[Rig]:
    made: Rig = RIGS[request.param](request.param, tmp_path)
    yield made
    made.close()


def verdicts(rig: Rig, *hosts: str) -> dict[str, str]:
    answers = rig.adapter().attest(hosts or KNOWN).answers
    return {
        host: each.verdict.value if isinstance(each, Evidence) else each.finding.reason.code
        for host, each in answers.items()
    }


# --- Who is answered for ------------------------------------------------------------------------


def test_each_host_asked_for_gets_one_answer_and_nobody_else_does(rig: Rig) -> None:
    assert verdicts(rig, "hv2", "hv1", "hv2") == {"hv2": "trusted", "hv1": "trusted"}


def test_nothing_is_asked_for_no_hosts(rig: Rig) -> None:
    assert rig.adapter().attest([]).answers == {}
    assert rig.requests() == 0


def test_a_host_that_the_server_does_not_know_is_told_from_all_others(rig: Rig) -> None:
    unknown = Reason.NOT_KNOWN_TO_SERVER.code
    assert verdicts(rig, "stranger", "hv1") == {"stranger": unknown, "hv1": "trusted"}
    rig.forget("hv1")
    assert verdicts(rig, "hv1", "hv2") == {"hv1": unknown, "hv2": "trusted"}


def test_odd_names_are_asked_for_without_harm(rig: Rig) -> None:
    for name in ("", "a b", "../x", "a/b", "a?b#c", "ünïcode", "line\nfeed", "\ud800", "x" * 1000, '"', "%00"):
        found = verdicts(rig, name, "hv1")
        assert found[name] in (Reason.NOT_KNOWN_TO_SERVER.code, Verdict.UNKNOWN.value)
        assert found["hv1"] == "trusted"


def test_it_lists_the_hosts_that_the_server_knows(rig: Rig) -> None:
    assert sorted(rig.adapter().hosts()) == list(KNOWN)
    rig.forget("hv3")
    assert sorted(rig.adapter().hosts()) == ["hv1", "hv2"]


# --- What is said of them -----------------------------------------------------------------------


def test_a_bad_verdict_is_passed_on(rig: Rig) -> None:
    rig.distrust("hv2")
    assert verdicts(rig) == {"hv1": "trusted", "hv2": "untrusted", "hv3": "trusted"}


def test_what_is_wrong_with_one_host_costs_that_host(rig: Rig) -> None:
    rig.garble("hv2")
    assert verdicts(rig) == {"hv1": "trusted", "hv2": Reason.ANSWER_MALFORMED.code, "hv3": "trusted"}


def test_registers_are_never_vouched_for_by_a_quote_that_nobody_verified(rig: Rig) -> None:
    for each in rig.adapter().attest(KNOWN).answers.values():
        assert isinstance(each, Evidence)
        assert each.voucher is Voucher.SERVER
        assert each.registers or each.finding is not None


@pytest.mark.parametrize(("ahead", "finding"), [(0, None), (30, None), (600, Reason.CLOCK_AHEAD)])
def test_a_servers_clock_is_its_own_and_ours_is_ours(rig: Rig, ahead: int, finding: Reason | None) -> None:
    rig.date(ahead)
    batch = rig.adapter().attest(["hv1"])
    evidence = batch.answers["hv1"]
    assert isinstance(evidence, Evidence)
    assert abs(evidence.attested_at - batch.received_at - timedelta(seconds=ahead)) < timedelta(seconds=2)
    assert batch.requested_at <= batch.received_at
    times = {"requested_at": batch.requested_at, "received_at": batch.received_at}
    timing = judge_times(evidence, **times, previous=None, tolerance=LIMIT)
    assert (timing.finding.reason if timing.finding else None) is finding
    assert timing.counts_from <= batch.requested_at


def test_what_a_server_found_long_ago_is_never_taken_for_new(rig: Rig) -> None:
    rig.date(-7200)
    batch = rig.adapter().attest(["hv1"])
    said = batch.answers["hv1"]
    assert isinstance(said, NoEvidence) or said.attested_at < batch.requested_at - timedelta(seconds=7000)


# --- Servers that misbehave ---------------------------------------------------------------------


@pytest.mark.parametrize("body", HOSTILE, ids=[repr(each[:20]) for each in HOSTILE])
def test_no_answer_is_believed_that_is_none(rig: Rig, body: bytes) -> None:
    rig.say(body)
    with pytest.raises(ServerError) as refused:
        rig.adapter().attest(KNOWN)
    assert "SECRET" not in str(refused.value)
    sentence = str(refused.value)
    assert sentence[0].islower()
    assert not sentence.endswith(".")


@pytest.mark.parametrize(("status", "error"), [(401, AccessDenied), (403, AccessDenied), (503, ServerUnreachable)])
def test_a_refusal_is_told_from_an_outage(rig: Rig, status: int, error: type[ServerError]) -> None:
    rig.say(b"SECRET", status)
    for ask in (rig.adapter().test, rig.adapter().hosts, lambda: rig.adapter().attest(KNOWN)):
        with pytest.raises(error) as refused:
            ask()
        assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize("status", [204, 301, 302, 400, 404, 418, 500])
def test_no_other_status_is_an_answer(rig: Rig, status: int) -> None:
    rig.say(b"", status)
    with pytest.raises(ServerError):
        rig.adapter().attest(KNOWN)


def test_a_server_that_hangs_takes_no_longer_than_the_deadline(rig: Rig) -> None:
    rig.hang()
    began = time.monotonic()
    with pytest.raises(ServerUnreachable):
        rig.adapter(deadline=0.5).attest(KNOWN)
    assert time.monotonic() - began < 2


def test_an_answer_without_end_is_not_read_to_its_end(rig: Rig) -> None:
    rig.say(b" " * (40 * 1024 * 1024))
    with pytest.raises(ServerError):
        rig.adapter().attest(["hv1"])


def test_its_test_is_a_sentence_and_it_closes_twice(rig: Rig) -> None:
    adapter = rig.adapter()
    assert adapter.test().endswith(".")
    adapter.close()
    adapter.close()


# --- Quotes -------------------------------------------------------------------------------------


def quoted(rig: Rig, host: str = "hv1", nonce: bytes = NONCE) -> Material:
    server = rig.quotes()
    given = server.quote({host: rig.calls()[host]}, nonce, SELECTION).answers[host]
    server.close()
    assert isinstance(given, Material)
    return given


def held(rig: Rig, material: Material, public: bytes) -> Evidence:
    demand = Demand(NONCE, {bank: indexes | rig.quotes().adds for bank, indexes in SELECTION.items()})
    said = Evidence(Verdict.TRUSTED, material.attested_at)
    return prove(said, material, Binding(load_key(public)), demand).evidence


def test_a_quote_answers_our_nonce_with_the_registers_that_we_chose(rig: Rig) -> None:
    assert rig.quotes().offers_quotes()
    material = quoted(rig)
    evidence = held(rig, material, material.public)
    assert (evidence.voucher, evidence.finding) == (Voucher.QUOTE, None)
    assert set(evidence.registers[Bank.SHA256]) - rig.quotes().adds == SELECTION[Bank.SHA256]


def test_a_quote_of_another_nonce_or_host_proves_nothing(rig: Rig) -> None:
    old, own = quoted(rig, nonce=NONCE[::-1]), quoted(rig)
    assert held(rig, old, old.public).finding.reason is Reason.QUOTE_REJECTED
    assert held(rig, quoted(rig, "hv2"), own.public).finding.reason is Reason.TPM_IDENTITY_CHANGED


def test_a_host_whose_identity_changed_shows_it(rig: Rig) -> None:
    approved = rig.rekey("hv1")
    material = quoted(rig)
    assert material.public != approved
    evidence = held(rig, material, approved)
    assert (evidence.registers, evidence.finding.reason) == ({}, Reason.TPM_IDENTITY_CHANGED)


@pytest.mark.parametrize("body", HOSTILE, ids=[repr(each[:20]) for each in HOSTILE])
def test_no_quote_is_made_of_an_answer_that_is_none(rig: Rig, body: bytes) -> None:
    rig.say(body)
    try:
        answers = rig.quotes().quote({"hv1": rig.calls()["hv1"]}, NONCE, SELECTION).answers
    except ServerError:
        return
    assert isinstance(answers["hv1"], NoEvidence)
