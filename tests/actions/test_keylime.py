"""A worker and a Keylime over real TLS: what its agents prove, when they are asked, and what a host becomes by it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.factories import BASELINES
from tests.rows import count, make_host, make_server, put_set, write_reference
from tests.servers.keylime_world import BOOTED, Agent, World
from txt_dashboard import conf
from txt_dashboard.actions.connect import connect, connect_golden, connect_quotes
from txt_dashboard.actions.cycle import Worker
from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.actions.polling import poll_now
from txt_dashboard.attest import entries
from txt_dashboard.attest.bound_key import KeySource, bind
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reasons import Reason
from txt_dashboard.attest.reference import Baseline, Endpoint, Part, Policy, Requirement
from txt_dashboard.models import Activity, Attestation, Host, Quoted, Server, Whitelisted
from txt_dashboard.queries.publishing import unapproved
from txt_dashboard.queries.reference import current_reference

pytestmark = pytest.mark.django_db
PLATFORM = Requirement(Part.PLATFORM, Bank.SHA256, frozenset({0, 4, 7}))
VMM = Requirement(Part.VMM, Bank.SHA256, frozenset({17, 18}))


class Fleet:
    """One host, its Keylime and a worker whose clock a test moves."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.agent = world.add("agent-1", "hv1")
        self.later = timedelta(0)
        self.server = make_server(
            "keylime", kind="keylime", url=world.url, ca_pem=world.authority.pem, passes_quotes=True, interval_s=60,
            listed_at=datetime.now(UTC) + timedelta(days=1),
        )  # fmt: skip
        golden = [
            Baseline(
                f"golden {need.part}", need.part, Bank.SHA256, {index: BOOTED[index] for index in need.registers}
            )
            for need in (PLATFORM, VMM)
        ]
        policy = Policy((PLATFORM, VMM), validity=timedelta(minutes=10))
        put_set({entries.baseline_id(each): entries.baseline_entry(each) for each in golden})
        of = entries.PolicyOf("keylime", "", policy)
        put_set({entries.policy_id("keylime", ""): entries.policy_entry(of)})
        make_host("hv1", self.server)
        self.worker = Worker(self.now, connect, quotes=connect_quotes, golden=connect_golden)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later

    def poll(self, seconds: float = 70) -> Host:
        """A turn after some time; the verifier's clock goes with ours."""
        self.later += timedelta(seconds=seconds)
        at = int(self.now().timestamp())
        for agent in self.world.agents.values():
            agent.says |= {"last_received_quote": at, "last_successful_attestation": at}
        self.worker.turn()
        return Host.objects.get()

    def approve_key(self) -> None:
        public = bytes(Quoted.objects.get().public)
        put_set(
            {entries.key_id("keylime", "hv1"): entries.key_entry(bind("keylime", "hv1", public, KeySource.SERVER))}
        )

    def trusted(self) -> Agent:
        self.poll()
        self.approve_key()
        assert self.poll().state == "trusted"
        self.agent.asked.clear()
        return self.agent

    def every(self, seconds: int) -> None:
        Server.objects.update(quote_interval_s=seconds)


@pytest.fixture
def fleet(tmp_path: Path, settings) -> Iterator[Fleet]:
    world = World(tmp_path / "keylime")
    world.name_in(settings)
    yield Fleet(world)
    world.close()


def test_the_verifiers_word_without_an_approved_key_makes_nobody_trusted(fleet: Fleet) -> None:
    assert fleet.poll().state == "unknown"
    assert Quoted.objects.get().public == fleet.agent.tpm.area


def test_a_quote_by_the_approved_key_makes_a_host_trusted(fleet: Fleet) -> None:
    fleet.trusted()
    of = Attestation.objects.get()
    assert (of.voucher, of.verdict, of.details["agent"]) == ("quote", "trusted", "agent-1")


def test_an_extended_register_turns_the_host_with_both_verdicts(fleet: Fleet) -> None:
    agent = fleet.trusted()
    agent.values[17] = bytes(32)
    agent.says |= {
        "operational_state": 9, "attestation_status": "FAIL", "last_event_id": "pcr_validation.invalid_pcr_17",
    }  # fmt: skip
    host = fleet.poll()
    assert (host.state, host.reason, host.differing) == ("untrusted", Reason.REGISTERS_DIFFER.code, [17])
    of = Attestation.objects.get()
    assert (of.verdict, of.details["event"]) == ("untrusted", "pcr_validation.invalid_pcr_17")


def test_what_the_verifier_does_not_look_at_is_seen_all_the_same(fleet: Fleet) -> None:
    fleet.trusted().values[4] = bytes(32)
    host = fleet.poll()
    assert (host.state, host.differing) == ("untrusted", [4])


def test_an_agent_with_a_new_key_is_not_believed_until_people_approve_it(fleet: Fleet) -> None:
    fleet.trusted().restart()
    host = fleet.poll()
    assert (host.state, host.reason) == ("unknown", Reason.TPM_IDENTITY_CHANGED.code)
    fleet.approve_key()
    assert fleet.poll().state == "trusted"


