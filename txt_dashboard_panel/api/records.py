"""The activity log, and the attestation servers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from txt_dashboard_panel.api import client


@dataclass(frozen=True)
class Entry:
    """Who did what, when and why."""

    id: int
    at: datetime
    actor: str
    verb: str
    target: str
    host: str
    detail: dict[str, Any]
    outcome: dict[str, Any] | None

    @property
    def reason(self) -> str:
        """Why, in the person's own words."""
        return str(self.detail.get("reason") or "")


@dataclass(frozen=True)
class Activity:
    """Entries, newest first, and the marker of the next page."""

    items: list[Entry]
    next: str | None


@dataclass(frozen=True)
class ServerHosts:
    """A server's hosts, by whether the evidence that it gave still counts."""

    fresh: int
    stale: int
    unreachable: int
    never: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.fresh + self.stale + self.unreachable + self.never


@dataclass(frozen=True)
class Server:
    """One attestation server, and how it fares."""

    name: str
    kind: str
    url: str
    counts: bool
    enabled: bool
    simulated: bool
    without_tls: bool
    health: str
    hosts: ServerHosts
    interval_s: int
    asked_at: datetime | None
    answered_at: datetime | None
    error: str
    test: str | None
    tested_at: datetime | None
    test_passed: bool | None
    test_result: str


@dataclass(frozen=True)
class Servers:
    """All servers, by name."""

    items: list[Server]


@dataclass(frozen=True)
class Poll:
    """A poll that somebody asked for."""

    id: int
    total: int


def activity(request: Any, **wanted: Any) -> Activity:
    """A page of the activity log. Raises `TrustError`."""
    return client.get(request, Activity, "activity", **wanted)


def servers(request: Any) -> Servers:
    """All attestation servers. Raises `TrustError`."""
    return client.get(request, Servers, "servers")


def test_server(request: Any, name: str) -> Server:
    """Has the connection tested. Raises `TrustError`."""
    return client.post(request, Server, "servers", name, "test", body={})


def poll_server(request: Any, name: str) -> Poll:
    """Asks for new evidence of all hosts of the server. Raises `TrustError`."""
    return client.post(request, Poll, "polls", body={"server": name})
