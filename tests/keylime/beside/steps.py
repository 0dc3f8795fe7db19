"""The steps of docs/keylime.md from OpenAttestation to Keylime, and until each has come about."""

import json

from tests.e2e.waiting import eventually
from tests.keylime.beside.stage import HOSTS, OAT, SERVER, Both

INTERVAL_S = 5
VALIDITY_S = 20


def add(both: Both) -> None:
    """It is only observed, and gives its first verdicts."""
    both.does(f"add({SERVER!r}, {both.lab.verifier!r}, {str(both.lab.authority)!r}, {INTERVAL_S})")
    eventually(lambda: of_all(both, "silence", SERVER), _gave_verdicts, "no verdicts came")


def require_and_bind(both: Both) -> None:
    """A policy, and the keys that its registrar shows: from then on quotes prove what its hosts hold."""
    both.does(f"require({SERVER!r}, {VALIDITY_S})")
    shown = f"Quoted.objects.filter(attestation__server__name={SERVER!r}).count()"
    eventually(lambda: both.asked(shown), str(len(HOSTS)).__eq__, "no quote showed the keys")
    both.does(f"take_shown_keys({SERVER!r})")
    proven = {"quote"}
    eventually(lambda: {both.held(each)["vouched_for_by"] for each in HOSTS}, proven.__eq__, "nothing was proven")


def approve_values(both: Both) -> None:
    """What a host shows that OpenAttestation trusts: then every host is as approved, by both."""
    found = both.asks(f"/hosts/{HOSTS[0]}/candidates")["items"]
    values = [json.dumps(each["document"]).encode() for each in found if SERVER in each["servers"]]
    both.does(f"take_values({values!r})")
    eventually(lambda: of_all(both, "match", SERVER, OAT), {"trusted"}.__eq__, "not all are as approved at both")


def count(both: Both, server: str, *, counts: bool) -> None:
    """What it says counts from now on, or no more."""
    both.does(f"count({server!r}, counts={counts})")
    eventually(lambda: of_all(both, "counts", server), {counts}.__eq__, f"{server} never came to that")


def move(both: Both) -> None:
    """All of it."""
    add(both)
    require_and_bind(both)
    approve_values(both)
    count(both, SERVER, counts=True)
    count(both, OAT, counts=False)


def of_all(both: Both, what: str, *servers: str) -> set[object]:
    """What is told of this, of all hosts by these servers."""
    return {both.said(host, server).get(what) for host in HOSTS for server in servers}


def _gave_verdicts(silences: set[object]) -> bool:
    return all("gave a verdict" in str(each) for each in silences)
