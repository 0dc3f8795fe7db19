"""A proposal's page: what it changes and does, and that hostile words stay words."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.actions.governance.examples import KERNEL, wants
from tests.factories import evidence, value
from tests.people import approver, say_yes
from tests.rows import make_server
from tests.web.reviewing import WORDS, button, decide, page
from tests.web.visitors import browser_of, text
from txt_dashboard.actions.governance.propose import propose, retire, withdraw
from txt_dashboard.actions.governance.sign import sign_due
from txt_dashboard.actions.servers import propose_counting
from txt_dashboard.models import Proposal
from txt_dashboard.queries.in_force import in_force

pytestmark = pytest.mark.django_db
QUERIES = 35
HOSTILE = '<script>alert("x")</script>'


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


@pytest.mark.parametrize("path", ["/proposals/99/", "/proposals/99999999999999999999/", "/proposals/99/hosts/lost/"])
def test_a_proposal_that_is_not_there_says_so(oat, people, path) -> None:
    assert browser_of(people.vera).get(path).status_code == 404


def test_a_list_of_hosts_that_there_is_not_says_so(proposal, people) -> None:
    browser = browser_of(people.vera)
    assert browser.get(f"/proposals/{proposal.pk}/hosts/nonsense/").status_code == 404
    assert browser.get(f"/proposals/{proposal.pk}/hosts/gained/?after=%00").status_code == 200
    withdraw(people.olga, proposal.pk, reason="No.", now=timezone.now())
    assert browser.get(f"/proposals/{proposal.pk}/hosts/gained/").status_code == 404


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
