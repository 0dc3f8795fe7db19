"""Hosts: the list."""

from typing import Any

from django.utils.translation import gettext_lazy

from txt_dashboard_panel.api import hosts
from txt_dashboard_panel.labels import STATES
from txt_dashboard_panel.pages import TrustPage, page_size

FILTERS = ("state", "pool", "q", "group", "server", "sort")


class IndexView(TrustPage):
    """A page of hosts, filtered by the service."""

    template_name = "txt_dashboard_panel/hosts.html"
    page_title = gettext_lazy("Hosts")

    def ask(self) -> hosts.HostPage:
        """The page that the address names."""
        return hosts.page(
            self.request, **self.chosen(), limit=page_size(self.request), marker=self.request.GET.get("marker", "")
        )

    def chosen(self) -> dict[str, str]:
        """The filters of the address."""
        return {name: value for name in FILTERS if (value := self.request.GET.get(name, "").strip()[:253])}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With what is chosen, and the next page."""
        context = super().get_context_data(**kwargs)
        answer = context["answer"]
        context.update(chosen=self.chosen(), states=list(STATES.items()))
        if answer:
            context.update(version=answer.version, following=self.following(answer.next))
        return context
