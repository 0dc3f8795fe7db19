"""What a project's members may know: how the hosts of their own instances stand. Asked for with their own token."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from txt_dashboard import conf
from txt_dashboard.actions.keystone import keystone
from txt_dashboard.actions.permissions import Actor, Invalid, NotFound, Verb, require
from txt_dashboard.cloud import compute, errors, tenancy
from txt_dashboard.cloud.enforcement import enforced
from txt_dashboard.cloud.errors import CloudError, Misconfigured
from txt_dashboard.cloud.given import with_token
from txt_dashboard.cloud.values import Instance
from txt_dashboard.models import Cloud
from txt_dashboard.queries.instances import Shown, connected
from txt_dashboard.queries.standings import by_host_id

UNAVAILABLE = "The cloud could not be asked for your instances. Try again in a minute."
NO_CLOUD = "No cloud is connected, so nothing is known of instances."
_NO_SUCH = "There is no such instance in your project."

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Owned:
    """Instances of one project, and the marker of the next page ("" where there is none)."""

    cloud: str
    rows: tuple[Shown, ...] = ()
    after: str = ""
    problem: str = ""  # why nothing can be shown


def own_instances(actor: Actor, token: str, *, limit: int, marker: str, now: datetime) -> Owned:
    """The instances of the token's project. Raises `NotAllowed`, `Invalid`."""
    require(actor, Verb.VIEW_OWN_INSTANCES)
    cloud = None
    try:
        cloud = _cloud()
        if cloud is None:
            return Owned("", problem=NO_CLOUD)
        with with_token(keystone().login, token) as connection:
            listed = compute.page_of_instances(connection, limit=limit + 1, marker=marker)
    except errors.RequestRefused:
        raise Invalid({"query.marker": ["The marker names no place in the list. Begin without one."]}) from None
    except CloudError as error:
        log.error("instances of a project not listed", why=str(error))
        return Owned(cloud.name if cloud else "", problem=UNAVAILABLE)
    shown = listed[:limit]
    rows = _for_owner(actor, cloud, shown, now)
    return Owned(cloud.name, rows, shown[-1].id if len(listed) > limit else "")


def own_instance(actor: Actor, token: str, instance_id: str, *, now: datetime) -> Shown:
    """One instance of the token's project. Raises `NotAllowed`, `NotFound`, `CloudError`."""
    require(actor, Verb.VIEW_OWN_INSTANCES)
    cloud = _cloud()
    if cloud is None:
        raise NotFound(NO_CLOUD)
    try:
        with with_token(keystone().login, token) as connection:
            found = compute.get_instance(connection, instance_id)
    except (errors.NotThere, errors.RequestRefused):
        raise NotFound(_NO_SUCH) from None
    rows = _for_owner(actor, cloud, (found,), now)
    if not rows:
        raise NotFound(_NO_SUCH)
    return rows[0]


def _for_owner(actor: Actor, cloud: Cloud, listed: tuple[Instance, ...], now: datetime) -> tuple[Shown, ...]:
    # A cloud's administrator sees instances of others with a token for this project, too.
    own = [each for each in listed if each.project_id == actor.project]
    hosts = by_host_id(cloud, actor.project, (each.host_id for each in own), now)
    return tuple(_shown(each, hosts.get(each.host_id, tenancy.HOST_NOT_KNOWN)).for_owner for each in own)


def _shown(each: Instance, host: tenancy.Standing) -> Shown:
    by = enforced(each.extra_specs, conf.cloud_trait()) if each.extra_specs is not None else None
    asks = None if each.extra_specs is None else by is not None
    placed = bool(each.host_id)
    return Shown(
        id=each.id,
        name=each.name,
        project=each.project_id,
        asks=asks,
        enforced=by.value if by else "",
        standing=tenancy.judge(each.status, each.task, placed=placed, host=host),
        at_stake=tenancy.at_stake(asks=asks, placed=placed, host=host),
    )


def _cloud() -> Cloud | None:
    """The connected cloud whose Keystone vouches for tokens here: by its name, or the only one."""
    names = connected()
    named = conf.keystone_cloud()
    name = named if named in names else names[0] if len(names) == 1 else ""
    if names and not name:
        raise Misconfigured(f"TXT_KEYSTONE_CLOUD is {named}, which none of the connected clouds is called")
    return Cloud.objects.filter(name=name).first()
