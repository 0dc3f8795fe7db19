"""Pools follow from the cloud's own groups, as long as that changes nothing of how hosts are judged.

Who administers the cloud decides in which zone or aggregate a hypervisor is. By which golden values a host is judged
is for approvers to decide: a move into a pool with other rules waits for one of them.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

import structlog
from django.db import transaction

from txt_dashboard import audit
from txt_dashboard.actions.hosts import POOL
from txt_dashboard.actions.permissions import Actor, Conflict, Invalid, NotFound, Verb, require
from txt_dashboard.attest.reference import ReferenceSet
from txt_dashboard.cloud import compute
from txt_dashboard.cloud.connection import Connection
from txt_dashboard.cloud.pools import PoolSource, by_aggregate, by_zone
from txt_dashboard.models import Attestation, Cloud, CloudHost, Host, PoolMove
from txt_dashboard.queries.reference import current_reference

TAKEN, WAITING = "pools taken", "pools wait"
_BATCH = 500

log = structlog.get_logger()


def pools_at(connection: Connection, source: PoolSource) -> Mapping[str, str]:
    """Compute service's host -> pool, as the cloud has it now. Raises `CloudError`."""
    if source.metadata_key:
        return by_aggregate(compute.list_aggregates(connection), source.metadata_key)
    return by_zone(compute.list_services(connection))


@transaction.atomic
def take_pools(cloud: Cloud, pools: Mapping[str, str], before: Iterable[str], *, now: datetime) -> None:
    """Moves hosts into the pools that the cloud names, and notes those that must wait.

    A host for which the cloud names none stays where it is. `before` are the clouds that are asked first: what they
    know is not for this one to say.
    """
    wanted = _wanted(cloud, pools, before)
    alike = _judged_alike(current_reference(), wanted)
    moved = {host: pool for host, pool in wanted.items() if alike[host]}
    _move(moved)
    _wait(cloud, {host: pool for host, pool in wanted.items() if not alike[host]}, now)
    if moved:
        _record("worker", TAKEN, cloud, moved, now)


def accept_pools(actor: Actor, cloud_name: str, *, seen: str, reason: str, now: datetime) -> int:
    """Moves all hosts that wait, if they are those that the actor saw (`digest_of`); returns how many.

    Raises `NotAllowed`, `NotFound`, `Invalid`, `Conflict`.
    """
    require(actor, Verb.MOVE_POOL)
    if not reason.strip():
        raise Invalid({"reason": ["Say why."]})
    with transaction.atomic():
        cloud = Cloud.objects.select_for_update().filter(name=cloud_name).first()
        moves = list(cloud.pool_moves.select_related("host")) if cloud else []
        if cloud is None or not moves:
            raise NotFound("No host waits to be moved to another pool.")
        if seen != digest_of(moves):
            raise Conflict("Other hosts wait now than those that you saw. Look at them again.")
        moved = {each.host: each.pool for each in moves}
        _move(moved)
        cloud.pool_moves.all().delete()
        _record(actor.name, Verb.MOVE_POOL, cloud, moved, now, reason=reason)
    return len(moved)


def digest_of(moves: Iterable[PoolMove]) -> str:
    """What stands for these moves and no others."""
    said = sorted((each.host.name, each.host.pool, each.pool) for each in moves)
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _wanted(cloud: Cloud, pools: Mapping[str, str], before: Iterable[str]) -> dict[Host, str]:
    """Hosts whose pool is another one by the cloud's word."""
    others = set(
        CloudHost.objects.filter(cloud__name__in=list(before), host__isnull=False).values_list("host", flat=True)
    )
    found: dict[Host, str] = {}
    unusable = set()
    for node in cloud.hosts.filter(host__isnull=False).select_related("host"):
        pool, host = pools.get(node.service_host, ""), node.host
        if host is None or host.pk in others or pool in ("", host.pool):
            continue
        if POOL.fullmatch(pool):
            found[host] = pool
        else:
            unusable.add(pool[:80])
    if unusable:
        log.warning("names of pools refused", cloud=cloud.name, names=sorted(unusable)[:10])
    return found


def _judged_alike(reference: ReferenceSet, wanted: Mapping[Host, str]) -> dict[Host, bool]:
    """Whether each is judged in the other pool exactly as where it is, now and at any time, by all its servers."""
    servers: dict[int, set[str]] = defaultdict(set)
    ids = [host.pk for host in wanted]
    for start in range(0, len(ids), _BATCH):
        rows = Attestation.objects.filter(host__in=ids[start : start + _BATCH]).order_by()
        for host, server in rows.values_list("host", "server__name"):
            servers[host].add(server)
    known: dict[tuple[str, str, str], bool] = {}

    def alike(server: str, one: str, other: str) -> bool:
        key = (server, one, other)
        if key not in known:
            known[key] = reference.judges_alike(*key)
        return known[key]

    return {host: all(alike(each, host.pool, pool) for each in servers[host.pk]) for host, pool in wanted.items()}


def _move(moved: Mapping[Host, str]) -> None:
    by_pool: dict[str, list[int]] = defaultdict(list)
    for host, pool in moved.items():
        by_pool[pool].append(host.pk)
    for pool, ids in by_pool.items():
        for start in range(0, len(ids), _BATCH):
            Host.objects.filter(pk__in=ids[start : start + _BATCH]).update(pool=pool)


def _wait(cloud: Cloud, waiting: Mapping[Host, str], now: datetime) -> None:
    known = dict(cloud.pool_moves.values_list("host", "pool"))
    wanted = {host.pk: pool for host, pool in waiting.items()}
    gone = [host for host, pool in known.items() if wanted.get(host) != pool]
    for start in range(0, len(gone), _BATCH):
        cloud.pool_moves.filter(host__in=gone[start : start + _BATCH]).delete()
    new = {host: pool for host, pool in waiting.items() if known.get(host.pk) != pool}
    rows = [PoolMove(cloud=cloud, host=host, pool=pool, found_at=now) for host, pool in new.items()]
    PoolMove.objects.bulk_create(rows, ignore_conflicts=True, batch_size=_BATCH)
    if new:
        _record("worker", WAITING, cloud, new, now)


def _record(
    actor: str, verb: str, cloud: Cloud, moves: Mapping[Host, str], now: datetime, *, reason: str = ""
) -> None:
    names = sorted(host.name for host in moves)
    detail = {"hosts": len(names), "first": names[:20], "pools": sorted(set(moves.values()))[:20]}
    host = names[0] if len(names) == 1 else ""
    audit.record(
        at=now, actor=actor, verb=verb, target=cloud.name, host=host,
        detail={"reason": reason, **detail} if reason else detail,
    )  # fmt: skip
