"""OpenAttestation's answers: read as they were meant, or refused row by row."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from txt_dashboard.attest.evidence import Evidence, NoEvidence, Verdict
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.servers.base import AnswerUnusable
from txt_dashboard.servers.decode import BadRow
from txt_dashboard.servers.oat_wire import read_listing, read_poll, read_report

WHEN = "2016-02-29T22:29:26.365+0000"
MOMENT = datetime(2016, 2, 29, 22, 29, 26, 365000, tzinfo=UTC)
SHA1, SHA256 = 20 * "ab", 32 * "cd"


def row(name="hv1", **changes):
    shown = {"host_name": name, "trust_lvl": "trusted", "vtime": WHEN, "pcr_values": [{"number": 17, "value": SHA1}]}
    return {key: value for key, value in (shown | changes).items() if value is not ...}


def poll(*rows, asked=("hv1", "hv2")):
    return read_poll(json.dumps({"hosts": rows}).encode(), asked)


def reason_and_detail(answer):
    assert isinstance(answer, NoEvidence)
    return answer.finding.reason, answer.finding.params.get("detail", "")


def test_a_row_becomes_evidence():
    answer = poll(row(), asked=["hv1"]).answers["hv1"]
    assert answer == Evidence(Verdict.TRUSTED, MOMENT, {Bank.SHA1: {17: bytes.fromhex(SHA1)}})


def test_what_it_does_not_know_it_ignores():
    known = poll(row(), asked=["hv1"])
    assert poll(row(url="http://…", report_is_valid=True, analysis_details=[{"name": "x"}]), asked=["hv1"]) == known


@pytest.mark.parametrize("verdict", list(Verdict))
def test_each_verdict_is_told(verdict):
    assert poll(row(trust_lvl=verdict.value)).answers["hv1"].verdict is verdict


@pytest.mark.parametrize(
    ("level", "reason"), [("timeout", Reason.HOST_TIMEOUT), ("pending", Reason.ATTESTATION_PENDING)]
)
def test_a_host_that_was_not_attested_gives_no_evidence(level, reason):
    assert reason_and_detail(poll(row(trust_lvl=level)).answers["hv1"]) == (reason, "")


@pytest.mark.parametrize(
    "registers",
    [..., None, [], [{"number": 5}], [{"number": 5, "value": None}], [{"number": 5, "value": ""}]],
)
def test_registers_that_were_not_quoted_are_none_and_the_evidence_says_so(registers):
    answer = poll(row(pcr_values=registers)).answers["hv1"]
    assert answer.registers == {}
    assert answer.finding.reason is Reason.REPORT_UNAVAILABLE


def test_the_length_of_a_value_names_its_bank():
    values = [{"number": "17", "value": SHA1.upper()}, {"number": 17, "value": SHA256}, {"number": 17, "value": SHA1}]
    answer = poll(row(pcr_values=values)).answers["hv1"]
    assert answer.registers == {Bank.SHA1: {17: bytes.fromhex(SHA1)}, Bank.SHA256: {17: bytes.fromhex(SHA256)}}


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"trust_lvl": ...}, "trust_lvl"),
        ({"trust_lvl": None}, "trust_lvl"),
        ({"trust_lvl": "TRUSTED"}, "neither trusted nor untrusted"),
        ({"trust_lvl": ["trusted"]}, "trust_lvl"),
        ({"trust_lvl": "trusted\x00\u202e" + 500 * "!"}, "neither"),
        ({"vtime": ...}, "vtime"),
        ({"vtime": None}, "vtime"),
        ({"vtime": 1.5}, "vtime"),
        ({"vtime": True}, "vtime"),
        ({"vtime": "2016-02-29T22:29:26"}, "date"),
        ({"vtime": "2016-02-30T22:29:26Z"}, "date"),
        ({"vtime": 10**50}, "2000 to 2099"),
        ({"pcr_values": {}}, "pcr_values"),
        ({"pcr_values": ["17"]}, "pcr_values"),
        ({"pcr_values": [{"value": SHA1}]}, "number"),
        ({"pcr_values": [{"number": 24, "value": SHA1}]}, "24"),
        ({"pcr_values": [{"number": -1, "value": SHA1}]}, "-1"),
        ({"pcr_values": [{"number": 10**300, "value": SHA1}]}, "register"),
        ({"pcr_values": [{"number": 1.0, "value": SHA1}]}, "number"),
        ({"pcr_values": [{"number": True, "value": SHA1}]}, "number"),
        ({"pcr_values": [{"number": "x", "value": SHA1}]}, "register index"),
        ({"pcr_values": [{"number": 1, "value": "xyz"}]}, "hexadecimal"),
        ({"pcr_values": [{"number": 1, "value": "ab"}]}, "bank"),
        ({"pcr_values": [{"number": 1, "value": "ab " * 20}]}, "spaces"),
        ({"pcr_values": [{"number": 1, "value": 10**6 * "ab"}]}, "bank"),
        ({"pcr_values": [{"number": 1, "value": 12}]}, "value"),
        ({"pcr_values": [{"number": 1, "value": SHA1}, {"number": "1", "value": 20 * "00"}]}, "two different values"),
        ({"pcr_values": 193 * [{"number": 1, "value": SHA1}]}, "pcr_values"),
    ],
)
def test_a_bad_row_costs_that_row_alone_and_says_why(changes, detail):
    answers = poll(row(**changes), row("hv2")).answers
    reason, said = reason_and_detail(answers["hv1"])
    assert (reason, detail in said) == (Reason.ANSWER_MALFORMED, True), said
    assert len(said) <= 200
    assert said.isascii()
    assert said.isprintable()
    assert answers["hv2"].verdict is Verdict.TRUSTED


def test_a_host_with_two_rows_gets_neither_of_them():
    for other in (row(), row(trust_lvl="untrusted"), row(vtime=None)):
        reason, detail = reason_and_detail(poll(row(), other, row()).answers["hv1"])
        assert (reason, detail) == (Reason.ANSWER_MALFORMED, "it holds more than one row for this host")


def test_a_host_without_a_row_is_missing_from_the_answer():
    assert reason_and_detail(poll(row()).answers["hv2"]) == (Reason.ANSWER_MISSING, "")


def test_hosts_that_were_not_asked_for_are_counted_and_their_names_made_harmless():
    strangers = [row(f"h\x1b[31m<{number}>" + 1000 * "x") for number in range(9)]
    polled = poll(row(), *strangers, asked=["hv1"])
    assert list(polled.answers) == ["hv1"]
    (remark,) = polled.remarks
    assert remark.startswith("9 rows for hosts that were not asked for were ignored: h\\x1b[31m<0>xx")
    assert len(remark) < 500
    assert remark.isprintable()


def test_an_answer_with_far_too_many_rows_is_refused_as_a_whole():
    with pytest.raises(AnswerUnusable, match="1005 rows for 2 hosts"):
        poll(*(row(f"stranger{number}") for number in range(1005)))


@pytest.mark.parametrize("nameless", ["hv1", None, 5, [], {}, {"host_name": None}, {"host_name": ["hv1"]}])
def test_rows_that_name_no_host_are_counted(nameless):
    polled = poll(row(), nameless)
    assert polled.remarks == ("1 rows that name no host were ignored",)
    assert polled.answers["hv1"].verdict is Verdict.TRUSTED


def test_a_name_must_be_the_one_that_was_asked_for():
    assert reason_and_detail(poll(row("HV1")).answers["hv1"])[0] is Reason.ANSWER_MISSING


def test_text_that_is_no_utf8_costs_its_row():
    body = json.dumps({"hosts": [row(trust_lvl="?"), row("hv2")]}).encode().replace(b'"?"', b'"\xff"')
    answers = read_poll(body, ["hv1", "hv2"]).answers
    assert reason_and_detail(answers["hv1"])[0] is Reason.ANSWER_MALFORMED
    assert answers["hv2"].verdict is Verdict.TRUSTED


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"hv1"',
        b'{"hosts": null}',
        b'{"hosts": {}}',
        b'{"hosts": "hv1"}',
        b'{"hosts": [NaN]}',
        b'{"hosts": []} {}',
        b'{"hosts": [',
        b"\xff\xfe{}",
        b'{"hosts": [' + 100_000 * b"[" + 100_000 * b"]" + b"]}",
        100_000 * b'{"hosts":',
    ],
)
def test_what_is_no_answer_at_all_is_refused_as_a_whole(body):
    with pytest.raises(AnswerUnusable) as refusal:
        read_poll(body, ["hv1"])
    assert "hv1" not in str(refusal.value)


@given(st.binary())
def test_no_bytes_make_it_fail_otherwise(body):
    for read in (read_report, read_listing, lambda each: read_poll(each, ["hv1"])):
        try:
            read(body)
        except (AnswerUnusable, BadRow):
            continue


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["", *row()]), inner, max_size=3),
    max_leaves=6,
)
ROWS = st.fixed_dictionaries(
    {},
    optional={
        "host_name": st.sampled_from(["hv1", "hv2"]) | JSON,
        "trust_lvl": st.sampled_from(["trusted", "timeout"]) | JSON,
        "vtime": st.just(WHEN) | JSON,
        "pcr_values": st.lists(st.fixed_dictionaries({"number": st.integers(0, 25) | JSON, "value": JSON})) | JSON,
    },
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ROWS | JSON, max_size=4))
def test_trusted_is_only_who_has_one_good_row_that_says_so(rows):
    for name, answer in poll(*rows).answers.items():
        if isinstance(answer, Evidence) and answer.verdict is Verdict.TRUSTED:
            (only,) = (each for each in rows if isinstance(each, dict) and each.get("host_name") == name)
            assert (only["trust_lvl"], only["vtime"]) == ("trusted", WHEN)
            assert sum(map(len, answer.registers.values())) <= len(only.get("pcr_values") or [])


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(JSON)
def test_no_json_makes_it_fail_otherwise(document):
    body = json.dumps(document).encode()
    for read in (read_report, read_listing, lambda each: read_poll(each, ["hv1"])):
        try:
            read(body)
        except (AnswerUnusable, BadRow):
            continue


def report(*rows):
    return read_report(json.dumps({"PcrLogReport": rows}).encode())


def test_a_report_shows_registers_and_its_earliest_date():
    rows = [
        {
            "Name": 17,
            "Value": SHA1,
            "Verified_On": "2016-02-29T22:29:27.000+0000",
            "TrustStatus": 1,
            "ModuleLogs": [],
        },
        {"Name": "18", "Value": SHA1, "Verified_On": 1456784966000},
        {"Name": 18, "Value": SHA1, "Verified_On": "Mon Feb 29 22:29:28 2016"},
    ]
    shown = report(*rows)
    assert shown.registers == {Bank.SHA1: {17: bytes.fromhex(SHA1), 18: bytes.fromhex(SHA1)}}
    assert shown.verified_on == MOMENT.replace(microsecond=0)


@pytest.mark.parametrize(
    ("rows", "detail"),
    [
        ([], "no register"),
        ([{"Name": 17, "Verified_On": WHEN}], "no register"),
        ([{"Name": 17, "Value": SHA1}], "Verified_On"),
        ([{"Name": 17, "Value": SHA1, "Verified_On": "today"}], "date"),
        ([{"Value": SHA1, "Verified_On": WHEN}], "Name"),
        ([{"Name": 99, "Value": SHA1, "Verified_On": WHEN}], "99"),
        ([{"Name": 17, "Value": value, "Verified_On": WHEN} for value in (SHA1, 20 * "00")], "two different values"),
    ],
)
def test_a_report_with_anything_wrong_is_none(rows, detail):
    with pytest.raises(BadRow, match=detail):
        report(*rows)


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ([{"HostName": "hv1", "IPAddress": "10.0.0.1", "Port": 9999}, {"HostName": "hv2"}], ("hv1", "hv2")),
        ({"hostBean": [{"HostName": "hv1"}, {"HostName": "hv2", "IPAddress": None}]}, ("hv1", "hv2")),
        ({"hostBean": {"HostName": "hv1"}}, ("hv1",)),
        (None, ()),
        ([], ()),
        ([{"HostName": "hv1"}, {"HostName": "hv1"}], ("hv1",)),
    ],
)
def test_a_list_of_hosts_comes_in_the_forms_of_both_dialects(document, names):
    assert read_listing(json.dumps(document).encode()).names == names


@pytest.mark.parametrize(
    "document",
    [
        "hv1",
        {},
        {"hostBean": "hv1"},
        ["hv1"],
        [{"IPAddress": "10.0.0.1"}],
        [{"HostName": "a\x00"}],
        [{"HostName": ""}],
    ],
)
def test_another_list_of_hosts_is_refused(document):
    with pytest.raises(AnswerUnusable):
        read_listing(json.dumps(document).encode())


GOOD_ROW = (
    b'{"host_name":"good","trust_lvl":"trusted","vtime":"2026-11-23T12:00:00Z",'
    b'"pcr_values":[{"number":17,"value":"%s"}]}'
)


@pytest.mark.parametrize(
    "row",
    [
        b'{"host_name":"bad","trust_lvl":"trusted","vtime":NaN}',
        b'{"host_name":"bad","trust_lvl":"trusted","vtime":Infinity}',
        b'{"host_name":"bad","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"host_name":"bad","x":"\xff"}',
        b'{"host_name":"bad","x":"\\ud800"}',
        b'{"host_name":"bad","x":"}]{[\\""}',
    ],
)
def test_a_row_that_is_no_json_costs_that_row_only(row: bytes) -> None:
    body = b'{"hosts":[' + row + b"," + GOOD_ROW % (b"ab" * 20) + b"]}"
    answers = read_poll(body, ["good", "bad"]).answers
    assert answers["good"].finding is None
    assert answers["bad"].finding.reason is Reason.ANSWER_MALFORMED


@pytest.mark.parametrize("registers", [b"7", b'[{"number":17,"value":"zz"}]', b'[{"number":99,"value":"ab"}]'])
def test_untrusted_counts_whatever_else_is_wrong_with_the_row(registers: bytes) -> None:
    row = b'{"host_name":"bad","trust_lvl":"untrusted","vtime":"2026-11-23T12:00:00Z","pcr_values":%s}' % registers
    answer = read_poll(b'{"hosts":[' + row + b"]}", ["bad"]).answers["bad"]
    assert isinstance(answer, Evidence)
    assert (answer.verdict, dict(answer.registers)) == (Verdict.UNTRUSTED, {})
    assert answer.finding is not None
    assert answer.finding.reason is Reason.ANSWER_MALFORMED
