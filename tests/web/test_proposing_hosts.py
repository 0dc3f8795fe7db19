"""Proposing what hosts show: values come from our own rows, and are made only while they are what was shown."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import BASELINES, evidence, value
from tests.rows import put_set, write_reference
from tests.web.filled import filled
from tests.web.visitors import browser_of, text
from txt_dashboard.attest.entries import read_baseline
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.models import Attestation, Proposal, SignedSet
from txt_dashboard.queries.in_force import in_force

pytestmark = pytest.mark.django_db
WHY = {"reason": "Debian kernel update, change 1182."}
HOST = "/propose/host/hv1/?part=vmm"


@pytest.fixture
def updated(fleet, clock) -> None:
    """Two hosts of az1 boot a kernel that nobody approved, one of az2 the old one."""
    new = evidence({18: value("kernel 2")}, at=clock())
    fleet(hv1=new, hv2=new)
    fleet("az2", hv3=None)


def group_of(name: str) -> str:
    return f"/propose/group/{Attestation.objects.get(host__name=name).drift_key}/"


def make(browser: Client, address: str, **changes: object):
    return browser.post(address, {**filled(browser.get(address)), **WHY, **changes, "propose": "1"})


def asked() -> dict[str, object]:
    """The one baseline that the newest proposal adds."""
    proposal = Proposal.objects.latest("id")
    added = [change["after"] for change in proposal.patch["changes"].values() if change["before"] is None]
    assert len(added) == 1
    return added[0]


def baselines() -> list[str]:
    return sorted(id_ for id_ in in_force().set.entries if id_.startswith("baseline:"))


def old_kernel() -> str:
    return next(id_ for id_ in baselines() if in_force().set.entries[id_]["name"] == "VMM 1")


# --- From a host -------------------------------------------------------------------------------


def test_a_part_that_differs_has_a_button_on_the_hosts_page(updated, people) -> None:
    shown = text(browser_of(people.olga).get("/hosts/hv1/"))
    assert "Propose as baseline: VMM" in shown
    assert "Propose as baseline: Platform" not in shown
    assert "Propose as baseline" not in text(browser_of(people.olga).get("/hosts/hv3/"))


def test_who_may_not_propose_sees_the_buttons_disabled_with_the_reason(updated, people) -> None:
    browser = browser_of(people.vera)
    for address in ("/hosts/hv1/", "/", HOST):
        shown = text(browser.get(address))
        assert "perators, approvers and administrators propose" in shown
        assert "disabled aria-describedby" in shown
    assert "/propose/host/" not in text(browser.get("/hosts/hv1/"))
    assert make(browser, HOST).status_code == 403
    assert not Proposal.objects.exists()


def test_values_impact_and_hosts_are_shown_before_anything_is_made(updated, people) -> None:
    response = browser_of(people.olga).get(HOST)
    shown = text(response)
    assert value("kernel 2").hex()[8:] in shown
    assert "2 hosts show exactly these values now" in shown
    assert "<b>2 hosts</b> become trusted" in shown
    assert not Proposal.objects.exists()


def test_it_is_made_with_what_the_person_said_and_leads_to_its_review(updated, people) -> None:
    response = make(browser_of(people.olga), HOST, title="Kernel 2", name="VMM kernel 2")
    proposal = Proposal.objects.get()
    assert response.headers["Location"] == f"/proposals/{proposal.pk}/"
    assert (proposal.title, proposal.reason, proposal.proposed_by) == ("Kernel 2", WHY["reason"], "olga")
    entry = asked()
    assert (entry["name"], entry["part"], entry["pools"]) == ("VMM kernel 2", "vmm", ["az1"])
    assert entry["values"] == {"17": value("good 17").hex(), "18": value("kernel 2").hex()}
    assert (entry["not_before"], entry["not_after"]) == (None, None)
    assert set(proposal.patch["changes"]) & set(baselines()) == set()


def test_the_scope_begins_with_the_pools_of_its_hosts_and_can_be_chosen(updated, people) -> None:
    browser = browser_of(people.olga)
    assert filled(browser.get(HOST))["scope"] == ["chosen"]
    make(browser, HOST, scope="chosen", pools=["az1", "az2"])
    assert asked()["pools"] == ["az1", "az2"]


def test_all_pools_must_be_said_and_never_follow_from_nothing_ticked(updated, people) -> None:
    browser = browser_of(people.olga)
    for changes in ({"scope": "chosen", "pools": []}, {"scope": "", "pools": []}):
        assert make(browser, HOST, **changes).status_code == 400
    assert not Proposal.objects.exists()
    make(browser, HOST, scope="all")
    assert asked()["pools"] == []


def test_values_that_changed_on_the_host_are_asked_for_anew(updated, people, fleet, scripted, clock) -> None:
    browser = browser_of(people.olga)
    seen = filled(browser.get(HOST))
    row = Attestation.objects.get(host__name="hv1")
    other = row.vmm.__class__.objects.create(
        key="f" * 64, part="vmm", bank="sha1", first_seen_at=timezone.now(),
        values={"17": value("good 17").hex(), "18": value("kernel 3").hex()},
    )  # fmt: skip
    Attestation.objects.filter(pk=row.pk).update(vmm=other)
    row.host.__class__.objects.filter(name="hv1").update(evidence_key="")
    answer = browser.post(HOST, {**seen, **WHY, "propose": "1"})
    assert answer.status_code == 409
    assert "These are not the values that you saw" in text(answer)
    assert value("kernel 3").hex()[8:] in text(answer)
    assert not Proposal.objects.exists()
    assert filled(answer)["reason"] == [WHY["reason"]]
    browser.post(HOST, {**filled(answer), "propose": "1"})
    assert asked()["values"]["18"] == value("kernel 3").hex()


def test_no_value_can_be_smuggled_in(updated, people) -> None:
    browser = browser_of(people.olga)
    smuggled = {"values": "17: " + "aa" * 20, "17": "aa" * 20, "document": "{}", "key": "x", "part": "platform"}
    make(browser, HOST, **smuggled)
    assert asked()["values"] == {"17": value("good 17").hex(), "18": value("kernel 2").hex()}


def test_a_title_and_a_reason_are_needed(updated, people) -> None:
    browser = browser_of(people.olga)
    for changes, says in (
        ({"reason": " "}, "Say why"),
        ({"title": " "}, "A title has"),
        ({"name": "a\nb\x07"}, "name"),
    ):
        answer = make(browser, HOST, **changes)
        assert answer.status_code in (400, 409)
        assert says in text(answer)
    assert not Proposal.objects.exists()


def test_it_may_begin_and_end_on_dates(updated, people) -> None:
    browser = browser_of(people.olga)
    dates = {"not_before": "2030-01-01T00:00", "not_after": "2031-01-01T00:00:00"}
    shown = browser.post(HOST, {**filled(browser.get(HOST)), **WHY, **dates})
    assert browser.post(HOST, {**filled(shown), "propose": "1"}).status_code == 302
    entry = asked()
    assert (entry["not_before"], entry["not_after"]) == ("2030-01-01T00:00:00+00:00", "2031-01-01T00:00:00+00:00")


def test_an_end_before_the_beginning_is_refused(updated, people) -> None:
    answer = make(browser_of(people.olga), HOST, not_before="2031-01-01T00:00", not_after="2030-01-01T00:00")
    assert answer.status_code == 400
    assert "ends before it begins" in text(answer)


# --- Replacing ---------------------------------------------------------------------------------


def test_what_it_replaces_ends_by_the_same_proposal(updated, people) -> None:
    browser, old = browser_of(people.olga), old_kernel()
    shown = browser.post(HOST, {**filled(browser.get(HOST)), **WHY, "replaces": [old], "ends": "at once"})
    assert "1 host</b> loses trust" in text(shown)  # hv3 of az2, which runs the old kernel still
    made = browser.post(HOST, {**filled(shown), "propose": "1"})
    assert made.status_code == 302
    changes = Proposal.objects.get().patch["changes"]
    assert timezone.datetime.fromisoformat(changes[old]["after"]["not_after"]) <= timezone.now()


def test_what_it_replaces_may_end_on_a_date(updated, people) -> None:
    browser, old = browser_of(people.olga), old_kernel()
    chosen = {"replaces": [old], "ends": "date"}
    assert "Say on which date" in text(browser.post(HOST, {**filled(browser.get(HOST)), **chosen}))
    shown = browser.post(HOST, {**filled(browser.get(HOST)), **WHY, **chosen, "ends_at": "2030-06-01T12:00"})
    assert browser.post(HOST, {**filled(shown), "propose": "1"}).status_code == 302
    assert Proposal.objects.get().patch["changes"][old]["after"]["not_after"] == "2030-06-01T12:00:00+00:00"


def test_what_has_not_begun_by_the_end_is_taken_away(updated, people) -> None:
    browser, old = browser_of(people.olga), old_kernel()
    entry = in_force().set.entries[old]
    put_set({old: {**entry, "not_before": "2030-01-01T00:00:00+00:00"}})
    shown = browser.post(HOST, {**filled(browser.get(HOST)), **WHY, "replaces": [old], "ends": "at once"})
    assert browser.post(HOST, {**filled(shown), "propose": "1"}).status_code == 302
    assert Proposal.objects.get().patch["changes"][old]["after"] is None


def test_only_baselines_of_the_same_part_can_be_replaced(updated, people) -> None:
    browser = browser_of(people.olga)
    bios = next(id_ for id_ in baselines() if in_force().set.entries[id_]["name"] == "BIOS 1")
    shown = browser.get(HOST)
    assert bios not in shown.content.decode()
    for id_ in (bios, "policy:oat-1/", "baseline:0000000000000000"):
        answer = make(browser, HOST, replaces=[id_])
        assert (answer.status_code, Proposal.objects.count()) == (400, 0)


def test_the_moment_of_at_once_cant_be_chosen_freely(updated, people) -> None:
    browser, old = browser_of(people.olga), old_kernel()
    for moment in ("2001-01-01T00:00:00+00:00", "2101-01-01T00:00:00+00:00", "2026-01-01T00:00:00", "nonsense", "\0"):
        shown = browser.post(HOST, {**filled(browser.get(HOST)), **WHY, "replaces": [old], "at": moment})
        at = timezone.datetime.fromisoformat(str(filled(shown)["at"][0]))
        assert timezone.now() - at < timedelta(minutes=5)


def test_what_is_missing_is_said_above_where_a_person_looks(updated, people) -> None:
    answer = make(browser_of(people.olga), group_of("hv1"), reason="")
    assert answer.status_code == 400
    above, _, _ = text(answer).partition('id="ask"')
    assert "Nothing was proposed yet." in above
    assert '<a href="#id_reason">Why</a>: Say why' in above
    assert not Proposal.objects.exists()


# --- From a group ------------------------------------------------------------------------------


def test_hosts_that_drifted_alike_have_one_button_on_the_fleet(updated, people) -> None:
    assert group_of("hv1") in browser_of(people.olga).get("/").content.decode()
    browser = browser_of(people.olga)
    shown = text(browser.get(group_of("hv1")))
    assert "the same values on 2 hosts" in shown
    assert make(browser, group_of("hv1")).status_code == 302
    assert Proposal.objects.get().title == "VMM as on hv1"
    assert asked()["values"]["18"] == value("kernel 2").hex()


def test_both_parts_that_differ_are_proposed_together(fleet, people, clock) -> None:
    both = evidence({7: value("bios 2"), 18: value("kernel 2")}, at=clock())
    fleet(hv1=both, hv2=both)
    make(browser_of(people.olga), group_of("hv1"), name="Wave")
    added = [each["after"]["name"] for each in Proposal.objects.get().patch["changes"].values()]
    assert sorted(added) == ["Wave, Platform", "Wave, VMM"]


def test_a_group_that_is_there_no_more_is_told(updated, people) -> None:
    browser, address = browser_of(people.olga), group_of("hv1")
    seen = filled(browser.get(address))
    Attestation.objects.update(drift_key="")
    assert browser.get(address).status_code == 404
    assert browser.post(address, {**seen, **WHY, "propose": "1"}).status_code == 409
    assert not Proposal.objects.exists()


def test_values_that_are_asked_for_already_are_told(updated, people) -> None:
    browser = browser_of(people.olga)
    make(browser, HOST)
    number = Proposal.objects.get().pk
    assert f"/proposals/{number}/" in browser.get(group_of("hv1")).content.decode()
    assert "asked for already" in text(browser.get(group_of("hv1")))
    assert make(browser, HOST).status_code == 409  # exactly the same once more


def test_hosts_without_a_launch_show_values_that_are_refused(fleet, people, clock) -> None:
    blank = evidence({17: b"\xff" * 20, 18: b"\xff" * 20}, at=clock())
    fleet(hv1=blank)
    browser = browser_of(people.olga)
    assert "Register 17 is all ff" in text(browser.get(HOST))
    assert make(browser, HOST).status_code == 400
    assert not Proposal.objects.exists()


# --- What is strange ---------------------------------------------------------------------------


def test_hosts_and_parts_that_are_not_there_are_told(updated, people) -> None:
    browser = browser_of(people.olga)
    for address in ("/propose/host/nobody/", "/propose/host/hv1/?part=disk", "/propose/host/hv1/?server=oat-9"):
        assert browser.get(address).status_code == 404
    assert browser.get("/propose/group/" + "0" * 64 + "/").status_code == 404
    assert browser.get("/propose/group/%00/").status_code in (400, 404)


def test_hostile_names_stay_text(fleet, people, clock) -> None:
    new = evidence({18: value("kernel 2")}, at=clock())
    fleet("<b>pool", **{"hv<script>1": new})
    browser = browser_of(people.olga)
    answer = browser.get(group_of("hv<script>1"))
    assert b"<script>1" not in answer.content
    assert b"<b>pool" not in answer.content
    made = browser.post(
        group_of("hv<script>1"), {**filled(answer), "title": "<i>t</i>", "reason": "<img>", "preview": "1"}
    )
    assert b"<i>t</i>" not in made.content
    assert b"<img>" not in made.content


def test_a_request_from_elsewhere_makes_nothing(updated, people) -> None:
    browser = browser_of(people.olga)
    seen = filled(browser.get(HOST))
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    assert strict.post(HOST, {**seen, **WHY, "propose": "1", "csrfmiddlewaretoken": ""}).status_code == 403
    assert not Proposal.objects.exists()


def test_a_set_that_is_refused_lets_nothing_be_proposed(updated, people, monkeypatch) -> None:
    browser = browser_of(people.olga)
    seen = filled(browser.get(HOST))
    SignedSet.objects.all().delete()
    answer = browser.post(HOST, {**seen, **WHY, "propose": "1"})
    assert answer.status_code in (400, 404, 409)
    assert not Proposal.objects.exists()


# --- The first day -----------------------------------------------------------------------------


@pytest.fixture
def first_day(oat, fleet, clock, people) -> Client:
    """No baseline at all; four hosts in two pools with two kernels and one firmware."""
    write_reference(oat, ())
    fleet(hv1=None, hv2=None, hv3=evidence({18: value("kernel 2")}, at=clock()))
    fleet("az2", hv4=None)
    return browser_of(people.olga)


FIRST = "/propose/first-day/"


def test_hosts_without_baselines_become_one_proposal_a_part(first_day) -> None:
    response = first_day.get(FIRST)
    shown = text(response)
    assert "<b>0 of 4 hosts</b>" in shown
    assert "3 sets of values" in shown
    assert "<b>4 hosts</b> become trusted" in shown
    made = first_day.post(FIRST, {**filled(response), **WHY, "propose": "1"})
    assert made.headers["Location"] == "/baselines/"
    platform, vmm = Proposal.objects.order_by("id")
    assert platform.title == "Golden values of the first day: Platform, 1 baseline"
    assert vmm.title == "Golden values of the first day: VMM, 2 baselines"
    entries = [change["after"] for change in vmm.patch["changes"].values()]
    assert sorted((each["name"], each["pools"]) for each in entries) == [("VMM of hv1", []), ("VMM of hv3", ["az1"])]
    assert read_baseline("baseline:x", entries[0]).bank is Bank.SHA1


def test_what_is_asked_for_already_begins_unticked(first_day) -> None:
    make(first_day, FIRST)
    shown = first_day.get(FIRST)
    assert "chosen" not in filled(shown)
    assert text(shown).count("Asked for already") == 3


def test_only_what_is_ticked_is_proposed_and_nothing_ticked_is_told(first_day) -> None:
    keys = filled(first_day.get(FIRST))["chosen"]
    assert len(keys) == 3
    answer = first_day.post(FIRST, {**filled(first_day.get(FIRST)), **WHY, "chosen": [], "propose": "1"})
    assert answer.status_code == 400
    assert "Tick what shall be proposed" in text(answer)
    assert make(first_day, FIRST, chosen=["0" * 64]).status_code == 400
    shown = first_day.post(FIRST, {**filled(first_day.get(FIRST)), **WHY, "chosen": keys[:1]})
    assert first_day.post(FIRST, {**filled(shown), "propose": "1"}).status_code == 302
    assert Proposal.objects.count() == 1


def test_progress_counts_hosts_that_have_something_approved_for_each_part(first_day, oat) -> None:
    write_reference(oat, BASELINES[:1])
    assert "<b>0 of 4 hosts</b>" in text(first_day.get(FIRST))
    write_reference(oat, BASELINES)
    shown = text(first_day.get(FIRST))
    assert "<b>4 of 4 hosts</b>" in shown
    assert "Every part has something approved" in shown
    assert "VMM of hv3" not in shown
    assert "hv3" in text(first_day.get(FIRST, {"differing": "1"}))


def test_without_a_policy_the_first_day_begins_with_one(first_day) -> None:
    put_set({"policy:oat-1/": None})
    assert "Propose a policy" in text(first_day.get(FIRST))
    assert first_day.get(FIRST, {"after": "nonsense"}).status_code == 400
