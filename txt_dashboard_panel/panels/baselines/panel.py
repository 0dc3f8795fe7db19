"""Admin → Trusted Compute → Baselines."""

from django.utils.translation import gettext_lazy as _

from txt_dashboard_panel.panels.base import TrustPanel


class Baselines(TrustPanel):
    """The panel."""

    name = _("Baselines")
    slug = "trust_baselines"
