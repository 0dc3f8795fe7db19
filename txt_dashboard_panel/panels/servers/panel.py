"""Admin → Trusted Compute → Attestation Servers."""

from django.utils.translation import gettext_lazy as _

from txt_dashboard_panel.panels.base import TrustPanel


class Servers(TrustPanel):
    """The panel."""

    name = _("Attestation Servers")
    slug = "trust_servers"
