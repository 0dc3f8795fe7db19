"""Words for what enforces a trusted flavor."""

from django.utils.translation import gettext_lazy as _

ENFORCEMENTS = {
    "trait": _("Placement, by the trait of trusted hosts"),
    "filter": _("our scheduler filter"),
    "both": _("Placement and our scheduler filter"),
}
