"""The fleet as a whole: the tally, what changed, and polls."""

import hashlib
from datetime import datetime
from typing import Annotated

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils import timezone
from ninja import Path, Router
from ninja.responses import Status
from pydantic import BaseModel, Field

from txt_dashboard.actions.permissions import Invalid, NotFound
from txt_dashboard.actions.polling import poll_now
from txt_dashboard.api.app import answers
from txt_dashboard.api.auth import actor
from txt_dashboard.api.parameters import MOST, Body, HostName, Limit, Marker, Number, PoolName
from txt_dashboard.attest.appraisal import State
from txt_dashboard.models import PollRequest
from txt_dashboard.queries import fleet_changes, polls
from txt_dashboard.queries.changes import changes
from txt_dashboard.queries.pulse import Progress, Pulse, progress, progress_of, take_pulse
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.queries.state import moves

router = Router(tags=["fleet"])

Version = Annotated[
    str, Field(pattern=r"^([0-9]{1,18}-){5}[0-9]{1,18}$", description="`version` of an answer before.")
]


class Counts(BaseModel):
    """Hosts by state."""

    trusted: int = 0
    untrusted: int = 0
    stale: int = 0
    unknown: int = 0


class PoolCounts(BaseModel):
    """One pool's hosts by state."""

    pool: str
    hosts: Counts


class Outage(BaseModel):
    """A server that fell silent, and the hosts that lose their trust with it."""

    server: str
    error: str
    answered_at: datetime | None
    trusted: int
    stale: int
    first: datetime | None
    last: datetime | None


class Running(BaseModel):
    """How far a poll has come."""

    pool: str
    host: str
    total: int
    done: int
    failed: int
    running: bool


class Summary(BaseModel):
    """The fleet in numbers. `refused` says why no reference values are in force; then no host is trusted."""

    at: datetime
    version: str
    simulated: bool
    trouble: bool
    total: int
    hosts: Counts
    moved: Counts
    pools: list[PoolCounts]
    outages: list[Outage]
    set_number: int
    refused: str
    polling: Running | None


class Changed(BaseModel):
    """A host whose state or measurements changed."""

    host: str
    state: State
    at: datetime


class StatusNow(BaseModel):
    """What pages that poll need: the version, the tally, and which hosts changed since theirs.

    With `more` there are others beside them: read the list of hosts anew.
    """

    version: str
    trouble: bool
    hosts: Counts
    silent: list[str]
    polling: Running | None
    changed: list[Changed]
    more: bool


class Difference(BaseModel):
    """A register's golden value and the one that these hosts show, in hex."""

    index: int
    golden: str | None
    actual: str | None


class Change(BaseModel):
    """Hosts that are untrusted for the same cause. `group` filters the list of hosts by it."""

    hosts: int
    first: datetime
    last: datetime
    reason: str
    pools: list[str]
    group: str
    server: str
    registers: list[int]
    differences: list[Difference]


class Changes(BaseModel):
    """The largest groups, and how many more there are."""

    items: list[Change]
    more: int


class Poll(BaseModel):
    """A poll that somebody asked for."""

    id: int
    requested_at: datetime
    requested_by: str
    pool: str
    host: str
    total: int


class PollPage(BaseModel):
    """Polls, the latest first, and the marker of the next page."""

    items: list[Poll]
    next: str | None


class PollProgress(BaseModel):
    """A poll, and how far it has come."""

    poll: Poll
    progress: Running


class PollWanted(Body):
    """What to poll: one host, one pool, or, with neither, all."""

    pool: PoolName | None = None
    host: HostName | None = None


@router.get("/summary", response=answers(Summary))
def show_summary(request: HttpRequest) -> Summary:
    """The fleet in numbers, by pool, and what is wrong."""
    pulse = take_pulse(timezone.now())
    reference = current_reference()
    pools = [PoolCounts(pool=name, hosts=Counts(**dict(states))) for name, states in pulse.tally.pools.items()]
    outages = [
        Outage(
            server=each.server.name,
            error=each.server.error,
            answered_at=each.server.answered_at,
            trusted=each.trusted,
            stale=each.stale,
            first=each.first,
            last=each.last,
        )
        for each in pulse.outages
    ]
    return Summary(
        at=pulse.now,
        version=pulse.version,
        simulated=pulse.simulated,
        trouble=pulse.trouble,
        total=pulse.tally.total,
        hosts=_counts(pulse),
        moved=Counts(**dict(moves(pulse.now, pulse.tally.lapsed))),
        pools=pools,
        outages=outages,
        set_number=reference.number,
        refused=reference.refused,
        polling=_running(running) if (running := progress(pulse.now)) else None,
    )


