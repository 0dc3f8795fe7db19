"""The first day: all that hosts show and nobody approved yet, as one proposal for each part."""

import pytest
from django.test import Client

from tests.factories import BASELINES, evidence, value
from tests.rows import put_set, write_reference
from tests.web.filled import filled
from tests.web.proposing import WHY, make
from tests.web.visitors import browser_of, text
from txt_dashboard.attest.entries import read_baseline
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.models import Proposal

pytestmark = pytest.mark.django_db
FIRST = "/propose/first-day/"


@pytest.fixture
def first_day(oat, fleet, clock, people) -> Client:
    """No baseline at all; four hosts in two pools with two kernels and one firmware."""
    write_reference(oat, ())
    fleet(hv1=None, hv2=None, hv3=evidence({18: value("kernel 2")}, at=clock()))
    fleet("az2", hv4=None)
    return browser_of(people.olga)


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
