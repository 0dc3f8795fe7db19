"""Runs in Nova's environment: our filter and validators as Nova loads them; prints what it found as JSON."""

import json
import os
import sys
from types import SimpleNamespace

from nova import config, exception
from nova.api.validation.extra_specs import validators
from nova.scheduler.filters import BaseHostFilter, HostFilterHandler
from oslo_config import cfg

ETC = os.path.join(os.environ["MINICLOUD_DIR"], "etc", "nova")
config.parse_args(["nova", "--config-file", f"{ETC}/nova.conf", "--config-file", f"{ETC}/local.conf"])
handler = HostFilterHandler()
(found,) = [
    each
    for each in handler.get_matching_classes(cfg.CONF.filter_scheduler.available_filters)
    if each.__name__ == "TrustedHostFilter"
]
HOSTS = [SimpleNamespace(nodename=name, host=f"service-of-{name}") for name in ("hv1", "hv2")]


def request(specs, *, rebuild=False):
    hints = {"_nova_check_type": ["rebuild"]} if rebuild else {}
    flavor = SimpleNamespace(extra_specs=specs)
    return SimpleNamespace(flavor=flavor, instance_uuid="i1", scheduler_hints=hints)


def passing(the_filter, specs, **more):
    return [host.nodename for host in the_filter.filter_all(HOSTS, request(specs, **more))]


def refusal(name, value):
    try:
        validators.validate(name, value)
    except exception.ValidationError as error:
        return error.format_message()
    return ""


TRUSTED = {"trust:trusted_host": "trusted"}
ours = found()
result = {
    "found by its name": issubclass(found, BaseHostFilter),
    "ordinary flavor": passing(ours, {}),
    "trusted flavor": passing(ours, TRUSTED),
    "one host": [ours.host_passes(host, request(TRUSTED)) for host in HOSTS],
    "a rebuild on a host that is not trusted": ours._filter_one(HOSTS[1], request(TRUSTED, rebuild=True)),
    "another demand": passing(ours, {"trust:trusted_host": "untrusted"}),
    "validators": sorted(name for name in validators.VALIDATORS if "trusted_host" in name),
    "right demand": refusal("trust:trusted_host", "trusted"),
    "wrong demand": refusal("trust:trusted_host", "no"),
    "unscoped demand": refusal("trusted_host", "trusted"),
}
cfg.CONF.set_override("poll_url", "", group="trusted_compute")
result["no address configured"] = passing(found(), TRUSTED)
json.dump(result, sys.stdout)
print()
