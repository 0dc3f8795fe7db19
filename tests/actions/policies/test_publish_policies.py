"""Approved values as the policies of agents: who is told what, who is first, and who is left alone."""

import json

import pytest

from tests.actions.policies.conftest import NEXT, Fleet, baselines, policy
from tests.rows import put_set
from tests.servers.keylime_world import BOOTED
from txt_dashboard.attest import entries
from txt_dashboard.models import Activity, Attestation
from txt_dashboard.queries.publishing import unapproved
from txt_dashboard.queries.reference import current_reference

pytestmark = pytest.mark.django_db


# --- What is written


def test_agents_that_are_judged_by_what_is_approved_are_left_as_they_are(fleet: Fleet) -> None:
    fleet.settled(2)
    assert fleet.told() == []
    assert set(fleet.stands().values()) == {"judged"}
    assert fleet.proof().state == "proven"


def test_what_was_approved_before_it_booted_takes_no_host_out(fleet: Fleet) -> None:
    fleet.approve_next()
    fleet.settled(3)
    fleet.boots_next("hv1")
    assert set(fleet.states().values()) == {"trusted"}
    assert fleet.lost() == set()


def test_all_approved_values_of_a_register_are_in_the_policy_and_all_else_stays(fleet: Fleet) -> None:
    before = policy(fleet, "hv2")
    fleet.approve_next()
    fleet.settled(3)
    assert policy(fleet, "hv2") == {**before, "17": sorted([BOOTED[17].hex(), NEXT.hex()])}


def test_what_the_verifier_shows_of_an_agent_is_kept_and_its_key_is_the_approved_one(fleet: Fleet) -> None:
    shown = ("ip", "port", "meta_data", "accept_tpm_hash_algs", "accept_tpm_signing_algs")
    before = {name: fleet.agents["hv2"].row()[name] for name in shown}
    key = fleet.agents["hv2"].registration()["aik_tpm"]
    fleet.approve_next()
    fleet.settled(3)
    assert {name: fleet.agents["hv2"].row()[name] for name in shown} == before
    assert fleet.agents["hv2"].held["ak_tpm"] == key


def test_a_value_that_is_retired_leaves_the_policies(fleet: Fleet) -> None:
    fleet.approve_next()
    fleet.settled(3)
    retired = next(id_ for id_, entry in baselines().items() if NEXT.hex() in json.dumps(entry))
    put_set({retired: None})
    fleet.settled(3)
    assert policy(fleet, "hv2")["17"] == [BOOTED[17].hex()]


def test_a_policy_written_otherwise_that_says_the_same_is_no_reason_to_write(fleet: Fleet) -> None:
    same = {index: some for index, some in policy(fleet, "hv1").items() if index != "mask"}
    fleet.agents["hv1"].says["tpm_policy"] = json.dumps({"mask": "0x0600FF", **dict(reversed(same.items()))})
    fleet.settled(2)
    assert fleet.told() == []


def test_what_was_found_that_nobody_approved_goes_with_the_policies(fleet: Fleet) -> None:
    fleet.approve_next()
    fleet.settled(3)
    put_set({next(id_ for id_, entry in baselines().items() if NEXT.hex() in json.dumps(entry)): None})
    assert NEXT.hex() in _found(fleet)
    fleet.settled(2)
    assert NEXT.hex() not in _found(fleet)


def _found(fleet: Fleet) -> set[str]:
    return {value for row in unapproved(current_reference(), fleet.now()) for value in row.values.values()}


# --- One first


def test_a_new_policy_is_tried_on_one_host_first_which_the_server_rejects(fleet: Fleet) -> None:
    fleet.boots_next("hv2")
    assert fleet.states()["hv2"] == "untrusted"
    fleet.approve_next()
    fleet.quiet()
    assert fleet.told() == ["DELETE agent-hv2", "POST agent-hv2"]
    assert (fleet.proof().state, fleet.proof().first_host) == ("proving", "hv2")
    fleet.quiet()
    assert len(fleet.told()) == 2
    fleet.turn()
    assert fleet.proof().state == "proven"
    assert set(fleet.told()[2:]) == {f"{verb} agent-{name}" for name in ("hv1", "hv3") for verb in ("DELETE", "POST")}
    fleet.settled(2)
    assert set(fleet.stands().values()) == {"judged"}
    assert set(fleet.states().values()) == {"trusted"}
    assert fleet.lost() == {"hv2"}


