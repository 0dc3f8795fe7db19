"""The wire of OpenAttestation 2.x, over real connections."""

from datetime import timedelta

import pytest

BASE = "/AttestationService/resources"
REPORT = f"{BASE}/hosts/reports/attestationreport?failure_only=false&hostName="
FAILURES = f"{BASE}/hosts/reports/attestationreport?failure_only=true&hostName="
NOON_TEXT = "2026-03-04T12:00:00"


def test_poll_rows_are_verdicts_only(serve):
    rows = serve(api="2.x", at=200).client.poll(["az1-001", "az1-025", "edge-017", "edge-004"])
    assert [row["trust_lvl"] for row in rows] == ["trusted", "untrusted", "unknown", "unknown"]
    assert rows[0] == {"host_name": "az1-001", "trust_lvl": "trusted", "vtime": f"{NOON_TEXT}.654+0000"}


def test_unknown_properties_are_refused(serve):
    body = '{"hosts":["az1-001"],"PCRmask":"FFFFFF"}'
    status, fault = serve(api="2.x").client.ask("POST", f"{BASE}/PollHosts", body)
    assert status == 400
    assert fault.keys() == {"error_code", "error_message"}


def test_the_report_shows_the_last_attestation_beside_the_whitelist(serve):
    world = serve(api="2.x", at=200)
    assert world.client.get(f"{REPORT}az1-025") == {"PcrLogReport": []}
    world.client.poll(["az1-025"])
    rows = world.client.get(f"{REPORT}az1-025")["PcrLogReport"]
    assert {row["Name"]: row["TrustStatus"] for row in rows} == {0: 1, 2: 1, 7: 1, 4: 1, 17: 1, 18: 0, 19: 0}
    assert all((row["Value"] == row["WhitelistValue"]) == bool(row["TrustStatus"]) for row in rows)
    assert {row["Verified_On"] for row in rows} == {f"{NOON_TEXT}.000+0000"}
    assert rows[0]["ModuleLogs"] == []
    assert [row["Name"] for row in world.client.get(f"{FAILURES}az1-025")["PcrLogReport"]] == [18, 19]


def test_a_host_that_no_longer_answers_keeps_its_old_report(serve):
    world = serve(api="2.x", at=80)
    world.client.poll(["edge-017"])
    before = world.client.get(f"{REPORT}edge-017")
    world.move(100)
    world.pass_time(timedelta(seconds=20))
    (row,) = world.client.poll(["edge-017"])
    assert row["trust_lvl"] == "unknown"
    assert row["vtime"].startswith("2026-03-04T12:00:20")
    assert world.client.get(f"{REPORT}edge-017") == before


def test_trust_tells_bios_and_vmm_apart(serve):
    client = serve(api="2.x", at=200).client
    verdict = client.get(f"{BASE}/hosts/trust?hostName=az1-025")
    assert verdict["hostname"] == "az1-025"
    assert verdict["trust"] == {"bios": True, "vmm": False, "location": False, "asset_tag": False}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"{REPORT}edge-004", 1003),
        (f"{BASE}/hosts/trust?hostName=edge-004", 1003),
        (f"{BASE}/hosts/trust", 1003),
        (f"{BASE}/hosts/trust?hostName=edge-017", 1011),
    ],
)
def test_hosts_without_an_answer_are_faults(serve, path, code):
    status, fault = serve(api="2.x", at=200).client.ask("GET", path)
    assert status == 400
    assert fault["error_code"] == code


def test_listings_are_plain_lists(serve):
    client = serve(api="2.x").client
    assert len(client.get(f"{BASE}/hosts?searchCriteria=")) == 417
    assert client.get(f"{BASE}/hosts?searchCriteria=nobody") == []
    assert len(client.get("/WLMService/resources/mles?searchCriteria=VMM")) == 3


def test_1_6_has_no_reports(serve):
    status, _ = serve(api="1.6").client.ask("GET", f"{REPORT}az1-001")
    assert status == 404


def test_ten_thousand_hosts_answer(serve):
    world = serve(api="2.x", hosts=10_000, at=200)
    assert len(world.client.poll(world.names)) == 10_000
