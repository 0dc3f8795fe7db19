"""The product beside a real cloud: it measures the compute hosts, which its simulator plays, and the cloud acts."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.e2e.product import ROOT, Product
from tests.e2e.waiting import PATIENCE_S, eventually
from tests.openstack.accounts import PASSWORD
from tests.openstack.minicloud import HYPERVISORS, MiniCloud
from txt_dashboard.cloud import compute, placement
from txt_dashboard.cloud.connection import Connection
from txt_dashboard.cloud.enforcement import Enforcement, digest

TRAIT = "CUSTOM_TRUSTED_HOST"
CLOUD = "mini"
POLL_S = 5  # seconds between two questions for a host
LOOK_S = 3  # seconds between two comparisons of all traits
ALLOWED_S = POLL_S + 2.0  # from a register's change to the loss of the trait
APPROVED: Mapping[str, str] = {}
UNAPPROVED_KERNEL = {"kernel": "6.1.0-38"}
PAIR = ("compute4", "fake-mini")  # who is trusted when the story begins
OTHERS = tuple(name for name in HYPERVISORS if name not in PAIR)
_INTERVAL = """
from dataclasses import fields, replace
from django.utils import timezone
from txt_dashboard.actions.permissions import COMMAND_LINE
from txt_dashboard.actions.servers import ServerSettings, edit_server
from txt_dashboard.models import Server

row = Server.objects.get()
same = {each.name: getattr(row, each.name) for each in fields(ServerSettings) if each.name != "auth_blob"}
settings = replace(ServerSettings(**same), interval_s=%d)
edit_server(COMMAND_LINE, row.pk, settings, version=row.version, now=timezone.now())
"""


class Cast:
    """The file by which the simulator is told who its hosts are, and what each booted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._hosts: dict[str, Mapping[str, str]] = {}
        self._boots: Counter[str] = Counter()

    def booted(self, host: str) -> Mapping[str, str]:
        """What it booted last, beside what is approved from the start."""
        return self._hosts[host]

    def boot(self, hosts: Mapping[str, Mapping[str, str]]) -> float:
        """These reboot now, each into this; the moment, of a monotonic clock."""
        self._hosts |= hosts
        self._boots.update(hosts.keys())
        new = self.path.with_suffix(".new")
        lines = {name: {**booted, "reboots": self._boots[name] - 1} for name, booted in self._hosts.items()}
        new.write_text(json.dumps(lines))
        new.replace(self.path)
        return time.monotonic()