def test_the_others_stay_as_they_are_where_the_first_is_not_attested(fleet: Fleet) -> None:
    fleet.approve_next()
    fleet.quiet()
    for _ in range(8):
        fleet.quiet(20)
    assert len(fleet.told()) == 2
    assert fleet.proof().state == "failed"
    assert "hv1 was tried first, and the server did not attest it" in fleet.proof().problem


def test_nobody_follows_where_the_first_fails_after_it_was_attested(fleet: Fleet) -> None:
    fleet.approve_next()
    fleet.quiet()
    first = fleet.proof().first_host
    other = next(name for name in fleet.agents if name != first)
    for name in fleet.agents:
        if name != first:
            fleet.agents[name].registers["port"] = 1024  # they follow later
    fleet.turn()
    assert fleet.proof().state == "proven"
    fleet.agents[other].registers.clear()
    fleet.agents[first].says |= {"operational_state": 10, "attestation_status": "FAIL"}
    Attestation.objects.exclude(host__name=first).update(voucher="server")
    fleet.quiet(70)
    assert fleet.proof().state == "proving"
    assert fleet.told(other) == []


def test_a_policy_by_which_the_first_fails_is_tried_again_after_a_while(fleet: Fleet) -> None:
    fleet.approve_next()
    fleet.quiet()
    first, later = fleet.proof().first_host, int(fleet.now().timestamp()) + 3600
    failed = {"operational_state": 9, "attestation_status": "FAIL", "last_event_id": "ima.validation"}
    fleet.agents[first].says |= {**failed, "last_received_quote": later}
    fleet.turn()
    assert (fleet.proof().state, fleet.proof().problem) == (
        "failed",
        f"{first} was tried first, and the server found it untrusted: ima.validation",
    )
    fleet.turn(120)
    fleet.turn(120)
    assert fleet.told() == [f"DELETE agent-{first}", f"POST agent-{first}"]
    fleet.turn(70)
    assert fleet.proof().first_host != first
    fleet.turn()
    assert fleet.proof().state == "proven"


def test_without_a_host_that_proves_it_nobody_is_first(fleet: Fleet) -> None:
    Attestation.objects.update(voucher="server")
    fleet.approve_next()
    fleet.quiet()
    assert fleet.told() == []
    assert "own quote" in fleet.proof().problem


# --- What is on record


def test_what_the_verifier_forgets_stays_in_the_activity_log(fleet: Fleet) -> None:
    fleet.boots_next("hv2")
    known = fleet.agents["hv2"].row()
    fleet.approve_next()
    fleet.settled(2)
    begun = Activity.objects.filter(verb="rewrite policy", host="hv2").get()
    assert begun.detail["forgets"]["last_event_id"] == known["last_event_id"] == "pcr_validation.invalid_pcr_17"
    assert begun.detail["forgets"]["attestation_count"] == known["attestation_count"]
    assert NEXT.hex() in begun.detail["after"]["register 17"]
    done = Activity.objects.get(of=begun.id)
    assert (done.verb, done.detail["outcome"]) == ("policy rewritten", "attested")


def test_a_host_stays_trusted_while_its_agent_is_out_and_no_longer_than_its_evidence(fleet: Fleet) -> None:
    fleet.approve_next()
    fleet.world.refuses = lambda method, _: method == "POST"
    fleet.quiet()
    name = fleet.proof().first_host
    assert fleet.world.out == {f"agent-{name}"}
    for _ in range(8):
        fleet.turn(61)
    assert fleet.states()[name] == "trusted"
    for _ in range(3):
        fleet.turn(61)
    assert fleet.states()[name] == "stale"
    fleet.world.refuses = lambda method, _: False
    fleet.settled(2)
    assert fleet.states()[name] == "trusted"


def test_entries_of_the_set_are_what_decides(fleet: Fleet) -> None:
    put_set({entries.key_id("keylime", "hv2"): None})
    fleet.approve_next()
    fleet.settled(2)
    assert fleet.told("hv2") == []
    assert "no attestation key" in fleet.stand("hv2").problem


def test_a_quote_that_proves_it_later_makes_its_host_the_first_at_once(fleet: Fleet) -> None:
    Attestation.objects.update(voucher="server")
    fleet.approve_next()
    fleet.quiet()
    assert "own quote" in fleet.proof().problem
    Attestation.objects.filter(host__name="hv3").update(voucher="quote")
    fleet.quiet()
    assert fleet.told() == ["DELETE agent-hv3", "POST agent-hv3"]
