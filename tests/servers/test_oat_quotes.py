"""The adapter for quotes: against the simulator itself, and against answers of every hostile form."""

import base64
import json
import secrets
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.attest.forge import Forge
from tests.servers.harness import answer
from tests.simulator.conftest import NOON, world
from txt_dashboard.attest.eventlog.log import parse
from txt_dashboard.attest.eventlog.replay import Standing, judge
from txt_dashboard.attest.evidence import Evidence, NoEvidence, Verdict, Voucher
from txt_dashboard.attest.keys import load_key
from txt_dashboard.attest.material import Binding, Material, prove
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.quote import Demand, Quote, Tpm12Quote
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.servers.base import AnswerUnusable, ServerUnreachable
from txt_dashboard.servers.oat_quotes import OatQuotes, read_list, read_log, read_quotes

SELECTION = {Bank.SHA1: frozenset({0, 2, 7, 18}), Bank.SHA256: frozenset({4})}
FORGE = Forge.p256()
ROW = {
    "host_name": "hv1",
    "vtime": "2026-03-04T12:00:00.654+00:00",
    "attest": base64.b64encode(FORGE.message).decode(),
    "signature": base64.b64encode(FORGE.quote().signature).decode(),
    "public": base64.b64encode(FORGE.area).decode(),
    "pcrs": {"sha256": {"0": "ab" * 32}},
}


def body(*rows: object) -> bytes:
    return json.dumps({"quotes": rows}).encode()


@pytest.fixture
def quotes(connect):
    return lambda url, **options: OatQuotes(None, clock=lambda: datetime.now(UTC), client=connect(url, **options))


def test_quotes_of_the_simulated_fleet_become_evidence_that_is_proven(quotes):
    hosts, nonce = ["az2-001", "az2-002", "nobody"], secrets.token_bytes(32)
    with world() as served:
        adapter = quotes(served.server.url, deadline=60.0)
        batch = adapter.quote(dict.fromkeys(hosts, ""), nonce, SELECTION)
        log = parse(adapter.event_log("az2-001"))
        (polled, *_) = served.client.poll(["az2-001"], PCRmask="ffffff")
    assert batch.answers["nobody"].finding.reason is Reason.NOT_KNOWN_TO_SERVER
    sent, other = batch.answers["az2-001"], batch.answers["az2-002"]
    said, demand = Evidence(Verdict.TRUSTED, NOON), Demand(nonce, SELECTION)
    key = load_key(sent.public)
    evidence = prove(said, sent, Binding(key), demand).evidence
    assert (evidence.voucher, evidence.finding) == (Voucher.QUOTE, None)
    shown = {each["number"]: each["value"] for each in polled["pcr_values"]}
    assert {index: each.hex() for index, each in evidence.registers[Bank.SHA1].items()} == {
        index: shown[index] for index in SELECTION[Bank.SHA1]
    }
    assert set(judge(log, Bank.SHA256, evidence.registers[Bank.SHA256]).values()) == {Standing.EXPLAINED}
    assert prove(said, other, Binding(key), demand).evidence.finding.reason is Reason.TPM_IDENTITY_CHANGED
    stale = prove(said, sent, Binding(key), Demand(secrets.token_bytes(32), SELECTION))
    assert stale.evidence.finding.reason is Reason.QUOTE_REJECTED


def test_the_request_carries_our_nonce_and_exactly_the_registers(server, quotes):
    server.answers(answer(body(ROW)))
    batch = quotes(server.url).quote({"hv1": "hv1", "hv2": "hv2"}, b"\1" * 16, SELECTION)
    assert server.asked[0].json == {
        "hosts": ["hv1", "hv2"],
        "nonce": "01" * 16,
        "selection": {"sha1": [0, 2, 7, 18], "sha256": [4]},
    }
    assert isinstance(batch.answers["hv1"], Material)
    assert batch.answers["hv1"].quote.message == FORGE.message
    assert batch.answers["hv2"].finding.reason is Reason.ANSWER_MISSING


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"attest": "no base64!"}, "attest is no base64"),
        ({"attest": "QUJD\nQUJD"}, "attest is no base64"),
        ({"attest": "\u00e9"}, "attest is no base64"),
        ({"attest": ""}, "attest is empty"),
        ({"signature": ""}, "signature is empty"),
        ({"public": ""}, "public is empty"),
        ({"attest": "A" * 9000}, "length"),
        ({"attest": None}, "str"),
        ({"vtime": "soon"}, "date"),
        ({"vtime": ""}, "date"),
        ({"pcrs": {"md5": {"0": "ab"}}}, "no TPM has"),
        ({"pcrs": {"sha256": {"24": "ab" * 32}}}, "24"),
        ({"pcrs": {"sha256": {"0": "ab" * 20}}}, "20"),
        ({"pcrs": {"sha256": {"0": "ab" * 32, "00": "ab" * 32}}}, "twice"),
        ({"pcrs": {"sha256": {str(number): "" for number in range(25)}}}, "length"),
        ({"pcrs": {bank: {} for bank in "abcde"}}, "length"),
        ({"refusal": "whim"}, "without a reason"),
    ],
)
def test_a_bad_row_costs_that_row(change, detail):
    answers, _ = read_quotes(body({**ROW, **change}, {**ROW, "host_name": "hv2"}), ["hv1", "hv2"])
    assert answers["hv1"].finding.reason is Reason.ANSWER_MALFORMED
    assert detail in str(answers["hv1"].finding)
    assert isinstance(answers["hv2"], Material)


