"""Proposing a policy, and editing an open proposal of one's own."""

import pytest
from django.test import Client
from django.utils import timezone

from tests.actions.governance.examples import KERNEL, WANTED, wants
from tests.factories import evidence, value
from tests.people import say_yes
from tests.web.filled import filled
from tests.web.reviewing import WORDS
from tests.web.visitors import browser_of, text
from txt_dashboard.actions.governance.decide import standing
from txt_dashboard.actions.governance.propose import edit, propose
from txt_dashboard.attest.entries import baseline_id
from txt_dashboard.models import Activity, Proposal
from txt_dashboard.queries.in_force import in_force

pytestmark = pytest.mark.django_db
POLICY = "/propose/policy/"
WHY = {"reason": "The edge has no measured launch."}


@pytest.fixture
def updated(fleet, clock) -> None:
    fleet(hv1=evidence({18: value("kernel 2")}, at=clock()))
    fleet("edge", hv2=None)


def ask(browser: Client, address: str, **changes: object):
    """Enters it, looks, and asks for what was shown."""
    shown = browser.post(address, {**filled(browser.get(address)), **changes})
    return shown, browser.post(address, {**filled(shown), "propose": "1"})


# --- Policies ----------------------------------------------------------------------------------


def test_the_form_begins_with_what_is_in_force(updated, people) -> None:
    began = filled(browser_of(people.anna).get(POLICY, {"pool": "edge"}))
    assert (began["server"], began["pool"], began["validity_s"]) == (["oat-1"], ["edge"], ["600"])
    assert (began["platform_bank"], began["platform"], began["vmm"]) == (["sha1"], ["0, 7"], ["17, 18"])


def test_a_policy_of_a_pool_is_shown_with_what_it_does_and_then_proposed(updated, people) -> None:
    shown, made = ask(browser_of(people.anna), POLICY, **WHY, pool="edge", vmm="17 18,19", validity_s="300")
    assert "SHA1: 17, 18, 19" in text(shown)
    assert "1 host</b> loses trust" in text(shown)
    assert made.status_code == 302
    entry = Proposal.objects.get().patch["changes"]["policy:oat-1/edge"]["after"]
    assert entry == {
        "server": "oat-1", "pool": "edge", "validity_s": 300, "word_is_enough": False,
        "parts": {
            "platform": {"bank": "sha1", "registers": [0, 7]}, "vmm": {"bank": "sha1", "registers": [17, 18, 19]},
        },
    }  # fmt: skip


def test_that_the_servers_word_is_enough_is_warned_of_in_words(updated, people) -> None:
    browser = browser_of(people.anna)
    assert "Whoever controls that server decides alone" in text(browser.get(POLICY))
    shown, made = ask(browser, POLICY, **WHY, word_is_enough="on", platform_bank="", vmm_bank="")
    assert "trusted on the server's word alone, without any golden value" in text(shown)
    assert made.status_code == 302


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"vmm": "16"}, "16 can't be required"),
        ({"vmm": "24"}, "register 24 does not exist"),
        ({"vmm": "eighteen"}, "is no register index"),
        ({"vmm": ""}, "requires no register"),
        ({"platform_bank": "", "vmm_bank": ""}, "must require at least one part"),
        ({"validity_s": "0"}, "greater than or equal to 1"),
        ({"validity_s": "9999999"}, "less than or equal to 604800"),
        ({"server": "oat-9"}, "Select a valid choice"),
        ({"pool": "<b>nowhere"}, "Select a valid choice"),
    ],
)
def test_a_policy_that_cant_be_is_told_with_the_reason(updated, people, changes, says) -> None:
    shown, made = ask(browser_of(people.anna), POLICY, **WHY, **changes)
    assert says in text(shown)
    assert b"<b>nowhere" not in shown.content
    assert (made.status_code, Proposal.objects.count()) == (400, 0)


