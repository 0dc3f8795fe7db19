"""The log as people read it."""

from datetime import timedelta

import pytest

from tests.activity import write
from tests.factories import NOON
from txt_dashboard.audit import intend, record
from txt_dashboard.models import Activity
from txt_dashboard.queries import activity
from txt_dashboard.queries.activity import PAGE, Change, Filter, Shown, find, in_order, page

pytestmark = pytest.mark.django_db


def numbers(shown: activity.Page) -> list[int]:
    return [row.entry.pk for row in shown.rows]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Filter(), [1, 2, 3, 4]),
        (Filter(since=NOON + timedelta(minutes=2)), [2, 3, 4]),
        (Filter(until=NOON + timedelta(minutes=2)), [1]),
        (Filter(actor="bob"), [3, 4]),
        (Filter(host="hv2"), [2]),
        (Filter(verb="poll"), [1, 2, 3, 4]),
        (Filter(actor="ada", host="hv3"), []),
    ],
)
def test_filters(chosen, expected) -> None:
    write(2)
    write(2, actor="bob")
    assert [entry.pk for entry in in_order(find(chosen))] == expected


def test_pages_go_both_ways_and_meet() -> None:
    write(2 * PAGE + 5)
    first = page(find(Filter()))
    assert (numbers(first)[0], numbers(first)[-1], first.newer, first.older) == (105, 56, 0, 56)
    second = page(find(Filter()), before=first.older)
    assert (numbers(second)[0], numbers(second)[-1], second.newer, second.older) == (55, 6, 55, 6)
    third = page(find(Filter()), before=second.older)
    assert (numbers(third), third.newer, third.older) == ([5, 4, 3, 2, 1], 5, 0)
    assert numbers(page(find(Filter()), after=third.newer)) == numbers(second)
    back = page(find(Filter()), after=second.newer)
    assert (numbers(back), back.newer, back.older) == (numbers(first), 0, 56)


def test_a_page_costs_the_same_anywhere(django_assert_num_queries) -> None:
    write(2 * PAGE)
    with django_assert_num_queries(1):
        page(find(Filter()), before=10)


def test_what_was_intended_shows_what_came_of_it() -> None:
    first = intend(at=NOON, actor="worker", verb="publish", detail={})
    second = intend(at=NOON, actor="worker", verb="publish", detail={})
    outcome = record(at=NOON, actor="worker", verb="publish", of=first, detail={"outcome": "done"})
    shown = {row.entry.pk: row for row in page(find(Filter())).rows}
    assert shown[first].outcome == Activity.objects.get(id=outcome)
    assert (shown[first].waits, shown[second].waits, shown[outcome].waits) == (False, True, False)


def test_before_and_after_become_changes_of_what_differs() -> None:
    detail = {"reason": "why", "before": {"a": 1, "b": 2, "gone": 3}, "after": {"a": 1, "b": 4, "new": 5}}
    shown = Shown(Activity(detail=detail))
    assert shown.changes == (Change("b", 2, 4), Change("gone", 3, None), Change("new", None, 5))
    assert shown.reason == "why"


@pytest.mark.parametrize("detail", [{}, {"before": 1, "after": [2]}, {"reason": None, "intended": False}])
def test_a_detail_that_says_none_of_it_shows_none_of_it(detail) -> None:
    shown = Shown(Activity(detail=detail))
    assert (shown.changes, shown.reason, shown.waits) == ((), "", False)


def test_an_export_reads_chunk_by_chunk(monkeypatch) -> None:
    monkeypatch.setattr(activity, "CHUNK", 2)
    write(5)
    assert [entry.pk for entry in in_order(find(Filter()))] == [1, 2, 3, 4, 5]


def test_who_and_what_is_in_the_log() -> None:
    write(2)
    write(1, actor="bob")
    assert (activity.actors(), activity.verbs()) == (("ada", "bob"), ("poll",))
