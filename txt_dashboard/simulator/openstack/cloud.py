"""The simulated cloud as a whole: three services at one address."""

from collections.abc import Mapping
from datetime import timedelta

from txt_dashboard.simulator.openstack.estate import Estate
from txt_dashboard.simulator.openstack.keystone import Keystone
from txt_dashboard.simulator.openstack.nova import Nova
from txt_dashboard.simulator.openstack.orders import first_servers
from txt_dashboard.simulator.openstack.placement import Placement
from txt_dashboard.simulator.openstack.service import Api
from txt_dashboard.simulator.openstack.state import State
from txt_dashboard.simulator.openstack.tokens import Now, Tokens
from txt_dashboard.simulator.wire import Fault, Reply, Request

TOKENS_LAST = timedelta(hours=1)
CATALOG = {"identity": "/identity/v3", "compute": "/compute/v2.1", "placement": "/placement"}


class SimulatedCloud:
    """Safe to use from many threads."""

    silent = False

    def __init__(
        self,
        estate: Estate,
        state: State,
        passwords: Mapping[str, str],
        now: Now,
        *,
        tokens_last: timedelta = TOKENS_LAST,
    ) -> None:
        self.estate = estate
        self.state = state
        self.servers = first_servers(estate)
        tokens = Tokens(now, tokens_last)
        self._apis: tuple[Api, ...] = (
            Keystone(tokens, passwords, CATALOG),
            Nova(tokens, estate, state, self.servers),
            Placement(tokens, estate, state, self.servers),
        )

    def answer(self, request: Request) -> Reply:
        """The reply to any request, refusals included."""
        for api in self._apis:
            if request.path == api.prefix or request.path.startswith(f"{api.prefix}/"):
                return api.answer(request)
        return Fault(404, 404, "No such service.").reply
