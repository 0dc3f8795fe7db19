"""Placement: providers, their traits by generation, and who could take an instance.

https://docs.openstack.org/api-ref/placement/
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from txt_dashboard.simulator.openstack.estate import DISK_GB, MEMORY_MB, VCPUS, Estate
from txt_dashboard.simulator.openstack.orders import Server
from txt_dashboard.simulator.openstack.service import NOTHING, Api, Refused, document, require_version
from txt_dashboard.simulator.openstack.state import Provider, Stale, State
from txt_dashboard.simulator.openstack.tokens import Tokens
from txt_dashboard.simulator.wire import Reply, Request, reply

LEAST, MOST = (1, 23), (1, 39)
_CUSTOM = re.compile(r"CUSTOM_[A-Z0-9_]{1,248}", re.ASCII)
_HAS = {"VCPU": VCPUS * 4, "MEMORY_MB": MEMORY_MB, "DISK_GB": DISK_GB}
_SAME = "placement.undefined_code"


class Placement(Api):
    """Providers are the hypervisors."""

    prefix = "/placement"

    def __init__(self, tokens: Tokens, estate: Estate, state: State, servers: tuple[Server, ...]) -> None:
        super().__init__(tokens)
        self._estate = estate
        self._state = state
        self._used = _usage(servers)
        self.on("GET ", self.versions)
        self.on("GET /resource_providers", self.providers)
        self.on("GET /resource_providers/{}", self.provider)
        self.on("GET /resource_providers/{}/traits", self.traits_of)
        self.on("PUT /resource_providers/{}/traits", self.put_traits)
        self.on("GET /traits", self.traits)
        self.on("GET /traits/{}", self.trait)
        self.on("PUT /traits/{}", self.create_trait)
        self.on("GET /allocation_candidates", self.candidates)

    def versions(self, _request: Request) -> Reply:
        """What is spoken here; for everybody."""
        links = [{"rel": "self", "href": ""}]
        version = {"id": "v1.0", "status": "CURRENT", "min_version": _text(LEAST), "max_version": _text(MOST)}
        return reply({"versions": [{**version, "links": links}]})

    def providers(self, request: Request) -> Reply:
        """All of them, or those that have traits."""
        self._admit(request)
        name, uuid = request.query.get("name"), request.query.get("uuid")
        rows = [
            _row(each, provider)
            for each, provider in self._having(request).items()
            if name in (None, provider.name) and uuid in (None, each)
        ]
        return reply({"resource_providers": rows})

    def provider(self, request: Request, uuid: str) -> Reply:
        """One of them."""
        self._admit(request)
        return reply(_row(uuid, self._find(uuid)))

    def traits_of(self, request: Request, uuid: str) -> Reply:
        """All traits of one, and its generation."""
        self._admit(request)
        return _traits(self._find(uuid))

    def put_traits(self, request: Request, uuid: str) -> Reply:
        """Replaces them, if the generation is still the one that was read."""
        self._admit(request)
        self._find(uuid)
        traits, generation = document(request, "traits"), document(request, "resource_provider_generation")
        if not isinstance(traits, list) or not all(isinstance(each, str) for each in traits):
            raise Refused(HTTPStatus.BAD_REQUEST, "JSON does not validate: traits is no list of texts.")
        if unknown := sorted(set(traits) - self._state.traits):
            raise Refused(HTTPStatus.BAD_REQUEST, f"No such trait {', '.join(unknown)}.")
        try:
            return _traits(self._state.put_traits(uuid, frozenset(traits), generation))
        except Stale:
            sentence = "Resource provider's generation already changed. Please update the generation and try again."
            raise Refused(HTTPStatus.CONFLICT, sentence, "placement.concurrent_update") from None

    def traits(self, request: Request) -> Reply:
        """The names of all traits."""
        self._admit(request)
        return reply({"traits": sorted(self._state.traits)})

    def trait(self, request: Request, name: str) -> Reply:
        """Whether there is such a one."""
        self._admit(request)
        if name not in self._state.traits:
            raise Refused(HTTPStatus.NOT_FOUND, f"No such trait(s): {name}.")
        return NOTHING

    def create_trait(self, request: Request, name: str) -> Reply:
        """201 for a new one, 204 for one that was there."""
        self._admit(request)
        if not _CUSTOM.fullmatch(name):
            raise Refused(HTTPStatus.BAD_REQUEST, "The trait is invalid. A valid trait must start with CUSTOM_.")
        return Reply(HTTPStatus.CREATED, b"") if self._state.add_trait(name) else NOTHING

    def candidates(self, request: Request) -> Reply:
        """Who has the traits and room for the resources."""
        self._admit(request)
        wanted = _resources(request.query.get("resources", ""))
        limit = request.query.get("limit", "")
        fitting = [uuid for uuid in self._having(request) if self._has_room(uuid, wanted)]
        fitting = fitting[: int(limit[:9]) if limit.isascii() and limit.isdigit() else None]
        requests = [{"allocations": {uuid: {"resources": wanted}}, "mappings": {"": [uuid]}} for uuid in fitting]
        return reply(
            {
                "allocation_requests": requests,
                "provider_summaries": {uuid: self._summary(uuid) for uuid in fitting},
            }
        )

    def refusal(self, refused: Refused) -> Reply:
        """As Placement writes it."""
        if refused.status == HTTPStatus.UNAUTHORIZED:
            return reply({"error": {"code": 401, "message": str(refused), "title": "Unauthorized"}}, refused.status)
        row = {"status": refused.status, "title": refused.status.phrase, "detail": str(refused)}
        return reply({"errors": [{**row, "code": refused.code or _SAME}]}, refused.status)

    def _admit(self, request: Request) -> None:
        if not {"admin", "service"} & set(self.token(request).roles):
            raise Refused(HTTPStatus.FORBIDDEN, "Access was denied to this resource.")
        require_version(request, "placement", LEAST, MOST)

    def _find(self, uuid: str) -> Provider:
        found = self._state.providers.get(uuid)
        if found is None:
            raise Refused(HTTPStatus.NOT_FOUND, f"No resource provider with uuid {uuid} found.")
        return found

    def _having(self, request: Request) -> dict[str, Provider]:
        """The providers with the traits in `required`, and without those that it forbids."""
        asked = [name for name in request.query.get("required", "").split(",") if name]
        forbidden = {name[1:] for name in asked if name.startswith("!")}
        needed = {name for name in asked if not name.startswith("!")}
        if unknown := sorted((needed | forbidden) - self._state.traits):
            raise Refused(HTTPStatus.BAD_REQUEST, f"No such trait(s): {', '.join(unknown)}.")
        every = dict(self._state.providers)
        return {uuid: each for uuid, each in every.items() if needed <= each.traits and not forbidden & each.traits}

    def _has_room(self, uuid: str, wanted: Mapping[str, int]) -> bool:
        used = self._used.get(uuid, {})
        return all(used.get(name, 0) + amount <= _HAS[name] for name, amount in wanted.items())

    def _summary(self, uuid: str) -> dict[str, Any]:
        used = self._used.get(uuid, {})
        resources = {name: {"capacity": capacity, "used": used.get(name, 0)} for name, capacity in _HAS.items()}
        traits = sorted(self._state.providers[uuid].traits)
        return {"resources": resources, "traits": traits, "parent_provider_uuid": None, "root_provider_uuid": uuid}


def _usage(servers: tuple[Server, ...]) -> dict[str, dict[str, int]]:
    used: dict[str, dict[str, int]] = {}
    for server in servers:
        if server.node is not None:
            there = used.setdefault(server.node.uuid, dict.fromkeys(_HAS, 0))
            for name, amount in zip(_HAS, (server.flavor.vcpus, server.flavor.ram, server.flavor.disk), strict=True):
                there[name] += amount
    return used


def _resources(text: str) -> dict[str, int]:
    found = {}
    for pair in text.split(","):
        name, _, amount = pair.partition(":")
        if name not in _HAS or not amount.isascii() or not amount.isdigit() or int(amount[:9]) == 0:
            raise Refused(HTTPStatus.BAD_REQUEST, f"Badly formed resources parameter: {text[:80]}.")
        found[name] = int(amount[:9])
    return found


def _row(uuid: str, provider: Provider) -> dict[str, Any]:
    tree = {"parent_provider_uuid": None, "root_provider_uuid": uuid}
    return {"uuid": uuid, "name": provider.name, "generation": provider.generation, "links": [], **tree}


def _traits(provider: Provider) -> Reply:
    return reply({"traits": sorted(provider.traits), "resource_provider_generation": provider.generation})


def _text(version: tuple[int, int]) -> str:
    return "{}.{}".format(*version)
