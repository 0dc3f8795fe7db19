"""The tab Trust on Horizon's own pages of an instance."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from horizon import tabs

from txt_dashboard_panel.api import instances
from txt_dashboard_panel.exceptions import NotFound, TrustError
from txt_dashboard_panel.pages import SERVICE


class TrustTab(tabs.Tab):
    """Asks the service when it is opened, and not before."""

    name = _("Trust")
    slug = "trust"
    template_name = "txt_dashboard_panel/_instance_tab.html"
    preload = False
    permissions = (f"openstack.services.{SERVICE}",)
    policy_rules = ((SERVICE, "trust:view_own_instances"),)
    names_host = False

    def get_context_data(self, request: Any, **kwargs: Any) -> dict[str, Any]:
        """The instance, or why nothing can be said of it."""
        context: dict[str, Any] = {"answer": None, "names_host": self.names_host}
        try:
            context["answer"] = instances.one(request, self.tab_group.kwargs["instance_id"])
        except TrustError as error:
            context.update(problem=str(error), is_missing=isinstance(error, NotFound))
        return context


class AdminTrustTab(TrustTab):
    """The same for administrators, who are told the host."""

    policy_rules = ((SERVICE, "trust:view_all_instances"),)
    names_host = True
