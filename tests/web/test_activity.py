"""The Activity page: who did what, when and why; whether the chain holds; the log to take along."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.activity import SQL, past_the_guards, write
from tests.factories import NOON
from tests.web.visitors import text, visitor
from txt_dashboard.audit import intend, record
from txt_dashboard.audit.watch import check_if_due
from txt_dashboard.models import ActivityCheck
from txt_dashboard.queries.activity import PAGE

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(db):
    return visitor("viewer")


def test_an_empty_log_says_so(viewer) -> None:
    page = text(viewer.get("/activity/"))
    assert "Nothing has happened yet." in page
    assert "The chain has not been checked yet" in page


def test_an_entry_says_who_did_what_why_and_what_was_so_before(viewer) -> None:
    detail = {"reason": "A new BIOS.", "before": {"interval_s": 20}, "after": {"interval_s": 30}}
    record(at=timezone.now(), actor="ada", verb="edit server", target="oat-1", detail=detail)
    page = text(viewer.get("/activity/"))
    assert '<td class="who">ada</td>' in page
    assert "changed the server <b>oat-1</b>" in page
    assert '<p class="why">A new BIOS.</p>' in page
    assert "<dt>interval_s</dt><dd><del>20</del>" in page
    assert "<ins>30</ins>" in page


def test_an_act_without_a_sentence_of_its_own_is_named(fleet, viewer) -> None:
    fleet(hv1=None)
    record(at=timezone.now(), actor="ada", verb="rotate key", target="signing", host="hv1")
    assert "rotate key <b>signing</b> · hv1" in text(viewer.get("/activity/"))
    assert "ada · rotate key <b>signing</b> · hv1" in text(viewer.get("/"))


def test_what_was_intended_is_linked_with_what_came_of_it(viewer) -> None:
    first = intend(at=timezone.now(), actor="worker", verb="publish", target="oat-1", detail={})
    assert "What came of it is not known yet." in text(viewer.get("/activity/"))
    record(at=timezone.now(), actor="worker", verb="publish", target="oat-1", of=first, detail={"outcome": "done"})
    page = text(viewer.get("/activity/"))
    assert "not known yet" not in page
    assert 'href="/activity/?before=3#entry-2">entry 2</a>' in page
    assert 'as intended in <a href="/activity/?before=2#entry-1">entry 1</a>' in page


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("actor=ada", [1, 2]),
        ("actor=bob", [3]),
        ("host=hv2", [2]),
        ("verb=poll", [1, 2, 3]),
        ("verb=approve", []),
        ("since=2026-11-24", []),
        ("until=2026-11-23", [1, 2, 3]),
        ("until=2026-11-22", []),
        ("since=2026-11-23&until=2026-11-23&actor=ada", [1, 2]),
        ("since=&until=&actor=&host=+", [1, 2, 3]),
    ],
)
def test_filters_are_in_the_address(viewer, query, there) -> None:
    write(2)
    write(1, actor="bob")
    page = text(viewer.get(f"/activity/?{query}"))
    assert [number for number in (1, 2, 3) if f'id="entry-{number}"' in page] == there
    assert ("No entry is like that." in page) == (not there)


@pytest.mark.parametrize(
    "query",
    ["since=yesterday", "until=9999-12-31", "before=x", "before=-1", f"after={'9' * 5000}", "host=%00", "after=²"],
)
def test_an_address_that_makes_no_sense_is_told(viewer, query) -> None:
    assert viewer.get(f"/activity/?{query}").status_code == 400


def test_pages_keep_the_filter(viewer) -> None:
    write(PAGE + 1)
    page = text(viewer.get("/activity/?actor=ada"))
    assert 'href="/activity/?actor=ada&before=2"' in page
    assert 'id="page-newer"' not in page
    older = text(viewer.get("/activity/?actor=ada&before=2"))
    assert 'href="/activity/?actor=ada&after=1"' in older
    assert "hx-trigger" not in older.partition('id="refresh"')[2]  # what is old does not refresh itself


def test_the_chains_check_is_in_view(viewer, clock) -> None:
    write(3)
    clock.now = timezone.now() - timedelta(seconds=20)
    check_if_due(clock())
    page = text(viewer.get("/activity/"))
    assert "Chain checked up to entry 3" in page
    assert "is due every minute" not in page
    ActivityCheck.objects.update(signed=2, signed_at=clock())
    assert "Head signed at entry 2" in text(viewer.get("/activity/"))


def test_a_check_that_stays_away_is_told(viewer, clock) -> None:
    clock.now = timezone.now() - timedelta(hours=1)
    check_if_due(clock())
    assert "It is due every minute: does a worker run?" in text(viewer.get("/activity/"))


def test_damage_is_told_first(viewer, clock) -> None:
    write(3)
    with past_the_guards() as run:
        run(f"{SQL} actor = 'eve' WHERE id = 2")
    clock.now = timezone.now()
    check_if_due(clock())
    page = text(viewer.get("/activity/"))
    assert "The log was changed behind our back." in page
    assert "Entry 2 was rewritten" in page
    assert "Chain checked" not in page


def test_tampered_entries_can_still_be_looked_at(viewer) -> None:
    write(2)
    with past_the_guards() as run:
        run(f"{SQL} detail = 'no JSON', verb = 'poll' WHERE id = 1")
        run(f"{SQL} detail = '[1]', verb = 'states changed' WHERE id = 2")
    page = text(viewer.get("/activity/"))
    assert "unreadable" in page
    assert viewer.get("/activity/export/?format=csv").getvalue()


def test_markup_is_shown_as_text(viewer) -> None:
    attack = '"><script>alert(1)</script>'
    detail = {"reason": attack, "before": {attack: attack}, "after": {attack: 1}}
    record(at=timezone.now(), actor=attack, verb=attack[:40], target=attack, host=attack, detail=detail)
    page = viewer.get("/activity/").content.decode()
    assert "<script>alert" not in page
    assert "alert(1)" in page


# --- Downloads


def test_the_filtered_log_comes_as_json_lines(viewer) -> None:
    write(2)
    write(1, actor="bob")
    page = text(viewer.get("/activity/?actor=ada&before=2"))
    assert 'href="/activity/export/?actor=ada&format=jsonl"' in page
    answer = viewer.get("/activity/export/?actor=ada&format=jsonl")
    assert answer.streaming
    assert answer["Content-Type"] == "application/jsonl"
    assert answer["Content-Disposition"].startswith('attachment; filename="activity-')
    lines = [json.loads(line) for line in answer.getvalue().splitlines()]
    assert [line["number"] for line in lines] == [1, 2]


def test_the_log_comes_as_csv(viewer) -> None:
    write(1)
    answer = viewer.get("/activity/export/?format=csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    first, second = answer.getvalue().decode().splitlines()
    assert first.startswith("number,at,actor,")
    assert second.startswith(f"1,{(NOON + timedelta(minutes=1)):%Y-%m-%dT%H:%M:%SZ},ada,")


@pytest.mark.parametrize("query", ["", "format=exe", "format=csv&since=x"])
def test_a_download_that_makes_no_sense_is_told(viewer, query) -> None:
    assert viewer.get(f"/activity/export/?{query}").status_code == 400


def test_a_download_is_for_those_who_may_look() -> None:
    write(1)
    assert visitor().get("/activity/export/?format=csv").status_code == 403
    assert Client().get("/activity/export/?format=csv").status_code == 302


def test_the_fleet_page_links_to_all_of_it(fleet) -> None:
    fleet(hv1=None)
    assert '<a class="end small" href="/activity/">All' in text(visitor("viewer").get("/"))
