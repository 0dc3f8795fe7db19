"""From a proposal to the set in force: who may, who counts, and what makes everybody look again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.actions.governance.examples import KERNEL, WANTED, WORDS, wants
from tests.factories import NOON, value
from tests.people import account, approver, person, say_yes
from txt_dashboard.actions.accounts import set_active, set_roles
from txt_dashboard.actions.governance.accounts import link_accounts, name_first_approvers, unlink_account
from txt_dashboard.actions.governance.decide import reject, standing
from txt_dashboard.actions.governance.propose import edit, propose, retire, withdraw
from txt_dashboard.actions.governance.sign import sign_due
from txt_dashboard.actions.permissions import (
    COMMAND_LINE,
    Actor,
    Conflict,
    Invalid,
    NotAllowed,
    NotFound,
    Role,
)
from txt_dashboard.models import Activity, Decision, Proposal
from txt_dashboard.queries.in_force import in_force
from txt_dashboard.queries.reference import current_reference

HOUR = timedelta(hours=1)


@pytest.fixture
def proposal(server, people) -> Proposal:
    return propose(people.olga, WANTED, **WORDS, now=NOON)


def names() -> set[str]:
    return {each.name for each in current_reference().baselines}


def signs(now=NOON) -> bool:
    """Whether the worker's next turn puts something in force."""
    before = in_force().set.number
    sign_due(now)
    return in_force().set.number > before


def test_two_approvers_put_it_in_force_and_one_does_not(proposal, people) -> None:
    assert say_yes(people.anna, proposal).missing == 1
    assert not signs()
    assert say_yes(people.ben, proposal).reached
    assert names() == {"BIOS 1", "VMM 1"}  # the pages' process signs nothing
    assert signs()
    assert names() == {"BIOS 1", "VMM 1", "VMM 2"}
    proposal.refresh_from_db()
    assert (proposal.state, proposal.set_number) == ("in force", in_force().set.number)
    assert not signs()


def test_the_proposer_is_refused_with_the_reason(server, people) -> None:
    proposal = propose(people.anna, WANTED, **WORDS, now=NOON)
    with pytest.raises(NotAllowed, match="somebody else must look"):
        say_yes(people.anna, proposal)
    say_yes(people.ben, proposal)
    assert not signs()
    say_yes(people.carl, proposal)
    assert signs()


def test_an_account_linked_to_the_proposers_is_refused_too(server, people) -> None:
    link_accounts(COMMAND_LINE, "olga", "anna", now=NOON)
    proposal = propose(people.olga, WANTED, **WORDS, now=NOON)
    with pytest.raises(NotAllowed, match="somebody else must look"):
        say_yes(people.anna, proposal)


def test_linked_accounts_count_once_also_when_they_are_linked_later(proposal, people) -> None:
    say_yes(people.anna, proposal)
    say_yes(people.ben, proposal)
    link_accounts(COMMAND_LINE, "anna", "ben", now=NOON)
    assert not signs()
    with pytest.raises(NotAllowed, match="already"):
        say_yes(people.ben, proposal)


def test_unlinking_makes_no_second_approver_at_once(proposal, people) -> None:
    link_accounts(COMMAND_LINE, "anna", "ben", now=NOON)
    say_yes(people.anna, proposal)
    unlink_account(COMMAND_LINE, "ben", now=NOON)
    with pytest.raises(NotAllowed, match="some time after"):
        say_yes(people.ben, proposal, NOON + HOUR)


@pytest.mark.parametrize("name", ["olga", "ada", "vera"])
def test_who_is_no_approver_cant_approve_an_administrator_neither(proposal, people, name) -> None:
    with pytest.raises(NotAllowed):
        say_yes(getattr(people, name), proposal)
    with pytest.raises(NotAllowed):
        reject(getattr(people, name), proposal.pk, reason="No.", content_hash=proposal.content_hash, now=NOON)


def test_neither_a_key_nor_the_command_line_approves(proposal, people) -> None:
    for actor in (replace(people.anna, by_key=True), COMMAND_LINE, replace(people.anna, user=None)):
        with pytest.raises(NotAllowed, match="keys and commands can't"):
            say_yes(actor, proposal)


def test_a_new_approver_waits_a_day(proposal) -> None:
    nina = approver("nina", since=NOON - 23 * HOUR)
    with pytest.raises(NotAllowed, match="some time after"):
        say_yes(nina, proposal)
    say_yes(nina, proposal, NOON + HOUR)
    assert standing(proposal).missing == 1


def test_a_role_that_was_taken_and_given_again_begins_anew(proposal, people) -> None:
    say_yes(people.anna, proposal)
    set_roles(COMMAND_LINE, "anna", [], now=NOON)
    set_roles(COMMAND_LINE, "anna", [Role.APPROVER], now=NOON)
    assert standing(proposal).missing == 2


