"""Attestation servers as pages show them: how they fare, and how old the evidence is that they gave."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Count, Q

from txt_dashboard.models import Attestation, Server
from txt_dashboard.models.attestation import counts_at

PATIENCE = timedelta(minutes=2)  # with a test that was asked for


class Health(StrEnum):
    """How a server fares."""

    DISABLED = "disabled"
    NEVER_ASKED = "never asked"
    ANSWERING = "answering"
    FAILING = "failing"
    PAUSED = "paused"  # it fails, and is left alone until `retry_at`


@dataclass(frozen=True, slots=True)
class HostCounts:
    """How many hosts a server has, by whether the evidence that it gave still counts."""

    fresh: int = 0
    stale: int = 0
    unreachable: int = 0
    never: int = 0

    @property
    def total(self) -> int:
        """All hosts of the server."""
        return self.fresh + self.stale + self.unreachable + self.never


class Test(StrEnum):
    """Where the test stands that somebody asked for."""

    RUNNING = "running"
    OVERDUE = "overdue"  # for so long that perhaps no worker runs


@dataclass(frozen=True, slots=True)
class ServerView:
    """One server, with what follows from its row at this moment."""

    server: Server
    health: Health
    hosts: HostCounts

    test: Test | None
    without_tls: bool  # anybody on the way can read and change what it says


def list_servers(now: datetime) -> tuple[ServerView, ...]:
    """All servers by name. Two queries, however many servers and hosts there are."""
    counts = _host_counts(now)
    return tuple(
        ServerView(
            server=row,
            health=health(row, now),
            hosts=counts.get(row.pk, HostCounts()),
            test=_test(row, now),
            without_tls=not row.url.lower().startswith("https:"),
        )
        for row in Server.objects.all()
    )


def find_server(server_id: int) -> Server | None:
    """The server with this id, or `None`."""
    return Server.objects.filter(id=server_id).first()


def health(server: Server, now: datetime) -> Health:
    """How the server fares at this moment."""
    if not server.enabled:
        return Health.DISABLED
    if server.failures:
        paused = server.retry_at is not None and server.retry_at > now
        return Health.PAUSED if paused else Health.FAILING
    return Health.ANSWERING if server.answered_at else Health.NEVER_ASKED


def _test(server: Server, now: datetime) -> Test | None:
    if server.test_requested_at is None:
        return None
    return Test.RUNNING if now - server.test_requested_at < PATIENCE else Test.OVERDUE


def _host_counts(now: datetime) -> dict[int, HostCounts]:
    never = Q(counts_from=None) | Q(valid_until=None)
    fresh = counts_at(now)
    ended = ~never & ~fresh
    rows = Attestation.objects.values_list("server_id").annotate(
        fresh=Count("id", filter=fresh),
        stale=Count("id", filter=ended & Q(answered=True)),
        unreachable=Count("id", filter=ended & Q(answered=False)),
        never=Count("id", filter=never),
    )
    return {server_id: HostCounts(*counts) for server_id, *counts in rows}
