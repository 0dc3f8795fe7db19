"""How hypervisors stand now, for instances on them."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from django.db.models import Min

from txt_dashboard.attest.appraisal import State
from txt_dashboard.cloud.tenancy import HELD, HOST_NOT_KNOWN, NOT_ATTESTED, Standing, hosts_by_id, standing_of
from txt_dashboard.models import Cloud, CloudHost, Host
from txt_dashboard.queries.clouds import held_hosts, trusted_nodes
from txt_dashboard.queries.state import outlived, with_state

_AT_ONCE = 500


class Standings:
    """How some hypervisors stand at a moment, by their row's id; who is not among them is not known."""

    def __init__(self, nodes: Iterable[int | None], now: datetime) -> None:
        wanted = sorted({node for node in nodes if node is not None})
        self._found: dict[int, Standing] = {}
        held = held_hosts() if wanted else frozenset()
        for start in range(0, len(wanted), _AT_ONCE):
            self._found |= _read(wanted[start : start + _AT_ONCE], held, now)

    def of(self, node: int | None) -> Standing:
        """How this hypervisor stands."""
        return HOST_NOT_KNOWN if node is None else self._found.get(node, HOST_NOT_KNOWN)


def by_host_id(cloud: Cloud, project: str, wanted: Iterable[str], now: datetime) -> Mapping[str, Standing]:
    """How the hosts stand that these host ids of a project mean; ids that mean none or several are left out."""
    nodes = list(cloud.hosts.order_by().values_list("service_host", "pk"))
    several = Counter(host for host, _ in nodes)
    # A compute service with several hypervisors does not say on which of them an instance is.
    only = {host: node for host, node in nodes if several[host] == 1}
    meant = hosts_by_id(project, only, wanted)
    found = Standings((only[host] for host in meant.values()), now)
    return {digest: found.of(only[host]) for digest, host in meant.items()}


def _read(nodes: Collection[int], held: frozenset[str], now: datetime) -> dict[int, Standing]:
    pairs = dict(CloudHost.objects.filter(pk__in=nodes).order_by().values_list("pk", "host"))
    trusted = set(trusted_nodes(now).filter(pk__in=nodes).order_by().values_list("pk", flat=True))
    ids = {host for host in pairs.values() if host is not None}
    hosts = {host.pk: host for host in with_state(Host.objects.filter(pk__in=ids).order_by(), now)}
    lapses = _lapses([host.pk for host in hosts.values() if host.state == State.TRUSTED], now)
    found = {}
    for node, host in pairs.items():
        attested = hosts.get(host) if host is not None else None
        found[node] = _standing(attested, held, lapses, trusted=node in trusted)
    return found


def _standing(host: Host | None, held: frozenset[str], lapses: Mapping[int, datetime], *, trusted: bool) -> Standing:
    if host is None:
        return NOT_ATTESTED
    if host.name in held:
        return HELD
    shown = State(host.shown_state)  # type: ignore[attr-defined]
    if shown is State.TRUSTED and not trusted:
        return standing_of(State.UNKNOWN, None)
    if shown is State.STALE and host.state == State.TRUSTED:
        return standing_of(shown, lapses.get(host.pk))
    return standing_of(shown, host.since)


def _lapses(hosts: Collection[int], now: datetime) -> Mapping[int, datetime]:
    """When the evidence of hosts that are still stored as trusted ran out, as far as it did by its own time."""
    if not hosts:
        return {}
    gone = outlived(now).filter(host__in=hosts, valid_until__lte=now).order_by()
    return dict(gone.values("host").annotate(first=Min("valid_until")).values_list("host", "first"))
