"""Reviewing a proposal: what it changes, what that does to hosts, who said what; and the forms to decide."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST, require_safe

from txt_dashboard.actions.governance import decide
from txt_dashboard.actions.governance import propose as proposing
from txt_dashboard.actions.permissions import Actor, Conflict, Invalid, NotFound
from txt_dashboard.models import Proposal
from txt_dashboard.queries import table
from txt_dashboard.queries.fields import span
from txt_dashboard.queries.impact import affected
from txt_dashboard.queries.proposals import find_proposal
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.web.forms import DecisionForm
from txt_dashboard.web.identity import actor_of
from txt_dashboard.web.review import Review, shown_of


@require_safe
def page(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """The review page; its parts refresh themselves, what somebody writes stays."""
    return _page(request, _find(proposal_id))


@require_POST
def approve(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """Records an approval of exactly what was shown; with `emergency` one that is enough alone."""
    emergency = "emergency" in request.POST

    def act(actor: Actor, form: DecisionForm, now: datetime) -> str:
        said = form.cleaned_data
        tally = decide.approve(
            actor,
            proposal_id,
            reason=said["reason"],
            content_hash=said["content_hash"],
            impact_hash=said["impact_hash"],
            now=now,
            emergency=emergency,
            confirmed_losses=said["confirmed_losses"],
        )
        if tally.reached:
            return gettext("Your approval is recorded. A worker signs it in its next turn.")
        more = ngettext(
            "Your approval is recorded. %(missing)d more person must approve.",
            "Your approval is recorded. %(missing)d more persons must approve.",
            tally.missing,
        )
        return more % {"missing": tally.missing}

    return _decided(request, proposal_id, act)


@require_POST
def reject(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """Ends the proposal."""

    def act(actor: Actor, form: DecisionForm, now: datetime) -> str:
        said = form.cleaned_data
        decide.reject(actor, proposal_id, reason=said["reason"], content_hash=said["content_hash"], now=now)
        return gettext("You rejected this proposal. Nothing of it comes into force.")

    return _decided(request, proposal_id, act)


@require_POST
def withdraw(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """Takes a proposal of one's own back."""

    def act(actor: Actor, form: DecisionForm, now: datetime) -> str:
        proposing.withdraw(actor, proposal_id, reason=form.cleaned_data["reason"], now=now)
        return gettext("You withdrew this proposal. Nothing of it comes into force.")

    return _decided(request, proposal_id, act)


@require_safe
def hosts(request: HttpRequest, proposal_id: int, change: str) -> HttpResponse:
    """All hosts that would gain or lose trust, page by page."""
    review = _review(request, _find(proposal_id))
    tile = review.tile(change)
    if tile is None or review.outlook is None:
        raise NotFound(gettext("This does not happen to any host by this proposal, or not any more."))
    key = request.GET.get("after") or request.GET.get("before")
    cursor = table.Cursor(key.replace("\0", ""), backwards=not request.GET.get("after")) if key else None
    found = affected(review.outlook.now, tile.change)
    context = {
        "proposal": review.proposal,
        "tile": tile,
        "page": table.page(found, "", cursor, current_reference(), review.now),
    }
    return render(request, "proposals/hosts.html", context)


def _decided(
    request: HttpRequest, proposal_id: int, act: Callable[[Actor, DecisionForm, datetime], str]
) -> HttpResponse:
    """Does it, or shows the page anew with what was entered: after a conflict as things are now, and what changed."""
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _page(request, _find(proposal_id), form, status=400)
    try:
        said = act(actor_of(request.user), form, timezone.now())
    except Conflict as conflict:
        return _page(request, _find(proposal_id), form, conflict=str(conflict), status=409)
    except Invalid as invalid:
        form.take_errors(invalid)
        return _page(request, _find(proposal_id), form, status=400)
    messages.info(request, said)
    return redirect("proposal", proposal_id)


def _page(
    request: HttpRequest,
    proposal: Proposal,
    form: DecisionForm | None = None,
    *,
    conflict: str = "",
    status: int = 200,
) -> HttpResponse:
    review = _review(request, proposal)
    before = form["shown"].value() if form and conflict else ""
    context: dict[str, Any] = {
        "review": review,
        "proposal": proposal,
        "form": _begun(form, review),
        "conflict": conflict,
        "was": shown_of(str(before or "")),
        "lasts": span(review.emergency_lasts) if review.emergency_lasts else "",
        "moved": _moved(request, review),
        **review.page(request.GET.get("page", "")),
    }
    return render(request, "proposals/page.html", context, status=status)


def _review(request: HttpRequest, proposal: Proposal) -> Review:
    return Review(proposal, actor_of(request.user), timezone.now(), list(proposal.decisions.all()))


def _begun(form: DecisionForm | None, review: Review) -> DecisionForm:
    """The form with what is shown now; after a failure with what was entered, too."""
    now = {"content_hash": review.proposal.content_hash, "impact_hash": review.impact_hash, "shown": review.shown}
    if form is None:
        return DecisionForm(initial=now)
    form.data = {"reason": form.data.get("reason", ""), **now}
    return form


def _moved(request: HttpRequest, review: Review) -> bool:
    """Whether a page that refreshes itself was opened with something else to decide on."""
    seen = request.GET.get("content_hash"), request.GET.get("impact_hash")
    return None not in seen and seen != (review.proposal.content_hash, review.impact_hash)


def _find(proposal_id: int) -> Proposal:
    proposal = find_proposal(proposal_id) if proposal_id < 2**63 else None
    if proposal is None:
        raise NotFound(gettext("There is no proposal of this number. The page Golden values lists those that are."))
    return proposal
