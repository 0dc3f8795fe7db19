"""Trusted means trusted now: evidence that ran out is never shown as trust, whatever is stored."""

from datetime import timedelta

import pytest

from tests.factories import NOON
from tests.rows import make_host, make_server
from txt_dashboard import conf
from txt_dashboard.attest.appraisal import State
from txt_dashboard.models import Attestation, Host, HostEvent
from txt_dashboard.queries.state import in_state, moves, tally, with_reason, with_state

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def trusted():
    """Makes a host that is stored as trusted, with evidence that counts from and until these moments."""
    server = make_server()

    def make(name: str, counts_from=NOON - MINUTE, valid_until=NOON + MINUTE, pool: str = "az1") -> Host:
        host = make_host(name, server, pool)
        Host.objects.filter(pk=host.pk).update(state="trusted", reason="matches")
        Attestation.objects.filter(host=host).update(counts_from=counts_from, valid_until=valid_until)
        return host

    return make


def shown(now=NOON) -> dict[str, tuple[str, str]]:
    return {each.name: (each.shown_state, each.shown_reason) for each in with_state(Host.objects.all(), now)}


def found(condition) -> set[str]:
    return set(Host.objects.filter(condition).values_list("name", flat=True))


def test_fresh_evidence_keeps_a_host_trusted(trusted) -> None:
    trusted("hv1")
    assert shown() == {"hv1": ("trusted", "matches")}


@pytest.mark.parametrize(
    "times",
    [
        {"valid_until": NOON},
        {"valid_until": NOON - MINUTE},
        {"counts_from": NOON + MINUTE + MINUTE / 60},
        {"valid_until": None},
        {"counts_from": None},
    ],
    ids=["the end is exclusive", "run out", "our clock went back", "no end", "no beginning"],
)
def test_evidence_that_does_not_count_makes_a_trusted_host_stale_everywhere(trusted, times) -> None:
    trusted("hv1", **times)
    assert shown() == {"hv1": ("stale", "evidence_expired")}
    assert tally(NOON).of("trusted") == 0
    assert tally(NOON).of("stale") == tally(NOON).lapsed == 1
    assert found(in_state("trusted", NOON)) == set()
    assert found(in_state("stale", NOON)) == {"hv1"}
    assert found(with_reason("matches", NOON)) == set()
    assert found(with_reason("evidence_expired", NOON)) == {"hv1"}
    assert moves(NOON, tally(NOON).lapsed) == {"trusted": -1, "stale": 1}


def test_evidence_that_came_while_somebody_read_counts_for_them(trusted) -> None:
    """Whoever reads took the moment before, and another machine's clock may be a little ahead."""
    trusted("hv1", counts_from=NOON + MINUTE / 60)
    assert shown() == {"hv1": ("trusted", "matches")}
    assert (tally(NOON).of("trusted"), tally(NOON).lapsed) == (1, 0)


def test_one_lapsed_attestation_of_two_is_enough(trusted) -> None:
    host = trusted("hv1")
    Attestation.objects.create(
        host=host, server=make_server("oat-2"), due_at=NOON, counts_from=NOON - MINUTE, valid_until=NOON
    )
    assert shown() == {"hv1": ("stale", "evidence_expired")}
    assert tally(NOON).pools == {"az1": {"trusted": 0, "stale": 1}}


def test_other_states_do_not_change_when_evidence_runs_out(trusted) -> None:
    for state in (State.UNTRUSTED, State.UNKNOWN):
        trusted(state.value, valid_until=NOON - MINUTE)
        Host.objects.filter(name=state.value).update(state=state, reason="server_undecided")
    assert {name: state for name, (state, _) in shown().items()} == {"untrusted": "untrusted", "unknown": "unknown"}
    assert tally(NOON).lapsed == 0


def test_the_tally_counts_every_host_once_and_by_pool(trusted) -> None:
    for name in ("hv1", "hv2"):
        trusted(name)
    trusted("edge1", valid_until=NOON, pool="edge")
    counted = tally(NOON)
    assert counted.pools == {"az1": {"trusted": 2}, "edge": {"trusted": 0, "stale": 1}}
    assert counted.total == Host.objects.count() == sum(counted.of(state) for state in State)


def test_moves_count_changes_of_state_within_a_day(trusted) -> None:
    host = trusted("hv1")
    for at, before, after in (
        (NOON - timedelta(hours=25), "unknown", "untrusted"),
        (NOON - timedelta(hours=2), "untrusted", "trusted"),
        (NOON - timedelta(hours=1), "trusted", "trusted"),
    ):
        HostEvent.objects.create(host=host, at=at, previous_state=before, state=after, reason="matches")
    assert {state: moved for state, moved in moves(NOON, 0).items() if moved} == {"untrusted": -1, "trusted": 1}


def test_while_what_is_in_force_cant_be_verified_nobody_is_trusted_although_no_worker_says_so(trusted) -> None:
    trusted("hv1")
    assert shown() == {"hv1": ("trusted", "matches")}
    conf.public_keys_file().unlink()
    assert shown() == {"hv1": ("stale", "evidence_expired")}
    assert tally(NOON).of("trusted") == 0
    assert found(in_state("trusted", NOON)) == set()
