"""A stand-in for Nova and Placement that keeps what it is told: providers, traits, hypervisors, flavors, servers."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote, urlsplit

from tests.cloud.fake import Asked, Cloud, Respond, answer

PROVIDERS = "/placement/resource_providers"
STALE = {"errors": [{"status": 409, "code": "placement.concurrent_update", "title": "Conflict"}]}


@dataclass
class Provider:
    name: str
    parent: str | None = None
    generation: int = 1
    traits: set[str] = field(default_factory=lambda: {"COMPUTE_NODE"})


@dataclass
class Flavor:
    name: str
    specs: dict[str, str] = field(default_factory=dict)
    vcpus: int = 1
    ram: int = 512
    disk: int = 1


@dataclass
class Server:
    flavor: str  # id
    specs: dict[str, str] | None  # as the flavor's were when it was booted; None: the cell is down


@dataclass
class LivingCloud(Cloud):
    """`before_put` runs before each PUT of traits with the provider's UUID; what it returns is answered instead."""

    providers: dict[str, Provider] = field(default_factory=dict)
    traits: set[str] = field(default_factory=set)
    hypervisors: dict[str, tuple[str, str]] = field(default_factory=dict)  # UUID -> hostname, service's host
    flavors: dict[str, Flavor] = field(default_factory=dict)
    servers: dict[str, Server] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)  # UUIDs of hypervisors that are down
    full: set[str] = field(default_factory=set)  # UUIDs of providers without room
    before_put: Callable[[str], Respond | None] = lambda _uuid: None
    down: bool = False

    def __post_init__(self) -> None:
        self._lock = threading.RLock()

    def add(self, uuid: str, name: str, *, service: str = "", parent: str | None = None) -> None:
        self.providers[uuid] = Provider(name, parent)
        if parent is None:
            self.hypervisors[uuid] = (name, service or name)

    def boot(self, name: str, flavor: str) -> None:
        self.servers[name] = Server(flavor, dict(self.flavors[flavor].specs))

    def holders(self, trait: str) -> set[str]:
        return {uuid for uuid, each in self.providers.items() if trait in each.traits}

    def set_by_hand(self, uuid: str, trait: str) -> None:
        self.traits.add(trait)
        self.providers[uuid].traits.add(trait)
        self.providers[uuid].generation += 1

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        path = urlsplit(handler.path).path
        if self.down and path.startswith(("/placement/", "/nova/v2.1/")):
            handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
            answer({}, 503)(handler)
            return
        super().respond(handler)

    def _by_itself(self, route: str) -> Respond:
        if route.partition(" ")[2].startswith(("/placement/", "/nova/v2.1/")):
            return self._served
        return super()._by_itself(route)

    def _served(self, handler: BaseHTTPRequestHandler) -> None:
        asked: Asked = handler.asked
        with self._lock:
            self._answer(asked)(handler)

    def _answer(self, asked: Asked) -> Respond:
        if asked.path == PROVIDERS:
            return self._list(asked.query.get("required", [""])[0])
        if asked.path.startswith(PROVIDERS):
            return self._traits(asked)
        if asked.path.startswith("/placement/traits/"):
            name = asked.path.rpartition("/")[2]
            new = name not in self.traits
            if asked.method == "PUT":
                self.traits.add(name)
            return answer(b"", 201 if new and asked.method == "PUT" else 404 if new else 204)
        if asked.path == "/nova/v2.1/os-hypervisors/detail":
            rows = [] if asked.query.get("marker") else [self._row(uuid) for uuid in self.hypervisors]
            return answer({"hypervisors": rows})
        return self._of_flavors(asked)

    def _of_flavors(self, asked: Asked) -> Respond:
        if asked.path == "/placement/allocation_candidates":
            return self._candidates(asked)
        if asked.path == "/nova/v2.1/flavors/detail":
            rows = [] if asked.query.get("marker") else [self._flavor(id_) for id_ in self.flavors]
            return answer({"flavors": rows})
        if asked.path.startswith("/nova/v2.1/flavors/"):
            return self._specs(asked)
        if asked.path == "/nova/v2.1/servers/detail":
            wanted = asked.query.get("flavor", [""])[0]
            found = [name for name, each in self.servers.items() if wanted in ("", each.flavor)]
            return answer({"servers": [] if asked.query.get("marker") else [self._server(name) for name in found]})
        return answer({}, 404)

    def _candidates(self, asked: Asked) -> Respond:
        required = [each for each in asked.query.get("required", [""])[0].split(",") if each]
        if any(each.lstrip("!") not in self.traits for each in required):
            return answer({"errors": []}, 400)
        fitting = [
            uuid for uuid, each in self.providers.items() if uuid not in self.full and set(required) <= each.traits
        ]
        rows = [{"allocations": {uuid: {"resources": {"VCPU": 1}}}, "mappings": {}} for uuid in fitting]
        return answer({"allocation_requests": rows, "provider_summaries": {}})

    def _specs(self, asked: Asked) -> Respond:
        _, _, _, _, id_, _, *key = (unquote(step) for step in asked.path.split("/"))
        flavor = self.flavors.get(id_)
        if flavor is None:
            return answer({"itemNotFound": {"code": 404, "message": "no such flavor"}}, 404)
        if asked.method == "POST":
            flavor.specs |= asked.json["extra_specs"]
        if asked.method == "DELETE":
            if flavor.specs.pop(key[0], None) is None:
                return answer({"itemNotFound": {"code": 404, "message": "no such extra spec"}}, 404)
            return answer(b"", 200)
        return answer({"extra_specs": flavor.specs})

    def _flavor(self, id_: str) -> dict:
        each = self.flavors[id_]
        return {
            "id": id_,
            "name": each.name,
            "os-flavor-access:is_public": True,
            "vcpus": each.vcpus,
            "ram": each.ram,
            "disk": each.disk,
            "extra_specs": each.specs,
        }

    def _server(self, name: str) -> dict:
        each = self.servers[name]
        row = {"id": name, "name": name, "tenant_id": "p" * 32, "status": "ACTIVE", "hostId": "ab" * 28}
        flavor = {"original_name": self.flavors[each.flavor].name if each.flavor in self.flavors else "gone"}
        return row if each.specs is None else row | {"flavor": flavor | {"extra_specs": each.specs}}

    def _list(self, required: str) -> Respond:
        if required and required not in self.traits:
            return answer({"errors": []}, 400)
        rows = [
            {"uuid": uuid, "name": each.name, "generation": each.generation, "parent_provider_uuid": each.parent}
            for uuid, each in self.providers.items()
            if not required or required in each.traits
        ]
        return answer({"resource_providers": rows})

    def _traits(self, asked: Asked) -> Respond:
        uuid = asked.path.split("/")[3]
        provider = self.providers.get(uuid)
        if provider is None:
            return answer({}, 404)
        if asked.method == "PUT":
            if instead := self.before_put(uuid):
                return instead
            if asked.json["resource_provider_generation"] != provider.generation:
                return answer(STALE, 409)
            provider.traits = set(asked.json["traits"])
            provider.generation += 1
        return answer({"traits": sorted(provider.traits), "resource_provider_generation": provider.generation})

    def _row(self, uuid: str) -> dict:
        hostname, host = self.hypervisors[uuid]
        return {
            "id": uuid,
            "hypervisor_hostname": hostname,
            "hypervisor_type": "QEMU",
            "state": "down" if uuid in self.stopped else "up",
            "status": "enabled",
            "service": {"host": host, "id": "s", "disabled_reason": None},
        }
