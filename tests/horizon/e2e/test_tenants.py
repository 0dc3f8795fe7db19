"""A plain member of a project sees how their own instances stand, and nothing of the fleet under them."""

import pytest

from tests.horizon.e2e.conftest import BOOTED
from tests.horizon.e2e.people import ADMINISTRATOR, MEMBER

pytestmark = [pytest.mark.horizon, pytest.mark.timeout(900)]

ADMIN_PANELS = ("overview", "hosts", "baselines", "flavors", "activity", "servers")
OURS_TAB = "#instance_details__trust"
SECRETS = (*BOOTED, "oat-1", "6.1.0-3")  # hosts, the attestation server, a kernel


@pytest.fixture
def instance(servers, cloud):
    """The member's, on an ordinary flavor."""
    (booted,) = servers.boot(servers.flavor(), who=cloud.connect(MEMBER, MEMBER))
    assert booted.status == "ACTIVE"
    return booted


def names_nothing(source: str) -> None:
    """Fails where the page holds what tenants are not told."""
    found = [secret for secret in SECRETS if secret in source]
    assert not found, f"{found} in a page for tenants"


def test_a_member_sees_their_own_instances_and_no_host(visit, instance):
    demo = visit(MEMBER)
    demo.open("/project/trust_instances/")
    demo.says(instance.name)
    assert demo.text("#trust-instances .trust-state") in ("Trusted", "Untrusted")
    demo.says("It says nothing of attacks inside an instance")
    names_nothing(demo.source())
    names_nothing(demo.get("/project/trust_instances/live/"))

    demo.open(f"/project/instances/{instance.id}/")
    demo.click("a[href*='instance_details__trust']")
    demo.reads(OURS_TAB, "Its host is")
    assert demo.text(f"{OURS_TAB} .trust-state") in ("Trusted", "Untrusted")
    names_nothing(demo.source())


def test_a_member_finds_no_panel_of_the_fleet(visit, product):
    demo = visit(MEMBER)
    demo.open("/project/trust_instances/")
    assert "/project/trust_instances/" in demo.menu()
    assert not [path for path in demo.menu() if path.startswith("/admin/")]
    for panel in ADMIN_PANELS:
        source = demo.get(f"/admin/trust_{panel}/")
        assert "trust-page" not in source, panel
        names_nothing(source)
    names_nothing(demo.get("/admin/trust_hosts/compute1/"))


def test_an_administrator_is_told_the_host_on_horizons_own_page(visit, instance, servers):
    ada = visit(ADMINISTRATOR)
    (host,) = servers.hosts([instance])
    ada.open(f"/admin/instances/{instance.id}/detail")
    ada.click("a[href*='instance_details__trust']")
    ada.reads(OURS_TAB, host)
    ada.open("/admin/hypervisors/")
    ada.click("a[href*='hypervisor_info__trust']")
    ada.reads("#trust-hypervisors", "compute1")
