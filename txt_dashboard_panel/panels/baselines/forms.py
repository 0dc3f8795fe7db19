"""Forms that decide: a reason, and exactly what was seen."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from horizon import forms

from txt_dashboard_panel.api import baselines
from txt_dashboard_panel.exceptions import Conflict, ManyLosses
from txt_dashboard_panel.pages import TrustForm

LONGEST_REASON = 2000
_HASH = r"^[0-9a-f]{64}$"


class DecisionForm(TrustForm):
    """A reason, and the content that it is about; the service refuses where that is not what is there any more."""

    verb = ""

    content_hash = forms.RegexField(regex=_HASH, widget=forms.HiddenInput())
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Whoever asks later reads it in the activity log."),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def act(self, request: Any, data: dict[str, Any]) -> str:
        """Decides; says what comes next. Raises `TrustError`."""
        wanted = {name: value for name, value in data.items() if value is not None}
        try:
            return self.told(baselines.decide(request, self.initial["id"], self.verb, **wanted))
        except ManyLosses:
            raise
        except Conflict as error:
            raise Conflict(_("%(why)s Close this and look at the page again.") % {"why": error}) from None

    def told(self, decided: baselines.Decided) -> str:
        """What came of it."""
        raise NotImplementedError


class ApproveForm(DecisionForm):
    """An approval of this content and of this impact."""

    verb = "approve"

    impact_hash = forms.RegexField(regex=_HASH, widget=forms.HiddenInput())
    confirmed_losses = forms.IntegerField(
        label=gettext_lazy("Hosts that lose trust"),
        help_text=gettext_lazy("Write their number, so that nobody takes trust from many hosts unawares."),
        min_value=0,
        required=False,
        widget=forms.HiddenInput(),
    )

    def __init__(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        if self.data.get("confirmed_losses"):
            self._ask_for_the_number()

    def act(self, request: Any, data: dict[str, Any]) -> str:
        """Approves; asks for the number of hosts that lose trust where the service wants it named."""
        try:
            return super().act(request, data)
        except ManyLosses:
            self._ask_for_the_number()
            raise

    def _ask_for_the_number(self) -> None:
        self.fields["confirmed_losses"].widget = forms.NumberInput(attrs={"class": "form-control"})

    def told(self, decided: baselines.Decided) -> str:
        """How many more it takes."""
        if not decided.missing:
            return _("Your approval is recorded. A worker signs it in its next turn.")
        more = ngettext(
            "Your approval is recorded. %(missing)d more person must approve.",
            "Your approval is recorded. %(missing)d more persons must approve.",
            decided.missing,
        )
        return more % {"missing": decided.missing}


class RejectForm(DecisionForm):
    """Ends a proposal."""

    verb = "reject"

    def told(self, decided: baselines.Decided) -> str:
        """That it is over."""
        return _("You rejected %(title)s. Nothing of it comes into force.") % {"title": decided.title}


class WithdrawForm(DecisionForm):
    """Takes one's own proposal back."""

    verb = "withdraw"

    def told(self, decided: baselines.Decided) -> str:
        """That it is over."""
        return _("You withdrew %(title)s. Nothing of it comes into force.") % {"title": decided.title}


class RetireForm(DecisionForm):
    """Proposes to take a baseline out of force."""

    verb = "retire"

    def told(self, decided: baselines.Decided) -> str:
        """That others decide now."""
        return _("Proposal %(id)d asks to retire it. Nothing changes before others have approved it.") % {
            "id": decided.id
        }
