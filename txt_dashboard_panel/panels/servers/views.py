"""Attestation servers: how they fare."""

from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy

from txt_dashboard_panel.api import records
from txt_dashboard_panel.pages import TrustPage, may

ACTIONS = (
    ("test", gettext_lazy("Test"), "trust:test_server"),
    ("poll", gettext_lazy("Poll now"), "trust:poll"),
)


class IndexView(TrustPage):
    """All servers."""

    template_name = "txt_dashboard_panel/servers.html"
    page_title = gettext_lazy("Attestation Servers")

    def ask(self) -> records.Servers:
        """All of them, which are few."""
        return records.servers(self.request)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With what may be done with each."""
        context = super().get_context_data(**kwargs)
        if context["answer"]:
            allowed = [(slug, word) for slug, word, rule in ACTIONS if may(self.request, rule)]
            context["servers"] = [(each, list(_links(each.name, allowed))) for each in context["answer"].items]
        return context


def _links(name: str, allowed: list[tuple[str, Any]]) -> Any:
    """Word, address and id; none for a server of a name that no page can have."""
    for slug, word in allowed:
        try:
            yield word, reverse(f"horizon:admin:trust_servers:{slug}", args=[name]), f"trust-{slug}-{name}"
        except NoReverseMatch:
            return
