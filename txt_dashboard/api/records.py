"""The activity log, and the attestation servers."""

from datetime import UTC, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Path, Query, Router
from ninja.responses import Status
from pydantic import BaseModel

from txt_dashboard.actions.servers import request_test
from txt_dashboard.api.app import answers
from txt_dashboard.api.auth import actor
from txt_dashboard.api.parameters import Limit, Marker, Moment, ServerName, Word, number
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
    quote_interval_s: int
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
        items=[entry_of(each) for each in page.rows],
        next=str(page.older) if page.older and len(page.rows) == wanted.limit else None,
    )


@router.get("/servers", response=answers(Servers))
def list_attestation_servers(request: HttpRequest) -> Servers:
    """All attestation servers, and how they fare."""
    return Servers(items=[_server(each) for each in list_servers(timezone.now())])


@router.post("/servers/{name}/test", response=answers(Server, 202))
def test_attestation_server(request: HttpRequest, name: Annotated[ServerName, Path()]) -> Status[Server]:
    """Has a worker test the connection in its next turn; the list shows what came of it."""
    now = timezone.now()
    known = next((each.server.pk for each in list_servers(now) if each.server.name == name), 0)
    request_test(actor(request), known, now=now)
    return Status(202, _server(next(each for each in list_servers(now) if each.server.pk == known)))


def entry_of(shown: activity.Shown) -> Entry:
    """An entry of the activity log as the API tells of it."""
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
        quote_interval_s=row.quote_interval_s,
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
