"""Two transactions at once, for real: `test_postgresql.py` runs this in a pytest of its own."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction

from tests.factories import BASELINES, NOON, evidence, value
from tests.rows import make_host, make_server, write_reference
from txt_dashboard import conf
from txt_dashboard.actions.claim import Claim, claim
from txt_dashboard.actions.cycle import expire
from txt_dashboard.actions.quotes.ask import Joined
from txt_dashboard.actions.record import Bench, record_attestations
from txt_dashboard.attest.appraiser import Appraiser
from txt_dashboard.models import Activity, Attestation, Host, HostEvent, Server
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.servers.base import Batch

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]
WORKERS = 8
HOSTS = 160


@pytest.fixture(autouse=True)
def server() -> Server:
    assert connection.vendor == "postgresql"
    row = make_server(batch_size=10, parallel=100)
    write_reference(row, BASELINES)
    for number in range(HOSTS):
        make_host(f"hv{number:03}", row)
    return row


@pytest.fixture
def workers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(WORKERS) as pool:
        yield pool


def together(workers: ThreadPoolExecutor, work: Callable[[], object]) -> list:
    """The results of all workers, who begin at one moment, each on a connection of its own."""
    barrier = Barrier(WORKERS)

    def begin() -> object:
        try:
            barrier.wait()
            return work()
        finally:
            connection.close()

    return [each.result() for each in [workers.submit(begin) for _ in range(WORKERS)]]


def record(claimed: Claim, at, kernel: str = "") -> None:
    answers = {row.host: evidence({18: value(kernel)} if kernel else {}, at=at) for row in claimed.rows}
    bench = Bench(current_reference(), Appraiser(), conf.clock_tolerance())
    record_attestations(claimed, Joined(Batch(answers, at, at)), bench, now=at)


def claim_all() -> list[str]:
    """Host names that one worker got until nothing was due."""
    got: list[str] = []
    while claimed := claim(NOON):
        got += [row.host for row in claimed.rows]
    return got


def test_each_host_goes_to_one_worker(workers) -> None:
    got = [host for hosts in together(workers, claim_all) for host in hosts]
    assert len(got) == HOSTS
    assert len(set(got)) == HOSTS


def test_workers_at_once_keep_to_a_server_s_limit(workers) -> None:
    Server.objects.update(parallel=3)
    claims = together(workers, lambda: claim(NOON))
    assert sum(each is not None for each in claims) == 3


def test_one_of_many_workers_tries_a_failing_server(workers) -> None:
    Server.objects.update(failures=2, retry_at=NOON)
    claims = together(workers, lambda: claim(NOON))
    assert sum(each is not None for each in claims) == 1


def test_a_claim_passes_by_what_is_being_recorded(server) -> None:
    late = claim(NOON)
    end = NOON + server.lease
    with ThreadPoolExecutor(1) as other, transaction.atomic():
        held = [row.id for row in Attestation.objects.select_for_update().filter(lease=late.lease)]
        claimed = other.submit(_elsewhere, lambda: claim(end)).result(timeout=10)
    assert {row.id for row in claimed.rows}.isdisjoint(held)


def test_a_lease_that_is_lost_meanwhile_records_nothing(server) -> None:
    late = claim(NOON)
    end = NOON + server.lease
    with ThreadPoolExecutor(1) as other, transaction.atomic():
        Server.objects.update(batch_size=HOSTS)
        record(claim(end), end)
        waiting = other.submit(_elsewhere, lambda: record(late, end, kernel="from the dead"))
        assert not waiting.done()
    waiting.result()
    assert HostEvent.objects.count() == HOSTS
    assert not Host.objects.exclude(state="trusted").exists()


def test_what_ran_out_is_told_once(workers, server) -> None:
    Server.objects.update(batch_size=HOSTS)
    record(claim(NOON), NOON)
    later = NOON + timedelta(hours=1)
    together(workers, lambda: expire(now=later))
    assert Host.objects.filter(state="stale").count() == HOSTS
    assert HostEvent.objects.filter(state="stale").count() == HOSTS


def test_workers_who_record_at_once_neither_wait_in_a_circle_nor_break_the_log(workers) -> None:
    def work() -> None:
        while claimed := claim(NOON):
            record(claimed, NOON, kernel=f"kernel {claimed.rows[0].id % 7}")

    together(workers, work)
    assert HostEvent.objects.count() == HOSTS
    entries = list(Activity.objects.order_by("id").values_list("previous", "digest"))
    assert [previous for previous, _ in entries[1:]] == [digest for _, digest in entries[:-1]]


def _elsewhere(work: Callable[[], object]) -> object:
    try:
        return work()
    finally:
        connection.close()
