"""A simulator on a free loopback port, and a plain HTTP client for it."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from txt_dashboard.simulator.fleet import Fleet, build_fleet
from txt_dashboard.simulator.oat1 import Oat1
from txt_dashboard.simulator.oat2 import Oat2
from txt_dashboard.simulator.quotes import add_quotes
from txt_dashboard.simulator.server import SimulatorServer
from txt_dashboard.simulator.simulation import Simulation

NOON = datetime(2026, 3, 4, 12, 0, 0, 654321, tzinfo=UTC)


class Client:
    """One kept connection."""

    def __init__(self, server: SimulatorServer, headers: dict[str, str]) -> None:
        host, port = server.server_address[:2]
        self.connection = HTTPConnection(str(host), int(port), timeout=60)
        self.headers = headers

    def get(self, path: str) -> Any:
        """The JSON of a 200 answer."""
        return self.ok("GET", path)

    def poll(self, hosts: list[str], **more: object) -> list[dict[str, Any]]:
        """The rows of a PollHosts answer."""
        body = json.dumps({"hosts": hosts, **more})
        rows: list[dict[str, Any]] = self.ok("POST", "/AttestationService/resources/PollHosts", body)["hosts"]
        return rows

    def ok(self, method: str, path: str, body: str | None = None) -> Any:
        """The JSON of an answer that must be 200."""
        status, document = self.ask(method, path, body)
        assert status == 200, document
        return document

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON, or text, of any answer."""
        self.connection.request(method, path, body, {**self.headers, **headers})
        response = self.connection.getresponse()
        read = response.read()
        is_text = response.getheader("Content-Type") == "text/plain"
        return response.status, read.decode() if is_text else json.loads(read)


class World:
    """A served fleet whose story stands where the test puts it."""

    def __init__(self, server: SimulatorServer, fleet: Fleet, place: list[float], now: list[datetime]) -> None:
        self.server = server
        self.fleet = fleet
        self.names = [host.name for host in fleet.hosts]
        self._place = place
        self._now = now
        self.client = Client(server, {})

    def move(self, seconds: float) -> None:
        """Puts the story to this second."""
        self._place[0] = seconds

    @property
    def now(self) -> datetime:
        """The server's own clock."""
        return self._now[0]

    def pass_time(self, passed: timedelta) -> None:
        """Puts the server's own clock forward."""
        self._now[0] += passed


@contextmanager
def world(
    api: str = "1.6", hosts: int = 420, at: float = 0.0, state: Path | None = None, **options: Any
) -> Iterator[World]:
    """Serves a fleet until the block ends."""
    fleet = build_fleet(hosts)
    place, now = [at], [NOON]
    simulation = Simulation(fleet, lambda: place[0], state)
    dialect = {"1.6": Oat1, "2.x": Oat2}[api](simulation, lambda: now[0])
    add_quotes(dialect)
    with SimulatorServer(("127.0.0.1", 0), dialect, **options) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        served = World(server, fleet, place, now)
        try:
            yield served
        finally:
            served.client.connection.close()
            server.shutdown()
            thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[..., World]]:
    """Serves any number of fleets until the test ends; options as for `world`."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(world(**options))
