"""Asking for evidence now."""

from datetime import datetime

from django.db import transaction

from txt_dashboard import audit
from txt_dashboard.actions.permissions import Actor, NotFound, Verb, require
from txt_dashboard.models import Attestation, Host, PollRequest, Quoted, Server


@transaction.atomic
def poll_now(actor: Actor, *, now: datetime, pool: str = "", host: str = "", server: str = "") -> PollRequest:
    """Makes all hosts, those of a pool or of a server, or one host due now; the workers' next turn takes them.

    Their TPMs are asked, however fresh their last quotes are, and a server that is left alone because it failed is
    tried again. Raises `NotAllowed`, `NotFound`.
    """
    require(actor, Verb.POLL)
    rows = Attestation.objects.filter(server__enabled=True)
    one = None
    if host:
        one = Host.objects.filter(name=host).first()
        if one is None:
            raise NotFound(f"There is no host named {host}.")
        rows = rows.filter(host=one)
    elif pool:
        rows = rows.filter(host__pool=pool)
    servers = list(rows.values_list("server_id", flat=True).distinct())
    asked = Server.objects.filter(name=server).first() if server else None
    if server:
        if asked is None:
            raise NotFound(f"There is no server named {server}.")
        rows = rows.filter(server=asked)
    total = rows.values("host_id").distinct().count()
    if not total:
        raise NotFound("No host there is attested by a server that is switched on, so there is nothing to poll.")
    Quoted.objects.filter(attestation__in=rows, due_at__gt=now).update(due_at=now)
    rows.update(due_at=now)
    Server.objects.filter(id__in=servers, failures__gt=0).update(retry_at=now)
    request = PollRequest.objects.create(
        requested_at=now, requested_by=actor.name, pool=pool, host=one, server=asked, total=total
    )
    detail = {"pool": pool, "hosts": total, **({"server": server} if server else {})}
    target = host or pool or server or "all hosts"
    audit.record(at=now, actor=actor.name, verb=Verb.POLL, target=target, host=host, detail=detail)
    return request
