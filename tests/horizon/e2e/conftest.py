"""The product, a real Keystone and Nova, and a Horizon with our panels, once for the session.

    TXT_TEST_HORIZON_DIR       the labs' folder (a temporary one, removed afterwards)
    TXT_TEST_HORIZON_PORTS     the first of their ports (found where there are enough)
    TXT_TEST_HORIZON_AS_IS     where Horizon runs there already: take it as it is
    TXT_TEST_OPENSTACK_CACHE   where the cloud's software is kept between runs (~/.cache/txt-dashboard/minicloud)

What is missing fails the tests: who runs them wants to know.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.e2e.product import Product
from tests.horizon.e2e.guest import Guest
from tests.horizon.e2e.labs import CLOUD_PORTS, REGION, Cloud, Horizon, free_ports
from tests.horizon.e2e.people import MAPPED, Keystone
from tests.openstack.servers import Servers

CLOUD = "mini"  # the cloud's name in clouds.yaml
# The cloud's compute hosts, as the simulator plays them: one with a kernel that nobody approved.
UNTRUSTED = "compute3"
BOOTED = {"compute1": {}, "compute2": {}, UNTRUSTED: {"kernel": "6.1.0-38"}}
Call = Callable[..., requests.Response]
Visit = Callable[[str], Guest]


@pytest.fixture(scope="session")
def labs() -> Iterator[Path]:
    """Where cloud and Horizon live."""
    if named := os.environ.get("TXT_TEST_HORIZON_DIR"):
        yield Path(named)
        return
    # Not pytest's own: of those it keeps three, and each would be 500 MB.
    with tempfile.TemporaryDirectory(prefix="txt-horizon-", ignore_cleanup_errors=True) as made:
        yield Path(made)


@pytest.fixture(scope="session")
def port() -> int:
    """The first of the labs' ports: nine of the cloud, then Horizon's."""
    return int(os.environ.get("TXT_TEST_HORIZON_PORTS") or free_ports(CLOUD_PORTS + 1))


@pytest.fixture(scope="session")
def cloud(labs: Path, port: int) -> Iterator[Cloud]:
    """Keystone, Nova and Placement."""
    default = Path.home() / ".cache" / "txt-dashboard" / "minicloud"
    software = Path(os.environ.get("TXT_TEST_OPENSTACK_CACHE") or default)
    cloud = Cloud(labs / "cloud", software, port)
    try:
        cloud.start()
        yield cloud
    finally:
        cloud.stop()


@pytest.fixture(scope="session")
def keystone(cloud: Cloud) -> Keystone:
    """Its people have accounts."""
    found = Keystone(cloud)
    found.give_accounts()
    return found


@pytest.fixture(scope="session")
def product(cloud: Cloud, keystone: Keystone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """As `run` starts it, with that cloud's accounts, and registered in its catalog."""
    folder = tmp_path_factory.mktemp("product")
    cast = folder / "cast.json"
    cast.write_text(json.dumps(BOOTED))
    settings = _settings(folder / "clouds.yaml", cloud, keystone)
    product = Product(folder / "data", {**settings, "TXT_SIM_CAST": str(cast)})
    try:
        product.start(1.0)
        product.command("register_service", f"{product.address}/v1")
        yield product
    finally:
        product.stop()


@pytest.fixture(scope="session")
def ask(product: Product) -> Call:
    """Asks the API with a token: `ask(token, "/v1/summary")`, or another method with a body."""

    def call(token: str, path: str, method: str = "GET", body: object = None) -> requests.Response:
        headers = {"X-Auth-Token": token}
        return requests.request(method, product.address + path, headers=headers, json=body, timeout=30)

    return call


@pytest.fixture(scope="session")
def horizon(labs: Path, port: int, cloud: Cloud, product: Product) -> Iterator[Horizon]:
    """With our panels as they are now; the service is in the catalog by then."""
    horizon = Horizon(labs / "horizon", port + CLOUD_PORTS, cloud.auth_url)
    try:
        horizon.start()
        yield horizon
    finally:
        horizon.stop()


@pytest.fixture
def servers(cloud: Cloud) -> Iterator[Servers]:
    """Flavors and instances of a test's own."""
    made = Servers(cloud.connect())
    yield made
    made.clean()


@pytest.fixture
def visit(horizon: Horizon, cloud: Cloud, tmp_path: Path) -> Iterator[Visit]:
    """Logs somebody in, each in a browser of their own."""
    guests: list[Guest] = []

    def enter(user: str) -> Guest:
        guests.append(Guest(tmp_path / f"profile-{len(guests)}", horizon.address, user, cloud.password))
        return guests[-1]

    yield enter
    for guest in guests:
        guest.close()


def _settings(file: Path, cloud: Cloud, keystone: Keystone) -> dict[str, str]:
    auth = "".join(f"      {name}: {value}\n" for name, value in cloud.auth("admin", "admin").items())
    file.write_text(f"clouds:\n  {CLOUD}:\n    region_name: {REGION}\n    auth:\n{auth}")
    file.chmod(0o600)
    return {
        "TXT_SIM_CLOUD": "false",
        "TXT_CLOUDS": CLOUD,
        "TXT_CLOUDS_FILE": str(file),
        "TXT_CLOUD_INTERVAL_S": "3",
        "TXT_FLAVORS_INTERVAL_S": "3",
        "TXT_INSTANCES_INTERVAL_S": "3",
        "TXT_KEYSTONE_CLOUD": CLOUD,
        "TXT_KEYSTONE_CONFIG": str(file),
        "TXT_KEYSTONE_PROJECT": keystone.project,
        "TXT_KEYSTONE_ROLES": MAPPED,
        "TXT_APPROVER_WAIT_H": "0",  # these people are approvers since a minute ago
    }
