"""Golden values: what is in force, what waits, what was settled, what has ended; and what every page warns of."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.actions.governance.examples import KERNEL, WANTED, wants
from tests.factories import BASELINES, evidence, value
from tests.people import account, say_yes
from tests.rows import make_server, write_reference
from tests.web.visitors import browser_of, text, visitor
from txt_dashboard import conf
from txt_dashboard.actions.governance.propose import propose, withdraw
from txt_dashboard.actions.governance.sign import sign_due
from txt_dashboard.models import Proposal, SignedSet
from txt_dashboard.queries.in_force import in_force

pytestmark = pytest.mark.django_db
QUERIES = 35
WORDS = {"title": "Kernel 2", "reason": "Security update of November."}


def rows(response, section: str) -> str:
    """The text of one section of the page."""
    return text(response).partition(f'id="{section}"')[2].partition("</section>")[0]


def id_of(name: str) -> str:
    return next(each.id for each in in_force().reference.baselines if each.name == name)


# --- What is in force ---------------------------------------------------------------------------


def test_it_says_which_set_is_in_force_since_when_and_by_which_key(oat) -> None:
    newest = SignedSet.objects.first()
    page = text(visitor("viewer").get("/baselines/"))
    assert f"set {newest.number}, signed <time" in page
    assert f"<code>{newest.key_id}</code>" in page


def test_each_baseline_has_its_registers_scope_dates_and_the_hosts_that_show_it(oat, fleet, clock) -> None:
    fleet(hv1=None, hv2=evidence({18: value("kernel 2")}, at=clock()))
    begins = timezone.now() + timedelta(days=1)
    scoped = replace(BASELINES[0], name="BIOS 2", pools=frozenset({"edge"}), not_before=begins)
    write_reference(oat, (*BASELINES, scoped))
    browser = visitor("viewer")
    page = rows(browser.get("/baselines/"), "in-force")
    first, second, third = page.split('<th scope="row" class="what">')[1:]
    assert "BIOS 1" in first
    assert "all pools" in first
    assert "no end" in first
    assert "2 hosts" in first
    assert "BIOS 2" in second
    assert "edge" in second
    assert "from <time" in second
    assert "not yet" in second
    assert "0 hosts" in second
    assert "VMM 1" in third
    assert "1 host<" in third
    assert "SHA1" in third


def test_the_hosts_of_a_baseline_are_a_filter_of_the_fleet(oat, fleet, clock) -> None:
    fleet(hv1=None, hv2=evidence({18: value("kernel 2")}, at=clock()))
    browser = visitor("viewer")
    page = text(browser.get("/", {"baseline": id_of("VMM 1")}))
    assert "1 host found. Only those that show exactly the values of VMM 1." in page
    assert "<b>hv1</b>" in page
    assert "<b>hv2</b>" not in page
    assert browser.get("/", {"baseline": "baseline:nothing"}).status_code == 404


def test_hosts_that_only_an_observed_server_speaks_for_show_nothing(oat, fleet, clock) -> None:
    fleet(hv1=None)
    oat.counts = False
    oat.save()
    assert "0 hosts" in rows(visitor("viewer").get("/baselines/"), "in-force")


@pytest.mark.parametrize(
    ("query", "found"), [("vmm", ["VMM 1"]), ("EDGE", ["BIOS 9"]), (value("good 18").hex()[:12], ["VMM 1"])]
)
def test_search_finds_names_pools_and_values(oat, query, found) -> None:
    write_reference(oat, (*BASELINES, replace(BASELINES[0], name="BIOS 9", pools=frozenset({"edge"}))))
    page = rows(visitor("viewer").get("/baselines/", {"q": query}), "in-force")
    assert [name for name in ("BIOS 1", "BIOS 9", "VMM 1") if f"<b>{name}</b>" in page] == found


def test_what_is_not_there_is_said_with_a_way_out(oat) -> None:
    assert "No baseline in force is like that." in text(visitor("viewer").get("/baselines/?q=%00nothing"))


def test_many_baselines_are_paged(oat) -> None:
    write_reference(oat, [replace(BASELINES[0], name=f"BIOS {n:03}") for n in range(60)])
    browser = visitor("viewer")
    first, second = (rows(browser.get("/baselines/", {"page": n}), "in-force") for n in (1, 2))
    assert (first.count('class="what"'), second.count('class="what"')) == (50, 10)
    assert "BIOS 049" in first
    assert "BIOS 050" in second


def test_policies_and_whose_word_counts_are_shown(oat) -> None:
    make_server("oat-2", counts=False)
    page = visitor("viewer").get("/baselines/")
    assert "SHA1: 17, 18" in rows(page, "policies")
    assert "10 minutes" in rows(page, "policies")
    counting = rows(page, "counting").partition("</h2>")[2]
    assert counting.index("oat-1") < counting.index("counts") < counting.index("oat-2") < counting.index("observed")


# --- What has ended -----------------------------------------------------------------------------


def test_what_ended_on_its_date_lists_the_hosts_that_still_show_it(oat, fleet, clock) -> None:
    fleet(hv1=None, hv2=None, hv3=evidence({18: value("kernel 2")}, at=clock()))
    ended = replace(BASELINES[1], not_after=timezone.now() - timedelta(days=1))
    write_reference(oat, (BASELINES[0], ended, KERNEL))
    page = rows(visitor("viewer").get("/baselines/"), "ended")
    assert "VMM 1" in page
    assert "2 stragglers" in page
    again = replace(BASELINES[1], name="VMM 1 again", pools=frozenset({"az1"}))
    write_reference(oat, (BASELINES[0], ended, again))
    assert "no stragglers" in rows(visitor("viewer", name="another").get("/baselines/"), "ended")


# --- What waits and what was settled ------------------------------------------------------------


def test_those_that_wait_for_me_come_first_and_the_menu_counts_them(oat, people) -> None:
    mine = propose(people.anna, WANTED, **WORDS, now=timezone.now())
    other = propose(
        people.olga, wants(replace(KERNEL, name="VMM 3")), title="Kernel 3", reason="It.", now=timezone.now()
    )
    page = browser_of(people.anna).get("/baselines/")
    waiting = rows(page, "open")
    assert waiting.index(f"/proposals/{other.pk}/") < waiting.index(f"/proposals/{mine.pk}/")
    assert "Your turn" in waiting
    assert "Yours: others decide" in waiting
    assert "1 proposal waits for you" in text(page)
    assert "2 proposals wait for you" in text(browser_of(people.ben).get("/"))
    assert "waits for you" not in text(browser_of(people.ada).get("/baselines/"))
    say_yes(people.ben, mine, timezone.now())
    shown = browser_of(people.ben).get("/baselines/")
    assert "1 proposal waits for you" in text(shown)
    assert "You approved it" in rows(shown, "open")
    assert "1 of 2 approved" in rows(shown, "open")


def test_settled_ones_are_paged_the_latest_first(oat, people) -> None:
    for number in range(22):
        made = propose(people.olga, WANTED, title=f"Try {number}", reason="It.", now=timezone.now())
        withdraw(people.olga, made.pk, reason="No.", now=timezone.now())
    browser = browser_of(people.vera)
    first = rows(browser.get("/baselines/"), "settled")
    assert first.index("Try 21") < first.index("Try 2<")
    assert "Try 1<" not in first
    older = rows(browser.get("/baselines/", {"before": Proposal.objects.get(title="Try 2").pk}), "settled")
    assert "Try 1<" in older
    assert "Try 2<" not in older
    assert browser.get("/baselines/?before=nonsense").status_code == 200


def test_an_entry_that_a_proposal_touches_links_it(oat, people) -> None:
    made = propose(people.olga, {id_of("VMM 1"): None}, **WORDS, now=timezone.now())
    assert f"Proposal {made.pk}" in rows(browser_of(people.olga).get("/baselines/"), "in-force")


def test_the_number_of_queries_does_not_grow(oat, people, fleet) -> None:
    browser = browser_of(people.anna)
    counts = []
    for size in (1, 15):
        write_reference(oat, [*BASELINES, *(replace(BASELINES[0], name=f"BIOS {n}") for n in range(size))])
        for n in range(size):
            fleet(**{f"hv{size}-{n}": None})
            made = propose(people.olga, wants(replace(KERNEL, name=f"VMM {size}-{n}")), **WORDS, now=timezone.now())
            say_yes(people.ben, made, timezone.now())
        with CaptureQueriesContext(connection) as captured:
            assert browser.get("/baselines/").status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1] <= QUERIES


# --- Retiring -----------------------------------------------------------------------------------


def test_retiring_shows_what_follows_and_makes_a_proposal(oat, people, fleet) -> None:
    fleet(hv1=None)
    browser, entry = browser_of(people.olga), id_of("VMM 1")
    page = text(browser.get("/baselines/retire/", {"entry": entry}))
    assert "Retire VMM 1" in page
    assert "<b>1 host</b> loses trust" in page
    assert "This changes nothing yet" in page
    answer = browser.post(f"/baselines/retire/?entry={entry}", {"reason": "Replaced by VMM 2."}, follow=True)
    made = Proposal.objects.get()
    assert answer.redirect_chain == [(f"/proposals/{made.pk}/", 302)]
    assert (made.title, made.reason) == ("Retire VMM 1", "Replaced by VMM 2.")


def test_retiring_needs_a_reason_and_only_once(oat, people) -> None:
    browser, address = browser_of(people.olga), f"/baselines/retire/?entry={id_of('VMM 1')}"
    answer = browser.post(address, {"reason": ""})
    assert answer.status_code == 400
    assert "Say why" in text(answer)
    browser.post(address, {"reason": "Old."})
    answer = browser.post(address, {"reason": "Old, I said."})
    assert answer.status_code == 409
    assert "asks for exactly this already" in text(answer)
    assert "Old, I said.</textarea>" in text(answer)
    assert "An open proposal changes this already:" in text(answer)


def test_what_is_not_in_force_cant_be_retired(oat, people) -> None:
    for entry in ("baseline:nothing", "nonsense", "", "policy:oat-9/\0"):
        assert browser_of(people.olga).get("/baselines/retire/", {"entry": entry}).status_code == 404


def test_who_may_not_retire_something_is_told_why(oat, people) -> None:
    page = text(browser_of(people.vera).get("/baselines/retire/", {"entry": id_of("VMM 1")}))
    assert "Only operators, approvers and administrators propose this." in page
    page = text(browser_of(people.olga).get("/baselines/retire/", {"entry": "policy:oat-1/"}))
    assert "Only approvers and administrators propose this." in page


def test_retiring_takes_a_form_of_ours(oat, people) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(account(people.olga), backend="django.contrib.auth.backends.ModelBackend")
    assert browser.post(f"/baselines/retire/?entry={id_of('VMM 1')}", {"reason": "x"}).status_code == 403
    assert not Proposal.objects.exists()


# --- What every page warns of -------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/servers/", "/baselines/", "/hosts/hv1/"])
def test_a_refused_set_is_told_on_every_page_with_what_to_do(fleet, path) -> None:
    fleet(hv1=None)
    conf.floor_file().write_text(f"99 {'0' * 64}\n")
    page = text(visitor("viewer").get(path))
    assert "Nothing is in force, so no host is trusted" in page
    assert "Number 99 or a newer one should be in force" in page
    assert "signed_set restore" in page


def test_a_lab_is_called_so_on_every_page(fleet, settings) -> None:
    fleet(hv1=None)
    assert "Lab:" not in text(visitor("viewer").get("/"))
    settings.TXT_QUORUM = 1
    for path in ("/", "/servers/", "/baselines/", "/hosts/hv1/"):
        assert "one person alone approves what makes hosts trusted" in text(visitor("viewer", name=path).get(path))


def test_an_emergency_that_is_over_warns_no_more(oat, people, settings) -> None:
    settings.TXT_EMERGENCY_H = 4
    made = propose(people.olga, WANTED, **WORDS, now=timezone.now())
    long_ago = timezone.now() - timedelta(hours=5)
    say_yes(people.anna, made, timezone.now(), emergency=True)
    sign_due(long_ago)
    assert "Emergency." not in text(visitor("viewer").get("/"))
    assert "which ended at" in text(visitor("viewer", name="two").get(f"/proposals/{made.pk}/"))


def test_before_anything_is_in_force_the_page_says_so(db) -> None:
    page = text(visitor("viewer").get("/baselines/"))
    assert "nothing is in force yet" in page
    assert "No golden values are in force." in page
    assert "Nobody has asked for a change." in page
