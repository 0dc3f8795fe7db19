"""A server that says by itself that something happened: it is asked sooner, and nothing else follows."""

from datetime import datetime, timedelta

from django.db.models import F, Q

from txt_dashboard.models import Attestation

PAUSE = timedelta(seconds=10)  # between two polls of a host that notices bring about


def take_notice(server: str, agent: str, *, now: datetime) -> int:
    """Has the host that this server calls `agent` asked for with the next turn; returns how many polls come sooner.

    A host that was asked for less than `PAUSE` ago comes as soon as that has passed: whoever sends notices without
    end makes one poll in that time. Nobody acts here but a machine that knows a secret, so nothing is logged.
    """
    rows = Attestation.objects.filter(server__name=server, server__enabled=True)
    rows = rows.filter(Q(details__agent=agent) | Q(host__name=agent))
    rested = rows.filter(Q(asked_at=None) | Q(asked_at__lte=now - PAUSE), due_at__gt=now)
    brought = rested.update(due_at=now)
    soon = F("asked_at") + PAUSE
    return brought + rows.filter(asked_at__gt=now - PAUSE, due_at__gt=soon).update(due_at=soon)
