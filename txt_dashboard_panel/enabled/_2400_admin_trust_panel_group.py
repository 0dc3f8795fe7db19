from django.utils.translation import gettext_lazy as _

from txt_dashboard_panel import exceptions

# The group Admin → Trusted Compute, and all that the panels need once.
PANEL_GROUP = "trusted_compute"
PANEL_GROUP_NAME = _("Trusted Compute")
PANEL_GROUP_DASHBOARD = "admin"

ADD_INSTALLED_APPS = ["txt_dashboard_panel"]
ADD_EXCEPTIONS = {
    "not_found": exceptions.NOT_FOUND,
    "recoverable": exceptions.RECOVERABLE,
    "unauthorized": exceptions.UNAUTHORIZED,
}
ADD_JS_FILES = ["txt_dashboard_panel/trust.js"]
ADD_SCSS_FILES = ["txt_dashboard_panel/trust.scss"]
AUTO_DISCOVER_STATIC_FILES = False
