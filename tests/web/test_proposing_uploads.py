"""Proposing what people bring along: files of two forms, and registers as tools print them."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.factories import GOOD, value
from tests.rows import put_set
from tests.web.filled import filled
from tests.web.visitors import browser_of, text
from txt_dashboard.models import Proposal
from txt_dashboard.queries.in_force import in_force

pytestmark = pytest.mark.django_db
UPLOAD, HAND = "/propose/upload/", "/propose/by-hand/"
WHY = {"reason": "As the vendor published it."}
VALUES = {"17": GOOD[17].hex(), "18": value("kernel 2").hex()}
GOLDEN = {"name": "VMM 2", "part": "vmm", "bank": "sha1", "values": VALUES}
MLE = {
    "Name": "tboot", "Version": "6.1.0-38", "OsName": "Debian", "OsVersion": "12", "Attestation_Type": "PCR",
    "MLE_Type": "VMM", "MLE_Manifests": [{"Name": index, "Value": digits} for index, digits in VALUES.items()],
}  # fmt: skip


@pytest.fixture
def browser(fleet, people) -> Client:
    fleet(hv1=None)
    fleet("az2", hv2=None)
    return browser_of(people.olga)


def ours(*baselines: object, policies: object = ()) -> bytes:
    return json.dumps({"format": "txt-dashboard baselines 1", "baselines": baselines, "policies": policies}).encode()


def send(browser: Client, raw: bytes, name: str = "golden.json", **changes: object):
    file = SimpleUploadedFile(name, raw, "application/json")
    return browser.post(UPLOAD, {**filled(browser.get(UPLOAD)), **WHY, **changes, "file": file})


def upload(browser: Client, raw: bytes, **changes: object):
    """Chooses the file, looks, and proposes what was shown."""
    return browser.post(UPLOAD, {**filled(send(browser, raw, **changes)), "propose": "1"})


def by_hand(browser: Client, **changes: object):
    shown = browser.post(HAND, {**filled(browser.get(HAND)), **WHY, "name": "VMM 2", **changes})
    return shown, browser.post(HAND, {**filled(shown), "propose": "1"})


def added() -> list[dict[str, object]]:
    changes = Proposal.objects.get().patch["changes"].values()
    return [change["after"] for change in changes if change["before"] is None]


# --- Files -------------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [ours(GOLDEN), json.dumps(MLE).encode(), json.dumps([MLE]).encode()])
def test_a_file_of_either_form_is_shown_and_then_proposed(browser, raw) -> None:
    shown = send(browser, raw)
    assert value("kernel 2").hex()[8:] in text(shown)
    assert not Proposal.objects.exists()
    assert browser.post(UPLOAD, {**filled(shown), "propose": "1"}).status_code == 302
    (entry,) = added()
    assert (entry["part"], entry["values"], entry["pools"]) == ("vmm", VALUES, [])
    assert entry["name"] in ("VMM 2", "tboot 6.1.0-38 (Debian 12)")


def test_a_file_must_have_been_shown_before_it_is_proposed(browser) -> None:
    answer = send(browser, ours(GOLDEN), propose="1")
    assert answer.status_code == 409
    assert not Proposal.objects.exists()


def test_pools_and_dates_are_the_files_own_unless_others_are_chosen(browser) -> None:
    own = {**GOLDEN, "pools": ["az2"], "not_after": "2031-01-01T00:00:00Z"}
    assert upload(browser, ours(own)).status_code == 302
    assert (added()[0]["pools"], added()[0]["not_after"]) == (["az2"], "2031-01-01T00:00:00+00:00")
    Proposal.objects.all().delete()
    upload(browser, ours(own), scope="chosen", pools=["az1"], not_after="2030-01-01T00:00")
    assert (added()[0]["pools"], added()[0]["not_after"]) == (["az1"], "2030-01-01T00:00:00+00:00")


def test_registers_that_no_policy_requires_are_left_out_or_refused(browser) -> None:
    more = ours({**GOLDEN, "values": {**VALUES, "20": "aa" * 20, "10": "bb" * 20}})
    refused = upload(browser, more, required_only="")
    assert refused.status_code == 400
    assert "Register 10 is never a reference value" in text(refused)
    assert upload(browser, more).status_code == 302
    assert added()[0]["values"] == VALUES


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (ours({**GOLDEN, "values": {"17": "aa"}}), 'Baseline "VMM 2": register 17: a sha1 value has 20 bytes'),
        (ours({**GOLDEN, "values": {"17": "00" * 20}}), "VMM 2: Register 17 is all 00"),
        (ours({**GOLDEN, "part": "platform"}), "Register 17 is outside the platform part"),
        (
            json.dumps({**MLE, "MLE_Manifests": [{"Name": "18", "Value": "xy"}]}).encode(),
            'VMM MLE "tboot": register 18',
        ),
        (b"", "The file is empty"),
        (b"<html>", "not in the MLE form"),
        (b'{"format": "other"}', 'format is not "txt-dashboard baselines 1"'),
        (b"\xff\xfe", "not in UTF-8"),
        (b"[" * 100_000, "not in the MLE form"),
        (b" " * (1024 * 1024 + 1), "larger than 1 MiB"),
        (ours({**GOLDEN, "name": "<script>\u202e"}), "printable"),
    ],
)
def test_a_file_that_cant_be_used_is_told_with_the_reason(browser, raw, says) -> None:
    shown = send(browser, raw, propose="1")
    assert shown.status_code == 400
    assert says in text(shown)
    assert b"<script>\xe2" not in shown.content
    assert not Proposal.objects.exists()


def test_a_file_with_policies_takes_somebody_who_may_propose_them(browser, people) -> None:
    policy = {
        "server": "oat-1",
        "pool": "az1",
        "parts": {"vmm": {"bank": "sha1", "registers": [18]}},
        "validity_s": 60,
    }
    assert upload(browser, ours(GOLDEN, policies=[policy])).status_code == 403
    assert not Proposal.objects.exists()
    assert upload(browser_of(people.anna), ours(GOLDEN, policies=[policy])).status_code == 302
    assert "policy:oat-1/az1" in Proposal.objects.get().patch["changes"]


def test_policies_of_the_file_judge_its_baselines(browser, people, oat) -> None:
    put_set({id_: None for id_ in in_force().set.entries if id_.startswith(("policy:", "baseline:"))})
    anna = browser_of(people.anna)
    assert "No policy in its scope" in text(send(anna, ours(GOLDEN)))
    policy = {"server": "oat-1", "parts": {"vmm": {"bank": "sha1", "registers": [17, 18]}}, "validity_s": 60}
    assert upload(anna, ours(GOLDEN, policies=[policy])).status_code == 302


def test_a_file_is_kept_exactly_while_a_person_looks(browser) -> None:
    raw = ours({**GOLDEN, "name": 'a "quoted" </textarea><b> & name'})
    shown = send(browser, b"\n" + raw)
    assert b"</textarea><b> &" not in shown.content
    assert filled(shown)["document"] == ["\n" + raw.decode()]


# --- By hand -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "\n".join(f"{index}: {digits}" for index, digits in VALUES.items()),
        "\r\n".join(f"sha1:{index}={digits}" for index, digits in VALUES.items()),
        "  sha1:\n" + "\n".join(f"    {index}: 0x{digits.upper()}" for index, digits in VALUES.items()),
        "  sha1:\n    0 : 0x" + "AB" * 20 + "\n" + "\n".join(f"    {i}: 0x{d}" for i, d in VALUES.items())
        + "\n  sha256:\n    18: 0x" + "CD" * 32,
    ],
)  # fmt: skip
def test_registers_as_people_write_them_become_a_baseline(browser, typed) -> None:
    shown, made = by_hand(browser, values=typed)
    assert value("kernel 2").hex()[8:] in text(shown)
    assert made.status_code == 302
    (entry,) = added()
    assert (entry["name"], entry["part"], entry["bank"], entry["values"]) == ("VMM 2", "vmm", "sha1", VALUES)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"values": "18: abc"}, "Line 1: register 18"),
        ({"values": "18: " + "ab" * 20, "name": ""}, "A name has 1 to 100 printable characters"),
        ({"values": "18: " + "ab" * 20, "bank": "sha256"}, "There is no value of the bank SHA256"),
        ({"values": f"18: {'ab' * 32}\n18: {'cd' * 48}"}, "values of several banks: SHA256, SHA384"),
        ({"values": "18: " + "ab" * 32}, "No policy in its scope requires sha256 registers of the vmm part"),
        ({"values": "18: " + "00" * 20}, "Register 18 is all 00"),
        ({"values": "23: " + "ab" * 20, "required_only": ""}, "Register 23 is never a reference value"),
        ({"values": "x" * 70_000}, "at most 65536 characters"),
        ({"values": "18: " + "ab" * 20, "part": "disk"}, "Select a valid choice"),
        ({"values": "18: " + "ab" * 20, "part": ""}, "Say which part"),
    ],
)
def test_what_cant_be_a_baseline_is_told_with_the_reason(browser, changes, says) -> None:
    shown, made = by_hand(browser, **changes)
    assert says in text(shown)
    assert made.status_code == 400
    assert not Proposal.objects.exists()


def test_a_baseline_that_no_host_can_match_alone_is_a_warning(browser) -> None:
    shown, made = by_hand(browser, values="18: " + "ab" * 20)
    assert "No host can match this alone: its policy requires registers 17 too." in text(shown)
    assert made.status_code == 302


def test_nothing_entered_proposes_nothing(browser) -> None:
    for address in (UPLOAD, HAND):
        shown = browser.get(address)
        assert "There is nothing to propose yet" in text(shown)
        answer = browser.post(address, {**filled(shown), **WHY, "propose": "1"})
        assert (answer.status_code, Proposal.objects.count()) == (400, 0)
