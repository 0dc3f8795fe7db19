"""What clouds say of themselves, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Hypervisor:
    """One compute node. Its UUID is that of its resource provider, too."""

    uuid: str
    hostname: str  # hypervisor_hostname: what schedulers and attestation servers go by
    host: str  # of its compute service: what `hostId` hashes
    kind: str  # QEMU, ironic, …
    up: bool
    enabled: bool


@dataclass(frozen=True, slots=True)
class ComputeService:
    """One nova-compute process."""

    uuid: str
    host: str
    zone: str
    up: bool
    enabled: bool
    disabled_reason: str


@dataclass(frozen=True, slots=True)
class Flavor:
    """What instances are ordered by."""

    id: str
    name: str
    public: bool
    vcpus: int
    ram_mib: int
    disk_gib: int
    extra_specs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Instance:
    """One server, with the flavor's demands as they were when it was booted or last resized.

    `host`, `hypervisor` and `zone` are empty where the account may not see them or the instance has no host.
    """

    id: str
    name: str
    project_id: str
    status: str
    task: str  # empty: nothing is under way
    host_id: str  # sha224(project id + host) in hex; empty: no host
    host: str
    hypervisor: str
    zone: str
    flavor_name: str
    extra_specs: Mapping[str, str] | None  # None: the account may not see them, or the cell is down


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Compute services grouped by an administrator."""

    id: int
    name: str
    hosts: tuple[str, ...]
    metadata: Mapping[str, str]
    zone: str  # empty: it makes no availability zone


@dataclass(frozen=True, slots=True)
class Zone:
    """An availability zone; its hosts are known to administrators only."""

    name: str
    available: bool
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Provider:
    """A resource provider. Compute nodes are those without a parent."""

    uuid: str
    name: str
    generation: int
    parent: str  # UUID; empty for a root


@dataclass(frozen=True, slots=True)
class ProviderTraits:
    """All traits of one provider at one generation."""

    provider: str  # UUID
    generation: int
    traits: frozenset[str]
