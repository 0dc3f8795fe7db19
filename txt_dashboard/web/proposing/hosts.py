"""Proposing what hosts show: one host, hosts that drifted alike, and on the first day all of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from txt_dashboard.actions.governance.compose import compose
from txt_dashboard.actions.permissions import Conflict, NotFound, Verb, require
from txt_dashboard.attest.draft import LONGEST_NAME, Draft
from txt_dashboard.attest.reference import Baseline, Part, ReferenceSet
from txt_dashboard.queries import candidates
from txt_dashboard.queries.asked import asked_for
from txt_dashboard.queries.candidates import Candidate
from txt_dashboard.queries.fields import part_name
from txt_dashboard.queries.host import find_host
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.queries.may_vary import offers
from txt_dashboard.web.context import pulse_of
from txt_dashboard.web.identity import actor_of
from txt_dashboard.web.proposing.ask import Asked, serve
from txt_dashboard.web.proposing.forms import where
from txt_dashboard.web.proposing.vary import VaryingForm, grouped


@require_http_methods(["GET", "HEAD", "POST"])
def host(request: HttpRequest, name: str) -> HttpResponse:
    """What one host shows of one part. `part` and `server` in the address say which."""
    now, reference = timezone.now(), in_force().reference
    found = find_host(name, now)
    if found is None:
        raise NotFound(gettext("No host is called %(name)s.") % {"name": name})
    part, server = request.GET.get("part", ""), request.GET.get("server", "")
    shown = [
        each
        for each in candidates.of_host(found, reference, now)
        if part in ("", each.draft.part) and (not server or server in each.servers)
    ][:1]
    if not shown:
        raise NotFound(
            gettext("%(name)s shows no values of this part that could be proposed: a policy says which.")
            % {"name": name}
        )
    title = gettext("%(part)s of %(host)s") % {"part": part_name(shown[0].draft.part), "host": found.name}
    return _values(request, shown, reference, title, now, {"host": found})


@require_http_methods(["GET", "HEAD", "POST"])
def group(request: HttpRequest, key: str) -> HttpResponse:
    """What hosts that drifted alike show of the parts that differ."""
    now, reference = timezone.now(), in_force().reference
    shown = candidates.of_group(key, reference, now)
    if "propose" in request.POST:
        require(actor_of(request.user), Verb.PROPOSE_BASELINE)
    if not shown:
        gone = gettext("No host differs in this way any more. The page Fleet shows what differs now.")
        raise Conflict(gone) if request.method == "POST" else NotFound(gone)
    hosts = max(each.hosts for each in shown)
    parts = " + ".join(part_name(each.draft.part) for each in shown)
    # Not how many they are: more may come, and the name stays.
    title = gettext("%(part)s as on %(host)s") % {"part": parts, "host": shown[0].examples[0]}
    return _values(request, shown, reference, title, now, {"group": key, "hosts": hosts})


def _values(
    request: HttpRequest,
    shown: Sequence[Candidate],
    reference: ReferenceSet,
    title: str,
    now: datetime,
    context: dict[str, object],
) -> HttpResponse:
    """The page of values that hosts show now; the form carries none of them."""
    pools = pulse_of(request).tally.pools
    named = _cut(title, LONGEST_NAME)
    initial = {
        "title": _cut(title, 200),
        "name": named,
        "ends": "at once",
        **where({pool for each in shown for pool in each.pools}, pools),
    }
    form = VaryingForm(request.POST if request.method == "POST" else None, initial=initial)
    form.offer_pools(pools)
    # One set of values only: what one host's log lets vary says nothing of another's.
    offered = offers(shown[0].draft) if len(shown) == 1 else ()
    form.offer_events(offered)
    closest = next((each.closest.id for each in shown if each.closest), "")
    form.offer_replaced(replaceable(reference, {each.draft.part for each in shown}, now), closest)

    def make(at: datetime) -> Sequence[Asked]:
        name = form.cleaned_data["name"].strip() if form.is_bound else named
        drafts = [_named(form.varied(each.draft, offered), name, several=len(shown) > 1) for each in shown]
        return [Asked(compose(drafts, form.terms(at), in_force().set), " ".join(each.key for each in shown))]

    asked = asked_for()
    context = {
        **context,
        "shown": shown,
        "offered": grouped(form, offered),
        "observed": not any(server in reference.counting for each in shown for server in each.servers),
        "waiting": sorted({asked[each.key] for each in shown if each.key in asked}),
    }
    return serve(request, "proposing/values.html", form, make, context=context)


def replaceable(reference: ReferenceSet, parts: set[Part], now: datetime) -> list[Baseline]:
    """Baselines of these parts that have not ended."""
    return [
        each for each in reference.baselines if each.part in parts and not (each.not_after and each.not_after <= now)
    ]


def _named(draft: Draft, name: str, *, several: bool) -> Draft:
    """The draft under the name that was chosen, which tells its part where there is more than one."""
    suffix = f", {part_name(draft.part)}" if several else ""
    return replace(draft, name=name[: LONGEST_NAME - len(suffix)] + suffix)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
