"""Admin → Trusted Compute → Hosts."""

from django.utils.translation import gettext_lazy as _

from txt_dashboard_panel.panels.base import TrustPanel


class Hosts(TrustPanel):
    """The panel."""

    name = _("Hosts")
    slug = "trust_hosts"
