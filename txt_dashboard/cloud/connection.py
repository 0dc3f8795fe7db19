"""One account's way into one cloud: the session, the endpoints, the versions, and the names of what goes wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session

from txt_dashboard.cloud import errors
from txt_dashboard.cloud.errors import Call
from txt_dashboard.cloud.faults import Role, named
from txt_dashboard.cloud.login import Login
from txt_dashboard.cloud.transport import BoundedSession

Version = tuple[int, int]


class Service(Enum):
    """A service: its name for people, its type in the catalog, and the versions that we speak.

    Nova: from 2.61 (Rocky) flavors come with their extra specs; from 2.88 on the list of hypervisors asks every
    compute host for its uptime. Placement: 1.23 (Rocky) tells a stale generation apart from other conflicts.
    """

    COMPUTE = ("Nova", "compute", (2, 61), (2, 87))
    PLACEMENT = ("Placement", "placement", (1, 23), (1, 23))

    def __init__(self, label: str, kind: str, oldest: Version, newest: Version) -> None:
        self.label = label
        self.kind = kind
        self.oldest = oldest
        self.newest = newest


@dataclass(frozen=True, slots=True)
class Limits:
    """What no single request may pass."""

    connect_timeout: float = 5.0  # seconds
    deadline: float = 30.0  # seconds from its start to the last byte of its answer
    byte_limit: int = 64 * 1024 * 1024  # of one answer's body


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service is, and the newest version that both it and we speak."""

    url: str
    version: Version

    @property
    def microversion(self) -> str:
        """As headers and clients write it."""
        return "{}.{}".format(*self.version)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a plain request got."""

    status: int
    body: Any = None


@dataclass(eq=False)
class Connection:
    """One account at one cloud. Any number of threads may use it at once.

    Nothing is asked before the first call. Tokens live in memory only, and are renewed when they run out.
    """

    login: Login
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        limits = self.limits
        login = self.login
        self._http = BoundedSession(limits.connect_timeout, limits.deadline, limits.byte_limit)
        self._endpoints: dict[Service, Endpoint] = {}
        self.session = Session(
            auth=login.plugin(),
            session=self._http,
            verify=login.ca_file or True,
            cert=(login.certificate, login.key) if login.key else login.certificate or None,
            redirect=False,
            app_name="txt-dashboard",
        )

    def __repr__(self) -> str:
        return f"Connection({self.login!r})"

    def close(self) -> None:
        """Closes idle connections."""
        self._http.close()

    def endpoint(self, service: Service) -> Endpoint:
        """Where the service is by the catalog, and its newest version that we speak; raises `CloudError`."""
        known = self._endpoints.get(service)
        if known is None:
            known = self._endpoints[service] = self._discover(service)
        return known

    def adapter(self, service: Service) -> Adapter:
        """Requests to the service as JSON, with the version negotiated."""
        return Adapter(
            self.session,
            service_type=service.kind,
            interface=self.login.interface,
            region_name=self.login.region or None,
            default_microversion=self.endpoint(service).microversion,
            connect_retries=1,
        )

    @contextmanager
    def asking(self, service: Service, what: str, role: Role) -> Iterator[Call]:
        """Makes every failure inside a `CloudError` that says which call failed where, and what to do."""
        call = Call(self.login.cloud, service.label, self.endpoint(service).url, what)
        with named(call, role):
            yield call

    def ask(self, service: Service, method: str, path: str, call: Call, **options: Any) -> Answer:
        """One request; `path` begins with a slash. Raises keystoneauth's faults for `asking` to name."""
        response = self.adapter(service).request(path, method, **options)
        if response.status_code == 204 or not response.content:
            return Answer(response.status_code)
        try:
            return Answer(response.status_code, response.json())
        except (ValueError, RecursionError):
            raise errors.AnswerUnusable(call, "the answer is no JSON: what answers there?") from None

    def _discover(self, service: Service) -> Endpoint:
        login = self.login
        where: dict[str, Any] = {"service_type": service.kind, "interface": login.interface}
        where["region_name"] = login.region or None
        with named(Call(login.cloud, "Keystone", login.auth_url, f"log in and say where {service.label} is"), None):
            url = self.session.get_endpoint(**where)
        if not url:
            call = Call(login.cloud, "Keystone", login.auth_url, f"say where {service.label} is")
            raise errors.NoSuchService(call, f"its catalog has none: check region and interface ({login.interface})")
        call = Call(login.cloud, service.label, url, "list its versions")
        with named(call, Role.MEMBER):
            data = self.session.get_endpoint_data(**where)
        return Endpoint(url.rstrip("/"), _agree(service, call, data and data.max_microversion))


def _agree(service: Service, call: Call, offered: Any) -> Version:
    newest: Version = tuple(offered[:2]) if offered else (0, 0)
    if newest < service.oldest:
        told = "none" if not offered else "{}.{}".format(*newest)
        needed = "{}.{}".format(*service.oldest)
        raise errors.VersionUnsupported(call, f"it offers {told}, and {needed} is needed: upgrade {service.label}")
    return min(newest, service.newest)
