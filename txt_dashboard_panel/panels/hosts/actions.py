"""What can be done with a host: ask for new evidence, and propose what it shows as a baseline."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from horizon import forms

from txt_dashboard_panel.api import hosts
from txt_dashboard_panel.exceptions import Conflict, NotFound, TrustError
from txt_dashboard_panel.labels import PARTS
from txt_dashboard_panel.pages import TrustForm, TrustFormView

LONGEST_TITLE, LONGEST_NAME, LONGEST_REASON = 200, 100, 2000


class AttestForm(TrustForm):
    """Nothing to fill in: only to be sure."""

    def act(self, request: Any, data: dict[str, Any]) -> str:
        """Asks for new evidence."""
        name = self.initial["name"]
        hosts.attest(request, name)
        return _("%(name)s is asked for new evidence.") % {"name": name}


class ProposeForm(TrustForm):
    """A name, and why. The values are those that the host showed when the form was made."""

    title = forms.CharField(label=gettext_lazy("Title"), max_length=LONGEST_TITLE)
    name = forms.CharField(label=gettext_lazy("Name of the baseline"), max_length=LONGEST_NAME)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Why these values are good. Whoever approves reads it."),
    )
    document_hash = forms.CharField(widget=forms.HiddenInput(), max_length=64)

    def act(self, request: Any, data: dict[str, Any]) -> str:
        """Proposes exactly what was shown."""
        candidate = candidate_of(request, self.initial["host"], self.initial["part"])
        if candidate.document_hash != data["document_hash"]:
            raise Conflict(_("The host shows other values by now. Close this and look again."))
        (baseline,) = candidate.document["baselines"]
        document = {**candidate.document, "baselines": [{**baseline, "name": data["name"]}]}
        made = hosts.propose(request, title=data["title"], reason=data["reason"], document=document)
        return _("Proposal %(number)s waits for approvals: nothing is in force by it yet.") % {"number": made.id}


class _HostFormView(TrustFormView):
    def get_success_url(self) -> str:
        """Back to the host."""
        return reverse("horizon:admin:trust_hosts:detail", args=[self.kwargs["name"]])

    def get_cancel_url(self) -> str:
        """The same."""
        return self.get_success_url()


class AttestView(_HostFormView):
    """Asks whether to ask for new evidence."""

    rule = "trust:attest"
    form_class = AttestForm
    form_id = "trust_attest_form"
    page_title = gettext_lazy("Attest {{ name }} now")
    submit_label = gettext_lazy("Attest now")
    explanation = gettext_lazy("Its attestation servers are asked for new evidence in the workers' next turn.")

    def get_initial(self) -> dict[str, Any]:
        """Which host."""
        return {"name": self.kwargs["name"]}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With its name."""
        return {**super().get_context_data(**kwargs), "name": self.kwargs["name"]}


class ProposeView(_HostFormView):
    """Shows what the host would have approved of one part, and asks why. `part` in the address says which."""

    rule = "trust:propose"
    form_class = ProposeForm
    form_id = "trust_propose_form"
    template_name = "txt_dashboard_panel/host/propose.html"
    page_title = gettext_lazy("Propose what {{ name }} shows")
    submit_label = gettext_lazy("Propose")
    explanation = gettext_lazy(
        "A proposal changes nothing by itself: other persons approve it, and see first which hosts it would trust."
    )
    candidate: hosts.Candidate | None = None
    problem = ""

    @property
    def part(self) -> str:
        """Which part."""
        return str(self.request.GET.get("part", ""))[:20]

    def get_initial(self) -> dict[str, Any]:
        """What the service offers to propose."""
        name = self.kwargs["name"]
        initial: dict[str, Any] = {"host": name, "part": self.part}
        if self.request.method == "POST":
            return initial
        try:
            self.candidate = candidate_of(self.request, name, self.part)
        except TrustError as error:
            self.problem = str(error)
            return initial
        title = _("%(part)s of %(host)s") % {"part": PARTS.get(self.part, self.part), "host": name}
        return {
            **initial,
            "title": title[:LONGEST_TITLE],
            "name": title[:LONGEST_NAME],
            "document_hash": self.candidate.document_hash,
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the values."""
        context = super().get_context_data(**kwargs)
        context.update(
            name=self.kwargs["name"],
            candidate=self.candidate,
            problem=self.problem,
            is_missing=bool(self.problem),
            submit_url=self.request.get_full_path(),
        )
        if self.candidate:
            (baseline,) = self.candidate.document["baselines"]
            context["values"] = sorted(baseline["values"].items(), key=lambda each: int(each[0]))
        return context


def candidate_of(request: Any, name: str, part: str) -> hosts.Candidate:
    """What the host shows of this part. Raises `TrustError`."""
    for each in hosts.candidates(request, name).items:
        if each.part == part:
            return each
    raise NotFound(_("The host shows no values of this part that could be proposed: a policy says which."))
