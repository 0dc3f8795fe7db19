"""What the frame says: how old our knowledge is, who fell silent, and how far a poll has come."""

from datetime import timedelta

import pytest

from tests.factories import NOON
from tests.rows import make_host, make_server
from txt_dashboard.models import Attestation, Host, HostEvent, PollRequest, Server
from txt_dashboard.queries.pulse import progress, take_pulse

pytestmark = pytest.mark.django_db
HALF_HOUR = timedelta(minutes=30)


@pytest.fixture
def server():
    return make_server(answered_at=NOON, asked_at=NOON)


def trust(name: str, server: Server, counts_from=NOON, validity=HALF_HOUR) -> Host:
    host = make_host(name, server)
    Host.objects.filter(pk=host.pk).update(state="trusted", reason="matches")
    Attestation.objects.filter(host=host).update(
        counts_from=counts_from, valid_until=counts_from + validity, answered=True, asked_at=NOON
    )
    return host


def fail(server: Server) -> None:
    Server.objects.filter(pk=server.pk).update(failures=1, error="The connection was refused.")


def after(minutes: float):
    return take_pulse(NOON + timedelta(minutes=minutes))


def test_all_is_calm_while_servers_answer(server) -> None:
    trust("hv1", server)
    pulse = after(1)
    assert not pulse.trouble
    assert pulse.outages == ()


def test_a_failing_server_is_an_outage_from_half_of_the_validity_on(server) -> None:
    trust("hv1", server)
    trust("hv2", server, counts_from=NOON + timedelta(minutes=2))
    fail(server)
    assert after(14.9).outages == ()
    (outage,) = after(15).outages
    assert (outage.trusted, outage.stale) == (2, 0)
    assert (outage.first, outage.last) == (NOON + HALF_HOUR, NOON + HALF_HOUR + timedelta(minutes=2))
    assert outage.server.failing
    assert after(15).trouble


def test_a_silent_server_that_is_only_observed_takes_no_trust(server) -> None:
    trust("hv1", server)
    fail(server)
    Server.objects.update(counts=False)
    assert after(20).outages == ()


def test_an_outage_lasts_until_the_server_answers_though_no_host_is_trusted_any_more(server) -> None:
    trust("hv1", server)
    fail(server)
    (outage,) = after(31).outages
    assert (outage.trusted, outage.stale) == (0, 1)


def test_a_server_that_nobody_asks_is_silent_but_not_failing(server) -> None:
    trust("hv1", server)
    (outage,) = after(20).outages
    assert outage.server.silent
    assert not outage.server.failing


def test_a_server_without_hosts_that_count_is_no_outage(server) -> None:
    make_host("hv1", server)
    fail(server)
    assert after(20).outages == ()


def test_the_version_changes_with_events_hosts_and_evidence_that_runs_out(server) -> None:
    versions = [after(1).version]
    host = trust("hv1", server)
    versions.append(after(1).version)
    HostEvent.objects.create(host=host, at=NOON, previous_state="unknown", state="trusted", reason="matches")
    versions.append(after(1).version)
    versions.append(after(31).version)
    assert len(set(versions)) == 4
    assert after(1).version == versions[2]


@pytest.fixture
def asked(server):
    for name, pool in (("hv1", "az1"), ("hv2", "az1"), ("edge1", "edge")):
        make_host(name, server, pool)
    return server


def answer(name: str, *, evidence: bool = True) -> None:
    Attestation.objects.filter(host__name=name).update(asked_at=NOON + timedelta(seconds=5), answered=evidence)


def request(**scope) -> None:
    PollRequest.objects.create(requested_at=NOON, requested_by="operator", **scope)


def test_progress_counts_hosts_asked_since_the_request_and_those_without_evidence(asked) -> None:
    request(total=3)
    answer("hv1")
    answer("hv2", evidence=False)
    polling = progress(NOON + timedelta(seconds=6))
    assert (polling.done, polling.total, polling.failed, polling.running) == (2, 3, 1, True)
    answer("edge1")
    assert not progress(NOON + timedelta(seconds=7)).running


def test_progress_looks_at_what_was_asked_for_only(asked) -> None:
    request(total=2, pool="az1")
    answer("edge1")
    assert progress(NOON).done == 0
    request(total=1, host=Host.objects.get(name="edge1"))
    assert not progress(NOON).running


def test_progress_of_an_old_request_is_not_shown(asked) -> None:
    assert progress(NOON) is None
    request(total=3)
    assert progress(NOON + timedelta(minutes=10)) is None
