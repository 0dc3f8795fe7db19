"""Proposing a policy: what evidence from one server must show for the hosts of one pool, and how long it holds."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from txt_dashboard.actions.permissions import Invalid, Verb
from txt_dashboard.attest.entries import LONGEST_VALIDITY_S, PolicyOf, policy_entry, policy_id
from txt_dashboard.attest.pcr import Bank, PcrError, parse_index
from txt_dashboard.attest.reference import InvalidReference, Part, Policy, Requirement
from txt_dashboard.attest.signed_set import entry_hash
from txt_dashboard.models import Server
from txt_dashboard.queries.fields import part_name
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.web.context import pulse_of
from txt_dashboard.web.proposing.ask import Asked, serve
from txt_dashboard.web.proposing.forms import WordsForm

REST = ""  # all pools of a server that have no policy of their own
_UNKNOWN = {"platform_bank": "sha256", "vmm_bank": "sha256", "validity_s": 300}
_BANKS = [("", _("nothing is required")), *((bank.value, bank.upper()) for bank in Bank)]


class RulesForm(forms.Form):
    """What a policy says, without whom it is for."""

    platform_bank = forms.ChoiceField(label=_("Platform: bank"), choices=_BANKS, required=False)
    platform = forms.CharField(label=_("Platform: registers"), required=False, max_length=100)
    vmm_bank = forms.ChoiceField(label=_("VMM: bank"), choices=_BANKS, required=False)
    vmm = forms.CharField(label=_("VMM: registers"), required=False, max_length=100)
    validity_s = forms.IntegerField(
        label=_("Evidence is valid for … seconds"),
        min_value=1,
        max_value=LONGEST_VALIDITY_S,
        help_text=_("At least three times the server's interval, or hosts turn stale between two polls."),
    )
    word_is_enough = forms.BooleanField(label=_("The server's word is enough"), required=False)
    must_quote = forms.BooleanField(label=_("Only a quote by the host's TPM vouches for registers"), required=False)

    @property
    def policy(self) -> Policy:
        """What was entered; raises `Invalid`."""
        said = self.cleaned_data
        needs = [
            Requirement(part, Bank(bank), _registers(said[part.value], part))
            for part in Part
            if (bank := said[f"{part.value}_bank"])
        ]
        validity = timedelta(seconds=said["validity_s"])
        return Policy(tuple(needs), validity, said["word_is_enough"], must_quote=said["must_quote"])

    @staticmethod
    def said_by(policy: Policy) -> dict[str, Any]:
        """What the form begins with."""
        said: dict[str, Any] = {
            "validity_s": int(policy.validity.total_seconds()),
            "word_is_enough": policy.word_is_enough,
            "must_quote": policy.must_quote,
        }
        for need in policy.requirements:
            said[need.part.value] = ", ".join(str(index) for index in need.indexes)
            said[f"{need.part.value}_bank"] = need.bank.value
        return said


class PolicyForm(WordsForm, RulesForm):
    """The same with the server and pool that it is for."""

    server = forms.ChoiceField(label=_("Server"))
    pool = forms.ChoiceField(label=_("Pool"), required=False)

    def offer(self, servers: Sequence[str], pools: Sequence[str]) -> None:
        """The choices."""
        self.fields["server"].choices = [(name, name) for name in servers]  # type: ignore[attr-defined]
        rest = gettext("all pools without a policy of their own")
        chosen = [(REST, rest), *((pool, pool) for pool in pools if pool)]
        self.fields["pool"].choices = chosen  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """The form of a policy, begun with what is in force. `server` and `pool` in the address say for whom."""
    reference = in_force().reference
    servers = list(Server.objects.values_list("name", flat=True))
    pools = sorted({*pulse_of(request).tally.pools, *(pool for _, pool in reference.policies)} - {""})
    server = request.GET.get("server") or next(iter(servers), "")
    pool = request.GET.get("pool", "")
    known = reference.policies.get((server, pool)) or reference.policies.get((server, REST))
    begins = (
        RulesForm.said_by(known) if known else {"platform_bank": "sha256", "vmm_bank": "sha256", "validity_s": 300}
    )
    title = gettext("Policy of %(server)s") % {"server": server}
    initial = {**begins, "server": server, "pool": pool, "title": title}
    form = PolicyForm(request.POST if request.method == "POST" else None, initial=initial)
    form.offer(servers, pools)

    def make(at: datetime) -> Sequence[Asked]:
        if not form.is_bound:
            return []
        said = form.cleaned_data
        of = policy_of(form, said["server"], said["pool"])
        entry = policy_entry(of)
        return [Asked({policy_id(of.server, of.pool): entry}, str(entry_hash(entry)))]

    context = {"known": known, "alone": bool(form["word_is_enough"].value())}
    return serve(request, "proposing/policy.html", form, make, verb=Verb.PROPOSE_POLICY, context=context)


def policy_of(form: RulesForm, server: str, pool: str) -> PolicyOf:
    """The policy that was entered; raises `Invalid`."""
    try:
        return PolicyOf(server, pool, form.policy)
    except InvalidReference as error:
        raise Invalid({"policy": [f"{str(error)[:1].upper()}{str(error)[1:]}."]}) from None


def _registers(text: str, part: Part) -> frozenset[int]:
    words = text.replace(",", " ").split()
    try:
        return frozenset(parse_index(word) for word in words)
    except PcrError as error:
        raise Invalid({part.value: [f"{part_name(part)}: {error}."]}) from None
