"""Hosts: the list, one host, how it differs, what became of it, its evidence, and asking for it anew."""

from datetime import datetime
from typing import Annotated, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Path, Query, Router
from ninja.responses import Status
from pydantic import BaseModel, Field

from txt_dashboard.actions.permissions import Invalid, NotFound
from txt_dashboard.actions.polling import poll_now
from txt_dashboard.api.app import answers
from txt_dashboard.api.auth import actor
from txt_dashboard.api.host_answers import diff_of, evidence_of, history_of, host_of, row_of
from txt_dashboard.api.host_material import candidates_of, log_of
from txt_dashboard.api.host_types import Candidates, Diff, EventLog, Evidence, History, Host, HostPage
from txt_dashboard.api.parameters import HostName, Limit, Marker, Word, number
from txt_dashboard.api.polls import Poll, poll_of
from txt_dashboard.attest.appraisal import State
from txt_dashboard.attest.pcr import REGISTER_COUNT
from txt_dashboard.models import Host as HostRow
from txt_dashboard.queries import candidates, fleet_changes, table
from txt_dashboard.queries import host as queries
from txt_dashboard.queries.asked import asked_for
from txt_dashboard.queries.history import history
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.queries.log_lines import Chosen
from txt_dashboard.queries.quoted import quotations
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


class LogWanted(BaseModel):
    """Which events of which server's log, and from where on."""

    q: Annotated[str, Field(max_length=100)] = ""
    index: Annotated[int | None, Field(ge=0, lt=REGISTER_COUNT)] = None
    differing: bool = False
    server: Word = ""
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
    version = fleet_changes.version_now()
    found, cursor = table.hosts(chosen, now), table.Cursor(wanted.marker) if wanted.marker else None
    try:
        page = table.page(found, wanted.sort, cursor, current_reference(), now, limit=wanted.limit)
    except (ValueError, OverflowError):
        raise Invalid({"query.marker": ["The marker names no place in the list. Begin without one."]}) from None
    return HostPage(items=[row_of(each) for each in page.rows], next=page.after or None, version=version)


@router.get("/{name}", response=answers(Host))
def show_host(request: HttpRequest, name: Name) -> Host:
    """One host: its state, why, since when, and what each server says."""
    now = timezone.now()
    host = _find(name, now)
    return host_of(host, queries.testimonies(host, current_reference(), now))


@router.get("/{name}/diff", response=answers(Diff))
def diff_host(request: HttpRequest, name: Name) -> Diff:
    """What was approved against what the host showed, register by register, with what each measures."""
    now, version = timezone.now(), fleet_changes.version_now()
    host = _find(name, now)
    return diff_of(host, queries.testimonies(host, current_reference(), now), version)


@router.get("/{name}/history", response=answers(History))
def list_host_history(request: HttpRequest, name: Name, limit: Limit = 30, marker: Marker = "") -> History:
    """What became of the host, newest first, and which registers changed."""
    host = _find(name, timezone.now())
    return history_of(host, history(host, _place(marker), limit=limit))


@router.get("/{name}/evidence", response=answers(Evidence))
def show_host_evidence(request: HttpRequest, name: Name) -> Evidence:
    """All that is held of the host."""
    now = timezone.now()
    host = _find(name, now)
    return evidence_of(host, queries.testimonies(host, current_reference(), now), now)


@router.get("/{name}/log", response=answers(EventLog))
def show_host_log(request: HttpRequest, name: Name, wanted: Query[LogWanted]) -> EventLog:
    """The event log of the host's last quote, searched, of one register, or only what differs from the golden log."""
    now, reference = timezone.now(), current_reference()
    host = _find(name, now)
    found = quotations(queries.testimonies(host, reference, now), reference)
    chosen = Chosen(wanted.q.strip(), wanted.index, wanted.differing)
    return log_of(host, list(found.values()), chosen, wanted.server, number(wanted.marker), wanted.limit)


@router.get("/{name}/candidates", response=answers(Candidates))
def list_host_candidates(request: HttpRequest, name: Name) -> Candidates:
    """What the host shows and could be proposed as a baseline, part by part."""
    now = timezone.now()
    host = _find(name, now)
    return candidates_of(host, candidates.of_host(host, in_force().reference, now), asked_for())


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
