"""The tab Trust on Horizon's own list of hypervisors."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from horizon import tabs

from txt_dashboard_panel.api import hosts
from txt_dashboard_panel.exceptions import TrustError
from txt_dashboard_panel.pages import SERVICE, page_size


class HypervisorsTrustTab(tabs.Tab):
    """The attested hosts, as many as a page has; the panel Hosts has all, with filters."""

    name = _("Trust")
    slug = "trust"
    template_name = "txt_dashboard_panel/_hypervisors_tab.html"
    preload = False
    permissions = (f"openstack.services.{SERVICE}",)
    policy_rules = ((SERVICE, "trust:view"),)

    def get_context_data(self, request: Any, **kwargs: Any) -> dict[str, Any]:
        """The hosts, or why nothing can be said of them."""
        try:
            return {"answer": hosts.page(request, limit=page_size(request))}
        except TrustError as error:
            return {"answer": None, "problem": str(error)}
