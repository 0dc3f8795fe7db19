"""The rows of Nova's answers, from 2.61 on. Tenants see no name of a host."""

from collections.abc import Mapping
from typing import Any

from txt_dashboard.simulator.openstack.estate import DISK_GB, MEMORY_MB, VCPUS, Group, Node
from txt_dashboard.simulator.openstack.orders import Flavor, Server
from txt_dashboard.simulator.openstack.people import identity

Row = dict[str, Any]
COMPUTE = "nova-compute"
_MADE = "2026-01-15T09:00:00Z"


def hypervisor(node: Node, servers: tuple[Server, ...]) -> Row:
    """One hypervisor, as the detailed list has it."""
    here = [each.flavor for each in servers if each.node == node]
    vcpus, memory, disk = (sum(getattr(each, name) for each in here) for name in ("vcpus", "ram", "disk"))
    return {
        "id": node.uuid,
        "hypervisor_hostname": node.hostname,
        "hypervisor_type": "QEMU",
        "hypervisor_version": 8002002,
        "state": "up",
        "status": "enabled",
        "host_ip": "10.20.0.1",
        "cpu_info": {},
        "vcpus": VCPUS,
        "vcpus_used": vcpus,
        "memory_mb": MEMORY_MB,
        "memory_mb_used": memory,
        "free_ram_mb": MEMORY_MB - memory,
        "local_gb": DISK_GB,
        "local_gb_used": disk,
        "free_disk_gb": DISK_GB - disk,
        "disk_available_least": DISK_GB - disk,
        "running_vms": len(here),
        "current_workload": 0,
        "service": {"host": node.service, "id": _service_id(node), "disabled_reason": None},
    }


def service(node: Node) -> Row:
    """Its compute service."""
    return {
        "id": _service_id(node),
        "binary": COMPUTE,
        "host": node.service,
        "zone": node.zone,
        "state": "up",
        "status": "enabled",
        "disabled_reason": None,
        "forced_down": False,
        "updated_at": _MADE,
    }


def aggregate(group: Group) -> Row:
    """One aggregate."""
    return {
        "id": group.id,
        "uuid": str(identity("aggregate", group.id)),
        "name": group.name,
        "hosts": list(group.hosts),
        "metadata": group.metadata,
        "availability_zone": group.zone or None,
        "created_at": _MADE,
        "updated_at": None,
        "deleted": False,
        "deleted_at": None,
    }


def zone(name: str, hosts: tuple[str, ...], binary: str) -> Row:
    """One availability zone with its hosts."""
    alive = {binary: {"available": True, "active": True, "updated_at": _MADE}}
    return {"zoneName": name, "zoneState": {"available": True}, "hosts": dict.fromkeys(hosts, alive)}


def flavor(each: Flavor, specs: Mapping[str, str]) -> Row:
    """One flavor with its extra specs."""
    return {
        "id": each.id,
        "name": each.name,
        "vcpus": each.vcpus,
        "ram": each.ram,
        "disk": each.disk,
        "swap": "",
        "rxtx_factor": 1.0,
        "description": None,
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "OS-FLV-DISABLED:disabled": False,
        "os-flavor-access:is_public": each.public,
        "extra_specs": dict(specs),
        "links": [],
    }


def server(each: Server, *, admin: bool) -> Row:
    """One instance, with its flavor as it was when it was booted."""
    flavor_then = {
        "original_name": each.flavor.name,
        "vcpus": each.flavor.vcpus,
        "ram": each.flavor.ram,
        "disk": each.flavor.disk,
        "ephemeral": 0,
        "swap": 0,
        "extra_specs": each.specs,
    }
    row = {
        "id": each.id,
        "name": each.name,
        "status": each.status,
        "tenant_id": each.project_id,
        "user_id": identity("user", "member").hex,
        "hostId": each.host_id,
        "created": _MADE,
        "updated": _MADE,
        "addresses": {},
        "metadata": {},
        "image": {"id": str(identity("image")), "links": []},
        "flavor": flavor_then,
        "links": [],
        "locked": False,
        "OS-EXT-AZ:availability_zone": each.node.zone if each.node else "",
        "OS-EXT-STS:task_state": each.task or None,
        "OS-EXT-STS:vm_state": "error" if each.status == "ERROR" else "active",
        "OS-EXT-STS:power_state": 0 if each.status == "ERROR" else 1,
    }
    return {**row, **_for_administrators(each.node)} if admin else row


def _for_administrators(node: Node | None) -> Row:
    names = {"host": node.service, "hypervisor_hostname": node.hostname} if node else {}
    shown = {f"OS-EXT-SRV-ATTR:{name}": names.get(name) for name in ("host", "hypervisor_hostname")}
    return {**shown, "host_status": "UP" if node else ""}


def _service_id(node: Node) -> str:
    return str(identity("service", node.uuid))
