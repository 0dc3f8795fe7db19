"""Which hosts are which hypervisors, and which hypervisors are trusted now."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from txt_dashboard.attest.appraisal import State
from txt_dashboard.models import Attestation, Cloud, CloudHost, Host, TraitHold
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.queries.state import in_state

_FEW = 500  # that are looked up one by one; for more all are read


@dataclass(frozen=True, slots=True)
class Names:
    """By which names hosts are asked for, once a cloud is connected."""

    hosts: Mapping[str, str]  # hypervisor_hostname -> the attested host's name, where exactly one fits
    closed: frozenset[str]  # names that mean nobody: unmatched hypervisors, and hosts that go by another name
    held: frozenset[str]  # attested hosts on which somebody else set the trait

    def of(self, asked: str) -> str | None:
        """The attested host that this name means; `None` where that is nobody, or may not be trusted."""
        name = self.hosts.get(asked) or (asked if asked not in self.closed else None)
        return None if name in self.held else name


def names_for(asked: Collection[str] | None) -> Names:
    """What these names mean, or all names for `None`. Two queries, and one more where a host is held."""
    which = Q() if asked is None else Q(hypervisor_hostname__in=asked) | Q(host__name__in=asked)
    rows = list(CloudHost.objects.filter(which).order_by().values_list("hypervisor_hostname", "host__name"))
    several = Counter(node for node, _ in rows)
    hosts = {node: host for node, host in rows if host is not None and several[node] == 1}
    closed = several.keys() | {host for _, host in rows if host is not None}
    return Names(hosts, frozenset(closed - hosts.keys()), held_hosts())


def held_hosts() -> frozenset[str]:
    """The names of hosts whose trait somebody else set, until a person has acknowledged it. One query if none.

    Both the host that was matched with the hypervisor then, and the one that is matched with it now.
    """
    holds = list(TraitHold.objects.filter(at_first=False).values_list("cloud", "root", "host__name"))
    if not holds:
        return frozenset()
    roots = {(cloud, root) for cloud, root, _ in holds}
    nodes = CloudHost.objects.filter(host__isnull=False).order_by().values_list("cloud", "provider", "host__name")
    if len(holds) <= _FEW:
        nodes = nodes.filter(provider__in=[root for _, root, _ in holds])
    now = {name for cloud, provider, name in nodes if (cloud, provider) in roots and name is not None}
    return frozenset(now | {name for _, _, name in holds if name is not None})


def trusted_providers(cloud: Cloud, now: datetime) -> frozenset[str]:
    """UUIDs of the hypervisors of this cloud whose hosts are trusted now. Nobody's, where nothing is in force."""
    nodes = trusted_nodes(now).filter(cloud=cloud)
    return frozenset(nodes.order_by().values_list("provider", flat=True))


def trusted_nodes(now: datetime) -> QuerySet[CloudHost]:
    """The hypervisors of all clouds whose hosts are trusted now."""
    if in_force().refused:
        return CloudHost.objects.none()
    counting = Attestation.objects.filter(host=OuterRef("pk"), server__counts=True)
    trusted = Host.objects.filter(in_state(State.TRUSTED, now), Exists(counting)).exclude(name__in=held_hosts())
    return CloudHost.objects.filter(host__in=trusted.values("pk"))


def hosts_of(cloud: Cloud, providers: Iterable[str]) -> dict[str, Host]:
    """The attested hosts that these hypervisors are matched with."""
    wanted = frozenset(providers)
    rows = CloudHost.objects.filter(cloud=cloud, host__isnull=False).select_related("host")
    few = rows.filter(provider__in=wanted) if len(wanted) <= _FEW else rows
    return {row.provider: row.host for row in few if row.host is not None and row.provider in wanted}
