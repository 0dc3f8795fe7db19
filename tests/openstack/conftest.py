"""A real OpenStack for the session, and accounts with one role each.

    TXT_TEST_OPENSTACK_DIR     the cloud's folder (a temporary one, removed afterwards)
    TXT_TEST_OPENSTACK_CACHE   where its software is kept between runs (~/.cache/txt-dashboard/minicloud)
    TXT_TEST_OPENSTACK_KEEP    anything: a cloud that runs in that folder is used as it is, and left running

What is missing fails the tests: who runs them wants to know.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.openstack.accounts import PASSWORD, Accounts
from tests.openstack.minicloud import MiniCloud, PollHosts, build_wheel
from tests.openstack.servers import Servers
from txt_dashboard.cloud.connection import Connection
from txt_dashboard.cloud.login import Login


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    if named := os.environ.get("TXT_TEST_OPENSTACK_DIR"):
        yield Path(named)
    else:
        # Not pytest's own: of those it keeps three, and each would be 500 MB.
        with tempfile.TemporaryDirectory(prefix="txt-openstack-", ignore_cleanup_errors=True) as made:
            yield Path(made)


@pytest.fixture(scope="session")
def mini(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniCloud]:
    """Running, with our filter and validator in its Nova."""
    default = Path.home() / ".cache" / "txt-dashboard" / "minicloud"
    software = Path(os.environ.get("TXT_TEST_OPENSTACK_CACHE") or default)
    cloud = MiniCloud(folder, software, keep="TXT_TEST_OPENSTACK_KEEP" in os.environ)
    try:
        cloud.start(build_wheel(tmp_path_factory.mktemp("dist")))
        yield cloud
    finally:
        cloud.stop()


@pytest.fixture(scope="session")
def connect(mini: MiniCloud) -> Callable[..., Connection]:
    """A connection as one of the cloud's users."""

    def make(user: str = "admin", project: str = "") -> Connection:
        scope = {"project_name": project or user, "project_domain_id": "default", "user_domain_id": "default"}
        auth = {"auth_url": mini.auth_url, "username": user, "password": PASSWORD, **scope}
        return Connection(Login("mini", auth))

    return make


@pytest.fixture(scope="session")
def admin(connect: Callable[..., Connection]) -> Connection:
    return connect()


@pytest.fixture(scope="session")
def accounts(admin: Connection, connect: Callable[..., Connection]) -> dict[str, Connection]:
    """One connection a role."""
    made = Accounts(admin)
    made.create("only-service", "service", "service")
    made.create("only-member", "demo", "member")
    made.create("only-reader", "demo", "reader")
    return {
        "admin": admin,
        "service": connect("only-service", "service"),
        "member": connect("only-member", "demo"),
        "reader": connect("only-reader", "demo"),
    }


@pytest.fixture(scope="session")
def poll_hosts(mini: MiniCloud) -> Iterator[PollHosts]:
    server = PollHosts(mini.poll_port)
    yield server
    server.close()


@pytest.fixture
def servers(admin: Connection) -> Iterator[Servers]:
    """Boots, and removes afterwards; so with flavors."""
    made = Servers(admin)
    yield made
    made.clean()
