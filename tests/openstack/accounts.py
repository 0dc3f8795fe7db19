"""Users with one role each, made through Keystone's API."""

from typing import Any

from keystoneauth1.adapter import Adapter

from txt_dashboard.cloud.connection import Connection

PASSWORD = "minicloud"


class Accounts:
    """What an administrator of Keystone does."""

    def __init__(self, admin: Connection) -> None:
        self._keystone = Adapter(admin.session, service_type="identity", interface="public")

    def create(self, name: str, project: str, role: str) -> None:
        """A user with this role in this project, and nothing else; it may be there already."""
        user = self._find("user", name) or self._create(name)
        where = f"/projects/{self._find('project', project)}/users/{user}/roles/{self._find('role', role)}"
        self._keystone.put(where)

    def void_tokens(self, name: str) -> None:
        """No token that the user was given is good any more: they have a new password, though the same."""
        self._keystone.patch(f"/users/{self._find('user', name)}", json={"user": {"password": PASSWORD}})

    def _find(self, kind: str, name: str) -> str:
        found = self._keystone.get(f"/{kind}s", params={"name": name}).json()[f"{kind}s"]
        return found[0]["id"] if found else ""

    def _create(self, name: str) -> str:
        body = {"user": {"name": name, "password": PASSWORD, "domain_id": "default"}}
        made: dict[str, Any] = self._keystone.post("/users", json=body).json()
        return str(made["user"]["id"])
