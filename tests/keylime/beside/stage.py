"""The product beside a simulated OpenAttestation and a real Keylime that know the same hosts."""

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import requests

from tests.e2e.waiting import eventually
from tests.keylime.beside.doorway import Doorway
from tests.keylime.lab import KeylimeLab
from tests.keylime.stage import HOSTS, SERVER, Stage
from txt_dashboard.simulator.startkit import SERVER as OAT

PUSH = "keylime-push"
LOOKS_EVERY_S = 0.3
_TAG = re.compile(r"<[^>]*>")
KERNEL = {"kernel": "6.1.0-38"}  # which nobody approved

__all__ = ["HOSTS", "KERNEL", "OAT", "PUSH", "SERVER", "Both", "Looks"]


class Looks:
    """The states of all hosts, as somebody sees them who looks all the time."""

    def __init__(self) -> None:
        self.states: set[str] = set()
        self.count = 0
        self.longest_s = 0.0  # between two looks


class Both(Stage):
    """Three hosts that OpenAttestation attests from the beginning; the Keylime is not known yet."""

    def __init__(self, folder: Path, lab: KeylimeLab) -> None:
        super().__init__(folder, lab)
        self._played: dict[str, Mapping[str, str]] = {host: {} for host in HOSTS}
        self._reboots = dict.fromkeys(HOSTS, 0)
        self._operator = ""
        self._browser = requests.Session()

    def start(self) -> None:
        """All three are trusted."""
        super().start()
        key = self.product.command("api_key", "create", "operator", "--name", "asks", "--role", "operator")
        self._operator = key.strip()

    # What can be done.

    def does(self, *verbs: str) -> None:
        """Verbs of `tests.keylime.beside.verbs`, and until they are in force."""
        self.product.command("shell", typed="\n".join(("from tests.keylime.beside.verbs import *", *verbs, "")))
        unsigned = "Proposal.objects.filter(state='open').count()"
        eventually(lambda: self.asked(unsigned), "0".__eq__, "no worker signed what was approved")

    def boots(self, host: str, **booted: str) -> None:
        """By the simulated OpenAttestation, which plays hosts of the same names."""
        self._played[host], self._reboots[host] = booted, self._reboots[host] + 1
        self._write_cast()

    def asks_every(self, seconds: int) -> None:
        """The interval of the Keylime's polls; returns when all of its hosts were asked under it."""
        self.does(f"ask_every({SERVER!r}, {seconds})")
        before = {host: self.held(host)["asked_at"] for host in HOSTS}
        for host in HOSTS:
            self.attest(host)
        eventually(lambda: [self.held(host)["asked_at"] > before[host] for host in HOSTS], all, "no poll came")

    def attest(self, host: str) -> None:
        """*Poll now*."""
        headers = {"Authorization": f"Bearer {self._operator}"}
        answer = requests.post(f"{self.product.address}/v1/hosts/{host}/attest", headers=headers, json={}, timeout=30)
        assert answer.status_code == 202, answer.text

    # What can be seen.

    def said(self, host: str, server: str = SERVER) -> Mapping[str, Any]:
        """What a host's page tells of one server."""
        return self._of(server, f"/hosts/{host}", "servers")

    def held(self, host: str, server: str = SERVER) -> Mapping[str, Any]:
        """The evidence of one server."""
        return self._of(server, f"/hosts/{host}/evidence", "evidence")

    def differs(self, host: str, server: str = SERVER) -> list[int]:
        """The registers that differ in what one server showed."""
        return [each["index"] for each in self._of(server, f"/hosts/{host}/diff", "servers").get("differing", [])]

    def page(self, path: str) -> str:
        """The words of a page."""
        url = self.product.address
        if not self._browser.cookies:
            form = self._browser.get(f"{url}/login/", timeout=30).text
            token = form.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
            entered = {"username": "viewer", "password": self.product.password, "csrfmiddlewaretoken": token}
            self._browser.post(f"{url}/login/", entered, timeout=30)
        main = self._browser.get(url + path, timeout=30).text.partition("<main")[2]
        return " ".join(unescape(_TAG.sub(" ", main)).split())

    @contextmanager
    def watched(self, *hosts: str) -> Iterator[Looks]:
        """Somebody looks at these hosts' states all the time."""
        looks, enough = Looks(), threading.Event()

        def look() -> None:
            last = time.monotonic()
            while not enough.wait(LOOKS_EVERY_S):
                seen = {row["name"]: row["state"] for row in self.asks("/hosts")["items"]}
                looks.states |= {seen.get(host, "missing") for host in hosts}
                looks.count += 1
                looks.longest_s, last = max(looks.longest_s, time.monotonic() - last), time.monotonic()

        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            yield looks
        finally:
            enough.set()
            watcher.join()

    def _of(self, server: str, path: str, what: str) -> Mapping[str, Any]:
        found: Sequence[Mapping[str, Any]] = self.asks(path).get(what, [])
        return next((each for each in found if each["server"] == server), {})

    def _open(self) -> Doorway:  # type: ignore[override]  # it is closed, too
        self.doorway = Doorway(self.lab, self._folder / "proxy.pem", self.product.address)
        return self.doorway

    def _write_cast(self) -> None:
        new = self._cast.with_suffix(".new")
        new.write_text(json.dumps({host: {**self._played[host], "reboots": self._reboots[host]} for host in HOSTS}))
        new.replace(self._cast)

    def _settings(self) -> dict[str, str]:
        settings = super()._settings()
        both = (SERVER, PUSH)
        return {
            **settings,
            "TXT_CLIENT_CERTIFICATES": ",".join(f"{each}={self._pem}" for each in both),
            "TXT_KEYLIME_REGISTRARS": ",".join(f"{each}={self.lab.registrar}" for each in both),
            "TXT_KEYLIME_AGENT_PORTS": "1024-65535",
            "TXT_TICK_S": "2.0",  # the default
        }
