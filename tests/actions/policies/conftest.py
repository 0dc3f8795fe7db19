"""Hosts of a Keylime whose verifier, registrar and agents answer over real TLS, by a clock that tests move."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.rows import make_host, make_server, put_set
from tests.servers.keylime_world import BOOTED, Agent, World
from txt_dashboard.actions.connect import connect, connect_agents, connect_golden, connect_quotes
from txt_dashboard.actions.cycle import Worker
from txt_dashboard.attest import entries
from txt_dashboard.attest.bound_key import KeySource, bind
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import Baseline, Part, Policy, Requirement
from txt_dashboard.models import AgentPolicy, Host, HostEvent, PolicyRound, Publication
from txt_dashboard.queries.in_force import in_force

PLATFORM = Requirement(Part.PLATFORM, Bank.SHA256, frozenset({0, 4, 7}))
VMM = Requirement(Part.VMM, Bank.SHA256, frozenset({17, 18}))
NEXT = b"\x17" * 32  # register 17 after the next kernel
NAMES = ("hv1", "hv2", "hv3")


class Fleet:
    """Its hosts are trusted, and their agents' policies hold what was approved."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.later = timedelta(0)
        self.agents: dict[str, Agent] = {name: world.add(f"agent-{name}", name) for name in NAMES}
        self.server = make_server(
            "keylime", kind="keylime", url=world.url, ca_pem=world.authority.pem, passes_quotes=True, interval_s=60,
            listed_at=datetime.now(UTC) + timedelta(days=1),
        )  # fmt: skip
        self.approve(PLATFORM, BOOTED)
        self.approve(VMM, BOOTED)
        policy = Policy((PLATFORM, VMM), validity=timedelta(minutes=10))
        of = entries.PolicyOf("keylime", "", policy)
        put_set({entries.policy_id("keylime", ""): entries.policy_entry(of)})
        for name, agent in self.agents.items():
            agent.says["tpm_policy"] = agent.row()["tpm_policy"]  # of what it boots now
            make_host(name, self.server)
            bound = bind("keylime", name, agent.tpm.area, KeySource.SERVER)
            put_set({entries.key_id("keylime", name): entries.key_entry(bound)})
        self.worker = self.another()
        self.turn()
        self.turn(70)

    def another(self) -> Worker:
        return Worker(self.now, connect, quotes=connect_quotes, golden=connect_golden, agents=connect_agents)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later

    def approve(self, need: Requirement, values: dict[int, bytes], *, pools: frozenset[str] = frozenset()) -> None:
        held = {index: values[index] for index in need.registers}
        baseline = Baseline(f"{need.part} {values[min(held)].hex()[:4]}", need.part, Bank.SHA256, held, pools)
        put_set({entries.baseline_id(baseline): entries.baseline_entry(baseline)})

    def approve_next(self) -> None:
        """The next kernel's values, beside those of the present one."""
        self.approve(VMM, {**BOOTED, 17: NEXT})

    def boots_next(self, name: str) -> None:
        """The host boots the next kernel: the verifier rejects it, or is content with it."""
        self.agents[name].values[17] = NEXT
        self.turn(70)

    def turn(self, seconds: float = 4) -> None:
        """A turn after some time, in which the verifier attested all agents."""
        self.later += timedelta(seconds=seconds)
        self.world.attest(int(self.now().timestamp()))
        self.worker.turn()

    def quiet(self, seconds: float = 4) -> None:
        """A turn in which the verifier attested nobody."""
        self.later += timedelta(seconds=seconds)
        self.worker.turn()

    def settled(self, turns: int = 12) -> None:
        """Turns until nothing is under way, with polls."""
        for _ in range(turns):
            self.turn(61)
            self.turn()

    def states(self) -> dict[str, str]:
        return dict(Host.objects.values_list("name", "state"))

    def stand(self, name: str) -> AgentPolicy:
        return AgentPolicy.objects.get(attestation__host__name=name)

    def stands(self) -> dict[str, str]:
        return dict(AgentPolicy.objects.values_list("attestation__host__name", "stand"))

    def proof(self) -> Publication:
        """Of the version that came last."""
        return Publication.objects.latest("id")

    def round(self) -> PolicyRound:
        return PolicyRound.objects.get()

    def told(self, name: str = "") -> list[str]:
        """What the verifier was to do, in order."""
        return [f"{method} {id_}" for method, id_, _ in self.world.told if not name or id_ == f"agent-{name}"]

    def lost(self) -> set[str]:
        """Hosts that were ever found something else after they had been trusted."""
        moved = HostEvent.objects.filter(previous_state="trusted").exclude(state="trusted")
        return set(moved.values_list("host__name", flat=True))


@pytest.fixture
def fleets(db, tmp_path: Path, settings) -> Iterator[Callable[[], Fleet]]:
    """Makes one."""
    world = World(tmp_path / "keylime")
    world.name_in(settings)
    settings.TXT_KEYLIME_PUBLISH = ["keylime"]
    yield lambda: Fleet(world)
    world.close()


@pytest.fixture
def fleet(fleets: Callable[[], Fleet]) -> Fleet:
    return fleets()


def policy(fleet: Fleet, name: str) -> dict[str, object]:
    """The policy of a host's agent, as the verifier shows it."""
    found: dict[str, object] = json.loads(str(fleet.agents[name].row()["tpm_policy"]))
    return found


def baselines() -> dict[str, object]:
    """Those in force."""
    return {id_: entry for id_, entry in in_force().set.entries.items() if id_.startswith("baseline:")}
