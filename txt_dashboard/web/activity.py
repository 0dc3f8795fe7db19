"""The activity log: who did what, when and why; whether its chain holds; and the log to take along."""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_safe

from txt_dashboard.actions.permissions import Invalid
from txt_dashboard.audit.export import FORMATS
from txt_dashboard.queries import activity

_TYPES = {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8"}
_FILTERS = ("since", "until", "actor", "host", "verb")
_LATE = timedelta(minutes=10)  # without a check: more than a worker needs to come by


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """One page of the log, newest first."""
    query = request.GET
    chosen = _filter(query)
    before, after = _number(query, "before"), _number(query, "after")
    found = activity.page(activity.find(chosen), before=before, after=after)
    check = activity.latest_check()
    context = {
        "page": found,
        "chosen": {name: query.get(name, "").strip() for name in _FILTERS},
        "filtered": chosen != activity.Filter(),
        "newest": not before and not after,
        "actors": activity.actors(),
        "verbs": activity.verbs(),
        "check": check,
        "late": check is not None and check.checked_at is not None and timezone.now() - check.checked_at > _LATE,
        "page_newer": _address("activity", query, after=str(found.newer)),
        "page_older": _address("activity", query, before=str(found.older)),
        "jsonl": _address("activity-export", query, format="jsonl"),
        "csv": _address("activity-export", query, format="csv"),
    }
    return render(request, "activity/page.html", context)


@require_GET
def export(request: HttpRequest) -> HttpResponseBase:
    """The entries that the filter lets through as a file, the first first, sent as it is read."""
    form = request.GET.get("format", "")
    if form not in FORMATS:
        raise Invalid({"format": [gettext("The log can be had as jsonl or csv.")]})
    entries = activity.in_order(activity.find(_filter(request.GET)))
    name = f"activity-{timezone.now():%Y%m%d-%H%M%S}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(FORMATS[form](entries), content_type=_TYPES[form], headers=headers)


def _filter(query: QueryDict) -> activity.Filter:
    if any("\0" in value for value in query.values()):
        raise Invalid({"host": [gettext("The address holds a sign that no name has.")]})
    return activity.Filter(
        since=midnight(query, "since"),
        until=midnight(query, "until", days=1),
        actor=query.get("actor", "").strip(),
        host=query.get("host", "").strip(),
        verb=query.get("verb", "").strip(),
    )


def midnight(query: QueryDict, name: str, *, days: int = 0) -> datetime | None:
    """The beginning of the day that is named, in UTC, or of one so many days later."""
    text = query.get(name, "").strip()
    if not text:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
    except (ValueError, OverflowError):
        raise Invalid({name: [gettext("A day is written like 2026-11-23.")]}) from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _number(query: QueryDict, name: str) -> int:
    text = query.get(name, "0")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid({name: [gettext("The address names a place in the log that makes no sense.")]})
    return int(text)


def _address(view: str, query: QueryDict, **more: str) -> str:
    """An address with the same filters."""
    wanted = {name: value for name in _FILTERS if (value := query.get(name, "").strip())} | more
    return f"{reverse(view)}?{urlencode(wanted)}"
