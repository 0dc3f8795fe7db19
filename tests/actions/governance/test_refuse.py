"""What no way of proposing lets through, each with its reason."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.actions.governance.examples import KERNEL, WORDS, wants
from tests.factories import BASELINES, NOON, POLICY, value
from tests.rows import make_server, put_set
from txt_dashboard.actions.governance.propose import edit, propose
from txt_dashboard.actions.permissions import Invalid
from txt_dashboard.attest.entries import PolicyOf, baseline_entry, baseline_id, policy_entry, policy_id
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import Part, Policy, Requirement
from txt_dashboard.models import Proposal


def refused(people, wanted) -> str:
    with pytest.raises(Invalid) as caught:
        propose(people.ada, wanted, **WORDS, now=NOON)
    assert not Proposal.objects.exists()
    return " ".join(caught.value.errors["entries"])


def entry(**changes: object) -> dict[str, object]:
    return {baseline_id(KERNEL): {**baseline_entry(KERNEL), **changes}}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"values": {"17": "aa" * 19}}, "20 bytes"),
        ({"values": {"10": "aa" * 20}}, "registers 10 are never reference values"),
        ({"values": {"16": "aa" * 20}}, "registers 16 are never reference values"),
        ({"values": {"23": "aa" * 20}}, "registers 23 are never reference values"),
        ({"values": {"17": "00" * 20}}, "VMM 2: Register 17 is all 00"),
        ({"values": {"17": "ff" * 20}}, "VMM 2: Register 17 is all ff"),
        ({"values": {"0": "aa" * 20}}, "VMM 2: Register 0 is outside the vmm part"),
        ({"values": {"5": "aa" * 20}}, "VMM 2: Register 5 is outside the vmm part"),
        ({"bank": "sha256", "values": {"17": "aa" * 32}}, "No policy in its scope requires sha256"),
        ({"not_before": NOON.isoformat(), "not_after": NOON.isoformat()}, "ends before it begins"),
        ({"name": "a\u202eb", "values": {"17": "aa"}}, "a\\u202eb: "),
    ],
)
def test_a_baseline_is_refused_with_the_reason(server, people, changes, says) -> None:
    assert says in refused(people, entry(**changes))


def test_all_reasons_of_all_entries_are_told_up_to_a_limit(server, people) -> None:
    blank = [replace(KERNEL, name=f"VMM {at}", values={17: bytes(20), 18: b"\xff" * 20}) for at in range(30)]
    said = refused(people, {baseline_id(each): baseline_entry(each) for each in blank})
    assert said.count("Register") == 20


def test_without_any_policy_it_is_judged_by_the_policies_that_are_proposed_with_it(db, people) -> None:
    make_server()
    assert "No policy in its scope" in refused(people, wants())
    of = PolicyOf("oat-1", "", POLICY)
    propose(people.ada, {**wants(), policy_id("oat-1", ""): policy_entry(of)}, **WORDS, now=NOON)


def test_it_is_judged_by_what_policies_become(server, people) -> None:
    wider = replace(KERNEL, values={**KERNEL.values, 19: value("19")})
    assert "Register 19 is outside" in refused(people, wants(wider))
    needs = (*POLICY.requirements[:1], Requirement(Part.VMM, Bank.SHA1, frozenset({17, 18, 19})))
    of = PolicyOf("oat-1", "", Policy(needs, timedelta(minutes=5)))
    propose(people.ada, {**wants(wider), policy_id("oat-1", ""): policy_entry(of)}, **WORDS, now=NOON)


def test_policies_of_other_pools_lend_it_no_registers(server, people) -> None:
    other = Policy((Requirement(Part.VMM, Bank.SHA1, frozenset({19})),), timedelta(minutes=5))
    put_set({policy_id("oat-1", "edge"): policy_entry(PolicyOf("oat-1", "edge", other))})
    kernel = replace(KERNEL, values={19: value("19")}, pools=frozenset({"az1"}))
    assert "Register 19 is outside" in refused(people, wants(kernel))
    propose(people.olga, wants(replace(kernel, pools=frozenset({"edge"}))), **WORDS, now=NOON)


def test_what_could_not_be_proposed_any_more_can_still_be_ended(server, people) -> None:
    old = BASELINES[1]
    narrow = Policy((Requirement(Part.VMM, Bank.SHA1, frozenset({18})),), timedelta(minutes=5))
    put_set({policy_id("oat-1", ""): policy_entry(PolicyOf("oat-1", "", narrow))})
    longer = replace(old, pools=frozenset(), name="Old")
    assert "outside" in refused(people, wants(longer))
    ends = replace(old, not_after=NOON)
    propose(people.olga, {baseline_id(old): baseline_entry(ends)}, **WORDS, now=NOON)


def test_an_edit_is_refused_for_the_same_reasons(server, people) -> None:
    made = propose(people.olga, wants(), **WORDS, now=NOON)
    blank = entry(values={"17": "00" * 20})
    with pytest.raises(Invalid, match="all 00"):
        edit(people.olga, made.pk, blank, **WORDS, content_hash=made.content_hash, now=NOON)
