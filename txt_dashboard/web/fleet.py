"""The Fleet page: what is trusted, what changed, and every host."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.contrib import messages
from django.core.cache import cache
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, gettext, ngettext
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe

from txt_dashboard.actions import polling
from txt_dashboard.actions.permissions import Invalid, NotFound
from txt_dashboard.attest.appraisal import State
from txt_dashboard.attest.reference import Baseline, ReferenceSet
from txt_dashboard.models import Host
from txt_dashboard.queries import fleet, golden, table
from txt_dashboard.queries.changes import changes
from txt_dashboard.queries.pulse import progress
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.queries.state import moves
from txt_dashboard.web.context import pulse_of
from txt_dashboard.web.identity import actor_of
from txt_dashboard.web.live import describe

MAP_KEPT_S = 3600
NO_POOL = "-"  # in the address: hosts that are in no pool


@dataclass(frozen=True, slots=True)
class Count:
    """One state in the tally: how many hosts, how many more than yesterday, and the link that filters by it."""

    state: str
    hosts: int
    moved: int
    link: str
    chosen: bool

    @property
    def fewer(self) -> int:
        """By how many hosts it shrank."""
        return -self.moved


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The whole page; its parts refresh themselves from it."""
    pulse = pulse_of(request)
    now = pulse.now
    if not pulse.tally.total:
        return render(request, "fleet/first.html", {"steps": fleet.first_steps()})
    reference = current_reference()
    chosen = _filter(request.GET)
    found = table.hosts(chosen, now, any_lapsed=pulse.tally.lapsed > 0)
    baseline = _baseline(request.GET, reference, now)
    if baseline is not None:
        found = found.filter(pk__in=golden.showing(baseline, reference))
    filtered = chosen != table.Filter() or baseline is not None
    page_of_hosts = _page(request.GET, found, reference, now)
    moved = moves(now, pulse.tally.lapsed)
    context = {
        "counts": [_count(state, pulse.tally.of(state), moved[state], request.GET) for state in State],
        "changes": changes(reference, now),
        "activity": fleet.activity(),
        "chosen": chosen,
        "pools": [(name or NO_POOL, name) for name in pulse.tally.pools],
        "reasons": fleet.reasons(),
        "baseline": baseline,
        "found": found.count() if filtered else pulse.tally.total,
        "filtered": filtered,
        "page": page_of_hosts,
        "page_before": _address(request.GET, before=page_of_hosts.before),
        "page_after": _address(request.GET, after=page_of_hosts.after),
        "sort": request.GET.get("sort", ""),
        "address": _address(request.GET),
        "by_name": _address(request.GET, sort=""),
        "by_since": _address(request.GET, sort="since"),
        "progress": describe(progress(now)),
    }
    return render(request, "fleet/page.html", context)


@require_safe
@gzip_page  # holds no secret that a guesser could measure by its length
def pool_map(request: HttpRequest) -> HttpResponse:
    """Every host as a cell, made once for each version of the fleet."""
    pulse = pulse_of(request)
    version = f"fleet-map:{get_language()}:{pulse.version}"
    headers = {"ETag": f'W/"{version}"', "Cache-Control": "private, no-cache"}
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return HttpResponseNotModified(headers=headers)
    drawn = cache.get(version)
    if drawn is None:
        prefix = reverse("host", args=["-"]).removesuffix("-/")
        drawn = render_to_string("fleet/map.html", {"pools": fleet.pool_map(pulse.now), "prefix": prefix})
        cache.set(version, drawn, MAP_KEPT_S)
    return HttpResponse(drawn, headers=headers)


@require_POST
def poll_now(request: HttpRequest) -> HttpResponse:
    """Asks for all hosts, one pool or one host; the page that asked shows the progress."""
    pool, host = request.POST.get("pool", ""), request.POST.get("host", "")
    asked = polling.poll_now(actor_of(request.user), now=timezone.now(), pool=pool, host=host)
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(status=204, headers={"HX-Trigger": "poll-started"})
    sentence = ngettext("%(count)d host is being polled.", "%(count)d hosts are being polled.", asked.total)
    messages.info(request, sentence % {"count": asked.total})
    back = request.POST.get("next", "")
    local = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if local else "fleet")


def _filter(query: QueryDict) -> table.Filter:
    if any("\0" in value for value in query.values()):
        raise Invalid({"q": [gettext("The address holds a sign that no name has.")]})
    pool = query.get("pool") or None
    return table.Filter(
        search=query.get("q", "").strip(),
        state=query.get("state", ""),
        pool="" if pool == NO_POOL else pool,
        reason=query.get("reason", ""),
        server=query.get("server", ""),
        group=query.get("group", ""),
    )


def _baseline(query: QueryDict, reference: ReferenceSet, now: datetime) -> Baseline | None:
    """The baseline of the set whose values hosts shall show, where the address names one."""
    entry_id = query.get("baseline", "")
    if not entry_id:
        return None
    # By an emergency one entry may be two: the one that is in force counts.
    named = [each for each in reference.baselines if each.id == entry_id]
    named.sort(key=lambda each: golden.phase_of(each, now) is golden.Phase.IN_FORCE)
    if not named:
        raise NotFound(gettext("The address names a baseline that is not in force."))
    return named[-1]


def _page(query: QueryDict, found: QuerySet[Host], reference: ReferenceSet, now: datetime) -> table.Page:
    key = query.get("after") or query.get("before")
    cursor = table.Cursor(key, backwards=not query.get("after")) if key else None
    try:
        return table.page(found, query.get("sort", ""), cursor, reference, now)
    except (ValueError, OverflowError):
        raise Invalid({"after": [gettext("The address names a place in the table that makes no sense.")]}) from None


def _count(state: State, hosts: int, moved: int, query: QueryDict) -> Count:
    chosen = query.get("state") == state
    return Count(state, hosts, moved, _address(query, state="" if chosen else state), chosen)


def _address(query: QueryDict, **changed: str) -> str:
    """This page's address with other filters, from the first page of the table on."""
    kept = {name: value for name, value in query.items() if name not in ("after", "before")}
    wanted = {name: value for name, value in {**kept, **changed}.items() if value}
    return f"{reverse('fleet')}?{urlencode(wanted)}" if wanted else reverse("fleet")
