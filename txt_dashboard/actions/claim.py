"""Claiming work: the row is the job, and a conditional UPDATE gives it to one worker only.

A worker that dies keeps its lease until it runs out; then the hosts are due again. A batch that failed
as a whole is tried again in halves, so that one host that hangs its server can't take others with it.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import F, Q

from txt_dashboard.models import Attestation, Server
from txt_dashboard.models.bulk import update_rows

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Claim:
    """Hosts of one server that this worker may ask for, until the lease ends."""

    server: Server
    lease: str
    rows: tuple["ClaimedRow", ...]
    at: datetime


class ClaimedRow(NamedTuple):
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
    turn = Server.objects.filter(_ready(now)).order_by(F("asked_at").asc(nulls_first=True))
    for server_id in turn.values_list("id", flat=True):
        if claimed := _claim_from(server_id, now):
            return claimed
    return None


def pause_after(failures: int) -> timedelta:
    """How long a server is left alone after this many failures in a row."""
    return min(FIRST_PAUSE * (1 << min(failures - 1, 16)), LONGEST_PAUSE)


@transaction.atomic
def _claim_from(server_id: int, now: datetime) -> Claim | None:
    # Locked first, so that of workers who come at once each sees what the one before it took.
    server = Server.objects.select_for_update(no_key=True).filter(_ready(now), id=server_id).first()
    if server is None or _busy(server, now):
        return None
    lease = uuid.uuid4().hex
    if not _take(server, lease, now):
        return None
    # While a server fails, one worker at a time tries it: the others wait until its lease would end.
    retry_at = now + server.lease if server.failures else None
    Server.objects.filter(id=server.id).update(asked_at=now, retry_at=retry_at)
    return Claim(server, lease, _rows(lease), now)


def _ready(now: datetime) -> Q:
    return Q(enabled=True) & (Q(retry_at=None) | Q(retry_at__lte=now))


def _take(server: Server, lease: str, now: datetime) -> int:
    """Leases the hosts that wait longest, and only when there is none of them, some of a batch that failed."""
    # Who still records after its lease ended holds its rows' locks, and will want the server's, which we hold.
    due = server.attestations.due(now).select_for_update(skip_locked=True, no_key=True)
    waiting = due.filter(failures=0).order_by("due_at", "id")
    ids = list(waiting.values_list("id", flat=True)[: server.batch_size])
    if not ids:
        failed = due.filter(failures__gt=0).order_by("failures", "due_at", "id").values_list("id", "failures")
        rows = list(failed[: server.batch_size])
        ids = [id_ for id_, _ in rows[: max(1, server.batch_size >> rows[0][1])]] if rows else []
    leased = {"lease": lease, "lease_until": now + server.lease}
    return update_rows(Attestation, (), [(id_,) for id_ in ids], constants=leased)


def _busy(server: Server, now: datetime) -> bool:
    # By the leases alone, which are few, and not by the server's hosts, which are many.
    held = Attestation.objects.filter(lease__gt="", lease_until__gt=now).values_list("lease", "server_id").distinct()
    return sum(of == server.id for _, of in held) >= server.parallel


def _rows(lease: str) -> tuple[ClaimedRow, ...]:
    columns = (
        "id", "host_id", "host__name", "host__pool", "host__state", "match", "verdict", "voucher", "attested_at",
        "registers_key", "rules_key", "platform_id", "vmm_id", "baselines_end", "doubtful",
    )  # fmt: skip
    held = Attestation.objects.filter(lease=lease).annotate(doubtful=Q(doubt__isnull=False)).order_by("id")
    return tuple(ClaimedRow(*row) for row in held.values_list(*columns))
