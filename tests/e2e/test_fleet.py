"""The Fleet page: how many hosts are trusted, what changed, where, and how to find one."""

import pytest

from tests.e2e.product import STORY

pytestmark = pytest.mark.browser

UPDATED, ODD = STORY.kernel_update.hosts, STORY.odd_loader.hosts[0]


def names(screen) -> list[str]:
    """The hosts that the table shows."""
    return [each.text for each in screen.all("#rows td.name b")]


def test_it_counts_the_hosts_by_state(viewer):
    viewer.open("/")
    assert viewer.text("#size") == "420 hosts in 3 pools"
    counts = [int(viewer.text(f"#tally-{state} b")) for state in ("trusted", "untrusted", "stale", "unknown")]
    assert sum(counts) == 420
    assert counts[1] == 15


def test_it_groups_what_changed_by_identical_values(viewer):
    viewer.open("/")
    first, second = (row.text for row in viewer.all("#changes tbody tr"))
    assert "Registers 18, 19 differ on 14 hosts in the same way, no approved change" in first
    assert "Register 4 differs on one host alone" in second
    assert [each.text for each in viewer.all("#changes .chip")] == ["18", "19", "4"]

    viewer.click("#change-1")
    viewer.reads("#rows .found", "14 hosts found. Only those that drifted in one way.")
    assert names(viewer) == list(UPDATED)
    viewer.open("/")
    viewer.click("#change-2")
    viewer.reads("#rows .found", "1 host found.")
    assert names(viewer) == [ODD]


def test_the_map_leads_to_a_host(viewer):
    viewer.open("/")
    viewer.one("#map .cells a")
    assert len(viewer.all("#map .cells a")) == 420
    assert [each.text for each in viewer.all("#map .pool b")] == ["az1", "az2", "edge"]
    cell = viewer.one(f"#map a.untrusted[href='/hosts/{ODD}/']")
    assert cell.get_attribute("title") == f"{ODD}: untrusted"
    viewer.click(f"#map a[href='/hosts/{ODD}/']")
    viewer.reads("h1", ODD)
    assert viewer.path == f"/hosts/{ODD}/"


def test_the_tally_filters_and_lets_go_again(viewer):
    viewer.open("/")
    viewer.click("#tally-untrusted")
    viewer.reads("#rows .found", "15 hosts found.")
    assert viewer.path == "/?state=untrusted"
    viewer.click("#tally-untrusted")
    viewer.until(lambda: viewer.path == "/", "the filter stayed")


def test_search_and_facets_live_in_the_address(viewer):
    viewer.open("/")
    stayed = viewer.stays()
    viewer.fill("input[type=search]", "az1-02")
    viewer.reads("#rows .found", "10 hosts found.")
    assert viewer.path == "/?q=az1-02"
    viewer.one("select[name=state]").send_keys("Untrusted")
    viewer.reads("#rows .found", "5 hosts found.")
    assert viewer.path == "/?q=az1-02&state=untrusted"
    assert stayed()

    viewer.driver.refresh()
    assert viewer.text("#rows .found").startswith("5 hosts found.")
    assert viewer.one("input[type=search]").get_attribute("value") == "az1-02"
    viewer.driver.back()
    viewer.until(lambda: viewer.path == "/?q=az1-02", "Back did not go back")
    viewer.reads("#rows .found", "10 hosts found.")


def test_a_register_value_finds_the_hosts_that_show_it(viewer):
    viewer.open(f"/hosts/{ODD}/")
    value = viewer.text("table.registers .digest.new")
    viewer.open(f"/?q={value[:12]}")
    assert names(viewer) == [ODD]


def test_what_is_not_there_is_said_with_a_way_out(viewer):
    viewer.open("/?q=no-such-host")
    viewer.reads("#rows .empty", "No host is like that.")
    viewer.click("#none")
    viewer.until(lambda: len(names(viewer)) == 50, "the way out led nowhere")


def test_pages_go_on_where_the_one_before_ended(viewer):
    viewer.open("/")
    first = names(viewer)
    viewer.click("#page-after")
    viewer.until(lambda: viewer.path == f"/?after={first[-1]}", "there is no second page")
    second = names(viewer)
    assert len(first) == len(second) == 50
    assert first[-1] < second[0]
    viewer.click("#page-before")
    viewer.until(lambda: names(viewer) == first, "the first page did not come back")
    assert not viewer.all("#page-before")


def test_poll_now_shows_its_progress_and_ends(operator):
    operator.open("/")
    stayed = operator.stays()
    operator.gone("#progress")
    operator.click("#poll button")
    operator.reads("#progress", " of 420")
    operator.gone("#progress", seconds=60)
    operator.reads("#activity", "operator asked for a poll of all hosts")
    assert stayed()
