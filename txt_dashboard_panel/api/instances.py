"""Instances: whether each asks for a trusted host, and whether it runs on one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from txt_dashboard_panel.api import client
from txt_dashboard_panel.api.reading import State


@dataclass(frozen=True)
class Instance:
    """One instance. `host` is told to those only who may see all; `asks` is `None` where nobody knows."""

    id: str
    name: str
    project_id: str
    asks: bool | None
    enforced: str | None
    state: State
    why_class: str
    sentence: str
    since: datetime | None
    at_stake: bool
    host: str | None = None


@dataclass(frozen=True)
class Page:
    """Instances, and what "trusted" does not mean. `problem` says why what is told is old or missing."""

    cloud: str | None
    simulated: bool
    problem: str
    read_at: datetime | None
    means_not: str
    items: list[Instance]
    next: str | None


@dataclass(frozen=True)
class One(Instance):
    """One instance by itself."""

    means_not: str = ""


def page(request: Any, **wanted: Any) -> Page:
    """Instances of the token's project; with `all`, `host` or `at_stake` of all projects. Raises `TrustError`."""
    return client.get(request, Page, "instances", **wanted)


def one(request: Any, id_: str) -> One:
    """One instance. Raises `TrustError`."""
    return client.get(request, One, "instances", id_)
