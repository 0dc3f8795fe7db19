"""What the simulated cloud consists of: hypervisors, zones, aggregates. Pure, and the same for a fleet.

Names differ as they do in real clouds: the hosts of az2 have compute services of another name, the edge's hypervisors
a domain that the attestation server leaves out. The last hosts of az1 are controllers and no hypervisors; and one
hypervisor is known to no attestation server.
"""

from dataclasses import dataclass
from functools import cached_property

from txt_dashboard.simulator.fleet import POOL_SHARES, Fleet, Host
from txt_dashboard.simulator.openstack.people import identity

DOMAIN = "edge.example.org"
STRANGER = "gpu-001"
INTERNAL = "internal"  # Nova's zone of what is no compute host
_CONTROLLERS = 3  # in a fleet of 420
VCPUS, MEMORY_MB, DISK_GB = 64, 512 * 1024, 4000


@dataclass(frozen=True, slots=True)
class Node:
    """One hypervisor and its compute service."""

    uuid: str
    hostname: str
    service: str
    zone: str
    model: str


@dataclass(frozen=True, slots=True)
class Group:
    """One aggregate; with a zone it makes an availability zone."""

    id: int
    name: str
    hosts: tuple[str, ...]  # compute services
    metadata: dict[str, str]
    zone: str = ""


@dataclass(frozen=True)
class Estate:
    """All that there is of hardware."""

    fleet: Fleet

    @cached_property
    def controllers(self) -> tuple[str, ...]:
        """Hosts that run the cloud's own services."""
        members = self.fleet.pool("az1")
        count = max(1, _CONTROLLERS * len(members) // POOL_SHARES["az1"])
        return tuple(host.name for host in members[len(members) - count :])

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All hypervisors, in the fleet's order."""
        fleet = [self._node(host) for host in self.fleet.hosts if host.name not in self.controllers]
        return (*fleet, Node(str(identity(self.fleet.seed, STRANGER)), STRANGER, STRANGER, "az1", "XE9680"))

    @cached_property
    def by_host(self) -> dict[str, Node]:
        """The hypervisors by the names that the attestation server has for them."""
        return {node.hostname.removesuffix(f".{DOMAIN}"): node for node in self.nodes}

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """An aggregate for each availability zone, and one for each model of server."""
        zones = sorted({node.zone for node in self.nodes})
        models = sorted({node.model for node in self.nodes})
        made = [(zone, "zone", zone, zone) for zone in zones]
        made += [(f"model-{each}", "model", each, "") for each in models]
        return tuple(
            Group(number, name, self._services(key, value), _metadata(key, value, zone), zone)
            for number, (name, key, value, zone) in enumerate(made, 1)
        )

    def zones(self) -> dict[str, tuple[str, ...]]:
        """The compute services of each availability zone."""
        return {group.zone: group.hosts for group in self.groups if group.zone}

    def _services(self, key: str, value: str) -> tuple[str, ...]:
        return tuple(node.service for node in self.nodes if getattr(node, key) == value)

    def _node(self, host: Host) -> Node:
        hostname = f"{host.name}.{DOMAIN}" if host.pool == "edge" else host.name
        service = f"nova-{host.name}" if host.pool == "az2" else hostname
        uuid = str(identity(self.fleet.seed, "node", host.name))
        return Node(uuid, hostname, service, host.pool, host.hardware.model)


def _metadata(key: str, value: str, zone: str) -> dict[str, str]:
    return {"availability_zone": zone} if zone else {key: value}
