"""Somebody in an agent's place, with its own certificate: no answer but the agent's makes its host trusted."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.waiting import eventually
from tests.keylime.beside.dishonest import Dishonest, Query
from tests.keylime.beside.stage import HOSTS, Both
from tests.keylime.beside.steps import VALIDITY_S
from tests.servers.harness import Respond, answer, trickle

pytestmark = [pytest.mark.keylime, pytest.mark.timeout(120)]

HOST, ANOTHER = HOSTS[:2]


@pytest.fixture
def liar(moved: Both, tmp_path: Path) -> Iterator[Dishonest]:
    """In the place of the first host's agent; as long as it is honest the host is trusted."""
    made = Dishonest(moved.lab, HOST, tmp_path)
    with made.standing_in():
        yield made
        made.answers = made.honestly
        moved.attest(HOST)
        moved.becomes(HOST, "trusted", "an honest answer is not believed")
    made.close()


@pytest.fixture(autouse=True)
def others(moved: Both) -> Iterator[None]:
    """The other hosts are trusted all the time."""
    with moved.watched(*HOSTS[1:]) as looks:
        yield
    assert looks.states == {"trusted"}


def replayed(liar: Dishonest) -> Callable[[Query], Respond]:
    """The quote that the agent gave to the last question."""
    earlier = liar.real(liar.asked[-1])
    return lambda _: answer(earlier)


REFUSED = {
    "of an earlier nonce": (replayed, "The quote answers another nonce: it may be an old one."),
    "of another agent": (
        lambda liar: liar.of_another(ANOTHER),
        "This signature is not by this key over this message.",
    ),
    "of fewer registers": (
        lambda liar: liar.asking_for(0x200FF),
        "Other registers are quoted than required; missing:",
    ),
    "of more registers": (lambda liar: liar.asking_for(0xFFFFFF), "not asked for: sha256:23"),
    "beside other values": (lambda liar: liar.altered, "The reported values are not those that the TPM signed"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_quote_is_refused(moved, liar, what):
    make, why = REFUSED[what]
    moved.attest(HOST)
    eventually(lambda: liar.asked, bool, "nobody asked")
    liar.answers = make(liar)
    moved.attest(HOST)
    moved.becomes(HOST, "unknown", "it is believed")
    with moved.watched(HOST) as looks:
        asked = len(liar.asked)
        moved.attest(HOST)
        eventually(lambda: len(liar.asked) > asked, bool, "nobody asked again")
        eventually(lambda: moved.host(HOST)["sentence"], lambda seen: why in seen, "the reason is another")
    assert looks.states == {"unknown"}
    assert moved.host(HOST)["reason"] == "quote_rejected"
    assert why in moved.held(HOST)["doubt"]
    assert moved.held(HOST)["registers"] == {}
    assert (moved.said(HOST)["verdict"], moved.said(HOST)["match"]) == ("trusted", "undetermined")
    assert why in moved.page(f"/hosts/{HOST}/")


USELESS = {
    "rubbish": (lambda _: answer(b"<html>not JSON"), "the server answered HTML, not JSON"),
    "no quote": (lambda _: answer(b'{"results": {"quote": "r"}}'), "the quote has another form than Keylime's"),
    "without end": (lambda _: answer(b" " * 1024 * 1024), "the agent's answer begins with no quote"),
    "drop by drop": (lambda _: trickle(b"HTTP/1.1 200 OK\r\n", b"x", 0.5), "did not answer the server in time"),
}


def test_useless_answers_renew_nothing_and_the_last_quote_runs_out(moved, liar):
    until = ""
    for what, (useless, why) in USELESS.items():
        liar.answers = useless
        moved.attest(HOST)
        eventually(lambda: moved.page(f"/hosts/{HOST}/evidence/"), lambda seen, why=why: why in seen, what, 30)
        until = until or moved.held(HOST)["valid_until"]
    moved.becomes(HOST, "stale", "nothing new came, and it counts on", VALIDITY_S + 10)
    assert moved.held(HOST)["valid_until"] == until


def test_another_certificate_than_the_registrar_s_is_not_asked(moved, tmp_path):
    other = Dishonest(moved.lab, HOST, tmp_path, certificate_of=ANOTHER)
    with other.standing_in():
        moved.attest(HOST)
        why = "No newer quote came: What the server answered for this host can't be used:"
        told = eventually(lambda: moved.page(f"/hosts/{HOST}/evidence/"), lambda seen: why in seen, "it was asked")
    assert "certificate" in told.partition(why)[2][:200]
    assert other.asked == []
    other.close()
    moved.attest(HOST)
    moved.becomes(HOST, "trusted", "its own agent is not believed again")
