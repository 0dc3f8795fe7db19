"""On a proposal's page: whose approvals count, whose turn it is, and why a worker can't sign."""

import re
from dataclasses import replace

import pytest
from django.utils import timezone

from tests.actions.governance.examples import KERNEL, WANTED, wants
from tests.people import say_yes
from tests.web.reviewing import WORDS, page
from tests.web.visitors import text
from txt_dashboard.actions.accounts import set_roles
from txt_dashboard.actions.governance.propose import edit, propose
from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.models import Proposal

pytestmark = pytest.mark.django_db


def test_approvals_that_count_no_more_are_marked_with_the_reason(proposal, people) -> None:
    say_yes(people.anna, proposal, timezone.now())
    say_yes(people.ben, proposal, timezone.now())
    set_roles(COMMAND_LINE, "ben", [], now=timezone.now())
    shown = text(page(people.carl, proposal))
    assert "1 of 2 approved" in shown
    assert "Does not count: Only an approver can decide" in shown
    other = wants(replace(KERNEL, name="VMM 2b"))
    edit(people.olga, proposal.pk, other, **WORDS, content_hash=proposal.content_hash, now=timezone.now())
    shown = text(page(people.carl, proposal))
    assert "0 of 2 approved" in shown
    assert shown.count("Does not count: The proposal was edited after it.") == 2


def test_whose_turn_it_is_names_who_may_and_who_may_not(updated, people) -> None:
    made = propose(people.anna, WANTED, **WORDS, now=timezone.now())
    say_yes(people.ben, made, timezone.now())
    shown = text(page(people.vera, made))
    assert "1 more of 2 persons must approve." in shown
    turn = shown.partition('id="turn"')[2].partition('id="said"')[0]
    said = [re.sub(r"<[^>]+>", "", each).split(maxsplit=1) for each in re.findall(r"<li>(.*?)</li>", turn)]
    assert [(name, words.strip()) for name, words in said] == [
        ("carl", "can approve"), ("anna", "proposed it"), ("ben", "approved"),
    ]  # fmt: skip


def test_it_says_where_too_few_are_left_to_approve(updated, people) -> None:
    made = propose(people.anna, WANTED, **WORDS, now=timezone.now())
    set_roles(COMMAND_LINE, "carl", [], now=timezone.now())
    assert "There are not enough approvers whose word would count" in text(page(people.ben, made))


def test_why_a_worker_cant_sign_is_an_alert(proposal, people) -> None:
    say_yes(people.anna, proposal, timezone.now())
    say_yes(people.ben, proposal, timezone.now())
    Proposal.objects.update(stuck="The signing key does not exist.")
    shown = text(page(people.carl, proposal))
    assert "It has enough approvals, and a worker can't sign it:</b> The signing key does not exist." in shown
