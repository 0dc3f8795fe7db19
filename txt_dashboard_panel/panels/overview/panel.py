"""Admin → Trusted Compute → Overview."""

from django.utils.translation import gettext_lazy as _

from txt_dashboard_panel.panels.base import TrustPanel


class Overview(TrustPanel):
    """The panel."""

    name = _("Overview")
    slug = "trust_overview"
