"""What members of a project see: their own instances, and how the hosts of these stand."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from txt_dashboard import conf
from txt_dashboard.actions import keystone_sessions, owners
from txt_dashboard.actions.permissions import CloudFailed, Invalid, NotAllowed, Verb, require
from txt_dashboard.cloud.errors import CloudError
from txt_dashboard.cloud.tenancy import MEANS_NOT
from txt_dashboard.queries.instances import PAGE
from txt_dashboard.web.identity import actor_of
from txt_dashboard.web.keystone import Entry, entry_of, keep

View = Any


def for_owners(view: View) -> View:
    """Marks a page that needs no role here: it shows nothing but a person's own."""
    view.for_owners = True
    return view


@for_owners
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The instances of the session's project, as the cloud says now."""
    actor, now = actor_of(request.user), timezone.now()
    require(actor, Verb.VIEW_OWN_INSTANCES)
    entry = _entry(request)
    marker = request.GET.get("after", "")
    if "\0" in marker or len(marker) > 64:
        raise Invalid({"after": [gettext("The address names a place in the list that makes no sense.")]})
    found = owners.own_instances(actor, entry.token, limit=PAGE, marker=marker, now=now)
    context = {
        "found": found,
        "project": entry.project,
        "at_stake": sum(each.at_stake for each in found.rows),
        "means_not": MEANS_NOT,
        "read_at": now,
        "simulated": conf.clouds_are_simulated(),
        "paged": bool(marker),
    }
    return render(request, "owners/page.html", context)


@for_owners
@require_http_methods(["GET", "HEAD", "POST"])
def project(request: HttpRequest) -> HttpResponse:
    """Which project to be in; whoever has roles here has them in one project only."""
    require(actor_of(request.user), Verb.VIEW_OWN_INSTANCES)
    entry = _entry(request)
    try:
        if request.method == "POST":
            entry, _ = keystone_sessions.switch(entry, request.POST.get("project", ""), now=timezone.now())
            keep(request, entry)
            request.session.cycle_key()
            return redirect("fleet")
        listed = keystone_sessions.projects(entry)
    except CloudError:
        raise CloudFailed(gettext("Keystone could not be asked for your projects. Try again in a minute.")) from None
    context = {"projects": listed, "current": entry.project, "with_roles": conf.keystone_project()}
    return render(request, "owners/project.html", context)


def _entry(request: HttpRequest) -> Entry:
    entry = entry_of(request)
    if entry is None:
        raise NotAllowed(gettext("Only who is logged in by Keystone has a project."))
    return entry