def test_an_agent_that_is_down_lets_evidence_run_out(fleet: Fleet) -> None:
    agent = fleet.trusted()
    agent.registers["port"] = 1024
    agent.says |= {"operational_state": 7, "attestation_status": "FAIL"}
    assert fleet.poll().state == "trusted"
    assert fleet.poll(seconds=700).state == "stale"


# --- When TPMs are asked ------------------------------------------------------------------------


def test_tpms_are_asked_at_each_poll_unless_somebody_chose_otherwise(fleet: Fleet) -> None:
    agent = fleet.trusted()
    fleet.poll()
    fleet.poll()
    assert len(agent.asked) == 2


def test_tpms_are_asked_as_often_as_was_chosen(fleet: Fleet) -> None:
    fleet.every(200)
    agent = fleet.trusted()
    assert fleet.poll().state == "trusted"
    of = Attestation.objects.get()
    assert (of.answered, of.silence, of.failures) == (True, None, 0)
    assert agent.asked == []
    before = of.valid_until
    fleet.poll()
    assert (len(agent.asked), Attestation.objects.get().valid_until) == (0, before)
    fleet.poll()
    assert len(agent.asked) == 1
    assert Attestation.objects.get().valid_until > before


def test_a_verdict_that_changes_has_the_tpm_asked_at_once(fleet: Fleet) -> None:
    fleet.every(3600)
    agent = fleet.trusted()
    agent.values[18] = bytes(32)
    agent.says |= {"attestation_status": "FAIL", "last_event_id": "pcr_validation.invalid_pcr_18"}
    assert fleet.poll().differing == [18]


def test_a_verdict_that_changes_counts_although_no_quote_comes(fleet: Fleet) -> None:
    fleet.every(3600)
    agent = fleet.trusted()
    agent.registers["port"] = 1024
    agent.says |= {"attestation_status": "FAIL", "last_event_id": "pcr_validation.invalid_pcr_18"}
    assert fleet.poll().state == "untrusted"


def test_who_polls_now_has_the_tpm_asked_now(fleet: Fleet) -> None:
    fleet.every(3600)
    agent = fleet.trusted()
    poll_now(COMMAND_LINE, now=fleet.now(), host="hv1")
    fleet.poll(seconds=1)
    assert len(agent.asked) == 1


def test_a_long_pause_between_quotes_prolongs_no_trust(fleet: Fleet) -> None:
    fleet.every(3600)
    agent = fleet.trusted()
    assert fleet.poll(seconds=400).state == "trusted"
    assert agent.asked == []
    agent.registers["port"] = 1024
    assert fleet.poll(seconds=190).state == "trusted"
    assert fleet.poll(seconds=20).state == "stale"


def test_evidence_that_would_run_out_has_the_tpm_asked_before(fleet: Fleet) -> None:
    fleet.every(3600)
    agent = fleet.trusted()
    assert fleet.poll(seconds=500).state == "trusted"
    assert len(agent.asked) == 1


def test_a_key_that_changes_in_the_set_has_the_tpm_asked_at_once(fleet: Fleet) -> None:
    fleet.every(3600)
    agent = fleet.trusted()
    put_set({entries.key_id("keylime", "hv1"): None})
    assert fleet.poll(seconds=1).state == "unknown"
    fleet.approve_key()
    assert fleet.poll(seconds=1).state == "trusted"
    assert agent.asked


def test_ports_are_one_or_a_range(settings) -> None:
    settings.TXT_KEYLIME_AGENT_PORTS = "9002"
    assert list(conf.keylime_agent_ports()) == [9002]
    settings.TXT_KEYLIME_AGENT_PORTS = "9002-9004"
    assert list(conf.keylime_agent_ports()) == [9002, 9003, 9004]


# --- What the verifier judges by ----------------------------------------------------------------


def judged_by(fleet: Fleet, policy: dict[int, list[bytes]]) -> list[str]:
    """What nobody approved of this policy."""
    text = {str(index): [each.hex() for each in values] for index, values in policy.items()}
    fleet.agent.says["tpm_policy"] = json.dumps({**text, "mask": "0x600ff"})
    fleet.poll(seconds=700)
    return [row.problem or " ".join(row.values) for row in unapproved(current_reference(), fleet.now())]


def test_a_policy_of_approved_values_is_no_finding(fleet: Fleet) -> None:
    assert judged_by(fleet, {index: [BOOTED[index]] for index in (0, 4, 17)}) == []
    assert sorted((row.part, " ".join(row.values)) for row in Whitelisted.objects.all()) == [
        ("platform", "0 4"),
        ("vmm", "17"),
    ]


def test_a_value_that_nobody_approved_is_found_once(fleet: Fleet) -> None:
    for _ in range(2):
        assert judged_by(fleet, {0: [BOOTED[0], bytes(32)], 17: [BOOTED[17]]}) == ["0"]
    (entry,) = Activity.objects.filter(verb="unapproved values")
    assert (entry.target, entry.detail["hosts"]) == ("keylime", 1)


