"""Flavors: which ask for trusted hosts, what that means now, and asking for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from txt_dashboard_panel.api import client


@dataclass(frozen=True)
class Warned:
    """Something that is not as it seems."""

    code: str
    sentence: str


@dataclass(frozen=True)
class Flavor:
    """One flavor. Numbers are `None` where nobody could count."""

    id: str
    name: str
    public: bool
    vcpus: int
    ram_mib: int
    disk_gib: int
    trusted: bool
    enforced: str | None
    fails_closed: bool | None
    capacity: int | None
    instances: int | None
    old_demand: int | None
    specs_hash: str
    warnings: list[Warned]


@dataclass(frozen=True)
class Page:
    """Flavors by name. `problem` says why what is told is old or missing."""

    cloud: str | None
    simulated: bool
    problem: str
    read_at: datetime | None
    enforcement: str
    trait: str
    trusted_hosts: int
    warnings: list[Warned]
    why_not: str | None
    items: list[Flavor]
    next: str | None
    version: str


@dataclass(frozen=True)
class One(Flavor):
    """One flavor by itself. `why_not` says why whoever asks may not change it.

    `enforcement` is what the service's settings say; an older service does not tell.
    """

    cloud: str
    problem: str
    why_not: str | None
    enforcement: str = ""


def page(request: Any, **wanted: Any) -> Page:
    """A page of flavors. Raises `TrustError`."""
    return client.get(request, Page, "flavors", **wanted)


def one(request: Any, id_: str) -> One:
    """One flavor. Raises `TrustError`."""
    return client.get(request, One, "flavors", id_)


def set_trust(request: Any, id_: str, *, trusted: bool, enforcement: str, reason: str, specs_hash: str) -> Flavor:
    """Makes it a trusted or an ordinary one, at the cloud and at once. Raises `TrustError`."""
    body = {"trusted": trusted, "enforcement": enforcement or None, "reason": reason, "specs_hash": specs_hash}
    return client.put(request, Flavor, "flavors", id_, "trust", body=body)
