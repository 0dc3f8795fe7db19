"""One register of one host changes: both judge it, people approve what it shows, and both trust it again."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.waiting import eventually
from tests.keylime.arrival import decide, propose
from tests.keylime.lab import INVALID_QUOTE, KeylimeLab
from tests.keylime.stage import HOSTS, POLL_S, SERVER, Stage

pytestmark = [pytest.mark.keylime, pytest.mark.timeout(900)]

ONE, *OTHERS = HOSTS
ALLOWED_S = POLL_S + 4.0  # a poll, a tick, and a verdict


def verifier_fails(lab: KeylimeLab, agent: str) -> float:
    """Waits until the verifier has seen it; the moment, of a monotonic clock."""
    eventually(
        lambda: lab.says(agent)["operational_state"], INVALID_QUOTE.__eq__, "the verifier never saw the register"
    )
    return time.monotonic()


def test_a_host_whose_register_17_changed_is_untrusted_until_people_approved_it(connected: Stage, visit, measured):
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
    assert connected.states() == {ONE: "untrusted"} | dict.fromkeys(OTHERS, "trusted")

    # What it shows now is proposed from its page, and others approve.
    approver = visit("approver")
    approver.open(f"/hosts/{ONE}/")
    approver.click(f"#propose-{SERVER}-vmm")
    decide(visit, propose(approver, "The module is ours: CHG-1203."))
    connected.lab.run("enrol", ONE)
    connected.all_trusted("what was approved brought no trust back", seconds=120)
