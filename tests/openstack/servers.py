"""Flavors and servers of the tests' own."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from keystoneauth1.adapter import Adapter
from novaclient.client import Client

from txt_dashboard.cloud import compute
from txt_dashboard.cloud.connection import Connection

_PATIENCE = 120.0  # seconds


class Servers:
    """Boots for an administrator or, with another connection, for a tenant."""

    def __init__(self, admin: Connection) -> None:
        self._admin = admin
        self.nova = Client("2.87", session=admin.session)
        self._flavors: list[Any] = []
        self._image = Adapter(admin.session, service_type="image").get("/v2/images").json()["images"][0]["id"]

    def flavor(self, specs: Mapping[str, str] | None = None, *, public: bool = True) -> str:
        """The id of a new flavor."""
        # With a disk: only an administrator may boot one without.
        made = self.nova.flavors.create(f"test-{uuid4().hex[:8]}", 64, 1, 1, is_public=public)
        self._flavors.append(made)
        if specs:
            compute.set_extra_specs(self._admin, made.id, specs)
        return str(made.id)

    def boot(self, flavor: str, count: int = 1, *, who: Connection | None = None) -> list[Any]:
        """Servers, each ACTIVE or in ERROR."""
        nova = Client("2.87", session=who.session) if who else self.nova
        made = [nova.servers.create(f"test-{n}", self._image, flavor, nics="none") for n in range(count)]
        return [self._settled(nova, server) for server in made]

    def hosts(self, servers: list[Any]) -> Counter[str]:
        """The compute hosts of servers, as the administrator sees them."""
        return Counter(getattr(self.nova.servers.get(each.id), "OS-EXT-SRV-ATTR:host") or "" for each in servers)

    def clean(self) -> None:
        """Removes all servers and the flavors made here."""
        for server in self.nova.servers.list(search_opts={"all_tenants": 1}):
            server.delete()
        deadline = time.monotonic() + _PATIENCE
        while self.nova.servers.list(search_opts={"all_tenants": 1}):
            assert time.monotonic() < deadline, "servers are not deleted"
            time.sleep(0.3)
        for flavor in self._flavors:
            flavor.delete()

    def _settled(self, nova: Any, server: Any) -> Any:
        deadline = time.monotonic() + _PATIENCE
        while server.status not in ("ACTIVE", "ERROR"):
            assert time.monotonic() < deadline, f"server {server.id} is still {server.status}"
            time.sleep(0.3)
            server = nova.servers.get(server.id)
        return server
