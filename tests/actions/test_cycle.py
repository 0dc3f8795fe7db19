"""From a poll to a state: what workers do in their turns."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import silent
from tests.factories import BASELINES, GOOD, NOON, POLICY, baseline, evidence, value
from tests.rows import make_host, make_server, write_reference
from txt_dashboard.actions.cycle import Worker
from txt_dashboard.attest.evidence import Evidence, Verdict
from txt_dashboard.attest.reasons import Finding, Reason
from txt_dashboard.attest.reference import Part, Policy
from txt_dashboard.models import Activity, Attestation, Host, HostEvent, Measurement, Server
from txt_dashboard.servers.base import ServerUnreachable

pytestmark = pytest.mark.django_db


@pytest.fixture
def server():
    row = make_server(interval_s=60)
    write_reference(row, BASELINES)
    return row


@pytest.fixture
def worker(clock, scripted):
    return Worker(clock, lambda row, clock: scripted)


def state_of(name: str) -> tuple[str, str]:
    host = Host.objects.get(name=name)
    return host.state, host.reason


def poll_later(worker, clock, seconds: float = 70) -> None:
    clock.advance(seconds=seconds)
    worker.turn()


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


def test_a_verdict_without_its_report_renews_nothing(server, worker, scripted, clock) -> None:
    make_host("hv1", server)
    worker.turn()
    until = Attestation.objects.get().valid_until
    missing = Finding(Reason.REPORT_UNAVAILABLE, {"detail": "timeout"})
    scripted.answers["hv1"] = lambda: Evidence(Verdict.TRUSTED, clock(), finding=missing)
    poll_later(worker, clock)
    assert state_of("hv1") == ("trusted", "matches")
    assert Attestation.objects.get().valid_until == until
    scripted.answers["hv1"] = lambda: Evidence(Verdict.UNTRUSTED, clock(), finding=missing)
    poll_later(worker, clock)
    assert state_of("hv1") == ("untrusted", "server_untrusted_alone")


def test_a_clock_ahead_leaves_the_host_open_and_recovers(server, worker, scripted, clock) -> None:
    make_host("hv1", server)
    worker.turn()
    scripted.answers["hv1"] = lambda: evidence(at=clock() + timedelta(seconds=61))
    poll_later(worker, clock)
    assert state_of("hv1") == ("unknown", "clock_ahead")
    del scripted.answers["hv1"]
    poll_later(worker, clock)
    assert state_of("hv1") == ("trusted", "matches")


def test_a_server_whose_time_goes_back_is_doubted(server, worker, scripted, clock) -> None:
    make_host("hv1", server)
    worker.turn()
    scripted.answers["hv1"] = lambda: evidence(at=NOON - timedelta(seconds=1))
    poll_later(worker, clock)
    assert state_of("hv1") == ("unknown", "clock_backwards")


def test_our_own_clock_going_back_makes_nothing_trusted(server, worker, clock) -> None:
    make_host("hv1", server)
    worker.turn()
    Attestation.objects.update(due_at=NOON + timedelta(days=1))
    clock.now = NOON - timedelta(hours=1)
    worker.turn()
    assert state_of("hv1")[0] == "stale"


def test_a_baseline_taken_away_takes_trust_away_without_a_poll(server, worker, clock, scripted) -> None:
    make_host("hv1", server)
    worker.turn()
    write_reference(server, BASELINES[:1])
    clock.advance(seconds=2)
    worker.turn()
    assert len(scripted.asked) == 1
    assert state_of("hv1") == ("unknown", "no_baseline")


def test_a_baseline_put_in_force_gives_trust_without_a_poll(server, worker, clock, scripted) -> None:
    make_host("hv1", server)
    scripted.answers["hv1"] = lambda: evidence({18: value("new kernel")}, at=clock())
    worker.turn()
    new = baseline(Part.VMM, {17: GOOD[17], 18: value("new kernel")}, "VMM 2")
    write_reference(server, (*BASELINES, new))
    clock.advance(seconds=2)
    worker.turn()
    assert len(scripted.asked) == 1
    assert state_of("hv1") == ("trusted", "matches")
    assert Attestation.objects.get().drift_key == ""


def test_a_policy_that_asks_for_more_measures_what_is_on_file(server, worker, clock) -> None:
    make_host("hv1", server)
    worker.turn()
    wider = POLICY.requirements[1].__class__(Part.VMM, POLICY.requirements[1].bank, frozenset({17, 18, 19}))
    write_reference(server, BASELINES, Policy((POLICY.requirements[0], wider), POLICY.validity))
    clock.advance(seconds=2)
    worker.turn()
    assert state_of("hv1") == ("unknown", "baseline_incomplete")
    assert set(Attestation.objects.get().vmm.values) == {"17", "18", "19"}


def test_trust_ends_with_the_baseline_even_if_no_worker_looks(server, worker) -> None:
    end = NOON + timedelta(minutes=2)
    ending = baseline(Part.VMM, {17: GOOD[17], 18: GOOD[18]}, "VMM 1", not_after=end)
    write_reference(server, (BASELINES[0], ending))
    make_host("hv1", server)
    worker.turn()
    assert Attestation.objects.get().valid_until == end


def test_doubt_survives_a_change_of_the_rules(server, worker, scripted, clock) -> None:
    make_host("hv1", server)
    scripted.answers["hv1"] = lambda: evidence(at=clock() + timedelta(hours=1))
    worker.turn()
    write_reference(server, (*BASELINES, baseline(Part.VMM, {17: value("a"), 18: value("b")}, "VMM 3")))
    clock.advance(seconds=2)
    worker.turn()
    assert state_of("hv1") == ("unknown", "clock_ahead")


def test_without_a_policy_nothing_is_trusted(worker) -> None:
    make_host("hv1", make_server())
    worker.turn()
    assert state_of("hv1") == ("unknown", "no_policy")


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
