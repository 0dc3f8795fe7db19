"""The fleet as a whole: the tally, what changed, and polls."""

import hashlib
from datetime import datetime
from typing import Annotated

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils import timezone
from ninja import Router
from pydantic import BaseModel, Field

from txt_dashboard.api.app import answers
from txt_dashboard.api.parameters import MOST
from txt_dashboard.api.polls import Running, running_of
from txt_dashboard.attest.appraisal import State
from txt_dashboard.queries import fleet_changes
from txt_dashboard.queries.changes import changes
from txt_dashboard.queries.pulse import Pulse, progress, take_pulse
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
        polling=running_of(running) if (running := progress(pulse.now)) else None,
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
        polling=running_of(running) if (running := progress(pulse.now)) else None,
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


def _counts(pulse: Pulse) -> Counts:
    return Counts(**{state.value: pulse.tally.of(state) for state in State})
