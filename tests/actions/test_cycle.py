"""From a poll to a state: what workers do in their turns."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.actions.turns import poll_later, state_of
from tests.factories import NOON, POLICY, evidence, value
from tests.rows import make_host
from txt_dashboard.actions.cycle import Worker
from txt_dashboard.models import Activity, Attestation, Host, HostEvent, Measurement, Server
from txt_dashboard.servers.base import ServerUnreachable

pytestmark = pytest.mark.django_db


def test_a_host_that_matches_becomes_trusted(server, worker) -> None:
    make_host("hv1", server)
    worker.turn()
    assert state_of("hv1") == ("trusted", "matches")
    row = Attestation.objects.get()
    assert (row.counts_from, row.valid_until) == (NOON, NOON + POLICY.validity)
    assert row.due_at > NOON


def test_a_host_is_asked_again_within_the_interval_whenever_the_next_tick_comes(server, worker) -> None:
    for number in range(30):
        make_host(f"hv{number}", server)
    worker.turn()
    rows = Attestation.objects.all()
    assert all(NOON + timedelta(seconds=50) < row.due_at <= NOON + timedelta(seconds=58) for row in rows)
    Server.objects.update(interval_s=5)
    Attestation.objects.update(due_at=NOON)
    worker.turn()
    assert all(NOON + timedelta(seconds=2.5) <= row.due_at <= NOON + timedelta(seconds=3) for row in rows.all())


def test_whoever_waits_for_changes_is_called_at_once_and_only_then(server, clock, scripted) -> None:
    seen = []
    worker = Worker(
        clock, lambda row, clock: scripted, changed=lambda: seen.append(list(Host.objects.values_list("state")))
    )
    make_host("hv1", server)
    worker.turn()
    assert seen == [[("trusted",)]]
    poll_later(worker, clock)
    assert len(seen) == 1
    scripted.answers["hv1"] = lambda: evidence({18: value("new kernel")}, at=clock())
    poll_later(worker, clock)
    assert seen[1:] == [[("untrusted",)]]
    scripted.answers["hv1"] = lambda: evidence(at=clock())
    poll_later(worker, clock)
    Attestation.objects.update(due_at=clock() + timedelta(days=1))
    poll_later(worker, clock, POLICY.validity.total_seconds() + 1)
    assert seen[3:] == [[("stale",)]]


def test_a_changed_register_takes_the_host_out_and_names_it(server, worker, scripted, clock) -> None:
    make_host("hv1", server)
    worker.turn()
    scripted.answers["hv1"] = lambda: evidence({18: value("new kernel")}, at=clock())
    poll_later(worker, clock)
    assert state_of("hv1") == ("untrusted", "registers_differ")
    assert Host.objects.get().differing == [18]
    event = HostEvent.objects.first()
    assert (event.previous_state, event.state, event.at) == ("trusted", "untrusted", clock.now)


def test_an_unchanged_poll_writes_no_history_and_renews_the_validity(server, worker, clock) -> None:
    make_host("hv1", server)
    worker.turn()
    events, log = HostEvent.objects.count(), Activity.objects.count()
    poll_later(worker, clock)
    assert (HostEvent.objects.count(), Activity.objects.count()) == (events, log)
    assert Attestation.objects.get().valid_until == clock.now + POLICY.validity


def test_a_register_outside_the_policy_is_kept_as_latest_value_only(server, worker, scripted, clock) -> None:
    make_host("hv1", server)
    worker.turn()
    scripted.answers["hv1"] = lambda: evidence({10: value("ima grew")}, at=clock())
    poll_later(worker, clock)
    assert HostEvent.objects.count() == 1
    assert Attestation.objects.get().others["sha1"]["10"] == value("ima grew").hex()
    assert state_of("hv1") == ("trusted", "matches")


def test_measurements_are_shared_among_hosts(server, worker) -> None:
    for number in range(5):
        make_host(f"hv{number}", server)
    worker.turn()
    assert Measurement.objects.count() == 2
    assert worker.appraiser.appraisals == 2


def test_the_number_of_statements_does_not_grow_with_the_hosts(server, worker, scripted, clock) -> None:
    def statements(hosts: int) -> int:
        for number in range(Host.objects.count(), hosts):
            make_host(f"hv{number}", server)
        scripted.answers = {
            f"hv{at}": lambda at=at: evidence({18: value(f"kernel {at % 3}")}, at=clock()) for at in range(hosts)
        }
        Attestation.objects.update(due_at=clock.advance(seconds=70))
        worker.turn()  # what every minute and a changed set bring is not what is counted
        Attestation.objects.update(due_at=clock.advance(seconds=30))
        scripted.answers = {
            f"hv{at}": lambda at=at: evidence({18: value(f"kernel {at % 3 + hosts}")}, at=clock())
            for at in range(hosts)
        }
        with CaptureQueriesContext(connection) as captured:
            worker.turn()
        return len(captured)

    statements(4)
    assert statements(8) == statements(100)


def test_hosts_changed_alike_share_a_drift_key(server, worker, scripted, clock) -> None:
    for name in ("hv1", "hv2", "hv3"):
        make_host(name, server)
    scripted.answers = {
        "hv1": lambda: evidence({18: value("kernel")}, at=clock()),
        "hv2": lambda: evidence({18: value("kernel"), 1: value("another serial")}, at=clock()),
        "hv3": lambda: evidence({18: value("other")}, at=clock()),
    }
    worker.turn()
    first, second, third = (Attestation.objects.get(host__name=name).drift_key for name in ("hv1", "hv2", "hv3"))
    assert first == second != third


def test_hosts_that_a_server_lists_appear_by_themselves(server, worker, scripted) -> None:
    Server.objects.update(listed_at=None)
    scripted.listed = ("hv1", "hv2", "<script>", "")
    worker.turn()
    assert list(Host.objects.values_list("name", flat=True)) == ["hv1", "hv2"]
    assert Host.objects.filter(state="trusted").count() == 2


def test_a_requested_test_is_done_by_the_worker(server, worker, scripted, clock) -> None:
    Server.objects.update(test_requested_at=clock.now)
    worker.turn()
    row = Server.objects.get()
    assert (row.test_passed, row.test_result, row.test_requested_at) == (True, "answered", None)
    scripted.error = ServerUnreachable("connection refused")
    Server.objects.update(test_requested_at=clock.now)
    worker.turn()
    row = Server.objects.get()
    assert (row.test_passed, row.test_result) == (False, "connection refused")


def test_a_disabled_server_is_not_asked(server, worker, scripted) -> None:
    make_host("hv1", server)
    Server.objects.update(enabled=False)
    worker.turn()
    assert scripted.asked == []


def test_a_batch_makes_one_entry_in_the_activity_log(server, worker) -> None:
    for number in range(20):
        make_host(f"hv{number}", server)
    worker.turn()
    assert [entry.verb for entry in Activity.objects.all()] == ["states changed"]
    assert Activity.objects.get().detail["hosts"] == {"trusted": 20}
