"""Nova: hosts, flavors, instances, groups of hosts.

Each function is one call (lists: as many as there are pages), raises `CloudError`, and says which role it needs.
https://docs.openstack.org/api-ref/compute/
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from novaclient.client import Client
from novaclient.exceptions import BadRequest

from txt_dashboard.cloud.connection import Connection, Service
from txt_dashboard.cloud.errors import AnswerUnusable, Call, NotThere
from txt_dashboard.cloud.faults import Role
from txt_dashboard.cloud.rows import MarkerGone, Row, pages, read, read_all
from txt_dashboard.cloud.values import Aggregate, ComputeService, Flavor, Hypervisor, Instance, Zone

Found = TypeVar("Found")
_COMPUTE = Service.COMPUTE


def list_hypervisors(connection: Connection) -> tuple[Hypervisor, ...]:
    """All compute nodes of all cells. Role: admin."""
    with connection.asking(_COMPUTE, "list the hypervisors", Role.ADMIN) as call:
        manager = _nova(connection).hypervisors
        rows = pages(call, lambda marker: _page(call, marker, partial(manager.list, detailed=True)))
        return read_all(call, rows, _hypervisor)


def list_services(connection: Connection) -> tuple[ComputeService, ...]:
    """All nova-compute services. Role: admin."""
    with connection.asking(_COMPUTE, "list the compute services", Role.ADMIN) as call:
        manager = _nova(connection).services
        return read_all(call, _listed(call, lambda: manager.list(binary="nova-compute")), _service)


def list_flavors(connection: Connection) -> tuple[Flavor, ...]:
    """All flavors with their extra specs, those of single projects too. Role: admin (others see the public ones)."""
    with connection.asking(_COMPUTE, "list the flavors", Role.ADMIN) as call:
        manager = _nova(connection).flavors
        rows = pages(call, lambda marker: _page(call, marker, partial(manager.list, is_public=None)))
        return read_all(call, rows, _flavor)


def get_extra_specs(connection: Connection, flavor_id: str) -> Mapping[str, str]:
    """A flavor's extra specs; raises `NotThere` where there is no such flavor. Role: a member of any project."""
    with connection.asking(_COMPUTE, f"read the extra specs of flavor {flavor_id}", Role.MEMBER) as call:
        found = _body(call, lambda: _nova(connection).client.get(_specs_path(flavor_id)))
        return read(call, found, lambda row: row.pairs("extra_specs"))


def set_extra_specs(connection: Connection, flavor_id: str, specs: Mapping[str, str]) -> None:
    """Adds or changes these extra specs, and leaves all others. Role: admin.

    Raises `RequestRefused` where Nova's validators refuse a value, `Conflict` where somebody else writes them.
    """
    with connection.asking(_COMPUTE, f"set {_keys(specs)} of flavor {flavor_id}", Role.ADMIN) as call:
        body = {"extra_specs": dict(specs)}
        _body(call, lambda: _nova(connection).client.post(_specs_path(flavor_id), body=body))


def unset_extra_specs(connection: Connection, flavor_id: str, keys: Iterable[str]) -> None:
    """Removes these extra specs, one call each; one that is gone already is as good as removed. Role: admin."""
    for key in keys:
        with (
            suppress(NotThere),
            connection.asking(_COMPUTE, f"unset {key} of flavor {flavor_id}", Role.ADMIN) as call,
        ):
            path = f"{_specs_path(flavor_id)}/{quote(key, safe=':')}"
            _body(call, partial(_nova(connection).client.delete, path))


def list_instances(connection: Connection, *, all_projects: bool, flavor_id: str = "") -> tuple[Instance, ...]:
    """The instances of the account's project (role: a member of it), or of all projects (role: admin).

    With `flavor_id` only those that were ordered by that flavor, whatever it has become since. Instances in a cell
    that is down come without host and extra specs, and with the status UNKNOWN.
    """
    what = "list the instances of all projects" if all_projects else "list the instances of the project"
    with connection.asking(_COMPUTE, what, Role.ADMIN if all_projects else Role.MEMBER) as call:
        search = {"all_tenants": "1" if all_projects else "", "flavor": flavor_id}
        manager = _nova(connection).servers
        rows = pages(call, lambda marker: _page(call, marker, partial(manager.list, search_opts=search)))
        return read_all(call, rows, _instance)


def page_of_instances(connection: Connection, *, limit: int, marker: str = "") -> tuple[Instance, ...]:
    """At most so many instances of the account's project, those after `marker`. One call. Role: a member of it.

    Raises `RequestRefused` where the marker names none.
    """
    with connection.asking(_COMPUTE, "list the instances of the project", Role.MEMBER) as call:
        manager = _nova(connection).servers
        rows = _listed(call, lambda: manager.list(marker=marker or None, limit=limit))
        return read_all(call, rows[:limit], _instance)


