"""What all panels for administrators share."""

import horizon

SERVICE = "trusted-compute"


class TrustPanel(horizon.Panel):
    """Shown where the catalog has the service and the policy lets see it. Nothing here asks the service."""

    permissions = (f"openstack.services.{SERVICE}",)
    policy_rules = ((SERVICE, "trust:view"),)
