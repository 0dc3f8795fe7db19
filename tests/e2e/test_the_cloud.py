"""The page of clouds on the simulated cloud: workers find hypervisors and give traits, and people answer."""

import pytest
import requests

from tests.e2e.product import STORY, Product, wait_until
from txt_dashboard.simulator.openstack.estate import STRANGER, Estate

pytestmark = pytest.mark.browser

ESTATE = Estate(STORY.fleet)
CONTROLLER = ESTATE.controllers[-1]
TRUSTED, UNTRUSTED = "az1-001", STORY.kernel_update.hosts[0]  # both had the trait before anybody looked
BY_HAND = STORY.kernel_update.hosts[5]
TRAIT = "CUSTOM_TRUSTED_HOST"


class Placement:
    """What somebody with compute credentials can do behind our back."""

    def __init__(self, product: Product) -> None:
        self._address = f"http://127.0.0.1:{product.port + 2}"
        domain = {"id": "default"}
        user = {"name": "admin", "domain": domain, "password": product.password}
        identity = {"methods": ["password"], "password": {"user": user}}
        body = {"auth": {"identity": identity, "scope": {"project": {"name": "admin", "domain": domain}}}}
        answer = requests.post(f"{self._address}/identity/v3/auth/tokens", json=body, timeout=10)
        self._headers = {"X-Auth-Token": answer.headers["X-Subject-Token"]}
        self._headers["OpenStack-API-Version"] = "placement 1.23"

    def has_trait(self, host: str) -> bool:
        return TRAIT in self._traits(host)["traits"]

    def set_trait(self, host: str) -> None:
        now = self._traits(host)
        wanted = {**now, "traits": [*now["traits"], TRAIT]}
        requests.put(self._of(host), headers=self._headers, json=wanted, timeout=10).raise_for_status()

    def _traits(self, host: str) -> dict:
        return requests.get(self._of(host), headers=self._headers, timeout=10).json()

    def _of(self, host: str) -> str:
        return f"{self._address}/placement/resource_providers/{ESTATE.by_host[host].uuid}/traits"


@pytest.fixture(scope="module")
def placement(settled) -> Placement:
    return Placement(settled)


def test_the_page_says_what_workers_found_and_that_it_is_played(viewer):
    viewer.open("/clouds/")
    viewer.reads("#state-head", "Connected", seconds=60)
    viewer.reads("main", "simulated cloud")
    viewer.reads("#cloud", f"{len(ESTATE.nodes) - 1} of {len(ESTATE.nodes)} are hosts that we know", seconds=60)
    viewer.reads("#found-head", f"2 hypervisors had {TRAIT} before us")
    assert viewer.all("button[disabled][aria-describedby='why-not-take-over']")
    viewer.click("#only option[value='unmatched']")
    viewer.click("#hypervisors form button")
    viewer.reads("#hypervisors", "No server that counts attests it")
    assert STRANGER in viewer.text("#hypervisors tbody")
    viewer.open("/hosts/az2-078/")
    viewer.reads("main", "Hypervisor az2-078 of cloud simulated, compute service nova-az2-078.")


def test_a_controller_is_said_to_be_none(admin):
    admin.open("/clouds/")
    admin.reads("#hosts", CONTROLLER)
    admin.click("#hosts tbody a.btn")
    admin.fill("#id_reason", "It runs the API.")
    admin.click("main form button")
    admin.reads("#roles", CONTROLLER)
    admin.reads("#hosts", "None: every attested host is a hypervisor", seconds=60)


def test_traits_of_before_are_taken_over_and_follow_trust(admin, placement):
    assert placement.has_trait(TRUSTED)
    assert placement.has_trait(UNTRUSTED)
    admin.open("/clouds/")
    admin.click("#take-over")
    admin.reads("main form", UNTRUSTED)
    admin.fill("#id_reason", "Somebody had begun by hand.")
    admin.click("main form button")
    admin.reads("main", "Done.")
    wait_until(lambda: not placement.has_trait(UNTRUSTED), "an untrusted host kept the trait")
    assert placement.has_trait(TRUSTED)
    admin.gone("#found-head")


def test_a_trait_that_somebody_sets_shows_by_itself_and_is_acknowledged(approver, placement):
    approver.open("/clouds/")
    approver.one("#state-head")
    stays = approver.stays()
    placement.set_trait(BY_HAND)
    approver.reads("#held", BY_HAND, seconds=60)
    assert stays()
    wait_until(lambda: not placement.has_trait(BY_HAND), "the trait was not taken away")
    approver.open("/clouds/")
    approver.click("#held a.btn")
    approver.fill("#id_reason", "An experiment of the storage team.")
    approver.click("main form button")
    approver.reads("main", "Done.")
    approver.gone("#held")
