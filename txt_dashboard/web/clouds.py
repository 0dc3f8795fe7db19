"""Clouds: how workers fare there, who is which hypervisor and why others are none, and whose traits are whose."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from txt_dashboard import conf
from txt_dashboard.actions.clouds.decide import acknowledge_trait, release_pin, set_hypervisor, take_over_traits
from txt_dashboard.actions.clouds.pools import accept_pools, digest_of
from txt_dashboard.actions.permissions import Actor, Conflict, Invalid, ManyLosses, NotFound, Verb, may, require
from txt_dashboard.cloud.heartbeat import WELL_KNOWN
from txt_dashboard.models import Cloud
from txt_dashboard.queries import cloud_view
from txt_dashboard.queries.flavors import connected_clouds
from txt_dashboard.queries.host import find_host
from txt_dashboard.web.forms import ActForm
from txt_dashboard.web.identity import actor_of

FOUND_SHOWN = 200
Act = Callable[[str, int | None, datetime], object]  # with a reason, the losses that were confirmed, at a moment


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked before one of the verbs is called: the page's words are chosen by `kind`."""

    kind: str
    verb: Verb
    back: str
    context: dict[str, object]


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """One cloud of those that are connected; its parts refresh themselves."""
    actor, now, clouds = actor_of(request.user), timezone.now(), connected_clouds()
    cloud = _chosen(clouds, request)
    if cloud is None:
        return render(request, "clouds/first.html", {"named": conf.clouds()})
    query, only = _word(request, "q"), _word(request, "only")
    nodes, further_nodes = cloud_view.hypervisors(
        cloud, query=query, only=only, after=cloud_view.Place.read(_word(request, "after"))
    )
    unmatched, further_hosts = cloud_view.unmatched_hosts(cloud, query=query, after=_word(request, "host"))
    roles, further_roles = cloud_view.other_roles(query=query, after=_word(request, "role"))
    held, further_held = cloud_view.set_by_others(cloud, after=_number(request, "hold"))
    found = cloud_view.found_at_first(cloud)[: FOUND_SHOWN + 1]
    context = {
        "clouds": clouds,
        "cloud": cloud,
        "seen": cloud_view.view(cloud, now),
        "simulated": conf.clouds_are_simulated(),
        "heartbeat_path": f"{WELL_KNOWN}/{cloud.name}",
        "q": query,
        "only": only,
        "paged": any(name in request.GET for name in ("after", "host", "role", "hold")),
        "nodes": nodes,
        "more_nodes": _address(cloud, query, only, after=str(further_nodes)) if further_nodes else "",
        "unmatched": unmatched,
        "more_unmatched": _address(cloud, query, only, host=further_hosts) if further_hosts else "",
        "roles": roles,
        "more_roles": _address(cloud, query, only, role=further_roles) if further_roles else "",
        "held": held,
        "more_held": _address(cloud, query, only, hold=str(further_held)) if further_held else "",
        "found": found[:FOUND_SHOWN],
        "moves": list(cloud_view.pool_moves(cloud)),
        "may_move": may(actor, Verb.MOVE_POOL),
        "more_found": len(found) > FOUND_SHOWN,
        "may_edit": may(actor, Verb.EDIT_CLOUD_HOST),
        "may_acknowledge": may(actor, Verb.ACKNOWLEDGE_TRAIT),
        "may_take_over": may(actor, Verb.TAKE_OVER_TRAITS),
    }
    return render(request, "clouds/page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def take_over(request: HttpRequest, name: str) -> HttpResponse:
    """Asks whether the traits that were there at first are ours from now on."""
    actor, cloud = _actor(request, Verb.TAKE_OVER_TRAITS), _find(name)
    found = cloud_view.found_at_first(cloud)
    question = Question("take over", Verb.TAKE_OVER_TRAITS, _place(cloud.name), {"cloud": cloud, "found": found})
    return _asked(
        request,
        actor,
        question,
        lambda reason, _confirmed, now: take_over_traits(actor, cloud.name, reason=reason, now=now),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def acknowledge(request: HttpRequest, hold_id: int) -> HttpResponse:
    """Asks whether a host may be trusted again on which somebody else had set the trait."""
    actor, hold = _actor(request, Verb.ACKNOWLEDGE_TRAIT), cloud_view.find_hold(hold_id)
    if hold is None:
        raise NotFound(gettext("Nobody waits for this any more."))
    times = _number(request, "times", posted=True) or hold.times
    question = Question("acknowledge", Verb.ACKNOWLEDGE_TRAIT, _place(hold.cloud.name), {"hold": hold})
    return _asked(
        request,
        actor,
        question,
        lambda reason, _confirmed, now: acknowledge_trait(actor, hold_id, times=times, reason=reason, now=now),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def hypervisor(request: HttpRequest, name: str) -> HttpResponse:
    """Asks whether a host is no hypervisor, or may be one; whichever was not said."""
    actor, host = _actor(request, Verb.EDIT_CLOUD_HOST), find_host(name, timezone.now())
    if host is None:
        raise NotFound(gettext("This host is not there any more."))
    is_one = request.POST.get("is_one") == "yes" if request.method == "POST" else cloud_view.is_other_role(host)
    question = Question("hypervisor", Verb.EDIT_CLOUD_HOST, reverse("clouds"), {"host": host, "is_one": is_one})
    return _asked(
        request,
        actor,
        question,
        lambda reason, confirmed, now: set_hypervisor(
            actor, name, is_one=is_one, reason=reason, confirmed_losses=confirmed, now=now
        ),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def pools(request: HttpRequest, name: str) -> HttpResponse:
    """Asks whether hosts may be judged by the rules of the pools that the cloud puts them into."""
    actor, cloud = _actor(request, Verb.MOVE_POOL), _find(name)
    moves = list(cloud_view.pool_moves(cloud))
    seen = request.POST.get("seen", "")
    question = Question("pools", Verb.MOVE_POOL, _place(cloud.name), {"moves": moves, "seen": digest_of(moves)})
    return _asked(
        request,
        actor,
        question,
        lambda reason, _confirmed, now: accept_pools(actor, cloud.name, seen=seen, reason=reason, now=now),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def release(request: HttpRequest, name: str, provider: str) -> HttpResponse:
    """Asks whether a hypervisor is to be forgotten as the host that it was first matched with."""
    actor, node = _actor(request, Verb.EDIT_CLOUD_HOST), cloud_view.find_pin(name, provider)
    if node is None:
        raise NotFound(gettext("This hypervisor is pinned to no host."))
    question = Question("release", Verb.EDIT_CLOUD_HOST, _place(name), {"node": node})
    return _asked(
        request,
        actor,
        question,
        lambda reason, _confirmed, now: release_pin(actor, name, provider, reason=reason, now=now),
    )


def _asked(request: HttpRequest, actor: Actor, question: Question, act: Act) -> HttpResponse:
    """The question, and what was answered to it. Whoever may not answer may read it."""
    form, conflict, losses, status = ActForm(), "", 0, 200
    if request.method == "POST":
        form, status = ActForm(request.POST), 400
        if form.is_valid():
            try:
                act(form.cleaned_data["reason"], form.cleaned_data["confirmed_losses"], timezone.now())
            except Invalid as invalid:
                form.take_errors(invalid)
            except Conflict as error:
                conflict, status = str(error), 409
                losses = error.losses if isinstance(error, ManyLosses) else 0
            else:
                messages.info(request, gettext("Done. Workers act on it at their next look."))
                return redirect(question.back)
    context = {
        "kind": question.kind,
        "form": form,
        "conflict": conflict,
        "losses": losses,
        "may": may(actor, question.verb),
        "back": question.back,
        **question.context,
    }
    return render(request, "clouds/decide.html", context, status=status)


def _actor(request: HttpRequest, verb: Verb) -> Actor:
    """Whoever asks; raises `NotAllowed` for an answer of somebody who may not give it."""
    actor = actor_of(request.user)
    if request.method == "POST":
        require(actor, verb)
    return actor


def _find(name: str) -> Cloud:
    found = next((each for each in connected_clouds() if each.name == name), None)
    if found is None:
        raise NotFound(gettext("No cloud of this name is connected."))
    return found


def _chosen(clouds: tuple[Cloud, ...], request: HttpRequest) -> Cloud | None:
    wanted = _word(request, "cloud")
    return _find(wanted) if wanted else next(iter(clouds), None)


def _word(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "").replace("\0", "").strip()[:320]


def _number(request: HttpRequest, name: str, *, posted: bool = False) -> int:
    text = (request.POST if posted else request.GET).get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _place(cloud: str) -> str:
    return f"{reverse('clouds')}?{urlencode({'cloud': cloud})}"


def _address(cloud: Cloud, query: str, only: str, **page_of: str) -> str:
    wanted = {"cloud": cloud.name, "q": query, "only": only, **page_of}
    return f"{reverse('clouds')}?{urlencode({name: value for name, value in wanted.items() if value})}"
