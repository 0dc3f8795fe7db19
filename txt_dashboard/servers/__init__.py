"""Adapters: one file a kind of attestation server, HTTP in, evidence out. No database, no rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from txt_dashboard.servers.base import AttestationServer, Clock, Connection


@dataclass(frozen=True, slots=True)
class Factory:
    """One kind of attestation server: its name for people, and what makes an adapter of that kind.

    `build` raises `ServerError` for a connection whose own data are unusable; it asks nothing.
    """

    label: str
    build: Callable[[Connection, Clock], AttestationServer]


def _open_attestation(dialect: str) -> Callable[[Connection, Clock], AttestationServer]:
    def build(connection: Connection, clock: Clock) -> AttestationServer:
        # Pages list the kinds without ever asking a server, so they need not load the HTTP client.
        from txt_dashboard.servers.oat import OpenAttestation  # noqa: PLC0415

        return OpenAttestation(connection, dialect=dialect, clock=clock)

    return build


KINDS: Mapping[str, Factory] = {
    "oat-1.6": Factory("OpenAttestation 1.5 to 1.7", _open_attestation("1.6")),
    "oat-2.x": Factory("OpenAttestation 2.x", _open_attestation("2.x")),
}
