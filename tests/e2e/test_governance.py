"""Golden values that people govern: reviewed, refused to who proposed, approved by two, in force without a reload.

A product of its own: what is approved here would change the fleet that the other tests look at.
"""

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import AT_ITS_END
from tests.e2e.deciding import approve
from tests.e2e.product import Product
from tests.e2e.screen import Screen

pytestmark = pytest.mark.browser

HOSTS = 76  # of the third make: they boot what is approved again below


@pytest.fixture(scope="module")
def governed(tmp_path_factory) -> Iterator[Product]:
    """A product at its story's end."""
    product = Product(tmp_path_factory.mktemp("governed") / "data")
    try:
        product.start(AT_ITS_END)
        yield product
    finally:
        product.stop()


@pytest.fixture
def visit(visiting, governed):
    """Makes the browser that of somebody with an account of this product."""
    return visiting(governed)


def trusted(screen: Screen) -> int:
    return int(screen.text("#tally-trusted b"))


def test_a_change_of_golden_values_takes_two_others_and_takes_effect_without_a_reload(visit, governed):
    viewer = visit("viewer")
    viewer.open("/")
    viewer.until(lambda: trusted(viewer) == 401, "the fleet never came to rest", 60)

    # Retire: proposed in the browser, with what follows in view.
    approver = visit("approver")
    approver.open("/baselines/")
    row = approver.until(
        lambda: [each for each in approver.all("table.golden tr") if "VMM 6.1.0-37 (SR630)" in each.text], "no row"
    )[0]
    assert f"{HOSTS} hosts" in row.text
    link = row.find_element("css selector", ".act a").get_attribute("href")
    approver.open(link.removeprefix(governed.address))
    approver.reads("#impact", f"{HOSTS} hosts\nlose trust".replace("\n", " "))
    approver.fill("#id_reason", "The vendor withdrew this kernel.")
    approver.click(".decision button")
    approver.reads("h1", "Retire VMM 6.1.0-37 (SR630)")
    retiring = approver.path

    # Who proposed it is refused, with the reason in view.
    assert not approver.one("#approve").is_enabled()
    described = approver.one("#approve").get_attribute("aria-describedby")
    assert "Who proposed it can't approve it: somebody else must look at it." in approver.text(f"#{described}")

    # Two others approve; hosts lose trust while somebody looks.
    for name, said in (("approver2", "1 more person must approve."), ("approver3", "A worker signs it")):
        other = visit(name)
        other.reads("#waiting", "1")
        approve(other, retiring, f"{name} compared it.")
        other.reads("main", said)
    stayed = other.stays()
    other.reads("#status", "Signed as set 4", seconds=40)
    assert stayed()

    # Without a reason nothing is decided, and a viewer sees the effect without a reload.
    viewer = visit("viewer")
    viewer.open("/")
    viewer.until(lambda: trusted(viewer) == 401 - HOSTS, "nothing lost trust", 40)


def test_approved_again_the_hosts_turn_trusted_while_one_looks(visit, governed):
    governed.command(
        "shell",
        typed="""
from django.contrib.auth.models import User
from django.utils import timezone
from txt_dashboard.actions.governance.propose import propose
from txt_dashboard.actions.permissions import Actor, Role
from txt_dashboard.queries.in_force import opened
user = User.objects.get(username="approver").pk
gone = {id_: entry for id_, entry in opened(2).entries.items() if entry.get("name") == "VMM 6.1.0-37 (SR630)"}
propose(Actor("approver", frozenset({Role.APPROVER}), user=user), gone, title="VMM 6.1.0-37 (SR630)",
        reason="It was the vendor's mistake.", now=timezone.now())
""",
    )
    approver = visit("approver")
    approver.open("/baselines/")
    approver.reads("#open", "Yours: others decide")
    approver.click("#open li a")
    proposal = approver.path
    approver.reads("#impact", f"{HOSTS} hosts become trusted")
    approver.reads("#approve + #reject", "Reject")
    assert not approver.one("#approve").is_enabled()
    approver.reads("#why-not-approve", "somebody else must look at it")

    second = visit("approver2")
    second.open(proposal)
    second.forgive("status of 400")
    second.click("#approve")
    second.reads(".decision", "Say why")
    second.fill("#id_reason", "Compared with the vendor's notes.")
    second.click("#approve")
    second.reads("#said", "approver2 approved: Compared with the vendor's notes.")

    # The worker waits, so that somebody looks at the fleet when it signs.
    with governed.holding("worker"):
        third = visit("approver3")
        approve(third, proposal, "The same as before.")
        third.reads("#next", "Enough persons approved it.")
        viewer = visit("viewer")
        viewer.open("/")
        stayed = viewer.stays()
        assert trusted(viewer) == 401 - HOSTS
    viewer.until(lambda: trusted(viewer) == 401, "the hosts never turned trusted", 60)
    assert stayed()
    viewer.open(proposal)
    viewer.reads("#status", "Signed as set 5")


def test_what_is_decided_meanwhile_shows_by_itself_and_leaves_nothing_to_decide(visit, governed):
    governed.command(
        "shell",
        typed="""
from django.contrib.auth.models import User
from django.utils import timezone
from txt_dashboard.actions.governance.propose import retire
from txt_dashboard.actions.permissions import Actor, Role
from txt_dashboard.queries.reference import current_reference
user = User.objects.get(username="operator").pk
bios = next(each.id for each in current_reference().baselines if "BIOS 3.42" in each.name)
retire(Actor("operator", frozenset({Role.OPERATOR}), user=user), bios, reason="Old.", now=timezone.now())
""",
    )
    first = visit("approver")
    first.open("/baselines/")
    first.click("#open li a")
    proposal = first.path
    first.fill("#id_reason", "I like it.")
    looked_at = first.driver.current_window_handle
    stayed = first.stays()
    first.driver.switch_to.new_window("tab")
    try:
        first.open(proposal)
        first.fill("#id_reason", "It is still in use.")
        first.click("#reject")
        first.reads("#status", "Rejected")
    finally:
        first.driver.close()
        first.driver.switch_to.window(looked_at)
    first.reads("#choices", "It is settled: nothing is left to decide.")
    first.reads("#said", "approver rejected: It is still in use.")
    first.gone("#id_reason")
    assert stayed()
