"""People with accounts at Keystone, and the tokens that they and their programs ask for."""

from typing import Any

import requests
from keystoneauth1.adapter import Adapter

from tests.horizon.e2e.labs import Cloud

ADMINISTRATOR, FIRST, SECOND, OPERATOR, MEMBER = "ada", "ben", "cleo", "otto", "demo"
# Whoever is to see Horizon's Admin menu needs Keystone's role admin; the trust roles are ours.
ROLES = {
    ADMINISTRATOR: ("admin",),
    FIRST: ("admin", "trust_approver"),
    SECOND: ("admin", "trust_approver"),
    OPERATOR: ("trust_operator",),
}
MAPPED = "admin=administrator,trust_approver=approver,trust_operator=operator"
PROJECT = "admin"


class Keystone:
    """What an administrator of Keystone and its users do there, by its API."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._admin = Adapter(cloud.connect().session, service_type="identity", interface="public")
        self.project = self.find("project", PROJECT)

    def give_accounts(self) -> None:
        """Users with their roles in the one project where those count; they may be there already."""
        for user, roles in ROLES.items():
            body = {"name": user, "password": self._cloud.password, "domain_id": "default"}
            user_id = self.find("user", user) or self._make("user", body)
            for role in roles:
                role_id = self.find("role", role) or self._make("role", {"name": role})
                self._admin.put(f"/projects/{self.project}/users/{user_id}/roles/{role_id}")

    def find(self, kind: str, name: str) -> str:
        """The id of what is called so, or nothing."""
        found = self._admin.get(f"/{kind}s", params={"name": name}).json()[f"{kind}s"]
        return str(found[0]["id"]) if found else ""

    def catalog(self, service_type: str) -> list[str]:
        """The addresses of a service in a member's catalog."""
        found = self._issue(self._password(MEMBER), {"project": self._named("demo")}).json()["token"]["catalog"]
        return [each["url"] for service in found if service["type"] == service_type for each in service["endpoints"]]

    def token(self, user: str, project: str = PROJECT) -> str:
        """By name and password, for a project."""
        return self._issue(self._password(user), {"project": self._named(project)}).headers["X-Subject-Token"]

    def token_as_horizon(self, user: str, project: str = PROJECT) -> str:
        """As Horizon does: one for no project, and by that one for a project."""
        first = self._issue(self._password(user), "unscoped").headers["X-Subject-Token"]
        again = {"methods": ["token"], "token": {"id": first}}
        return self._issue(again, {"project": self._named(project)}).headers["X-Subject-Token"]

    def token_without_project(self, user: str) -> str:
        """That brings no role at all."""
        return self._issue(self._password(user), "unscoped").headers["X-Subject-Token"]

    def token_of_credential(self, user: str) -> str:
        """Of an application credential that the user makes, with all their roles."""
        user_id, token = self.find("user", user), self.token(user)
        mine = f"{self._cloud.auth_url}/users/{user_id}/application_credentials"
        headers = {"X-Auth-Token": token}
        for old in requests.get(mine, headers=headers, timeout=30).json()["application_credentials"]:
            requests.delete(f"{mine}/{old['id']}", headers=headers, timeout=30)
        made = requests.post(mine, headers=headers, json={"application_credential": {"name": "ci"}}, timeout=30)
        assert made.status_code == 201, made.text
        credential = made.json()["application_credential"]
        method = {"id": credential["id"], "secret": credential["secret"]}
        identity = {"methods": ["application_credential"], "application_credential": method}
        return self._issue(identity, None).headers["X-Subject-Token"]

    def revoke(self, token: str) -> None:
        """As a log-out does."""
        headers = {"X-Auth-Token": token, "X-Subject-Token": token}
        done = requests.delete(f"{self._cloud.auth_url}/auth/tokens", headers=headers, timeout=30)
        assert done.status_code == 204, done.text

    def _make(self, kind: str, body: dict[str, str]) -> str:
        return str(self._admin.post(f"/{kind}s", json={kind: body}).json()[kind]["id"])

    def _password(self, user: str) -> dict[str, Any]:
        who = {"name": user, "domain": {"id": "default"}, "password": self._cloud.password}
        return {"methods": ["password"], "password": {"user": who}}

    def _named(self, project: str) -> dict[str, Any]:
        return {"name": project, "domain": {"id": "default"}}

    def _issue(self, identity: dict[str, Any], scope: object) -> requests.Response:
        auth: dict[str, Any] = {"identity": identity} | ({"scope": scope} if scope else {})
        issued = requests.post(f"{self._cloud.auth_url}/auth/tokens", json={"auth": auth}, timeout=30)
        assert issued.status_code == 201, issued.text
        return issued
