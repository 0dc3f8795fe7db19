"""Many who write to the activity log at once, for real: `test_postgresql.py` runs this in a pytest of its own."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier, Event

import pytest
from django.db import connection, transaction

from tests.activity import write
from tests.factories import NOON
from txt_dashboard.audit import record
from txt_dashboard.audit.verify import verify
from txt_dashboard.audit.watch import check_if_due
from txt_dashboard.models import Activity, ActivityCheck, ActivityHead

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]
WRITERS = 8
ACTS = 25


@pytest.fixture
def writers() -> Iterator[ThreadPoolExecutor]:
    assert connection.vendor == "postgresql"
    with ThreadPoolExecutor(WRITERS) as pool:
        yield pool


def act(*, fails: bool = False) -> None:
    with transaction.atomic():
        record(at=NOON, actor="ada", verb="poll")
        transaction.set_rollback(fails)


def test_who_writes_second_waits_and_follows(writers) -> None:
    written, go_on = Event(), Event()

    def first() -> None:
        try:
            with transaction.atomic():
                record(at=NOON, actor="first", verb="poll")
                written.set()
                assert go_on.wait(10)
        finally:
            connection.close()

    def second() -> None:
        try:
            assert written.wait(10)
            with transaction.atomic():
                record(at=NOON, actor="second", verb="poll")
        finally:
            connection.close()

    act()
    pending = [writers.submit(first), writers.submit(second)]
    assert written.wait(10)
    assert not wait(pending, timeout=0.5).done, "the second did not wait for the first"
    go_on.set()
    for each in pending:
        each.result()
    assert list(Activity.objects.order_by("id").values_list("actor", flat=True)) == ["ada", "first", "second"]


def test_the_first_entries_of_all_can_be_written_at_once(writers) -> None:
    ActivityHead.objects.all().delete()
    _all_at_once(writers, act)
    assert verify(iter(()), None).entries == WRITERS


def test_no_act_fails_and_no_number_is_lost_or_doubled(writers) -> None:
    def acts() -> None:
        for number in range(ACTS):
            act(fails=number % 5 == 4)

    _all_at_once(writers, acts)
    assert verify(iter(()), None).entries == WRITERS * ACTS * 4 // 5


def test_the_chain_is_checked_while_others_write(writers) -> None:
    barrier = Barrier(WRITERS)
    pending = [writers.submit(_begin, barrier, lambda: [act() for _ in range(ACTS)]) for _ in range(WRITERS)]
    reports = 0
    while not all(each.done() for each in pending):
        verify(iter(()), None)  # raises where it takes a writer for an attacker
        reports += 1
    for each in pending:
        each.result()
    assert reports
    assert verify(iter(()), None).entries == WRITERS * ACTS


def test_one_of_many_workers_checks(writers) -> None:
    with transaction.atomic():
        write(3)
    _all_at_once(writers, lambda: check_if_due(NOON))
    assert ActivityCheck.objects.get().checked == 3


def _all_at_once(writers: ThreadPoolExecutor, work) -> None:
    barrier = Barrier(WRITERS)
    for each in [writers.submit(_begin, barrier, work) for _ in range(WRITERS)]:
        each.result()


def _begin(barrier: Barrier, work) -> None:
    try:
        barrier.wait()
        work()
    finally:
        connection.close()
