"""The OpenAttestation adapter against a server that speaks its two dialects."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.servers.harness import answer
from txt_dashboard.attest.evidence import Evidence, NoEvidence, Verdict
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.servers import KINDS
from txt_dashboard.servers.base import AccessDenied, AnswerUnusable, Connection, ServerUnreachable
from txt_dashboard.servers.oat import OpenAttestation

VTIME = "2016-02-29T22:29:26.365+0000"
MOMENT = datetime(2016, 2, 29, 22, 29, 26, 365000, tzinfo=UTC)
VALUE = 20 * "ab"
BASE = "/AttestationService/resources"


class Oat:
    """Answers for its hosts: name -> (trust_lvl, date of the report); names that it does not know are unknown."""

    def __init__(self, server, hosts):
        self.hosts = hosts
        self.listing = answer(json.dumps([{"HostName": name, "IPAddress": "10.0.0.9"} for name in hosts]).encode())
        self.report = answer(b"{}", 404)
        server.answers(self)
        self.server = server

    def __call__(self, handler):
        path = urlsplit(handler.path)
        if path.path == f"{BASE}/PollHosts":
            return answer(json.dumps({"hosts": [self._row(name) for name in self._asked()]}).encode())(handler)
        if path.path == f"{BASE}/hosts":
            return self.listing(handler)
        host = parse_qs(path.query)["hostName"][0]
        verified_on = self.hosts[host][1]
        if verified_on is None:
            return self.report(handler)
        rows = [{"Name": 17, "Value": VALUE, "Verified_On": verified_on}]
        return answer(json.dumps({"PcrLogReport": rows}).encode())(handler)

    def paths(self):
        return [urlsplit(asked.path).path.removeprefix(BASE) for asked in self.server.asked]

    def _asked(self):
        return next(asked.json["hosts"] for asked in reversed(self.server.asked) if asked.method == "POST")

    def _row(self, name):
        level = self.hosts.get(name, ("unknown", None))[0]
        return {"host_name": name, "trust_lvl": level, "vtime": VTIME, "pcr_values": [{"number": 17, "value": VALUE}]}


@pytest.fixture
def adapter(server, connect):
    def make(dialect, url=None, **connection):
        ticks = (MOMENT + timedelta(seconds=second) for second in range(1000))
        return OpenAttestation(
            Connection("oat", server.url, ()),
            dialect=dialect,
            clock=lambda: next(ticks),
            client=connect(url or server.url, **connection),
        )

    return make


def registers():
    return {Bank.SHA1: {17: bytes.fromhex(VALUE)}}


def test_1_6_asks_for_all_registers_and_gets_them_with_the_verdicts(server, adapter):
    oat = Oat(server, {"hv1": ("trusted", None), "hv2": ("untrusted", None)})
    batch = adapter("1.6").attest(["hv1", "hv2"])

    assert batch.answers["hv1"] == Evidence(Verdict.TRUSTED, MOMENT, registers())
    assert batch.answers["hv2"] == Evidence(Verdict.UNTRUSTED, MOMENT, registers())
    assert (batch.requested_at, batch.received_at) == (MOMENT, MOMENT + timedelta(seconds=1))
    assert batch.remarks == ()
    assert oat.paths() == ["/PollHosts"]
    assert server.asked[0].json == {"hosts": ["hv1", "hv2"], "PCRmask": "FFFFFF"}


def test_2_x_is_sent_no_property_that_it_does_not_know_and_asks_for_reports(server, adapter):
    oat = Oat(server, {"hv1": ("trusted", "2016-02-29T22:29:27.000+0000"), "hv2": ("timeout", None)})
    batch = adapter("2.x").attest(["hv1", "hv2"])

    assert batch.answers["hv1"] == Evidence(Verdict.TRUSTED, MOMENT, registers())
    assert batch.answers["hv2"] == NoEvidence(Finding(Reason.HOST_TIMEOUT))
    assert server.asked[0].json == {"hosts": ["hv1", "hv2"]}
    assert oat.paths() == ["/PollHosts", "/hosts/reports/attestationreport"]
    assert parse_qs(urlsplit(server.asked[1].path).query) == {"hostName": ["hv1"], "failure_only": ["false"]}


@pytest.mark.parametrize(
    ("verified_on", "older"),
    [
        ("2016-02-29T22:29:25.999+0000", True),
        ("2016-02-29T22:29:26.000+0000", False),  # the database keeps whole seconds
        (1456784966000, False),
    ],
)
def test_a_report_from_before_the_verdict_is_not_the_same_evidence(server, adapter, verified_on, older):
    Oat(server, {"hv1": ("trusted", verified_on)})
    evidence = adapter("2.x").attest(["hv1"]).answers["hv1"]
    assert evidence.registers == ({} if older else registers())
    assert evidence.finding == (Finding(Reason.REPORT_OLDER) if older else None)


@pytest.mark.parametrize(
    ("respond", "detail"),
    [
        (answer(b"{}", 404), "404"),
        (answer(b'{"error_code": 1003, "error_message": "SECRET"}', 400), "400"),
        (answer(b"", 503), "503"),
        (answer(b"", 401), "credentials"),
        (answer(b"<html>"), "HTML"),
        (answer(b"{}"), "PcrLogReport"),
        (answer(b'{"PcrLogReport": []}'), "no register"),
        (answer(b"[" * 100_000), "array"),
        (answer(b'{"PcrLogReport": ' + b"[" * 100_000), "array"),
    ],
)
@pytest.mark.parametrize("level", ["trusted", "untrusted"])
def test_a_verdict_without_a_report_stays_a_verdict_without_registers(server, adapter, level, respond, detail):
    Oat(server, {"hv1": (level, None)}).report = respond
    evidence = adapter("2.x").attest(["hv1"]).answers["hv1"]
    assert (evidence.verdict, evidence.registers) == (Verdict(level), {})
    assert evidence.finding.reason is Reason.REPORT_UNAVAILABLE
    assert detail in evidence.finding.params["detail"]
    assert "SECRET" not in str(evidence.finding)


def test_one_report_that_fails_costs_no_other(server, adapter):
    Oat(server, {f"hv{number}": ("trusted", VTIME if number % 2 else None) for number in range(40)})
    answers = adapter("2.x").attest([f"hv{number}" for number in range(40)]).answers
    assert [bool(answers[f"hv{number}"].registers) for number in range(40)] == [
        number % 2 == 1 for number in range(40)
    ]


def test_reports_come_over_a_few_connections_at_once(server, adapter):
    oat = Oat(server, {f"hv{number}": ("trusted", None) for number in range(32)})
    at_once, most, lock = 0, 0, threading.Lock()

    def slow(handler):
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.02)
        with lock:
            at_once -= 1
        answer(b'{"PcrLogReport": []}')(handler)

    oat.report = slow
    adapter("2.x").attest(list(oat.hosts))
    assert 1 < most <= 8
    assert len({asked.peer for asked in server.asked}) <= 8


def test_slow_reports_end_with_the_deadline(server, adapter):
    oat = Oat(server, {f"hv{number}": ("trusted", None) for number in range(32)})
    oat.report = lambda handler: time.sleep(0.3)
    began = time.monotonic()
    answers = adapter("2.x", deadline=0.4).attest(list(oat.hosts)).answers
    assert time.monotonic() - began < 2
    assert {each.finding.reason for each in answers.values()} == {Reason.REPORT_UNAVAILABLE}


@pytest.mark.parametrize("dialect", ["1.6", "2.x"])
def test_a_host_that_is_not_registered_is_told_from_one_without_a_verdict(server, adapter, dialect):
    oat = Oat(server, {"hv1": ("unknown", None), "hv2": ("trusted", VTIME)})
    answers = adapter(dialect).attest(["HV1", "hv1", "hv2", "10.0.0.9", "stranger"]).answers

    assert answers["stranger"] == NoEvidence(Finding(Reason.NOT_KNOWN_TO_SERVER))
    assert {answers[name].verdict for name in ("HV1", "hv1", "10.0.0.9")} == {Verdict.UNKNOWN}
    assert answers["hv2"].verdict is Verdict.TRUSTED
    assert oat.paths()[:2] == ["/PollHosts", "/hosts"]


def test_hosts_without_a_verdict_keep_that_where_the_list_of_hosts_fails(server, adapter):
    Oat(server, {}).listing = answer(b"", 500)
    batch = adapter("1.6").attest(["hv1"])
    assert batch.answers["hv1"].verdict is Verdict.UNKNOWN
    assert "look into its log" in batch.remarks[0]


def test_names_for_which_1_6_would_refuse_the_whole_batch_are_not_asked_for(server, adapter):
    Oat(server, {"hv1": ("trusted", None)})
    odd = ["", "a#b", "a:b", 51 * "a", "ünïcode", "line\nfeed", "\ud800"]
    batch = adapter("1.6").attest([*odd, "hv1"])

    assert server.asked[0].json["hosts"] == ["hv1"]
    assert batch.answers["hv1"].verdict is Verdict.TRUSTED
    assert {batch.answers[name].finding.reason for name in odd} == {Reason.NOT_KNOWN_TO_SERVER}
    assert batch.remarks == ("7 hosts were not asked for: the server takes no such names",)


def test_answers_may_be_no_larger_than_their_hosts_can_need(server, adapter):
    oat = Oat(server, {"hv1": ("trusted", None)})
    oat.report = answer(5 * 1024 * 1024 * b" ")
    detail = adapter("2.x").attest(["hv1"]).answers["hv1"].finding.params["detail"]
    assert "larger than" in detail

    server.answers(answer(2 * 1024 * 1024 * b" "))
    with pytest.raises(AnswerUnusable, match="larger than"):
        adapter("1.6").attest(["hv1"])


def test_each_host_is_answered_once_however_often_it_was_asked_for(server, adapter):
    Oat(server, {"hv1": ("trusted", None)})
    assert list(adapter("1.6").attest(["hv1", "hv1"]).answers) == ["hv1"]
    assert server.asked[0].json["hosts"] == ["hv1"]


def test_a_bare_name_counts_as_one_host(server, adapter):
    Oat(server, {"hv1": ("trusted", None)})
    assert list(adapter("1.6").attest("hv1").answers) == ["hv1"]


@pytest.mark.parametrize("dialect", ["1.6", "2.x"])
def test_nothing_is_asked_for_no_hosts(server, adapter, dialect):
    assert adapter(dialect).attest([]).answers == {}
    assert server.asked == []


@pytest.mark.parametrize(
    ("respond", "error"),
    [(answer(b"[]"), AnswerUnusable), (answer(b"", 401), AccessDenied), (answer(b"", 503), ServerUnreachable)],
)
def test_a_poll_that_fails_as_a_whole_says_so(server, adapter, respond, error):
    server.answers(respond)
    with pytest.raises(error):
        adapter("1.6").attest(["hv1"])


@pytest.mark.parametrize(
    "path", ["", "/", "/prefix", "/AttestationService/resources", "/p/AttestationService/resources/"]
)
def test_the_url_may_hold_the_path_already(server, adapter, path):
    server.answers(answer(b"[]"))
    adapter("2.x", server.url + path).hosts()
    prefix = path.rstrip("/").removesuffix(BASE)
    assert server.asked[0].path == f"{prefix}{BASE}/hosts?searchCriteria="


def test_it_lists_the_hosts(server, adapter):
    Oat(server, {"hv1": (), "hv2": ()})
    assert adapter("2.x").hosts() == ("hv1", "hv2")


def test_its_test_is_a_cheap_request_with_the_credentials(server, adapter):
    server.answers(answer(b"null"))
    sentence = adapter("1.6", auth_blob="blob").test()
    assert "OpenAttestation" in sentence
    assert server.asked[0].headers["x-auth-blob"] == "blob"
    assert server.asked[0].path.endswith("/hosts?searchCriteria=no-host-has-this-name")


def test_its_test_fails_where_something_else_answers(server, adapter):
    server.answers(answer(b'{"status": "ok"}'))
    with pytest.raises(AnswerUnusable):
        adapter("1.6").test()


def test_another_dialect_is_a_mistake_of_ours(adapter):
    with pytest.raises(ValueError, match="dialect"):
        adapter("3.0")


def test_each_kind_has_a_label_and_makes_its_adapter():
    labels = {"oat-1.6": "OpenAttestation 1.5 to 1.7", "oat-2.x": "OpenAttestation 2.x"}
    assert {name: KINDS[name].label for name in labels} == labels
    for name in labels:
        adapter = KINDS[name].build(Connection("oat", "https://oat-1:8443", ()), lambda: MOMENT)
        assert isinstance(adapter, OpenAttestation)
        adapter.close()
