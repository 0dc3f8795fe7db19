"""When answers don't come: evidence runs out, every silence keeps its reason, failing servers are left alone."""

from datetime import timedelta

import pytest

from tests.actions.turns import poll_later, state_of
from tests.conftest import silent
from tests.factories import NOON, POLICY, evidence, value
from tests.rows import make_host
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.models import Host, Server
from txt_dashboard.servers.base import ServerUnreachable

pytestmark = pytest.mark.django_db


def test_without_answers_evidence_runs_out_and_the_host_is_stale(server, worker, scripted, clock) -> None:
    make_host("hv1", server)
    worker.turn()
    scripted.error = ServerUnreachable("connection refused")
    poll_later(worker, clock)
    assert state_of("hv1") == ("trusted", "matches")
    clock.now = NOON + POLICY.validity
    worker.turn()
    assert state_of("hv1")[0] == "stale"
    assert Host.objects.get().reason == "server_unreachable"


def test_a_silent_host_is_stale_for_its_own_reason(server, worker, scripted, clock) -> None:
    make_host("hv1", server)
    worker.turn()
    scripted.answers["hv1"] = silent(Reason.HOST_TIMEOUT)
    poll_later(worker, clock)
    assert state_of("hv1") == ("trusted", "matches")
    clock.now = NOON + POLICY.validity
    worker.turn()
    assert state_of("hv1") == ("stale", "host_timeout")


def test_a_stale_host_recovers_with_the_same_evidence(server, worker, scripted, clock) -> None:
    make_host("hv1", server)
    worker.turn()
    scripted.answers["hv1"] = silent(Reason.HOST_TIMEOUT)
    poll_later(worker, clock, POLICY.validity.total_seconds())
    assert state_of("hv1")[0] == "stale"
    del scripted.answers["hv1"]
    poll_later(worker, clock)
    assert state_of("hv1") == ("trusted", "matches")


def test_an_untrusted_host_that_falls_silent_stays_untrusted(server, worker, scripted, clock) -> None:
    make_host("hv1", server)
    scripted.answers["hv1"] = lambda: evidence({18: value("x")}, at=clock())
    worker.turn()
    scripted.answers["hv1"] = silent(Reason.HOST_TIMEOUT)
    poll_later(worker, clock, 2 * POLICY.validity.total_seconds())
    assert state_of("hv1") == ("untrusted", "registers_differ")


def test_a_host_the_server_knows_no_more_loses_trust_at_once_and_can_return(server, worker, scripted, clock) -> None:
    make_host("hv1", server)
    worker.turn()
    scripted.answers["hv1"] = silent(Reason.NOT_KNOWN_TO_SERVER)
    poll_later(worker, clock)
    assert state_of("hv1") == ("unknown", "not_known_to_server")
    del scripted.answers["hv1"]
    poll_later(worker, clock)
    assert state_of("hv1") == ("trusted", "matches")


@pytest.mark.parametrize(
    "reason", [Reason.HOST_TIMEOUT, Reason.ATTESTATION_PENDING, Reason.ANSWER_MISSING, Reason.NOT_KNOWN_TO_SERVER]
)
def test_silences_stay_apart_for_a_host_never_attested(server, worker, scripted, reason) -> None:
    make_host("hv1", server)
    scripted.answers["hv1"] = silent(reason)
    worker.turn()
    assert state_of("hv1") == ("unknown", reason.code)


def test_a_failing_server_is_left_alone_for_longer_and_longer(server, worker, scripted, clock) -> None:
    make_host("hv1", server)
    scripted.error = ServerUnreachable("connection refused")
    pauses = []
    for _ in range(4):
        worker.turn()
        row = Server.objects.get()
        pauses.append((row.retry_at - clock.now).total_seconds())
        asked = len(scripted.asked)
        clock.now = row.retry_at - timedelta(milliseconds=1)
        worker.turn()
        assert len(scripted.asked) == asked
        clock.now = row.retry_at
    assert pauses == sorted(pauses)
    scripted.error = None
    worker.turn()
    row = Server.objects.get()
    assert (row.failures, row.retry_at, row.error) == (0, None, "")


def test_a_host_that_hangs_its_server_is_found_by_halving(server, worker, scripted, clock) -> None:
    Server.objects.update(batch_size=16)
    for number in range(16):
        make_host(f"hv{number:02}", server)

    def attest(hosts, normal=scripted.attest):
        scripted.error = ServerUnreachable("no answer in 90 s") if "hv05" in hosts else None
        return normal(hosts)

    scripted.attest = attest
    for _ in range(40):
        worker.turn()
        clock.advance(seconds=30)
    trusted = set(Host.objects.filter(state="trusted").values_list("name", flat=True))
    assert trusted == {f"hv{number:02}" for number in range(16)} - {"hv05"}
