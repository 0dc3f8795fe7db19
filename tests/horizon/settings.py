"""Horizon's own test settings, with our panels in it."""

from pathlib import Path

from openstack_dashboard import enabled
from openstack_dashboard.test.settings import *  # noqa: F403
from openstack_dashboard.test.settings import HORIZON_CONFIG, INSTALLED_APPS, POLICY_FILES
from openstack_dashboard.utils import settings as settings_utils

import txt_dashboard_panel
import txt_dashboard_panel.enabled

HORIZON_CONFIG.pop("dashboards", None)
HORIZON_CONFIG.pop("default_dashboard", None)
settings_utils.update_dashboards([enabled, txt_dashboard_panel.enabled], HORIZON_CONFIG, INSTALLED_APPS)
INSTALLED_APPS = list(dict.fromkeys(INSTALLED_APPS))

_conf = Path(txt_dashboard_panel.__file__).parent / "conf"
POLICY_FILES = {**POLICY_FILES, "trusted-compute": str(_conf / "trust_policy.yaml")}
DEFAULT_POLICY_FILES = {"trusted-compute": str(_conf / "default_policies" / "trust.yaml")}

COMPRESS_ENABLED = False
COMPRESS_OFFLINE = False
API_RESULT_PAGE_SIZE = 20
