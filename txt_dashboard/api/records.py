"""The activity log, and the attestation servers."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router
from pydantic import BaseModel

from txt_dashboard.api.app import answers
from txt_dashboard.api.parameters import Limit, Marker, Moment, Word, number
from txt_dashboard.queries import activity
from txt_dashboard.queries.servers import Health, HostCounts, ServerView, Test, list_servers

router = Router(tags=["records"])


class ActivityWanted(BaseModel):
    """Which entries, and from where on."""

    since: Moment | None = None
    until: Moment | None = None
    actor: Word = ""
    host: Word = ""
    verb: Word = ""
    limit: Limit = 50
    marker: Marker = ""


class Entry(BaseModel):
    """Who did what, when and why. `outcome` is what came of a remote act, as far as that is known."""

    id: int
    at: datetime
    actor: str
    verb: str
    target: str
    host: str
    detail: dict[str, Any]
    outcome: dict[str, Any] | None


class ActivityPage(BaseModel):
    """Entries, newest first, and the marker of the next page."""

    items: list[Entry]
    next: str | None


class Hosts(BaseModel):
    """A server's hosts, by whether the evidence that it gave still counts."""

    fresh: int
    stale: int
    unreachable: int
    never: int


class Server(BaseModel):
    """One attestation server, and how it fares. Its secret is never told."""

    name: str
    kind: str
    url: str
    counts: bool
    enabled: bool
    simulated: bool
    without_tls: bool
    health: Health
    hosts: Hosts
    interval_s: int
    asked_at: datetime | None
    answered_at: datetime | None
    retry_at: datetime | None
    error_code: str
    error: str
    test: Test | None
    tested_at: datetime | None
    test_passed: bool | None
    test_result: str


class Servers(BaseModel):
    """All servers, by name."""

    items: list[Server]


@router.get("/activity", response=answers(ActivityPage))
def list_activity(request: HttpRequest, wanted: Query[ActivityWanted]) -> ActivityPage:
    """The activity log, newest first: from a moment on, before a moment, of somebody, about a host, of a verb."""
    chosen = activity.Filter(
        in_utc(wanted.since), in_utc(wanted.until), wanted.actor.strip(), wanted.host.strip(), wanted.verb.strip()
    )
    page = activity.page(activity.find(chosen), before=number(wanted.marker), limit=wanted.limit)
    return ActivityPage(
        items=[_entry(each) for each in page.rows],
        next=str(page.older) if page.older and len(page.rows) == wanted.limit else None,
    )


@router.get("/servers", response=answers(Servers))
def list_attestation_servers(request: HttpRequest) -> Servers:
    """All attestation servers, and how they fare."""
    return Servers(items=[_server(each) for each in list_servers(timezone.now())])


def _entry(shown: activity.Shown) -> Entry:
    row = shown.entry
    return Entry(
        id=row.pk,
        at=row.at,
        actor=row.actor,
        verb=row.verb,
        target=row.target,
        host=row.host,
        detail=row.detail,
        outcome=shown.outcome.detail if shown.outcome else None,
    )


def _server(view: ServerView) -> Server:
    row = view.server
    return Server(
        name=row.name,
        kind=row.kind,
        url=row.url,
        counts=row.counts,
        enabled=row.enabled,
        simulated=row.simulated,
        without_tls=view.without_tls,
        health=view.health,
        hosts=_hosts(view.hosts),
        interval_s=row.interval_s,
        asked_at=row.asked_at,
        answered_at=row.answered_at,
        retry_at=row.retry_at,
        error_code=row.error_code,
        error=row.error,
        test=view.test,
        tested_at=row.tested_at,
        test_passed=row.test_passed,
        test_result=row.test_result,
    )


def _hosts(counts: HostCounts) -> Hosts:
    return Hosts(fresh=counts.fresh, stale=counts.stale, unreachable=counts.unreachable, never=counts.never)


def in_utc(moment: datetime | None) -> datetime | None:
    """The moment in UTC; the ends of the calendar, where other zones would leave it, stay as they are."""
    if moment is None:
        return None
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)
