"""Servers, clients and authorities for the tests of adapters; what they are made of is in `harness`."""

import socket
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.servers.harness import Authority, Server, answer, start
from tests.servers.whitelists import old, told, whitelist_of  # noqa: F401 - used by name
from txt_dashboard.servers.address import Resolver
from txt_dashboard.servers.base import Connection
from txt_dashboard.servers.http import Client

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts a server: `serve()`, or `serve(certificate)` with a file that holds key and certificate."""
    running: list[ThreadingHTTPServer] = []

    def make(certificate: Path | None = None) -> Server:
        server = Server("", [answer(b"{}")])
        httpd = start(server.respond, certificate)
        running.append(httpd)
        scheme = "http" if certificate is None else "https"
        server.url = f"{scheme}://localhost:{httpd.server_address[1]}"
        return server

    yield make
    for httpd in running:
        httpd.shutdown()
        httpd.server_close()


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    """A server without TLS."""
    return serve()


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    """Makes clients that don't really sleep between two attempts: `connect(url, **connection)`."""
    clients: list[Client] = []

    def make(
        url: str,
        *,
        resolver: Resolver = socket.getaddrinfo,
        sleep: Callable[[float], None] = lambda _: None,
        **connection: object,
    ) -> Client:
        options = {"networks": LOOPBACK, "connect_timeout": 1.0, "deadline": 5.0} | connection
        clients.append(Client(Connection("oat", url, **options), resolver=resolver, sleep=sleep))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The authority that the server's operator gave us."""
    return Authority(tmp_path)


@pytest.fixture
def other_authority(tmp_path: Path) -> Authority:
    """An authority that nobody gave us."""
    return Authority(tmp_path, "Another authority")
