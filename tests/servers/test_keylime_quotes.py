"""Quotes from Keylime's agents, over real TLS: what they prove, and which agents are not even asked."""

import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.servers.harness import Authority
from tests.servers.keylime_world import BOOTED, LOOPBACK, Agent, World, blob
from txt_dashboard.attest.evidence import Evidence, NoEvidence, Verdict, Voucher
from txt_dashboard.attest.keys import load_key
from txt_dashboard.attest.material import Binding, Material, Proven, prove
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.quote import Demand
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.attest.tpm_reader import FormatError
from txt_dashboard.servers.base import Agents, NotTaken
from txt_dashboard.servers.keylime_quotes import AT_ONCE, KeylimeQuotes, read_quote
from txt_dashboard.servers.keylime_wire import called

CHOSEN = frozenset({0, 7, 17, 18})
SELECTION = {Bank.SHA256: CHOSEN}
NONCE = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    running = World(tmp_path / "keylime")
    yield running
    running.close()


@pytest.fixture
def agent(world: World) -> Agent:
    return world.add("agent-1", "hv1")


def quotes(world: World, **changes: object) -> KeylimeQuotes:
    return KeylimeQuotes(world.connection(**changes), clock=lambda: datetime.now(UTC))


def ask(world: World, nonce: bytes = NONCE, **changes: object) -> Material | NoEvidence:
    return quotes(world, **changes).quote({"hv1": "agent-1"}, nonce, SELECTION).answers["hv1"]


def why(world: World, **changes: object) -> str:
    given = ask(world, **changes)
    assert isinstance(given, NoEvidence), given
    return str(given.finding)


def proven(material: Material | NoEvidence, key: bytes, nonce: bytes = NONCE) -> Proven:
    assert isinstance(material, Material), material
    said = Evidence(Verdict.TRUSTED, datetime.now(UTC))
    demand = Demand(nonce, {Bank.SHA256: CHOSEN | KeylimeQuotes.adds})
    return prove(said, material, Binding(load_key(key)), demand)


# --- What is asked, and what it proves ----------------------------------------------------------


def test_an_agents_quote_proves_its_registers(world: World, agent: Agent) -> None:
    evidence = proven(ask(world), agent.tpm.area).evidence
    assert (evidence.voucher, evidence.finding) == (Voucher.QUOTE, None)
    assert evidence.registers == {Bank.SHA256: {index: BOOTED[index] for index in sorted(CHOSEN)}}
    assert agent.asked == [
        {"path": "/v2.1/quotes/integrity", "nonce": NONCE.decode(), "mask": "0x60081", "partial": "1"}
    ]


def test_what_comes_behind_the_quote_is_not_read(world: World, agent: Agent) -> None:
    agent.measured = "10 0000 ima-ng sha256:00 /usr/bin/true\n" * 200_000
    assert proven(ask(world), agent.tpm.area).evidence.voucher is Voucher.QUOTE


def test_the_key_that_the_registrar_shows_is_for_people_to_approve(world: World, agent: Agent) -> None:
    approved = agent.tpm.area
    agent.restart()
    material = ask(world)
    assert isinstance(material, Material)
    assert material.public == agent.tpm.area
    assert proven(material, approved).evidence.finding.reason is Reason.TPM_IDENTITY_CHANGED


def test_a_quote_of_an_earlier_nonce_is_refused(world: World, agent: Agent) -> None:
    old = agent.quote(b"yesterday", 0x60081)
    agent.tamper = lambda parts: parts.update(old)
    finding = proven(ask(world), agent.tpm.area).evidence.finding
    assert finding.reason is Reason.QUOTE_REJECTED
    assert "another nonce" in str(finding)


def test_a_quote_of_another_agent_is_refused(world: World, agent: Agent) -> None:
    other = world.add("agent-2")
    agent.tamper = lambda parts: parts.update(other.quote(NONCE, 0x60081))
    finding = proven(ask(world), agent.tpm.area).evidence.finding
    assert finding.reason is Reason.QUOTE_REJECTED
    assert "not by this key" in str(finding)


