"""The table of hosts: search, facets, and pages that lose and repeat no host."""

from datetime import timedelta

import pytest

from tests.factories import BASELINES, NOON, value
from tests.rows import make_host, make_server, write_reference
from txt_dashboard.attest.pcr import Bank
from txt_dashboard.attest.reference import Measurement, Part
from txt_dashboard.models import Attestation, Host
from txt_dashboard.models import Measurement as MeasurementRow
from txt_dashboard.queries import table
from txt_dashboard.queries.reference import current_reference
from txt_dashboard.queries.table import Cursor, Filter

pytestmark = pytest.mark.django_db


@pytest.fixture
def server():
    row = make_server()
    write_reference(row, BASELINES)
    return row


def names(chosen: Filter) -> set[str]:
    return set(table.hosts(chosen, NOON).values_list("name", flat=True))


def page(sort: str = "name", cursor: Cursor | None = None) -> table.Page:
    return table.page(Host.objects.all(), sort, cursor, current_reference(), NOON)


def walk(sort: str) -> list[list[str]]:
    """All pages from first to last."""
    pages, cursor = [], None
    while True:
        shown = page(sort, cursor)
        pages.append([row.name for row in shown.rows])
        if not shown.after:
            return pages
        cursor = Cursor(shown.after)


def test_pages_by_name_show_every_host_once(server) -> None:
    expected = [f"hv{number:03}" for number in range(2 * table.PAGE + 7)]
    for name in reversed(expected):
        make_host(name, server)
    pages = walk("name")
    assert [len(each) for each in pages] == [table.PAGE, table.PAGE, 7]
    assert [name for each in pages for name in each] == expected


def test_pages_by_time_tell_hosts_of_the_same_moment_apart(server) -> None:
    for number in range(table.PAGE + 5):
        make_host(f"hv{number}", server)
    newest = make_host("newest", server)
    Host.objects.filter(pk=newest.pk).update(since=NOON + timedelta(seconds=1))
    pages = walk("since")
    assert pages[0][0] == "newest"
    shown = [name for each in pages for name in each]
    assert len(set(shown)) == len(shown) == table.PAGE + 6


@pytest.mark.parametrize("sort", ["name", "since"])
def test_going_back_shows_the_page_before(server, sort) -> None:
    for number in range(3 * table.PAGE):
        make_host(f"hv{number:03}", server)
    first = page(sort)
    second = page(sort, Cursor(first.after))
    back = page(sort, Cursor(second.before, backwards=True))
    assert (back.rows, back.before, back.after) == (first.rows, "", first.after)


def test_a_host_that_comes_in_between_moves_no_other_to_another_page(server) -> None:
    for number in range(0, 2 * table.PAGE, 2):
        make_host(f"hv{number:03}", server)
    for number in range(2 * table.PAGE, 2 * table.PAGE + 5):
        make_host(f"hv{number:03}", server)
    first = page()
    before = [row.name for row in page(cursor=Cursor(first.after)).rows]
    make_host("hv001", server)
    assert [row.name for row in page(cursor=Cursor(first.after)).rows] == before


@pytest.mark.parametrize("key", ["yesterday~1", "2026-11-23T12:00:00+00:00~x", "2026-11-23T12:00:00~1", "~"])
def test_a_cursor_that_makes_no_sense_is_refused(server, key) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each part has its own message
        page("since", Cursor(key))


def test_search_finds_names_and_pools_whatever_their_case(server) -> None:
    make_host("alpha-1", server, "az1")
    make_host("beta-1", server, "Alps")
    make_host("gamma-1", server, "az2")
    assert names(Filter(search="ALP")) == {"alpha-1", "beta-1"}


def test_search_finds_a_registers_value_by_its_first_six_digits(server) -> None:
    measured = Measurement(Part.VMM, Bank.SHA1, {18: value("kernel 38")})
    row = MeasurementRow.objects.create(
        key=measured.key, part="vmm", bank="sha1", values={"18": value("kernel 38").hex()}, first_seen_at=NOON
    )
    host = make_host("hv1", server)
    make_host("hv2", server)
    Attestation.objects.filter(host=host).update(vmm=row)
    digits = value("kernel 38").hex()
    assert names(Filter(search=digits[:6].upper())) == names(Filter(search=digits)) == {"hv1"}
    assert names(Filter(search=digits[:5])) == names(Filter(search=digits[2:10])) == set()


@pytest.mark.parametrize("text", ["%", "_", "'", '"', '": "', "\\"])
def test_search_takes_signs_for_what_they_are(server, text) -> None:
    make_host("hv1", server)
    assert names(Filter(search=text)) == set()


def test_facets_narrow_down(server) -> None:
    other = make_server("oat-2")
    make_host("hv1", server, "az1")
    make_host("hv2", other, "az1")
    make_host("hv3", server, "")
    Attestation.objects.filter(host__name="hv1").update(drift_key="d" * 64)
    assert names(Filter(pool="az1")) == {"hv1", "hv2"}
    assert names(Filter(pool="")) == {"hv3"}
    assert names(Filter(server="oat-1")) == {"hv1", "hv3"}
    assert names(Filter(group="d" * 64)) == {"hv1"}
    assert names(Filter(pool="az1", server="oat-1", state="unknown", reason="never_attested")) == {"hv1"}
    assert names(Filter(state="nonsense")) == names(Filter(reason="nonsense")) == set()
