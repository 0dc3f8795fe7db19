"""Keystone v3: log-in by password or by another token, tokens told about and revoked, projects, the catalog.

https://docs.openstack.org/api-ref/identity/v3/
"""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from txt_dashboard.simulator.openstack.people import DOMAIN, PROJECTS, USERS, Project, User, identity, roles_in
from txt_dashboard.simulator.openstack.service import NOTHING, Api, Refused, document
from txt_dashboard.simulator.openstack.tokens import Token, Tokens
from txt_dashboard.simulator.wire import Reply, Request, reply

REGION = "RegionOne"


class Keystone(Api):
    """`passwords` by the user's name: who has none can't log in. `catalog` maps a service's type to its path."""

    prefix = "/identity"

    def __init__(self, tokens: Tokens, passwords: Mapping[str, str], catalog: Mapping[str, str]) -> None:
        super().__init__(tokens)
        self._passwords = passwords
        self._catalog = catalog
        self.on("GET ", self.versions)
        self.on("GET /v3", self.version)
        self.on("POST /v3/auth/tokens", self.log_in)
        self.on("GET /v3/auth/tokens", self.show)
        self.on("DELETE /v3/auth/tokens", self.revoke)
        self.on("GET /v3/auth/projects", self.own_projects)
        self.on("GET /v3/users/{}/projects", self.projects_of)
        self.on("GET /v3/auth/catalog", self.catalog)
        self.on("GET /v3/projects", self.all_projects)

    def versions(self, request: Request) -> Reply:
        """The versions there are, with the status that Keystone gives the list."""
        return reply({"versions": {"values": [self._version(request)]}}, HTTPStatus.MULTIPLE_CHOICES)

    def version(self, request: Request) -> Reply:
        """The one version."""
        return reply({"version": self._version(request)})

    def log_in(self, request: Request) -> Reply:
        """A token for one project, or for none."""
        identity_ = document(request, "auth", "identity")
        scope = document(request, "auth").get("scope", "unscoped")
        try:
            user, methods, until = self._who(identity_)
            project = None if scope == "unscoped" else self._scope(scope["project"])
        except (KeyError, TypeError, AttributeError):
            raise Refused(HTTPStatus.BAD_REQUEST, "Expecting to find a log-in in auth.") from None
        if project is not None and not roles_in(user, project):
            raise _denied()
        token = self.tokens.issue(user, project, methods, until)
        return self._told(request, token, HTTPStatus.CREATED)

    def show(self, request: Request) -> Reply:
        """What there is to say of a token, to itself and to services."""
        return self._told(request, self._subject(request))

    def revoke(self, request: Request) -> Reply:
        """The token counts no more."""
        self.tokens.revoke(self._subject(request).value)
        return NOTHING

    def own_projects(self, request: Request) -> Reply:
        """Those in which whoever asks has a role."""
        return self._listed(self.token(request).user)

    def projects_of(self, request: Request, user_id: str) -> Reply:
        """The same by the user's id."""
        token = self.token(request)
        if token.user.id != user_id and "admin" not in token.roles:
            raise _forbidden()
        user = next((user for user in USERS if user.id == user_id), None)
        if user is None:
            raise Refused(HTTPStatus.NOT_FOUND, f"Could not find user: {user_id}.")
        return self._listed(user)

    def catalog(self, request: Request) -> Reply:
        """Where the services are."""
        self.token(request)
        return reply({"catalog": self._endpoints(request), "links": {}})

    def all_projects(self, request: Request) -> Reply:
        """For administrators."""
        if "admin" not in self.token(request).roles:
            raise _forbidden()
        return reply({"projects": list(map(_project_row, PROJECTS)), "links": {"next": None}})

    def refusal(self, refused: Refused) -> Reply:
        """As Keystone writes it."""
        title = refused.status.phrase
        return reply({"error": {"code": refused.status, "message": str(refused), "title": title}}, refused.status)

    def _who(self, told: Mapping[str, Any]) -> tuple[User, tuple[str, ...], datetime | None]:
        if told["methods"] == ["token"]:
            before = self.tokens.find(str(told["token"]["id"]))
            if before is None:
                raise _denied()
            return before.user, tuple(dict.fromkeys(("token", *before.methods))), before.expires_at
        if told["methods"] != ["password"]:
            raise _denied()
        given = told["password"]["user"]
        user = next((user for user in USERS if _is(user, given)), None)
        right, said = self._passwords.get(user.name, "") if user else "", str(given["password"])
        if user is None or not right or not hmac.compare_digest(right.encode(), said.encode()):
            raise _denied()
        return user, ("password",), None

    def _scope(self, told: Mapping[str, Any]) -> Project:
        project = next((project for project in PROJECTS if _is(project, told)), None)
        if project is None:
            raise _denied()
        return project

    def _subject(self, request: Request) -> Token:
        asks = self.token(request)
        subject = self.tokens.find(request.headers.get("x-subject-token", ""))
        if subject is None:
            raise Refused(HTTPStatus.NOT_FOUND, "Could not find token.")
        if asks.user != subject.user and not {"admin", "service"} & set(asks.roles):
            raise _forbidden()
        return subject

    def _told(self, request: Request, token: Token, status: int = HTTPStatus.OK) -> Reply:
        row: dict[str, Any] = {
            "methods": list(token.methods),
            "user": {"id": token.user.id, "name": token.user.name, "domain": DOMAIN, "password_expires_at": None},
            "audit_ids": [identity(token.value).hex[:22]],
            "issued_at": _moment(token.issued_at),
            "expires_at": _moment(token.expires_at),
        }
        if token.project is not None:
            row["project"] = {"id": token.project.id, "name": token.project.name, "domain": DOMAIN}
            row["is_domain"] = False
            row["roles"] = [{"id": identity("role", role).hex, "name": role} for role in token.roles]
            if "nocatalog" not in request.query:
                row["catalog"] = self._endpoints(request)
        told = reply({"token": row}, status)
        return Reply(told.status, told.body, headers={"X-Subject-Token": token.value, "Vary": "X-Auth-Token"})

    def _listed(self, user: User) -> Reply:
        rows = [_project_row(project) for project in PROJECTS if roles_in(user, project)]
        return reply({"projects": rows, "links": {"next": None}})

    def _endpoints(self, request: Request) -> list[dict[str, Any]]:
        return [
            {
                "id": identity("service", kind).hex,
                "type": kind,
                "name": path.strip("/").partition("/")[0],
                "endpoints": [
                    {
                        "id": identity("endpoint", kind, interface).hex,
                        "interface": interface,
                        "region": REGION,
                        "region_id": REGION,
                        "url": here(request) + path,
                    }
                    for interface in ("public", "internal", "admin")
                ],
            }
            for kind, path in self._catalog.items()
        ]

    def _version(self, request: Request) -> dict[str, Any]:
        links = [{"rel": "self", "href": f"{here(request)}{self.prefix}/v3/"}]
        return {"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z", "links": links}


def here(request: Request) -> str:
    """The address by which whoever asks reaches all of it."""
    return f"http://{request.headers.get('host', '127.0.0.1')}"


def _denied() -> Refused:
    return Refused(HTTPStatus.UNAUTHORIZED, "The request you have made requires authentication.")


def _forbidden() -> Refused:
    return Refused(HTTPStatus.FORBIDDEN, "You are not authorized to perform the requested action.")


def _is(each: User | Project, told: Mapping[str, Any]) -> bool:
    if "id" in told:
        return bool(each.id == told["id"])
    domain = told["domain"]
    named = domain.get("id") == DOMAIN["id"] or domain.get("name") == DOMAIN["name"]
    return bool(named and each.name == told["name"])


def _project_row(project: Project) -> dict[str, Any]:
    about = {"description": "", "is_domain": False, "parent_id": DOMAIN["id"], "tags": [], "options": {}}
    return {"id": project.id, "name": project.name, "domain_id": DOMAIN["id"], "enabled": True, **about}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
