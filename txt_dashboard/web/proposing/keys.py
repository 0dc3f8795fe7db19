"""Proposing TPM keys: first ones of many hosts as one proposal, those of a list, and another one of a single host."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from txt_dashboard.actions.attestation_keys import first_keys, listed_keys, new_key
from txt_dashboard.actions.governance.refuse import Wanted
from txt_dashboard.actions.permissions import Invalid, NotFound, Verb
from txt_dashboard.attest.signed_set import entry_hash
from txt_dashboard.models import Server
from txt_dashboard.queries.attestation_keys import Keys, history_of, keys_of
from txt_dashboard.queries.host import find_host
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.web.proposing.ask import Asked, serve
from txt_dashboard.web.proposing.forms import ALL, NO_POOL, WordsForm

LARGEST = 4 * 1024 * 1024  # bytes of a list that comes through the browser
POOLS, TICKED = "pools", "hosts"


class FirstKeysForm(WordsForm):
    """Of which hosts the first keys are proposed."""

    of = forms.ChoiceField(label=_("Propose the keys of"), widget=forms.RadioSelect, required=False)
    pools = forms.MultipleChoiceField(label=_("Pools"), required=False, widget=forms.CheckboxSelectMultiple)
    hosts = forms.MultipleChoiceField(
        label=_("Hosts"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("What hosts show has changed: look at the list again.")},
    )

    def offer(self, found: Keys) -> None:
        """The choices."""
        every = gettext("all %(n)d hosts without an approved key") % {"n": found.total}
        words = {ALL: every, POOLS: gettext("these pools"), TICKED: gettext("the hosts that are ticked")}
        self.fields["of"].choices = list(words.items())  # type: ignore[attr-defined]
        self.fields["pools"].choices = [  # type: ignore[attr-defined]
            (pool or NO_POOL, f"{pool or gettext('no pool')} ({hosts})") for pool, hosts in found.pools.items()
        ]
        self.fields["hosts"].choices = [(each.host, each.host) for each in found.strangers]  # type: ignore[attr-defined]

    def wanted(self, server: str) -> Wanted:
        """The keys of what was chosen; raises `Invalid`. Nothing chosen must never mean all."""
        said = self.cleaned_data
        if said["of"] == ALL:
            return first_keys(server)
        if said["of"] == POOLS and said["pools"]:
            return first_keys(server, pools=["" if pool == NO_POOL else pool for pool in said["pools"]])
        if said["of"] == TICKED and said["hosts"]:
            return first_keys(server, hosts=said["hosts"])
        raise Invalid({"of": [gettext("Choose whose keys shall be proposed.")]})


class ListForm(WordsForm):
    """A list of keys. Once read it travels with the form, so that it need not be chosen again."""

    server = forms.ChoiceField(label=_("Server"))
    file = forms.FileField(label=_("File"), required=False, allow_empty_file=True)
    document = forms.CharField(required=False, strip=False, widget=forms.Textarea)

    def clean(self) -> dict[str, Any]:
        """The file that was chosen now, or else the one that was chosen before."""
        said: dict[str, Any] = super().clean() or {}
        file = said.get("file")
        if isinstance(file, UploadedFile):
            try:
                said["document"] = file.read(LARGEST + 1).decode()
            except UnicodeDecodeError:
                self.add_error("file", gettext("The file is not in UTF-8."))
        if len(said.get("document", "")) > LARGEST:
            limit = {"limit": LARGEST // 1024 // 1024}
            self.add_error("file", gettext("The file is larger than %(limit)d MiB.") % limit)
        return said

    @property
    def text(self) -> str:
        """The list; empty before one was chosen."""
        return str(self.cleaned_data.get("document", "")) if self.is_bound and self.is_valid() else ""


@require_http_methods(["GET", "HEAD", "POST"])
def first(request: HttpRequest) -> HttpResponse:
    """First keys, as hosts showed them to a server. `server` and `q` in the address say which."""
    reference, servers = in_force().reference, _servers()
    server = _chosen(request, servers)
    found = keys_of(server, reference, named=request.GET.get("q", "")[:100].strip())
    title = gettext("TPM keys that %(server)s shows") % {"server": server}
    form = FirstKeysForm(request.POST if request.method == "POST" else None, initial={"title": title, "of": TICKED})
    form.offer(found)

    def make(at: datetime) -> Sequence[Asked]:
        return [_asked(form.wanted(server))] if form.is_bound else []

    context = {"keys": found, "server": server, "servers": servers, "q": request.GET.get("q", "")[:100]}
    context["ticked"] = set(request.POST.getlist("hosts"))
    return serve(request, "proposing/keys.html", form, make, verb=Verb.PROPOSE_KEY, context=context)


@require_http_methods(["GET", "HEAD", "POST"])
def listed(request: HttpRequest) -> HttpResponse:
    """The keys of a list that somebody brings along."""
    servers = _servers()
    initial = {"title": gettext("TPM keys from a list"), "server": _chosen(request, servers)}
    form = ListForm(*((request.POST, request.FILES) if request.method == "POST" else ()), initial=initial)
    form.fields["server"].choices = [(name, name) for name in servers]  # type: ignore[attr-defined]

    def make(at: datetime) -> Sequence[Asked]:
        text = form.text
        return [_asked(listed_keys(form.cleaned_data["server"], text.encode()))] if text else []

    context = {"document": form.text, "limit": LARGEST // 1024 // 1024}
    return serve(request, "proposing/key_list.html", form, make, verb=Verb.PROPOSE_KEY, context=context)


@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, name: str) -> HttpResponse:
    """The key that one host shows now, in the place of the approved one or as its first."""
    found = find_host(name, timezone.now())
    if found is None:
        raise NotFound(gettext("No host is called %(name)s.") % {"name": name})
    servers = [each.server.name for each in found.attestations.select_related("server").order_by("server__name")]
    server = _chosen(request, servers)
    wanted = new_key(server, found.name)
    approved = in_force().reference.keys.get((server, found.name))
    title = gettext("TPM key of %(host)s") % {"host": found.name}
    form = WordsForm(request.POST if request.method == "POST" else None, initial={"title": title})
    context = {"host": found, "server": server, "approved": approved, "history": history_of(server, found.name)}
    return serve(
        request, "proposing/key.html", form, lambda at: [_asked(wanted)], verb=Verb.PROPOSE_KEY, context=context
    )


def _asked(wanted: Wanted) -> Asked:
    """With the keys themselves as what the person must have seen: hosts may show others the next moment."""
    return Asked(wanted, " ".join(f"{id_} {entry_hash(entry)}" for id_, entry in sorted(wanted.items())))


def _servers() -> list[str]:
    return list(Server.objects.order_by("name").values_list("name", flat=True))


def _chosen(request: HttpRequest, servers: Sequence[str]) -> str:
    asked = request.GET.get("server", "")
    return asked if asked in servers else next(iter(servers), "")
