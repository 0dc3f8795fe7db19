"""Forms. They read what was entered; the verbs decide whether it can be used."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from txt_dashboard.actions.governance.propose import LONGEST_REASON
from txt_dashboard.actions.permissions import Invalid
from txt_dashboard.actions.servers import ServerSettings
from txt_dashboard.cloud.enforcement import Enforcement
from txt_dashboard.models import Server
from txt_dashboard.servers import KINDS

SETTINGS = (
    "name", "kind", "url", "ca_pem", "enabled", "simulated", "interval_s", "batch_size", "parallel", "deadline_s",
    "quote_interval_s",
)  # fmt: skip


def _reason(help_text: Any) -> forms.CharField:
    words = forms.Textarea(attrs={"rows": 3, "class": "words"})
    return forms.CharField(
        label=_("Why"), label_suffix="", required=False, max_length=LONGEST_REASON, widget=words, help_text=help_text
    )


def _losses() -> forms.IntegerField:
    """The number of hosts that lose their trust, as the page named it; its box is drawn by components/losses.html."""
    return forms.IntegerField(required=False, min_value=0, max_value=2**31, widget=forms.HiddenInput)


class ReasonForm(forms.Form):
    """Why somebody asks for something."""

    reason = _reason(_("Whoever decides will read this, and whoever asks later."))

    def take_errors(self, invalid: Invalid) -> None:
        """Puts what a verb refused beside the fields that it speaks of."""
        for name, sentences in invalid.errors.items():
            self.add_error(name if name in self.fields else None, sentences)


class FlavorForm(ReasonForm):
    """What a flavor shall be, why, and which extra specs were shown to whoever decides."""

    to = forms.ChoiceField(choices=[(each, each) for each in ("none", *Enforcement)])
    specs_hash = forms.CharField(max_length=64)
    reason = _reason(_("It stands in the activity log, and whoever asks later will read it."))


class ActForm(ReasonForm):
    """Why somebody does something that takes effect at once."""

    reason = _reason(_("It stands in the activity log, and whoever asks later will read it."))
    confirmed_losses = _losses()


class DecisionForm(ReasonForm):
    """A reason, and what of the proposal was shown to whoever decides."""

    content_hash = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    impact_hash = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    shown = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    confirmed_losses = _losses()


class ServerForm(forms.ModelForm):
    """All settings of a server. The stored secret never gets here, so it can't be shown."""

    kind = forms.ChoiceField(
        label=_("Kind"), choices=lambda: [(name, factory.label) for name, factory in KINDS.items()]
    )
    auth_blob = forms.CharField(
        label=_("Secret"),
        required=False,
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_(
            "Sent to the server as the header x-auth-blob. A Keylime takes a certificate instead, which the setting"
            " TXT_CLIENT_CERTIFICATES names."
        ),
    )
    remove_secret = forms.BooleanField(label=_("Remove the stored secret"), required=False)
    reason = _reason(
        _("Needed where the address, the kind or the authorities change: that takes effect once others approved it.")
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False, initial=1)
    confirmed_losses = _losses()

    class Meta:
        model = Server
        fields = SETTINGS
        labels = {
            "name": _("Name"),
            "url": _("Address"),
            "ca_pem": _("Certificate authorities"),
            "enabled": _("Ask this server"),
            "simulated": _("Simulated"),
            "interval_s": _("Ask for each host every … seconds"),
            "batch_size": _("Hosts in one request"),
            "parallel": _("Requests at once"),
            "deadline_s": _("Give up a request after … seconds"),
            "quote_interval_s": _("Let each TPM quote every … seconds"),
        }
        help_texts = {
            "name": _("Lower-case letters, digits and hyphens. Policies speak of the server by this name."),
            "url": _("For example https://oat.example.org:8443"),
            "ca_pem": _("In PEM form. Empty: those of this machine's system."),
            "enabled": _("Switched off, its hosts keep their state until their evidence runs out."),
            "simulated": _("Its hosts are played, not real: every page says so."),
            "quote_interval_s": _(
                "0: with each request. A quote keeps a TPM busy for about a second. Before evidence runs out, where"
                " the server changes its verdict, and for Poll now, it is asked at once."
            ),
            "deadline_s": _("The server asks the hosts themselves, and answers when the slowest one has."),
        }
        widgets = {
            "url": forms.TextInput(attrs={"inputmode": "url", "spellcheck": "false", "autocomplete": "off"}),
            "ca_pem": forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        }

    def __init__(self, *args: Any, read_only: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        if self.instance.pk:
            self.initial["version"] = self.instance.version
        for field in self.fields.values():
            field.disabled = read_only

    def _post_clean(self) -> None:
        """Nothing: the verb checks the settings as a whole, so all that it refuses is shown at once."""

    def clean_ca_pem(self) -> str:
        """With the line ends that are stored: browsers send others, and a change here would clear the secret."""
        return str(self.cleaned_data["ca_pem"]).replace("\r\n", "\n").strip()

    @property
    def settings(self) -> ServerSettings:
        """What was entered, as the verbs take it: a new secret, "" to remove it, or `None` to keep it."""
        entered = {name: self.cleaned_data[name] for name in SETTINGS}
        removed = "" if self.cleaned_data["remove_secret"] else None
        return ServerSettings(**entered, auth_blob=self.cleaned_data["auth_blob"] or removed)

    def take_errors(self, invalid: Invalid) -> None:
        """Puts what a verb refused beside the fields that it speaks of."""
        for name, sentences in invalid.errors.items():
            self.add_error(name if name in self.fields else None, sentences)

    def see_again(self, stored: Server) -> None:
        """After a conflict: keeps what was entered, shows what is stored where the two differ, and asks again."""
        self.data = {**{name: self.data.get(name) for name in self.data}, "version": str(stored.version)}
        for name in SETTINGS:
            now = getattr(stored, name)
            if self.cleaned_data.get(name) != now:
                self[name].help_text = gettext("Now stored: %(value)s") % {"value": _shown(now)}


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return str(value) or gettext("nothing")
