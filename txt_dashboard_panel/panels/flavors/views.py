"""Flavors: which ask for trusted hosts, and the modal that lets one ask."""

from typing import Any

from django.urls import reverse, reverse_lazy
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from txt_dashboard_panel.api import flavors
from txt_dashboard_panel.exceptions import TrustError
from txt_dashboard_panel.pages import TrustFormView, TrustPage, may, page_size
from txt_dashboard_panel.panels.flavors import forms
from txt_dashboard_panel.panels.flavors.words import ENFORCEMENTS


class IndexView(TrustPage):
    """All flavors, a page at a time."""

    template_name = "txt_dashboard_panel/flavors.html"
    page_title = gettext_lazy("Flavors")

    def ask(self) -> flavors.Page:
        """The page that the address names."""
        marker = self.request.GET.get("marker", "")
        return flavors.page(self.request, limit=page_size(self.request), marker=marker)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With what enforces each in words, and why this person may not change any."""
        context = super().get_context_data(**kwargs)
        if answer := context["answer"]:
            why_not = answer.why_not
            if why_not is None and not may(self.request, "trust:set_flavor"):
                why_not = _("The policy of this dashboard does not let you change flavors.")
            rows = [(each, ENFORCEMENTS.get(each.enforced or "", each.enforced)) for each in answer.items]
            context.update(version=answer.version, following=self.following(answer.next), chosen={}, rows=rows)
            context["why_not"] = why_not
        return context


class TrustView(TrustFormView):
    """Shows the flavor as it is now, and what changes; the form decides on exactly that."""

    rule = "trust:set_flavor"
    template_name = "txt_dashboard_panel/flavor.html"
    form_class = forms.SetTrustForm
    modal_id, form_id = "trust_flavor_modal", "trust_flavor_form"
    success_url = reverse_lazy("horizon:admin:trust_flavors:index")

    @cached_property
    def flavor(self) -> flavors.One | str:
        """The flavor, or why it can't be shown."""
        try:
            return flavors.one(self.request, self.kwargs["id"])
        except TrustError as error:
            return str(error)

    def get_initial(self) -> dict[str, Any]:
        """The other way round than it is."""
        if isinstance(self.flavor, str):
            return {}
        return {
            "id": self.flavor.id,
            "specs_hash": self.flavor.specs_hash,
            "trusted": "no" if self.flavor.trusted else "yes",
            "by_settings": self.flavor.enforcement,
        }

    def get_form_kwargs(self) -> dict[str, Any]:
        """A form that was sent says by itself what it is about: the service is asked once only."""
        if self.request.method != "POST":
            return dict(super().get_form_kwargs())
        return {"data": self.request.POST, "prefix": self.get_prefix(), "initial": {"id": self.kwargs["id"]}}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With what it would mean."""
        making = self._making()
        self.modal_header = self.page_title = _("Ask for trusted hosts") if making else _("Run on any host")
        self.submit_label = self.modal_header
        context = super().get_context_data(**kwargs)
        context.update(making=making, danger=not making)
        if self.request.method != "POST":
            shown = not isinstance(self.flavor, str)
            context.update(flavor=self.flavor if shown else None, problem="" if shown else self.flavor)
        context["submit_url"] = reverse("horizon:admin:trust_flavors:trust", args=[self.kwargs["id"]])
        return context

    def _making(self) -> bool:
        """Whether it is to become a trusted one."""
        if self.request.method == "POST":
            return self.request.POST.get("trusted") == "yes"
        return not isinstance(self.flavor, str) and not self.flavor.trusted
