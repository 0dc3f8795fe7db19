"""Every page, light, dark and as narrow as a telephone: it fits, axe finds nothing serious, and a picture is kept.

Pictures are for people: look at them in tests/e2e/screenshots after a change of the pages.
"""

from collections.abc import Callable

import pytest

from tests.e2e.product import STORY
from tests.e2e.screen import Screen

pytestmark = pytest.mark.browser

UPDATED, ODD = STORY.kernel_update.hosts[3], STORY.odd_loader.hosts[0]
UNENROLLED, SILENT = STORY.not_enrolled.hosts[0], STORY.no_answer.hosts[0]
PAGES = {
    "fleet": "/",
    "fleet-untrusted": "/?state=untrusted",
    "fleet-nothing-found": "/?q=no-such-host",
    "host-untrusted": f"/hosts/{UPDATED}/",
    "host-odd-loader": f"/hosts/{ODD}/",
    "host-trusted": "/hosts/az1-001/",
    "host-not-enrolled": f"/hosts/{UNENROLLED}/",
    "host-silent": f"/hosts/{SILENT}/",
    "host-history": f"/hosts/{UPDATED}/history/",
    "host-evidence": f"/hosts/{UPDATED}/evidence/",
    "baselines": "/baselines/",
    "baselines-nothing-found": "/baselines/?q=nothing",
    "baseline-retire": "/baselines/retire/?entry=policy%3Aoat-1%2F",
    "proposal-signed": "/proposals/2/",
    "proposal-rejected": "/proposals/6/",
    "proposal-hosts": "/proposals/4/hosts/gained-once-vouched/",
    "host-log": f"/hosts/{ODD}/log/",
    "host-measured-files": f"/hosts/{ODD}/files/",
    "host-evidence-quoted": f"/hosts/{ODD}/evidence/",
    "activity": "/activity/",
    "activity-nothing-found": "/activity/?host=no-such-host",
    "propose": "/propose/",
    "propose-host": f"/propose/host/{UPDATED}/?part=vmm",
    "propose-first-day": "/propose/first-day/?differing=1",
    "propose-upload": "/propose/upload/",
    "propose-by-hand": "/propose/by-hand/",
    "propose-policy": "/propose/policy/",
    "propose-keys": "/propose/keys/",
    "propose-key-list": "/propose/keys/list/",
    "flavors": "/flavors/",
    "flavors-nothing-found": "/flavors/?q=nothing",
    "flavor": "/flavors/4/",
    "servers": "/servers/",
    "server-counting": "/servers/1/counting/",
    "server-add": "/servers/add/",
    "server-edit": "/servers/1/",
    "instances": "/instances/",
    "instances-at-stake": "/instances/?at_stake=1",
    "instances-intervals": "/instances/at-stake/",
    "host-instances": f"/hosts/{UPDATED}/instances/",
    "clouds": "/clouds/",
    "clouds-nothing-found": "/clouds/?q=nothing",
    "cloud-take-over": "/clouds/simulated/take-over/",
    "cloud-role": "/clouds/hosts/az1-180/",
    "not-found": "/hosts/nobody/",
    "no-such-address": "/nowhere/",
    "nonsense": "/?after=nonsense&sort=since",
}
AS_APPROVER = {
    "approver-baselines": "/baselines/",
    "approver-proposal": "/proposals/4/",
    "approver-own-proposal": "/proposals/5/",
}
AS_VIEWER = {
    "viewer-fleet": "/",
    "viewer-host": "/hosts/az1-001/",
    "viewer-activity": "/activity/",
    "viewer-propose-host": f"/propose/host/{UPDATED}/?part=vmm",
    "viewer-flavors": "/flavors/",
    "viewer-flavor": "/flavors/4/",
    "viewer-servers": "/servers/",
    "viewer-server": "/servers/1/",
    "viewer-clouds": "/clouds/",
}
AS_STRANGER = {"log-in": "/login/", "log-in-keystone": "/login/keystone/"}
AS_TENANT = {"tenant-instances": "/my-instances/", "tenant-project": "/my-project/", "tenant-refused": "/servers/"}


@pytest.mark.parametrize("name", PAGES)
def test_page_of_an_administrator(proposed, admin, axe_source, name):
    _look(admin, name, PAGES[name], axe_source)


@pytest.mark.parametrize("name", AS_APPROVER)
def test_page_of_an_approver(proposed, approver, axe_source, name):
    _look(approver, name, AS_APPROVER[name], axe_source)


@pytest.mark.parametrize("name", AS_VIEWER)
def test_page_of_a_viewer(viewer, axe_source, name):
    _look(viewer, name, AS_VIEWER[name], axe_source)


@pytest.mark.parametrize("name", AS_TENANT)
def test_page_of_a_tenant(settled, screen, axe_source, name):
    screen.driver.delete_all_cookies()
    screen.open("/login/keystone/")
    screen.log_in("member", settled.password)
    screen.gone("#id_domain")
    _look(screen, name, AS_TENANT[name], axe_source)


@pytest.mark.parametrize("name", AS_STRANGER)
def test_page_of_a_stranger(settled, screen, axe_source, name):
    screen.driver.delete_all_cookies()
    _look(screen, name, AS_STRANGER[name], axe_source)


@pytest.mark.parametrize("name", ["server-add", "server-edit"])
def test_a_server_s_form_on_the_narrowest_screen(admin, axe_source, name):
    admin.resize(320, 800)
    admin.open(PAGES[name])
    for field in ("interval_s", "quote_interval_s"):
        assert admin.one(f"label[for=id_{field}]").is_displayed()
        assert admin.one(f"#id_{field}").rect["x"] + admin.one(f"#id_{field}").rect["width"] <= 320
    admin.photograph(f"{name}-narrowest")
    assert _found_by_axe(admin, axe_source) == []
    assert _fits(admin)


def _look(screen: Screen, name: str, path: str, axe_source: str) -> None:
    screen.forgive(r"status of 40[034]")  # the pages that say so
    screen.open(path)
    screen.one("h1")
    if screen.all("#map"):
        screen.one("#map .cells a")
    looks: dict[str, Callable[[], None]] = {
        "light": lambda: screen.prefer("light"),
        "dark": lambda: screen.prefer("dark"),
        "narrow": lambda: (screen.prefer("light"), screen.resize(400, 800)),
    }
    grounds = []
    for look, put_on in looks.items():
        put_on()
        grounds.append(screen.run("return getComputedStyle(document.body).backgroundColor"))
        screen.photograph(f"{name}-{look}")
        assert _found_by_axe(screen, axe_source) == []
    assert grounds[0] == grounds[2] != grounds[1]
    assert _fits(screen)


def _fits(screen: Screen) -> object:
    return screen.run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def _found_by_axe(screen: Screen, axe_source: str) -> list[str]:
    if not screen.run("return 'axe' in window"):
        screen.run(axe_source)
    result = screen.driver.execute_async_script(
        "axe.run(document, {resultTypes: ['violations']}).then(arguments[0], (error) => arguments[0](String(error)))"
    )
    assert isinstance(result, dict), result
    return [
        f"{each['id']} ({each['impact']}): {each['help']}: {node['html'][:200]}"
        for each in result["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"][:3]
    ]
