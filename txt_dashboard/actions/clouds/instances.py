"""Where the instances of all projects are: listed, and kept until the next look."""

from collections.abc import Collection, Mapping
from copy import copy
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Q

from txt_dashboard import conf
from txt_dashboard.actions.clouds.stakes import keep_stakes
from txt_dashboard.cloud.enforcement import enforced
from txt_dashboard.cloud.tenancy import OUT_OF_SIGHT
from txt_dashboard.cloud.values import Instance
from txt_dashboard.models import Cloud, CloudInstance, InstanceLook

_BATCH = 500
_COLUMNS = ["name", "project", "status", "task", "service_host", "node", "asks", "enforced", "seen_since"]

log = structlog.get_logger()


def take_look(cloud: Cloud, now: datetime) -> bool:
    """Whether it is this worker's turn to list the instances."""
    look, _ = InstanceLook.objects.get_or_create(cloud=cloud)
    later = now + conf.instances_interval()
    due = Q(due_at=None) | Q(due_at__lte=now) | Q(due_at__gt=later + conf.instances_interval())
    return bool(InstanceLook.objects.filter(due, pk=look.pk).update(due_at=later))


def note_problem(cloud: Cloud, problem: str) -> None:
    """What was seen last stays, with its age and why nothing newer is there."""
    InstanceLook.objects.filter(cloud=cloud).update(problem=problem)


@transaction.atomic
def store_instances(cloud: Cloud, listed: Collection[Instance], *, now: datetime) -> None:
    """Keeps what changed, and which instances are at stake. `now` is from before Nova was asked."""
    # One at a time: the rows below are compared, then written.
    look = InstanceLook.objects.select_for_update().get_or_create(cloud=cloud)[0]
    if look.looked_at is not None and look.looked_at > now + conf.clock_tolerance():
        log.warning("instances seen in the future", cloud=cloud.name)
    found = {each.id: each for each in listed if _fits(each)}
    if len(found) < len(listed):
        log.warning("instances ignored", cloud=cloud.name, ignored=len(listed) - len(found))
    rows = {row.instance: row for row in cloud.instances.all()}
    nodes = _nodes(cloud)
    fresh = {each.id: _row(cloud, each, nodes, rows.get(each.id), now) for each in found.values()}
    gone = [row.pk for instance, row in rows.items() if instance not in fresh]
    for start in range(0, len(gone), _BATCH):
        CloudInstance.objects.filter(pk__in=gone[start : start + _BATCH]).delete()
    moved = [row for instance, row in fresh.items() if instance in rows and _said(rows[instance]) != _said(row)]
    CloudInstance.objects.bulk_update(moved, _COLUMNS, batch_size=100)
    new = [row for instance, row in fresh.items() if instance not in rows]
    CloudInstance.objects.bulk_create(new, batch_size=_BATCH)
    keep_stakes(cloud, look.looked_at, now=now)
    InstanceLook.objects.filter(pk=look.pk).update(looked_at=now, problem="")


def _nodes(cloud: Cloud) -> Mapping[tuple[str, str], int]:
    """Hypervisors by the compute service's host and their own name; without the latter where there is one only."""
    found: dict[tuple[str, str], int] = {}
    several: set[str] = set()
    alone: dict[str, int] = {}
    for pk, host, hypervisor in cloud.hosts.order_by().values_list("pk", "service_host", "hypervisor_hostname"):
        found[host, hypervisor] = pk
        if host in alone:
            several.add(host)
        alone[host] = pk
    return {**{(host, ""): pk for host, pk in alone.items() if host not in several}, **found}


def _row(
    cloud: Cloud, each: Instance, nodes: Mapping[tuple[str, str], int], known: CloudInstance | None, now: datetime
) -> CloudInstance:
    if known is not None and each.status == OUT_OF_SIGHT:
        # Nova says neither where it is nor what it asked for: what was seen last stays, and is not certain.
        kept = copy(known)
        kept.status = each.status
        return kept
    by = enforced(each.extra_specs, conf.cloud_trait()) if each.extra_specs is not None else None
    stayed = known is not None and known.service_host == each.host
    return CloudInstance(
        pk=known.pk if known else None,
        cloud=cloud,
        instance=each.id,
        name=each.name[:255],
        project=each.project_id,
        status=each.status[:64],
        task=each.task[:64],
        service_host=each.host,
        node_id=nodes.get((each.host, each.hypervisor)) if each.host else None,
        asks=None if each.extra_specs is None else by is not None,
        enforced=by.value if by else "",
        seen_since=known.seen_since if known is not None and stayed else now,
    )


def _said(row: CloudInstance) -> tuple[object, ...]:
    said = (row.name, row.project, row.status, row.task, row.service_host, row.node_id, row.asks, row.enforced)
    return (*said, row.seen_since)


def _fits(each: Instance) -> bool:
    short = 0 < len(each.id) <= 64 and 0 < len(each.project_id) <= 64 and len(each.host) <= 255
    return short and "\0" not in "".join((each.id, each.project_id, each.host, each.name, each.status, each.task))