@pytest.mark.parametrize("act", ["disable", "demote"])
def test_an_approval_counts_no_more_once_its_giver_may_not(proposal, people, act) -> None:
    say_yes(people.anna, proposal)
    say_yes(people.ben, proposal)
    if act == "disable":
        set_active(COMMAND_LINE, "ben", active=False, now=NOON)
    else:
        set_roles(COMMAND_LINE, "ben", [Role.OPERATOR], now=NOON)
    assert not signs()


def test_first_approvers_count_at_once_but_only_while_nothing_is_in_force(db) -> None:
    approver("first", since=NOON)
    person("paul", Role.OPERATOR)
    with pytest.raises(Invalid, match="paul is no approver"):
        name_first_approvers(COMMAND_LINE, ["first", "paul"], now=NOON)
    name_first_approvers(COMMAND_LINE, ["first"], now=NOON)


def test_later_nobody_is_named_a_first_approver(server, people) -> None:
    with pytest.raises(Conflict, match="in force already"):
        name_first_approvers(COMMAND_LINE, ["anna"], now=NOON)


def test_an_edit_drops_the_approvals(proposal, people) -> None:
    say_yes(people.anna, proposal)
    say_yes(people.ben, proposal)
    other = wants(replace(KERNEL, values={17: value("good 17"), 18: value("kernel 3")}))
    edit(people.olga, proposal.pk, other, **WORDS, content_hash=proposal.content_hash, now=NOON)
    assert not signs()
    proposal.refresh_from_db()
    assert standing(proposal).missing == 2
    say_yes(people.anna, proposal)
    say_yes(people.ben, proposal)
    assert signs()


def test_who_decides_on_what_was_edited_meanwhile_is_asked_again(proposal, people) -> None:
    seen = proposal.content_hash
    other = wants(replace(KERNEL, name="VMM 2b"))
    edit(people.olga, proposal.pk, other, **WORDS, content_hash=seen, now=NOON)
    with pytest.raises(Conflict, match="was edited"):
        say_yes(people.anna, proposal, content_hash=seen)
    with pytest.raises(Conflict, match="was edited"):
        reject(people.anna, proposal.pk, reason="No.", content_hash=seen, now=NOON)


def test_only_the_proposer_edits_and_withdraws(proposal, people) -> None:
    seen = proposal.content_hash
    for other in (people.anna, people.ada, COMMAND_LINE):
        with pytest.raises(NotAllowed, match="olga"):
            edit(other, proposal.pk, wants(replace(KERNEL, name="x")), **WORDS, content_hash=seen, now=NOON)
        with pytest.raises(NotAllowed, match="olga"):
            withdraw(other, proposal.pk, reason="Not mine.", now=NOON)
    withdraw(people.olga, proposal.pk, reason="A newer kernel is out.", now=NOON)
    with pytest.raises(Conflict, match="withdrawn"):
        say_yes(people.anna, proposal)


def test_one_rejection_ends_it(proposal, people) -> None:
    say_yes(people.anna, proposal)
    say_yes(people.ben, proposal)
    reject(people.carl, proposal.pk, reason="Wrong kernel.", content_hash=proposal.content_hash, now=NOON)
    assert not signs()
    with pytest.raises(Conflict, match="rejected"):
        reject(people.anna, proposal.pk, reason="Too.", content_hash=proposal.content_hash, now=NOON)


def test_every_decision_needs_its_reason(proposal, people) -> None:
    with pytest.raises(Invalid, match="Say why"):
        say_yes(people.anna, proposal, reason=" ")
    with pytest.raises(Invalid, match="at most"):
        say_yes(people.anna, proposal, reason="x" * 2001)
    with pytest.raises(Invalid, match="Say why"):
        withdraw(people.olga, proposal.pk, reason="", now=NOON)
    assert not Decision.objects.exists()


def test_nobody_approves_twice(proposal, people) -> None:
    say_yes(people.anna, proposal)
    with pytest.raises(NotAllowed, match="already"):
        say_yes(people.anna, proposal)


def test_a_proposal_that_is_not_there(people) -> None:
    with pytest.raises(NotFound):
        reject(people.anna, 7, reason="No.", content_hash="", now=NOON)


def test_retiring_is_a_proposal_too(server, people) -> None:
    [old] = [each.id for each in current_reference().baselines if each.name == "VMM 1"]
    proposal = retire(people.anna, old, reason="Replaced by VMM 2.", now=NOON)
    say_yes(people.ben, proposal)
    say_yes(people.carl, proposal)
    assert signs()
    assert names() == {"BIOS 1"}
    with pytest.raises(NotFound):
        retire(people.anna, old, reason="Again.", now=NOON)


def test_proposals_of_different_entries_do_not_wait_for_each_other(proposal, people) -> None:
    other = propose(people.olga, wants(replace(KERNEL, name="VMM 3")), **WORDS, now=NOON)
    for each in (other, proposal):
        say_yes(people.anna, each)
        say_yes(people.ben, each)
    assert signs()
    assert {"VMM 2", "VMM 3"} <= names()


