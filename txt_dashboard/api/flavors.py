"""Flavors: which ask for trusted hosts, what that means now, and asking for it."""

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from django.utils import timezone
from ninja import Path, Query, Router
from pydantic import BaseModel, Field

from txt_dashboard import conf
from txt_dashboard.actions.clouds.connect import connect_for_people
from txt_dashboard.actions.clouds.flavors import Wish, set_flavor_trust
from txt_dashboard.actions.permissions import Actor, NotFound, Verb, why_not
from txt_dashboard.api.app import answers
from txt_dashboard.api.auth import actor
from txt_dashboard.api.parameters import Body, Hash, Limit, Marker, Reason, Word
from txt_dashboard.cloud.enforcement import Enforcement
from txt_dashboard.queries import flavors
from txt_dashboard.queries.flavors import FlavorView, Warned
from txt_dashboard.queries.fleet_changes import version_now

router = Router(tags=["flavors"])

NO_CLOUD = "No cloud is connected."
FlavorId = Annotated[str, Path(), Field(pattern=r"^[A-Za-z0-9._ \-]{1,255}$")]


class Warning(BaseModel):  # noqa: A001 - the API calls it so
    """Something that is not as it seems."""

    code: str
    sentence: str


class Flavor(BaseModel):
    """One flavor. `capacity`: how many trusted hosts could take one more instance now, at most 500; `old_demand`: how
    many instances keep another demand than it has now; `specs_hash` stands for the extra specs that were seen."""

    id: str
    name: str
    public: bool
    vcpus: int
    ram_mib: int
    disk_gib: int
    trusted: bool
    enforced: Enforcement | None
    fails_closed: bool | None
    capacity: int | None
    instances: int | None
    old_demand: int | None
    specs_hash: str
    warnings: list[Warning]


class FlavorPage(BaseModel):
    """Flavors by name. `problem` says why what is told is old or missing; `why_not` why the asker may change none."""

    version: str
    cloud: str | None
    simulated: bool
    problem: str
    read_at: datetime | None
    enforcement: Enforcement
    trait: str
    trusted_hosts: int
    warnings: list[Warning]
    why_not: str | None
    items: list[Flavor]
    next: str | None


class OneFlavor(Flavor):
    """One flavor by itself, with what of the list's frame a decision needs. `enforcement`: the settings' choice."""

    cloud: str
    problem: str
    enforcement: Enforcement
    why_not: str | None


class FlavorsWanted(BaseModel):
    """Of which cloud, and from where on."""

    cloud: Word = ""
    limit: Limit = 50
    marker: Marker = ""


class TrustWanted(Body):
    """What the flavor shall ask for. `enforcement`: null for the settings' choice."""

    trusted: bool
    enforcement: Enforcement | None = None
    reason: Reason
    specs_hash: Hash


@router.get("", response=answers(FlavorPage))
def list_flavors(request: HttpRequest, wanted: Query[FlavorsWanted]) -> FlavorPage:
    """Flavors of a cloud by name, as workers saw them last."""
    now, asking = timezone.now(), actor(request)
    cloud = flavors.find_cloud(wanted.cloud)
    if cloud is None:
        if wanted.cloud:
            raise NotFound("No cloud of this name is connected.")
        return _nothing(asking)
    seen = flavors.look(cloud, now)
    rows, following = flavors.page(cloud, after=wanted.marker, limit=wanted.limit)
    return FlavorPage(
        version=version_now(),
        cloud=cloud.name,
        simulated=conf.clouds_are_simulated(),
        problem=seen.problem,
        read_at=cloud.flavors_at,
        enforcement=seen.enforcement,
        trait=seen.trait,
        trusted_hosts=seen.trusted_hosts,
        warnings=_warnings(flavors.warnings(seen, now)),
        why_not=why_not(asking, Verb.SET_FLAVOR_TRUST),
        items=[_flavor(flavors.view(row, seen, now)) for row in rows],
        next=following or None,
    )


@router.get("/{id}", response=answers(OneFlavor))
def show_flavor(request: HttpRequest, id: FlavorId, cloud: Word = "") -> OneFlavor:  # noqa: A002 - the path's word
    """One flavor, as it was seen last."""
    now = timezone.now()
    found = flavors.find_cloud(cloud)
    row = flavors.find_flavor(found, id) if found else None
    if found is None or row is None:
        raise NotFound("There is no flavor of this id.")
    seen = flavors.look(found, now)
    told = _flavor(flavors.view(row, seen, now)).model_dump()
    not_now = why_not(actor(request), Verb.SET_FLAVOR_TRUST)
    return OneFlavor(**told, cloud=found.name, problem=seen.problem, enforcement=seen.enforcement, why_not=not_now)


@router.put("/{id}/trust", response=answers(Flavor))
def set_trust(request: HttpRequest, id: FlavorId, wanted: TrustWanted, cloud: Word = "") -> Flavor:  # noqa: A002
    """Makes a flavor a trusted or an ordinary one, at the cloud and at once; the flavor afterwards."""
    wish = Wish(wanted.trusted, wanted.enforcement, wanted.reason, wanted.specs_hash)
    row = set_flavor_trust(actor(request), cloud, id, wish, connect=connect_for_people, clock=timezone.now)
    now = timezone.now()
    return _flavor(flavors.view(row, flavors.look(row.cloud, now), now))


def _nothing(asking: Actor) -> FlavorPage:
    return FlavorPage(
        version=version_now(),
        cloud=None,
        simulated=conf.clouds_are_simulated(),
        problem=NO_CLOUD,
        read_at=None,
        enforcement=conf.enforcement(),
        trait=conf.cloud_trait(),
        trusted_hosts=0,
        warnings=[],
        why_not=why_not(asking, Verb.SET_FLAVOR_TRUST) or NO_CLOUD,
        items=[],
        next=None,
    )


def _flavor(found: FlavorView) -> Flavor:
    row = found.row
    return Flavor(
        id=row.flavor_id,
        name=row.name,
        public=row.public,
        vcpus=row.vcpus,
        ram_mib=row.ram_mib,
        disk_gib=row.disk_gib,
        trusted=found.trusted,
        enforced=found.enforced,
        fails_closed=found.fails_closed,
        capacity=found.capacity,
        instances=found.instances,
        old_demand=found.old_demand,
        specs_hash=found.specs_hash,
        warnings=_warnings(found.warnings),
    )


def _warnings(found: tuple[Warned, ...]) -> list[Warning]:
    return [Warning(code=each.code, sentence=each.sentence) for each in found]
