"""A simulated cloud on a free loopback port, and the product's own ways into it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import Clock
from txt_dashboard.cloud.connection import Connection
from txt_dashboard.cloud.login import Login
from txt_dashboard.simulator.fleet import build_fleet
from txt_dashboard.simulator.openstack.cloud import SimulatedCloud
from txt_dashboard.simulator.openstack.estate import Estate
from txt_dashboard.simulator.openstack.people import USERS
from txt_dashboard.simulator.openstack.state import State
from txt_dashboard.simulator.server import SimulatorServer

PASSWORD = "of everybody here"


class Served:
    """The cloud, its address, and log-ins to it."""

    def __init__(self, cloud: SimulatedCloud, url: str, clock: Clock) -> None:
        self.cloud = cloud
        self.estate = cloud.estate
        self.url = url
        self.clock = clock
        self._opened: list[Connection] = []

    def login(self, user: str, project: str = "", *, password: str = PASSWORD) -> Connection:
        auth = {"auth_url": f"{self.url}/identity/v3", "username": user, "password": password}
        auth |= {"user_domain_name": "Default"}
        auth |= {"project_name": project, "project_domain_name": "Default"} if project else {}
        self._opened.append(Connection(Login("simulated", auth)))
        return self._opened[-1]

    def close(self) -> None:
        for each in self._opened:
            each.close()


@contextmanager
def serve_cloud(hosts: int, clock: Clock, state: Path | None = None) -> Iterator[Served]:
    estate = Estate(build_fleet(hosts))
    passwords = {user.name: PASSWORD for user in USERS}
    cloud = SimulatedCloud(estate, State(estate, state), passwords, clock, tokens_last=timedelta(days=20_000))
    server = SimulatorServer(("127.0.0.1", 0), cloud)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    served = Served(cloud, server.url, clock)
    try:
        yield served
    finally:
        served.close()
        server.shutdown()
        server.server_close()


@pytest.fixture
def cloud(clock) -> Iterator[Served]:
    with serve_cloud(84, clock) as served:
        yield served


@pytest.fixture
def start(clock) -> Iterator[Callable[..., Served]]:
    """Starts clouds of other sizes, or with a file."""
    with ExitStack() as stack:
        yield lambda hosts=84, state=None: stack.enter_context(serve_cloud(hosts, clock, state))


@pytest.fixture
def admin(cloud) -> Connection:
    return cloud.login("admin", "admin")


@pytest.fixture
def member(cloud) -> Connection:
    return cloud.login("member", "web-shop")


@pytest.fixture
def keeper(cloud) -> Connection:
    return cloud.login("trust-traits", "service")