class Stage:
    """All of it: the cloud, the product as a person starts it, and what can be seen of both from outside."""

    def __init__(self, folder: Path, mini: MiniCloud, admin: Connection, keeper: Connection) -> None:
        self._admin = admin
        self._keeper = keeper
        self._folder = folder
        self.mini = mini
        self.blob = secrets.token_urlsafe(24)
        self.cast = Cast(folder / "cast.json")
        self.clouds = folder / "clouds.yaml"
        self._write_clouds()
        self.product = Product(folder / "data", self._settings())

    def start(self) -> None:
        """Two hosts as approved, and three with a kernel that nobody approved."""
        self.cast.boot(dict.fromkeys(PAIR, APPROVED) | dict.fromkeys(OTHERS, UNAPPROVED_KERNEL))
        self.product.start(1.0)
        self.product.command("shell", typed=_INTERVAL % POLL_S)

    # What can be seen.

    def holders(self) -> set[str]:
        """The hypervisors that have the trait, by Placement."""
        return {each.name for each in placement.list_providers(self._keeper, having=TRAIT)}

    def shows_holders(self, *names: str, why: str, seconds: float = PATIENCE_S) -> float:
        """Waits until exactly these have it; the moment, of a monotonic clock."""
        try:
            eventually(self.holders, set(names).__eq__, why, seconds)
        except AssertionError as error:
            told = [line for line in self.product.log.splitlines() if "warning" in line or "error" in line]
            raise AssertionError("\n".join((str(error), *told[-20:]))) from None
        return time.monotonic()

    def told(self, *names: str) -> dict[str, str]:
        """What PollHosts says of these."""
        answer = requests.post(
            f"{self.product.address}/AttestationService/resources/PollHosts",
            json={"hosts": names},
            headers={"x-auth-blob": self.blob},
            timeout=10,
        )
        return {row["host_name"]: row["trust_lvl"] for row in answer.json()["hosts"]}

    def asks(self, token: str, path: str, **how: object) -> requests.Response:
        """An answer of the API to whoever has this token."""
        headers = {"X-Auth-Token": token}
        method = str(how.pop("method", "GET"))
        return requests.request(method, f"{self.product.address}{path}", headers=headers, timeout=30, **how)  # type: ignore[arg-type]

    def sees_flavor(self, token: str, flavor: str) -> dict[str, Any]:
        """The flavor as the API shows it, once a worker has seen it as Nova has it."""
        specs = compute.get_extra_specs(self._admin, flavor)
        return eventually(
            lambda: self.asks(token, f"/v1/flavors/{flavor}").json(),
            lambda seen: seen.get("specs_hash") == digest(specs),
            "the flavor is never shown as Nova has it",
        )

    def toggles(
        self, token: str, seen: Mapping[str, Any], *, trusted: bool, enforcement: Enforcement | None = None
    ) -> requests.Response:
        """What the API answers to whoever wants a flavor changed that they saw like that."""
        wish = {
            "trusted": trusted,
            "enforcement": enforcement,
            "reason": "Only on measured hosts.",
            "specs_hash": seen["specs_hash"],
        }
        return self.asks(token, f"/v1/flavors/{seen['id']}/trust", method="PUT", json=wish)

    def asked(self, expression: str) -> str:
        """What the product's own database says, by a line of Python."""
        out = self._folder / "asked"
        typed = f"from txt_dashboard.models import *\nopen({str(out)!r}, 'w').write(str({expression}))\n"
        self.product.command("shell", typed=typed)
        return out.read_text()

    def dead_man(self, *options: str) -> subprocess.CompletedProcess[str]:
        """The dead-man command, from a process that has only the account for traits and the public keys."""
        heartbeat = f"{self.product.address}/.well-known/txt-dashboard/heartbeat"
        keys = self.product.folder / "signing.pub"
        command = [sys.executable, "-m", "txt_dashboard.deadman", "--cloud", CLOUD, "--entry", f"{CLOUD}-traits"]
        command += ["--clouds", str(self.clouds), "--heartbeat", heartbeat, "--public-keys", str(keys), *options]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._folder)}
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    def _write_clouds(self) -> None:
        entries = {CLOUD: ("admin", "admin"), f"{CLOUD}-traits": ("only-service", "service")}
        domains = {"user_domain_id": "default", "project_domain_id": "default"}
        clouds = {
            name: {
                "auth": {
                    "auth_url": self.mini.auth_url,
                    "username": user,
                    "password": PASSWORD,
                    "project_name": project,
                    **domains,
                },
                "region_name": "RegionOne",
            }
            for name, (user, project) in entries.items()
        }
        self.clouds.touch(mode=0o600)
        self.clouds.write_text(yaml.safe_dump({"clouds": clouds}))

    def _settings(self) -> dict[str, str]:
        project = self._admin.session.get_project_id()
        return {
            "TXT_SIM_CAST": str(self.cast.path),
            "TXT_CLOUDS": CLOUD,
            "TXT_CLOUDS_FILE": str(self.clouds),
            "TXT_CLOUD_INTERVAL_S": str(LOOK_S),
            "TXT_FLAVORS_INTERVAL_S": str(LOOK_S),
            "TXT_INSTANCES_INTERVAL_S": str(LOOK_S),
            "TXT_POLLHOSTS_BLOB": self.blob,
            "TXT_KEYSTONE_CONFIG": str(self.clouds),
            "TXT_KEYSTONE_CLOUD": CLOUD,
            "TXT_KEYSTONE_PROJECT": str(project),
            "TXT_KEYSTONE_ROLES": "admin=administrator",
        }