def test_registers_that_were_not_asked_for_are_refused(world: World, agent: Agent) -> None:
    agent.tamper = lambda parts: parts.update(agent.quote(NONCE, 0x1))
    finding = proven(ask(world), agent.tpm.area).evidence.finding
    assert finding.reason is Reason.QUOTE_REJECTED
    assert "Other registers are quoted" in str(finding)


def test_values_that_the_tpm_did_not_sign_are_refused(world: World, agent: Agent) -> None:
    forged = {index: BOOTED[index] for index in CHOSEN | {16}} | {17: bytes(32)}
    agent.tamper = lambda parts: parts.update(values=base64.b64encode(blob(forged)).decode())
    assert "not those that the TPM signed" in str(proven(ask(world), agent.tpm.area).evidence.finding)


# --- Whom we ask --------------------------------------------------------------------------------


def test_an_agent_is_asked_only_inside_of_the_networks_allowed(world: World, agent: Agent) -> None:
    elsewhere = replace(world.connection().agents, networks=(ip_network("10.0.0.0/8"),))
    assert "outside the networks" in why(world, agents=elsewhere)
    for address in ("169.254.169.254", "::1", "fe80::1"):
        agent.registers["ip"] = address
        assert "outside the networks" in why(world)
    assert agent.asked == []


@pytest.mark.parametrize("address", ["127.0.0.1:1/x?", "user@127.0.0.1", "a b", "[::1", "x" * 300])
def test_an_address_that_is_none_is_not_asked(world: World, agent: Agent, address: str) -> None:
    agent.registers["ip"] = address
    assert why(world)
    assert agent.asked == []


def test_an_agent_is_asked_only_at_the_ports_allowed(world: World, agent: Agent) -> None:
    for ports in (range(9002, 9003), range(0)):
        assert "port" in why(world, agents=Agents(world.registrar, LOOPBACK, ports))
    for port in (0, -1, 22, 70_000):
        agent.registers["port"] = port
        assert "port" in why(world)
    assert agent.asked == []


def test_an_agent_must_show_exactly_the_certificate_that_it_registered(
    world: World, agent: Agent, tmp_path: Path
) -> None:
    agent.registers["mtls_cert"] = Authority(tmp_path, "somebody").pem
    assert isinstance(ask(world), NoEvidence)
    assert agent.asked == []


def test_a_certificate_that_another_one_signed_is_not_the_one(world: World, agent: Agent) -> None:
    """The registered one is an authority, too; what it signs is still another certificate."""
    other = world.add("agent-2")
    agent.registers |= {"mtls_cert": world.authority.pem, "port": other.port}
    assert isinstance(ask(world), NoEvidence)
    assert other.asked == []


