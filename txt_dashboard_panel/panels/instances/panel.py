"""Project → Compute → Instance Trust."""

import horizon
from django.utils.translation import gettext_lazy as _

from txt_dashboard_panel.pages import SERVICE


class InstanceTrust(horizon.Panel):
    """Shown to every member of a project where the catalog has the service. Nothing here asks the service."""

    name = _("Instance Trust")
    slug = "trust_instances"
    permissions = (f"openstack.services.{SERVICE}", "openstack.services.compute")
    policy_rules = ((SERVICE, "trust:view_own_instances"),)
