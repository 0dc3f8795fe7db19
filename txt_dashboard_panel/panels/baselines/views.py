"""Golden values: the list, the review of one proposal or baseline, and the modals that decide."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from txt_dashboard_panel.api import baselines
from txt_dashboard_panel.pages import TrustFormView, TrustPage, may, page_size
from txt_dashboard_panel.panels.baselines import forms
from txt_dashboard_panel.panels.baselines.words import CHANGES, says

CHANGES_SHOWN = 20  # by the service, on each page of a review
_ALWAYS = ("gained", "lost")  # told even where there are none
_LARGEST_PAGE = 1000


class IndexView(TrustPage):
    """What waits for decisions, and what is in force."""

    template_name = "txt_dashboard_panel/baselines.html"
    page_title = gettext_lazy("Baselines")

    def ask(self) -> baselines.Page:
        """Both at once."""
        marker = self.request.GET.get("marker", "")
        return baselines.page(self.request, limit=page_size(self.request), marker=marker)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the next page."""
        context = super().get_context_data(**kwargs)
        if answer := context["answer"]:
            context.update(version=answer.version, following=self.following(answer.next), chosen={})
        return context


class ReviewView(TrustPage):
    """All that a person reads before they decide, and why they may not."""

    template_name = "txt_dashboard_panel/review.html"
    page_title = gettext_lazy("Review")

    def ask(self) -> baselines.Review:
        """One proposal, or one baseline in force."""
        return baselines.review(self.request, self.kwargs["id"], self._number())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With what happens to hosts, and what this person can do."""
        context = super().get_context_data(**kwargs)
        answer: baselines.Review | None = context["answer"]
        if answer:
            held = answer.baseline.name if answer.baseline else ""
            context.update(
                version=answer.version,
                page_title=answer.proposal.title if answer.proposal else held,
                tiles=_tiles(answer.impact) if answer.impact else [],
                waits_for_server=bool(answer.impact and answer.impact.counts.get("gained once vouched")),
                acts=self._acts(answer),
                page_number=self._number(),
                pages=-(-answer.changes_total // CHANGES_SHOWN),
            )
        return context

    def _number(self) -> int:
        text = self.request.GET.get("page", "")
        return max(1, min(int(text), _LARGEST_PAGE)) if text.isascii() and text.isdigit() and len(text) < 9 else 1

    def _acts(self, answer: baselines.Review) -> list[dict[str, Any]]:
        """Buttons in their order: where each leads, or why it may not be pressed."""
        offered = (
            [
                ("approve", _("Approve"), "trust:decide", answer.why_not_approve, "btn-primary"),
                ("reject", _("Reject"), "trust:decide", answer.why_not_reject, "btn-danger"),
                ("withdraw", _("Withdraw"), "trust:withdraw", answer.why_not_withdraw, "btn-default"),
            ]
            if answer.proposal
            else [("retire", _("Propose to retire"), "trust:retire", answer.why_not_retire, "btn-danger")]
        )
        if answer.proposal and answer.proposal.state != "open":
            return []
        return [self._button(answer, *each) for each in offered]

    def _button(self, answer: baselines.Review, act: str, word: str, rule: str, why: str | None, look: str) -> Any:
        if why is None and not may(self.request, rule):
            why = _("The policy of this dashboard does not let you.")
        query = {"content_hash": answer.content_hash}
        if act == "approve" and answer.impact:
            query["impact_hash"] = answer.impact.impact_hash
        address = reverse(f"horizon:admin:trust_baselines:{act}", args=[self.kwargs["id"]])
        return {"act": act, "word": word, "why_not": why, "look": look, "address": address, "query": query}


class DecisionView(TrustFormView):
    """A modal that decides on exactly what the page showed: it asks the service nothing before."""

    rule = "trust:decide"
    seen: tuple[str, ...] = ("content_hash",)

    def get_initial(self) -> dict[str, Any]:
        """What was seen, as the page's button says."""
        return {"id": self.kwargs["id"], **{name: self.request.GET.get(name, "")[:64] for name in self.seen}}

    def get_success_url(self) -> str:
        """Back to what was decided on."""
        held = self.kwargs["id"].startswith("baseline:")
        return reverse(f"horizon:admin:trust_baselines:{'held' if held else 'review'}", args=[self.kwargs["id"]])

    def get_cancel_url(self) -> str:
        """As after the decision."""
        return self.get_success_url()


class ApproveView(DecisionView):
    """Approves a proposal."""

    form_class = forms.ApproveForm
    modal_id, form_id = "trust_approve_modal", "trust_approve_form"
    modal_header = page_title = gettext_lazy("Approve this proposal")
    submit_label = gettext_lazy("Approve")
    seen = ("content_hash", "impact_hash")
    explanation = gettext_lazy(
        "Your approval counts for exactly the values and the effect on hosts that the page showed. Once enough "
        "persons have approved, a worker signs them and hosts are judged by them."
    )


class RejectView(DecisionView):
    """Rejects a proposal."""

    form_class = forms.RejectForm
    modal_id, form_id = "trust_reject_modal", "trust_reject_form"
    modal_header = page_title = gettext_lazy("Reject this proposal")
    submit_label = gettext_lazy("Reject")
    explanation = gettext_lazy("One rejection ends a proposal. Whoever made it can make another.")
    danger = True


class WithdrawView(DecisionView):
    """Withdraws a proposal."""

    rule = "trust:withdraw"
    form_class = forms.WithdrawForm
    modal_id, form_id = "trust_withdraw_modal", "trust_withdraw_form"
    modal_header = page_title = gettext_lazy("Withdraw your proposal")
    submit_label = gettext_lazy("Withdraw")
    explanation = gettext_lazy("Nothing of it comes into force, whoever approved it already.")


class RetireView(DecisionView):
    """Proposes to retire a baseline."""

    rule = "trust:retire"
    form_class = forms.RetireForm
    modal_id, form_id = "trust_retire_modal", "trust_retire_form"
    modal_header = page_title = gettext_lazy("Propose to retire this baseline")
    submit_label = gettext_lazy("Propose")
    explanation = gettext_lazy(
        "Others decide on it. Once it is retired, hosts that show these values are not trusted by them any more."
    )
    danger = True


def _tiles(impact: baselines.Impact) -> list[dict[str, Any]]:
    """What happens to how many hosts, a few of them by name."""
    happening = [change for change in CHANGES if impact.counts.get(change) or change in _ALWAYS]
    return [
        {
            "hosts": impact.counts.get(change, 0),
            "says": says(change, impact.counts.get(change, 0)),
            "examples": impact.examples.get(change, []),
            "look": change.split()[0],
        }
        for change in happening
    ]
