"""Every panel: axe finds nothing serious in our part, and a picture is kept in tests/e2e/screenshots, to look at."""

import pytest

from tests.e2e import axe
from tests.horizon.e2e.conftest import UNTRUSTED
from tests.horizon.e2e.guest import Guest
from tests.horizon.e2e.people import ADMINISTRATOR, FIRST, MEMBER

pytestmark = [pytest.mark.horizon, pytest.mark.timeout(900)]

PAGES = {
    "overview": "/admin/trust_overview/",
    "hosts": "/admin/trust_hosts/",
    "host": f"/admin/trust_hosts/{UNTRUSTED}/",
    "host-log": f"/admin/trust_hosts/{UNTRUSTED}/log/",
    "host-history": f"/admin/trust_hosts/{UNTRUSTED}/history/",
    "host-instances": f"/admin/trust_hosts/{UNTRUSTED}/instances/",
    "host-evidence": f"/admin/trust_hosts/{UNTRUSTED}/evidence/",
    "baselines": "/admin/trust_baselines/",
    "flavors": "/admin/trust_flavors/",
    "activity": "/admin/trust_activity/",
    "servers": "/admin/trust_servers/",
}
_FOUND = """
const done = arguments[arguments.length - 1];
axe.run(document.querySelector(arguments[0]), {resultTypes: ["violations"]}).then(result => done(
  result.violations.filter(each => ["serious", "critical"].includes(each.impact))
    .map(each => each.id + ": " + each.nodes.map(node => node.html).join(" | "))));
"""


def looked_at(guest: Guest, name: str, source: str, ours: str = ".trust-page") -> None:
    """Keeps a picture, and fails where axe finds something serious in our part."""
    guest.one(ours, seconds=60)
    guest.photograph(f"horizon-{name}")
    guest.run(source)
    assert guest.driver.execute_async_script(_FOUND, ours) == [], name


@pytest.fixture(scope="module")
def axe_source() -> str:
    """axe-core."""
    return axe.source()


def test_the_administrators_panels(visit, axe_source, servers):
    servers.flavor()
    ada = visit(ADMINISTRATOR)
    for name, path in PAGES.items():
        ada.open(path)
        looked_at(ada, name, axe_source)


def test_the_tabs_on_pages_of_horizons_own_and_the_switch_of_a_flavor(visit, axe_source, servers):
    (booted,) = servers.boot(servers.flavor())
    ada = visit(ADMINISTRATOR)
    for name, path, tab in (
        ("instance-tab", f"/admin/instances/{booted.id}/detail", "instance_details__trust"),
        ("hypervisors-tab", "/admin/hypervisors/", "hypervisor_info__trust"),
    ):
        ada.open(path)
        ada.click(f"a[href*='{tab}']")
        looked_at(ada, name, axe_source, f"#{tab} .trust-page")
    switches = "[id^='trust-set-']"
    ada.until(lambda: ada.open("/admin/trust_flavors/") or ada.all(switches), "no flavor came", 90)
    ada.click(switches)
    ada.one(".modal #id_reason")
    looked_at(ada, "flavor-modal", axe_source, "#trust_flavor_form")


def test_a_review_and_its_modals(visit, axe_source, ask, keystone):
    baseline = ask(keystone.token(ADMINISTRATOR), "/v1/baselines").json()["items"][0]
    ben = visit(FIRST)
    ben.at(f"trust_baselines/{baseline['id']}")
    ben.says("What is shown below is what retiring it would do.")
    looked_at(ben, "baseline", axe_source)
    ben.click("#trust-retire")
    ben.one(".modal #id_reason")
    looked_at(ben, "modal", axe_source, "form[id^='trust_']")
    ben.fill(".modal #id_reason", "To be looked at.")
    ben.click(".modal input[type=submit]")
    ben.reads("body", "asks to retire it")
    ada = visit(ADMINISTRATOR)
    ada.at("trust_baselines")
    ada.click("#trust-proposals th a")
    ada.says("Only an approver can decide")
    looked_at(ada, "review", axe_source)
    ben.click("a[href^='/admin/trust_baselines/'][href$='/']:not([href$='trust_baselines/'])")
    ben.decide("#trust-withdraw", "It was looked at.", "Nothing of it comes into force.")


def test_the_panel_of_members(visit, axe_source, servers, cloud):
    servers.boot(servers.flavor(), 2, who=cloud.connect(MEMBER, MEMBER))
    demo = visit(MEMBER)
    demo.open("/project/trust_instances/")
    demo.one("#trust-instances")
    looked_at(demo, "instances", axe_source)
