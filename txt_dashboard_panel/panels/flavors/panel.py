"""Admin → Trusted Compute → Flavors."""

from django.utils.translation import gettext_lazy as _

from txt_dashboard_panel.panels.base import TrustPanel


class Flavors(TrustPanel):
    """The panel."""

    name = _("Flavors")
    slug = "trust_flavors"
