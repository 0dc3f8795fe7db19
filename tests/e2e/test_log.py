"""The Activity page: filtered without a reload, kept in the address, and true about its chain."""

import pytest

pytestmark = pytest.mark.browser


def test_filters_change_the_list_and_the_address_without_a_reload(operator):
    operator.open("/activity/")
    stayed = operator.stays()
    operator.one("select[name=actor]").send_keys("command")
    operator.until(lambda: operator.path == "/activity/?actor=command%20line", "the filter is not in the address")
    who = operator.until(lambda: {each.text for each in operator.all(".log .who")} == {"command line"}, "other rows")
    assert who
    assert stayed()
    assert "actor=command+line" in operator.one("#downloads a").get_attribute("href")


def test_what_is_unfolded_shows_the_entry_to_the_letter(operator):
    operator.open("/activity/?verb=load+hosts")
    operator.click("details summary")
    operator.reads("details pre", '"hosts": 420')


def test_the_chains_check_comes_by_itself(operator):
    operator.open("/activity/")
    operator.reads("#chain", "Chain checked up to entry", seconds=90)
