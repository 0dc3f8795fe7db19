"""Agents whose policies are left as they are: what would be lost, and what can't be told or must not be."""

import json
import shlex

import pytest

from tests.actions.policies.conftest import NEXT, PLATFORM, VMM, Fleet, baselines, policy
from tests.rows import count, put_set
from tests.servers.keylime_world import BOOTED
from txt_dashboard.queries.agent_policies import progress

pytestmark = pytest.mark.django_db


# --- Who is left alone


@pytest.mark.parametrize(
    ("shown", "option"),
    [
        ({"has_runtime_policy": 1}, "--runtime-policy RUNTIME_POLICY_FILE"),
        ({"has_mb_refstate": 1}, "--mb-policy MEASURED_BOOT_POLICY_FILE"),
        ({"v": "a2V5"}, "-f PAYLOAD_FILE"),
        ({"ip": None, "port": None}, "--push-model"),
    ],
)
def test_what_only_the_verifier_knows_keeps_an_agent_and_shows_the_command(
    fleet: Fleet, shown: dict[str, object], option: str
) -> None:
    fleet.agents["hv2"].says |= shown
    fleet.approve_next()
    fleet.settled(3)
    stand = fleet.stand("hv2")
    assert (stand.stand, fleet.told("hv2")) == ("kept", [])
    assert stand.command.startswith("keylime_tenant -c update -u agent-hv2 --tpm_policy '{")
    assert stand.command.endswith(option)
    assert NEXT.hex() in stand.command
    assert "mask" not in stand.command


def test_beside_a_measured_boot_policy_the_other_registers_are_enough(fleet: Fleet) -> None:
    fleet.agents["hv2"].says |= {"has_mb_refstate": 1}
    fleet.approve_next()
    fleet.settled(3)
    values = json.loads(shlex.split(fleet.stand("hv2").command)[6])
    fleet.agents["hv2"].says["tpm_policy"] = json.dumps({**values, "mask": "0x600ff"})
    fleet.settled()
    assert (fleet.stand("hv2").stand, fleet.stand("hv2").command) == ("judged", "")


def test_an_agent_that_is_judged_by_imas_register_is_kept(fleet: Fleet) -> None:
    fleet.agents["hv2"].says["tpm_policy"] = json.dumps({**policy(fleet, "hv2"), "mask": "0x604ff"})
    fleet.approve_next()
    fleet.settled(2)
    assert fleet.stand("hv2").stand == "kept"
    assert fleet.told("hv2") == []


@pytest.mark.parametrize("gone", ["has_runtime_policy", "has_mb_refstate", "accept_tpm_hash_algs"])
def test_flags_that_are_not_shown_keep_an_agent(fleet: Fleet, gone: str) -> None:
    fleet.agents["hv2"].hides.add(gone)
    fleet.approve_next()
    fleet.settled(2)
    assert (fleet.stand("hv2").stand, fleet.told("hv2")) == ("kept", [])


def test_a_payload_that_is_not_shown_to_be_none_keeps_an_agent(fleet: Fleet) -> None:
    fleet.agents["hv2"].hides.add("v")
    fleet.approve_next()
    fleet.settled(2)
    assert (fleet.stand("hv2").stand, fleet.told("hv2")) == ("kept", [])


@pytest.mark.parametrize("text", ['{"0": 1}', "no JSON", '{"mask": "0x600ff", "0": ["zz"]}', '{"00": [], "0": []}'])
def test_a_policy_that_can_not_be_read_is_left_alone(fleet: Fleet, text: str) -> None:
    fleet.agents["hv2"].says["tpm_policy"] = text
    fleet.approve_next()
    fleet.quiet()
    assert (fleet.stand("hv2").stand, fleet.told("hv2")) == ("kept", [])


def test_another_attestation_key_is_another_identity_and_is_not_added(fleet: Fleet) -> None:
    fleet.agents["hv2"].restart()
    fleet.approve_next()
    fleet.settled(2)
    assert fleet.told("hv2") == []
    assert "another attestation key" in fleet.stand("hv2").problem


def test_an_agent_that_does_not_answer_is_not_taken_out(fleet: Fleet) -> None:
    fleet.agents["hv2"].registers["port"] = 1024
    fleet.approve_next()
    fleet.settled(2)
    assert fleet.told("hv2") == []
    assert "does not answer" in fleet.stand("hv2").problem


def test_a_host_that_shows_what_nobody_approved_is_not_made_to_fail(fleet: Fleet) -> None:
    fleet.agents["hv2"].says["tpm_policy"] = json.dumps({**policy(fleet, "hv2"), "17": [(b"\x66" * 32).hex()]})
    fleet.agents["hv2"].values[17] = b"\x66" * 32
    fleet.turn(70)
    fleet.turn(700)
    assert fleet.states()["hv2"] == "untrusted"
    assert fleet.told("hv2") == []
    assert "not approved" in fleet.stand("hv2").problem


def test_what_can_not_be_told_as_lists_keeps_all_agents_of_the_pool(fleet: Fleet) -> None:
    for id_ in baselines():
        put_set({id_: None})
    fleet.approve(PLATFORM, BOOTED)
    fleet.quiet()
    assert set(fleet.stands().values()) == {"kept"}
    assert "part vmm" in fleet.stand("hv1").problem
    fleet.approve(VMM, BOOTED)
    for number in range(64):
        fleet.approve(VMM, {**BOOTED, 17: bytes([number, 1]) * 16})
    fleet.quiet()
    assert "register 17 has 65 approved values" in fleet.stand("hv1").problem
    assert fleet.told() == []


# --- Where nothing is written


def test_a_server_that_the_settings_do_not_name_is_only_read(fleet: Fleet, settings) -> None:
    settings.TXT_KEYLIME_PUBLISH = []
    fleet.boots_next("hv2")
    fleet.approve_next()
    fleet.settled(2)
    assert fleet.told() == []
    assert fleet.stands() == {}


def test_an_agent_that_is_out_when_it_is_switched_off_is_not_known_and_people_are_told(
    fleet: Fleet, settings
) -> None:
    fleet.approve_next()
    fleet.world.refuses = lambda method, _: method == "POST"
    fleet.quiet()
    name, told = fleet.proof().first_host, len(fleet.told())
    settings.TXT_KEYLIME_PUBLISH = []
    fleet.turn(70)
    assert len(fleet.told()) == told
    assert fleet.states()[name] == "unknown"
    (left,) = progress()
    assert (left.server, left.changing) == ("keylime", 1)
    assert "is added again by whoever runs it" in left.problem
    settings.TXT_KEYLIME_PUBLISH = ["keylime"]
    fleet.world.refuses = lambda method, _: False
    fleet.settled(3)
    assert fleet.states()[name] == "trusted"


def test_a_server_that_is_only_observed_is_told_nothing(fleet: Fleet) -> None:
    count(fleet.server, counts=False)
    fleet.approve_next()
    fleet.settled(2)
    assert fleet.told() == []