def test_an_outdated_proposal_says_so_and_can_be_edited(server, people) -> None:
    [old] = [each.id for each in current_reference().baselines if each.name == "VMM 1"]
    entry = in_force().set.entries[old]
    gone = retire(people.olga, old, reason="Old.", now=NOON)
    pools = propose(people.olga, {old: {**entry, "pools": ["az1"]}}, **WORDS, now=NOON)
    for each in (gone, pools):
        say_yes(people.anna, each)
        say_yes(people.ben, each)
    signs()
    pools.refresh_from_db()
    assert pools.state == "open"
    assert "changed since" in pools.stuck
    edit(people.olga, pools.pk, WANTED, **WORDS, content_hash=pools.content_hash, now=NOON)
    pools.refresh_from_db()
    assert pools.stuck == ""


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"baseline:0": {"name": "x"}}, "exactly the keys"),
        ({"baseline:0": None}, "not in force"),
        ({"key:1": {}}, "no kind"),
        ({"policy:oat-9/": {"server": "oat-9", "pool": "", "parts": {}, "validity_s": 60, "word_is_enough": True}},
         "no attestation server"),
    ],
)  # fmt: skip
def test_what_cant_be_is_refused_when_it_is_proposed(server, people, wanted, says) -> None:
    with pytest.raises(Invalid, match=says):
        propose(people.anna, wanted, **WORDS, now=NOON)


def test_what_is_in_force_or_proposed_already_is_refused(proposal, people) -> None:
    with pytest.raises(Conflict, match=f"Proposal {proposal.pk}"):
        propose(people.anna, WANTED, **WORDS, now=NOON)
    entries = in_force().set.entries
    with pytest.raises(Invalid, match="in force already"):
        propose(people.anna, {"server:oat-1": entries["server:oat-1"]}, **WORDS, now=NOON)


def test_operators_propose_baselines_and_neither_policies_nor_servers(server, people) -> None:
    entries = in_force().set.entries
    for id_ in ("policy:oat-1/", "server:oat-1"):
        with pytest.raises(NotAllowed):
            propose(people.olga, {id_: None}, **WORDS, now=NOON)
        assert id_ in entries
    with pytest.raises(NotAllowed):
        propose(people.vera, WANTED, **WORDS, now=NOON)


def test_every_act_is_in_the_activity_log_with_its_reason(proposal, people) -> None:
    say_yes(people.anna, proposal, reason="It is right.")
    say_yes(people.ben, proposal)
    signs()
    acts = list(Activity.objects.filter(target__in=[f"proposal {proposal.pk}", "set 3"]).values_list("verb", "actor"))
    acts = list(reversed(acts))
    assert [verb for verb, _ in acts[:3]] == ["propose", "approve proposal", "approve proposal"]
    assert [actor for _, actor in acts[:3]] == ["olga", "anna", "ben"]
    said = Activity.objects.get(verb="approve proposal", actor="anna").detail
    assert (said["reason"], said["content"]) == ("It is right.", proposal.content_hash)
    assert Activity.objects.get(verb="sign set").detail["proposal"] == proposal.pk


def test_the_account_of_an_actor_is_a_persons_own(people) -> None:
    assert account(people.anna).account.person != account(people.ben).account.person
    assert Actor("key", user=1, by_key=True).is_person is False


# --- Emergency


def test_an_emergency_is_off_unless_the_settings_say_otherwise(proposal, people) -> None:
    with pytest.raises(NotAllowed, match="switched off"):
        say_yes(people.anna, proposal, emergency=True)


def test_one_approver_is_enough_in_an_emergency_and_it_ends_by_itself(proposal, people, settings) -> None:
    settings.TXT_EMERGENCY_H = 4
    assert say_yes(people.anna, proposal, emergency=True).emergency
    assert signs()
    proposal.refresh_from_db()
    assert proposal.emergency_until == NOON + 4 * HOUR
    applying = current_reference().rules("oat-1", "az1", NOON + 3 * HOUR)
    assert "VMM 2" in {each.name for each in applying.baselines}
    ended = current_reference().rules("oat-1", "az1", NOON + 4 * HOUR)
    assert "VMM 2" not in {each.name for each in ended.baselines}


def test_an_emergency_is_not_the_proposers_own_and_not_for_servers(server, people, settings) -> None:
    settings.TXT_EMERGENCY_H = 4
    own = propose(people.anna, WANTED, **WORDS, now=NOON)
    with pytest.raises(NotAllowed, match="somebody else"):
        say_yes(people.anna, own, emergency=True)
    gone = propose(people.ada, {"server:oat-1": None}, **WORDS, now=NOON)
    with pytest.raises(NotAllowed, match="baselines only"):
        say_yes(people.anna, gone, emergency=True)


def test_an_emergency_approval_counts_no_more_when_it_is_switched_off_before_the_worker_came(
    proposal, people, settings
) -> None:
    settings.TXT_EMERGENCY_H = 4
    say_yes(people.anna, proposal, emergency=True)
    settings.TXT_EMERGENCY_H = 0
    assert not signs()


def test_a_quorum_of_one_is_for_labs(proposal, people, settings) -> None:
    settings.TXT_QUORUM = 1
    say_yes(people.anna, proposal)
    assert signs()
