"""A stand-in for Nova and Placement that keeps what it is told: providers, generations, traits, hypervisors."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

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
class LivingCloud(Cloud):
    """`before_put` runs before each PUT of traits with the provider's UUID; what it returns is answered instead."""

    providers: dict[str, Provider] = field(default_factory=dict)
    traits: set[str] = field(default_factory=set)
    hypervisors: dict[str, tuple[str, str]] = field(default_factory=dict)  # UUID -> hostname, service's host
    before_put: Callable[[str], Respond | None] = lambda _uuid: None
    down: bool = False

    def __post_init__(self) -> None:
        self._lock = threading.RLock()

    def add(self, uuid: str, name: str, *, service: str = "", parent: str | None = None) -> None:
        self.providers[uuid] = Provider(name, parent)
        if parent is None:
            self.hypervisors[uuid] = (name, service or name)

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
        return answer({}, 404)

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
            "state": "up",
            "status": "enabled",
            "service": {"host": host, "id": "s", "disabled_reason": None},
        }
