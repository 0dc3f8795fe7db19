"""Saying which events of a host's registers a baseline lets vary."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from txt_dashboard.actions.permissions import Invalid
from txt_dashboard.attest.draft import Draft
from txt_dashboard.attest.event_entries import golden_words
from txt_dashboard.attest.eventlog.varying import BaselineError
from txt_dashboard.queries.may_vary import Offer, let_vary
from txt_dashboard.web.proposing.forms import NamedForm


class VaryingForm(NamedForm):
    """A baseline by name, and the events that it lets vary."""

    vary = forms.MultipleChoiceField(
        label=_("May vary by its events"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("The log of this host is another one now: look at its events again.")},
    )

    def offer_events(self, offered: Sequence[Offer]) -> None:
        """The events that can be chosen."""
        self.fields["vary"].choices = [(each.key, _words(each)) for each in offered]  # type: ignore[attr-defined]

    def varied(self, draft: Draft, offered: Sequence[Offer]) -> Draft:
        """The draft with what was chosen to vary; raises `Invalid`."""
        keys = set(self.cleaned_data["vary"]) if self.is_bound else set()
        try:
            return let_vary(draft, [each for each in offered if each.key in keys])
        except BaselineError as error:
            raise Invalid({"vary": [f"{error}."]}) from None


def grouped(form: VaryingForm, offered: Sequence[Offer]) -> list[tuple[int, list[Any]]]:
    """The boxes of the form, by register."""
    boxes = zip(offered, form["vary"], strict=True)
    return [
        (register, [box for _, box in group]) for register, group in groupby(boxes, lambda each: each[0].register)
    ]


def _words(offer: Offer) -> str:
    """As the page says it: which event, what the log says of it, and what may be otherwise."""
    limits = gettext(offer.limits) % {"golden": golden_words(offer.structure, offer.golden)}
    return gettext("Event %(number)d, %(limits)s") % {"number": offer.position, "limits": limits}
