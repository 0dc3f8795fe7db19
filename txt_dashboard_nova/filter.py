"""The scheduler filter, tested in Nova 34 (2026.2); only this module and `validators` import Nova."""

from collections.abc import Iterable
from typing import Any

from nova.scheduler import filters
from oslo_config import cfg
from oslo_log import log

from txt_dashboard_nova.answers import TRUSTED
from txt_dashboard_nova.cache import Cache
from txt_dashboard_nova.client import Client, Misconfigured
from txt_dashboard_nova.judge import Judge

LOG = log.getLogger(__name__)
KEY = "trust:trusted_host"
GROUP = "trusted_compute"
OPTIONS = [
    cfg.StrOpt("poll_url", default="", help="Where PollHosts is: https://name:port/path/PollHosts"),
    cfg.StrOpt("ca_file", default="", help="The authority of its certificate; the system's where this is empty"),
    cfg.StrOpt("cert_file", default="", help="A client certificate to show, in PEM form"),
    cfg.StrOpt("key_file", default="", help="Its key, where that is not in the same file"),
    cfg.StrOpt("auth_blob", default="", secret=True, help="What to send as x-auth-blob"),
    cfg.FloatOpt("timeout", default=3.0, min=0.1, max=60.0, help="Seconds for one answer, from first to last byte"),
    cfg.FloatOpt("cache_seconds", default=5.0, min=0.0, max=300.0, help="How long an answer is used at most"),
]
cfg.CONF.register_opts(OPTIONS, group=GROUP)


class TrustedHostFilter(filters.BaseHostFilter):  # type: ignore[misc] # Nova has no types
    """Passes the trusted hosts where the flavor asks for one; all hosts where it does not.

    Fails closed: no answer, a wrong one, and a demand that nobody knows pass no host, and the log says why.
    """

    # A rebuild starts the guest anew on its host, so that host has to be trusted at this moment too.
    RUN_ON_REBUILD = True

    def __init__(self) -> None:
        super().__init__()
        self._judge: Judge | None = None

    def filter_all(self, filter_obj_list: Iterable[Any], spec_obj: Any) -> list[Any]:
        """The hosts that pass; one question to PollHosts for all of them."""
        hosts = list(filter_obj_list)
        wanted = (spec_obj.flavor.extra_specs or {}).get(KEY)
        if wanted is None or not hosts:
            return hosts
        if wanted != TRUSTED:
            LOG.warning("No host passes: %s=%s of the flavor is not %s=%s", KEY, wanted, KEY, TRUSTED)
            return []
        return self._trusted(hosts, spec_obj)

    def host_passes(self, host_state: Any, filter_properties: Any) -> bool:
        """Whether this one host passes."""
        return bool(self.filter_all([host_state], filter_properties))

    def _trusted(self, hosts: list[Any], spec_obj: Any) -> list[Any]:
        try:
            verdicts = self._asked().verdicts(host.nodename for host in hosts)
        except Misconfigured as error:
            LOG.error("No host passes: [%s] %s", GROUP, error)
            return []
        passing = []
        for host in hosts:
            verdict = verdicts[host.nodename]
            if verdict.trusted:
                passing.append(host)
            else:
                LOG.info("Host %s is refused for instance %s: %s", host.nodename, spec_obj.instance_uuid, verdict.why)
        return passing

    def _asked(self) -> Judge:
        # At the first use: when Nova makes its filters the options may not have been read.
        if self._judge is None:
            options = cfg.CONF[GROUP]
            client = Client(
                options.poll_url,
                options.timeout,
                ca_file=options.ca_file,
                cert_file=options.cert_file,
                key_file=options.key_file,
                auth_blob=options.auth_blob,
            )
            self._judge = Judge(client.poll, Cache(options.cache_seconds))
        return self._judge
