"""Keystone's word on a token: who holds it, for which project, with which roles, until when.

`GET /v3/auth/tokens` with our own account: https://docs.openstack.org/api-ref/identity/v3/#validate-and-show-information-for-token
Our account needs the role service (or admin). Revoked, expired and invented tokens are all answered with 404.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from keystoneauth1.exceptions import NotFound

from txt_dashboard.cloud import errors
from txt_dashboard.cloud.connection import Connection
from txt_dashboard.cloud.errors import Call
from txt_dashboard.cloud.faults import Role, named

TOKEN = re.compile(r"[A-Za-z0-9_.=-]{16,8192}", re.ASCII)  # Fernet and JWS tokens, and UUIDs of old
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_LONGEST_NAME = 255
# Ways to log in that a person sits behind, and "token", which continues one of them.
_IN_PERSON = frozenset({"password", "totp", "saml2", "mapped", "openid", "kerberos", "external"})
_CONTINUED = frozenset({"token"})


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a token. `in_person` is false for application credentials, trusts, and what we do not know."""

    cloud: str
    user_id: str
    user_name: str
    domain: str
    project_id: str  # empty: the token is for no project
    roles: frozenset[str]
    expires_at: datetime
    in_person: bool


def validate(connection: Connection, token: str) -> Holder | None:
    """What Keystone says of a token; `None` for one that is no good. Raises `CloudError` where it can't be asked."""
    if not TOKEN.fullmatch(token):
        return None
    login = connection.login
    address = login.auth_url.rstrip("/")
    address = address if address.endswith("/v3") else f"{address}/v3"
    call = Call(login.cloud, "Keystone", address, "validate a token")
    with named(call, Role.SERVICE):
        try:
            response = connection.session.get(
                f"{address}/auth/tokens", params={"nocatalog": "1"}, headers={"X-Subject-Token": token}
            )
        except NotFound:
            return None
    try:
        return read_holder(login.cloud, response.json()["token"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise errors.AnswerUnusable(call, "what it says of the token is not what its API describes") from None


def read_holder(cloud: str, told: Mapping[str, Any]) -> Holder:
    """Who holds a token, by what Keystone says of it; raises `ValueError`, `KeyError` and the like for nonsense."""
    user = told["user"]
    project = told.get("project") or {}
    methods = frozenset(told["methods"])
    delegated = any(told.get(key) for key in ("application_credential", "OS-TRUST:trust", "OS-OAUTH1"))
    expires_at = datetime.fromisoformat(told["expires_at"])
    if expires_at.tzinfo is None:
        raise ValueError("a moment needs its zone")
    return Holder(
        cloud=cloud,
        user_id=_id(user["id"]),
        user_name=_name(user["name"]),
        domain=_name(user["domain"]["name"]),
        project_id=_id(project["id"]) if project else "",
        roles=frozenset(_name(role["name"]) for role in told.get("roles", ())),
        expires_at=expires_at.astimezone(UTC),
        in_person=not delegated and bool(methods & _IN_PERSON) and methods <= _IN_PERSON | _CONTINUED,
    )


def _id(value: str) -> str:
    if not _ID.fullmatch(value):
        raise ValueError("this is no id")
    return value


def _name(value: str) -> str:
    if not value or len(value) > _LONGEST_NAME or not value.isprintable():
        raise ValueError("this is no name")
    return value
