"""A server that says by itself that something happened: it is asked sooner, and nothing else follows."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery

from txt_dashboard.models import Attestation, Notice

PAUSE = timedelta(seconds=10)  # between two polls of a host that notices bring about


@transaction.atomic
def take_notice(server: str, agent: str, *, now: datetime) -> int:
    """Has the host that this server calls `agent` asked for with the next turn; returns how many polls come sooner.

    After a poll that a notice brought about the next such poll comes when `PAUSE` has passed: whoever sends notices
    without end makes one poll in that time. Nobody acts here but a machine that knows a secret, so nothing is logged.
    """
    rows = Attestation.objects.select_for_update(no_key=True).filter(server__name=server, server__enabled=True)
    rows = rows.filter(Q(details__agent=agent) | Q(host__name=agent)).order_by("id")
    ids = list(rows.values_list("id", flat=True))
    before = dict(Notice.objects.filter(attestation_id__in=ids).values_list("attestation_id", "brings_at"))
    brought = 0
    for id_ in ids:
        last = before.get(id_)
        if last is not None and last > now:
            continue  # one is on its way
        brings_at = now if last is None else max(now, last + PAUSE)
        Notice.objects.update_or_create(attestation_id=id_, defaults={"brings_at": brings_at})
        brought += Attestation.objects.filter(id=id_, due_at__gt=brings_at).update(due_at=brings_at)
    return brought


def keep_due(ids: Collection[int], since: datetime) -> None:
    """A notice that came after the server was asked may speak of what its answer does not know yet."""
    noticed = Attestation.objects.filter(id__in=ids, notice__brings_at__gt=since)
    brings_at = Notice.objects.filter(attestation=OuterRef("pk")).values("brings_at")
    noticed.update(due_at=Subquery(brings_at))
