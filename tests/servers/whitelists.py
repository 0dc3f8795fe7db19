"""A whitelist over HTTP, and the simulated server behind it, which may die at any request."""

from collections.abc import Callable

import pytest

from tests.simulator.conftest import World, world
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.servers.base import Connection
from txt_dashboard.servers.mle import Mle, MleKind, mle_for
from txt_dashboard.servers.oat_whitelist import OatWhitelist
from txt_dashboard.simulator.fleet import DL360, Boot, shared_values
from txt_dashboard.simulator.story import NEXT_KERNEL

DIALECTS = ("1.6", "2.x")
CANARY, OTHER = "az2-001", "az2-002"
VALUE = bytes(range(20))
CONNECTION = Connection("oat", "https://oat-1:8443", ())


class Told:
    """A whitelist and the simulated server behind it, with all that it was asked."""

    def __init__(self, served: World, whitelist: OatWhitelist) -> None:
        self.world = served
        self.whitelist = whitelist
        self.asked: list[str] = []
        self.stop_before = ""
        self.lose: set[str] = set()
        answer = served.server.dialect.answer

        def listen(request):
            said = f"{request.method} {request.path.rsplit('/', 1)[1]}"
            if said == self.stop_before:
                raise ConnectionResetError  # as if one of both had died
            self.asked.append(said)
            answered = answer(request)
            if said in self.lose:
                self.lose.remove(said)
                raise ConnectionResetError  # done, but nobody is told
            return answered

        served.server.dialect.answer = listen

    def changes(self) -> list[str]:
        return [each for each in self.asked if not each.startswith("GET")]

    def level(self, host: str) -> str:
        return self.world.client.poll([host])[0]["trust_lvl"]


@pytest.fixture
def whitelist_of(connect) -> Callable[[str, str], OatWhitelist]:
    """Speaks a dialect to whoever listens there."""
    return lambda url, dialect: OatWhitelist(CONNECTION, dialect=dialect, client=connect(url))


@pytest.fixture(params=DIALECTS)
def told(request, connect) -> Told:
    with world(api=request.param, at=1000) as served:
        client = connect(served.server.url)
        yield Told(
            served, OatWhitelist(Connection("oat", served.server.url, ()), dialect=request.param, client=client)
        )


@pytest.fixture
def old(connect) -> Told:
    with world(api="1.6", at=1000) as served:
        client = connect(served.server.url)
        yield Told(served, OatWhitelist(Connection("oat", served.server.url, ()), dialect="1.6", client=client))


def next_kernel(told: Told, identity: str = "baseline:0123456789abcdef") -> Mle:
    """What publishes the values of the canary's new kernel."""
    like = told.whitelist.registration(CANARY).vmm
    values = shared_values(DL360, Boot(kernel=NEXT_KERNEL), 1)
    shown = {index: values[index] for index in (4, 17, 18, 19)}
    takes = told.whitelist.registers(MleKind.VMM)
    return mle_for(identity, "VMM 6.1.0-39 (DL360)", Bank.SHA1, shown, like, takes)