@router.get("/status", response={**answers(StatusNow), 304: None})
def show_status(request: HttpRequest, since: Version | None = None) -> HttpResponse:
    """What changed since a version, in one small answer; 304 where `If-None-Match` names the very same."""
    pulse = take_pulse(timezone.now())
    followed = fleet_changes.after_event(int(since.partition("-")[0]), MOST) if since else fleet_changes.NOTHING
    told = StatusNow(
        version=pulse.version,
        trouble=pulse.trouble,
        hosts=_counts(pulse),
        silent=[each.name for each in pulse.servers if each.silent],
        polling=_running(running) if (running := progress(pulse.now)) else None,
        changed=[Changed(host=each.host.name, state=State(each.state), at=each.at) for each in followed.events],
        more=followed.more,
    )
    body = msgspec.json.encode(told.model_dump())
    headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"', "Cache-Control": "private, no-cache"}
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return HttpResponseNotModified(headers=headers)
    return HttpResponse(body, content_type="application/json", headers=headers)


@router.get("/changes", response=answers(Changes))
def list_changes(request: HttpRequest) -> Changes:
    """Hosts that left their baselines, grouped by what differs; the largest groups first."""
    found = changes(current_reference(), timezone.now())
    items = [
        Change(
            hosts=each.hosts,
            first=each.first,
            last=each.last,
            reason=each.reason,
            pools=list(each.pools),
            group=each.group,
            server=each.server,
            registers=list(each.registers),
            differences=[
                Difference(
                    index=one.index,
                    golden=one.golden.hex() if one.golden is not None else None,
                    actual=one.actual.hex() if one.actual is not None else None,
                )
                for one in each.differences
            ],
        )
        for each in found.shown
    ]
    return Changes(items=items, more=found.more)


@router.get("/polls", response=answers(PollPage))
def list_polls(request: HttpRequest, limit: Limit = 50, marker: Marker = "") -> PollPage:
    """Polls that people and keys asked for, the latest first."""
    rows, following = polls.page(number(marker), limit)
    return PollPage(items=[poll_of(each) for each in rows], next=str(following) if following else None)


@router.post("/polls", response=answers(Poll, 202))
def start_poll(request: HttpRequest, wanted: PollWanted) -> Status[Poll]:
    """Asks for new evidence of all hosts, a pool or one host."""
    if wanted.pool and wanted.host:
        raise Invalid({"body.pool": ["Name a pool or a host, not both."]})
    asked = poll_now(actor(request), now=timezone.now(), pool=wanted.pool or "", host=wanted.host or "")
    return Status(202, poll_of(asked))


@router.get("/polls/{poll_id}", response=answers(PollProgress))
def show_poll(request: HttpRequest, poll_id: Annotated[Number, Path()]) -> PollProgress:
    """One poll, and how far it has come."""
    found = polls.find(poll_id)
    if found is None:
        raise NotFound("There is no poll of this number.")
    return PollProgress(poll=poll_of(found), progress=_running(progress_of(found)))


def poll_of(row: PollRequest) -> Poll:
    """A poll as the API tells of it."""
    return Poll(
        id=row.pk,
        requested_at=row.requested_at,
        requested_by=row.requested_by,
        pool=row.pool,
        host=row.host.name if row.host else "",
        total=row.total,
    )


def number(marker: str) -> int:
    """The number that a marker is, 0 for none; raises `Invalid`."""
    if not marker:
        return 0
    if not (marker.isascii() and marker.isdigit() and len(marker) < 19):
        raise Invalid({"query.marker": ["The marker names no place in the list. Begin without one."]})
    return int(marker)


def _counts(pulse: Pulse) -> Counts:
    return Counts(**{state.value: pulse.tally.of(state) for state in State})


def _running(polling: Progress) -> Running:
    return Running(
        pool=polling.pool,
        host=polling.host,
        total=polling.total,
        done=polling.done,
        failed=polling.failed,
        running=polling.running,
    )
