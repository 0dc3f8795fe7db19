"""Reviewing a proposal: what it changes and does, who said what; and deciding on exactly what was shown."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.actions.governance.examples import KERNEL, WANTED, wants
from tests.factories import evidence, value
from tests.people import account, approver, say_yes
from tests.rows import make_server
from tests.web.visitors import browser_of, text
from txt_dashboard.actions.accounts import set_roles
from txt_dashboard.actions.governance.propose import edit, propose, retire, withdraw
from txt_dashboard.actions.governance.sign import sign_due
from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.actions.servers import propose_counting
from txt_dashboard.models import Decision, Proposal
from txt_dashboard.queries.in_force import in_force

pytestmark = pytest.mark.django_db
QUERIES = 35
WORDS = {"title": "Kernel 2", "reason": "Security update of November."}
HOSTILE = '<script>alert("x")</script>'


@pytest.fixture
def updated(fleet, clock) -> None:
    """Two hosts boot the kernel that nobody approved yet, one the old one."""
    new = evidence({18: value("kernel 2")}, at=clock())
    fleet(hv1=new, hv2=new, hv3=None)


@pytest.fixture
def proposal(updated, people) -> Proposal:
    return propose(people.olga, WANTED, **WORDS, now=timezone.now())


def page(actor, proposal, **query: str):
    return browser_of(actor).get(f"/proposals/{proposal.pk}/", query)


def entered(response, **changes: str) -> dict[str, str]:
    """What the page's form sends, with what a person writes."""
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', response.content.decode())
    hidden = {name: held for name, held in fields if name != "csrfmiddlewaretoken"}
    return {**hidden, "reason": "Compared with the vendor's notes.", **changes}


def decide(actor, proposal, verb: str = "approve", shown=None, **changes: str):
    browser = browser_of(actor)
    shown = shown or browser.get(f"/proposals/{proposal.pk}/")
    return browser.post(f"/proposals/{proposal.pk}/{verb}/", entered(shown, **changes), follow=True)


def button(response, name: str) -> str:
    found = re.search(rf'<button [^>]*id="{name}"[^>]*>', response.content.decode())
    return found[0] if found else ""


# --- What it changes, and what it does ----------------------------------------------------------


def test_registers_are_compared_with_the_closest_baseline_from_the_first_differing_byte(proposal, people) -> None:
    shown = text(page(people.anna, proposal))
    assert "registers against VMM 1, the closest in force" in shown
    old, new = value("good 18").hex(), value("kernel 2").hex()
    assert f"<mark>{old[:8]}</mark>{old[8:]}" in shown
    assert f"<mark>{new[:8]}</mark>{new[8:]}" in shown
    assert "1 differ, 1 same" in shown
    assert "2 hosts show exactly these values now" in shown


def test_what_it_does_to_hosts_is_shown_with_all_of_them_a_click_away(proposal, people) -> None:
    browser = browser_of(people.anna)
    shown = text(browser.get(f"/proposals/{proposal.pk}/"))
    assert "<b>2 hosts</b> become trusted" in shown
    assert "<b>0 hosts</b> lose trust" in shown
    assert "over 3 hosts" in shown
    listed = text(browser.get(f"/proposals/{proposal.pk}/hosts/gained/"))
    assert "2 hosts become trusted" in listed
    assert "/hosts/hv1/" in listed
    assert "/hosts/hv3/" not in listed


def test_what_happens_on_a_date_to_come_is_shown_too(updated, people) -> None:
    [old] = [id_ for id_, entry in in_force().set.entries.items() if entry.get("name") == "VMM 1"]
    ends = (timezone.now() + timedelta(days=10)).isoformat()
    changed = {**in_force().set.entries[old], "not_after": ends}
    shown = text(page(people.anna, propose(people.olga, {old: changed}, **WORDS, now=timezone.now())))
    assert "0 hosts become trusted; 1 host loses trust" in shown
    assert '<span class="was">− no end</span> <span class="becomes">+ <time' in shown


def test_retiring_shows_what_goes_and_who_loses_trust(updated, people) -> None:
    [old] = [each.id for each in in_force().reference.baselines if each.name == "VMM 1"]
    shown = text(page(people.anna, retire(people.olga, old, reason="Old.", now=timezone.now())))
    assert "− goes" in shown
    assert "<b>1 host</b> loses trust" in shown


def test_a_policy_is_compared_field_by_field_and_what_weakens_it_is_marked(updated, people) -> None:
    policy = in_force().set.entries["policy:oat-1/"]
    parts = {**policy["parts"], "vmm": {"bank": "sha1", "registers": [17]}}
    weaker = {**policy, "parts": parts, "word_is_enough": True, "validity_s": 3600}
    made = propose(people.ada, {"policy:oat-1/": weaker}, **WORDS, now=timezone.now())
    shown = text(page(people.anna, made))
    assert "− SHA1: 17, 18" in shown
    assert "+ SHA1: 17</span>" in shown
    assert "Required no more: 18" in shown
    assert "− 10 minutes" in shown
    assert "+ 1 hour" in shown
    assert "trusted on the server's word alone" in shown
    assert "Stays" in shown


