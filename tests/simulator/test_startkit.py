"""What an operator brings along: all hosts, and golden values of the approved state only."""

import csv
import json

import pytest

from txt_dashboard.attest.pcr import Bank, parse_value
from txt_dashboard.simulator.fleet import build_fleet, host_values
from txt_dashboard.simulator.startkit import REGISTRATION, golden_json, inventory_csv, registrations_csv
from txt_dashboard.simulator.story import Story


@pytest.fixture(scope="module")
def golden() -> dict:
    return json.loads(golden_json(build_fleet()))


def test_the_inventory_holds_every_host():
    rows = list(csv.reader(inventory_csv(build_fleet()).splitlines()))
    assert rows[0] == ["host", "pool"]
    assert len(rows) == 421
    assert ["edge-005", "edge"] in rows


def test_the_registrations_hold_every_host_with_its_mles():
    rows = list(csv.DictReader(registrations_csv(build_fleet()).splitlines()))
    assert len(rows) == 420
    assert tuple(rows[0]) == REGISTRATION
    assert len({row["address"] for row in rows}) == 420
    assert rows[0] == {
        "host": "az1-001",
        "address": "10.20.0.1",
        "port": "9999",
        "pool": "az1",
        "bios_name": "BIOS 2.19 (R640)",
        "bios_version": "2.19",
        "bios_oem": "Dell Inc.",
        "vmm_name": "VMM 6.1.0-37 (R640)",
        "vmm_version": "6.1.0-37",
        "vmm_os_name": "Debian",
        "vmm_os_version": "12",
    }


def test_the_policy_names_both_parts(golden):
    assert golden["format"] == "txt-dashboard baselines 1"
    assert golden["policies"] == [
        {
            "server": "oat-1",
            "pool": "",
            "parts": {
                "platform": {"bank": "sha1", "registers": [0, 2, 7]},
                "vmm": {"bank": "sha1", "registers": [4, 17, 18, 19]},
            },
            "validity_s": 120,
            "word_is_enough": False,
        }
    ]


def test_there_is_one_baseline_for_each_model_and_part(golden):
    assert [(each["part"], each["name"]) for each in golden["baselines"]] == [
        ("platform", "BIOS 2.19 (R640)"),
        ("platform", "BIOS 2.90 (DL360)"),
        ("platform", "BIOS 3.42 (SR630)"),
        ("vmm", "VMM 6.1.0-37 (DL360)"),
        ("vmm", "VMM 6.1.0-37 (R640)"),
        ("vmm", "VMM 6.1.0-37 (SR630)"),
    ]


@pytest.mark.parametrize(
    ("seconds", "unmatched"),
    [
        (0, set()),
        (470, {"odd-boot-loader", "kernel-update"}),
        (1000, {"odd-boot-loader", "kernel-update", "canary", "wave"}),
    ],
)
def test_the_golden_values_match_the_approved_state_only(golden, seconds, unmatched):
    story = Story(build_fleet())
    hosts_of = {chapter.name: set(chapter.hosts) for chapter in story.chapters}
    missing = {host.name for host in story.fleet.hosts if not _approved(host, story, seconds, golden)}
    assert missing == set().union(*(hosts_of[name] for name in unmatched))


def _approved(host, story, seconds, golden) -> bool:
    values = host_values(host, story.boot(host, seconds), story.fleet.seed)
    parts = {
        each["part"]
        for each in golden["baselines"]
        if all(values[int(index)] == parse_value(text, Bank.SHA1) for index, text in each["values"].items())
    }
    return parts == {"platform", "vmm"}
