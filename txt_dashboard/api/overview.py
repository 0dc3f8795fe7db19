"""What a first page shows, in one answer."""

from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel

from txt_dashboard.api.app import answers
from txt_dashboard.api.fleet import Changes, Summary, list_changes, show_summary
from txt_dashboard.api.records import Entry, entry_of
from txt_dashboard.queries import activity

router = Router(tags=["fleet"])

LATEST = 10


class Overview(BaseModel):
    """The fleet in numbers, what changed, and the latest entries of the activity log."""

    summary: Summary
    changes: Changes
    activity: list[Entry]


@router.get("/overview", response=answers(Overview))
def show_overview(request: HttpRequest) -> Overview:
    """The summary, the changes and the latest activity, for a page that asks once."""
    latest = activity.page(activity.find(activity.Filter()), before=0, limit=LATEST)
    return Overview(
        summary=show_summary(request),
        changes=list_changes(request),
        activity=[entry_of(each) for each in latest.rows],
    )
