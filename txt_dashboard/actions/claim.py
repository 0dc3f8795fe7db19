"""Claiming work: the row is the job, and a conditional UPDATE gives it to one worker only.

A worker that dies keeps its lease until it runs out; then the hosts are due again. A batch that failed
as a whole is tried again in halves, so that one host that hangs its server can't take others with it.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q

from txt_dashboard.models import Attestation, Server

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Claim:
    """Hosts of one server that this worker may ask for, until the lease ends."""

    server: Server
    lease: str
    rows: tuple["ClaimedRow", ...]


@dataclass(frozen=True, slots=True)
class ClaimedRow:
    """What must be known of an attestation to see whether a new answer changes anything."""

    id: int
    host_id: int
    host: str
    pool: str
    host_state: str
    match: str
    verdict: str
    voucher: str
    attested_at: datetime | None
    registers_key: str
    rules_key: str
    platform_id: str | None
    vmm_id: str | None
    baselines_end: datetime | None
    doubtful: bool


def claim(now: datetime) -> Claim | None:
    """The next batch that is due, or `None` where nothing is."""
    ready = Q(retry_at=None) | Q(retry_at__lte=now)
    for server in Server.objects.filter(ready, enabled=True).order_by(F("asked_at").asc(nulls_first=True)):
        if claimed := _claim_from(server, now):
            return claimed
    return None


def pause_after(failures: int) -> timedelta:
    """How long a server is left alone after this many failures in a row."""
    return min(FIRST_PAUSE * (1 << min(failures - 1, 16)), LONGEST_PAUSE)


@transaction.atomic
def _claim_from(server: Server, now: datetime) -> Claim | None:
    due = server.attestations.due(now).order_by("failures", "due_at", "id")
    first = due.values_list("failures", flat=True).first()
    if first is None or _busy(server, now):
        return None
    if server.failures and not _probe(server, now):
        return None
    if connection.features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True)
    ids = list(due.values_list("id", flat=True)[: max(1, server.batch_size >> first)])
    lease = uuid.uuid4().hex
    server.attestations.due(now).filter(id__in=ids).update(lease=lease, lease_until=now + server.lease)
    Server.objects.filter(id=server.id).update(asked_at=now)
    rows = _rows(lease)
    return Claim(server, lease, rows) if rows else None


def _busy(server: Server, now: datetime) -> bool:
    leases = server.attestations.filter(lease_until__gt=now).exclude(lease="").values("lease").distinct()
    return leases.count() >= server.parallel


def _probe(server: Server, now: datetime) -> bool:
    """While a server fails, one worker at a time tries it: whoever moves `retry_at` first."""
    unchanged = Server.objects.filter(id=server.id, retry_at=server.retry_at)
    return unchanged.update(retry_at=now + server.lease) == 1


def _rows(lease: str) -> tuple[ClaimedRow, ...]:
    columns = (
        "id", "host_id", "host__name", "host__pool", "host__state", "match", "verdict", "voucher", "attested_at",
        "registers_key", "rules_key", "platform_id", "vmm_id", "baselines_end", "doubtful",
    )  # fmt: skip
    held = Attestation.objects.filter(lease=lease).annotate(doubtful=Q(doubt__isnull=False))
    return tuple(ClaimedRow(*row) for row in held.values_list(*columns))
