"""The fleet's story as people live it: an update that nobody approved, and one that was approved beforehand.

A product of its own, started three times on the same data: each time the story goes on to its next stop.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.conftest import AT_ITS_END
from tests.e2e.deciding import approve
from tests.e2e.product import FIRST_PART, STORY, Product
from tests.e2e.screen import Screen

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

CANARY_BOOTED = 520.0  # seconds of the story
ALL_TOLD = 1000.0
UPDATED = len(STORY.kernel_update.hosts)
WAVE, STRAGGLERS = len(STORY.wave.hosts), len(STORY.stragglers)
LEFT = timedelta(seconds=150)  # for the wave, until the old baseline ends
NOBODY_LOST = """
from txt_dashboard.models import HostEvent
wave = %r
lost = HostEvent.objects.filter(host__name__in=wave, previous_state="trusted").exclude(state="trusted")
assert not lost.exists(), list(lost.values_list("host__name", "state", "reason")[:5])
kernels = HostEvent.objects.filter(host__name__in=wave, vmm__isnull=False).values("host").distinct().count()
assert kernels == len(wave), kernels
"""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory) -> Iterator[Product]:
    """A product where the first part of the story is over."""
    product = Product(tmp_path_factory.mktemp("story") / "data")
    try:
        product.start(AT_ITS_END)
        yield product
    finally:
        product.stop()


@pytest.fixture
def visit(visiting, fleet):
    """Makes the browser that of somebody with an account of this product."""
    return visiting(fleet)


def count(screen: Screen, state: str) -> int:
    return int(screen.text(f"#tally-{state} b"))


def restart(screen: Screen, product: Product, speed: float, until: float) -> None:
    """Goes on with the story; meanwhile nobody looks, for a page would complain of what it can't reach."""
    screen.forgive("ERR_CONNECTION", "Failed to load resource")
    screen.driver.get("about:blank")
    product.stop()
    product.start(speed, until)
    screen.open("/login/")  # whose cookies can be taken away again


def test_a_kernel_that_nobody_approved_is_proposed_and_two_others_approve_it(visit, fleet) -> None:
    approver = visit("approver")
    approver.open("/")
    approver.until(lambda: count(approver, "untrusted") == UPDATED + 1, "the update was never seen", 60)
    approver.reads("#changes tbody tr", f"{UPDATED} hosts")

    # From the group on the fleet page, with a reason.
    approver.click("#propose-1")
    approver.reads("main", f"{UPDATED} hosts")
    approver.fill("#id_reason", "Debian's security update of November.")
    approver.click("#go [name=propose]")
    approver.one("#approve")
    proposal = approver.path

    # Who proposed it is refused.
    assert not approver.one("#approve").is_enabled()
    approver.reads("#why-not-approve", "somebody else must look at it")

    # Nor is an operator asked. Two others approve.
    operator = visit("operator")
    operator.open(proposal)
    assert not operator.one("#approve").is_enabled()
    for name in ("approver2", "approver3"):
        approve(visit(name), proposal, f"{name} compared it with Debian's notes.")

    # The hosts turn trusted while somebody looks; the simulated server is told of the kernel, one host first.
    viewer = visit("viewer")
    viewer.open("/")
    stayed = viewer.stays()
    viewer.until(lambda: count(viewer, "untrusted") == 1, "the hosts never turned trusted", 120)
    assert stayed()
    viewer.open("/activity/")
    viewer.reads("main", "anew with oat-1")


def test_a_wave_that_was_approved_beforehand_takes_no_host_out(visit, fleet) -> None:
    restart(visit("viewer"), fleet, AT_ITS_END, CANARY_BOOTED)
    [canary] = STORY.canary.hosts
    approver = visit("approver")
    approver.open("/")
    approver.until(lambda: count(approver, "untrusted") == 2, "the canary was never seen", 60)

    # Proposed from the canary's page; the old kernel's baseline ends on a date.
    approver.open(f"/hosts/{canary}/")
    approver.click("#propose-oat-1-vmm")
    approver.fill("#id_reason", "The next kernel, tried on one host.")
    approver.click("[name=replaces]")
    approver.click("[name=ends][value=date]")
    ends = datetime.now(UTC) + LEFT
    approver.run("document.querySelector('#id_ends_at').value = arguments[0]", ends.strftime("%Y-%m-%dT%H:%M:%S"))
    approver.click("#go [name=preview]")
    approver.until(lambda: approver.one("#go [name=propose]").is_enabled(), "it can't be proposed")
    approver.click("#go [name=propose]")
    approver.one("#approve")
    proposal = approver.path
    for name in ("approver2", "approver3"):
        approve(visit(name), proposal, f"{name} saw the canary run.")
    viewer = visit("viewer")
    viewer.open("/")
    viewer.until(lambda: count(viewer, "untrusted") == 1, "the canary never turned trusted", 120)

    # The wave: hosts reboot into what is approved already.
    restart(viewer, fleet, 20.0, ALL_TOLD)
    viewer = visit("viewer")
    viewer.open("/baselines/")
    viewer.until(
        lambda: any(f"{WAVE + 1} hosts" in each.text for each in viewer.all("table.golden tr")),
        "the wave never arrived",
        150,
    )
    fleet.command("shell", typed=NOBODY_LOST % (STORY.wave.hosts,))

    # The old baseline retires on its date; who stayed behind is listed.
    viewer.reads("#ended", f"{STRAGGLERS} stragglers", seconds=LEFT.total_seconds() + 60)
    viewer.open("/")
    viewer.until(lambda: count(viewer, "untrusted") == 1 + STRAGGLERS, "the stragglers stayed trusted", 60)


assert FIRST_PART < STORY.canary.start < CANARY_BOOTED < STORY.wave.start
