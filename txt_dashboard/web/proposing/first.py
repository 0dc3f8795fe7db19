"""The first day: all that hosts show and nobody approved, in a handful of proposals."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from txt_dashboard.actions.governance.compose import compose
from txt_dashboard.actions.permissions import Invalid
from txt_dashboard.attest.draft import LONGEST_NAME, Draft
from txt_dashboard.attest.reference import Part
from txt_dashboard.queries.asked import asked_for
from txt_dashboard.queries.candidates import Candidate, FirstDay, first_day
from txt_dashboard.queries.fields import part_name
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.web.context import pulse_of
from txt_dashboard.web.proposing.ask import Asked, serve
from txt_dashboard.web.proposing.forms import AS_SAID, TermsForm


class FirstForm(TermsForm):
    """Which of the values to propose, and on what terms. They replace nothing: nothing is there."""

    chosen = forms.MultipleChoiceField(
        label=_("Values"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("What hosts show has changed: look at the list again.")},
    )


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """One page of values, those of most hosts first; what is ticked becomes one proposal a part."""
    found = _find(request)
    pools, asked = pulse_of(request).tally.pools, asked_for()
    fit = [each for each in found.candidates if not each.refused]
    ticked = [each.key for each in fit if each.key not in asked]
    initial: dict[str, Any] = {"title": gettext("Golden values of the first day"), "scope": AS_SAID, "chosen": ticked}
    form = FirstForm(request.POST if request.method == "POST" else None, initial=initial)
    form.offer_pools(pools, as_said=gettext("the pools whose hosts show it"))
    form.fields["chosen"].choices = [(each.key, each.key) for each in fit]  # type: ignore[attr-defined]

    def make(at: datetime) -> Sequence[Asked]:
        keys = form.cleaned_data["chosen"] if form.is_bound else ticked
        if not keys and form.is_bound:
            raise Invalid({"chosen": [gettext("Tick what shall be proposed.")]})
        drafts = [_draft(each, pools) for each in fit if each.key in keys]
        held, terms = in_force().set, form.terms(at)
        return [
            Asked(compose(of_part, terms, held), "", _about(part, of_part))  # a key is the hash of its values
            for part in Part
            if (of_part := [draft for draft in drafts if draft.part is part])
        ]

    rows = [(each, asked.get(each.key, 0)) for each in found.candidates]
    keys = request.POST.getlist("chosen") if request.method == "POST" else ticked
    context = {
        "found": found,
        "parts": [(part, [row for row in rows if row[0].draft.part is part]) for part in Part],
        "ticked": set(keys),
        "differing": "differing" in request.GET,
    }
    return serve(request, "proposing/first.html", form, make, context=context)


def _find(request: HttpRequest) -> FirstDay:
    after, differing = request.GET.get("after", ""), "differing" in request.GET
    reference, now = in_force().reference, timezone.now()
    try:
        return first_day(reference, now, after=after, differing=differing)
    except ValueError:
        raise Invalid({"after": [gettext("The address names a place in the list that makes no sense.")]}) from None


def _draft(found: Candidate, everywhere: Iterable[str]) -> Draft:
    """Named after a host that shows it, and for no more pools than its hosts are in."""
    example = found.examples[0] if found.examples else found.key[:12]
    name = gettext("%(part)s of %(host)s") % {"part": part_name(found.draft.part), "host": example}
    pools = frozenset() if set(found.pools) >= set(everywhere) else frozenset(found.pools)
    return replace(found.draft, name=name[:LONGEST_NAME], pools=pools)


def _about(part: Part, drafts: Sequence[Draft]) -> str:
    counted = ngettext("%(n)d baseline", "%(n)d baselines", len(drafts)) % {"n": len(drafts)}
    return f": {part_name(part)}, {counted}"
