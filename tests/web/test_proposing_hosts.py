"""Proposing what a host shows: values come from our own rows, and are made only while they are what was shown."""

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import evidence, value
from tests.web.filled import filled
from tests.web.proposing import HOST, WHY, asked, baselines, group_of, make
from tests.web.visitors import browser_of, text
from txt_dashboard.models import Attestation, Proposal, SignedSet

pytestmark = pytest.mark.django_db


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


def test_hosts_without_a_launch_show_values_that_are_refused(fleet, people, clock) -> None:
    blank = evidence({17: b"\xff" * 20, 18: b"\xff" * 20}, at=clock())
    fleet(hv1=blank)
    browser = browser_of(people.olga)
    assert "Register 17 is all ff" in text(browser.get(HOST))
    assert make(browser, HOST).status_code == 400
    assert not Proposal.objects.exists()


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
