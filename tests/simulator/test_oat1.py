"""The wire of OpenAttestation 1.6, over real connections."""

from urllib.parse import quote

import pytest

from txt_dashboard.simulator.fleet import APPROVED_BOOT, host_values

HOSTS = "/AttestationService/resources/hosts?searchCriteria="
MLES = "/WLMService/resources/mles"
POLL = "/AttestationService/resources/PollHosts"


def test_without_a_mask_there_are_no_values(serve):
    (row,) = serve().client.poll(["az1-001"])
    assert row["host_name"] == "az1-001"
    assert row["trust_lvl"] == "trusted"
    assert row["pcr_values"] == []
    assert row["vtime"] == "2026-03-04T12:00:00.654+00:00"


@pytest.mark.parametrize(
    ("mask", "registers"),
    [
        ("FFFFFF", list(range(24))),
        ("060000", [17, 18]),
        ("1", [0]),
        ("0e0095", [0, 2, 4, 7, 17, 18, 19]),
        ("0", []),
        ("FF000000", []),
    ],
)
def test_the_mask_is_honoured(serve, mask, registers):
    (row,) = serve().client.poll(["az1-001"], PCRmask=mask)
    assert [each["number"] for each in row["pcr_values"]] == registers


def test_values_are_the_hosts_own(serve):
    world = serve(at=50)
    host = world.fleet.by_name["az2-003"]
    (row,) = world.client.poll([host.name], PCRmask="FFFFFF")
    expected = host_values(host, APPROVED_BOOT, world.fleet.seed, ima_entries=7)
    assert {each["number"]: bytes.fromhex(each["value"]) for each in row["pcr_values"]} == expected


def test_register_10_grows_between_polls(serve):
    world = serve(at=10)
    host = world.fleet.by_name["az2-003"]
    for seconds, entries in ((10, 3), (17, 4), (120, 10), (110, 10)):
        world.move(seconds)
        (row,) = world.client.poll([host.name], PCRmask="400")
        expected = host_values(host, APPROVED_BOOT, world.fleet.seed, entries)[10]
        assert row["pcr_values"] == [{"number": 10, "value": expected.hex()}]


def test_trust_levels_follow_the_story(serve):
    world = serve()
    asked = ["az1-001", "az1-025", "az2-078", "edge-017", "edge-004", "nobody"]
    levels = {}
    for seconds in (0, 200):
        world.move(seconds)
        levels[seconds] = [row["trust_lvl"] for row in world.client.poll(asked)]
    assert levels[0] == ["trusted", "trusted", "trusted", "trusted", "unknown", "unknown"]
    assert levels[200] == ["trusted", "untrusted", "untrusted", "timeout", "unknown", "unknown"]


def test_values_come_with_trusted_and_untrusted_only(serve):
    rows = serve(at=200).client.poll(["az1-001", "az1-025", "edge-017", "edge-004"], PCRmask="FFFFFF")
    assert [len(row["pcr_values"]) for row in rows] == [24, 24, 0, 0]


def test_hosts_are_listed_in_their_class_name(serve):
    world = serve()
    rows = world.client.get(HOSTS)["hostBean"]
    assert len(rows) == 417
    assert {row["HostName"] for row in rows}.isdisjoint({"edge-004", "edge-005", "edge-006"})
    assert len({row["IPAddress"] for row in rows}) == 417
    assert world.client.get(f"{HOSTS}az1-001")["hostBean"]["HostName"] == "az1-001"
    assert world.client.get(f"{HOSTS}nobody") is None


def test_a_host_is_judged_by_the_mles_it_is_registered_with(serve):
    world = serve(at=200)
    row = world.client.get(f"{HOSTS}az1-025")["hostBean"]
    assert row["BIOS_Name"] == "BIOS 2.19 (R640)"
    assert row["VMM_Name"] == "VMM 6.1.0-37 (R640)"
    golden = {}
    for mle in (
        {"mleName": row["BIOS_Name"], "mleVersion": row["BIOS_Version"], "oemName": row["BIOS_Oem"]},
        {
            "mleName": row["VMM_Name"],
            "mleVersion": row["VMM_Version"],
            "osName": row["VMM_OSName"],
            "osVersion": row["VMM_OSVersion"],
        },
    ):
        query = "&".join(f"{key}={quote(value)}" for key, value in mle.items())
        manifest = world.client.get(f"{MLES}/manifest?{query}")["MLE_Manifests"]
        golden |= {int(each["Name"]): each["Value"] for each in manifest}
    assert sorted(golden) == [0, 2, 4, 7, 17, 18, 19]
    for name, differing in (("az1-001", set()), ("az1-025", {18, 19})):
        (polled,) = world.client.poll([name], PCRmask="FFFFFF")
        values = {each["number"]: each["value"] for each in polled["pcr_values"]}
        assert {index for index, value in golden.items() if values[index] != value} == differing
        assert polled["trust_lvl"] == ("untrusted" if differing else "trusted")


def test_mles_are_listed_with_their_values(serve):
    rows = serve().client.get(f"{MLES}?searchCriteria=")["mleBean"]
    assert [row["MLE_Type"] for row in rows] == ["BIOS"] * 3 + ["VMM"] * 3
    assert rows[0]["OemName"] == "Dell Inc."
    assert rows[0]["OsName"] == "null"
    assert [each["Name"] for each in rows[0]["MLE_Manifests"]] == ["0", "2", "7"]


def test_an_unknown_mle_is_answered_with_nothing(serve):
    assert serve().client.get(f"{MLES}/manifest?mleName=none&mleVersion=1&oemName=none") is None


@pytest.mark.parametrize(
    "body",
    [
        '{"hosts":[]}',
        '{"hosts":[""]}',
        '{"hosts":["a+b"]}',
        f'{{"hosts":["{"a" * 51}"]}}',
        '{"hosts":["a"],"PCRmask":"x"}',
    ],
)
def test_what_the_real_one_refuses_as_a_whole(serve, body):
    status, fault = serve().client.ask("POST", POLL, body)
    assert status == 500
    assert fault["error_code"] == 500
    assert fault["error_message"].startswith("Poll Hosts failed")


@pytest.mark.parametrize("body", ["", "no json", "[]", '{"hosts":"az1-001"}', '{"hosts":[1]}', "[" * 100_000])
def test_malformed_bodies_are_faults(serve, body):
    status, fault = serve().client.ask("POST", POLL, body)
    assert status == 400
    assert fault.keys() == {"error_code", "error_message"}


@pytest.mark.parametrize("count", [10, 10_000])
def test_fleets_of_any_size_answer(serve, count):
    world = serve(hosts=count, at=200)
    rows = world.client.poll(world.names, PCRmask="0E0095")
    assert [row["host_name"] for row in rows] == world.names
    assert {row["trust_lvl"] for row in rows} == {"trusted", "untrusted", "timeout", "unknown"}
