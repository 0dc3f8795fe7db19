"""Which hypervisor an attested host is, and which host an instance runs on. Pure.

Four names are kept apart: the attestation server's, `hypervisor_hostname`, the compute service's host, and the UUID
of compute node and resource provider. The first three are often, and need not be, the same.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

from txt_dashboard.cloud.values import Hypervisor, Instance


class Why(StrEnum):
    """Why there is no match."""

    NO_NODE = "no_node"  # no hypervisor has this name
    SEVERAL_NODES = "several_nodes"  # the name fits more than one hypervisor
    SEVERAL_HOSTS = "several_hosts"  # more than one attested host fits this hypervisor
    TAKEN_OVER = "taken_over"  # the name now fits another hypervisor than the one that it was pinned to
    NO_HOST = "no_host"  # no attestation server knows this hypervisor


@dataclass(frozen=True, slots=True)
class Matching:
    """Who is who: each attested host and each hypervisor stands in exactly one of two mappings."""

    nodes: Mapping[str, str]  # attested name -> UUID of its hypervisor
    unmatched_hosts: Mapping[str, Why]  # by attested name
    unmatched_nodes: Mapping[str, Why]  # by UUID


def match(attested: Iterable[str], hypervisors: Collection[Hypervisor], pinned: Mapping[str, str]) -> Matching:
    """Matches attested hosts with hypervisors; `pinned` are earlier matches, attested name -> UUID.

    Names are compared without regard to case and a final dot. A name fits a hypervisor by its full form, with
    `hypervisor_hostname` or the service's host; where none fits so, a name without a domain fits one with a domain
    whose first label it is, and the other way round. Addresses have no short form.

    A pin holds while its hypervisor is there, under whatever name it has now; unless the attested name has come to
    fit another one, for then nobody can say which of both is meant. A name that fits two matches none, and where
    two names fit one hypervisor neither matches.
    """
    index = _Index(hypervisors)
    hosts: dict[str, Why] = {}
    claims: dict[str, list[str]] = defaultdict(list)  # UUID -> attested names
    for name in dict.fromkeys(attested):
        found = index.find(name)
        pin = pinned.get(name)
        if pin in index.uuids:
            if found and pin not in found:
                hosts[name] = Why.TAKEN_OVER
                continue
            found = frozenset({pin})
        if len(found) == 1:
            claims[next(iter(found))].append(name)
        else:
            hosts[name] = Why.SEVERAL_NODES if found else Why.NO_NODE
    nodes = {names[0]: uuid for uuid, names in claims.items() if len(names) == 1}
    hosts |= {name: Why.SEVERAL_HOSTS for names in claims.values() if len(names) > 1 for name in names}
    lost = {
        uuid: Why.SEVERAL_HOSTS if len(claims.get(uuid, ())) > 1 else Why.NO_HOST
        for uuid in index.uuids - set(nodes.values())
    }
    return Matching(nodes, hosts, lost)


def host_id(project_id: str, host: str) -> str:
    """The `hostId` by which Nova shows a project this compute service's host; empty for no host."""
    return hashlib.sha224((project_id + host).encode()).hexdigest() if host else ""


def host_ids(project_id: str, hosts: Iterable[str]) -> dict[str, str]:
    """`hostId` -> compute service's host, for one project."""
    return {host_id(project_id, host): host for host in hosts if host}


_MOVING = frozenset({"BUILD", "MIGRATING", "REBUILD", "RESIZE", "REVERT_RESIZE", "SHELVED_OFFLOADED", "UNKNOWN"}) | {
    "VERIFY_RESIZE"
}
# What may be under way without a change of the host; all else may end on another one.
_STAYING = frozenset(
    {
        "deleting",
        "image_backup",
        "image_pending_upload",
        "image_snapshot",
        "image_snapshot_pending",
        "image_uploading",
        "pausing",
        "powering-off",
        "powering-on",
        "reboot_pending",
        "reboot_pending_hard",
        "reboot_started",
        "reboot_started_hard",
        "rebooting",
        "rebooting_hard",
        "rescuing",
        "resuming",
        "soft-deleting",
        "suspending",
        "unpausing",
        "unrescuing",
        "updating_password",
    }
)


def is_settled(instance: Instance) -> bool:
    """Whether its host can be told: it has one, and nothing is under way that may change it."""
    return (
        instance.host_id != ""
        and instance.status not in _MOVING
        and (instance.task == "" or instance.task in _STAYING)
    )


class _Index:
    """Hypervisors by the forms of their names."""

    def __init__(self, hypervisors: Iterable[Hypervisor]) -> None:
        self.uuids: set[str] = set()
        self._full: dict[str, set[str]] = defaultdict(set)
        self._by_first_label: dict[str, set[str]] = defaultdict(set)  # of names with a domain
        for each in hypervisors:
            self.uuids.add(each.uuid)
            for name in {_normal(each.hostname), _normal(each.host)}:
                self._full[name].add(each.uuid)
                if (short := _first_label(name)) != name:
                    self._by_first_label[short].add(each.uuid)

    def find(self, name: str) -> frozenset[str]:
        """The UUIDs that the name fits."""
        normal = _normal(name)
        if exact := self._full.get(normal):
            return frozenset(exact)
        short = _first_label(normal)
        fitting = self._by_first_label.get(normal) if short == normal else self._full.get(short)
        return frozenset(fitting or ())


def _normal(name: str) -> str:
    return name.casefold().removesuffix(".")


def _first_label(name: str) -> str:
    try:
        ip_address(name)
    except ValueError:
        return name.partition(".")[0]
    return name
