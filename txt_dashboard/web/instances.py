"""Instances of all projects, those at stake first in mind; and the intervals in which they were, to take along."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_safe

from txt_dashboard import conf
from txt_dashboard.actions.permissions import Invalid
from txt_dashboard.attest.appraisal import State
from txt_dashboard.models import StakeInterval
from txt_dashboard.queries import instances as queries
from txt_dashboard.queries import stakes
from txt_dashboard.queries.instances import Look
from txt_dashboard.web.activity import midnight
from txt_dashboard.web.stake_lines import FORMATS

_TYPES = {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8"}
_FILTERS = ("cloud", "project", "state", "host", "at_stake")
_SHOWN_STAKES = 20


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """One page of the instances, by name."""
    now, query = timezone.now(), request.GET
    looks = queries.looks(now)
    if not looks:
        return render(request, "instances/first.html")
    chosen = _filter(query)
    look = _look(looks, chosen.cloud)
    chosen = queries.Filter(look.cloud, chosen.project, chosen.host, chosen.state, chosen.at_stake)
    found = queries.find(chosen, now)
    try:
        shown = queries.page(found, query.get("after", ""), now)
    except (ValueError, OverflowError):
        raise Invalid({"after": [gettext("The address names a place in the table that makes no sense.")]}) from None
    context = {
        "looks": looks,
        "look": look,
        "page": shown,
        "chosen": chosen,
        "filtered": chosen != queries.Filter(look.cloud),
        "projects": queries.projects(look.cloud),
        "states": list(State),
        "total": found.count(),
        "at_stake": queries.find(queries.Filter(look.cloud, at_stake=True), now).count(),
        "page_after": _address(query, after=shown.after) if shown.after else "",
        "first": _address(query) if query.get("after") else "",
        "only_at_stake": _address(query, at_stake="1"),
        "simulated": conf.clouds_are_simulated(),
    }
    return render(request, "instances/page.html", context)


@require_safe
def intervals(request: HttpRequest) -> HttpResponse:
    """When instances that asked for trust were on hosts that were not trusted, the latest first."""
    chosen = _period(request.GET)
    found = stakes.find(chosen)
    before = _number(request.GET)
    rows = list((found.filter(pk__lt=before) if before else found).order_by("-pk")[: _SHOWN_STAKES + 1])
    query = {name: value for name in ("project", "since", "until") if (value := request.GET.get(name, "").strip())}
    older = {**query, "before": str(rows[_SHOWN_STAKES - 1].pk)} if len(rows) > _SHOWN_STAKES else {}
    context = {
        "rows": [stakes.told(each) for each in rows[:_SHOWN_STAKES]],
        "total": found.count(),
        "chosen": {name: request.GET.get(name, "").strip() for name in ("project", "since", "until")},
        "filtered": bool(query),
        "older": f"?{urlencode(older)}" if older else "",
        "newest": f"?{urlencode(query)}" if before else "",
        "jsonl": f"{reverse('instances-export')}?{urlencode({**query, 'format': 'jsonl'})}",
        "csv": f"{reverse('instances-export')}?{urlencode({**query, 'format': 'csv'})}",
    }
    return render(request, "instances/intervals.html", context)


@require_GET
def export(request: HttpRequest) -> HttpResponseBase:
    """The intervals of a project and a period as a file, the first first, sent as it is read."""
    form = request.GET.get("format", "")
    if form not in FORMATS:
        raise Invalid({"format": [gettext("The intervals can be had as jsonl or csv.")]})
    rows: Iterator[StakeInterval] = stakes.in_order(stakes.find(_period(request.GET)))
    name = f"at-stake-{timezone.now():%Y%m%d-%H%M%S}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(FORMATS[form](rows), content_type=_TYPES[form], headers=headers)


def _filter(query: QueryDict) -> queries.Filter:
    _refuse_nul(query)
    state = query.get("state", "")
    if state and state not in {each.value for each in State}:
        raise Invalid({"state": [gettext("There is no such state.")]})
    return queries.Filter(
        cloud=query.get("cloud", "").strip(),
        project=query.get("project", "").strip(),
        host=query.get("host", "").strip(),
        state=state,
        at_stake=bool(query.get("at_stake")),
    )


def _period(query: QueryDict) -> stakes.Filter:
    _refuse_nul(query)
    return stakes.Filter(query.get("project", "").strip(), midnight(query, "since"), midnight(query, "until", days=1))


def _refuse_nul(query: QueryDict) -> None:
    if any("\0" in value for value in query.values()):
        raise Invalid({"project": [gettext("The address holds a sign that no name has.")]})


def _look(looks: tuple[Look, ...], cloud: str) -> Look:
    if not cloud:
        return looks[0]
    named = next((each for each in looks if each.cloud == cloud), None)
    if named is None:
        raise Invalid({"cloud": [gettext("No connected cloud has this name.")]})
    return named


def _number(query: QueryDict) -> int:
    text = query.get("before", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid({"before": [gettext("The address names a place in the list that makes no sense.")]})
    return int(text)


def _address(query: QueryDict, **more: str) -> str:
    """This page's address with the same filters, from the first page on."""
    kept = {name: value for name in _FILTERS if (value := query.get(name, "").strip())}
    wanted = {name: value for name, value in {**kept, **more}.items() if value}
    return f"{reverse('instances')}?{urlencode(wanted)}" if wanted else reverse("instances")
