"""From OpenAttestation to Keylime as docs/keylime.md tells it, without a minute untrusted."""

import pytest

from tests.e2e.waiting import eventually
from tests.keylime.beside.stage import HOSTS, KERNEL, OAT, SERVER, Both
from tests.keylime.beside.steps import add, approve_values, count, of_all, require_and_bind

pytestmark = [pytest.mark.keylime, pytest.mark.timeout(300)]


def test_a_fleet_moves_without_a_minute_untrusted(both, measured):
    eventually(lambda: of_all(both, "match", OAT), {"trusted"}.__eq__, "OpenAttestation does not trust all")
    with both.watched(*HOSTS) as looks:
        add(both)
        is_only_observed(both, SERVER)
        require_and_bind(both)
        approve_values(both)
        is_only_observed(both, SERVER)
        count(both, SERVER, counts=True)
        rests_on_both(both)
        count(both, OAT, counts=False)
        is_only_observed(both, OAT)
        rests_on_newer_evidence(both)
    measured(f"moving: {looks.count} looks, {looks.longest_s:.1f} s apart at most, found {looks.states}")
    assert looks.states == {"trusted"}
    assert looks.count > 30
    assert looks.longest_s < 3


def test_what_is_only_observed_is_shown_and_those_that_count_must_agree(moved):
    host = HOSTS[0]
    moved.boots(host, **KERNEL)
    moved.attest(host)
    eventually(lambda: moved.said(host, OAT)["verdict"], "untrusted".__eq__, "OpenAttestation sees no other kernel")
    assert moved.host(host)["state"] == "trusted"
    assert moved.said(host)["verdict"] == "trusted"
    is_only_observed(moved, OAT)
    with moved.watched(*HOSTS[1:]) as others:
        count(moved, OAT, counts=True)
        moved.becomes(host, "untrusted", "of two that count one does not agree, and nothing follows")
        moved.boots(host)
        moved.attest(host)
        moved.becomes(host, "trusted", "both agree again")
        count(moved, OAT, counts=False)
    assert others.states == {"trusted"}


def is_only_observed(both: Both, server: str) -> None:
    """All verdicts are on each host's one page; this server's decides nothing."""
    other = OAT if server == SERVER else SERVER
    for host in HOSTS:
        assert (both.said(host, server)["counts"], both.said(host, other)["counts"]) == (False, True)
        page = both.page(f"/hosts/{host}/")
        assert f"Nobody approved that what {server} says counts" in page
        assert f"Nobody approved that what {other} says counts" not in page
        assert f"All required registers match approved baselines, and {other} agrees." in page


def rests_on_both(both: Both) -> None:
    for host in HOSTS:
        said = [both.said(host, server) for server in (OAT, SERVER)]
        assert [(each["counts"], each["verdict"], each["agree"]) for each in said] == [(True, "trusted", True)] * 2


def rests_on_newer_evidence(both: Both) -> None:
    before = {host: both.held(host)["attested_at"] for host in HOSTS}
    eventually(
        lambda: [both.held(host)["attested_at"] > before[host] for host in HOSTS], all, "no newer evidence ever came"
    )
