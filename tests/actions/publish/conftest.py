"""A worker, and a simulated server that it really speaks to, by one clock."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.conftest import Clock
from tests.rows import make_host, make_server, put_set, write_reference
from tests.simulator.conftest import World, world
from txt_dashboard.actions.connect import connect, connect_whitelist
from txt_dashboard.actions.cycle import Worker
from txt_dashboard.attest.entries import baseline_entry, baseline_id
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import Baseline, Part, Policy, Requirement
from txt_dashboard.models import Host, HostEvent
from txt_dashboard.simulator.fleet import DL360, Boot, shared_values
from txt_dashboard.simulator.story import NEXT_KERNEL
from txt_dashboard.simulator.whitelist import MleType, all_mles

PLATFORM, VMM = frozenset({0, 2, 7}), frozenset({4, 17, 18, 19})
FEW = frozenset({0, 2}), frozenset({17, 18, 19})  # what 2.x takes of them
BEFORE, CANARY, WAVE = 0.0, 480.0, 1000.0  # seconds of the story


class Lab:
    """Its hosts are those of pool az2 that get the next kernel."""

    def __init__(self, served: World, clock: Clock, needs: tuple[frozenset[int], frozenset[int]]) -> None:
        self.served = served
        self.clock = clock
        self.story = served.server.dialect.simulation.story
        self.registry = served.server.dialect.simulation.registry
        served.server.dialect.now = clock
        self.row = make_server(url=served.server.url, kind=f"oat-{served.server.dialect.name}", deadline_s=5)
        write_reference(self.row, tuple(_baseline(mle) for mle in all_mles(served.fleet)), _policy(*needs))
        self.canary, self.others = self.story.canary.hosts[0], self.story.wave.hosts
        for name in (self.canary, *self.others):
            make_host(name, self.row, "az2")
        self.worker = self.another()
        self.asked: list[str] = []
        self.fail: Callable[[str], None] = lambda said: None
        answer = served.server.dialect.answer

        def listen(request):
            said = f"{request.method} {request.path.rsplit('/', 1)[1]}"
            self.fail(said)
            self.asked.append(said)
            return answer(request)

        served.server.dialect.answer = listen

    def another(self) -> Worker:
        return Worker(self.clock, connect, connect_whitelist)

    def approve(self) -> Baseline:
        """Puts the next kernel's values in force."""
        values = shared_values(DL360, Boot(kernel=NEXT_KERNEL), self.served.fleet.seed)
        chosen = {index: values[index] for index in VMM}
        new = Baseline(f"VMM {NEXT_KERNEL}", Part.VMM, Bank.SHA1, chosen)
        put_set({baseline_id(new): baseline_entry(new)})
        return new

    def turn(self, at: float, seconds: float = 70) -> None:
        """A turn of the worker at this second of the story, with everybody due."""
        self.served.move(at)
        self.clock.advance(seconds=seconds)
        self.asked.clear()
        self.worker.turn()

    def changes(self) -> list[str]:
        return [each for each in self.asked if not each.startswith("GET") and "PollHosts" not in each]

    def states(self) -> dict[str, str]:
        return dict(Host.objects.filter(name__in=(self.canary, *self.others)).values_list("name", "state"))

    def lost(self) -> set[str]:
        """Hosts that were ever found something else after they had been trusted."""
        moved = HostEvent.objects.filter(previous_state="trusted").exclude(state="trusted")
        return set(moved.values_list("host__name", flat=True))

    def register_with_the_old_kernel(self, *names: str) -> None:
        """As somebody at the server might do it."""
        old = next(mle.key for mle in self.registry.mles.values() if mle.name == "VMM 6.1.0-37 (DL360)")
        for name in names:
            self.registry.edit_host(replace(self.registry.hosts[name], vmm=old), mles_too=True)


def _baseline(mle) -> Baseline:
    part = Part.PLATFORM if mle.kind is MleType.BIOS else Part.VMM
    return Baseline(mle.name, part, Bank.SHA1, mle.values)


def _policy(platform: frozenset[int], vmm: frozenset[int]) -> Policy:
    needs = (Requirement(Part.PLATFORM, Bank.SHA1, platform), Requirement(Part.VMM, Bank.SHA1, vmm))
    return Policy(needs, timedelta(minutes=10))


@pytest.fixture
def labs(db, clock) -> Iterator[Callable[..., Lab]]:
    """Makes one: `labs("2.x", needs=FEW)`."""
    with ExitStack() as stack:

        def make(api: str = "1.6", hosts: int = 37, needs: tuple[frozenset[int], frozenset[int]] = (PLATFORM, VMM)):
            return Lab(stack.enter_context(world(api=api, hosts=hosts)), clock, needs)

        yield make


@pytest.fixture
def lab(labs) -> Lab:
    return labs()
