"""Proposing what people bring along: a file of ours or of OpenAttestation, and registers by hand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from txt_dashboard.actions.governance.compose import compose, entries_of
from txt_dashboard.actions.permissions import Invalid
from txt_dashboard.attest.draft import Draft, Policies, in_scope, required_only
from txt_dashboard.attest.pcr import Bank, Registers
from txt_dashboard.attest.reference import Part, measurement_key
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.uploads.files import read_file
from txt_dashboard.uploads.ours import Document
from txt_dashboard.uploads.reading import Unusable
from txt_dashboard.uploads.typed import LARGEST as LONGEST_TEXT
from txt_dashboard.uploads.typed import read_registers
from txt_dashboard.web.context import pulse_of
from txt_dashboard.web.proposing.ask import Asked, serve
from txt_dashboard.web.proposing.forms import ALL, AS_SAID, NamedForm, TermsForm
from txt_dashboard.web.proposing.hosts import replaceable

LARGEST = 1024 * 1024  # bytes of a file that comes through the browser
NO_CHOICE = ""


class RequiredOnly(forms.Form):
    """Tools and other whitelists name more registers than policies require."""

    required_only = forms.BooleanField(
        label=_("Leave out registers that no policy requires"), required=False, initial=True
    )


class UploadForm(TermsForm, RequiredOnly):
    """A file. Once read it travels with the form, so that it need not be chosen again."""

    file = forms.FileField(label=_("File"), required=False, allow_empty_file=True)
    document = forms.CharField(required=False, strip=False, widget=forms.Textarea)

    def clean(self) -> dict[str, Any]:
        """The file that was chosen now, or else the one that was chosen before."""
        said = super().clean()
        file = said.get("file")
        if isinstance(file, UploadedFile):
            if (file.size or 0) > LARGEST:
                limit = {"limit": LARGEST // 1024 // 1024}
                self.add_error("file", gettext("The file is larger than %(limit)d MiB.") % limit)
                return said
            if not file.size:
                self.add_error("file", gettext("The file is empty."))
            try:
                said["document"] = file.read().decode()
            except UnicodeDecodeError:
                self.add_error("file", gettext("The file is not in UTF-8."))
        elif len(said.get("document", "")) > LARGEST:
            self.add_error("file", gettext("The file is too large."))
        return said

    @property
    def text(self) -> str:
        """The document; empty before one was chosen."""
        return str(self.cleaned_data.get("document", "")) if self.is_bound and self.is_valid() else ""


class ByHandForm(NamedForm, RequiredOnly):
    """Registers as a person types or pastes them."""

    part = forms.ChoiceField(label=_("Part"), widget=forms.RadioSelect, required=False, initial=Part.VMM.value)
    bank = forms.ChoiceField(label=_("Bank"), required=False)
    values = forms.CharField(
        label=_("Registers"),
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("Lines like “18: 6dd9de57…” or “sha256:18=…”, or what tpm2_pcrread prints."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        parts = [
            (Part.PLATFORM.value, _("Platform: firmware")),
            (Part.VMM.value, _("VMM: boot loader, tboot, kernel")),
        ]
        self.fields["part"].choices = parts  # type: ignore[attr-defined]
        banks = [(NO_CHOICE, _("the one that policies require")), *((bank.value, bank.upper()) for bank in Bank)]
        self.fields["bank"].choices = banks  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """A file: our own, or OpenAttestation's MLEs."""
    initial = {"title": gettext("Golden values from a file"), "scope": AS_SAID, "ends": "at once"}
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = UploadForm(*sent, initial=initial)
    form.offer_pools(pulse_of(request).tally.pools, as_said=gettext("what the file says"))
    form.offer_replaced(replaceable(in_force().reference, set(Part), timezone.now()))

    def make(at: datetime) -> Sequence[Asked]:
        if not form.text:
            return []
        read, terms, held = _read(form.text), form.terms(at), in_force().set
        asked = {(each.server, each.pool): each.policy for each in read.policies}
        policies = {**held.reference.policies, **asked}
        drafts = [terms.of(each) for each in read.baselines]
        if form.cleaned_data["required_only"]:
            drafts = [required_only(each, policies) for each in drafts]
        return [Asked({**compose(drafts, terms, held), **entries_of((), read.policies)}, form.text)]

    context = {"document": form.text, "limit": LARGEST // 1024 // 1024}
    return serve(request, "proposing/upload.html", form, make, context=context)


@require_http_methods(["GET", "HEAD", "POST"])
def by_hand(request: HttpRequest) -> HttpResponse:
    """Registers that a person types, or pastes from what a tool printed."""
    initial = {"title": gettext("Golden values by hand"), "scope": ALL, "ends": "at once"}
    form = ByHandForm(request.POST if request.method == "POST" else None, initial=initial)
    form.offer_pools(pulse_of(request).tally.pools)
    form.offer_replaced(replaceable(in_force().reference, set(Part), timezone.now()))

    def make(at: datetime) -> Sequence[Asked]:
        said = form.cleaned_data if form.is_bound else {}
        if not said.get("values", "").strip():
            return []
        terms, held = form.terms(at), in_force().set
        draft = _typed(said, terms.pools or frozenset(), held.reference.policies)
        draft = terms.of(draft)
        if said["required_only"]:
            draft = required_only(draft, held.reference.policies)
        return [Asked(compose([draft], terms, held), measurement_key(draft.part, draft.bank, draft.values))]

    return serve(request, "proposing/by_hand.html", form, make)


def _read(text: str) -> Document:
    try:
        return read_file(text.encode())
    except Unusable as error:
        raise Invalid({"file": list(error.sentences)}) from None


def _typed(said: dict[str, Any], pools: frozenset[str], policies: Policies) -> Draft:
    try:
        registers = read_registers(said["values"])
    except Unusable as error:
        raise Invalid({"values": list(error.sentences)}) from None
    if not said["part"]:
        raise Invalid({"part": [gettext("Say which part these registers are of.")]})
    part = Part(said["part"])
    needed = {need.bank for need in in_scope(policies, pools) if need.part is part}
    bank = _bank(registers, Bank(said["bank"]) if said["bank"] else None, needed)
    return replace(Draft(said["name"].strip(), part, bank, registers[bank]), pools=pools)


def _bank(registers: Registers, chosen: Bank | None, needed: set[Bank]) -> Bank:
    """The bank to take of those that were typed; raises `Invalid` where that can't be told."""
    fitting = [bank for bank in registers if bank is chosen or (chosen is None and bank in needed)]
    if len(fitting) == 1:
        return fitting[0]
    if chosen is not None:
        raise Invalid({"bank": [gettext("There is no value of the bank %(bank)s.") % {"bank": chosen.upper()}]})
    if len(registers) == 1:
        return next(iter(registers))
    named = ", ".join(bank.upper() for bank in registers)
    raise Invalid({"bank": [gettext("There are values of several banks: %(banks)s. Choose one.") % {"banks": named}]})
