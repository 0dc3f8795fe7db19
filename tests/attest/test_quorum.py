"""Whose approvals count: persons who did not propose, who are approvers long enough, and of exactly this content."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOON
from txt_dashboard.attest.quorum import Approval, Approver, QuorumRules, Refusal, refusal, tally

RULES = QuorumRules()
LONG_AGO = NOON - timedelta(days=30)
ANNA, BEN, CARL = (Approver(name, LONG_AGO) for name in ("anna", "ben", "carl"))
HOUR = timedelta(hours=1)


def approval(by: Approver, content: str = "content", **more: object) -> Approval:
    return Approval(by, NOON, content, **more)


def reached(*approvals: Approval, proposer: str = "paul", rules: QuorumRules = RULES) -> bool:
    return tally(approvals, "content", proposer, rules).reached


def test_two_persons_are_enough_and_one_is_not() -> None:
    assert reached(approval(ANNA), approval(BEN))
    assert not reached(approval(ANNA))
    assert tally([approval(ANNA)], "content", "paul", RULES).missing == 1


def test_two_accounts_of_one_person_are_one() -> None:
    assert not reached(approval(ANNA), approval(replace(ANNA, named=True)))


def test_the_proposer_never_counts() -> None:
    assert not reached(approval(ANNA), approval(BEN), proposer="anna")
    assert refusal(ANNA, NOON, "anna", RULES) is Refusal.PROPOSER


def test_approvals_of_other_content_do_not_count() -> None:
    assert not reached(approval(ANNA), approval(BEN, "content as it was before an edit"))


def test_who_is_no_approver_any_more_does_not_count() -> None:
    assert not reached(approval(ANNA), approval(replace(BEN, since=None)))


@pytest.mark.parametrize(("hours", "counts"), [(23, False), (24, True), (-1, False)])
def test_a_new_approver_counts_after_a_day(hours: int, counts: bool) -> None:
    new = Approver("ben", NOON - hours * HOUR)
    assert reached(approval(ANNA), approval(new)) is counts


def test_one_whom_the_bootstrap_command_named_counts_at_once_but_not_before() -> None:
    named = Approver("ben", NOON, named=True)
    assert reached(approval(ANNA), approval(named))
    assert not reached(approval(ANNA), approval(replace(named, since=NOON + HOUR)))


def test_an_emergency_takes_one_where_the_settings_allow_it() -> None:
    urgent = approval(ANNA, emergency=True)
    assert not reached(urgent)
    allowed = replace(RULES, emergency=4 * HOUR)
    assert reached(urgent, rules=allowed)
    assert tally([urgent], "content", "paul", allowed).emergency
    assert not reached(urgent, proposer="anna", rules=allowed)


def test_with_the_whole_quorum_it_is_no_emergency() -> None:
    allowed = replace(RULES, emergency=4 * HOUR)
    counted = tally([approval(CARL, emergency=True), approval(ANNA), approval(BEN)], "content", "paul", allowed)
    assert counted.reached
    assert not counted.emergency


def test_no_setting_lets_nobody_decide() -> None:
    assert not reached(rules=QuorumRules(persons=0))


persons = st.sampled_from(["anna", "ben", "carl", "paul", ""])
approvers = st.builds(
    Approver,
    person=persons,
    since=st.none() | st.integers(-48, 48).map(lambda hours: NOON + hours * HOUR),
    named=st.booleans(),
)
approvals = st.builds(
    Approval,
    by=approvers,
    at=st.integers(-24, 24).map(lambda hours: NOON + hours * HOUR),
    content_hash=st.sampled_from(["content", "other"]),
    emergency=st.booleans(),
)


@given(st.lists(approvals, max_size=8), persons, st.integers(1, 3))
def test_whatever_is_recorded_a_quorum_is_that_many_other_persons(given_: list[Approval], proposer: str, needed: int):
    counted = tally(given_, "content", proposer, QuorumRules(persons=needed))
    right = {
        each.by.person
        for each in given_
        if each.content_hash == "content"
        and not each.emergency
        and each.by.since is not None
        and each.by.person not in ("", proposer)
        and each.at - each.by.since >= (timedelta(0) if each.by.named else 24 * HOUR)
    }
    assert counted.reached is (len(right) >= needed)
