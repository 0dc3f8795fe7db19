"""Notices: the next poll of a host comes now, for one host at most once in ten seconds."""

from datetime import datetime, timedelta

import pytest

from tests.actions.test_claim import record_good
from tests.factories import BASELINES, NOON
from tests.rows import make_host, make_server, write_reference
from txt_dashboard.actions.claim import Claim, claim
from txt_dashboard.actions.notices import PAUSE, take_notice
from txt_dashboard.actions.permissions import Actor, Role
from txt_dashboard.actions.polling import poll_now
from txt_dashboard.models import Attestation

pytestmark = pytest.mark.django_db
AGENT = "d432fbb3-d2f1-4a97-9ef7-75bd81c00000"
OPERATOR = Actor("olga", frozenset({Role.OPERATOR}))


@pytest.fixture(autouse=True)
def host() -> None:
    """A host that was asked for at noon, and is due a minute later."""
    row = make_server("keylime", kind="keylime", interval_s=60)
    write_reference(row, BASELINES)
    make_host("hv1", row)
    record_good(claimed(0), at(0))
    Attestation.objects.update(details={"agent": AGENT})


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def claimed(seconds: float) -> Claim:
    found = claim(at(seconds))
    assert found is not None
    return found


def notice(seconds: float) -> int:
    return take_notice("keylime", AGENT, now=at(seconds))


def due() -> float:
    return (Attestation.objects.get().due_at - NOON).total_seconds()


def test_a_poll_a_moment_ago_does_not_keep_a_notice_waiting() -> None:
    assert notice(1) == 1
    assert due() == 1


def test_of_many_notices_one_poll_comes_in_ten_seconds() -> None:
    polls = []
    for second in range(60):
        notice(second + 0.1)
        if found := claim(at(second + 0.2)):
            record_good(found, at(second + 0.3))
            polls.append(second)
        notice(second + 0.4)
    assert polls == [0, 10, 20, 30, 40, 50]


def test_the_last_of_many_notices_is_not_lost() -> None:
    notice(1)
    record_good(claimed(1), at(1.5))
    notice(2)
    assert due() == 1 + PAUSE.total_seconds()


def test_a_poll_between_two_notices_does_not_swallow_the_second() -> None:
    notice(1)
    record_good(claimed(1), at(1.5))
    notice(2)
    poll_now(OPERATOR, now=at(3))
    record_good(claimed(3), at(3.5))
    notice(4)
    assert due() == 1 + PAUSE.total_seconds()


def test_a_notice_while_its_host_is_being_asked_has_it_asked_once_more() -> None:
    running = claimed(60)
    assert notice(61) == 1
    assert claim(at(61)) is None
    record_good(running, at(62))
    assert due() == 61
    record_good(claimed(62), at(63))
    assert due() > 100


def test_notices_while_the_host_is_being_asked_again_and_again_wait_like_others() -> None:
    notice(30)
    running = claimed(30)
    assert notice(31) == 0
    record_good(running, at(32))
    assert due() == 30 + PAUSE.total_seconds()


def test_poll_now_while_a_host_is_being_asked_has_it_asked_once_more() -> None:
    running = claimed(60)
    poll_now(OPERATOR, now=at(61))
    record_good(running, at(62))
    assert due() == 61


def test_who_asks_puts_no_poll_off() -> None:
    running = claimed(60)
    Attestation.objects.update(due_at=at(500))
    record_good(running, at(62))
    assert due() < 62 + 60


def test_a_notice_from_after_now_is_no_reason_to_wait() -> None:
    Attestation.objects.update(noticed_at=at(3600))
    assert notice(1) == 1
