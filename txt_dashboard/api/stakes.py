"""Intervals in which instances that asked for trust were on hosts that were not trusted; as a list and as lines."""

from collections.abc import Iterator
from datetime import datetime

import msgspec
from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router
from pydantic import BaseModel

from txt_dashboard.api.app import answers
from txt_dashboard.api.export import MEDIA_TYPE, as_lines
from txt_dashboard.api.export import router as exports
from txt_dashboard.api.parameters import CloudName, Limit, Marker, Moment, ProjectId, number
from txt_dashboard.api.problems import CODES, Problem
from txt_dashboard.api.records import in_utc
from txt_dashboard.models import StakeInterval
from txt_dashboard.queries import stakes

router = Router(tags=["instances"])


class StakesWanted(BaseModel):
    """Which intervals: of a project, touching a period."""

    cloud: CloudName = ""
    project: ProjectId | None = None
    since: Moment | None = None
    until: Moment | None = None

    @property
    def chosen(self) -> stakes.Filter:
        """As queries take it."""
        return stakes.Filter(self.project or "", in_utc(self.since), in_utc(self.until), self.cloud)


class PageWanted(StakesWanted):
    """And from where on."""

    limit: Limit = 50
    marker: Marker = ""


class Stake(BaseModel):
    """One interval. It was seen from `since` to `seen_until`; `until` is the first look that did not see it any more,
    null while it lasts. `ending`: empty, `ended`, `changed` (another host or reason follows), or `unseen` (nobody
    could look after that)."""

    id: int
    cloud: str
    project_id: str
    instance_id: str
    name: str
    host: str
    why_class: str
    since: datetime
    seen_until: datetime
    until: datetime | None
    ending: str


class StakePage(BaseModel):
    """Intervals, the first first, and the marker of the next page."""

    items: list[Stake]
    next: str | None


@router.get("", response=answers(StakePage))
def list_stakes(request: HttpRequest, wanted: Query[PageWanted]) -> StakePage:
    """When instances that asked for a trusted host were on one that was not, the first first."""
    rows, following = stakes.page(stakes.find(wanted.chosen), number(wanted.marker), wanted.limit)
    return StakePage(items=[stake_of(each) for each in rows], next=str(following) if following else None)


@exports.get("/stakes", response={200: Stake, CODES: Problem}, openapi_extra=as_lines(), tags=["instances"])
def export_stakes(request: HttpRequest, wanted: Query[StakesWanted]) -> StreamingHttpResponse:
    """All of them, one JSON object a line. What ends without a newline was cut off."""
    return StreamingHttpResponse(lines(stakes.in_order(stakes.find(wanted.chosen))), content_type=MEDIA_TYPE)


def lines(rows: Iterator[StakeInterval]) -> Iterator[bytes]:
    """Intervals as lines."""
    encoder = msgspec.json.Encoder()
    for row in rows:
        yield encoder.encode(stake_of(row).model_dump()) + b"\n"


def stake_of(row: StakeInterval) -> Stake:
    """An interval as the API tells of it."""
    return Stake(
        id=row.pk,
        cloud=row.cloud,
        project_id=row.project,
        instance_id=row.instance,
        name=row.name,
        host=row.host,
        why_class=row.why,
        since=row.since,
        seen_until=row.seen_until,
        until=row.until,
        ending=row.ending,
    )
