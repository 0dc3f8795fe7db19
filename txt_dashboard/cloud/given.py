"""A connection that carries a token which somebody else gave us: it asks as them, and can get no other token."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from keystoneauth1 import access
from keystoneauth1.exceptions import AuthorizationFailure, NotFound, Unauthorized
from keystoneauth1.identity.base import BaseIdentityPlugin
from keystoneauth1.plugin import BaseAuthPlugin
from keystoneauth1.session import Session

from txt_dashboard.cloud.connection import Connection, Limits
from txt_dashboard.cloud.login import Login

# Somebody waits for the answer, which is one page of their own instances at most.
LIMITS = Limits(connect_timeout=2.0, deadline=5.0, byte_limit=8 * 1024 * 1024)


@dataclass(frozen=True, slots=True, repr=False)
class TokenLogin(Login):
    """A token instead of an account; where Keystone is, and how it is reached, is our own account's."""

    token: str = field(default="", repr=False)

    def plugin(self) -> BaseAuthPlugin:
        """What carries the token."""
        return _GivenToken(self.auth_url, self.token)


@contextmanager
def with_token(own: Login, token: str, limits: Limits = LIMITS) -> Iterator[Connection]:
    """A connection to the cloud of our own account, with this token and nothing of our account's."""
    carried = TokenLogin(
        cloud=own.cloud,
        auth={"auth_url": own.auth_url},
        region=own.region,
        interface=own.interface,
        ca_file=own.ca_file,
        certificate=own.certificate,
        key=own.key,
        token=token,
    )
    connection = Connection(carried, limits)
    try:
        yield connection
    finally:
        connection.close()


class _GivenToken(BaseIdentityPlugin):
    """Reads the catalog from what Keystone says of the token, asked with the token itself."""

    def __init__(self, auth_url: str, token: str) -> None:
        super().__init__(auth_url, reauthenticate=False)
        self._token = token

    def get_auth_ref(self, session: Session) -> access.AccessInfo:
        """Raises `Unauthorized` for a token that is no good."""
        address = (self.auth_url or "").rstrip("/")
        address = address if address.endswith("/v3") else f"{address}/v3"
        headers = {"X-Auth-Token": self._token, "X-Subject-Token": self._token}
        try:
            response = session.get(f"{address}/auth/tokens", headers=headers, authenticated=False, log=False)
            found = access.create(body=response.json(), auth_token=self._token)
            found.service_catalog.normalize_catalog()  # here, where nonsense has a name
        except NotFound:
            raise Unauthorized from None  # as Keystone says it of tokens that ran out
        except (ValueError, TypeError, KeyError, AttributeError, AssertionError, RecursionError):
            raise AuthorizationFailure from None
        return found

    def invalidate(self) -> bool:
        """There is no other token to try."""
        return False
