"""The Host page's history and evidence, who may do what there, and names that mean harm."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.factories import GOOD, evidence, value
from tests.rows import make_host
from tests.web.visitors import text, visitor
from txt_dashboard.actions.cycle import Worker
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.models import Attestation, Host, HostEvent

pytestmark = pytest.mark.django_db
QUERIES = 25


@pytest.fixture
def worker(clock, scripted) -> Worker:
    return Worker(clock, lambda row, clock: scripted)


def read(path: str, role: str = "operator") -> str:
    """The page's text, as a person reads it: one space between words."""
    response = visitor(role).get(path)
    assert response.status_code == 200
    return text(response)


# --- History and evidence -----------------------------------------------------------------------


def test_the_history_names_the_registers_that_changed(fleet, scripted, worker, clock) -> None:
    fleet(hv1=None)
    clock.advance(seconds=120)
    scripted.answers["hv1"] = lambda: evidence({18: value("new")}, at=clock())
    worker.turn()
    page = read("/hosts/hv1/history/")
    assert "1 register changed since the measurement before: 18" in page
    assert "Differs from the closest approved baseline in PCR 18." in page
    assert page.index("approved baseline in PCR 18") < page.index("All required registers match")


def test_the_history_goes_on_from_page_to_page_without_gaps(fleet) -> None:
    [host] = fleet(hv1=None)
    HostEvent.objects.all().delete()
    start = timezone.now() - timedelta(days=1)
    HostEvent.objects.bulk_create(
        HostEvent(
            host=host,
            at=start + timedelta(minutes=number // 2),  # two of each moment: the id tells them apart
            previous_state="unknown",
            state="unknown",
            reason="answer_malformed",
            reason_params={"detail": f"no {number:03}!"},
        )
        for number in range(70)
    )
    browser, path, seen = visitor("operator"), "/hosts/hv1/history/", []
    while path:
        page = browser.get(path).content.decode()
        seen += [number for number in range(70) if f"no {number:03}!" in page]
        older = re.search(r'href="([^"]*before=[^"]*)"', page)
        path = older[1] if older else ""
    assert sorted(seen) == list(range(70))


@pytest.mark.parametrize("before", ["x", "~", "2026-01-01~1", "2026-01-01T00:00:00+00:00~" + "9" * 30, "1~-"])
def test_a_place_in_the_history_that_makes_no_sense_begins_at_the_newest(fleet, before) -> None:
    fleet(hv1=None)
    assert visitor("operator").get("/hosts/hv1/history/", {"before": before}).status_code == 200


def test_the_evidence_can_be_taken_along(fleet) -> None:
    fleet(hv1=None)
    response = visitor("operator").get("/hosts/hv1/evidence/?download")
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Content-Disposition"] == 'attachment; filename="hv1.json"'
    held = response.json()["evidence"][0]
    assert held["registers"]["sha1"]["18"] == GOOD[18].hex()
    assert held["vouched_for_by"] == "server"
    assert [part["outcome"] for part in held["compared_with"]] == ["matches", "matches"]


def test_all_banks_are_listed(fleet) -> None:
    both = evidence(at=timezone.now())
    fleet(hv1=type(both)(both.verdict, both.attested_at, {**both.registers, Bank.SHA256: {0: b"\x07" * 32}}))
    page = read("/hosts/hv1/evidence/")
    assert "07" * 32 in page
    assert "SHA256" in page


# --- Who may, and what is hostile ---------------------------------------------------------------


def test_only_those_who_may_poll_can_attest_now_and_others_are_told_why(fleet) -> None:
    fleet(hv1=None)
    assert "Only operators and administrators attest." in read("/hosts/hv1/", role="viewer")
    assert "Only operators and administrators attest." not in read("/hosts/hv1/", role="operator")


def test_a_host_that_is_due_says_that_it_waits(fleet, clock) -> None:
    fleet(hv1=None)
    Attestation.objects.update(due_at=timezone.now() - timedelta(seconds=5))
    page = read("/hosts/hv1/")
    assert "waiting for a worker" in page
    assert "every 2s" in page


def test_an_unknown_host_is_a_404_that_says_what_to_do() -> None:
    response = visitor("operator").get("/hosts/nope/")
    assert response.status_code == 404
    assert "No host is called nope." in response.content.decode()


def test_hostile_names_are_text_and_nothing_else(oat) -> None:
    name = "<script>alert('hv')</script>?a=b&c#d \"x"
    Host.objects.create(name=name.replace("/", ""), since=timezone.now(), created_at=timezone.now())
    host = make_host(name.replace("/", "") + "2", oat, pool="<b>pool</b>")
    browser = visitor("operator")
    for view in ("host", "host-history", "host-evidence"):
        page = browser.get(reverse(view, args=[host.name])).content.decode()
        assert "<script>alert" not in page
        assert "<b>pool</b>" not in page
        assert "&lt;script&gt;alert" in page
        assert reverse("host-history", args=[host.name]) in unescape(page)
    response = browser.get(reverse("host-evidence", args=[host.name]) + "?download")
    assert "\n" not in response.headers["Content-Disposition"]


def test_text_from_a_server_is_escaped(fleet) -> None:
    told = evidence(at=timezone.now(), details={"<i>bios</i>": "<img src=x>"})
    fleet(hv1=told)
    page = visitor("operator").get("/hosts/hv1/evidence/").content.decode()
    assert "<img src=x>" not in page
    assert "<i>bios</i>" not in page


@pytest.mark.parametrize("path", ["/hosts/hv000/", "/hosts/hv000/history/", "/hosts/hv000/evidence/"])
def test_the_number_of_queries_does_not_grow_with_the_fleet(oat, worker, clock, path) -> None:
    browser = visitor("operator")
    counts = []
    for size in (2, 40):
        for number in range(Host.objects.count(), size):
            make_host(f"hv{number:03}", oat)
        clock.advance(seconds=1)
        Attestation.objects.update(due_at=clock.now)
        worker.turn()
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert browser.get(path).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1] <= QUERIES
