"""Where proposing begins: the ways there are, and what waits for each."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from txt_dashboard.actions.permissions import Verb, may
from txt_dashboard.queries.candidates import first_day
from txt_dashboard.queries.changes import changes
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.web.identity import actor_of


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The ways of proposing."""
    now, reference, actor = timezone.now(), in_force().reference, actor_of(request.user)
    found = first_day(reference, now)
    context = {
        "groups": [each for each in changes(reference, now).shown if each.group],
        "found": found,
        "uncovered": found.hosts - found.covered,
        "policies": len(reference.policies),
        "may": may(actor, Verb.PROPOSE_BASELINE),
        "may_key": may(actor, Verb.PROPOSE_KEY),
        "may_policy": may(actor, Verb.PROPOSE_POLICY),
    }
    return render(request, "proposing/start.html", context)
