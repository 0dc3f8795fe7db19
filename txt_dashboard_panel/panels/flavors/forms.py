"""The form that lets a flavor ask for trusted hosts, or not any more."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from horizon import forms

from txt_dashboard_panel.api import flavors
from txt_dashboard_panel.exceptions import Conflict
from txt_dashboard_panel.pages import TrustForm
from txt_dashboard_panel.panels.flavors.words import ENFORCEMENTS

LONGEST_REASON = 2000


class SetTrustForm(TrustForm):
    """What it shall ask for, why, and which extra specs were seen."""

    specs_hash = forms.RegexField(regex=r"^[0-9a-f]{64}$", widget=forms.HiddenInput())
    trusted = forms.TypedChoiceField(
        choices=(("yes", ""), ("no", "")), coerce=lambda word: word == "yes", widget=forms.HiddenInput()
    )
    enforcement = forms.ChoiceField(
        label=gettext_lazy("Enforced by"),
        choices=(("", gettext_lazy("what the settings say")), *ENFORCEMENTS.items()),
        required=False,
    )
    by_settings = forms.CharField(required=False, widget=forms.HiddenInput())  # for a form that is shown once more
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Whoever asks later reads it in the activity log."),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        by_settings = self.data.get("by_settings") or self.initial.get("by_settings")
        if by_settings in ENFORCEMENTS:
            said = _("what the settings say: %(enforcement)s") % {"enforcement": ENFORCEMENTS[by_settings]}
            self.fields["enforcement"].choices = (("", said), *ENFORCEMENTS.items())
        if (self.data.get("trusted") or self.initial.get("trusted")) == "no":
            self.fields["enforcement"].widget = forms.HiddenInput()

    def act(self, request: Any, data: dict[str, Any]) -> str:
        """Sets it at the cloud, at once. Raises `TrustError`."""
        try:
            flavor = flavors.set_trust(
                request,
                self.initial["id"],
                trusted=data["trusted"],
                enforcement=data["enforcement"] if data["trusted"] else "",
                reason=data["reason"],
                specs_hash=data["specs_hash"],
            )
        except Conflict as error:
            raise Conflict(_("%(why)s Close this and look at the flavor again.") % {"why": error}) from None
        if flavor.trusted:
            return _("%(name)s asks for trusted hosts. Instances that run already keep what they had.") % {
                "name": flavor.name
            }
        return _("%(name)s runs on any host. Instances that run already keep what they had.") % {"name": flavor.name}
