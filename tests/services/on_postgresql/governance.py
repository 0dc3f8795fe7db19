"""Deciding and signing at once, for real: `test_postgresql.py` runs this in a pytest of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from django.db import connection

from tests.actions.governance.examples import KERNEL, WANTED, WORDS, wants
from tests.factories import BASELINES, NOON
from tests.people import approver, person, say_yes
from tests.rows import make_server, write_reference
from txt_dashboard.actions.governance.decide import reject
from txt_dashboard.actions.governance.propose import edit, propose, withdraw
from txt_dashboard.actions.governance.sign import sign_due
from txt_dashboard.actions.permissions import ActionError, Actor, Conflict, Role
from txt_dashboard.models import Activity, Decision, Proposal
from txt_dashboard.models import SignedSet as SignedSetRow
from txt_dashboard.queries.in_force import in_force

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]


@pytest.fixture(autouse=True)
def people(transactional_db) -> dict[str, Actor]:
    assert connection.vendor == "postgresql"
    write_reference(make_server(), BASELINES)
    found = {name: approver(name) for name in ("anna", "ben", "carl", "dora")}
    return {**found, "olga": person("olga", Role.OPERATOR)}


@pytest.fixture
def proposal(people) -> Proposal:
    return propose(people["olga"], WANTED, **WORDS, now=NOON)


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What became of acts that begin at one moment, each on a connection of its own: a result or its refusal."""
    barrier = Barrier(len(acts))

    def begin(act: Callable[[], object]) -> object:
        try:
            barrier.wait()
            return act()
        except ActionError as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [each.result() for each in [pool.submit(begin, act) for act in acts]]


def refusals(results: list[object]) -> list[object]:
    return [each for each in results if isinstance(each, ActionError)]


def yes(actor: Actor, proposal: Proposal) -> Callable[[], object]:
    seen = Proposal.objects.get(pk=proposal.pk)
    return lambda: say_yes(actor, seen, content_hash=proposal.content_hash)


def test_two_who_approve_at_once_both_count_and_many_workers_sign_once(proposal, people) -> None:
    assert refusals(at_once(*(yes(people[name], proposal) for name in ("anna", "ben")))) == []
    before = in_force().set.number
    at_once(*[lambda: sign_due(NOON)] * 6)
    assert in_force().set.number == before + 1
    assert SignedSetRow.objects.filter(proposal=proposal).count() == 1
    assert Activity.objects.filter(verb="sign set").count() == 1


def test_one_person_who_approves_twice_at_once_counts_once(proposal, people) -> None:
    results = at_once(*[yes(people["anna"], proposal)] * 4)
    assert len(refusals(results)) == 3
    assert Decision.objects.count() == 1


def test_of_a_rejection_and_the_signing_exactly_one_has_its_effect(proposal, people) -> None:
    for name in ("anna", "ben"):
        say_yes(people[name], proposal)
    before = in_force().set.number

    def no() -> None:
        reject(people["carl"], proposal.pk, reason="No.", content_hash=proposal.content_hash, now=NOON)

    results = at_once(no, lambda: sign_due(NOON))
    proposal.refresh_from_db()
    signed = in_force().set.number == before + 1
    assert signed is (proposal.state == "in force")
    assert signed is bool(refusals(results))


def test_of_an_edit_and_the_last_approval_one_wins_and_nothing_unseen_comes_into_force(proposal, people) -> None:
    say_yes(people["anna"], proposal)
    other = wants(replace(KERNEL, name="another"))

    def change() -> None:
        edit(people["olga"], proposal.pk, other, **WORDS, content_hash=proposal.content_hash, now=NOON)

    at_once(change, yes(people["ben"], proposal))
    sign_due(NOON)
    names = {each.name for each in in_force().reference.baselines}
    assert "another" not in names


def test_of_two_who_end_it_at_once_one_is_told(proposal, people) -> None:
    def no() -> None:
        reject(people["carl"], proposal.pk, reason="No.", content_hash=proposal.content_hash, now=NOON)

    def back() -> None:
        withdraw(people["olga"], proposal.pk, reason="No.", now=NOON)

    results = at_once(no, back)
    assert [type(each) for each in refusals(results)] == [Conflict]


def test_workers_who_sign_different_proposals_at_once_lose_none(people) -> None:
    made = [propose(people["olga"], wants(replace(KERNEL, name=f"VMM {at}")), **WORDS, now=NOON) for at in range(6)]
    for each in made:
        say_yes(people["anna"], each)
        say_yes(people["ben"], each)
    before = in_force().set.number
    at_once(*[lambda: sign_due(NOON)] * 4)
    sign_due(NOON)  # what a worker left to a faster one
    assert in_force().set.number == before + len(made)
    assert {f"VMM {at}" for at in range(6)} <= {each.name for each in in_force().reference.baselines}
    assert in_force().refused == ""
