"""Where a server is: its URL taken apart, its name resolved once, its addresses held against the settings."""

import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any

from txt_dashboard.servers.base import AddressRefused, Network, ServerUnreachable

Resolver = Callable[..., Sequence[tuple[Any, ...]]]  # the shape of socket.getaddrinfo
_LABEL = r"[a-z0-9_-]{1,63}"
_URL = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]{{2,45}}\])(?::(?P<port>[0-9]{{1,5}}))?"
    r"(?P<path>(?:/[a-z0-9._~-]+)*)/*",
    re.ASCII | re.IGNORECASE,
)
_LONGEST = 500
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Url:
    """A server's URL, with nothing in it but these parts."""

    scheme: str  # http or https
    host: str  # a name, an IPv4 address, or an IPv6 address in brackets
    port: int
    path: str  # empty, or from a slash on and without one at its end

    @property
    def root(self) -> str:
        """Scheme, host and port: what each request's path is appended to."""
        return f"{self.scheme}://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Address:
    """One resolved address, as `socket.connect` takes it."""

    family: socket.AddressFamily
    sockaddr: tuple[Any, ...]


def parse_url(text: str) -> Url:
    """Takes a server's URL apart; raises `AddressRefused`.

    One pattern says all that is allowed, so credentials, queries, fragments, spaces, control
    characters and names that other parsers read differently have no way in.
    """
    matched = _URL.fullmatch(text) if len(text) <= _LONGEST else None
    if matched is None:
        raise AddressRefused(
            "the URL must look like https://name:8443 or https://name:8443/path,"
            " without a user name, a password, a query or a fragment"
        )
    scheme = matched["scheme"].lower()
    port = int(matched["port"]) if matched["port"] else _DEFAULT_PORTS[scheme]
    if not 1 <= port <= 65535:
        raise AddressRefused(f"port {port} does not exist: ports are 1 to 65535")
    return Url(scheme, matched["host"].lower(), port, matched["path"])


def resolve(url: Url, networks: Sequence[Network], resolver: Resolver = socket.getaddrinfo) -> tuple[Address, ...]:
    """All addresses of the URL's host, in the resolver's order.

    Raises `ServerUnreachable` where there is none and `AddressRefused` where any of them lies outside
    of `networks`: a name that leads both in and out is not to be trusted with either.
    """
    try:
        found = resolver(url.host.strip("[]"), url.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ServerUnreachable(f"the name {url.host} does not resolve: check the URL and the DNS") from None
    addresses = tuple(dict.fromkeys(Address(family, sockaddr) for family, _, _, _, sockaddr in found))
    if not addresses:
        raise ServerUnreachable(f"the name {url.host} has no address: check the URL and the DNS")
    for address in addresses:
        _refuse_outside(str(address.sockaddr[0]), networks)
    return addresses


def _refuse_outside(text: str, networks: Sequence[Network]) -> None:
    address = ip_address(text)
    # ::ffff:10.0.0.1 reaches 10.0.0.1, so it is that address which must be allowed.
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if not any(address in network for network in networks):
        raise AddressRefused(
            f"{address} lies outside the networks that the settings allow:"
            " correct the URL, or have the server's network allowed"
        )
