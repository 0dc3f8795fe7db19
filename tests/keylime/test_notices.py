"""A verifier says by itself that an agent failed, and its host is untrusted long before its turn."""

import time
from datetime import UTC, datetime

import pytest

from tests.e2e.waiting import eventually
from tests.keylime.stage import HOSTS, POLL_S, SERVER, Stage
from tests.keylime.test_registers import verifier_fails

pytestmark = [pytest.mark.keylime, pytest.mark.timeout(900)]

HOST = HOSTS[2]
SELDOM_S = 25  # between two polls
ALLOWED_S = 2.0  # from the verifier's verdict to ours
ASKED = f"Attestation.objects.get(server__name={SERVER!r}, host__name={HOST!r}).asked_at.timestamp()"


@pytest.fixture
def seldom(connected: Stage, visit):
    """Hosts are asked for so seldom that only a notice can be as fast."""

    def ask_every(seconds: int) -> None:
        admin = visit("admin")
        admin.open("/servers/")
        card = next(f"#{each.get_attribute('id')}" for each in admin.all(".server") if SERVER in each.text)
        admin.click(f"{card} h2 a")
        admin.fill("#id_interval_s", str(seconds))
        admin.click("main footer button")
        admin.reads("h1", "Attestation servers")

    ask_every(SELDOM_S)
    yield
    ask_every(POLL_S)
    edited_at = time.time()
    lately = f"min(each.asked_at.timestamp() for each in Attestation.objects.filter(server__name={SERVER!r}))"
    eventually(
        lambda: float(connected.asked(lately)), lambda at: at > edited_at, "some hosts were not asked for again"
    )


def test_a_host_is_untrusted_as_soon_as_the_verifier_says_so(connected: Stage, visit, seldom, measured):
    began_at = time.time()
    eventually(lambda: float(connected.asked(ASKED)), lambda at: at > began_at, "the host was not asked for")
    connected.lab.changes("extend", HOST, "18", "a launch that nobody approved")
    failed = verifier_fails(connected.lab, HOST)
    seen = connected.becomes(HOST, "untrusted", "no notice brought a poll") - failed
    asked = datetime.fromtimestamp(float(connected.asked(ASKED)), UTC)
    measured(
        f"A notice made the host untrusted {seen:.1f} s after Keylime had failed it; polls were {SELDOM_S} s apart."
    )
    assert seen < ALLOWED_S, f"it was asked for at {asked}"
    assert connected.evidence(HOST)["details"]["event"] == "pcr_validation.invalid_pcr_18"

    # Launched as before, it matches what is approved, and so the verifier is told to attest it again.
    connected.lab.run("drtm", HOST)
    connected.all_trusted("what is as it was is not trusted", seconds=3 * SELDOM_S)
