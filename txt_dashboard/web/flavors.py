"""Flavors: which ask for trusted hosts, and the page on which somebody decides that."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from txt_dashboard import conf
from txt_dashboard.actions.clouds.connect import connect_for_people
from txt_dashboard.actions.clouds.flavors import Wish, set_flavor_trust
from txt_dashboard.actions.permissions import CloudFailed, Conflict, Invalid, NotFound, Verb, may, require
from txt_dashboard.cloud.enforcement import Change, Enforcement, change
from txt_dashboard.models import Cloud, CloudFlavor
from txt_dashboard.queries import flavors
from txt_dashboard.queries.flavors import FlavorView, Look, Warned
from txt_dashboard.web.forms import FlavorForm
from txt_dashboard.web.identity import actor_of

PAGE = 50


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that a flavor can be, and what it takes to get there."""

    value: str
    enforcement: Enforcement | None
    change: Change
    is_now: bool
    chosen: bool


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """All flavors of a cloud, as workers saw them last."""
    now = timezone.now()
    clouds = flavors.connected_clouds()
    cloud = _chosen(clouds, request)
    context: dict[str, object] = {"clouds": clouds, "cloud": cloud, "simulated": conf.clouds_are_simulated()}
    if cloud is None:
        return render(request, "flavors/first.html", context)
    seen = flavors.look(cloud, now)
    query, after = _word(request, "q"), _word(request, "after")
    rows, following = flavors.page(cloud, query=query, after=after, limit=PAGE)
    warnings = flavors.warnings(seen, now)
    context |= {
        "seen": seen,
        "warnings": warnings,
        "found": [_with_its_own(flavors.view(row, seen, now), warnings) for row in rows],
        "q": query,
        "after": after,
        "page_first": _address(cloud, query, "") if after else "",
        "page_after": _address(cloud, query, following) if following else "",
        "may_set": may(actor_of(request.user), Verb.SET_FLAVOR_TRUST),
        "most": flavors.MOST_CANDIDATES,
    }
    return render(request, "flavors/page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def flavor(request: HttpRequest, flavor_id: str) -> HttpResponse:
    """One flavor: what it asks for, and the form to change that. Whoever may not may look."""
    actor = actor_of(request.user)
    if request.method == "POST":
        require(actor, Verb.SET_FLAVOR_TRUST)
    cloud = _chosen(flavors.connected_clouds(), request)
    if cloud is None:
        raise NotFound(gettext("No such cloud is connected."))
    form, told, status = FlavorForm(), {"conflict": "", "failure": ""}, 200
    if request.method == "POST":
        form, status = FlavorForm(request.POST), 400
        if form.is_valid():
            wish = _wish(form)
            try:
                row = set_flavor_trust(
                    actor, cloud.name, flavor_id, wish, connect=connect_for_people, clock=timezone.now
                )
            except Invalid as invalid:
                form.take_errors(invalid)
            except Conflict as error:
                told["conflict"], status = str(error), 409
            except CloudFailed as error:
                told["failure"], status = str(error), 502
            else:
                return _done(request, cloud, row, wish)
    return _decide(request, cloud, flavor_id, form, told, status)


def _with_its_own(found: FlavorView, general: tuple[Warned, ...]) -> tuple[FlavorView, list[Warned]]:
    """The flavor, with the warnings that are not said above all of them."""
    said = {each.code for each in general}
    if "no_trusted_host" in said:
        said.add("no_room")
    return found, [each for each in found.warnings if each.code not in said]


def _decide(
    request: HttpRequest, cloud: Cloud, flavor_id: str, form: FlavorForm, told: Mapping[str, str], status: int
) -> HttpResponse:
    now = timezone.now()
    row = flavors.find_flavor(cloud, flavor_id)
    if row is None:
        raise NotFound(gettext("This flavor is not there any more. The page Flavors lists those that are."))
    seen = flavors.look(cloud, now)
    found = flavors.view(row, seen, now)
    context = {
        "cloud": cloud,
        "seen": seen,
        "each": found,
        "choices": _choices(found, seen, str(form["to"].value() or "")),
        "warnings": flavors.warnings(seen, now),
        "form": form,
        "may_set": may(actor_of(request.user), Verb.SET_FLAVOR_TRUST),
        "most": flavors.MOST_CANDIDATES,
        "back": _back(cloud, row),
        "simulated": conf.clouds_are_simulated(),
        **told,
    }
    return render(request, "flavors/flavor.html", context, status=status)


def _done(request: HttpRequest, cloud: Cloud, row: CloudFlavor, wish: Wish) -> HttpResponse:
    said = (
        gettext("%(flavor)s asks for trusted hosts now.")
        if wish.trusted
        else gettext("%(flavor)s asks for any host.")
    )
    messages.info(request, said % {"flavor": row.name})
    return redirect(_back(cloud, row))


def _wish(form: FlavorForm) -> Wish:
    to = form.cleaned_data["to"]
    enforcement = None if to == "none" else Enforcement(to)
    return Wish(enforcement is not None, enforcement, form.cleaned_data["reason"], form.cleaned_data["specs_hash"])


def _choices(found: FlavorView, seen: Look, chosen: str) -> list[Choice]:
    """What it can become; at first what its switch stands for is chosen: the other one."""
    chosen = chosen or ("none" if found.trusted else seen.enforcement.value)
    options: list[Enforcement | None] = [None, *Enforcement]
    made = []
    for each in options:
        planned = change(found.row.specs, each, seen.trait)
        value = each.value if each else "none"
        made.append(Choice(value, each, planned, found.enforced is each, value == chosen))
    return made


def _chosen(clouds: tuple[Cloud, ...], request: HttpRequest) -> Cloud | None:
    wanted = _word(request, "cloud")
    found = next((each for each in clouds if wanted in ("", each.name)), None)
    if found is None and wanted:
        raise NotFound(gettext("No cloud of this name is connected."))
    return found


def _word(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "").replace("\0", "").strip()[:255]


def _address(cloud: Cloud, query: str, after: str) -> str:
    wanted = {name: value for name, value in (("cloud", cloud.name), ("q", query), ("after", after)) if value}
    return f"{reverse('flavors')}?{urlencode(wanted)}"


def _back(cloud: Cloud, row: CloudFlavor) -> str:
    return f"{reverse('flavors')}?{urlencode({'cloud': cloud.name})}#flavor-{row.pk}"
