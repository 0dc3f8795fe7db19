"""What goes wrong at a Keylime: nothing wrong is shown, and what comes back is trusted again."""

import time

import pytest

from tests.e2e.waiting import eventually
from tests.keylime.arrival import decide, propose
from tests.keylime.lab import FAILED
from tests.keylime.stage import HOSTS, SERVER, VALIDITY_S, Stage

pytestmark = [pytest.mark.keylime, pytest.mark.timeout(900)]

ONE, TWO, THREE = HOSTS


def becomes_all(stage: Stage, state: str, why: str) -> float:
    """Waits until all hosts are in this state; the moment, of a monotonic clock."""
    eventually(stage.states, dict.fromkeys(HOSTS, state).__eq__, why, 2 * VALIDITY_S)
    return time.monotonic()


def ever_untrusted(stage: Stage) -> str:
    """How often a host was called untrusted."""
    return stage.asked("HostEvent.objects.filter(state='untrusted').count()")


def test_a_verifier_that_died_leaves_no_host_untrusted_and_none_trusted(connected: Stage, visit, measured):
    before = ever_untrusted(connected)
    with connected.lab.without("verifier"):
        died = time.monotonic()

        # It is told on every host that rests on it, while what they have goes on to count.
        viewer = visit("viewer")
        for name in HOSTS:
            viewer.open(f"/hosts/{name}/")
            viewer.reads("#host aside", f"{SERVER} does not answer")
            viewer.reads("#host .badge", "Trusted")
        viewer.open("/servers/")
        viewer.reads("main", "nothing listens on port")
        stale = becomes_all(connected, "stale", "evidence did not run out") - died
        measured(
            f"All hosts were stale {stale:.1f} s after the verifier died, of {VALIDITY_S} s that evidence counts."
        )
        assert stale < VALIDITY_S + 5
        viewer.open(f"/hosts/{ONE}/")
        viewer.reads("#host .badge", "Stale")
        viewer.reads(".reason", f"{SERVER} could not be asked")
        viewer.photograph("keylime-verifier-died")

    # It comes back, and nobody else does anything.
    back = time.monotonic()
    again = becomes_all(connected, "trusted", "a verifier that is back brought no trust") - back
    measured(f"All hosts were trusted {again:.1f} s after the verifier was back.")
    assert ever_untrusted(connected) == before


def test_an_agent_that_is_down_is_neither_red_nor_green_and_one_with_a_new_key_is_no_longer_the_same(
    connected: Stage, visit
):
    # Down: the last evidence runs out, and the reason is on the page.
    connected.lab.run("down", TWO)
    connected.lab.run("wait", TWO, str(FAILED), "60")
    connected.becomes(TWO, "stale", "an agent that is down stayed trusted", 2 * VALIDITY_S)
    assert connected.states() == {ONE: "trusted", TWO: "stale", THREE: "trusted"}
    viewer = visit("viewer")
    viewer.open(f"/hosts/{TWO}/")
    viewer.reads("#host .badge", "Stale")
    viewer.reads(".reason", f"The host did not answer {SERVER} in time.")
    viewer.photograph("keylime-agent-down")

    # Back with a new key: Keylime attests it, and that is not enough.
    connected.lab.run("start")
    # While it is enrolled again its verifier knows nothing of it for a moment: that makes it unknown, too.
    eventually(lambda: connected.host(TWO)["reason"], "tpm_identity_changed".__eq__, "the new key was never seen")
    assert connected.states() == {ONE: "trusted", TWO: "unknown", THREE: "trusted"}
    viewer.open(f"/hosts/{TWO}/")
    viewer.reads(".reason", "The TPM's identity changed: the host shows key")
    viewer.reads("#host aside", f"{SERVER} says Trusted We find Undetermined")
    viewer.open(f"/hosts/{TWO}/evidence/")
    viewer.reads(".quotation", "The host shows another key than the approved one.")
    viewer.photograph("keylime-new-key")

    # The new key is proposed from there, and others approve.
    approver = visit("approver")
    approver.open(f"/hosts/{TWO}/evidence/")
    approver.click(".quotation a.btn")
    decide(visit, propose(approver, "Its agent was set up anew: CHG-1204."))
    connected.all_trusted("the new key was approved, and its host is not trusted")
