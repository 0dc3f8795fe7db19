"""Which hosts there are, and which server attests them."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

import structlog
from django.db import transaction

from txt_dashboard import audit
from txt_dashboard.actions.permissions import Actor, Invalid, NotFound, Verb, require
from txt_dashboard.models import Attestation, Host, Server

MOST = 100_000
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
POOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,62}")

log = structlog.get_logger()


def load_hosts(actor: Actor, rows: Iterable[tuple[str, str]], *, server: str, now: datetime) -> int:
    """Hosts and their pools from a list; hosts that are there move to the pool named. Returns how many.

    Raises `Invalid` with every line that can't be used (and then changes nothing), `NotFound`, `NotAllowed`.
    """
    require(actor, Verb.LOAD_HOSTS)
    pools = _read(rows)
    row = Server.objects.filter(name=server).first()
    if row is None:
        raise NotFound(f"There is no attestation server named {server}.")
    with transaction.atomic():
        Host.objects.bulk_create(
            [Host(name=name, pool=pool, since=now, created_at=now) for name, pool in pools.items()],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["pool"],
        )
        _attest_by(row, list(pools), now)
        detail = {"hosts": len(pools), "server": server}
        audit.record(at=now, actor=actor.name, verb=Verb.LOAD_HOSTS, target=server, detail=detail)
    return len(pools)


@transaction.atomic
def adopt(server: Server, names: Sequence[str], *, now: datetime) -> int:
    """Takes in the hosts that a server lists and nobody named to us; returns how many were new."""
    usable = {name for name in names[:MOST] if NAME.fullmatch(name)}
    if len(usable) < len(set(names)):
        log.warning("host names refused", server=server.name, refused=len(set(names)) - len(usable))
    attested = set(server.attestations.values_list("host__name", flat=True))
    new = sorted(usable - attested)
    if new:
        Host.objects.bulk_create([Host(name=name, since=now, created_at=now) for name in new], ignore_conflicts=True)
        _attest_by(server, new, now)
        detail = {"hosts": len(new), "first": new[0]}
        audit.record(at=now, actor="worker", verb="hosts found", target=server.name, detail=detail)
    return len(new)


def _attest_by(server: Server, names: Sequence[str], now: datetime) -> None:
    for start in range(0, len(names), 500):
        hosts = Host.objects.filter(name__in=names[start : start + 500])
        ids = list(hosts.exclude(attestations__server=server).values_list("id", flat=True))
        # What was said of them so far is not all any more.
        Host.objects.filter(id__in=ids).exclude(evidence_key="").update(evidence_key="")
        Attestation.objects.bulk_create(
            [Attestation(host_id=id_, server=server, due_at=now) for id_ in ids], ignore_conflicts=True
        )


def _read(rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    pools: dict[str, str] = {}
    errors: list[str] = []
    for number, (name, pool) in enumerate(rows, start=1):
        if not NAME.fullmatch(name):
            errors.append(f"Line {number}: {name[:60]!r} is no host name.")
        elif pool and not POOL.fullmatch(pool):
            errors.append(f"Line {number}: {pool[:60]!r} is no pool name.")
        elif name in pools:
            errors.append(f"Line {number}: {name} is there twice.")
        elif number > MOST:
            errors.append(f"There are more than {MOST} hosts.")
            break
        else:
            pools[name] = pool
    if errors:
        raise Invalid({"hosts": errors[:20]})
    return pools
