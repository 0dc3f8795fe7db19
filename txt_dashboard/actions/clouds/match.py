"""Who is which hypervisor, looked up anew: hosts come, go and are renamed without anybody's help."""

from collections.abc import Collection, Mapping
from datetime import datetime

import structlog
from django.db import transaction

from txt_dashboard import audit
from txt_dashboard.cloud.matching import Matching, match
from txt_dashboard.cloud.values import Hypervisor
from txt_dashboard.models import Attestation, Cloud, CloudHost, Host, UnmatchedHost

_BATCH = 500
_LONGEST_ID, _LONGEST_NAME = 64, 255

log = structlog.get_logger()


@transaction.atomic
def store_matches(cloud: Cloud, listed: Collection[Hypervisor], *, now: datetime) -> Matching:
    """Matches what Nova listed with the attested hosts, and keeps what changed."""
    # One at a time: the rows below are compared, then written.
    Cloud.objects.select_for_update().get(pk=cloud.pk)
    found = {each.uuid: each for each in listed if _fits(each)}
    if len(found) < len(listed):
        log.warning("hypervisors ignored", cloud=cloud.name, ignored=len(listed) - len(found))
    rows = {row.provider: row for row in cloud.hosts.select_related("pinned")}
    hosts = _attested()
    pinned = {row.pinned.name: row.provider for row in rows.values() if row.pinned is not None}
    matching = match(hosts, tuple(found.values()), pinned)
    matched = {uuid: hosts[name] for name, uuid in matching.nodes.items()}
    changed = _write_nodes(cloud, rows, found, matching, matched, now)
    changed += _write_unmatched(cloud, {hosts[name]: why.value for name, why in matching.unmatched_hosts.items()})
    Cloud.objects.filter(pk=cloud.pk).update(matched_at=now, match_problem="")
    if changed:
        counts = {
            "matched": len(matching.nodes),
            "unmatched hosts": len(matching.unmatched_hosts),
            "unmatched hypervisors": len(matching.unmatched_nodes),
        }
        audit.record(at=now, actor="worker", verb="hosts matched", target=cloud.name, detail=counts)
    return matching


def _attested() -> dict[str, int]:
    """The hosts that may be hypervisors. Only servers that count name any: others could make names ambiguous."""
    counting = Attestation.objects.filter(server__counts=True).values("host")
    hosts = Host.objects.filter(pk__in=counting, not_hypervisor=None)
    return dict(hosts.order_by().values_list("name", "pk"))


def _write_nodes(
    cloud: Cloud,
    rows: Mapping[str, CloudHost],
    found: Mapping[str, Hypervisor],
    matching: Matching,
    matched: Mapping[str, int],
    now: datetime,
) -> int:
    """How many rows changed. A host whose hypervisor changes leaves the old one before it comes to the new one."""
    fresh = {
        uuid: CloudHost(
            cloud=cloud,
            provider=uuid,
            hypervisor_hostname=each.hostname,
            service_host=each.host,
            host_id=matched.get(uuid),
            pinned_id=matched.get(uuid) or (rows[uuid].pinned_id if uuid in rows else None),
            why=matching.unmatched_nodes[uuid].value if uuid in matching.unmatched_nodes else "",
            since=now,
        )
        for uuid, each in found.items()
    }
    gone = [row.pk for uuid, row in rows.items() if uuid not in fresh]
    moved = [uuid for uuid, row in fresh.items() if uuid in rows and _said(rows[uuid]) != _said(row)]
    new = [row for uuid, row in fresh.items() if uuid not in rows]
    for start in range(0, len(gone), _BATCH):
        CloudHost.objects.filter(pk__in=gone[start : start + _BATCH]).delete()
    for start in range(0, len(moved), _BATCH):
        ids = [rows[uuid].pk for uuid in moved[start : start + _BATCH]]
        CloudHost.objects.filter(pk__in=ids).update(host=None)
    for uuid in moved:
        fresh[uuid].pk = rows[uuid].pk
    columns = ["hypervisor_hostname", "service_host", "host", "pinned", "why", "since"]
    CloudHost.objects.bulk_update([fresh[uuid] for uuid in moved], columns, batch_size=100)
    CloudHost.objects.bulk_create(new, batch_size=_BATCH)
    return len(gone) + len(moved) + len(new)


def _write_unmatched(cloud: Cloud, wanted: Mapping[int, str]) -> int:
    known = dict(cloud.unmatched.values_list("host", "why"))
    gone = [host for host, why in known.items() if wanted.get(host) != why]
    new = [host for host, why in wanted.items() if known.get(host) != why]
    for start in range(0, len(gone), _BATCH):
        cloud.unmatched.filter(host__in=gone[start : start + _BATCH]).delete()
    rows = [UnmatchedHost(cloud=cloud, host_id=host, why=wanted[host]) for host in new]
    UnmatchedHost.objects.bulk_create(rows, batch_size=_BATCH)
    return len(gone) + len(new)


def _said(row: CloudHost) -> tuple[object, ...]:
    return row.hypervisor_hostname, row.service_host, row.host_id, row.pinned_id, row.why


def _fits(each: Hypervisor) -> bool:
    names = each.hostname, each.host
    short = len(each.uuid) <= _LONGEST_ID and all(len(name) <= _LONGEST_NAME for name in names)
    return short and "\0" not in "".join((each.uuid, *names))
