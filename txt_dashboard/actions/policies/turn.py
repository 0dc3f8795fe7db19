"""When a server's agents are looked at, and by whom: one worker at a time, which holds a short lease.

Nothing is written at a server that the settings don't name, and of these only at those that count.
"""

import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta

import structlog
from django.db.models import F, Max, Q

from txt_dashboard import conf
from txt_dashboard.actions.policies.round import Round
from txt_dashboard.actions.policies.sort import REACTIVATION, proven
from txt_dashboard.actions.policies.tools import LeaseLost, Tools
from txt_dashboard.attest.evidence import Voucher
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.models import (
    AgentPolicy,
    AgentStand,
    Attestation,
    PolicyRound,
    Publication,
    PublicationState,
    Server,
    WhitelistReading,
)
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.servers.base import Clock, ServerError
from txt_dashboard.servers.policed import PolicedAgents

BuildAgents = Callable[[Server, Clock], PolicedAgents | None]

READING = timedelta(minutes=10)
WAITING = timedelta(minutes=1)  # while an agent waits for something
PAUSE = timedelta(seconds=3)  # while a change is under way
LAGGING = timedelta(seconds=20)  # while a server calls hosts untrusted whose own quotes match
LEASE = timedelta(seconds=90)

log = structlog.get_logger()


def publish_policies(build: BuildAgents, clock: Clock) -> None:
    """Looks at the servers that are due."""
    names = conf.keylime_publish()
    _forget_all_but(names)
    for row in Server.objects.filter(name__in=names, enabled=True, counts=True):
        lease = _take(row, clock())
        if lease:
            _look(row, lease, build, clock)


def _forget_all_but(names: frozenset[str]) -> None:
    """What was found of servers that are left alone now, but for changes that nobody finished."""
    others = PolicyRound.objects.exclude(server__name__in=names, server__counts=True)
    ids = list(others.values_list("server_id", flat=True))
    if ids:
        AgentPolicy.objects.filter(attestation__server_id__in=ids, change__isnull=True).delete()
        others.filter(server_id__in=ids).delete()


def _take(row: Server, now: datetime) -> str:
    """A lease on a server that is due, empty where it is not or another worker has it."""
    PolicyRound.objects.get_or_create(server=row, defaults={"due_at": now})
    number = current_reference().number
    due = Q(due_at__lte=now) | ~Q(set_number=number)
    if _lags(row, now):
        due |= Q(looked_at__lte=now - LAGGING)
    if _proof_came(row, now):
        due |= Q(looked_at__lte=now - PAUSE)
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    lease = uuid.uuid4().hex
    mine = PolicyRound.objects.filter(due, free, server=row)
    return lease if mine.update(lease=lease, lease_until=now + LEASE, due_at=now, set_number=number) else ""


def _lags(row: Server, now: datetime) -> bool:
    """Whether the server rejects a host whose own quote matches, or can't reach one, and something may be done."""
    rejected = Q(voucher=Voucher.QUOTE, reason__in=(Reason.SERVER_UNTRUSTED.code, Reason.SERVER_UNDECIDED.code))
    silent = Q(answered=False, silence__code=Reason.HOST_TIMEOUT.code)
    found = Attestation.objects.filter(rejected | silent, server=row)
    found = found.exclude(agent_policy__reactivated_at__gt=now - REACTIVATION)
    return found.exclude(agent_policy__stand=AgentStand.KEPT).exists()


def _proof_came(row: Server, now: datetime) -> bool:
    """Whether a policy waits for a host that proves it, and there is one."""
    waiting = Publication.objects.filter(server=row, state=PublicationState.PROVING).exclude(problem="")
    found = Attestation.objects.filter(proven(now), server=row, agent_policy__stand=AgentStand.WAITING)
    return found.filter(agent_policy__version__in=waiting.values("version")).exists()


def _look(row: Server, lease: str, build: BuildAgents, clock: Clock) -> None:
    mine = PolicyRound.objects.filter(server=row, lease=lease)

    def hold() -> None:
        if not mine.update(lease_until=clock() + LEASE):
            raise LeaseLost

    problem, busy = "", True
    try:
        agents = build(row, clock)
        if agents is None:
            mine.update(due_at=clock() + WAITING, lease="", lease_until=None)
            return
        with closing(agents):
            busy = Round(row, current_reference(), Tools(agents, clock, hold)).run()
    except ServerError as error:
        problem = str(error)
        log.warning("agents not looked at", server=row.name, why=problem)
    except LeaseLost:
        return
    now = clock()
    due_at = now + (PAUSE if busy else _until_next(row, now))
    looked_at = F("looked_at") if problem else now
    mine.update(due_at=due_at, looked_at=looked_at, problem=problem, lease="", lease_until=None)
    if not busy:
        _read_back(row, now)


def _read_back(row: Server, now: datetime) -> None:
    """What is there is read with the next turn, if something was changed since it was read."""
    last = AgentPolicy.objects.filter(attestation__server=row).aggregate(last=Max("settled_at"))["last"]
    if last is not None:
        WhitelistReading.objects.filter(server=row, read_at__lt=last).update(due_at=now)


def _until_next(row: Server, now: datetime) -> timedelta:
    waiting = Q(stand=AgentStand.WAITING) | Q(stand=AgentStand.JUDGED, problem__gt="") | Q(try_at__gt=now)
    if AgentPolicy.objects.filter(waiting, attestation__server=row).exists():
        return WAITING
    failed = Publication.objects.filter(server=row, state=PublicationState.FAILED, changed_at__gt=now - READING)
    return WAITING if failed.exists() else READING