def get_instance(connection: Connection, instance_id: str) -> Instance:
    """One instance; raises `NotThere`. Role: a member of its project."""
    with connection.asking(_COMPUTE, f"show instance {instance_id}", Role.MEMBER) as call:
        path = f"/servers/{quote(instance_id, safe='')}"
        found = _body(call, lambda: _nova(connection).client.get(path))
        return read(call, found, lambda row: _instance(row.row("server")))


def list_aggregates(connection: Connection) -> tuple[Aggregate, ...]:
    """All aggregates. Role: admin."""
    with connection.asking(_COMPUTE, "list the aggregates", Role.ADMIN) as call:
        return read_all(call, _listed(call, _nova(connection).aggregates.list), _aggregate)


def list_zones(connection: Connection) -> tuple[Zone, ...]:
    """All availability zones that have compute hosts, with these hosts. Role: admin."""
    with connection.asking(_COMPUTE, "list the availability zones", Role.ADMIN) as call:
        manager = _nova(connection).availability_zones
        return read_all(call, _listed(call, lambda: manager.list(detailed=True)), _zone)


def _specs_path(flavor_id: str) -> str:
    return f"/flavors/{quote(flavor_id, safe='')}/os-extra_specs"


def _nova(connection: Connection) -> Any:
    login = connection.login
    return Client(
        connection.endpoint(_COMPUTE).microversion,
        session=connection.session,
        region_name=login.region or None,
        endpoint_type=login.interface,
        connect_retries=1,
    )


def _listed(call: Call, ask: Callable[[], Iterable[Any]]) -> list[dict[str, Any]]:
    return [each.to_dict() for each in _understood(call, ask)]


def _page(call: Call, marker: str | None, ask: Callable[..., Iterable[Any]]) -> list[dict[str, Any]]:
    try:
        return _listed(call, lambda: ask(marker=marker))
    except BadRequest:
        if marker is None:
            raise
        raise MarkerGone from None


def _body(call: Call, ask: Callable[[], tuple[Any, Any]]) -> Any:
    return _understood(call, ask)[1]


def _understood(call: Call, ask: Callable[[], Found]) -> Found:
    try:
        return ask()
    except (TypeError, KeyError, AttributeError, ValueError, RecursionError):
        # novaclient takes an answer's shape for granted.
        raise AnswerUnusable(call, "its answer has another form than the contract: what answers there?") from None


def _keys(specs: Mapping[str, str]) -> str:
    return ", ".join(sorted(specs)) or "nothing"


def _hypervisor(row: Row) -> Hypervisor:
    return Hypervisor(
        uuid=row.text("id"),
        hostname=row.text("hypervisor_hostname"),
        host=row.row("service").text("host"),
        kind=row.optional("hypervisor_type"),
        up=row.text("state") == "up",
        enabled=row.text("status") == "enabled",
    )


def _service(row: Row) -> ComputeService:
    return ComputeService(
        uuid=row.text("id"),
        host=row.text("host"),
        zone=row.optional("zone"),
        up=row.text("state") == "up",
        enabled=row.text("status") == "enabled",
        disabled_reason=row.optional("disabled_reason"),
    )


def _flavor(row: Row) -> Flavor:
    return Flavor(
        id=row.text("id"),
        name=row.text("name"),
        public=row.flag("os-flavor-access:is_public"),
        vcpus=row.number("vcpus"),
        ram_mib=row.number("ram"),
        disk_gib=row.number("disk"),
        # Absent where policy hides them, which must not read as "none".
        extra_specs=row.pairs("extra_specs"),
    )


def _instance(row: Row) -> Instance:
    flavor = row.row("flavor") if row.has("flavor") else None
    return Instance(
        id=row.text("id"),
        name=row.optional("name"),
        project_id=row.text("tenant_id"),
        status=row.text("status"),
        task=row.optional("OS-EXT-STS:task_state"),
        host_id=row.optional("hostId"),
        host=row.optional("OS-EXT-SRV-ATTR:host"),
        hypervisor=row.optional("OS-EXT-SRV-ATTR:hypervisor_hostname"),
        zone=row.optional("OS-EXT-AZ:availability_zone"),
        flavor_name=flavor.optional("original_name") if flavor else "",
        extra_specs=flavor.pairs("extra_specs") if flavor and flavor.has("extra_specs") else None,
    )


def _aggregate(row: Row) -> Aggregate:
    return Aggregate(
        id=row.number("id"),
        name=row.text("name"),
        hosts=row.texts("hosts"),
        metadata=row.pairs("metadata"),
        zone=row.optional("availability_zone"),
    )


def _zone(row: Row) -> Zone:
    return Zone(
        name=row.text("zoneName"),
        available=row.row("zoneState").flag("available"),
        hosts=row.names("hosts") if row.has("hosts") else (),
    )
