"""The fleet as a whole: the tally, what changed, and what changed since."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from txt_dashboard_panel.api import client
from txt_dashboard_panel.api.reading import State
from txt_dashboard_panel.api.records import Entry


@dataclass(frozen=True)
class Counts:
    """Hosts by state."""

    trusted: int
    untrusted: int
    stale: int
    unknown: int


@dataclass(frozen=True)
class Pool:
    """One pool's hosts by state."""

    pool: str
    hosts: Counts


@dataclass(frozen=True)
class Outage:
    """A server that fell silent, and the hosts that lose their trust with it."""

    server: str
    error: str
    answered_at: datetime | None
    trusted: int
    stale: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True)
class Running:
    """How far a poll has come."""

    total: int
    done: int
    failed: int
    running: bool


@dataclass(frozen=True)
class Summary:
    """The fleet in numbers."""

    at: datetime
    version: str
    simulated: bool
    total: int
    hosts: Counts
    moved: Counts
    pools: list[Pool]
    outages: list[Outage]
    set_number: int
    refused: str
    polling: Running | None


@dataclass(frozen=True)
class Change:
    """Hosts that are untrusted for the same cause; `group` filters the list of hosts by it."""

    hosts: int
    first: datetime
    last: datetime
    pools: list[str]
    group: str
    server: str
    registers: list[int]


@dataclass(frozen=True)
class Changes:
    """The largest groups, and how many more there are."""

    items: list[Change]
    more: int


@dataclass(frozen=True)
class Overview:
    """All that the first page shows."""

    summary: Summary
    changes: Changes
    activity: list[Entry]


@dataclass(frozen=True)
class Changed:
    """A host whose state or measurements changed."""

    host: str
    state: State
    at: datetime


@dataclass(frozen=True)
class Status:
    """What changed since a version."""

    version: str
    trouble: bool
    hosts: Counts
    silent: list[str]
    polling: Running | None
    changed: list[Changed]
    more: bool


def overview(request: Any) -> Overview:
    """The first page. Raises `TrustError`."""
    return client.get(request, Overview, "overview")


def status(request: Any, since: str = "") -> Status:
    """What changed since this version; with none, only the present one. Raises `TrustError`."""
    return client.get(request, Status, "status", since=since)
