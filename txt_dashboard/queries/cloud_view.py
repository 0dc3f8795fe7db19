"""A cloud as its page shows it: how workers fare there, who is which hypervisor, and whose traits are whose."""

import json
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from txt_dashboard import conf
from txt_dashboard.models import Cloud, CloudHost, Host, NotHypervisor, PoolMove, TraitHold, UnmatchedHost

PAGE = 50
_PATIENCE = 4  # looks without one that ended well


@dataclass(frozen=True, slots=True)
class CloudView:
    """One cloud and what follows from its row at this moment."""

    row: Cloud
    hypervisors: int
    matched: int
    unmatched_hosts: int
    holders: int  # hypervisors that have the trait from us
    found: int  # traits that were there when it was connected
    held: int  # hosts that wait for somebody, because somebody else set the trait
    heartbeat_at: datetime | None
    late: bool  # no look has ended well for a while
    problems: tuple[str, ...]

    @property
    def unmatched(self) -> int:
        """Hypervisors that are no host that we know."""
        return self.hypervisors - self.matched


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of hypervisors begins: after the one of this name and UUID."""

    hostname: str
    provider: str

    @classmethod
    def read(cls, text: str) -> "Place | None":
        """Nonsense begins at the first."""
        provider, _, hostname = text.partition("~")
        return cls(hostname, provider) if hostname else None

    def __str__(self) -> str:
        return f"{self.provider}~{self.hostname}"


@dataclass(frozen=True, slots=True)
class HostAtCloud:
    """What a host is at one cloud: a hypervisor, or none and why."""

    cloud: str
    node: CloudHost | None
    why: str


def view(cloud: Cloud, now: datetime) -> CloudView:
    """Four queries, however large the cloud."""
    nodes = cloud.hosts.order_by().aggregate(all=Count("pk"), matched=Count("host"))
    holds = cloud.holds.order_by().aggregate(
        found=Count("pk", filter=Q(at_first=True)), held=Count("pk", filter=Q(at_first=False))
    )
    looked = [moment for moment in (cloud.matched_at, cloud.reconciled_at) if moment is not None]
    patience = _PATIENCE * conf.cloud_interval()
    return CloudView(
        row=cloud,
        hypervisors=nodes["all"],
        matched=nodes["matched"],
        unmatched_hosts=cloud.unmatched.count(),
        holders=cloud.intents.filter(trait=cloud.trait, taking=False).count(),
        found=holds["found"],
        held=holds["held"],
        heartbeat_at=_signed_at(cloud.heartbeat),
        late=len(looked) < 2 or now - min(looked) > patience,
        problems=tuple(dict.fromkeys(each for each in (cloud.match_problem, cloud.problem) if each)),
    )


def hypervisors(
    cloud: Cloud, *, query: str = "", only: str = "", after: Place | None = None
) -> tuple[list[CloudHost], Place | None]:
    """A page of hypervisors by name, and where the next one begins. `only`: unmatched, or pinned to another host."""
    found = cloud.hosts.select_related("host", "pinned").order_by("hypervisor_hostname", "provider")
    if only == "unmatched":
        found = found.filter(host=None)
    if only == "pinned":
        found = found.filter(host=None).exclude(pinned=None)
    if query:
        names = Q(hypervisor_hostname__icontains=query) | Q(service_host__icontains=query)
        found = found.filter(names | Q(host__name__icontains=query) | Q(provider=query))
    if after:
        same = Q(hypervisor_hostname=after.hostname, provider__gt=after.provider)
        found = found.filter(Q(hypervisor_hostname__gt=after.hostname) | same)
    rows = list(found[: PAGE + 1])
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return rows[:PAGE], Place(last.hypervisor_hostname, last.provider) if last else None


def unmatched_hosts(cloud: Cloud, *, query: str = "", after: str = "") -> tuple[list[UnmatchedHost], str]:
    """A page of attested hosts that are no hypervisors there, by name, and after which the next one begins."""
    found = cloud.unmatched.select_related("host").order_by("host__name")
    if query:
        found = found.filter(host__name__icontains=query)
    rows = list(found.filter(host__name__gt=after)[: PAGE + 1])
    return rows[:PAGE], rows[PAGE - 1].host.name if len(rows) > PAGE else ""


def other_roles(*, query: str = "", after: str = "") -> tuple[list[NotHypervisor], str]:
    """A page of hosts of which somebody said that they are no hypervisors."""
    found = NotHypervisor.objects.select_related("host").order_by("host__name")
    if query:
        found = found.filter(host__name__icontains=query)
    rows = list(found.filter(host__name__gt=after)[: PAGE + 1])
    return rows[:PAGE], rows[PAGE - 1].host.name if len(rows) > PAGE else ""


def found_at_first(cloud: Cloud) -> QuerySet[TraitHold]:
    """Traits that were there before us, by name."""
    return cloud.holds.filter(at_first=True).select_related("host").order_by("name")


def set_by_others(cloud: Cloud, *, after: int = 0) -> tuple[list[TraitHold], int]:
    """A page of traits that somebody else set, in the order in which they were found; 0 where no page follows."""
    rows = list(cloud.holds.filter(at_first=False, pk__gt=after).select_related("host").order_by("pk")[: PAGE + 1])
    return rows[:PAGE], rows[PAGE - 1].pk if len(rows) > PAGE else 0


def pool_moves(cloud: Cloud) -> QuerySet[PoolMove]:
    """Hosts that wait for somebody to agree that other rules judge them, by name."""
    return cloud.pool_moves.select_related("host").order_by("host__name")


def find_hold(hold_id: int) -> TraitHold | None:
    """The hold with this id, unless it was answered."""
    return TraitHold.objects.select_related("cloud", "host").filter(pk=hold_id, at_first=False).first()


def find_pin(cloud: str, provider: str) -> CloudHost | None:
    """The hypervisor, where it is pinned to a host."""
    nodes = CloudHost.objects.select_related("cloud", "host", "pinned").filter(cloud__name=cloud, provider=provider)
    return nodes.exclude(pinned=None).first()


def is_other_role(host: Host) -> bool:
    """Whether somebody said that it is no hypervisor."""
    return NotHypervisor.objects.filter(host=host).exists()


def at_clouds(host: Host) -> tuple[HostAtCloud, ...]:
    """What the host is at each cloud that has looked for it. Two queries."""
    nodes = CloudHost.objects.filter(host=host).select_related("cloud").order_by("cloud__name")
    missing = UnmatchedHost.objects.filter(host=host).select_related("cloud").order_by("cloud__name")
    return (
        *(HostAtCloud(each.cloud.name, each, "") for each in nodes),
        *(HostAtCloud(each.cloud.name, None, each.why) for each in missing),
    )


def _signed_at(heartbeat: str) -> datetime | None:
    """When it was signed, as it says itself."""
    try:
        return datetime.fromisoformat(json.loads(json.loads(heartbeat)["payload"])["at"])
    except (ValueError, KeyError, TypeError):
        return None
