"""A stand-in for Keystone and Nova that knows people, projects and their instances, beside what `living` keeps."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.cloud.fake import TOKEN, Asked, Respond, answer
from tests.cloud.living import LivingCloud

DOMAIN = {"id": "default", "name": "Default"}
NOTHING = answer({"error": {"code": 404, "message": "no"}}, 404)


@dataclass
class Person:
    password: str
    projects: dict[str, tuple[str, ...]]  # project id -> roles


@dataclass
class Granted:
    """A token: whose, for which project, and until when."""

    user: str
    project: str = ""
    roles: tuple[str, ...] = ()
    ends: datetime = datetime(2099, 1, 1, tzinfo=UTC)


def host_id(project: str, service_host: str) -> str:
    return hashlib.sha224((project + service_host).encode()).hexdigest() if service_host else ""


@dataclass
class OwningCloud(LivingCloud):
    """`servers` maps an instance's id to its project, its compute service's host and what else is said of it."""

    people: dict[str, Person] = field(default_factory=dict)
    tokens: dict[str, Granted] = field(default_factory=dict)
    servers: dict[str, dict[str, Any]] = field(default_factory=dict)
    keystone_down: bool = False
    nova_status: int = 200

    def boot(self, instance: str, project: str, host: str, *, asks: bool = True, **more: object) -> None:
        specs = {"trait:CUSTOM_TRUSTED_HOST": "required"} if asks else {}
        self.servers[instance] = {"project": project, "host": host, "specs": specs, **more}

    def grant(self, user: str, project: str = "", *roles: str, **more: Any) -> str:
        token = "gAAAAA" + secrets.token_hex(20)
        self.tokens[token] = Granted(user, project, roles, **more)
        return token

    def _by_itself(self, route: str) -> Respond:
        method, _, path = route.partition(" ")
        if path.startswith("/v3/auth") and method != "POST":
            return lambda handler: self._identity(handler.asked)(handler)
        if route == "POST /v3/auth/tokens":
            return lambda handler: self._log_in(handler.asked)(handler)
        if path.startswith("/nova/v2.1/servers"):
            return lambda handler: self._instances(handler.asked)(handler)
        return super()._by_itself(route)

    def _known(self, token: str) -> Granted | None:
        found = self.tokens.get(token)
        return found if found and found.ends > datetime.now(UTC) else None

    def _identity(self, asked: Asked) -> Respond:
        if self.keystone_down:
            return answer({}, 503)
        caller, subject = asked.headers.get("x-auth-token", ""), asked.headers.get("x-subject-token", "")
        if caller != TOKEN and self._known(caller) is None:
            return answer({}, 401)
        if asked.path == "/v3/auth/projects":
            person = self.people[self.tokens[caller].user]
            rows = [{"id": each, "name": f"name of {each}", "domain_id": "default"} for each in person.projects]
            return answer({"projects": rows})
        found = self._known(subject)
        if found is None or (caller not in (TOKEN, subject)):
            return NOTHING
        if asked.method == "DELETE":
            del self.tokens[subject]
            return answer(b"", 204)
        return answer({"token": self._told(found)})

    def _log_in(self, asked: Asked) -> Respond:
        if self.keystone_down:
            return answer({}, 503)
        identity, scope = asked.json["auth"]["identity"], asked.json["auth"].get("scope", {})
        if "token" in identity["methods"]:
            known = self._known(identity["token"]["id"])
            if known is None:
                return answer({}, 401)
            user = known.user
        else:
            told = identity["password"]["user"]
            person = self.people.get(told["name"])
            if told["name"] in ("admin", "trust"):
                self.logins += 1
                return answer({"token": self._token()}, 201, X_Subject_Token=TOKEN)
            if person is None or person.password != told["password"] or told["domain"] not in (DOMAIN, _named()):
                return answer({}, 401)
            user = told["name"]
        project = scope.get("project", {}).get("id", "") if isinstance(scope, dict) else ""
        roles = self.people[user].projects.get(project)
        if project and roles is None:
            return answer({}, 401)
        token = self.grant(user, project, *(roles or ()))
        return answer({"token": self._told(self.tokens[token])}, 201, X_Subject_Token=token)

    def _told(self, granted: Granted) -> dict[str, Any]:
        told = self._token() | {
            "methods": ["password"],
            "user": {"id": granted.user * 4, "name": granted.user, "domain": DOMAIN},
            "roles": [{"id": role, "name": role} for role in granted.roles],
            "expires_at": granted.ends.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        if granted.project:
            told["project"] = {"id": granted.project, "name": f"name of {granted.project}", "domain": DOMAIN}
        else:
            del told["project"]
        return told

    def _instances(self, asked: Asked) -> Respond:
        if self.nova_status != 200:
            return answer({}, self.nova_status)
        token = asked.headers.get("x-auth-token", "")
        granted = Granted("trust", "p" * 32, ("admin",)) if token == TOKEN else self._known(token)
        if granted is None:
            return answer({}, 401)
        admin = "admin" in granted.roles
        wide = admin and "all_tenants" in asked.query
        seen = {name: row for name, row in self.servers.items() if wide or row["project"] == granted.project}
        if asked.path != "/nova/v2.1/servers/detail":
            name = asked.path.rpartition("/")[2]
            found = self.servers.get(name) if admin else seen.get(name)
            return answer({"server": self._server(name, found, admin=admin)}) if found else NOTHING
        names = list(seen)
        if marker := asked.query.get("marker", [""])[0]:
            if marker not in names:
                return answer({"badRequest": {"code": 400, "message": "marker not found"}}, 400)
            names = names[names.index(marker) + 1 :]
        names = names[: int(asked.query.get("limit", ["1000"])[0])]
        return answer({"servers": [self._server(name, seen[name], admin=admin) for name in names]})

    def _server(self, name: str, row: dict[str, Any], *, admin: bool) -> dict[str, Any]:
        told = {
            "id": name,
            "name": row.get("name", f"name of {name}"),
            "tenant_id": row["project"],
            "status": row.get("status", "ACTIVE"),
            "OS-EXT-STS:task_state": row.get("task"),
            "hostId": host_id(row["project"], row["host"]),
            "OS-EXT-AZ:availability_zone": "nova",
            "flavor": {"original_name": "m1", "vcpus": 1, "extra_specs": row["specs"]},
        }
        if admin:
            host = row["host"] or None
            names = {each: hypervisor for hypervisor, each in self.hypervisors.values()}
            told |= {"OS-EXT-SRV-ATTR:host": host, "OS-EXT-SRV-ATTR:hypervisor_hostname": names.get(row["host"])}
        return told


def _named() -> dict[str, str]:
    return {"name": "Default"}


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)
