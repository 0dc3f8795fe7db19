"""Claiming: a host is with one worker at a time, and a dead worker costs a lease, never a host."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.conftest import Clock, ScriptedServer, silent
from tests.factories import BASELINES, NOON, evidence, value
from tests.rows import make_host, make_server, write_reference
from txt_dashboard import conf
from txt_dashboard.actions.claim import FIRST_PAUSE, Claim, claim, pause_after
from txt_dashboard.actions.cycle import Worker
from txt_dashboard.actions.quotes.ask import Joined
from txt_dashboard.actions.record import Bench, record_attestations, record_failure
from txt_dashboard.attest.appraiser import Appraiser
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.models import Activity, Attestation, Host, HostEvent, Server
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.servers.base import Batch, ServerUnreachable

pytestmark = pytest.mark.django_db
ERROR = ServerUnreachable("connection refused")


@pytest.fixture
def server():
    row = make_server(interval_s=60, batch_size=4, parallel=2)
    write_reference(row, BASELINES)
    return row


@pytest.fixture
def hosts(server):
    return [make_host(f"hv{number}", server) for number in range(8)]


def names(claimed: Claim | None) -> list[str]:
    assert claimed is not None
    return sorted(row.host for row in claimed.rows)


def record(claimed: Claim, answers, now) -> None:
    bench = Bench(current_reference(), Appraiser(), conf.clock_tolerance())
    record_attestations(claimed, Joined(Batch(answers, now, now)), bench, now=now)


def record_good(claimed: Claim, now) -> None:
    record(claimed, {row.host: evidence(at=now) for row in claimed.rows}, now)


def written() -> list[dict]:
    """Everything that recording an answer could touch."""
    tables = (Attestation, Host, HostEvent, Server, Activity)
    return [row for table in tables for row in table.objects.order_by("id").values()]


def test_two_claims_share_no_host(hosts) -> None:
    first, second = claim(NOON), claim(NOON)
    assert names(first) == ["hv0", "hv1", "hv2", "hv3"]
    assert names(second) == ["hv4", "hv5", "hv6", "hv7"]


def test_those_that_wait_longest_come_first(hosts) -> None:
    Attestation.objects.filter(host__name="hv7").update(due_at=NOON - timedelta(seconds=1))
    assert "hv7" in names(claim(NOON))


def test_nothing_is_claimed_before_it_is_due(hosts) -> None:
    assert claim(NOON - timedelta(microseconds=1)) is None


def test_a_dead_worker_s_hosts_are_due_again_when_its_lease_ends_and_not_before(server, hosts) -> None:
    lost = names(claim(NOON))
    claim(NOON)
    end = NOON + server.lease
    assert claim(end - timedelta(microseconds=1)) is None
    assert names(claim(end)) == lost


def test_a_lease_outlasts_the_longest_answer(server) -> None:
    assert server.lease > 2 * timedelta(seconds=server.deadline_s)


def test_a_server_gets_no_more_batches_at_once_than_it_takes(server, hosts) -> None:
    Server.objects.update(batch_size=2)
    first = claim(NOON)
    assert claim(NOON) is not None
    assert claim(NOON) is None
    record_good(first, NOON)
    assert claim(NOON) is not None


def test_one_server_s_batches_don_t_count_for_another(server, hosts) -> None:
    other = make_server("oat-2", parallel=1)
    make_host("hv9", other)
    claimed = [claim(NOON) for _ in range(3)]
    assert sorted(each.server.name for each in claimed) == ["oat-1", "oat-1", "oat-2"]
    assert claim(NOON) is None


def test_servers_take_turns(hosts) -> None:
    other = make_server("oat-2")
    make_host("hv9", other)
    claim(NOON)
    assert claim(NOON + timedelta(seconds=1)).server.name == "oat-2"


def test_a_disabled_server_is_left_alone(hosts) -> None:
    Server.objects.update(enabled=False)
    assert claim(NOON) is None


def test_who_lost_the_lease_records_nothing(server, hosts) -> None:
    late = claim(NOON)
    record_good(claim(NOON), NOON)
    end = NOON + server.lease
    record_good(claim(end), end)
    before = written()
    record(late, {row.host: evidence({18: value("other")}, at=end) for row in late.rows}, end)
    record(late, {row.host: silent(Reason.NOT_KNOWN_TO_SERVER) for row in late.rows}, end)
    record_failure(late, ERROR, now=end)
    assert written() == before


def test_who_lost_the_lease_records_nothing_while_another_still_asks(server, hosts) -> None:
    late = claim(NOON)
    claim(NOON)
    end = NOON + server.lease
    claim(end)
    before = written()
    record_good(late, end)
    assert written() == before


def test_who_lost_some_hosts_records_the_others(server, hosts) -> None:
    claimed = claim(NOON)
    Attestation.objects.filter(host__name="hv0").update(lease="another")
    record_good(claimed, NOON)
    assert set(Host.objects.filter(state="trusted").values_list("name", flat=True)) == {"hv1", "hv2", "hv3"}
    assert HostEvent.objects.count() == 3


def test_a_failed_batch_is_tried_in_halves_after_all_others(server, hosts) -> None:
    record_failure(claim(NOON), ERROR, now=NOON)
    later = Server.objects.get().retry_at
    others = claim(later)
    assert names(others) == ["hv4", "hv5", "hv6", "hv7"]
    record_good(others, later)
    halves = [names(claim(later)), names(claim(later))]
    assert halves == [["hv0", "hv1"], ["hv2", "hv3"]]


def test_a_batch_is_never_smaller_than_one_host(hosts) -> None:
    Attestation.objects.update(failures=30)
    assert len(names(claim(NOON))) == 1


def test_while_a_server_fails_one_worker_tries_it(server, hosts) -> None:
    record_failure(claim(NOON), ERROR, now=NOON)
    retry_at = Server.objects.get().retry_at
    assert claim(retry_at - timedelta(microseconds=1)) is None
    probe = claim(retry_at)
    assert probe is not None
    assert claim(retry_at) is None
    record_good(probe, retry_at)
    assert claim(retry_at) is not None


def test_a_probe_that_dies_costs_its_lease(server, hosts) -> None:
    record_failure(claim(NOON), ERROR, now=NOON)
    retry_at = Server.objects.get().retry_at
    claim(retry_at)
    assert claim(retry_at + server.lease - timedelta(microseconds=1)) is None
    assert claim(retry_at + server.lease) is not None


def test_pauses_grow_up_to_a_limit() -> None:
    pauses = [pause_after(failures) for failures in range(1, 40)]
    assert pauses[0] == FIRST_PAUSE
    assert pauses == sorted(pauses)
    assert pauses[-1] == timedelta(minutes=5)


class Workers(RuleBasedStateMachine):
    """Workers that claim, ask and record, each step when it pleases, and die between any two of them.

    Meanwhile hosts boot other kernels and time passes.
    """

    def __init__(self) -> None:
        super().__init__()
        for table in (HostEvent, Attestation, Host):
            table.objects.all().delete()
        Server.objects.all().delete()
        self.clock = Clock()
        self.server = make_server(batch_size=2, parallel=2, interval_s=60, deadline_s=5)
        write_reference(self.server, BASELINES)
        self.kernels = {make_host(f"hv{number}", self.server).name: 0 for number in range(5)}
        self.claimed: list[Claim] = []
        self.answered: list[tuple[Claim, Batch]] = []

    @rule()
    def claim(self) -> None:
        if claimed := claim(self.clock.now):
            self.claimed.append(claimed)

    @precondition(lambda self: self.claimed)
    @rule(data=st.data())
    def ask(self, data) -> None:
        claimed = self._pick(self.claimed, data)
        self.answered.append((claimed, self._answer(claimed)))

    @precondition(lambda self: self.answered)
    @rule(data=st.data())
    def record(self, data) -> None:
        claimed, batch = self._pick(self.answered, data)
        held = Attestation.objects.filter(lease=claimed.lease).count()
        record(claimed, batch.answers, self.clock.now)
        assert Attestation.objects.filter(lease=claimed.lease).count() == 0
        assert held in (0, len(claimed.rows))

    @precondition(lambda self: self.claimed)
    @rule(data=st.data())
    def fail(self, data) -> None:
        record_failure(self._pick(self.claimed, data), ERROR, now=self.clock.now)

    @precondition(lambda self: self.claimed)
    @rule(data=st.data())
    def die_before_the_answer(self, data) -> None:
        self._pick(self.claimed, data)

    @precondition(lambda self: self.answered)
    @rule(data=st.data())
    def die_before_recording(self, data) -> None:
        self._pick(self.answered, data)

    @rule(number=st.integers(0, 4))
    def boot_another_kernel(self, number) -> None:
        self.kernels[f"hv{number}"] += 1

    @rule(seconds=st.sampled_from([1, 6, 41, 70, 200]))
    def wait(self, seconds) -> None:
        self.clock.advance(seconds=seconds)

    @invariant()
    def no_host_is_with_two_workers(self) -> None:
        running = [each for each in self._living() if self._lease_runs(each)]
        hosts = [row.host for claimed in running for row in claimed.rows]
        assert len(hosts) == len(set(hosts))
        assert len(running) <= self.server.parallel

    @invariant()
    def no_change_is_recorded_twice(self) -> None:
        columns = ("state", "reason", "differing", "vmm_id")
        for host in self.kernels:
            events = list(HostEvent.objects.filter(host__name=host).order_by("id").values_list(*columns))
            assert all(before != after for before, after in itertools.pairwise(events))

    def teardown(self) -> None:
        """Whatever happened: one lease and one longest pause later, one worker finds every host as it is."""
        scripted = ScriptedServer(self.clock)
        scripted.answers = {host: lambda host=host: self._evidence(host) for host in self.kernels}
        worker = Worker(self.clock, lambda _row, _clock: scripted)
        started = self.clock.advance(seconds=400)
        worker.turn()
        assert not Attestation.objects.exclude(lease="").exists()
        assert not Attestation.objects.filter(asked_at__lt=started).exists()
        for host, kernel in self.kernels.items():
            state, expected = Host.objects.get(name=host).state, "untrusted" if kernel else "trusted"
            assert state == expected
        self.no_change_is_recorded_twice()

    def _pick(self, living: list, data):
        return living.pop(data.draw(st.integers(0, len(living) - 1)))

    def _living(self) -> list[Claim]:
        return [*self.claimed, *(claimed for claimed, _ in self.answered)]

    def _lease_runs(self, claimed: Claim) -> bool:
        return Attestation.objects.filter(lease=claimed.lease, lease_until__gt=self.clock.now).exists()

    def _answer(self, claimed: Claim) -> Batch:
        answers = {row.host: self._evidence(row.host) for row in claimed.rows}
        return Batch(answers, self.clock.now, self.clock.now)

    def _evidence(self, host: str):
        kernel = self.kernels[host]
        return evidence({18: value(f"kernel {kernel}")} if kernel else {}, at=self.clock.now)


def test_workers_killed_at_any_moment_neither_lose_nor_double_a_host() -> None:
    limits = settings(max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Workers, settings=limits)
