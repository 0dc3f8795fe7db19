"""Runs Nova 16's `trusted_filter.py` as it is, against a PollHosts address; prints what it decided as JSON.

Nova 16 is of Python 2.7 and 3.5, and most of it can't be imported today. The filter's file is executed from Nova's
own wheel, byte for byte, with the real oslo.serialization, oslo.utils and requests. Stubs stand for:

    oslo_log                 not installed here: a logger that drops, a deprecation that is not reported
    nova.conf                the seven options of [trusted_computing], by the values that Nova gives them
    nova.context, .objects   the list of compute nodes, which Nova reads from its database
    nova.i18n                `_LW`, which marks a text for translation
    nova.scheduler.filters   the base class, of which the filter uses nothing

    python nova16.py <trusted_filter.py> <port> <ca file> <blob> <node> …
"""

import importlib.util
import json
import logging
import sys
from types import ModuleType, SimpleNamespace


def stub(name: str, **members: object) -> None:
    module = ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)


def main(file: str, port: str, ca_file: str, blob: str, *nodes: str) -> None:
    options = SimpleNamespace(
        attestation_server="127.0.0.1",
        attestation_server_ca_file=ca_file,
        attestation_port=int(port),
        attestation_api_url="/OpenAttestationWebServices/V1.0",
        attestation_auth_blob=blob,
        attestation_auth_timeout=60,
        attestation_insecure_ssl=False,
    )
    computes = [SimpleNamespace(hypervisor_hostname=node) for node in nodes]
    stub("oslo_log", log=logging, versionutils=SimpleNamespace(report_deprecated_feature=lambda *_: None))
    stub("nova")
    stub("nova.conf", CONF=SimpleNamespace(trusted_computing=options))
    stub("nova.context", get_admin_context=lambda: None)
    stub("nova.i18n", _LW=str)
    stub("nova.objects", ComputeNodeList=SimpleNamespace(get_all=lambda _context: computes))
    stub("nova.scheduler")
    stub("nova.scheduler.filters", BaseHostFilter=object)
    spec = importlib.util.spec_from_file_location("nova.scheduler.filters.trusted_filter", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    polled = []
    module.AttestationService.do_attestation = counted(module.AttestationService.do_attestation, polled)
    the_filter = module.TrustedFilter()
    print(json.dumps({"passing": passing(the_filter, nodes), "polls": len(polled)}))  # noqa: T201 - read by the test


def passing(the_filter: object, nodes: tuple[str, ...]) -> dict[str, list[str]]:
    found = {}
    for wanted in ("trusted", "untrusted", ""):
        specs = {"trust:trusted_host": wanted} if wanted else {}
        # `in` on a flavor asks whether the field is set.
        flavor = type("Flavor", (), {"extra_specs": specs, "__contains__": lambda *_: True})()
        request = SimpleNamespace(flavor=flavor)
        found[wanted] = [node for node in nodes if the_filter.host_passes(SimpleNamespace(nodename=node), request)]
    return found


def counted(call, polled):
    def do(self, hosts):
        polled.append(list(hosts))
        return call(self, hosts)

    return do


if __name__ == "__main__":
    main(*sys.argv[1:])
