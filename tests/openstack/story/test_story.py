"""What a trusted flavor is for, from a register to an instance: with the trait, and with the scheduler's filter.

The product measures the five compute hosts of a real cloud; people toggle, read and approve in a browser.
"""

from collections.abc import Callable

import pytest

from tests.e2e.deciding import approve
from tests.e2e.screen import Screen
from tests.openstack.minicloud import HYPERVISORS
from tests.openstack.servers import Servers
from tests.openstack.stage import ALLOWED_S, PAIR, Stage
from txt_dashboard.cloud.enforcement import Enforcement

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(1800)]

ONE, OTHER = PAIR
SERVICES = {name: HYPERVISORS[name] for name in PAIR}  # an instance tells its compute service, not the hypervisor
LOADERS = {Enforcement.TRAIT: "2.06-13+deb12u1+first", Enforcement.FILTER: "2.06-13+deb12u1+second"}

Visit = Callable[[str], Screen]


def set_trust(visit: Visit, flavor: str, to: str, reason: str) -> None:
    """An administrator turns the flavor's switch and says why."""
    admin = visit("admin")
    admin.open("/flavors/")
    switch = f"form[action='/flavors/{flavor}/'] .switch"
    before = admin.one(switch, 60).get_attribute("aria-checked")
    admin.click(switch)
    admin.click(f"#to-{to}")
    admin.fill("#id_reason", reason)
    admin.click("main form[method=post] button.btn")
    after = {"true": "false", "false": "true"}[before]
    admin.one(f"{switch}[aria-checked={after}]")


def propose_what_it_booted(visit: Visit, host: str) -> str:
    """Where the proposal is."""
    approver = visit("approver")
    approver.open(f"/hosts/{host}/")
    approver.click("#propose-oat-1-vmm")
    approver.fill("#id_reason", "The loader that the vendor sent.")
    approver.click("#go [name=propose]")
    approver.one("#approve")
    return approver.path


def all_ten(servers: Servers, flavor: str) -> set[str]:
    """Where ten new instances of this flavor are."""
    found = servers.hosts(servers.boot(flavor, 10))
    assert found.total() == 10
    assert "" not in found, "not all found a host"
    return set(found)


@pytest.mark.parametrize("enforcement", LOADERS)
def test_instances_follow_the_trust_of_their_hosts(stage: Stage, servers, visit, measured, enforcement):
    stage.shows_holders(*PAIR, why="the two trusted hosts never got the trait alone")
    loader = {"loader": LOADERS[enforcement]}

    # Somebody makes a flavor a trusted one.
    flavor = servers.flavor()
    set_trust(visit, flavor, enforcement, "Only on measured hosts.")
    assert all_ten(servers, flavor) <= set(SERVICES.values())
    ordinary = all_ten(servers, servers.flavor())
    assert ordinary <= set(HYPERVISORS.values())
    assert ordinary - set(SERVICES.values()), "untrusted hosts are the emptier ones, and got none of these"

    # One register of one host changes.
    began = stage.cast.boot({ONE: loader})
    gone = stage.shows_holders(OTHER, why=f"{ONE} kept the trait")
    measured(
        f"{enforcement}: the trait was gone {gone - began:.1f} s after the register changed, of {ALLOWED_S:.0f} s"
    )
    assert gone - began <= ALLOWED_S
    assert stage.told(*PAIR) == {ONE: "untrusted", OTHER: "trusted"}
    assert set(servers.hosts(servers.boot(flavor, 2))) == {SERVICES[OTHER]}

    # With none left nothing is placed, and the pages say why.
    stage.cast.boot({OTHER: loader})
    stage.shows_holders(why=f"{OTHER} kept the trait")
    (refused,) = servers.boot(flavor)
    assert (refused.status, refused.fault["message"].split(".")[0]) == ("ERROR", "No valid host was found")
    viewer = visit("viewer")
    viewer.open("/flavors/")
    viewer.reads("main", "No host is trusted now, so no instance of a trusted flavor can be scheduled anywhere.")
    viewer.photograph(f"openstack-{enforcement}-none-left")
    viewer.open(f"/hosts/{ONE}/")
    viewer.reads("main", "PCR 4")
    viewer.photograph(f"openstack-{enforcement}-host")

    # What the two boot now is proposed and approved, and instances land again.
    proposal = propose_what_it_booted(visit, ONE)
    for name in ("approver2", "approver3"):
        approve(visit(name), proposal, f"{name} compared it with the vendor's notes.")
    stage.shows_holders(*PAIR, why="what was approved brought no trait back", seconds=120)
    assert set(servers.hosts(servers.boot(flavor, 2))) <= set(SERVICES.values())

    # An ordinary flavor again.
    set_trust(visit, flavor, "none", "The machines that needed it are gone.")
    assert set(servers.hosts(servers.boot(flavor, 3))) <= set(HYPERVISORS.values()) - {""}
