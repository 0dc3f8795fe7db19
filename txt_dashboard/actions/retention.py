"""Forgetting what is too old to matter."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from txt_dashboard import audit
from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.models import Attestation, EventLog, HostEvent, Measurement, PollRequest


@transaction.atomic
def prune(*, now: datetime, older_than: timedelta) -> int:
    """Removes history older than that, and measurements that nothing shows any more.

    A host's latest change stays however old it is: it says why the host is as it is. Returns the number
    of changes removed. The activity log is not touched.
    """
    limit = now - older_than
    later = HostEvent.objects.filter(host=OuterRef("host"), id__gt=OuterRef("id"))
    removed, _ = HostEvent.objects.filter(Exists(later), at__lt=limit).delete()
    PollRequest.objects.filter(requested_at__lt=limit).delete()
    used = Q(platform=OuterRef("key")) | Q(vmm=OuterRef("key"))
    unused = ~Exists(Attestation.objects.filter(used)) & ~Exists(HostEvent.objects.filter(used))
    Measurement.objects.filter(unused, first_seen_at__lt=limit).delete()
    # Logs of measurements stay, for golden values outlive the hosts that showed them.
    EventLog.objects.filter(quoted=None, measured=None, leads=None, first_seen_at__lt=limit).delete()
    if removed:
        detail = {"changes": removed, "before": limit.isoformat()}
        audit.record(at=now, actor=COMMAND_LINE.name, verb="prune history", detail=detail)
    return removed