def test_a_register_that_no_baseline_names_is_a_finding(fleet: Fleet) -> None:
    assert judged_by(fleet, {0: [BOOTED[0]], 5: [BOOTED[5]]}) == ["0 5"]


def test_a_policy_that_lets_everything_pass_is_a_finding(fleet: Fleet) -> None:
    assert judged_by(fleet, {}) == ["it names no register, so it matches every host"]


def test_nothing_is_read_of_a_server_that_is_only_observed(fleet: Fleet) -> None:
    count(fleet.server, counts=False)
    assert judged_by(fleet, {0: [bytes(32)]}) == []


# --- Beside OpenAttestation ---------------------------------------------------------------------


def test_a_fleet_moves_from_one_server_to_the_other_without_a_minute_untrusted(fleet: Fleet, scripted) -> None:
    oat = make_server("oat-1", listed_at=datetime.now(UTC) + timedelta(days=1))
    write_reference(oat, BASELINES)
    golden = [
        Baseline(f"golden {need.part}", need.part, Bank.SHA256, {index: BOOTED[index] for index in need.registers})
        for need in (PLATFORM, VMM)
    ]
    put_set({entries.baseline_id(each): entries.baseline_entry(each) for each in golden})
    count(fleet.server, counts=False)
    Attestation.objects.create(host=Host.objects.get(), server=oat, due_at=fleet.now())
    scripted.clock = fleet.now
    fleet.worker = Worker(
        fleet.now, lambda row, clock: scripted if row.name == "oat-1" else connect(row, clock), quotes=connect_quotes
    )
    states = [fleet.poll().state, fleet.poll().state]
    fleet.approve_key()
    states += [fleet.poll().state, fleet.poll().state]
    assert Attestation.objects.get(server=fleet.server).match == "trusted"
    for server, counts in ((fleet.server, True), (oat, False)):
        endpoint = Endpoint(server.name, server.kind, server.url, server.ca_pem, counts=counts)
        put_set({entries.server_id(server.name): entries.server_entry(endpoint)})
        states += [fleet.poll(seconds=1).state, fleet.poll().state]
    assert set(states) == {"trusted"}
    fleet.agent.values[17] = bytes(32)
    assert fleet.poll().differing == [17]


# --- Agents that push ---------------------------------------------------------------------------


def pushing(fleet: Fleet) -> Agent:
    """The host pushes its evidence, and is trusted by it."""
    fleet.agent.push()
    fleet.poll(seconds=1)
    fleet.approve_key()
    assert fleet.poll(seconds=1).state == "trusted"
    return fleet.agent


def test_what_an_agent_pushed_is_verified_and_stays_the_servers_word(fleet: Fleet) -> None:
    pushing(fleet)
    of = Attestation.objects.get()
    assert (of.voucher, of.verdict, of.doubt) == ("relayed", "trusted", None)


def test_the_same_evidence_shown_again_is_no_tpm_that_went_back_and_runs_out(fleet: Fleet) -> None:
    pushing(fleet)
    assert fleet.poll().state == "trusted"
    until = Attestation.objects.get().valid_until
    assert fleet.poll().state == "trusted"
    assert Attestation.objects.get().valid_until == until
    assert fleet.poll(seconds=600).state == "stale"


def test_an_older_quote_pushed_again_is_seen(fleet: Fleet) -> None:
    agent = pushing(fleet)
    old = agent.latest
    agent.push(b"another challenge")
    assert fleet.poll().state == "trusted"
    agent.latest = {**old, "evidence_received_at": fleet.now().isoformat()}
    assert fleet.poll().reason == Reason.TPM_ROLLED_BACK.code


def test_all_registers_that_differ_are_named_where_keylime_names_none(fleet: Fleet) -> None:
    agent = pushing(fleet)
    agent.values |= {4: bytes(32), 17: bytes(32)}
    agent.push(b"another challenge", evaluation="fail")
    agent.says |= {"attestation_status": "FAIL", "last_event_id": None}
    host = fleet.poll()
    assert (host.state, host.differing) == ("untrusted", [4, 17])


def test_a_policy_that_asks_for_a_quote_of_ours_takes_no_pushed_one(fleet: Fleet) -> None:
    pushing(fleet)
    policy = Policy((PLATFORM, VMM), validity=timedelta(minutes=10), must_quote=True)
    put_set({entries.policy_id("keylime", ""): entries.policy_entry(entries.PolicyOf("keylime", "", policy))})
    assert fleet.poll().reason == Reason.QUOTE_MISSING.code


def test_a_register_that_the_verifier_did_not_choose_is_missing(fleet: Fleet) -> None:
    agent = pushing(fleet)
    agent.push(b"another challenge", mask=0x200FF)
    assert fleet.poll().reason == Reason.REGISTERS_MISSING.code
