"""Admin → Trusted Compute → Activity."""

from django.utils.translation import gettext_lazy as _

from txt_dashboard_panel.panels.base import TrustPanel


class Activity(TrustPanel):
    """The panel."""

    name = _("Activity")
    slug = "trust_activity"
