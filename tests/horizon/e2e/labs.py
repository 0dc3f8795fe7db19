"""The labs that the tests stand on: a Keystone with its cloud, and a Horizon with our panels."""

import os
import re
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from txt_dashboard.cloud.connection import Connection
from txt_dashboard.cloud.login import Login

ROOT = Path(__file__).parents[3]
LABS = ROOT / "tests" / "labs"
REGION = "RegionOne"
COMPUTES = 3
CLOUD_PORTS = 9


class Lab:
    """A script of `tests/labs` with its folder. What ran before us is left running."""

    def __init__(self, script: str, environment: Mapping[str, str]) -> None:
        self._script = str(LABS / script)
        foreign = ("DJANGO_SETTINGS_MODULE", "PYTHONPATH")  # of these tests
        own = {name: value for name, value in os.environ.items() if name not in foreign}
        self._environment = own | dict(environment)
        self._found_running = False

    def start(self) -> None:
        """Starts what does not run."""
        self._found_running = self._succeeds("status")
        if not self._found_running:
            self.run("install")
            self.run("start")

    def stop(self) -> None:
        """Ends what `start` began."""
        if not self._found_running:
            self.run("stop")

    def run(self, *command: str) -> str:
        """What the script says; fails with all of that where it fails."""
        ended = subprocess.run(
            [self._script, *command], env=self._environment, capture_output=True, text=True, check=False, timeout=900
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def _succeeds(self, *command: str) -> bool:
        ended = subprocess.run([self._script, *command], env=self._environment, capture_output=True, check=False)
        return ended.returncode == 0


class Cloud(Lab):
    """Keystone, Nova, Placement and three compute hosts."""

    password = "minicloud"

    def __init__(self, folder: Path, software: Path, port: int) -> None:
        own = {"DIR": folder, "SOFTWARE": software, "BASE_PORT": port, "COMPUTES": COMPUTES}
        super().__init__("minicloud.sh", {f"MINICLOUD_{name}": str(value) for name, value in own.items()})

    @property
    def auth_url(self) -> str:
        """Where Keystone is: what the first start of the folder was given."""
        found = re.search(r"OS_AUTH_URL=(\S+)", self.run("env"))
        assert found
        return found[1]

    def auth(self, user: str, project: str) -> dict[str, str]:
        """How somebody logs in, as clouds.yaml has it."""
        scope = {"project_name": project, "project_domain_id": "default", "user_domain_id": "default"}
        return {"auth_url": self.auth_url, "username": user, "password": self.password, **scope}

    def connect(self, user: str = "admin", project: str = "admin") -> Connection:
        """Our own adapters, as this user."""
        return Connection(Login("mini", self.auth(user, project), region=REGION))


class Horizon(Lab):
    """Horizon with our panels, on a Keystone."""

    def __init__(self, folder: Path, port: int, auth_url: str) -> None:
        own = {"HORIZON_LAB_DIR": str(folder), "HORIZON_PORT": str(port), "OS_AUTH_URL": auth_url}
        super().__init__("horizon-lab.sh", {**own, "HORIZON_EXTRA": str(Path(__file__).with_name("horizon_log.py"))})
        self.address = f"http://127.0.0.1:{port}"

    def start(self) -> None:
        """Always with the panels as they are now, unless somebody wants it as it runs."""
        self._found_running = self._succeeds("status")
        if self._found_running and os.environ.get("TXT_TEST_HORIZON_AS_IS"):
            return
        self.run("install")
        self.run("stop")
        self.run("plugin", str(ROOT))
        self.run("start")


def free_ports(count: int) -> int:
    """The first of so many ports in a row that nobody listens on."""
    for first in range(18300, 19300, count):
        if not any(_listens(port) for port in range(first, first + count)):
            return first
    raise RuntimeError(f"no {count} free ports in a row from 18300 to 19300")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
