"""Proposing what hosts show that drifted alike: one proposal for all of them and all their parts."""

import pytest

from tests.factories import evidence, value
from tests.web.filled import filled
from tests.web.proposing import HOST, WHY, asked, group_of, make
from tests.web.visitors import browser_of, text
from txt_dashboard.models import Attestation, Proposal

pytestmark = pytest.mark.django_db


def test_what_is_missing_is_said_above_where_a_person_looks(updated, people) -> None:
    answer = make(browser_of(people.olga), group_of("hv1"), reason="")
    assert answer.status_code == 400
    above, _, _ = text(answer).partition('id="ask"')
    assert "Nothing was proposed yet." in above
    assert '<a href="#id_reason">Why</a>: Say why' in above
    assert not Proposal.objects.exists()


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
