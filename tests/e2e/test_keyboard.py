"""Without a mouse: every page is reached, and the focus is seen."""

import pytest
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.browser

FOCUS = """
const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
return {
  name: at === document.body ? 'nothing' : at.id || at.className || at.textContent.trim(),
  place: [...document.querySelectorAll('*')].indexOf(at),
  outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1,
  seen: box.width > 0 && box.height > 0 && box.right > 0 && box.bottom > 0,
  cell: !!at.closest('.cells'),
};
"""
PAGES = ["/", "/hosts/az1-030/", "/servers/", "/servers/add/", "/flavors/", "/flavors/1/"]


def test_the_first_key_offers_to_skip_to_the_content(viewer):
    viewer.open("/")
    viewer.press(Keys.TAB)
    first = viewer.run(FOCUS)
    assert first["name"] == "skip"
    assert first["seen"]
    viewer.press(Keys.ENTER)
    viewer.press(Keys.TAB)
    assert viewer.run("return !!document.activeElement.closest('main')")


def test_the_map_of_all_hosts_can_be_skipped(viewer):
    viewer.open("/")
    viewer.one("#map .cells a")
    viewer.run("document.querySelector('a[href=\"#activity\"]').focus()")
    assert viewer.run(FOCUS)["seen"]
    viewer.press(Keys.ENTER)
    viewer.press(Keys.TAB)
    assert not viewer.run(FOCUS)["cell"]


@pytest.mark.parametrize("path", PAGES)
def test_the_focus_goes_down_the_page_and_is_always_seen(admin, path):
    admin.open(path)
    admin.one("h1")
    places = []
    for _ in range(25):
        admin.press(Keys.TAB)
        focus = admin.run(FOCUS)
        if focus["name"] == "nothing":
            break
        assert focus["outlined"], focus
        assert focus["seen"], focus
        places.append(focus["place"])
    assert places == sorted(places)
    assert len(places) >= 8


@pytest.mark.parametrize(
    ("path", "element"),
    [
        ("/hosts/az1-030/", "#host a[href='/']"),
        ("/hosts/az1-030/", "#host aside .cells a:nth-child(3)"),
        ("/hosts/az1-030/", "details[id^=matching] summary"),
        ("/", "#map a[href='/hosts/az2-078/']"),
        ("/", "#rows tbody tr:nth-child(5) a"),
    ],
)
def test_the_focus_stays_where_it_is_when_the_page_refreshes_itself(viewer, path, element):
    viewer.open(path)
    viewer.one("h1")
    if path == "/":
        viewer.one("#map .cells a")
    viewer.run("const at = document.querySelector(arguments[0]); at.focus(); at.old = true", element)
    viewer.run("htmx.trigger(document.body, 'fleet-changed')")
    viewer.until(lambda: not viewer.run("return document.querySelector(arguments[0]).old", element), "it stayed")
    place = "return document.activeElement === document.querySelector(arguments[0])"
    viewer.until(lambda: viewer.run(place, element), "the focus was lost", seconds=3)


def test_somebody_logs_in_finds_a_host_and_leaves_by_keys_alone(settled, screen):
    screen.driver.delete_all_cookies()
    screen.open("/")
    screen.one("#id_username")
    screen.press("viewer", Keys.TAB, settled.password, Keys.ENTER)
    screen.one("#rows")
    screen.run("document.querySelector('input[type=search]').focus()")
    screen.press("az1-007", Keys.ENTER)
    screen.reads("#rows .found", "1 host found.")
    screen.run("document.querySelector('#rows td.name a').focus()")
    screen.press(Keys.ENTER)
    screen.reads("h1", "az1-007")
    screen.run("document.querySelector('header form button').focus()")
    screen.press(Keys.ENTER)
    screen.one("#id_username")
