"""Instances of all projects as workers last saw them, each with how its host stands now."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import F, Q, QuerySet

from txt_dashboard import conf
from txt_dashboard.attest.appraisal import State
from txt_dashboard.cloud import tenancy
from txt_dashboard.cloud.tenancy import Standing, Why
from txt_dashboard.models import Cloud, CloudInstance, Host, InstanceLook
from txt_dashboard.queries.clouds import held_hosts, trusted_nodes
from txt_dashboard.queries.standings import Standings
from txt_dashboard.queries.state import in_state

PAGE = 50
_LOOKS = 3  # that may fail before nothing is certain any more
_OUTDATED = Standing(State.UNKNOWN, Why.OUTDATED)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which instances. Empty means all."""

    cloud: str = ""
    project: str = ""
    host: str = ""  # the attested host's name, or the compute service's
    state: str = ""
    at_stake: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """One instance and how its host stands."""

    id: str
    name: str
    project: str
    asks: bool | None
    enforced: str
    standing: Standing
    at_stake: bool
    host: str = ""  # for those who may see all
    attested: bool = False  # whether the host is one that we know

    @property
    def for_owner(self) -> "Shown":
        """The same without what owners may not know."""
        rounded = replace(self.standing, since=tenancy.rounded(self.standing.since))
        return replace(self, host="", attested=False, standing=rounded)


@dataclass(frozen=True, slots=True)
class Look:
    """When the instances of a cloud were listed last."""

    cloud: str
    at: datetime | None
    problem: str
    outdated: bool  # too long ago to say that an instance is where it was


@dataclass(frozen=True, slots=True)
class Page:
    """Some instances, and the marker of the next page ("" where there is none)."""

    rows: tuple[Shown, ...]
    after: str


def looks(now: datetime) -> tuple[Look, ...]:
    """Of all connected clouds, by name. One query."""
    known = {row.cloud.name: row for row in InstanceLook.objects.select_related("cloud")}
    names = connected()
    return tuple(_look(name, known.get(name), now) for name in names)


def connected() -> tuple[str, ...]:
    """The names of the clouds that are connected: by the settings, or, without any in them, as workers have them."""
    return conf.clouds() or tuple(Cloud.objects.values_list("name", flat=True))


def find(chosen: Filter, now: datetime) -> QuerySet[CloudInstance]:
    """All instances that the filter lets through."""
    found = CloudInstance.objects.select_related("cloud", "node__host")
    if chosen.cloud:
        found = found.filter(cloud__name=chosen.cloud)
    if chosen.project:
        found = found.filter(project=chosen.project)
    if chosen.host:
        found = found.filter(Q(node__host__name=chosen.host) | Q(service_host=chosen.host))
    if chosen.at_stake:
        found = at_stake(found, now)
    if chosen.state:
        found = _in_state(found, State(chosen.state), now)
    return found


def at_stake(found: QuerySet[CloudInstance], now: datetime) -> QuerySet[CloudInstance]:
    """Those that asked for a trusted host and are on one that is not; as `tenancy.at_stake`."""
    trusted = trusted_nodes(now).values("pk")
    return found.filter(asks=True).exclude(service_host="").filter(Q(node=None) | ~Q(node__in=trusted))


def page(found: QuerySet[CloudInstance], marker: str, now: datetime, *, limit: int = PAGE) -> Page:
    """The instances after the marker, by name. Raises `ValueError` where it names no place."""
    if marker:
        number, _, name = marker.partition("~")
        last = int(number)
        if not 0 <= last < 2**63:
            raise ValueError("out of range")
        found = found.filter(Q(name__gt=name) | Q(name=name, pk__gt=last))
    rows = list(found.order_by("name", "id")[: limit + 1])
    after = f"{rows[limit - 1].pk}~{rows[limit - 1].name}" if len(rows) > limit else ""
    return Page(tuple(show(rows[:limit], now)), after)


def show(rows: Iterable[CloudInstance], now: datetime) -> list[Shown]:
    """Each with how its host stands; unknown where it was last seen too long ago."""
    listed = list(rows)
    found = Standings((row.node_id for row in listed), now)
    outdated = {look.cloud for look in looks(now) if look.outdated}
    return [_shown(row, found.of(row.node_id), outdated=row.cloud.name in outdated) for row in listed]


def on_host(host: Host, now: datetime, *, most: int = PAGE) -> list[Shown]:
    """The instances on a host, those that ask for trust first."""
    found = CloudInstance.objects.select_related("cloud", "node__host").filter(node__host=host)
    return show(found.order_by(F("asks").desc(nulls_last=True), "name", "id")[:most], now)


def count_on_host(host: Host, now: datetime) -> tuple[int, int]:
    """How many instances there are on a host, and how many of them are at stake. One query where there is none."""
    found = CloudInstance.objects.filter(node__host=host)
    count = found.count()
    return count, at_stake(found, now).count() if count else 0


def projects(cloud: str = "") -> tuple[str, ...]:
    """The ids of all projects that have instances."""
    found = CloudInstance.objects.filter(cloud__name=cloud) if cloud else CloudInstance.objects.all()
    return tuple(found.order_by("project").values_list("project", flat=True).distinct())


def host_name(row: CloudInstance) -> str:
    """The host that an instance is on, by the name that people here know it by."""
    known = row.node.host if row.node is not None else None
    return known.name if known is not None else row.service_host


def _shown(row: CloudInstance, host: Standing, *, outdated: bool) -> Shown:
    placed = bool(row.service_host)
    said = tenancy.judge(row.status, row.task, placed=placed, host=host)
    return Shown(
        id=row.instance,
        name=row.name,
        project=row.project,
        asks=row.asks,
        enforced=row.enforced,
        standing=_OUTDATED if outdated else said,
        at_stake=tenancy.at_stake(asks=row.asks, placed=placed, host=host),
        host=host_name(row),
        attested=row.node is not None and row.node.host is not None,
    )


def _look(name: str, row: InstanceLook | None, now: datetime) -> Look:
    at = row.looked_at if row else None
    problem = row.problem if row else ""
    outdated = at is None or not now - _LOOKS * conf.instances_interval() <= at <= now + conf.clock_tolerance()
    return Look(name, at, problem, outdated)


def _in_state(found: QuerySet[CloudInstance], state: State, now: datetime) -> QuerySet[CloudInstance]:
    certain = tenancy.SETTLED_STATUSES
    settled = Q(status__in=certain, task="") & ~Q(service_host="")
    trusted = Q(node__in=trusted_nodes(now).values("pk"))
    if state is State.TRUSTED:
        return found.filter(settled & trusted)
    free = Host.objects.exclude(name__in=held_hosts())
    stands = {each: Q(node__host__in=free.filter(in_state(each, now)).values("pk")) for each in _SAID}
    if state is State.UNKNOWN:
        known = settled & (trusted | stands[State.UNTRUSTED] | stands[State.STALE])
        return found.exclude(pk__in=CloudInstance.objects.filter(known).values("pk"))
    return found.filter(settled & stands[state])


_SAID = (State.UNTRUSTED, State.STALE)
