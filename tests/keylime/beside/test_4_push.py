"""An agent that pushes: its latest evidence is read from a second verifier and verified; what is a word, is told."""

import base64
import threading
from collections.abc import Iterator

import pytest

from tests.e2e.waiting import eventually
from tests.keylime.beside.stage import HOSTS, PUSH, Both

pytestmark = [pytest.mark.keylime, pytest.mark.timeout(180)]

HOST = HOSTS[2]
CHANGED = (5, 7, 17)


class Pushing:
    """An agent that attests again and again."""

    def __init__(self, both: Both, host: str) -> None:
        self._both, self._host = both, host
        self._enough = threading.Event()
        self._running = threading.Thread(target=self._run)
        self._running.start()

    def stop(self) -> None:
        """It pushes no more."""
        self._enough.set()
        self._running.join()

    def _run(self) -> None:
        while not self._enough.wait(2):
            self._both.lab.tries("push", self._host)


@pytest.fixture(scope="module")
def pushing(moved: Both) -> Iterator[Both]:
    """A host known to three servers: it pushes to a second Keylime, which counts, too."""
    # Without a resource manager the TPM, which the other agent uses, too, refuses now and then.
    eventually(lambda: moved.lab.tries("push", HOST).returncode, (0).__eq__, "it could not push")
    agent = Pushing(moved, HOST)
    try:
        moved.does(f"add({PUSH!r}, {moved.lab.push_verifier!r}, {str(moved.lab.authority)!r}, 5)")
        moved.does(f"require({PUSH!r}, 600)")
        shown = f"Quoted.objects.filter(attestation__server__name={PUSH!r}).count()"
        eventually(lambda: moved.asked(shown), "1".__eq__, "no pushed evidence showed the key")
        moved.does(f"take_shown_keys({PUSH!r})")
        eventually(lambda: moved.said(HOST, PUSH)["match"], "trusted".__eq__, "the pushed evidence proves nothing")
        moved.does(f"count({PUSH!r}, counts=True)")
        eventually(lambda: moved.said(HOST, PUSH)["counts"], bool, "it never counts")
        yield moved
    finally:
        agent.stop()


def test_the_latest_evidence_is_verified_with_its_challenge_and_stays_the_server_s_word(pushing):
    held = pushing.held(HOST, PUSH)
    assert (held["verdict"], held["doubt"], held["vouched_for_by"]) == ("trusted", None, "relayed")
    assert held["details"] == {"agent": HOST, "state": "pushes"}
    assert set(held["registers"]["sha256"]) == {str(index) for index in (*range(8), 17, 18)}
    assert pushing.held(HOST)["vouched_for_by"] == "quote"
    assert f"that it is the present one is {PUSH}'s word" in pushing.page(f"/hosts/{HOST}/")
    page = pushing.page(f"/hosts/{HOST}/evidence/")
    assert f"it signed them in answer to a challenge of {PUSH}, by the key that people approved." in page
    assert f"That they are the present ones is the word of {PUSH}." in page


def test_the_challenge_is_the_one_that_the_verifier_chose(pushing):
    kept = f"bytes(Quoted.objects.get(attestation__server__name={PUSH!r}).nonce).hex()"
    chosen: set[str] = set()

    def is_among_them() -> bool:
        chosen.update(challenges(pushing))
        return pushing.asked(kept) in chosen

    eventually(is_among_them, bool, "it is another")


def test_all_registers_that_differ_are_named_where_keylime_names_one_or_none(pushing):
    for register in CHANGED:
        pushing.lab.run("extend", HOST, str(register), "not approved")
    pushing.becomes(HOST, "untrusted", "the changed registers were never seen")
    eventually(lambda: pushing.differs(HOST, PUSH), list(CHANGED).__eq__, "pushed evidence shows something else")
    assert pushing.said(HOST, PUSH)["verdict"] == "unknown"
    at_verifier = pushing.lab.asks(f"{pushing.lab.push_verifier}/v2.6/agents/{HOST}")["results"]
    assert (at_verifier["attestation_status"], at_verifier["last_event_id"]) == ("FAIL", None)
    pushing.attest(HOST)
    eventually(lambda: pushing.differs(HOST), list(CHANGED).__eq__, "the quote shows something else")
    eventually(lambda: pushing.held(HOST)["details"].get("event", ""), bool, "the other verifier found nothing")
    assert pushing.held(HOST)["details"]["event"] in {f"pcr_validation.invalid_pcr_{each}" for each in CHANGED}
    assert "PCR 5, 7, 17" in pushing.page(f"/hosts/{HOST}/")


def challenges(both: Both) -> set[str]:
    """Of all attestations that this verifier keeps."""
    answer = both.lab.asks(f"{both.lab.push_verifier}/v3.0/agents/{HOST}/attestations/latest")
    evidence = answer["data"]["attributes"]["evidence"]
    return {base64.b64decode(each["chosen_parameters"]["challenge"]).hex() for each in evidence}