@pytest.mark.parametrize("certificate", [None, "", "disabled", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_an_agent_without_a_certificate_is_not_asked(world: World, agent: Agent, certificate: object) -> None:
    agent.registers["mtls_cert"] = certificate
    assert "certificate" in why(world)
    assert agent.asked == []


def test_an_agent_without_an_address_can_t_be_asked(world: World, agent: Agent) -> None:
    for nowhere in ({"ip": None}, {"ip": ""}, {"port": None}):
        agent.registers = {"ip": "127.0.0.1", "port": agent.port, **nowhere}
        assert "no address" in why(world)
    assert agent.asked == []


def test_an_agent_that_pushes_and_never_pushed_has_no_quote(world: World, agent: Agent) -> None:
    given = quotes(world).quote({"hv1": called("agent-1", pushes=True)}, NONCE, SELECTION).answers["hv1"]
    assert "404" in str(given.finding)
    assert agent.asked == []


def test_the_secret_of_the_server_reaches_no_agent(world: World, agent: Agent) -> None:
    seen: list[str | None] = []
    honest = agent.respond
    agent.httpd.RequestHandlerClass.do_GET = lambda self: (seen.append(self.headers.get("x-auth-blob")), honest(self))
    assert isinstance(ask(world, auth_blob="secret"), Material)
    assert seen == [None]


# --- What goes wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize("public", ["no base64!", "", "A" * 20_000, None])
def test_a_registration_of_another_form_costs_that_host(world: World, agent: Agent, public: object) -> None:
    world.add("agent-2")
    agent.registers["aik_tpm"] = public
    answers = quotes(world).quote({"hv1": "agent-1", "hv2": "agent-2"}, NONCE, SELECTION).answers
    assert answers["hv1"].finding.reason is Reason.ANSWER_MALFORMED
    assert isinstance(answers["hv2"], Material)


def test_a_host_that_the_registrar_does_not_know_has_no_quote(world: World) -> None:
    assert "404" in why(world)


BAD_IDS = ("../agents", "a/b", "", "a" * 200)


@pytest.mark.parametrize("name", [*BAD_IDS, *(f"{each}+pushes" for each in (*BAD_IDS, "a+pushes"))])
def test_no_agents_id_leads_elsewhere(world: World, name: str) -> None:
    given = quotes(world).quote({"hv1": name}, NONCE, SELECTION).answers["hv1"]
    assert "no agent can be called that" in str(given.finding)


def test_an_agent_that_is_down_or_hangs_costs_its_host_and_no_more_than_the_deadline(
    world: World, agent: Agent
) -> None:
    other = world.add("agent-2")
    other.tamper = lambda _: time.sleep(5)
    agent.registers["port"] = 9
    began = time.monotonic()
    hosts = {"hv1": "agent-1", "hv2": "agent-2"}
    down = replace(world.connection(deadline=1.0).agents, ports=range(65_536))
    answers = quotes(world, deadline=1.0, agents=down).quote(hosts, NONCE, SELECTION).answers
    assert {each.finding.reason for each in answers.values()} == {Reason.HOST_TIMEOUT}
    assert time.monotonic() - began < 3


def test_agents_are_asked_some_at_a_time(world: World) -> None:
    running, most = 0, 0

    def slow(_: dict[str, str]) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.05)
        running -= 1

    hosts = {}
    for number in range(AT_ONCE + 4):
        world.add(f"agent-{number}").tamper = slow
        hosts[f"hv{number}"] = f"agent-{number}"
    answers = quotes(world).quote(hosts, NONCE, SELECTION).answers
    assert all(isinstance(each, Material) for each in answers.values())
    assert 1 < most <= AT_ONCE


def test_registers_of_two_banks_can_t_be_had(world: World, agent: Agent) -> None:
    with pytest.raises(NotTaken, match="one bank"):
        quotes(world).quote({"hv1": "agent-1"}, NONCE, {**SELECTION, Bank.SHA1: CHOSEN})


def test_without_a_registrar_there_are_no_quotes(world: World) -> None:
    assert quotes(world).offers_quotes()
    assert not quotes(world, agents=Agents()).offers_quotes()
    assert "no registrar" in why(world, agents=Agents())


def test_a_registrar_that_is_away_costs_the_quotes_and_nothing_more(world: World) -> None:
    away = quotes(world, agents=Agents("https://127.0.0.1:9", LOOPBACK, range(1024, 65536)))
    assert away.offers_quotes()
    given = away.quote({"hv1": "agent-1"}, NONCE, SELECTION).answers["hv1"]
    assert given.finding.reason is Reason.HOST_TIMEOUT


@pytest.mark.parametrize(
    "broken",
    [
        lambda text: text[1:],
        lambda text: text + ":AAAA",
        lambda text: text.rpartition(":")[0],
        lambda text: text.replace(":", ";"),
        lambda text: "r::",
        lambda text: text[:9] + "!" + text[10:],
        lambda text: text[:-8],
        lambda text: "r\u00e9:AAAA:AAAA",
    ],
)
def test_a_quote_of_another_form_is_none(agent: Agent, broken: Callable[[str], str]) -> None:
    parts = agent.quote(NONCE, 1)
    text = "r" + ":".join((parts["message"], parts["signature"], parts["values"]))
    assert read_quote(text).reported
    with pytest.raises(FormatError):
        read_quote(broken(text))
