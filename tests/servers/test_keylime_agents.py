"""Agents of a Keylime, taken out and added again: what is told, and what a hostile answer can't bring about."""

import json
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.servers.harness import answer
from tests.servers.keylime_world import BOOTED, World
from txt_dashboard.servers.base import AnswerUnusable, NotTaken, ServerError, ServerUnreachable
from txt_dashboard.servers.keylime_agents import KeylimeAgents
from txt_dashboard.servers.keylime_policy import allowing, allows, same
from txt_dashboard.servers.policed import PolicedAgent

ONE = {17: frozenset({b"\x17" * 32})}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "keylime")
    world.add("agent-1", "hv1")
    yield world
    world.close()


@pytest.fixture
def agents(world: World) -> Iterator[KeylimeAgents]:
    adapter = KeylimeAgents(world.connection(), clock=lambda: datetime.now(UTC))
    yield adapter
    adapter.close()


def shown(agents: KeylimeAgents) -> PolicedAgent:
    return agents.roll()["hv1"]


def test_an_agent_that_is_taken_out_and_added_is_the_same_with_another_policy(
    world: World, agents: KeylimeAgents
) -> None:
    before = shown(agents)
    again = agents.readmission(before)
    wanted = agents.allowing(before.policy, ONE)
    agents.remove("agent-1")
    assert agents.ids() == frozenset()
    agents.add("agent-1", {**again.said, "tpm_policy": wanted})
    assert agents.ids() == {"agent-1"}
    after = agents.agent("hv1", "agent-1")
    assert (after.shown, after.loses) == (before.shown, ())
    assert agents.allows(after.policy, ONE)
    assert again.public == world.agents["agent-1"].tpm.area
    assert again.said["supported_version"] == "2.1"


def test_what_is_told_of_what_nobody_knows_is_that_there_is_none(agents: KeylimeAgents) -> None:
    said = agents.readmission(shown(agents)).said
    assert (said["v"], said["mb_policy"]) == (None, None)
    assert {said[name] for name in ("runtime_policy", "revocation_key", "ima_sign_verification_keys")} == {""}


def test_the_newest_version_of_the_agents_interface_that_is_polled_is_told(
    world: World, agents: KeylimeAgents
) -> None:
    world.agents["agent-1"].versions = ["2.9", "2.10", "3.0", "2.x"]
    assert agents.readmission(shown(agents)).said["supported_version"] == "2.10"
    world.agents["agent-1"].versions = ["3.0", "2.x"]
    with pytest.raises(AnswerUnusable, match="no version"):
        agents.readmission(shown(agents))


def test_an_agent_that_does_not_answer_can_not_be_added_again(world: World, agents: KeylimeAgents) -> None:
    world.agents["agent-1"].httpd.shutdown()
    world.agents["agent-1"].httpd.server_close()
    with pytest.raises(ServerUnreachable, match="agent does not answer"):
        agents.readmission(shown(agents))


@pytest.mark.parametrize("body", [b"", b"[]", b'{"results": 1}', b'{"results": {"uuids": "agent-1"}}', b"<html>"])
def test_a_list_that_is_none_is_no_empty_list(world: World, agents: KeylimeAgents, body: bytes) -> None:
    world.instead = answer(body)
    with pytest.raises(AnswerUnusable):
        agents.ids()


def test_a_404_is_an_error_and_no_absence(world: World, agents: KeylimeAgents) -> None:
    world.instead = answer(b"{}", 404)
    with pytest.raises(AnswerUnusable):
        agents.ids()
    with pytest.raises(AnswerUnusable):
        agents.roll()


@pytest.mark.parametrize("id_", ["../mbpolicies/x", "a/stop", "", "a?b", "a" * 81])
def test_what_no_agent_can_be_called_is_not_asked_for(world: World, agents: KeylimeAgents, id_: str) -> None:
    for act in (agents.remove, agents.reactivate, agents.answers):
        with pytest.raises(NotTaken):
            act(id_)
    assert world.told == []


def test_the_command_is_safe_in_a_shell_and_names_what_must_be_added(world: World, agents: KeylimeAgents) -> None:
    world.agents["agent-1"].says |= {"has_runtime_policy": 1, "has_mb_refstate": 1}
    agent = shown(agents)
    words = shlex.split(agents.command(agent, agents.allowing(agent.policy, ONE)))
    assert words[:5] == ["keylime_tenant", "-c", "update", "-u", "agent-1"]
    assert json.loads(words[6])["17"] == [(b"\x17" * 32).hex()]
    assert words[7:] == [
        "--runtime-policy", "RUNTIME_POLICY_FILE", "--mb-policy", "MEASURED_BOOT_POLICY_FILE",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "row",
    [
        {"ip": "127.0.0.1\0"}, {"accept_tpm_hash_algs": ["sha256\0"]}, {"operational_state": 11}, {"ip": 7},
        {"has_runtime_policy": None}, {"has_mb_refstate": "0"}, {"accept_tpm_signing_algs": ["x"] * 41},
        {"last_event_id": "x" * 201}, {"tpm_policy": None},
    ],
)  # fmt: skip
def test_a_row_that_can_not_be_read_says_so_and_costs_no_other(
    world: World, agents: KeylimeAgents, row: dict[str, object]
) -> None:
    world.add("agent-2", "hv2")
    world.agents["agent-1"].says |= row
    found = agents.roll()
    assert found["hv1"].problem.startswith("what the verifier says of its agent can't be read")
    assert found["hv2"].problem == ""


def test_what_an_agent_registered_and_nobody_can_keep_is_not_told(world: World, agents: KeylimeAgents) -> None:
    certificate = world.agents["agent-1"].certificate
    world.agents["agent-1"].registers["mtls_cert"] = f"{certificate}\0"
    with pytest.raises(ServerError):
        agents.readmission(shown(agents))


# --- Policies as texts


def written(mask: str = "0x600ff", **more: object) -> str:
    return json.dumps({"0": [BOOTED[0].hex()], "17": [BOOTED[17].hex()], "mask": mask, **more})


def test_a_register_that_is_not_quoted_is_not_judged() -> None:
    values = {17: frozenset({BOOTED[17]})}
    assert allows(written(), values)
    assert not allows(written(mask="0x400ff"), values)
    assert allows(allowing(written(mask="0x400ff"), values), values)


def test_what_is_said_of_other_registers_and_the_mask_stays() -> None:
    changed = json.loads(allowing(written(), ONE))
    assert changed == {"0": [BOOTED[0].hex()], "17": [(b"\x17" * 32).hex()], "mask": "0x600ff"}


def test_a_policy_that_names_no_register_is_given_some() -> None:
    assert json.loads(allowing("{}", ONE)) == {"17": [(b"\x17" * 32).hex()], "mask": "0x20000"}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "no JSON", written(mask="17"), written(mask="0x1000000000"), written(**{"00": []}), written().upper(),
     written(**{"24": []}), written(**{"1": ["zz"]}), written(**{"1": ["00"]}), "[" * 100_000],
)  # fmt: skip
def test_a_policy_of_two_meanings_or_none_is_not_touched(text: str) -> None:
    assert not allows(text, {0: frozenset({BOOTED[0]})})
    with pytest.raises(NotTaken):
        allowing(text, ONE)


def test_policies_that_say_the_same_are_the_same() -> None:
    reordered = json.dumps({"mask": "0x0600FF", **dict(reversed(json.loads(written()).items()))})
    assert same(written(), reordered.replace("0x0600FF", "0x0600ff"))
    assert not same(written(), written(mask="0x700ff"))
    assert same("no JSON", "no JSON")
    assert not same("no JSON", written())
