"""Editing an open proposal of one's own: its words, and what it asks for, entry by entry."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from txt_dashboard.actions.governance import propose as proposing
from txt_dashboard.actions.governance.accounts import known_account
from txt_dashboard.actions.governance.compose import end
from txt_dashboard.actions.permissions import Actor, Conflict, Invalid, NotAllowed, NotFound, Verb
from txt_dashboard.attest.draft import LONGEST_NAME, Draft, contradictions, only_takes_away
from txt_dashboard.attest.entries import Entry, PolicyOf, baseline_entry, baseline_id, policy_entry, read_entry
from txt_dashboard.attest.reference import Baseline, InvalidReference
from txt_dashboard.attest.signed_set import Change, InvalidSet, Patch, SignedSet, entry_hash, plain
from txt_dashboard.models import Proposal, ProposalState
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.queries.proposals import find_proposal
from txt_dashboard.uploads.reading import Unusable
from txt_dashboard.uploads.typed import LARGEST as LONGEST_TEXT
from txt_dashboard.uploads.typed import read_registers
from txt_dashboard.web.context import pulse_of
from txt_dashboard.web.identity import actor_of
from txt_dashboard.web.proposing.ask import Asked, serve
from txt_dashboard.web.proposing.forms import ALL, CHOSEN, NO_POOL, Moment, ScopeForm, WordsForm
from txt_dashboard.web.proposing.policy import RulesForm, policy_of

MOST_FORMS = 20


class KeepForm(forms.Form):
    """Whether the proposal still asks for this."""

    keep = forms.BooleanField(label=_("Keep this in the proposal"), required=False, initial=True)

    def after(self, entry_id: str, entry: Entry | None, held: SignedSet) -> tuple[str, Entry | None]:
        """What it asks for after the edit; raises `Invalid`."""
        return entry_id, entry


class BaselineForm(KeepForm, ScopeForm):
    """A baseline that it adds or changes."""

    name = forms.CharField(label=_("Name"), required=False, max_length=LONGEST_NAME)
    values = forms.CharField(
        label=_("Registers"),
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "autocomplete": "off"}),
    )

    def after(self, entry_id: str, entry: Entry | None, held: SignedSet) -> tuple[str, Entry | None]:
        """The baseline as it was entered. What is in force under this id keeps it."""
        said, was = self.cleaned_data, read_entry(entry_id, entry or {})
        assert isinstance(was, Baseline)  # noqa: S101 - `_form` chose by it
        try:
            registers = read_registers(said["values"])
        except Unusable as error:
            raise Invalid({"values": [f"{was.name}: {sentence}" for sentence in error.sentences]}) from None
        if len(registers) != 1:
            raise Invalid({"values": [gettext("%(name)s: all values must be of one bank.") % {"name": was.name}]})
        ((bank, values),) = registers.items()
        pools = self.chosen_pools or frozenset()
        # Events stay with the value that they lead to: a register that was given another one has none.
        events = {index: of for index, of in was.events.items() if values.get(index) == was.values[index]}
        dates = said["not_before"], said["not_after"]
        draft = Draft(said["name"].strip(), was.part, bank, values, pools, *dates, events)
        if wrong := contradictions(draft):
            raise Invalid({"values": [f"{was.name}: {sentence}" for sentence in wrong]})
        baseline = draft.baseline()
        return entry_id if entry_id in held.entries else baseline_id(baseline), baseline_entry(baseline)


class EndingForm(KeepForm):
    """A baseline in force that it gives an end."""

    ends_at = Moment(_("Ends at (UTC)"))

    def after(self, entry_id: str, entry: Entry | None, held: SignedSet) -> tuple[str, Entry | None]:
        """The baseline with this end."""
        at = self.cleaned_data["ends_at"]
        if at is None:
            raise Invalid({"ends_at": [gettext("Say when it ends, or don't keep this.")]})
        return entry_id, end(entry_id, at, held) if entry is not None else None


class PolicyEntryForm(KeepForm, RulesForm):
    """A policy that it sets."""

    def after(self, entry_id: str, entry: Entry | None, held: SignedSet) -> tuple[str, Entry | None]:
        """The policy as it was entered, for the server and pool that it was for."""
        of = policy_of(self, (entry or {})["server"], (entry or {})["pool"])
        return entry_id, policy_entry(of)


@dataclass(frozen=True)
class Edited:
    """One entry of the proposal, with its form."""

    entry_id: str
    entry: Entry | None
    form: KeepForm
    name: str
    kind: str

    def after(self, held: SignedSet) -> dict[str, Entry | None]:
        """What of it is asked for; nothing where it is dropped."""
        if self.form.is_bound and not self.form.cleaned_data["keep"]:
            return {}
        if not self.form.is_bound:
            return {self.entry_id: self.entry}
        return dict([self.form.after(self.entry_id, self.entry, held)])


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """The form with what the proposal asks for. Whoever may not edit it may look at it."""
    proposal, patch = _find(proposal_id)
    if proposal.state != ProposalState.OPEN:
        return redirect("proposal", proposal.pk)
    posted, own = request.method == "POST", _own(proposal, actor_of(request.user))
    if "propose" in request.POST and not own:
        raise NotAllowed(gettext("Only %(name)s, who proposed it, can edit it.") % {"name": proposal.proposed_by})
    same = request.POST.get("content_hash") == proposal.content_hash
    held = in_force().set
    edited = _forms(request, patch, held, bound=posted and same)
    begins = {"title": proposal.title, "reason": proposal.reason}
    form = WordsForm(request.POST if posted else None, initial=begins)

    def make(at: datetime) -> Sequence[Asked]:
        wrong = [
            f"{each.name}: {sentence}"
            for each in edited
            if each.form.is_bound and not each.form.is_valid()
            for of_field in each.form.errors.values()
            for sentence in of_field
        ]
        if wrong:
            raise Invalid({"entries": wrong})
        kept = {id_: change.after for id_, change in list(patch.changes.items())[MOST_FORMS:]}
        wanted = {id_: entry for each in edited for id_, entry in each.after(held).items()} | kept
        contents = sorted(str(entry_hash(entry)) for entry in wanted.values())
        return [Asked(wanted, " ".join([proposal.content_hash, *contents]))]

    def act(actor: Actor, asked: Sequence[Asked], words: WordsForm, now: datetime) -> Sequence[Proposal]:
        said = words.cleaned_data
        return [
            proposing.edit(
                actor,
                proposal.pk,
                asked[0].wanted,
                title=said["title"],
                reason=said["reason"],
                content_hash=proposal.content_hash,
                now=now,
            )
        ]

    changed = gettext("This proposal has changed since you saw it. Below is how it is now.")
    context = {
        "proposal": proposal,
        "edited": edited,
        "more": max(0, len(patch.changes) - MOST_FORMS),
        "own": own,
        "changed": changed if posted and not same else "",
    }
    return serve(request, "proposing/edit.html", form, make, verb=Verb.VIEW, act=act, context=context)


def _find(proposal_id: int) -> tuple[Proposal, Patch]:
    proposal = find_proposal(proposal_id) if proposal_id < 2**63 else None
    if proposal is None:
        raise NotFound(gettext("There is no proposal of this number."))
    try:
        patch = Patch.read(proposal.patch)
    except InvalidSet as error:
        raise Conflict(gettext("This proposal can't be read: %(why)s.") % {"why": error}) from None
    if patch.restores:
        raise Conflict(gettext("A proposal that restores can't be edited: withdraw it, and restore anew."))
    return proposal, patch


def _own(proposal: Proposal, actor: Actor) -> bool:
    account, proposer = known_account(actor), proposal.proposer
    return account is not None and proposer is not None and account.person == proposer.person


def _forms(request: HttpRequest, patch: Patch, held: SignedSet, *, bound: bool) -> list[Edited]:
    pools, data = set(pulse_of(request).tally.pools), request.POST if bound else None
    chosen = list(patch.changes.items())[:MOST_FORMS]
    return [_form(id_, change, f"e{at}", data, pools, held) for at, (id_, change) in enumerate(chosen)]


def _form(entry_id: str, change: Change, prefix: str, data: Any, pools: set[str], held: SignedSet) -> Edited:
    bare: dict[str, Any] = {"prefix": prefix, "label_suffix": ""}
    try:
        said = read_entry(entry_id, change.after) if change.after is not None else None
    except InvalidReference:
        return Edited(entry_id, change.after, KeepForm(data, **bare), entry_id, "")
    if isinstance(said, PolicyOf):
        form: KeepForm = PolicyEntryForm(data, **bare, initial=RulesForm.said_by(said.policy))
        return Edited(
            entry_id, change.after, form, f"{said.server} / {said.pool}" if said.pool else said.server, "policy"
        )
    if not isinstance(said, Baseline):
        return Edited(entry_id, change.after, KeepForm(data, **bare), _name(entry_id, held), "")
    if _ends(entry_id, said, held):
        form = EndingForm(data, **bare, initial={"ends_at": said.not_after})
        return Edited(entry_id, change.after, form, said.name, "ending")
    scope = {"scope": CHOSEN if said.pools else ALL, "pools": [pool or NO_POOL for pool in said.pools]}
    values = "\n".join(f"{index}: {value.hex()}" for index, value in sorted(said.values.items()))
    dates = {"not_before": said.not_before, "not_after": said.not_after}
    of_one = BaselineForm(data, **bare, initial={"name": said.name, "values": values, **scope, **dates})
    of_one.offer_pools(pools | said.pools)
    return Edited(entry_id, change.after, of_one, said.name, "baseline")


def _ends(entry_id: str, said: Baseline, held: SignedSet) -> bool:
    """Whether it only ends what is in force."""
    bare = plain(held.entries.get(entry_id, {}))
    before = read_entry(entry_id, bare) if bare else None
    return isinstance(before, Baseline) and only_takes_away(before, replace(said, name=before.name))


def _name(entry_id: str, held: SignedSet) -> str:
    return str(held.entries.get(entry_id, {}).get("name") or entry_id)
