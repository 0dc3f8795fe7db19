"""Letting registers vary by their events: offered where a log leads to proven values, and told in words."""

import pytest

from tests.actions.test_by_events import require
from tests.quoted_fleet import HOSTS, Fleet
from tests.web.filled import filled
from tests.web.visitors import text, visitor
from txt_dashboard.attest.entries import read_baseline
from txt_dashboard.attest.eventlog.varying import Structure
from txt_dashboard.models import Proposal

pytestmark = pytest.mark.django_db

HOST, OTHER = HOSTS
ADDRESS = f"/propose/host/{HOST}/?part=platform"
DISK = "5:2:partitions"


@pytest.fixture
def sim(sim: Fleet) -> Fleet:
    """Its hosts' registers are proven."""
    require()
    sim.proven()
    return sim


@pytest.fixture
def approver(db):
    return visitor("approver", name="anna")


def propose(browser, **changes: object):
    filled_in = {**filled(browser.get(ADDRESS)), "reason": "Each host has a disk of its own.", **changes}
    return browser.post(ADDRESS, {**filled_in, "propose": "1"})


def preview(browser, **changes: object) -> str:
    filled_in = {**filled(browser.get(ADDRESS)), **changes}
    return text(browser.post(ADDRESS, {**filled_in, "preview": "1"}))


def test_events_that_may_vary_are_offered_in_words(approver, sim) -> None:
    page = text(approver.get(ADDRESS))
    assert "May vary by its events" in page
    assert "Event 2, the partition table: other identifiers, places and names" in page
    assert "of the same partitions: EFI system, Linux data" in page


def test_the_preview_says_what_varies_and_which_hosts_gain(approver, sim) -> None:
    shown = preview(approver, vary=[DISK])
    assert "Register 5 by its events" in shown
    assert "exactly 2 events in this order, of which may vary: event 2, the partition table" in shown
    assert "read what may differ" in shown
    assert "become trusted" in shown


def test_what_is_ticked_is_proposed_with_its_golden_data(approver, sim) -> None:
    assert propose(approver, vary=[DISK]).status_code == 302
    ((id_, change),) = Proposal.objects.get().patch["changes"].items()
    said = read_baseline(id_, change["after"])
    assert set(said.events) == {5}
    assert [each.structure for each in said.events[5].events] == [None, Structure.PARTITIONS]
    page = text(approver.get(f"/proposals/{Proposal.objects.get().pk}/"))
    assert "of which may vary: event 2" in page


def test_nothing_varies_that_nobody_ticked(approver, sim) -> None:
    propose(approver)
    (change,) = Proposal.objects.get().patch["changes"].values()
    assert "events" not in change["after"]


@pytest.mark.parametrize("key", ["5:1:partitions", "0:1:partitions", "5:2:boot order", "x"])
def test_what_was_not_offered_can_not_be_chosen(approver, sim, key: str) -> None:
    assert propose(approver, vary=[key]).status_code == 400
    assert not Proposal.objects.exists()


def edit(browser, **changes: str) -> dict:
    """Edits the one proposal, after a look at what follows; what it asks for then."""
    address = f"/proposals/{Proposal.objects.get().pk}/edit/"
    form = {**filled(browser.get(address)), **changes}
    shown = filled(browser.post(address, {**form, "preview": "1"}))
    assert browser.post(address, {**shown, "propose": "1"}).status_code == 302
    (change,) = Proposal.objects.get().patch["changes"].values()
    return change["after"]


def test_an_edit_keeps_events_with_their_value_and_drops_them_with_another(approver, sim) -> None:
    propose(approver, vary=[DISK])
    after = edit(approver, **{"e0-name": "Renamed"})
    assert (after["name"], set(after["events"])) == ("Renamed", {"5"})
    lines = [f"sha256:{at}={'11' * 32 if at == '5' else value}" for at, value in after["values"].items()]
    assert "events" not in edit(approver, **{"e0-values": "\n".join(lines)})


def test_the_hosts_page_says_that_a_register_matches_by_its_events(approver, sim) -> None:
    from tests.actions.test_by_events import approve, golden  # noqa: PLC0415

    approve(golden(HOST))
    sim.poll()
    page = text(approver.get(f"/hosts/{OTHER}/"))
    assert "All 4 required registers match" in page
    assert "Register 5 has another value than the golden one" in page
    assert "register 5 by its events" in page
