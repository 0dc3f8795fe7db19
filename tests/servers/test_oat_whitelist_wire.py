"""What OpenAttestation answers of its whitelist: read as it was meant, or refused. Hostile servers included."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.harness import answer, raw, trickle
from txt_dashboard.servers.base import (
    AccessDenied,
    AnswerUnusable,
    Conflict,
    Connection,
    Refused,
    ServerError,
    ServerUnreachable,
)
from txt_dashboard.servers.mle import Mle, MleKind, MleRef, Registration
from txt_dashboard.servers.oat_whitelist import MOST_IN_USE, OatWhitelist
from txt_dashboard.servers.oat_whitelist_wire import (
    host_body,
    is_success,
    mle_body,
    mle_query,
    read_manifest,
    read_mles,
    read_registrations,
)

HEX = 20 * "ab"
VALUE = bytes.fromhex(HEX)
BIOS = MleRef(MleKind.BIOS, "BIOS", "1", oem="Dell Inc.")
VMM = MleRef(MleKind.VMM, "VMM", "2", os_name="Debian", os_version="12")
HOST = {
    "HostName": "hv1",
    "IPAddress": "10.0.0.1",
    "Port": 9999,
    "BIOS_Name": "BIOS",
    "BIOS_Version": "1",
    "BIOS_Oem": "Dell Inc.",
    "VMM_Name": "VMM",
    "VMM_Version": "2",
    "VMM_OSName": "Debian",
    "VMM_OSVersion": "12",
    "AddOn_Connection_String": "intel:https://10.0.0.1:9999",
    "Description": "rack 3",
    "Email": "",
}
REGISTERED = Registration(
    "hv1", "10.0.0.1", 9999, BIOS, VMM, connection="intel:https://10.0.0.1:9999", description="rack 3"
)


def wire(document) -> bytes:
    return json.dumps(document).encode()


def manifest(rows, **changes):
    found = {"Name": "VMM", "Version": "2", "MLE_Type": "VMM", "OsName": "Debian", "MLE_Manifests": rows}
    return wire(found | changes)


@pytest.mark.parametrize(
    "document",
    [
        [HOST],
        {"hostBean": [HOST]},
        {"hostBean": HOST},
        [HOST | {"Port": "9999", "Location": "null", "Email": "null", "AIK_Certificate": None}],
    ],
)
def test_a_host_is_read_from_every_form_of_list(document):
    assert read_registrations(wire(document)) == (REGISTERED,)


@pytest.mark.parametrize("document", [[], {"hostBean": []}, None])
def test_no_hosts_are_no_hosts(document):
    assert read_registrations(wire(document)) == ()


def test_a_host_without_an_mle_or_a_port_says_so():
    (found,) = read_registrations(wire([HOST | {"VMM_Name": "null", "BIOS_Name": None, "Port": "x"}]))
    assert (found.bios, found.vmm, found.port) == (None, None, None)


@pytest.mark.parametrize(
    "document",
    [
        [HOST, HOST],
        [HOST | {"HostName": ""}],
        [HOST | {"HostName": "a\nb"}],
        [HOST | {"HostName": ["hv1"]}],
        [HOST | {"Description": 2000 * "x"}],
        [HOST | {"VMM_Name": 7}],
        [{}],
        {},
        "hv1",
        {"hosts": [HOST]},
    ],
)
def test_a_list_of_hosts_that_can_not_be_is_refused_as_a_whole(document):
    with pytest.raises(AnswerUnusable):
        read_registrations(wire(document))


@pytest.mark.parametrize("port", [0, -1, 70000, "99999999999999999999"])
def test_a_port_that_can_not_be_is_kept_for_what_it_is_or_none(port):
    (found,) = read_registrations(wire([HOST | {"Port": port}]))
    assert found.port is None or found.port == port


def test_mles_are_read_from_every_form_of_list():
    rows = [
        {"Name": "BIOS", "Version": "1", "MLE_Type": "BIOS", "OemName": "Dell Inc.", "OsName": "null"},
        {"Name": "VMM", "Version": "2", "MLE_Type": "VMM", "OsName": "Debian", "OsVersion": "12", "OemName": None},
    ]
    assert read_mles(wire(rows)) == read_mles(wire({"mleBean": rows})) == (BIOS, VMM)
    assert read_mles(wire({"mleBean": rows[0]})) == (BIOS,)
    assert read_mles(wire(rows + rows)) == (BIOS, VMM)
    assert read_mles(b"null") == ()


@pytest.mark.parametrize(
    "row", [{"MLE_Type": "GPU"}, {"MLE_Type": None}, {"Name": None}, {"Name": 2000 * "x"}, {"Version": ["1"]}]
)
def test_an_mle_that_can_not_be_is_refused(row):
    with pytest.raises(AnswerUnusable):
        read_mles(wire([{"Name": "VMM", "Version": "2", "MLE_Type": "VMM", **row}]))


def test_too_many_mles_are_refused():
    row = {"Name": "VMM", "Version": "2", "MLE_Type": "VMM"}
    with pytest.raises(AnswerUnusable, match="more than the 10000"):
        read_mles(wire(10_001 * [row]))


@pytest.mark.parametrize(
    ("rows", "values"),
    [
        ([{"Name": "18", "Value": HEX}], {18: VALUE}),
        ({"Name": 18, "Value": HEX.upper()}, {18: VALUE}),
        ([{"Name": "18", "Value": HEX}, {"Name": "18", "Value": HEX}], {18: VALUE}),
        ([], {}),
        (None, {}),
    ],
)
def test_values_are_read(rows, values):
    assert read_manifest(manifest(rows), VMM) == values


@pytest.mark.parametrize("body", [b"null", b"{}", b'{"Name": null}', b'{"Name": "null"}'])
def test_an_mle_without_a_name_is_none(body):
    assert read_manifest(body, VMM) is None


@pytest.mark.parametrize(
    ("rows", "changes", "why"),
    [
        ([{"Name": "18", "Value": HEX}, {"Name": "18", "Value": 20 * "cd"}], {}, "two different values"),
        ([{"Name": "18", "Value": 32 * "ab"}], {}, "something else than values"),
        ([{"Name": "18", "Value": ""}], {}, "something else than values"),
        ([{"Name": "18"}], {}, "something else than values"),
        ([{"Name": "18", "Value": "zz"}], {}, "something else than values"),
        ([{"Name": "24", "Value": HEX}], {}, "something else than values"),
        ([{"Name": "tboot", "Value": HEX}], {}, "something else than values"),
        (101 * [{"Name": "18", "Value": HEX}], {}, "no JSON of the form"),
        ("values", {}, "no JSON of the form"),
        ([], {"Name": "other"}, "answered another MLE"),
        ([], {"Version": "3"}, "answered another MLE"),
        ([], {"MLE_Type": "BIOS"}, "answered another MLE"),
    ],
)
def test_values_that_can_not_be_are_refused(rows, changes, why):
    with pytest.raises(AnswerUnusable, match=why):
        read_manifest(manifest(rows, **changes), VMM)


@pytest.mark.parametrize("body", [b"True", b"true", b'"true"', b" True\n"])
def test_success_has_many_forms(body):
    assert is_success(body)


@pytest.mark.parametrize("body", [b"", b"False", b"null", b'{"error_code": 0}', b"truely", b"<html>true</html>"])
def test_all_else_is_no_success(body):
    assert not is_success(body)


def test_requests_hold_what_the_contract_names():
    assert json.loads(mle_body(Mle(VMM, {18: VALUE, 4: VALUE}, "about"))) == {
        "Name": "VMM",
        "Version": "2",
        "OsName": "Debian",
        "OsVersion": "12",
        "Attestation_Type": "PCR",
        "MLE_Type": "VMM",
        "Description": "about",
        "MLE_Manifests": [{"Name": "4", "Value": HEX}, {"Name": "18", "Value": HEX}],
    }
    assert mle_query(BIOS) == {"mleName": "BIOS", "mleVersion": "1", "oemName": "Dell Inc."}
    said = json.loads(host_body(REGISTERED, port_is_text=False))
    assert said == {key: value for key, value in HOST.items() if value}
    assert json.loads(host_body(REGISTERED, port_is_text=True))["Port"] == "9999"


@given(st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(wire))
def test_whatever_a_server_answers_only_one_error_comes_of_it(body):
    for read in (read_mles, read_registrations, lambda each: read_manifest(each, VMM)):
        with suppress(AnswerUnusable):
            read(body)


@pytest.fixture
def whitelist(server, connect):
    def make(dialect="1.6", **connection):
        client = connect(server.url, **connection)
        return OatWhitelist(Connection("oat", "https://oat-1", ()), dialect=dialect, client=client)

    return make


MLE = Mle(VMM, {18: VALUE}, "about")
NONE, HELD, OTHER = answer(b"null"), answer(manifest([{"Name": "18", "Value": HEX}])), answer(manifest([]))
YES = answer(b"True", Content_Type="text/plain")


def fault(code, status=400):
    return answer(wire({"error_code": code, "error_message": "SECRET"}), status)


def test_yes_is_believed_only_once_it_can_be_seen(server, whitelist):
    server.answers(NONE, YES, YES, HELD)
    whitelist().add_mle(MLE)
    server.answers(NONE, YES, YES, NONE)
    with pytest.raises(AnswerUnusable, match="said that it added VMM 2, and does not have it"):
        whitelist().add_mle(MLE)
    server.answers(NONE, YES, YES, OTHER)
    with pytest.raises(Conflict):
        whitelist().add_mle(MLE)


def test_whoever_was_first_with_the_same_is_welcome(server, whitelist):
    server.answers(NONE, fault(1006), fault("1006"), HELD)
    whitelist().add_mle(MLE)


@pytest.mark.parametrize(
    ("dialect", "code", "status", "sentence"),
    [
        ("1.6", 500, 500, "too long or for a character in it"),
        ("1.6", 4242, 400, "refused it with its error 4242"),
        ("2.x", 2004, 400, "lacks the operating system"),
        ("2.x", 2021, 400, "takes SHA-1 values only"),
    ],
)
def test_a_no_has_a_sentence_and_never_the_servers_own_text(server, whitelist, dialect, code, status, sentence):
    server.answers(NONE, YES, fault(code, status), NONE)
    with pytest.raises(Refused, match=sentence) as refused:
        whitelist(dialect).add_mle(MLE)
    assert refused.value.fault == code
    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize(
    ("respond", "error"),
    [
        (answer(b"False"), AnswerUnusable),
        (answer(b""), AnswerUnusable),
        (answer(b"<html>True</html>", Content_Type="text/html"), AnswerUnusable),
        (answer(b"", 500), AnswerUnusable),
        (answer(b"", 404), AnswerUnusable),
        (answer(b"", 302, Location="http://elsewhere"), AnswerUnusable),
        (answer(b'{"error_code": [1]}', 400), AnswerUnusable),
        (answer(b'{"error_code": "123456789"}', 400), AnswerUnusable),
        (answer(b'{"error_code": -1}', 400), AnswerUnusable),
        (answer(b"[" * 100_000, 400), AnswerUnusable),
        (answer(20_000 * b" " + b'{"error_code": 1}', 400), AnswerUnusable),
        (answer(20_000 * b"x"), AnswerUnusable),
        (answer(b'{"error_code": 1}', 401), AccessDenied),
        (answer(b'{"error_code": 1}', 503), ServerUnreachable),
        (raw(b"True"), ServerUnreachable),
    ],
)
def test_what_is_neither_yes_nor_no_is_an_error_of_its_own(server, whitelist, respond, error):
    server.answers(respond)
    with pytest.raises(error) as raised:
        whitelist().unregister("hv1")
    assert not isinstance(raised.value, Refused)


def test_an_endless_no_ends_with_the_deadline(server, whitelist):
    server.answers(trickle(b"HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\n\r\n", b" "))
    with pytest.raises(ServerError):
        whitelist(deadline=0.4).unregister("hv1")


def test_changes_are_asked_for_in_a_way_that_both_generations_answer(server, whitelist):
    server.answers(YES)
    whitelist(auth_blob="blob").unregister("hv 1")
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("DELETE", "/AttestationService/resources/hosts?hostName=hv+1")
    assert asked.headers["accept"] == "application/json, text/plain;q=0.9"
    assert asked.headers["x-auth-blob"] == "blob"


def test_a_host_that_answers_yes_and_stays_as_it_was_is_an_error(server, whitelist):
    other = {**HOST, "VMM_Version": "1"}
    server.answers(answer(wire([other])), answer(b"true"), answer(wire([other])))
    with pytest.raises(AnswerUnusable, match="judges it by other MLEs"):
        whitelist("2.x").register(REGISTERED)


def test_an_mle_that_can_not_be_read_back_says_so_and_costs_no_other(server, whitelist):
    def respond(handler):
        if "/hosts" in handler.path:
            return answer(wire([HOST]))(handler)
        if "oemName" in handler.path:
            return answer(b'"something"')(handler)
        return NONE(handler)

    server.answers(respond)
    bios, vmm = whitelist().in_use()
    assert (bios.ref, bios.hosts, bios.values) == (BIOS, ("hv1",), {})
    assert bios.problem.startswith("the answer is no JSON")
    assert (vmm.ref, vmm.problem) == (VMM, "the server has no such MLE")


def test_a_whitelist_that_matches_every_host_is_a_problem(server, whitelist):
    def respond(handler):
        if "/hosts" in handler.path:
            return answer(wire([{**HOST, "BIOS_Name": None}]))(handler)
        return OTHER(handler)

    server.answers(respond)
    (found,) = whitelist().in_use()
    assert found.problem == "it names no register, so it matches every host"


def test_an_outage_while_reading_back_is_no_finding(server, whitelist):
    server.answers(answer(wire([HOST])), answer(b"", 503))
    with pytest.raises(ServerUnreachable):
        whitelist().in_use()


def test_reading_back_is_bounded_in_requests(server, whitelist):
    hosts = [{**HOST, "HostName": f"hv{number}", "VMM_Version": str(number)} for number in range(MOST_IN_USE)]
    server.answers(answer(wire(hosts)))
    with pytest.raises(AnswerUnusable, match=f"by {MOST_IN_USE + 1} MLEs"):
        whitelist().in_use()
    assert len(server.asked) == 1