def test_two_quotes_of_one_host_are_none():
    answers, _ = read_quotes(body(ROW, ROW), ["hv1"])
    assert answers["hv1"].finding.reason is Reason.ANSWER_MALFORMED


def test_quotes_of_others_are_left_out_and_told():
    answers, remarks = read_quotes(body({**ROW, "host_name": "hv9"}, 7, {}, ROW), ["hv1"])
    assert list(answers) == ["hv1"]
    assert remarks == ("3 quotes are of no host that was asked for",)


def test_hosts_that_have_no_quote_say_why():
    rows = [{"host_name": "hv1", "refusal": "unknown"}, {"host_name": "hv2", "refusal": "timeout"}]
    answers, _ = read_quotes(body(*rows), ["hv1", "hv2"])
    reasons = [answers[name].finding.reason for name in ("hv1", "hv2")]
    assert reasons == [Reason.NOT_KNOWN_TO_SERVER, Reason.HOST_TIMEOUT]


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"quotes": 7}', b'{"quotes": [', b"[" * 10_000, b"\xff"])
def test_what_is_no_answer_is_refused(data):
    with pytest.raises(AnswerUnusable):
        read_quotes(data, ["hv1"])


def test_more_rows_than_were_asked_for_are_not_read():
    with pytest.raises(AnswerUnusable, match="102 quotes for 1 hosts"):
        read_quotes(body(*[ROW] * 102), ["hv1"])


def test_an_answer_beyond_its_size_is_not_read(server, quotes):
    server.answers(answer(b" " * (4 * 1024 * 1024)))
    with pytest.raises(AnswerUnusable, match="larger"):
        quotes(server.url).quote({"hv1": "hv1"}, b"\1" * 16, SELECTION)


def test_a_server_that_knows_no_quotes_says_so(server, quotes):
    server.answers(answer(b"{}", 404))
    with pytest.raises(AnswerUnusable, match="404"):
        quotes(server.url).quote({"hv1": "hv1"}, b"\1" * 16, SELECTION)


def test_a_server_that_is_away_is_unreachable(quotes):
    with pytest.raises(ServerUnreachable):
        quotes("http://127.0.0.1:9").quote({"hv1": "hv1"}, b"\1" * 16, SELECTION)


@pytest.mark.parametrize(
    "document",
    [{"host_name": "hv2", "eventlog": "QUJD"}, {"host_name": "hv1", "eventlog": "?"}, {"host_name": "hv1"}],
)
def test_a_log_of_another_host_or_form_is_refused(document):
    with pytest.raises(AnswerUnusable):
        read_log(json.dumps(document).encode(), "hv1")


@given(data=st.binary(max_size=300) | st.builds(lambda at, junk: body(ROW)[:at] + junk + body(ROW)[at + 3 :],
                                                st.integers(0, 600), st.binary(max_size=9)))  # fmt: skip
def test_any_bytes_are_read_or_refused(data):
    try:
        answers, _ = read_quotes(data, ["hv1"])
    except AnswerUnusable:
        return
    assert list(answers) == ["hv1"]
    assert isinstance(answers["hv1"], Material | NoEvidence)


def test_a_composite_makes_it_a_quote_of_a_tpm12_and_other_rows_are_of_a_tpm20():
    old = {**ROW, "host_name": "hv2", "composite": base64.b64encode(b"composite").decode(), "pcrs": {}}
    answers, _ = read_quotes(body(ROW, old), ["hv1", "hv2"])
    assert isinstance(answers["hv1"].quote, Quote)
    signature = base64.b64decode(ROW["signature"])
    assert answers["hv2"].quote == Tpm12Quote(FORGE.message, signature, b"composite", None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"composite": "*"},
        {"composite": "A" * 9000},
        {"composite": 5},
        {"registrar": "word"},
        {"registrar": {"key": "x" * 201}},
        {"registrar": {str(number): "x" for number in range(9)}},
        {"registrar": {"key": {"deeper": "x"}}},
    ],
)
def test_a_row_that_says_more_than_the_contract_costs_that_row_only(wrong):
    answers, _ = read_quotes(body({**ROW, **wrong}, {**ROW, "host_name": "hv2"}), ["hv1", "hv2"])
    assert isinstance(answers["hv1"], NoEvidence)
    assert isinstance(answers["hv2"], Material)


def test_what_a_registrar_says_is_passed_on_without_what_nobody_can_see():
    answers, _ = read_quotes(body({**ROW, "registrar": {"key": "by \u202eACME\x1b"}}), ["hv1"])
    assert set(answers["hv1"].registrar) == {"key"}
    assert answers["hv1"].registrar["key"].isprintable()


@pytest.mark.parametrize("host", ["hv2", "", None, 5])
def test_an_ima_list_of_another_host_is_refused(host):
    document = json.dumps({"host_name": host, "imalist": "AAAA"}).encode()
    with pytest.raises(AnswerUnusable):
        read_list(document, "hv1")
    assert read_list(json.dumps({"host_name": "hv1", "imalist": "AAAA"}).encode(), "hv1") == bytes(3)
    for text in ("", "*", 5):
        with pytest.raises(AnswerUnusable):
            read_list(json.dumps({"host_name": "hv1", "imalist": text}).encode(), "hv1")