def test_operators_may_look_but_not_propose_a_policy(updated, people) -> None:
    browser = browser_of(people.olga)
    assert "Only approvers and administrators propose this" in text(browser.get(POLICY))
    _, made = ask(browser, POLICY, **WHY, vmm="18")
    assert (made.status_code, Proposal.objects.count()) == (403, 0)


# --- Editing -----------------------------------------------------------------------------------


def address(proposal: Proposal) -> str:
    return f"/proposals/{proposal.pk}/edit/"


def test_the_proposer_finds_the_way_to_edit_it(proposal, people) -> None:
    assert address(proposal) in browser_of(people.olga).get(f"/proposals/{proposal.pk}/").content.decode()
    assert address(proposal) not in browser_of(people.anna).get(f"/proposals/{proposal.pk}/").content.decode()


def test_words_scope_dates_and_values_can_be_edited(proposal, people) -> None:
    typed = f"17: {value('good 17').hex()}\n18: {value('kernel 3').hex()}"
    changes = {
        "title": "Kernel 3", "reason": "It was superseded.", "e0-name": "VMM 3", "e0-values": typed,
        "e0-scope": "chosen", "e0-pools": ["az1"], "e0-not_after": "2031-01-01T00:00",
    }  # fmt: skip
    shown, made = ask(browser_of(people.olga), address(proposal), **changes)
    assert value("kernel 3").hex()[8:] in text(shown)
    assert made.headers["Location"] == f"/proposals/{proposal.pk}/"
    proposal.refresh_from_db()
    ((id_, change),) = proposal.patch["changes"].items()
    assert (proposal.title, proposal.reason) == ("Kernel 3", "It was superseded.")
    assert (change["after"]["name"], change["after"]["pools"]) == ("VMM 3", ["az1"])
    assert change["after"]["values"]["18"] == value("kernel 3").hex()
    assert change["after"]["not_after"] == "2031-01-01T00:00:00+00:00"
    assert id_ != baseline_id(KERNEL)
    assert Activity.objects.filter(verb="edit proposal").exists()


def test_an_edit_of_the_words_alone_keeps_the_content_and_its_approvals(proposal, people) -> None:
    say_yes(people.anna, proposal, timezone.now())
    before = proposal.content_hash
    _, made = ask(browser_of(people.olga), address(proposal), title="Kernel 2 of November")
    proposal.refresh_from_db()
    assert (made.status_code, proposal.title, proposal.content_hash) == (302, "Kernel 2 of November", before)
    assert standing(proposal).missing == 1


def test_an_edit_of_the_content_drops_approvals(proposal, people) -> None:
    say_yes(people.anna, proposal, timezone.now())
    ask(browser_of(people.olga), address(proposal), **{"e0-name": "VMM 2b"})
    proposal.refresh_from_db()
    assert standing(proposal).missing == 2


def test_what_somebody_changed_meanwhile_is_shown_and_not_overwritten(proposal, people) -> None:
    browser = browser_of(people.olga)
    seen = filled(browser.get(address(proposal)))
    other = {id_: {**entry, "name": "VMM other"} for id_, entry in wants().items()}
    edit(people.olga, proposal.pk, other, **WORDS, content_hash=proposal.content_hash, now=timezone.now())
    answer = browser.post(address(proposal), {**seen, "title": "Mine", "propose": "1"})
    assert answer.status_code == 409
    assert "has changed since you saw it" in text(answer)
    assert filled(answer)["e0-name"] == ["VMM other"]
    assert filled(answer)["title"] == ["Mine"]
    proposal.refresh_from_db()
    assert proposal.title == "Kernel 2"
    again = browser.post(address(proposal), {**filled(answer), "propose": "1"})
    assert again.status_code == 302


