"""A server that says by itself that something happened: it is asked sooner, and nothing else follows."""

from datetime import datetime, timedelta

from django.db.models import F, Q

from txt_dashboard.models import Attestation

PAUSE = timedelta(seconds=10)  # between two polls of a host that notices bring about


def take_notice(server: str, agent: str, *, now: datetime) -> int:
    """Has the host that this server calls `agent` asked for with the next turn; returns how many polls come at once.

    A host for which a notice did that less than `PAUSE` ago comes as soon as that has passed: whoever sends notices
    without end makes one poll in that time. A host that is being asked just now is asked once more afterwards, for
    nobody knows whether the answer is from before the notice. Nobody acts here but a machine that knows a secret, so
    nothing is logged.
    """
    rows = Attestation.objects.filter(server__name=server, server__enabled=True)
    rows = rows.filter(Q(details__agent=agent) | Q(host__name=agent))
    asking = Q(lease_until__gt=now)
    lately = Q(noticed_at__gt=now - PAUSE, noticed_at__lte=now)
    coming = Q(noticed_at__gt=now, noticed_at__lte=now + PAUSE)
    rested = Q(noticed_at=None) | Q(noticed_at__lte=now - PAUSE) | Q(noticed_at__gt=now + PAUSE)  # a clock went back
    soon = F("noticed_at") + PAUSE
    rows.filter(coming, asking | Q(due_at__gt=F("noticed_at"))).update(due_at=F("noticed_at"))
    rows.filter(lately, asking | Q(due_at__gt=soon)).update(due_at=soon, noticed_at=soon)
    return rows.filter(rested, asking | Q(due_at__gt=now)).update(due_at=now, noticed_at=now)
