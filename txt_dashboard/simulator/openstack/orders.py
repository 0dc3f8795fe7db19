"""What was ordered from the simulated cloud before the story begins: flavors, and instances of two projects. Pure.

An instance carries its flavor's demands as they were when it was booted: one is older than its flavor's demand. Some
that ask for a trusted host run where the story is about to make hosts untrusted.
"""

from dataclasses import dataclass, field
from hashlib import sha224

from txt_dashboard.simulator.openstack.estate import STRANGER, Estate, Node
from txt_dashboard.simulator.openstack.people import identity, project_named
from txt_dashboard.simulator.story import Story

TRAIT = "CUSTOM_TRUSTED_HOST"
_BY_TRAIT = {f"trait:{TRAIT}": "required"}
_BY_FILTER = {"trust:trusted_host": "trusted"}


@dataclass(frozen=True, slots=True)
class Flavor:
    """What instances are ordered by, without what administrators can change."""

    id: str
    name: str
    vcpus: int
    ram: int  # MiB
    disk: int  # GiB
    project: str = ""  # the only one that may use it; empty: all may
    first_specs: dict[str, str] = field(default_factory=dict)

    @property
    def public(self) -> bool:
        """Whether all projects may use it."""
        return not self.project


@dataclass(frozen=True, slots=True)
class Server:
    """One instance."""

    name: str
    project: str
    flavor: Flavor
    specs: dict[str, str]  # of its flavor, when it was booted
    node: Node | None
    status: str = "ACTIVE"
    task: str = ""

    @property
    def id(self) -> str:
        """As Nova writes it."""
        return str(identity("server", self.project, self.name))

    @property
    def project_id(self) -> str:
        """As Keystone writes it."""
        return project_named(self.project).id

    @property
    def host_id(self) -> str:
        """By which Nova tells the project which of its instances share a host; empty without one."""
        return sha224((self.project_id + self.node.service).encode()).hexdigest() if self.node else ""


FLAVORS = (
    Flavor("1", "m1.small", 1, 2048, 20),
    Flavor("2", "m1.medium", 2, 4096, 40),
    Flavor("3", "m1.large", 4, 8192, 80),
    Flavor("4", "trusted.medium", 2, 4096, 40, first_specs=_BY_TRAIT),
    Flavor("5", "trusted.small", 1, 2048, 20, first_specs=_BY_FILTER),
    Flavor("6", "secure.large", 4, 8192, 80, first_specs={"trusted_host": "trusted"}),
    Flavor("7", "db.xlarge", 16, 65536, 400, project="analytics", first_specs={"hw:cpu_policy": "dedicated"}),
)


def first_servers(estate: Estate) -> tuple[Server, ...]:
    """The instances, in the order in which they were made."""
    story, hosts = Story(estate.fleet), estate.by_host
    steady = [hosts[name] for name in _steady(story) if name in hosts]
    update = [hosts[name] for name in story.kernel_update.hosts]
    odd = hosts[story.odd_loader.hosts[0]]
    small, medium, large, trusted, by_filter, pitfall, private = FLAVORS
    return (
        _made("web-1", "web-shop", trusted, steady[0]),
        _made("web-2", "web-shop", trusted, steady[1]),
        _made("web-3", "web-shop", trusted, update[0]),
        _made("web-4", "web-shop", trusted, update[-1]),
        _made("web-5", "web-shop", trusted, steady[2], status="MIGRATING", task="migrating"),
        _made("db-1", "web-shop", by_filter, steady[-1]),
        _made("db-2", "web-shop", trusted, odd),
        _made("cache-1", "web-shop", small, odd),
        Server("batch-1", "web-shop", trusted, {}, update[len(update) // 2]),  # booted before the flavor asked
        _made("search-1", "web-shop", pitfall, steady[-2]),
        _made("etl-1", "analytics", trusted, steady[3 % len(steady)]),
        _made("etl-2", "analytics", trusted, hosts[STRANGER]),
        _made("notebook-1", "analytics", medium, steady[-1]),
        _made("report-1", "analytics", large, steady[0]),
        _made("model-1", "analytics", private, None, status="ERROR"),
    )


def holders_at_first(estate: Estate) -> frozenset[str]:
    """UUIDs of the hypervisors on which somebody had set the trait by hand, long before anybody attested them."""
    return frozenset({estate.nodes[0].uuid, estate.by_host[Story(estate.fleet).kernel_update.hosts[0]].uuid})


def _made(
    name: str, project: str, flavor: Flavor, node: Node | None, status: str = "ACTIVE", task: str = ""
) -> Server:
    return Server(name, project, flavor, flavor.first_specs, node, status, task)


def _steady(story: Story) -> list[str]:
    """Hosts that nothing happens to, but for the update at the story's end."""
    moved = {*story.odd_loader.hosts, *story.kernel_update.hosts, *story.no_answer.hosts, *story.not_enrolled.hosts}
    return [host.name for host in story.fleet.hosts if host.name not in moved]
