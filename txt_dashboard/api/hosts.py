"""Hosts: the list, one host, how it differs, what became of it, its evidence, and asking for it anew."""

from datetime import datetime
from typing import Annotated, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Path, Query, Router
from ninja.responses import Status
from pydantic import BaseModel

from txt_dashboard.actions.permissions import Invalid, NotFound
from txt_dashboard.actions.polling import poll_now
from txt_dashboard.api.app import answers
from txt_dashboard.api.auth import actor
from txt_dashboard.api.host_answers import diff_of, evidence_of, history_of, host_of, row_of
from txt_dashboard.api.host_types import Diff, Evidence, History, Host, HostPage
from txt_dashboard.api.parameters import HostName, Limit, Marker, Word
from txt_dashboard.api.polls import Poll, poll_of
from txt_dashboard.attest.appraisal import State
from txt_dashboard.models import Host as HostRow
from txt_dashboard.queries import host as queries
from txt_dashboard.queries import table
from txt_dashboard.queries.history import history
from txt_dashboard.queries.reference import current_reference

router = Router(tags=["hosts"])

NO_POOL = "-"
Name = Annotated[HostName, Path()]


class HostsWanted(BaseModel):
    """Which hosts, in which order, and from where on."""

    state: State | None = None
    pool: Word = ""
    q: Word = ""
    reason: Word = ""
    server: Word = ""
    group: Word = ""
    sort: Literal["name", "since"] = "name"
    limit: Limit = 50
    marker: Marker = ""


@router.get("", response=answers(HostPage))
def list_hosts(request: HttpRequest, wanted: Query[HostsWanted]) -> HostPage:
    """Hosts, by name or by when they came into their state. `q` finds names, pools and values of registers; the pool
    `-` is that of hosts without one; `group` is of hosts that drifted alike (see changes)."""
    now = timezone.now()
    chosen = table.Filter(
        wanted.q.strip(), wanted.state or "", _pool(wanted.pool), wanted.reason, wanted.server, wanted.group
    )
    found, cursor = table.hosts(chosen, now), table.Cursor(wanted.marker) if wanted.marker else None
    try:
        page = table.page(found, wanted.sort, cursor, current_reference(), now, limit=wanted.limit)
    except (ValueError, OverflowError):
        raise Invalid({"query.marker": ["The marker names no place in the list. Begin without one."]}) from None
    return HostPage(items=[row_of(each) for each in page.rows], next=page.after or None)


@router.get("/{name}", response=answers(Host))
def show_host(request: HttpRequest, name: Name) -> Host:
    """One host: its state, why, since when, and what each server says."""
    now = timezone.now()
    host = _find(name, now)
    return host_of(host, queries.testimonies(host, current_reference(), now))


@router.get("/{name}/diff", response=answers(Diff))
def diff_host(request: HttpRequest, name: Name) -> Diff:
    """What was approved against what the host showed, register by register, with what each measures."""
    now = timezone.now()
    host = _find(name, now)
    return diff_of(host, queries.testimonies(host, current_reference(), now))


@router.get("/{name}/history", response=answers(History))
def list_host_history(request: HttpRequest, name: Name, limit: Limit = 30, marker: Marker = "") -> History:
    """What became of the host, newest first, and which registers changed."""
    host = _find(name, timezone.now())
    return history_of(history(host, _place(marker), limit=limit))


@router.get("/{name}/evidence", response=answers(Evidence))
def show_host_evidence(request: HttpRequest, name: Name) -> Evidence:
    """All that is held of the host."""
    now = timezone.now()
    host = _find(name, now)
    return evidence_of(host, queries.testimonies(host, current_reference(), now), now)


@router.post("/{name}/attest", response=answers(Poll, 202))
def attest_host(request: HttpRequest, name: Name) -> Status[Poll]:
    """Asks for new evidence; the answer names the poll that shows how far it has come."""
    return Status(202, poll_of(poll_now(actor(request), now=timezone.now(), host=name)))


def _find(name: str, now: datetime) -> HostRow:
    host = queries.find_host(name, now)
    if host is None:
        raise NotFound(f"There is no host named {name}.")
    return host


def _pool(pool: str) -> str | None:
    return {"": None, NO_POOL: ""}.get(pool, pool)


def _place(marker: str) -> tuple[datetime, int] | None:
    if not marker:
        return None
    moment, _, number = marker.partition("~")
    try:
        at, last = datetime.fromisoformat(moment), int(number)
        if at.tzinfo is None or not 0 <= last < 2**63:
            raise ValueError
        at.astimezone()
    except (ValueError, OverflowError):
        raise Invalid({"query.marker": ["The marker names no place in the list. Begin without one."]}) from None
    return at, last