def test_only_the_proposer_edits_and_others_see_why(proposal, people) -> None:
    browser = browser_of(people.anna)
    shown = browser.get(address(proposal))
    assert "Only olga, who proposed it, can edit it" in text(shown)
    assert "disabled" in text(shown)
    answer = browser.post(address(proposal), {**filled(shown), "title": "Taken over", "propose": "1"})
    assert answer.status_code == 403
    proposal.refresh_from_db()
    assert proposal.title == "Kernel 2"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"e0-values": "18: abc"}, "Line 1: register 18"),
        ({"e0-values": "16: " + "ab" * 20}, "Register 16 is never a reference value"),
        ({"e0-values": "18: " + "ff" * 20}, "Register 18 is all ff"),
        ({"e0-values": f"18: {'ab' * 20}\n18: {'ab' * 32}"}, "all values must be of one bank"),
        ({"e0-values": ""}, "No register is named here"),
        ({"e0-scope": "chosen", "e0-pools": []}, "Choose at least one pool"),
        ({"e0-not_before": "2031-01-01T00:00", "e0-not_after": "2030-01-01T00:00"}, "ends before it begins"),
        ({"e0-not_after": "tomorrow"}, "valid date"),
    ],
)
def test_what_cant_be_is_refused_as_in_a_new_proposal(proposal, people, changes, says) -> None:
    before = proposal.content_hash
    shown, made = ask(browser_of(people.olga), address(proposal), **changes)
    assert says in text(shown)
    assert made.status_code == 400
    proposal.refresh_from_db()
    assert proposal.content_hash == before


def test_entries_can_be_dropped_and_the_end_of_what_is_replaced_moved(updated, people) -> None:
    old = next(id_ for id_, each in in_force().set.entries.items() if each.get("name") == "VMM 1")
    ended = {**in_force().set.entries[old], "not_after": "2030-01-01T00:00:00+00:00"}
    proposal = propose(people.olga, {**WANTED, old: ended}, **WORDS, now=timezone.now())
    browser = browser_of(people.olga)
    began = filled(browser.get(address(proposal)))
    ending = next(name for name in began if name.endswith("-ends_at")).removesuffix("-ends_at")
    assert began[f"{ending}-ends_at"] == ["2030-01-01T00:00:00"]
    added = "e1" if ending == "e0" else "e0"
    changed = {f"{ending}-ends_at": "2030-06-01T00:00"}
    shown = browser.post(
        address(proposal), {**filled(browser.get(address(proposal)), without=(f"{added}-keep",)), **changed}
    )
    assert browser.post(address(proposal), {**filled(shown), "propose": "1"}).status_code == 302
    proposal.refresh_from_db()
    assert set(proposal.patch["changes"]) == {old}
    assert proposal.patch["changes"][old]["after"]["not_after"] == "2030-06-01T00:00:00+00:00"


def test_a_policy_that_was_proposed_can_be_edited(updated, people) -> None:
    browser = browser_of(people.anna)
    ask(browser, POLICY, **WHY, validity_s="300")
    proposal = Proposal.objects.get()
    ask(browser, address(proposal), **{"e0-validity_s": "400"})
    proposal.refresh_from_db()
    assert proposal.patch["changes"]["policy:oat-1/"]["after"]["validity_s"] == 400


def test_a_settled_proposal_leads_to_its_page_and_none_is_told(proposal, people) -> None:
    browser = browser_of(people.olga)
    Proposal.objects.update(state="withdrawn")
    assert browser.get(address(proposal)).headers["Location"] == f"/proposals/{proposal.pk}/"
    assert browser.get("/proposals/999/edit/").status_code == 404
    assert browser.get(f"/proposals/{10**30}/edit/").status_code == 404


def test_all_ways_of_proposing_are_found_from_one_page(updated, people) -> None:
    shown = browser_of(people.vera).get("/propose/").content.decode()
    for place in ("/propose/first-day/", "/propose/upload/", "/propose/by-hand/", POLICY, "/propose/group/"):
        assert place in shown
    assert 'href="/propose/"' in browser_of(people.olga).get("/baselines/").content.decode()
