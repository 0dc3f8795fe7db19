"""One register of one host changes: both judge it, people approve what it shows, and both trust it again."""

import json
import shlex
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.waiting import eventually
from tests.keylime.arrival import decide, propose
from tests.keylime.lab import INVALID_QUOTE, KeylimeLab
from tests.keylime.stage import HOSTS, POLL_S, SERVER, Stage

pytestmark = [pytest.mark.keylime, pytest.mark.timeout(900)]

ONE, BOOT, PLAIN = HOSTS
ALLOWED_S = POLL_S + 4.0  # a poll, a tick, and a verdict


def verifier_fails(lab: KeylimeLab, agent: str) -> float:
    """Waits until the verifier has seen it; the moment, of a monotonic clock."""
    eventually(
        lambda: lab.says(agent)["operational_state"], INVALID_QUOTE.__eq__, "the verifier never saw the register"
    )
    return time.monotonic()


def test_a_host_whose_register_17_changed_is_untrusted_until_people_approved_it(
    connected: Stage, visit, measured_boot, measured
):
    before = lost(connected)
    [golden] = allowed(connected.lab, ONE)

    # Somebody looks while it happens.
    viewer = visit("viewer")
    viewer.open(f"/hosts/{ONE}/")
    viewer.reads("#host .badge", "Trusted")
    stayed = viewer.stays()
    with ThreadPoolExecutor(1) as pool:
        began = connected.lab.changes("extend", ONE, "17", "a module that nobody approved")
        failed = pool.submit(verifier_fails, connected.lab, ONE)
        seen = connected.becomes(ONE, "untrusted", "a changed register was never seen") - began
        theirs = failed.result() - began
    measured(
        f"The host was untrusted {seen:.1f} s after its register changed; Keylime had failed it after {theirs:.1f} s."
    )
    assert seen < ALLOWED_S

    # Exactly that register, by both.
    viewer.reads("#host .badge", "Untrusted")
    viewer.reads(".reason", "Differs from the closest approved baseline in PCR 17.")
    assert [row.text for row in viewer.all("table.registers:not(.values) th[scope=row]")] == ["17"]
    viewer.reads("#host aside", f"{SERVER} says Untrusted pcr_validation.invalid_pcr_17 We find Untrusted")
    assert stayed()
    viewer.photograph("keylime-untrusted")
    (said,) = connected.host(ONE)["servers"]
    assert (said["verdict"], said["match"]) == ("untrusted", "untrusted")
    assert [each["index"] for each in said["differing"]] == [17]
    assert [each["index"] for each in said["matching"]] == [*range(8), 18]
    assert connected.evidence(ONE)["vouched_for_by"] == "quote"
    assert connected.states() == {ONE: "untrusted"} | dict.fromkeys((BOOT, PLAIN), "trusted")

    # What it shows now is proposed from its page, and others approve.
    approver = visit("approver")
    approver.open(f"/hosts/{ONE}/")
    approver.click(f"#propose-{SERVER}-vmm")
    approved = decide(visit, propose(approver, "The module is ours: CHG-1203."))

    # It is published: Keylime itself attests the host again, by both values, and so the other host by them.
    again = connected.becomes(ONE, "trusted", "what was approved brought no trust back", 120) - approved
    measured(f"The host was trusted again {again:.1f} s after what it shows was approved, by Keylime, too.")
    shown = connected.host(ONE)["servers"][0]["matching"]
    actual = {each["index"]: each["actual"] for each in shown}
    for name in (ONE, PLAIN):
        eventually(
            lambda name=name: allowed(connected.lab, name), {golden, actual[17]}.__eq__, f"{name} is as before"
        )
        eventually(
            lambda name=name: connected.lab.says(name)["attestation_count"], bool, f"Keylime attests {name} no more"
        )
    assert (connected.evidence(ONE)["verdict"], connected.evidence(ONE)["vouched_for_by"]) == ("trusted", "quote")
    viewer = visit("viewer")
    viewer.open(f"/hosts/{ONE}/")
    viewer.reads("#host aside", f"what is approved, at {SERVER}, too")
    viewer.open("/activity/")
    viewer.photograph("keylime-published")

    # Not that whose verifier holds what it never shows.
    runs_what_its_page_says(connected, visit, measured_boot, {golden}, {golden, actual[17]})
    connected.all_trusted("a host lost its trust by what was published")
    assert lost(connected) == before


def runs_what_its_page_says(stage: Stage, visit, policy: Path, before: set[str], after: set[str]) -> None:
    """An agent whose measured boot policy is this file was left alone; somebody runs the tenant's command instead."""
    assert allowed(stage.lab, BOOT) == before
    viewer = visit("viewer")
    viewer.open(f"/hosts/{BOOT}/evidence/")
    viewer.reads("#host", f"another policy at {SERVER}, which is kept")
    program, *words = shlex.split(viewer.one("pre.command").text)
    viewer.photograph("keylime-tenant-command")
    assert program == "keylime_tenant"
    stage.lab.run("tenant", *(str(policy) if word == "MEASURED_BOOT_POLICY_FILE" else word for word in words))
    assert allowed(stage.lab, BOOT) == after
    assert stage.lab.says(BOOT)["has_mb_refstate"] == 1


def allowed(lab: KeylimeLab, agent: str) -> set[str]:
    """The values of register 17 that the verifier takes from an agent."""
    return set(json.loads(lab.says(agent).get("tpm_policy") or "{}").get("17", []))


def lost(stage: Stage) -> str:
    """How often a host lost its trust, but for the one whose register changed."""
    return stage.asked(f"HostEvent.objects.filter(previous_state='trusted').exclude(host__name={ONE!r}).count()")


@pytest.fixture
def measured_boot(connected: Stage, tmp_path) -> Iterator[Path]:
    """One agent has a policy for measured boot, which its verifier never shows: the file with it."""
    policy = tmp_path / "measured-boot.json"
    policy.write_text("{}")  # it takes anything
    held = connected.evidence(BOOT)["registers"]["sha256"]
    registers = json.dumps({index: [held[index]] for index in ("17", "18")})
    connected.lab.run("enrol", BOOT, "--mb-policy", str(policy), "--tpm_policy", registers)
    assert connected.lab.says(BOOT)["has_mb_refstate"] == 1
    yield policy
    connected.lab.run("enrol", BOOT)
