"""Whatever breaks off, an agent is added again by whoever comes next, and nobody else's work is undone."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.actions.policies.conftest import NEXT, VMM, Fleet
from tests.rows import put_set
from tests.servers.harness import answer
from tests.servers.keylime_world import BOOTED, sentence
from txt_dashboard.actions.policies import records
from txt_dashboard.actions.policies.round import Round
from txt_dashboard.actions.policies.turn import LEASE
from txt_dashboard.attest.reference import Baseline
from txt_dashboard.models import Activity, AgentPolicy, PolicyRound
from txt_dashboard.queries.in_force import in_force

pytestmark = pytest.mark.django_db
AFTER_LEASE = LEASE.total_seconds() + 1


class Killed(BaseException):
    """The worker is no more."""


@pytest.fixture
def killed_at(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> Callable[[object, str], str]:
    """A worker that dies when it comes there; the host whose agent it had in hand."""

    def kill(owner: object, name: str) -> str:
        def die(*_: object, **__: object) -> None:
            raise Killed

        fleet.approve_next()
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, die)
            with pytest.raises(Killed):
                fleet.quiet()
        return str(AgentPolicy.objects.get(change__isnull=False).attestation.host.name)

    return kill


def fully_published(fleet: Fleet) -> None:
    """Every agent is in, attested, and judged by what is approved; none was ever untrusted."""
    assert fleet.world.out == set()
    assert set(fleet.stands().values()) == {"judged"}
    assert not AgentPolicy.objects.filter(change__isnull=False).exists()
    assert set(fleet.states().values()) == {"trusted"}
    assert fleet.lost() == set()
    for name in fleet.agents:
        assert NEXT.hex() in str(fleet.agents[name].row()["tpm_policy"])


def test_a_worker_that_dies_after_its_intention_is_followed_by_one_that_carries_it_out(
    fleet: Fleet, killed_at
) -> None:
    host = killed_at(Round, "_remove")
    assert fleet.told() == []
    fleet.turn(AFTER_LEASE)
    assert fleet.told() == [f"DELETE agent-{host}", f"POST agent-{host}"]
    fleet.settled(3)
    fully_published(fleet)


def test_a_worker_that_dies_after_it_took_an_agent_out_is_followed_by_one_that_adds_it(
    fleet: Fleet, killed_at
) -> None:
    host = killed_at(Round, "_wait_until_gone")
    assert fleet.world.out == {f"agent-{host}"}
    fleet.turn(4)
    assert fleet.world.out == {f"agent-{host}"}
    fleet.turn(AFTER_LEASE)
    assert fleet.world.out == set()
    fleet.settled(3)
    assert fleet.told(host) == [f"DELETE agent-{host}", f"POST agent-{host}"]
    fully_published(fleet)


def test_a_worker_that_dies_after_it_added_an_agent_is_followed_by_one_that_sees_it(fleet: Fleet, killed_at) -> None:
    host = killed_at(records, "keep")
    assert fleet.told() == [f"DELETE agent-{host}", f"POST agent-{host}"]
    fleet.settled(3)
    assert len(fleet.told(host)) == 2
    fully_published(fleet)


def test_a_lease_lets_no_two_workers_look_at_once(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    other, ran = fleet.another(), []
    run = Round.run

    def meanwhile(self: Round) -> bool:
        ran.append(self)
        if len(ran) == 1:
            other.turn()
        return run(self)

    monkeypatch.setattr(Round, "run", meanwhile)
    fleet.approve_next()
    fleet.quiet()
    assert len(ran) == 1
    assert len(fleet.told()) == 2


def test_who_lost_the_lease_touches_nothing_more(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = records.begin

    def slow(*args: Any, **more: Any) -> object:
        PolicyRound.objects.update(lease="another worker's")
        return begin(*args, **more)

    monkeypatch.setattr(records, "begin", slow)
    fleet.approve_next()
    fleet.quiet()
    assert fleet.told() == []
    assert PolicyRound.objects.get().lease == "another worker's"


def test_a_verifier_that_goes_down_in_between_costs_no_agent(fleet: Fleet) -> None:
    fleet.approve_next()
    fleet.world.refuses = lambda method, _: method == "POST"
    fleet.quiet()
    assert len(fleet.world.out) == 1
    fleet.world.instead = answer(b"{}", 503)
    fleet.quiet()
    assert "503" in fleet.round().problem
    fleet.world.instead = None
    fleet.world.refuses = lambda method, _: False
    fleet.settled(3)
    assert fleet.round().problem == ""
    fully_published(fleet)


def test_a_yes_to_taking_out_after_which_nothing_happened_is_given_up(fleet: Fleet, monkeypatch) -> None:
    monkeypatch.setattr("txt_dashboard.actions.policies.round.GONE_WITHIN", 0.2)
    fleet.world.obeys = lambda method, _: method != "DELETE"
    fleet.approve_next()
    fleet.quiet()
    host = fleet.proof().first_host
    for _ in range(2):
        fleet.turn(65)
    assert fleet.stand(host).change is None
    assert "did not take it out" in fleet.stand(host).problem
    assert {each.split()[0] for each in fleet.told()} == {"DELETE"}
    assert fleet.proof().state == "failed"
    fleet.world.obeys = lambda method, _: True
    fleet.settled(7)
    fully_published(fleet)


def test_a_yes_to_adding_after_which_nothing_happened_is_no_yes(fleet: Fleet) -> None:
    fleet.world.obeys = lambda method, _: method != "POST"
    fleet.approve_next()
    fleet.quiet()
    host = fleet.proof().first_host
    assert fleet.stand(host).change["added"] is False
    fleet.quiet()
    assert fleet.told() == [f"DELETE agent-{host}", f"POST agent-{host}", f"POST agent-{host}"]
    fleet.world.obeys = lambda method, _: True
    fleet.settled(3)
    fully_published(fleet)


def test_a_policy_that_the_verifier_does_not_take_is_followed_by_the_one_from_before(fleet: Fleet) -> None:
    fleet.world.refuses = lambda method, body: method == "POST" and NEXT.hex() in str(body["tpm_policy"])
    fleet.approve_next()
    fleet.quiet()
    host = fleet.proof().first_host
    assert fleet.world.out == set()
    assert json.loads(str(fleet.agents[host].row()["tpm_policy"]))["17"] == [BOOTED[17].hex()]
    assert "has the one from before again" in fleet.stand(host).problem
    assert fleet.proof().state == "failed"
    fleet.turn(70)
    assert set(fleet.states().values()) == {"trusted"}
    assert len(fleet.told()) == 3


def test_an_agent_that_somebody_adds_otherwise_meanwhile_is_theirs(fleet: Fleet) -> None:
    fleet.world.refuses = lambda method, _: method == "POST"
    fleet.approve_next()
    fleet.quiet()
    host = fleet.proof().first_host
    agent, before = fleet.agents[host], len(fleet.told())
    agent.says |= {"tpm_policy": json.dumps({"0": [BOOTED[0].hex()], "mask": "0x1"}), "has_runtime_policy": 1}
    fleet.world.out.clear()
    fleet.world.refuses = lambda method, _: False
    fleet.quiet()
    assert fleet.told(host) == fleet.told()[:before]
    assert (fleet.stand(host).stand, fleet.stand(host).change) == ("kept", None)
    assert Activity.objects.get(verb="policy rewritten").detail["outcome"].startswith("somebody else")


def test_an_agent_that_somebody_takes_out_after_we_added_it_stays_out(fleet: Fleet) -> None:
    fleet.approve_next()
    fleet.quiet()
    host = fleet.proof().first_host
    fleet.world.out.add(f"agent-{host}")
    fleet.settled(3)
    assert fleet.world.out == {f"agent-{host}"}
    assert len(fleet.told(host)) == 2


def test_an_agent_that_somebody_took_out_before_is_not_added(fleet: Fleet) -> None:
    fleet.world.out.add("agent-hv2")
    fleet.approve_next()
    fleet.settled(3)
    assert fleet.told("hv2") == []


def test_a_set_that_changes_while_an_agent_is_out_is_followed_next(fleet: Fleet) -> None:
    fleet.world.refuses = lambda method, _: method == "POST"
    fleet.approve_next()
    fleet.quiet()
    baseline = next(id_ for id_, entry in in_force().set.entries.items() if NEXT.hex() in json.dumps(entry))
    put_set({baseline: None})
    fleet.world.refuses = lambda method, _: False
    fleet.settled(4)
    assert fleet.world.out == set()
    for agent in fleet.agents.values():
        assert json.loads(str(agent.row()["tpm_policy"]))["17"] == [BOOTED[17].hex()]
    assert set(fleet.states().values()) == {"trusted"}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"results": []}', b'{"results": {"agent-hv1": []}}', b"<html>", b'{"results": {}}']
)
def test_an_answer_that_is_none_changes_nothing(fleet: Fleet, body: bytes) -> None:
    fleet.world.bulk = lambda: body
    fleet.approve_next()
    for _ in range(3):
        fleet.quiet()
    assert fleet.told() == []


def test_a_list_of_agents_that_lies_brings_no_second_agent(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lists nobody, so each looks as if it were not there: what it shows of all agents decides."""
    fleet.approve_next()
    known = fleet.world.known
    fleet.world.bulk = lambda: sentence(200, {id_: fleet.world.agents[id_].row() for id_ in known()})
    with monkeypatch.context() as lying:
        lying.setattr(fleet.world, "known", list)
        fleet.quiet()
    assert len(fleet.told()) == 2
    fleet.settled(4)
    fully_published(fleet)


def test_it_is_finished_where_it_was_begun_whatever_baseline_came_since(fleet: Fleet, killed_at) -> None:
    killed_at(Round, "_wait_until_gone")
    other = Baseline("another", VMM.part, VMM.bank, {17: b"\x18" * 32, 18: BOOTED[18]})
    fleet.approve(VMM, dict(other.values))
    fleet.turn(AFTER_LEASE)
    assert fleet.world.out == set()
    fleet.settled(4)
    fully_published(fleet)
