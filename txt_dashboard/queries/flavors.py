"""Flavors as workers and verbs saw them last: what each asks for, by what that is enforced, and what is wrong."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext

from txt_dashboard import conf
from txt_dashboard.cloud.enforcement import Enforcement, Pitfall, digest, enforced, pitfalls
from txt_dashboard.models import Cloud, CloudFlavor, SchedulerAsked
from txt_dashboard.queries.clouds import trusted_providers

UNSEEN = "?"  # among what instances demand: where that can't be seen
MOST_CANDIDATES = 500  # a capacity of this means: as many, or more
_LATE = 4  # intervals without a look


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that is not as it seems: a stable code, and a sentence to act on."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Look:
    """What holds for all flavors of a cloud at this moment."""

    cloud: Cloud
    trait: str
    enforcement: Enforcement  # the settings' choice
    trusted_hosts: int
    trait_given: bool  # to any host, by us
    filter_on: bool  # somebody could ask PollHosts
    asked_at: datetime | None  # when somebody did so last
    problem: str  # why what is shown is old or missing


@dataclass(frozen=True, slots=True)
class FlavorView:
    """One flavor with what follows from its row. `trusted` is false while nobody knows what a change came to."""

    row: CloudFlavor
    trusted: bool
    enforced: Enforcement | None
    capacity: int | None
    instances: int | None
    old_demand: int | None
    specs_hash: str
    warnings: tuple[Warned, ...]

    @property
    def fails_closed(self) -> bool | None:
        """Whether none of its instances is scheduled while we are down; nothing to say of ordinary flavors."""
        return self.enforced.fails_closed if self.enforced else None


def connected_clouds() -> tuple[Cloud, ...]:
    """The clouds that workers look at, by name. One query."""
    named = conf.clouds()
    found = Cloud.objects.filter(name__in=named) if named else Cloud.objects.all()
    return tuple(found)


def any_cloud() -> bool:
    """Whether a cloud is connected. One query."""
    return Cloud.objects.exists()


def find_cloud(name: str) -> Cloud | None:
    """The cloud of this name, or the first for none."""
    return next((each for each in connected_clouds() if name in ("", each.name)), None)


def look(cloud: Cloud, now: datetime) -> Look:
    """What holds for all its flavors. No query grows with them."""
    trait = trait_of(cloud)
    asked = SchedulerAsked.objects.first()
    blob, header, clients = conf.pollhosts()
    return Look(
        cloud=cloud,
        trait=trait,
        enforcement=conf.enforcement(),
        trusted_hosts=len(trusted_providers(cloud, now)),
        trait_given=cloud.intents.filter(trait=trait, taking=False).exists(),
        filter_on=bool(blob or (header and clients)),
        asked_at=asked.at if asked else None,
        problem=_problem(cloud, now),
    )


def trait_of(cloud: Cloud) -> str:
    """The trait that workers give there."""
    return cloud.trait or conf.cloud_trait()


def listed(cloud: Cloud, *, query: str = "", after: str = "") -> QuerySet[CloudFlavor]:
    """Its flavors by name, from after that one on. Nova has each name once."""
    found = CloudFlavor.objects.filter(cloud=cloud).order_by("name", "flavor_id")
    if query:
        found = found.filter(name__icontains=query)
    return found.filter(name__gt=after) if after else found


def page(cloud: Cloud, *, query: str = "", after: str = "", limit: int) -> tuple[list[CloudFlavor], str]:
    """So many flavors, and after which name the next page begins; empty for none. One query."""
    rows = list(listed(cloud, query=query, after=after)[: limit + 1])
    return rows[:limit], rows[limit - 1].name if len(rows) > limit else ""


def find_flavor(cloud: Cloud, flavor_id: str) -> CloudFlavor | None:
    """The flavor of this id, as it was seen last."""
    return CloudFlavor.objects.filter(cloud=cloud, flavor_id=flavor_id).first()


def view(row: CloudFlavor, seen: Look, now: datetime) -> FlavorView:
    """One flavor as pages and programs show it."""
    by = None if row.entry is not None else enforced(row.specs, seen.trait)
    capacity = None if row.capacity is None else min(row.capacity, seen.trusted_hosts)
    if not seen.trusted_hosts:
        capacity = 0
    demanded = row.demanded
    return FlavorView(
        row=row,
        trusted=by is not None,
        enforced=by,
        capacity=capacity,
        instances=None if demanded is None else sum(demanded.values()),
        old_demand=_old(row, by),
        specs_hash=digest(row.specs),
        warnings=tuple(_warnings(row, by, capacity, seen, now)),
    )


def warnings(seen: Look, now: datetime) -> tuple[Warned, ...]:
    """What is wrong for trusted flavors as a whole."""
    demands = CloudFlavor.objects.filter(cloud=seen.cloud).values_list("specs", flat=True)
    used = {enforced(specs, seen.trait) for specs in demands}
    if not used - {None}:
        return ()
    found = []
    if not seen.trusted_hosts:
        sentence = gettext("No host is trusted now, so no instance of a trusted flavor can be scheduled anywhere.")
        found.append(Warned("no_trusted_host", sentence))
    if used & {Enforcement.TRAIT, Enforcement.BOTH} and not seen.trait_given and seen.trusted_hosts:
        sentence = gettext("No host has %(trait)s yet, so flavors that require it fit nowhere.")
        found.append(Warned("trait_nowhere", sentence % {"trait": seen.trait}))
    if used & {Enforcement.FILTER, Enforcement.BOTH} and (unused := _filter_unused(seen, now)):
        found.append(unused)
    return tuple(found)


def _problem(cloud: Cloud, now: datetime) -> str:
    if cloud.flavors_problem:
        return cloud.flavors_problem
    if cloud.flavors_at is None:
        return gettext("No worker has looked at the flavors yet.")
    if now - cloud.flavors_at > _LATE * max(conf.flavors_interval(), timedelta(seconds=15)):
        return gettext("No worker has looked at the flavors for a while: does one run?")
    return ""


def _old(row: CloudFlavor, by: Enforcement | None) -> int | None:
    """How many instances keep another demand than the flavor has now; nothing where that is in doubt."""
    if row.demanded is None or row.entry is not None:
        return None
    kept: int = sum(number for demand, number in row.demanded.items() if demand not in (UNSEEN, by or ""))
    return kept


def _warnings(
    row: CloudFlavor, by: Enforcement | None, capacity: int | None, seen: Look, now: datetime
) -> Iterable[Warned]:
    if row.entry is not None:
        sentence = gettext(
            "A change is under way, or nobody knows what it came to: it counts as ordinary until then."
        )
        yield Warned("in_doubt", sentence)
    sentences = {
        Pitfall.UNSCOPED_KEY: gettext(
            "trusted_host without “trust:” before it enforces nothing, whatever its value."
        ),
        Pitfall.WRONG_VALUE: gettext(
            "trust:trusted_host has a value that no host ever has: “trusted” is the only one."
        ),
        Pitfall.TRAIT_FORBIDDEN: gettext("It forbids the trait of trusted hosts, so it lands only on hosts without."),
    }
    for pitfall in sorted(pitfalls(row.specs, seen.trait)):
        yield Warned(pitfall.value, sentences[pitfall])
    if by is None:
        return
    if by is Enforcement.FILTER and (unused := _filter_unused(seen, now)):
        yield unused
    if capacity == 0:
        yield Warned("no_room", gettext("No trusted host could take an instance of it now."))
    if unseen := (row.demanded or {}).get(UNSEEN):
        sentence = gettext("Of %(number)d of its instances nobody can see what they demand.")
        yield Warned("demand_unseen", sentence % {"number": unseen})


def _filter_unused(seen: Look, now: datetime) -> Warned | None:
    """What speaks against a scheduler filter at work. That it asked once does not prove that it still would."""
    if not seen.filter_on:
        sentence = gettext(
            "PollHosts is off, so no scheduler filter can ask us, and one that is there lets nobody pass."
        )
        return Warned("filter_off", sentence)
    if seen.asked_at is None:
        sentence = gettext("No scheduler has ever asked us: without our filter, trust:trusted_host enforces nothing.")
        return Warned("filter_never_asked", sentence)
    if now - seen.asked_at > timedelta(days=7):
        sentence = gettext("No scheduler has asked us for a week: is the filter still enabled?")
        return Warned("filter_silent", sentence)
    return None
