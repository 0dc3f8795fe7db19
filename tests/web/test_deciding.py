"""Deciding on a proposal: on exactly what was shown, with a reason, and who may."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.actions.governance.examples import KERNEL, WANTED, wants
from tests.factories import evidence, value
from tests.people import account, approver
from tests.web.reviewing import WORDS, button, decide, entered, page
from tests.web.visitors import browser_of, text
from txt_dashboard.actions.governance.propose import edit, propose, retire
from txt_dashboard.actions.governance.sign import sign_due
from txt_dashboard.models import Decision
from txt_dashboard.queries.in_force import in_force

pytestmark = pytest.mark.django_db


def test_two_approve_a_worker_signs_and_the_page_says_each_step(proposal, people) -> None:
    first = text(decide(people.anna, proposal))
    assert "Your approval is recorded. 1 more person must approve." in first
    assert "1 of 2 approved" in first
    assert "<b>anna</b> approved: <q>Compared with the vendor's notes.</q>" in first
    second = text(decide(people.ben, proposal))
    assert "Enough persons approved it." in second
    assert "A worker signs it in its next turn; this page shows it by itself." in second
    sign_due(timezone.now())
    shown = page(people.ben, proposal)
    assert f"A worker signed this as set {in_force().set.number}" in text(shown)
    assert "nothing is left to decide" in text(shown)
    assert not button(shown, "approve")


def test_who_proposed_it_sees_the_reason_beside_the_disabled_button_and_is_refused(updated, people) -> None:
    made = propose(people.anna, WANTED, **WORDS, now=timezone.now())
    shown = page(people.anna, made)
    assert "disabled" in button(shown, "approve")
    assert 'aria-describedby="why-not-approve"' in button(shown, "approve")
    assert "Who proposed it can't approve it: somebody else must look at it." in text(shown)
    assert "formaction" in button(shown, "withdraw")
    answer = decide(people.anna, made)
    assert answer.status_code == 403
    assert "somebody else must look at it" in text(answer)
    assert not Decision.objects.exists()


def test_a_new_approver_is_told_from_when_on(proposal) -> None:
    nina = approver("nina", since=timezone.now() - timedelta(hours=1))
    shown = text(page(nina, proposal))
    assert "An approver's word counts only some time after the role was given. Yours counts from <time" in shown


@pytest.mark.parametrize("name", ["vera", "olga", "ada"])
def test_others_see_all_of_it_and_cant_decide(proposal, people, name) -> None:
    actor = getattr(people, name)
    shown = page(actor, proposal)
    assert "disabled" in button(shown, "approve")
    assert "disabled" in button(shown, "reject")
    assert "Only approvers approve and reject." in text(shown)
    for verb in ("approve", "reject"):
        assert decide(actor, proposal, verb).status_code == 403
    assert decide(people.ben, proposal, "withdraw").status_code == 403
    proposal.refresh_from_db()
    assert proposal.state == "open"


def test_a_decision_without_its_reason_is_asked_for_it(proposal, people) -> None:
    answer = decide(people.anna, proposal, reason="  ")
    assert answer.status_code == 400
    assert "Say why" in text(answer)
    answer = decide(people.anna, proposal, reason="too\0bad")
    assert answer.status_code == 400


def test_after_an_edit_the_page_is_shown_anew_with_what_was_written(proposal, people) -> None:
    shown = page(people.anna, proposal)
    other = wants(replace(KERNEL, values={17: value("good 17"), 18: value("kernel 3")}))
    edit(people.olga, proposal.pk, other, **WORDS, content_hash=proposal.content_hash, now=timezone.now())
    for verb in ("approve", "reject"):
        answer = decide(people.anna, proposal, verb, shown=shown, reason="I looked at it.")
        assert answer.status_code == 409
        assert 'role="alert"' in text(answer)
        assert "This proposal was edited since you saw it." in text(answer)
        assert "I looked at it.</textarea>" in text(answer)
        assert "<mark>6b65726e</mark>" in text(answer)
    assert not Decision.objects.exists()
    assert decide(people.anna, proposal, shown=answer).status_code == 200
    assert Decision.objects.count() == 1


def test_where_it_would_do_more_than_was_shown_it_is_asked_again(proposal, people, fleet, clock) -> None:
    shown = page(people.anna, proposal)
    fleet(hv4=evidence({18: value("kernel 2")}, at=clock()))
    answer = decide(people.anna, proposal, shown=shown)
    assert answer.status_code == 409
    assert "You saw that 2 hosts become trusted; now it is 3." in text(answer)
    assert not Decision.objects.exists()


def test_a_page_that_refreshes_itself_says_that_what_was_shown_has_moved(proposal, people, fleet, clock) -> None:
    seen = entered(page(people.anna, proposal))
    kept = {name: seen[name] for name in ("content_hash", "impact_hash")}
    assert "Look at it anew" not in text(page(people.anna, proposal, **kept))
    fleet(hv4=evidence({18: value("kernel 2")}, at=clock()))
    assert "If you decide now, you are asked again." in text(page(people.anna, proposal, **kept))


def test_who_comes_after_it_was_settled_is_told(proposal, people) -> None:
    shown = page(people.ben, proposal)
    assert "You rejected this proposal." in text(decide(people.anna, proposal, "reject", reason="Wrong kernel."))
    answer = decide(people.ben, proposal, shown=shown)
    assert answer.status_code == 409
    assert "This proposal is rejected already." in text(answer)
    assert "<b>anna</b> rejected: <q>Wrong kernel.</q>" in text(answer)


def test_who_proposed_it_withdraws_it_with_a_reason(proposal, people) -> None:
    assert "You withdrew this proposal." in text(decide(people.olga, proposal, "withdraw", reason="A newer one."))
    assert "Withdrawn" in text(page(people.anna, proposal))


def test_the_button_that_leads_to_trust_is_never_the_loudest(proposal, people, settings) -> None:
    settings.TXT_EMERGENCY_H = 4
    shown = page(people.anna, proposal)
    assert "primary" not in shown.content.decode()
    assert "is-trusted" not in shown.content.decode()


def test_an_emergency_approval_is_offered_only_where_the_settings_allow_it(proposal, people, settings) -> None:
    assert not button(page(people.anna, proposal), "emergency")
    assert decide(people.anna, proposal, emergency="yes").status_code == 403
    settings.TXT_EMERGENCY_H = 4
    assert "ends by itself after 4 hours" in text(page(people.anna, proposal))
    server = propose(people.ada, {"server:oat-1": None}, **WORDS, now=timezone.now())
    assert not button(page(people.anna, server), "emergency")


def test_an_emergency_is_marked_everywhere_with_its_end(proposal, people, settings) -> None:
    settings.TXT_EMERGENCY_H = 4
    assert "Emergency approval" in text(decide(people.anna, proposal, emergency="yes"))
    sign_due(timezone.now())
    browser = browser_of(people.vera)
    assert "One person alone approved 1 change of golden values" in text(browser.get("/"))
    shown = text(browser.get(f"/proposals/{proposal.pk}/"))
    assert "Emergency: one person alone approved it. It ends by itself at <time" in shown
    assert "approved as an emergency" in shown
    assert "emergency, until <time" in text(browser.get("/baselines/"))


@pytest.mark.parametrize("verb", ["approve", "reject", "withdraw"])
def test_deciding_takes_a_form_of_ours(proposal, people, verb) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(account(people.anna), backend="django.contrib.auth.backends.ModelBackend")
    assert browser.post(f"/proposals/{proposal.pk}/{verb}/", {"reason": "x"}).status_code == 403
    assert browser.get(f"/proposals/{proposal.pk}/{verb}/").status_code == 405


def test_an_approval_that_takes_trust_from_many_hosts_asks_again_and_names_their_number(updated, people) -> None:
    (vmm,) = (each.id for each in in_force().reference.baselines if each.name == "VMM 1")
    asked = retire(people.olga, vmm, reason="Withdrawn.", now=timezone.now())
    shown = page(people.anna, asked)
    assert "Yes, 1 host loses its trust" in text(shown)
    again = decide(people.anna, asked, shown=shown)
    assert again.status_code == 409
    assert "This takes trust from 1 of 3 hosts. Confirm this number to go on." in text(again)
    assert "vendor&#x27;s notes" in again.content.decode()
    done = decide(people.anna, asked, shown=again, confirmed_losses="1")
    assert "Your approval is recorded." in text(done)
