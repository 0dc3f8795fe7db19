"""What a trusted flavor is for, from a register to an instance: with the trait, and with the scheduler's filter.

The product measures the five compute hosts of a real cloud; people toggle, read and approve in a browser.
"""

import pytest

from tests.openstack.minicloud import HYPERVISORS
from tests.openstack.stage import PAIR, POLL_S, Stage, eventually
from txt_dashboard.cloud.enforcement import Enforcement

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(1800)]

ONE, OTHER = PAIR
SERVICES = {name: HYPERVISORS[name] for name in PAIR}  # instances tell the compute service, not the hypervisor
ALLOWED_S = POLL_S + 2.0
LOADERS = {Enforcement.TRAIT: "2.06-13+deb12u1+first", Enforcement.FILTER: "2.06-13+deb12u1+second"}


def set_trust(stage: Stage, token: str, flavor: str, *, trusted: bool, enforcement: Enforcement) -> None:
    seen = eventually(
        lambda: stage.asks(token, f"/v1/flavors/{flavor}"),
        lambda answer: answer.status_code == 200,
        "the new flavor is not known",
        90,
    ).json()
    wish = {
        "trusted": trusted,
        "enforcement": enforcement,
        "reason": "Only on measured hosts.",
        "specs_hash": seen["specs_hash"],
    }
    done = stage.asks(token, f"/v1/flavors/{flavor}/trust", method="PUT", json=wish)
    assert done.status_code == 200, done.text


@pytest.fixture
def token(admin) -> str:
    return str(admin.session.get_token())


@pytest.mark.parametrize("enforcement", LOADERS)
def test_instances_follow_the_trust_of_their_hosts(stage, servers, visit, token, enforcement):
    stage.shows_holders(*PAIR, why="the two trusted hosts never got the trait alone")
    loader = {"loader": LOADERS[enforcement]}

    # Somebody makes a flavor a trusted one.
    flavor = servers.flavor()
    set_trust(stage, token, flavor, trusted=True, enforcement=enforcement)
    booted = servers.hosts(servers.boot(flavor, 10))
    assert set(booted) <= set(SERVICES.values()), booted
    assert booted.total() == 10
    ordinary = servers.hosts(servers.boot(servers.flavor(), 10))
    assert set(ordinary) <= set(HYPERVISORS.values()), ordinary
    assert set(ordinary) - set(SERVICES.values()), f"none of the ordinary ones is elsewhere: {ordinary}"

    # One register of one host changes.
    began = stage.cast.boot({ONE: loader})
    gone = stage.shows_holders(OTHER, why=f"{ONE} kept the trait")
    print(f"{enforcement}: the trait was gone {gone - began:.1f} s after the register changed")
    assert gone - began <= ALLOWED_S
    assert stage.told(*PAIR) == {ONE: "untrusted", OTHER: "trusted"}
    assert set(servers.hosts(servers.boot(flavor, 2))) == {SERVICES[OTHER]}

    # With none left, nothing is placed.
    stage.cast.boot({OTHER: loader})
    stage.shows_holders(why=f"{OTHER} kept the trait")
    (refused,) = servers.boot(flavor)
    assert (refused.status, refused.fault["message"].split(".")[0]) == ("ERROR", "No valid host was found")

    # What the two boot now is proposed and approved, and instances land again.
    approver = visit("approver")
    approver.open(f"/hosts/{ONE}/")
    approver.click("#propose-oat-1-vmm")
    approver.fill("#id_reason", "The loader that the vendor sent.")
    approver.click("#go [name=propose]")
    approver.one("#approve")
    proposal = approver.path
    for name in ("approver2", "approver3"):
        reader = visit(name)
        reader.open(proposal)
        reader.fill("#id_reason", f"{name} compared it with the vendor's notes.")
        reader.click("#approve")
    stage.shows_holders(*PAIR, why="what was approved brought no trait back", seconds=120)
    assert set(servers.hosts(servers.boot(flavor, 2))) <= set(SERVICES.values())

    # An ordinary flavor again.
    set_trust(stage, token, flavor, trusted=False, enforcement=enforcement)
    assert set(servers.hosts(servers.boot(flavor, 3))) <= set(HYPERVISORS.values())
