"""A Keylime's own notices: a host is asked as soon as its verifier saw that something changed."""

import threading
import time

import pytest
import requests

from tests.e2e.waiting import eventually
from tests.keylime.beside.dishonest import Dishonest
from tests.keylime.beside.doorway import Passed
from tests.keylime.beside.stage import HOSTS, SERVER, Both
from tests.keylime.lab import INVALID_QUOTE

pytestmark = [pytest.mark.keylime, pytest.mark.timeout(120)]

INTERVAL_S = 60
WITHIN_S = 2.0
LATE_S = 4.0
FIRST, SECOND = HOSTS[:2]


@pytest.fixture(scope="module")
def seldom(moved: Both) -> Both:
    """Each host was just asked, and would be asked again in a minute."""
    moved.does(f"require({SERVER!r}, {10 * INTERVAL_S})")
    moved.asks_every(INTERVAL_S)
    return moved


class Verdict:
    """When the verifier itself found that an agent's values are not those that it should have."""

    def __init__(self, both: Both, agent: str) -> None:
        self.at = 0.0
        self._looking = threading.Thread(target=self._look, args=(both, agent))
        self._looking.start()

    def wait(self) -> float:
        """The moment, of a monotonic clock."""
        self._looking.join()
        assert self.at, "the verifier found nothing"
        return self.at

    def _look(self, both: Both, agent: str) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not self.at:
            if both.lab.says(agent).get("operational_state") == INVALID_QUOTE:
                self.at = time.monotonic()
            time.sleep(0.05)


def test_a_changed_register_is_seen_within_two_seconds_of_the_verifier_s_own_detection(seldom, measured):
    host = SECOND
    asked_at = seldom.held(host)["asked_at"]
    found = Verdict(seldom, host)
    seldom.lab.run("extend", host, "4", "a loader that nobody approved")
    at = seldom.becomes(host, "untrusted", "the notice brought no poll about", 30)
    (notice,) = notices(seldom, host)
    measured(f"a notice: {notice.at - found.wait():+.2f} s, untrusted {at - found.wait():+.2f} s after the verdict")
    assert at - found.wait() < WITHIN_S
    assert notice.event == "pcr_validation.invalid_pcr_4"
    assert seldom.held(host)["asked_at"] > asked_at
    assert seldom.differs(host) == [4]


def test_a_notice_while_its_host_is_being_asked_is_not_lost(seldom, tmp_path, measured):
    slow = Dishonest(seldom.lab, FIRST, tmp_path)
    slow.answers = slow.late(LATE_S)
    with slow.standing_in():
        seldom.attest(FIRST)
        eventually(lambda: slow.asked, bool, "nobody asked the agent")
        began = time.monotonic()
        seldom.lab.run("extend", FIRST, "17", "a kernel that nobody approved")
        eventually(lambda: notices(seldom, FIRST), bool, "no notice came", 30)
        assert time.monotonic() - began < LATE_S, "the notice came after the answer, so this shows nothing"
        slow.answers = slow.honestly
        at = seldom.becomes(FIRST, "untrusted", "the notice was lost", 30)
    measured(f"a notice during a poll: untrusted {at - began - LATE_S:+.2f} s after the running poll's answer")
    assert at - began < LATE_S + 2 * WITHIN_S
    assert len(slow.asked) == 2
    slow.close()


def test_all_notices_were_taken_the_first_time(seldom):
    assert [each.status for each in seldom.doorway.passed] == [202, 202]


def test_the_secret_is_in_no_log(seldom):
    secret = seldom.lab.hook_secret
    refused = requests.post(f"{seldom.product.address}/hooks/keylime/{secret}", data=b"no notice", timeout=10)
    assert refused.status_code == 400
    eventually(lambda: seldom.product.log, lambda log: "/hooks/keylime/[cut]" in log, "the refusal is not logged")
    assert secret not in seldom.product.log
    kept = (path for path in seldom.product.folder.rglob("*") if path.is_file())
    assert not [path for path in kept if secret.encode() in path.read_bytes()]


def notices(both: Both, agent: str) -> list[Passed]:
    return [each for each in both.doorway.passed if each.agent == agent]
