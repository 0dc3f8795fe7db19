"""People at Keystone: their log-in by password, their projects, and the tokens that follow from it.

https://docs.openstack.org/api-ref/identity/v3/#authentication-and-token-management
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from keystoneauth1.exceptions import NotFound, Unauthorized

from txt_dashboard.cloud import errors
from txt_dashboard.cloud.connection import Connection
from txt_dashboard.cloud.errors import Call
from txt_dashboard.cloud.faults import named
from txt_dashboard.cloud.rows import Row, read_all
from txt_dashboard.cloud.tokens import TOKEN, Holder, read_holder

MOST_PROJECTS = 1000


@dataclass(frozen=True, slots=True)
class Project:
    """A project in which somebody has a role."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Granted:
    """A token that Keystone gave, and what it said of it."""

    token: str
    holder: Holder

    def __repr__(self) -> str:
        return f"Granted({self.holder!r})"  # never the token


def log_in(connection: Connection, name: str, password: str, domain: str) -> Granted | None:
    """A token for no project; `None` where Keystone does not take name and password. Raises `CloudError`."""
    user = {"name": name, "domain": {"name": domain}, "password": password}
    identity = {"methods": ["password"], "password": {"user": user}}
    return _token(connection, "log somebody in", identity, "unscoped")


def scope(connection: Connection, token: str, project_id: str) -> Granted | None:
    """Another token for this project; `None` where the first is no good, or brings no role there."""
    identity = {"methods": ["token"], "token": {"id": token}}
    return _token(connection, "give a token for a project", identity, {"project": {"id": project_id}})


def projects(connection: Connection, token: str) -> tuple[Project, ...]:
    """The projects in which the token's holder has a role, by name. Raises `CloudError`."""
    call, address = _call(connection, "list somebody's projects")
    headers = {"X-Auth-Token": token}
    with named(call, None):
        response = connection.session.get(f"{address}/auth/projects", headers=headers, authenticated=False, log=False)
    try:
        listed = response.json()["projects"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise errors.AnswerUnusable(call, "the answer is not what its API describes") from None
    found = read_all(call, listed, _project)
    return tuple(sorted(found, key=lambda each: (each.name, each.id))[:MOST_PROJECTS])


def revoke(connection: Connection, token: str) -> None:
    """The token counts no more; one that is no good already is as good as revoked. Raises `CloudError`."""
    call, address = _call(connection, "revoke a token")
    headers = {"X-Auth-Token": token, "X-Subject-Token": token}
    with suppress(errors.NotThere, errors.LoginRefused), named(call, None):
        connection.session.delete(f"{address}/auth/tokens", headers=headers, authenticated=False, log=False)


def _token(connection: Connection, what: str, identity: Mapping[str, Any], scoped: object) -> Granted | None:
    call, address = _call(connection, what)
    body = {"auth": {"identity": identity, "scope": scoped}}
    with named(call, None):
        try:
            # Neither our account's token nor a line in the log: the body holds a secret.
            response = connection.session.post(
                f"{address}/auth/tokens", json=body, params={"nocatalog": "1"}, authenticated=False, log=False
            )
        except (Unauthorized, NotFound):
            return None
    token = response.headers.get("X-Subject-Token", "")
    try:
        holder = read_holder(connection.login.cloud, response.json()["token"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise errors.AnswerUnusable(call, "what it says of the token is not what its API describes") from None
    if not TOKEN.fullmatch(token):
        raise errors.AnswerUnusable(call, "it gave no token")
    return Granted(token, holder)


def _call(connection: Connection, what: str) -> tuple[Call, str]:
    login = connection.login
    address = login.auth_url.rstrip("/")
    address = address if address.endswith("/v3") else f"{address}/v3"
    return Call(login.cloud, "Keystone", address, what), address


def _project(row: Row) -> Project:
    return Project(row.text("id"), row.text("name"))
