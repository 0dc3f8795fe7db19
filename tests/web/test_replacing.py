"""Golden values that replace others: those end by the same proposal, at once or on a date."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.rows import put_set
from tests.web.filled import filled
from tests.web.proposing import HOST, WHY, baselines, make
from tests.web.visitors import browser_of, text
from txt_dashboard.models import Proposal
from txt_dashboard.queries.in_force import in_force

pytestmark = pytest.mark.django_db


def old_kernel() -> str:
    return next(id_ for id_ in baselines() if in_force().set.entries[id_]["name"] == "VMM 1")


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
