"""Poll now: all hosts, a pool, one host."""

from datetime import timedelta

import pytest

from tests.factories import NOON
from tests.rows import make_host, make_server
from txt_dashboard.actions.permissions import Actor, NotAllowed, NotFound, Role
from txt_dashboard.actions.polling import poll_now
from txt_dashboard.models import Activity, Attestation, PollRequest, Server

pytestmark = pytest.mark.django_db

OPERATOR = Actor("olga", frozenset({Role.OPERATOR}))
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def fleet():
    server = make_server()
    for name, pool in (("a1", "az1"), ("a2", "az1"), ("b1", "az2")):
        make_host(name, server, pool)
    Attestation.objects.update(due_at=LATER)
    return server


def due() -> list[str]:
    return sorted(Attestation.objects.due(NOON).values_list("host__name", flat=True))


@pytest.mark.parametrize(
    ("scope", "names"),
    [({}, ["a1", "a2", "b1"]), ({"pool": "az1"}, ["a1", "a2"]), ({"host": "b1"}, ["b1"])],
)
def test_the_hosts_in_scope_become_due(fleet, scope, names) -> None:
    request = poll_now(OPERATOR, now=NOON, **scope)
    assert due() == names
    assert request.total == len(names)
    assert Activity.objects.get().actor == "olga"


def test_a_server_left_alone_is_tried_again(fleet) -> None:
    Server.objects.update(failures=3, retry_at=LATER)
    poll_now(OPERATOR, now=NOON)
    assert Server.objects.get().retry_at == NOON


@pytest.mark.parametrize("scope", [{"host": "nobody"}, {"pool": "nowhere"}])
def test_what_is_not_there_is_named(fleet, scope) -> None:
    with pytest.raises(NotFound):
        poll_now(OPERATOR, now=NOON, **scope)


def test_nothing_is_attested_by_a_server_that_is_off(fleet) -> None:
    Server.objects.update(enabled=False)
    with pytest.raises(NotFound, match="switched on"):
        poll_now(OPERATOR, now=NOON)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.APPROVER])
def test_viewers_and_approvers_dont_poll(fleet, role) -> None:
    with pytest.raises(NotAllowed):
        poll_now(Actor("vera", frozenset({role})), now=NOON)
    assert due() == []
    assert not PollRequest.objects.exists()
