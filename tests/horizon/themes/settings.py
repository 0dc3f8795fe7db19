"""Horizon's settings as an installation has them, with our panels: for building static files in HORIZON_STATIC."""

import os

from openstack_dashboard.settings import *  # noqa: F403
from openstack_dashboard.settings import AVAILABLE_THEMES, HORIZON_CONFIG, INSTALLED_APPS
from openstack_dashboard.utils import settings as settings_utils

import txt_dashboard_panel.enabled

INSTALLED_APPS = list(INSTALLED_APPS)
settings_utils.update_dashboards([txt_dashboard_panel.enabled], HORIZON_CONFIG, INSTALLED_APPS)

SECRET_KEY = "for building static files only"
STATIC_ROOT = os.environ["HORIZON_STATIC"]
COMPRESS_ENABLED = COMPRESS_OFFLINE = True

# One theme at a time: what several have in common is built for the first of them only.
DEFAULT_THEME = os.environ["HORIZON_THEME"]
AVAILABLE_THEMES = SELECTABLE_THEMES = [each for each in AVAILABLE_THEMES if each[0] == DEFAULT_THEME]