def test_a_server_that_shall_count_is_shown_with_its_address_and_that_anybody_may_change_it(fleet, people) -> None:
    server = make_server("oat-2", counts=False)
    made = propose_counting(people.ada, server.pk, counts=True, reason="New.", now=timezone.now())
    shown = text(page(people.anna, made))
    assert "http://127.0.0.1:9" in shown
    assert "Without TLS: anybody on the way can change what it says." in shown


def test_many_changes_are_paged(updated, people) -> None:
    many = {id_: entry for n in range(25) for id_, entry in wants(replace(KERNEL, name=f"VMM {n + 10}")).items()}
    made = propose(people.olga, many, **WORDS, now=timezone.now())
    assert "Entries 1 to 20 of 25" in text(page(people.anna, made))
    assert "Entries 21 to 25 of 25" in text(page(people.anna, made, page="2"))
    assert "Entries 1 to 20 of 25" in text(page(people.anna, made, page="nonsense"))


def test_what_was_outdated_meanwhile_cant_be_approved_and_says_so(updated, people) -> None:
    [old] = [each.id for each in in_force().reference.baselines if each.name == "VMM 1"]
    late = propose(people.olga, {old: {**in_force().set.entries[old], "pools": ["az1"]}}, **WORDS, now=timezone.now())
    gone = retire(people.olga, old, reason="Old.", now=timezone.now())
    for each in (people.anna, people.ben):
        say_yes(each, gone, timezone.now())
    sign_due(timezone.now())
    shown = page(people.anna, late)
    assert "is not any more what it began from" in text(shown)
    assert "disabled" in button(shown, "approve")
    assert "disabled" not in button(shown, "reject")


def test_a_proposal_altered_in_the_database_is_called_so(proposal, people) -> None:
    changes = proposal.patch["changes"]
    Proposal.objects.update(patch={"changes": changes, "restores": True})
    assert "altered in the database" in text(page(people.anna, proposal))
    Proposal.objects.update(patch={"changes": {"baseline:1": 7}})
    assert "can't be read" in text(page(people.anna, proposal))
    Proposal.objects.update(patch=[])
    assert page(people.anna, proposal).status_code == 200


# --- Deciding -----------------------------------------------------------------------------------


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


# --- Whose word counts --------------------------------------------------------------------------


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


# --- Emergencies --------------------------------------------------------------------------------


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


# --- Addresses, forms, hostile words ------------------------------------------------------------


@pytest.mark.parametrize("path", ["/proposals/99/", "/proposals/99999999999999999999/", "/proposals/99/hosts/lost/"])
def test_a_proposal_that_is_not_there_says_so(oat, people, path) -> None:
    assert browser_of(people.vera).get(path).status_code == 404


def test_a_list_of_hosts_that_there_is_not_says_so(proposal, people) -> None:
    browser = browser_of(people.vera)
    assert browser.get(f"/proposals/{proposal.pk}/hosts/nonsense/").status_code == 404
    assert browser.get(f"/proposals/{proposal.pk}/hosts/gained/?after=%00").status_code == 200
    withdraw(people.olga, proposal.pk, reason="No.", now=timezone.now())
    assert browser.get(f"/proposals/{proposal.pk}/hosts/gained/").status_code == 404


@pytest.mark.parametrize("verb", ["approve", "reject", "withdraw"])
def test_deciding_takes_a_form_of_ours(proposal, people, verb) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(account(people.anna), backend="django.contrib.auth.backends.ModelBackend")
    assert browser.post(f"/proposals/{proposal.pk}/{verb}/", {"reason": "x"}).status_code == 403
    assert browser.get(f"/proposals/{proposal.pk}/{verb}/").status_code == 405


def test_what_people_write_is_text_and_nothing_else(updated, people) -> None:
    made = propose(
        people.olga, wants(replace(KERNEL, name=HOSTILE, pools=frozenset({HOSTILE}))),
        title=HOSTILE, reason=HOSTILE, now=timezone.now(),
    )  # fmt: skip
    say_yes(people.anna, made, timezone.now(), reason=HOSTILE)
    Proposal.objects.update(stuck=HOSTILE)
    for path in (f"/proposals/{made.pk}/", "/baselines/"):
        assert HOSTILE not in browser_of(people.vera).get(path).content.decode()
    assert HOSTILE not in decide(people.ben, made, reason=HOSTILE + "\0").content.decode()


def test_the_number_of_queries_grows_neither_with_hosts_nor_with_decisions(proposal, people, fleet, clock) -> None:
    browser = browser_of(people.anna)
    say_yes(people.ben, proposal, timezone.now())
    counts = []
    for round_ in range(2):
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(f"/proposals/{proposal.pk}/").status_code == 200
        counts.append(len(captured))
        if not round_:
            new = evidence({18: value("kernel 2")}, at=clock())
            fleet(**{f"other{n}": new for n in range(20)})
            for n in range(6):
                say_yes(approver(f"more{n}"), proposal, timezone.now())
    assert counts[1] <= counts[0] <= QUERIES


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
