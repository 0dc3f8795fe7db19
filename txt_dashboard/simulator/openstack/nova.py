"""Nova: hypervisors, services, groups of hosts, flavors with their extra specs, instances.

https://docs.openstack.org/api-ref/compute/
"""

from http import HTTPStatus
from typing import Any

from txt_dashboard.simulator.openstack import rows
from txt_dashboard.simulator.openstack.estate import INTERNAL, Estate
from txt_dashboard.simulator.openstack.orders import FLAVORS, Flavor, Server
from txt_dashboard.simulator.openstack.people import project_named
from txt_dashboard.simulator.openstack.service import (
    NOTHING,
    Api,
    Refused,
    document,
    page,
    require_version,
)
from txt_dashboard.simulator.openstack.state import State
from txt_dashboard.simulator.openstack.tokens import Token, Tokens
from txt_dashboard.simulator.wire import Reply, Request, reply

LEAST, MOST = (2, 61), (2, 96)
_READERS = frozenset({"admin", "member", "reader"})
_TRAIT_VALUES = ("required", "forbidden")
_FAULTS = {
    HTTPStatus.BAD_REQUEST: "badRequest",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "itemNotFound",
}


class Nova(Api):
    """Below its version, as the catalog names it."""

    prefix = "/compute"

    def __init__(self, tokens: Tokens, estate: Estate, state: State, servers: tuple[Server, ...]) -> None:
        super().__init__(tokens)
        self._estate = estate
        self._state = state
        self._servers = servers
        self.on("GET ", self.versions)
        self.on("GET /v2.1", self.version)
        self.on("GET /v2.1/os-hypervisors/detail", self.hypervisors)
        self.on("GET /v2.1/os-services", self.services)
        self.on("GET /v2.1/os-aggregates", self.aggregates)
        self.on("GET /v2.1/os-availability-zone/detail", self.zones)
        self.on("GET /v2.1/flavors/detail", self.flavors)
        self.on("GET /v2.1/flavors/{}", self.flavor)
        self.on("GET /v2.1/flavors/{}/os-extra_specs", self.specs)
        self.on("POST /v2.1/flavors/{}/os-extra_specs", self.set_specs)
        self.on("DELETE /v2.1/flavors/{}/os-extra_specs/{}", self.unset_spec)
        self.on("GET /v2.1/servers/detail", self.servers)
        self.on("GET /v2.1/servers/{}", self.server)

    def versions(self, _request: Request) -> Reply:
        """What is spoken here; for everybody."""
        return reply({"versions": [self._version()]})

    def version(self, _request: Request) -> Reply:
        """The one version."""
        return reply({"version": self._version()})

    def hypervisors(self, request: Request) -> Reply:
        """All hypervisors, in pages."""
        self._require_admin(request)
        listed = [rows.hypervisor(node, self._servers) for node in self._estate.nodes]
        return reply({"hypervisors": page(request, listed)})

    def services(self, request: Request) -> Reply:
        """Compute services; others are not simulated."""
        self._require_admin(request)
        wanted = request.query.get("binary", rows.COMPUTE)
        nodes = self._estate.nodes if wanted == rows.COMPUTE else ()
        return reply({"services": [rows.service(node) for node in nodes]})

    def aggregates(self, request: Request) -> Reply:
        """All aggregates."""
        self._require_admin(request)
        return reply({"aggregates": [rows.aggregate(group) for group in self._estate.groups]})

    def zones(self, request: Request) -> Reply:
        """Availability zones with their hosts, and the one of controllers."""
        self._require_admin(request)
        listed = [rows.zone(name, hosts, rows.COMPUTE) for name, hosts in self._estate.zones().items()]
        internal = rows.zone(INTERNAL, self._estate.controllers, "nova-conductor")
        return reply({"availabilityZoneInfo": [internal, *listed]})

    def flavors(self, request: Request) -> Reply:
        """All flavors for administrators who ask for all, otherwise those that the project may use."""
        token = self._admit(request)
        every = "admin" in token.roles and request.query.get("is_public") == "None"
        listed = [self._flavor_row(each) for each in FLAVORS if every or _may_use(token, each)]
        return reply({"flavors": page(request, listed)})

    def flavor(self, request: Request, identity: str) -> Reply:
        """One flavor."""
        return reply({"flavor": self._flavor_row(self._find_flavor(self._admit(request), identity))})

    def specs(self, request: Request, identity: str) -> Reply:
        """A flavor's extra specs."""
        token = self._admit(request)
        _require(token, _READERS)
        return reply({"extra_specs": dict(self._state.specs[self._find_flavor(token, identity).id])})

    def set_specs(self, request: Request, identity: str) -> Reply:
        """Adds or changes some."""
        flavor = self._find_flavor(self._require_admin(request), identity)
        added = document(request, "extra_specs")
        if not isinstance(added, dict) or not all(isinstance(value, str) for value in added.values()):
            raise Refused(HTTPStatus.BAD_REQUEST, "Invalid input for field/attribute extra_specs.")
        for key, value in added.items():
            if key.startswith("trait:") and value not in _TRAIT_VALUES:
                sentence = f"Validation failed; extra spec '{key}' does not accept value '{value[:80]}'."
                raise Refused(HTTPStatus.BAD_REQUEST, sentence)
        self._state.set_specs(flavor.id, added)
        return reply({"extra_specs": added})

    def unset_spec(self, request: Request, identity: str, key: str) -> Reply:
        """Removes one."""
        flavor = self._find_flavor(self._require_admin(request), identity)
        if key not in self._state.specs[flavor.id]:
            raise Refused(HTTPStatus.NOT_FOUND, f"Flavor {flavor.id} has no extra specs with key {key}.")
        self._state.set_specs(flavor.id, {}, removed=key)
        return NOTHING

    def servers(self, request: Request) -> Reply:
        """The project's instances, or for administrators who ask so all there are."""
        token = self._admit(request)
        _require(token, _READERS)
        query, admin = request.query, "admin" in token.roles
        if query.get("all_tenants") in ("1", "true", "True"):
            _require(token, frozenset({"admin"}))
            found = [each for each in self._servers if query.get("project_id") in (None, each.project_id)]
        else:
            found = [each for each in self._servers if _owns(token, each)]
        found = [each for each in found if query.get("flavor") in (None, each.flavor.id)]
        if admin and (host := query.get("host")):
            found = [each for each in found if each.node and each.node.service == host]
        return reply({"servers": page(request, [rows.server(each, admin=admin) for each in found])})

    def server(self, request: Request, identity: str) -> Reply:
        """One instance."""
        token = self._admit(request)
        _require(token, _READERS)
        admin = "admin" in token.roles
        for each in self._servers:
            if each.id == identity and (admin or _owns(token, each)):
                return reply({"server": rows.server(each, admin=admin)})
        raise Refused(HTTPStatus.NOT_FOUND, f"Instance {identity} could not be found.")

    def refusal(self, refused: Refused) -> Reply:
        """As Nova writes it."""
        if refused.status == HTTPStatus.UNAUTHORIZED:
            return reply({"error": {"code": 401, "message": str(refused), "title": "Unauthorized"}}, refused.status)
        key = _FAULTS.get(refused.status, "computeFault")
        return reply({key: {"code": refused.status, "message": str(refused)}}, refused.status)

    def _admit(self, request: Request) -> Token:
        token = self.token(request)
        if token.project is None:
            raise Refused(HTTPStatus.FORBIDDEN, "The token is for no project.")
        require_version(request, "compute", LEAST, MOST)
        return token

    def _require_admin(self, request: Request) -> Token:
        token = self._admit(request)
        _require(token, frozenset({"admin"}))
        return token

    def _find_flavor(self, token: Token, identity: str) -> Flavor:
        for each in FLAVORS:
            if each.id == identity and ("admin" in token.roles or _may_use(token, each)):
                return each
        raise Refused(HTTPStatus.NOT_FOUND, f"Flavor {identity} could not be found.")

    def _flavor_row(self, flavor: Flavor) -> dict[str, Any]:
        return rows.flavor(flavor, self._state.specs[flavor.id])

    def _version(self) -> dict[str, Any]:
        least, most = "{}.{}".format(*LEAST), "{}.{}".format(*MOST)
        links = [{"rel": "self", "href": f"{self.prefix}/v2.1/"}]
        return {"id": "v2.1", "status": "CURRENT", "version": most, "min_version": least, "links": links}


def _require(token: Token, roles: frozenset[str]) -> None:
    if not roles & set(token.roles):
        raise Refused(HTTPStatus.FORBIDDEN, "Policy doesn't allow this call to be performed.")


def _may_use(token: Token, flavor: Flavor) -> bool:
    return flavor.public or (token.project is not None and token.project == project_named(flavor.project))


def _owns(token: Token, server: Server) -> bool:
    return token.project is not None and server.project_id == token.project.id
