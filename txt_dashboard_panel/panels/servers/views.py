"""Attestation servers: how they fare, testing one, and asking for all of its evidence."""

from django.utils.translation import gettext_lazy

from txt_dashboard_panel.api import records
from txt_dashboard_panel.pages import TrustPage


class IndexView(TrustPage):
    """All servers."""

    template_name = "txt_dashboard_panel/servers.html"
    page_title = gettext_lazy("Attestation Servers")

    def ask(self) -> records.Servers:
        """All of them, which are few."""
        return records.servers(self.request)
