"""Instances: to a project's members their own, and how the hosts stand that they are on; to others all of them."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

import structlog
from django.http import HttpRequest
from django.utils import timezone
from ninja import Path, Query, Router
from pydantic import BaseModel

from txt_dashboard import conf
from txt_dashboard.actions import owners
from txt_dashboard.actions.permissions import Invalid, NotFound, Verb, may, require
from txt_dashboard.api.app import answers
from txt_dashboard.api.auth import OWNERS_TOO, actor
from txt_dashboard.api.parameters import CloudName, InstanceId, Limit, Marker, ProjectId, Word
from txt_dashboard.api.problems import Refused
from txt_dashboard.attest.appraisal import State
from txt_dashboard.cloud.errors import CloudError
from txt_dashboard.cloud.tenancy import MEANS_NOT
from txt_dashboard.queries import instances as queries
from txt_dashboard.queries.instances import Look, Shown

router = Router(tags=["instances"], auth=list(OWNERS_TOO))

_NO_PLACE = "The marker names no place in the list. Begin without one."
_NO_PROJECT = "An API key belongs to no project, so nothing is its own: ask with all=true, or send a Keystone token."

log = structlog.get_logger()


class InstancesWanted(BaseModel):
    """Which instances. All but `limit` and `marker` need a role here."""

    cloud: CloudName = ""
    all: bool = False
    project: ProjectId | None = None
    host: Word = ""
    at_stake: bool = False
    limit: Limit = 50
    marker: Marker = ""

    @property
    def of_others(self) -> bool:
        """Whether it asks for more than a project's own."""
        return bool(self.all or self.project or self.host or self.at_stake)


class Instance(BaseModel):
    """One instance. `since` is when its host came into its state; `at_stake`: it asked for a trusted host, and is on
    one that is not. Members of the project are told no host, and moments to five minutes."""

    id: str
    name: str
    project_id: str
    asks: bool | None
    enforced: Literal["trait", "filter", "both"] | None
    state: State
    why_class: str
    sentence: str
    since: datetime | None
    at_stake: bool
    host: str | None = None


class InstancePage(BaseModel):
    """Instances, and the marker of the next page. `problem` says why what is shown is old or missing, `means_not`
    what "trusted" does not mean."""

    cloud: str | None
    simulated: bool
    problem: str
    read_at: datetime | None
    means_not: str
    project: str | None
    items: list[Instance]
    next: str | None


class OneInstance(Instance):
    """One instance, and what "trusted" does not mean."""

    means_not: str


@router.get("", response=answers(InstancePage))
def list_instances(request: HttpRequest, wanted: Query[InstancesWanted]) -> InstancePage:
    """The instances of the token's project, as the cloud says now; with `all`, `project`, `host` or `at_stake` those
    of all projects, as a worker saw them last."""
    if wanted.of_others:
        require(actor(request), Verb.VIEW)
        return _all(wanted, timezone.now())
    return _own(request, wanted, timezone.now())


@router.get("/{id}", response=answers(OneInstance))
def show_instance(request: HttpRequest, id: Annotated[InstanceId, Path()]) -> OneInstance:  # noqa: A002 - the path's
    """One instance: of the token's project, or, with a role here, of any."""
    asking, now = actor(request), timezone.now()
    if may(asking, Verb.VIEW):
        rows = list(queries.find(queries.Filter(), now).filter(instance=id)[:1])
        if rows:
            return _one(queries.show(rows, now)[0])
        if not asking.project:
            raise NotFound("There is no such instance.")
    try:
        return _one(owners.own_instance(asking, _token(request), id, now=now))
    except CloudError as error:
        log.error("instance not shown", why=str(error))
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, owners.UNAVAILABLE, 10) from None


def _own(request: HttpRequest, wanted: InstancesWanted, now: datetime) -> InstancePage:
    asking = actor(request)
    if not may(asking, Verb.VIEW_OWN_INSTANCES):
        raise Invalid({"query.all": [_NO_PROJECT]})
    found = owners.own_instances(asking, _token(request), limit=wanted.limit, marker=wanted.marker, now=now)
    return InstancePage(
        cloud=found.cloud or None,
        simulated=conf.clouds_are_simulated(),
        problem=found.problem,
        read_at=None if found.problem else now,
        means_not=MEANS_NOT,
        project=asking.project,
        items=[instance_of(each) for each in found.rows],
        next=found.after or None,
    )


def _all(wanted: InstancesWanted, now: datetime) -> InstancePage:
    look = _look(wanted.cloud, now)
    chosen = queries.Filter(
        cloud=look.cloud if look else "",
        project=wanted.project or "",
        host=wanted.host.strip(),
        at_stake=wanted.at_stake,
    )
    try:
        found = queries.find(chosen, now) if look else queries.find(chosen, now).none()
        page = queries.page(found, wanted.marker, now, limit=wanted.limit)
    except ValueError:
        raise Invalid({"query.marker": [_NO_PLACE]}) from None
    return InstancePage(
        cloud=look.cloud if look else None,
        simulated=conf.clouds_are_simulated(),
        problem=look.problem if look else owners.NO_CLOUD,
        read_at=look.at if look else None,
        means_not=MEANS_NOT,
        project=wanted.project,
        items=[instance_of(each) for each in page.rows],
        next=page.after or None,
    )


def _look(cloud: str, now: datetime) -> Look | None:
    """The look at the cloud that is asked for, or at the first; `None` where none is connected."""
    found = queries.looks(now)
    if not cloud:
        return found[0] if found else None
    named = next((each for each in found if each.cloud == cloud), None)
    if named is None:
        raise Invalid({"query.cloud": ["No connected cloud has this name."]})
    return named


def instance_of(shown: Shown) -> Instance:
    """An instance as the API tells of it."""
    return Instance(
        id=shown.id,
        name=shown.name,
        project_id=shown.project,
        asks=shown.asks,
        enforced=shown.enforced or None,  # type: ignore[arg-type]  # pydantic refuses what is none
        state=shown.standing.state,
        why_class=shown.standing.why.code,
        sentence=shown.standing.why.sentence,
        since=shown.standing.since,
        at_stake=shown.at_stake,
        host=shown.host or None,
    )


def _one(shown: Shown) -> OneInstance:
    return OneInstance(**instance_of(shown).model_dump(), means_not=MEANS_NOT)


def _token(request: HttpRequest) -> str:
    return request.headers.get("X-Auth-Token", "")
