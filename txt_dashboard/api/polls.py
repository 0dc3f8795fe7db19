"""Polls: asking for new evidence, and how far it has come."""

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from django.utils import timezone
from ninja import Path, Router
from ninja.responses import Status
from pydantic import BaseModel

from txt_dashboard.actions.permissions import Invalid, NotFound
from txt_dashboard.actions.polling import poll_now
from txt_dashboard.api.app import answers
from txt_dashboard.api.auth import actor
from txt_dashboard.api.parameters import Body, HostName, Limit, Marker, Number, PoolName, ServerName, number
from txt_dashboard.models import PollRequest
from txt_dashboard.queries import polls
from txt_dashboard.queries.pulse import Progress, progress_of

router = Router(tags=["polls"])


class Running(BaseModel):
    """How far a poll has come."""

    pool: str
    host: str
    total: int
    done: int
    failed: int
    running: bool


class Poll(BaseModel):
    """A poll that somebody asked for."""

    id: int
    requested_at: datetime
    requested_by: str
    pool: str
    host: str
    server: str
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
    """What to poll: one host, one pool, the hosts of one server, or, with none of them, all."""

    pool: PoolName | None = None
    host: HostName | None = None
    server: ServerName | None = None


@router.get("/polls", response=answers(PollPage))
def list_polls(request: HttpRequest, limit: Limit = 50, marker: Marker = "") -> PollPage:
    """Polls that people and keys asked for, the latest first."""
    rows, following = polls.page(number(marker), limit)
    return PollPage(items=[poll_of(each) for each in rows], next=str(following) if following else None)


@router.post("/polls", response=answers(Poll, 202))
def start_poll(request: HttpRequest, wanted: PollWanted) -> Status[Poll]:
    """Asks for new evidence of all hosts, a pool, those of a server, or one host."""
    named = {name: value for name, value in wanted.model_dump().items() if value}
    if len(named) > 1:
        raise Invalid({f"body.{next(iter(named))}": ["Name one pool, one host or one server."]})
    return Status(202, poll_of(poll_now(actor(request), now=timezone.now(), **named)))


@router.get("/polls/{poll_id}", response=answers(PollProgress))
def show_poll(request: HttpRequest, poll_id: Annotated[Number, Path()]) -> PollProgress:
    """One poll, and how far it has come."""
    found = polls.find(poll_id)
    if found is None:
        raise NotFound("There is no poll of this number.")
    return PollProgress(poll=poll_of(found), progress=running_of(progress_of(found)))


def poll_of(row: PollRequest) -> Poll:
    """A poll as the API tells of it."""
    return Poll(
        id=row.pk,
        requested_at=row.requested_at,
        requested_by=row.requested_by,
        pool=row.pool,
        host=row.host.name if row.host else "",
        server=row.server.name if row.server else "",
        total=row.total,
    )


def running_of(polling: Progress) -> Running:
    """How far a poll has come, as the API tells of it."""
    return Running(
        pool=polling.pool,
        host=polling.host,
        total=polling.total,
        done=polling.done,
        failed=polling.failed,
        running=polling.running,
    )
