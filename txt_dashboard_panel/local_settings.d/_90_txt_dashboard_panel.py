import importlib.util
import pathlib

# The policy files are used where the package is installed. To change a rule, set POLICY_FILES["trusted-compute"] in
# local_settings.py to a file of your own, which holds only what differs from the defaults.
_conf = pathlib.Path(importlib.util.find_spec("txt_dashboard_panel").origin).parent / "conf"
POLICY_FILES.setdefault("trusted-compute", str(_conf / "trust_policy.yaml"))  # noqa: F821
DEFAULT_POLICY_FILES.setdefault("trusted-compute", str(_conf / "default_policies" / "trust.yaml"))  # noqa: F821
